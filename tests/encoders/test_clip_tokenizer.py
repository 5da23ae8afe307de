import gzip

import pytest

from motifmix.encoders.clip_tokenizer import ClipTokenizer, byte_symbols, normalised, published_merges, repaired
from motifmix.errors import WeightsError


@pytest.fixture(scope="module")
def tokenizer() -> ClipTokenizer:
    return ClipTokenizer()


def test_a_sentence_becomes_the_ids_that_clip_knows(tokenizer: ClipTokenizer):
    assert tokenizer.encode(["a photo of a cat"], 8).tolist() == [[49406, 320, 1125, 539, 320, 2368, 49407, 0]]
    assert (tokenizer.start_token, tokenizer.end_token) == (49406, 49407)
    assert tokenizer.encode([""], 3, padding=49407).tolist() == [[49406, 49407, 49407]]


def test_a_text_too_long_is_cut_and_keeps_its_end(tokenizer: ClipTokenizer):
    ids = tokenizer.encode(["walk " * 100, "walk"], 22)
    assert ids.shape == (2, 22)
    assert ids[0, -1] == tokenizer.end_token
    assert tokenizer.lengths(ids).tolist() == [22, 3]


def test_special_tokens_written_out_stand_for_themselves(tokenizer: ClipTokenizer):
    assert tokenizer.ids("a<|endoftext|>cat") == [320, 49407, 2368]
    assert tokenizer.ids("a <| cat") == tokenizer.ids("a") + tokenizer.ids("<|") + tokenizer.ids("cat")


def test_cleaning_repairs_and_lowers():
    assert repaired("  caf\u00c3\u00a9 \u201cWALK\u201d &amp;amp; \n run ") == 'caf\u00e9 "walk" & run'
    assert repaired("Plain, text; <b> 'x'\t2") == "plain, text; <b> 'x' 2"
    assert normalised(" Cafe\u0301 &amp; \u201cWALK\u201d") == " caf\u00e9 &amp; \u201cwalk\u201d"


def test_every_byte_has_a_symbol():
    assert len(set(byte_symbols())) == 256
    assert byte_symbols()[:3] == ["!", '"', "#"]


def test_a_wrong_merge_list_is_named(tmp_path):
    for content in (b"no archive", gzip.compress(b"header\na b\n")):
        path = tmp_path / "merges.gz"
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"merges\.gz"):
            published_merges(path)
    with pytest.raises(WeightsError, match="cannot be read"):
        published_merges(tmp_path / "absent.gz")
