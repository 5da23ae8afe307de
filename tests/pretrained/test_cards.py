"""Weights with cards: what was altered, lost or never was one of ours is told by name, and nothing is unpickled."""

import json
import pickle
import struct
import time

import pytest
import torch
import yaml
from safetensors.torch import save

from motifmix.errors import WeightsError
from motifmix.models.style_encoder import TextToStyle
from motifmix.pretrained.build import build, load_part
from motifmix.pretrained.cards import Card, checksum, read_card, read_weights, write_weights

FACTS = {
    "name": "words", "role": "generate", "architecture": "TextToStyle", "sizes": {"text": 6, "width": 16, "style": 8},
    "space": "motifmix_269", "licence": "none", "credit": [], "data": [], "recipe": "none", "commit": "none",
}  # fmt: skip


def tensors(**more: torch.Tensor) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {**TextToStyle(6, 16, 8).state_dict(), **more}


@pytest.fixture
def folder(tmp_path):
    write_weights(tmp_path, "words", tensors(mean=torch.tensor([1.5, -2.0])), **FACTS)
    return tmp_path


def rewrite_card(folder, **changes):
    path = folder / "words.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))


def replace_weights(folder, data: bytes):
    (folder / "words.safetensors").write_bytes(data)
    rewrite_card(folder, sha256=checksum(data))


def test_a_part_comes_back_in_half_precision_as_single(folder):
    card, network, rest = load_part(folder, "words")
    for name, value in tensors().items():
        loaded = network.state_dict()[name]
        assert loaded.dtype == torch.float32
        assert torch.equal(loaded, value.half().float()), name
    assert torch.equal(rest["mean"], torch.tensor([1.5, -2.0])) and set(rest) == {"mean"}
    assert card.sizes == FACTS["sizes"] and not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert sorted(path.name for path in folder.iterdir()) == ["words.safetensors", "words.yaml"]


def test_whole_numbers_stay_whole_numbers(tmp_path):
    write_weights(tmp_path, "words", {"owners": torch.tensor([70_000, 3])}, **FACTS)
    _, stored = read_weights(tmp_path, "words")
    assert torch.equal(stored["owners"], torch.tensor([70_000, 3]))


@pytest.mark.parametrize("at", [0, 100, -1])
def test_one_changed_byte_is_noticed(folder, at):
    path = folder / "words.safetensors"
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(WeightsError, match=r"words\.safetensors: .*altered"):
        read_weights(folder, "words")


@pytest.mark.parametrize("name", ["words.safetensors", "words.yaml"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(WeightsError, match=f"{name}.*missing"):
        load_part(folder, "words")


@pytest.mark.parametrize(
    "text", ["", "[", "- a list", "name: words", "\x00", "!!python/object/apply:os.system [exit 1]", b"\xff\xfe\xff"]
)
def test_what_is_no_card_is_named(folder, text):
    (folder / "words.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(WeightsError, match=r"words\.yaml: this is no model card"):
        read_card(folder / "words.yaml")


def test_a_card_with_an_unknown_field_is_no_card(folder):
    rewrite_card(folder, surprise=1)
    with pytest.raises(WeightsError, match=r"words\.yaml"):
        read_card(folder / "words.yaml")


def header(entry: dict, data: bytes = b"") -> bytes:
    text = json.dumps(entry).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no tensors at all",
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 40) + b"{}",
        header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"1234"),
        header({"a": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]}}, b"1234"),
        header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, b"1234"),
        header({"a": {"dtype": "EVIL", "shape": [1], "data_offsets": [0, 4]}}, b"1234"),
        pickle.dumps({"a": torch.zeros(1)}),
    ],
)
def test_a_hostile_file_with_a_fitting_checksum_is_refused(folder, data):
    replace_weights(folder, data)
    with pytest.raises(WeightsError, match=r"words\.safetensors: not a safetensors file"):
        read_weights(folder, "words")


def test_an_unknown_architecture_is_named(folder):
    rewrite_card(folder, architecture="os.system")
    with pytest.raises(WeightsError, match=r"'words'.*'os\.system'"):
        load_part(folder, "words")


@pytest.mark.parametrize("sizes", [{"nonsense": 3}, {"text": "six"}, {"text": -4}, {"width": 16.5}])
def test_sizes_that_make_no_network_are_refused(folder, sizes):
    rewrite_card(folder, sizes=sizes)
    with pytest.raises(WeightsError, match="'words': its sizes do not fit TextToStyle"):
        load_part(folder, "words")


def test_sizes_that_contradict_each_other_are_refused():
    facts = {**FACTS, "architecture": "LatentDenoiser", "sizes": {"width": 16, "heads": 3}, "sha256": "0"}
    with pytest.raises(WeightsError, match="width 16 is not a multiple of 3 heads"):
        build(Card.model_validate(facts))


def test_tensors_of_another_shape_are_refused_by_name(folder):
    rewrite_card(folder, sizes={"text": 6, "width": 16, "style": 9})
    with pytest.raises(WeightsError, match=r"words\.safetensors: does not fit its card at 'layers\.3\.weight'"):
        load_part(folder, "words")


def test_a_missing_tensor_is_named(folder):
    kept = {name: value for name, value in tensors().items() if name != "layers.0.bias"}
    replace_weights(folder, save(kept))
    with pytest.raises(WeightsError, match=r"'layers\.0\.bias'"):
        load_part(folder, "words")


@pytest.mark.parametrize(
    ("architecture", "sizes"),
    [
        ("mld_vae:MotionVAE", {"features": 263, "width": 16, "feed_forward": 24, "layers": 100_001, "heads": 2}),
        ("mld_vae:MotionVAE", {"layers": 2**70}),
        ("TextToStyle", {"text": 2**24, "width": 2**20, "style": 2**24}),
        ("TextToStyle", {"text": [0] * 20_000}),
    ],
)
def test_sizes_far_beyond_the_file_are_refused_before_they_are_built(folder, architecture, sizes):
    rewrite_card(folder, architecture=architecture, sizes=sizes)
    started = time.monotonic()
    with pytest.raises(WeightsError, match=r"does not fit its card|far more than its file holds"):
        load_part(folder, "words")
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1, 1]\nb: &b [*a, *a]\nname: [*b, *b]",
        "a: &a {x: 1}\n<<: *a",
        "x" * 1_000_001,
        "[" * 100_000,
        "name: " + "9" * 10_000,
    ],
    ids=["aliases", "merge", "long", "deep", "number"],
)
def test_a_card_that_would_grow_is_refused(folder, text):
    (folder / "words.yaml").write_text(text)
    with pytest.raises(WeightsError, match=r"words\.yaml: this is no model card"):
        read_card(folder / "words.yaml")
