import shutil

import pytest
import torch
import yaml

from motifmix.encoders.text import FOLDER, GROUP, MAX_TOKENS, WIDTH, MiniLM, packed, unpacked
from motifmix.errors import WeightsError

TEXTS = [
    "This is an example sentence",
    "a person walks forward",
    "",
    "somebody, somewhere, walks in a wide curve to the left and then stands still for a while before going on",
]


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM()


def test_the_published_numbers_come_out_within_eight_bits(minilm):
    vector = minilm.encode(["This is an example sentence"])[0]
    published = torch.tensor([0.0677, 0.0635, 0.0487, 0.0793, 0.0374])
    torch.testing.assert_close(vector[:5], published, atol=0.003, rtol=0)


def test_the_card_says_how_close_the_copy_is():
    numbers = yaml.safe_load((FOLDER / "card.yaml").read_text("utf-8"))["numbers"]
    assert numbers["sentences"] == 200
    assert numbers["cosine_least"] >= 0.999


def test_the_copy_stays_small():
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 25e6


def test_vectors_have_length_one_and_keep_the_order(minilm):
    vectors = minilm.encode([*TEXTS, TEXTS[1]])
    assert vectors.shape == (5, WIDTH) and vectors.dtype == torch.float32
    torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(5))
    assert torch.equal(vectors[1], vectors[4])
    assert vectors[0] @ vectors[1] < 0.5


def test_like_meanings_are_nearer_than_unlike_ones(minilm):
    angry, anger, old, sad = minilm.encode(
        ["a person walks angrily", "someone is walking in anger", "an old man walks", "a depressed person"]
    )
    assert angry @ anger == pytest.approx(0.85, abs=0.02)
    assert old @ sad == pytest.approx(0.18, abs=0.02)


def test_a_text_alone_equals_the_text_in_a_batch(minilm):
    together = minilm.encode(TEXTS)
    for i, text in enumerate(TEXTS):
        torch.testing.assert_close(minilm.encode([text])[0], together[i], atol=1e-6, rtol=0)
    torch.testing.assert_close(minilm.encode(TEXTS, batch_size=1), together, atol=1e-6, rtol=0)


def test_token_states_come_with_their_mask(minilm):
    states, valid_mask = minilm.tokens(TEXTS)
    assert states.shape == (*valid_mask.shape, WIDTH)
    assert valid_mask.dtype == torch.bool
    assert valid_mask.sum(1)[:3].tolist() == [7, 6, 2]  # words, start and end
    assert valid_mask.sum(1).max() == valid_mask.shape[1]
    assert not states[~valid_mask].any()
    mean = states[0, :7].mean(0)
    torch.testing.assert_close(minilm.encode(TEXTS[:1])[0], mean / mean.norm(), atol=1e-6, rtol=0)


def test_long_texts_are_read_up_to_the_limit(minilm):
    states, _ = minilm.tokens(["walk " * 1000])
    assert states.shape == (1, MAX_TOKENS, WIDTH)


def test_no_texts_give_empty_tensors(minilm):
    assert minilm.encode([]).shape == (0, WIDTH)
    states, valid_mask = minilm.tokens([])
    assert states.shape == (0, 0, WIDTH) and valid_mask.shape == (0, 0)


def test_case_changes_nothing(minilm):
    lower, upper = minilm.encode(["a person walks forward", "A Person WALKS forward"])
    torch.testing.assert_close(lower, upper, atol=1e-6, rtol=0)


def test_vectors_are_constants_that_a_model_can_learn_on(minilm):
    layer = torch.nn.Linear(WIDTH, 1)
    layer(minilm.encode(TEXTS)).sum().backward()
    assert layer.weight.grad is not None


def test_nothing_is_read_before_the_first_text(tmp_path):
    encoder = MiniLM(tmp_path / "nowhere")
    with pytest.raises(WeightsError, match=r"nowhere.*cannot be read.*install motifmix again"):
        encoder.encode(["a person walks"])


@pytest.mark.parametrize("name", ["minilm.safetensors", "tokenizer.json"])
def test_an_altered_file_is_refused_by_name(tmp_path, name):
    folder = shutil.copytree(FOLDER, tmp_path / "minilm")
    content = bytearray((folder / name).read_bytes())
    content[-100] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(WeightsError, match=rf"{name} is not the file that card.yaml"):
        MiniLM(folder).encode(["a person walks"])


def test_packing_loses_at_most_half_a_step():
    sizes = torch.logspace(-6, 1, 8).unsqueeze(1)
    matrix = torch.randn(8, 3 * GROUP, generator=torch.Generator().manual_seed(0)) * sizes
    back = unpacked(packed({"dense.weight": matrix, "dense.bias": matrix[0]}))
    step = matrix.unflatten(-1, (-1, GROUP)).abs().amax(-1, keepdim=True).expand(-1, -1, GROUP).flatten(-2) / 127
    assert ((back["dense.weight"] - matrix).abs() <= 0.5001 * step).all()
    assert torch.equal(back["dense.bias"], matrix[0])


def test_a_row_of_zeros_stays_zero():
    assert not unpacked(packed({"dense.weight": torch.zeros(2, GROUP)}))["dense.weight"].any()
