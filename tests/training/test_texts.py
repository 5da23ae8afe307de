"""What training may say: places and times besides, on all contents alike, and never what evaluation asks."""

import numpy as np
import pytest

from motifmix.data.captions import hard_captions, held_out_captions, surface_free
from motifmix.data.labels import CONTENTS
from motifmix.data.reserved import is_reserved
from motifmix.training import texts
from motifmix.training.texts import caption_texts, content_texts, somewhere

SHOWN = [name for name in CONTENTS if name != "dance-long"]


def places(text: str) -> list[str]:
    return [place for place in texts._places() if text.rstrip(".!").endswith(f" {place}")]


def test_every_content_is_done_in_many_places():
    for content in SHOWN:
        said = [place for text in content_texts(content, False) for place in places(text)]
        assert len(set(said)) >= 5, content


def test_a_place_brings_no_held_out_phrasing_and_no_prompt_into_training():
    trained = {text for content in SHOWN for mirrored in (False, True) for text in content_texts(content, mirrored)}
    held_out = {surface_free(text) for n in SHOWN for text in (*held_out_captions(n), *hard_captions(n))}
    assert not {surface_free(text) for text in trained} & held_out
    assert not [text for text in trained if is_reserved(None, text)]


@pytest.mark.parametrize(
    "text", ["a person sits down on a chair.", "someone walks along the street", "He waves again!"]
)
def test_who_says_where_gets_no_place(text):
    assert somewhere(text, 1.0, np.random.default_rng(0)) == text


def test_a_place_stands_before_the_full_stop():
    said = somewhere("A person waves!", 1.0, np.random.default_rng(0))
    assert places(said) and said.startswith("A person waves ") and said.endswith("!")
    assert somewhere("A person waves!", 0.0, np.random.default_rng(0)) == "A person waves!"


def test_a_prompt_that_evaluation_asks_is_not_made(monkeypatch):
    monkeypatch.setattr(texts, "is_reserved", lambda kit_id, text: "waves" in text)
    assert somewhere("a person waves", 1.0, np.random.default_rng(0)) == "a person waves"


def test_a_written_caption_comes_as_it_is_and_as_others_type_it():
    found = caption_texts("a person jumps over a bar")
    assert found[0] == "a person jumps over a bar" and 2 <= len(found) <= 4 and found == caption_texts(found[0])
