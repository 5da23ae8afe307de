"""The cards of published models: each holds together, and each recognises the file that it describes."""

import inspect
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from motifmix.errors import FileError, RequestError, WeightsError
from motifmix.pretrained import gathering
from motifmix.pretrained.conversion import convert
from motifmix.pretrained.converted import load_model, verify
from motifmix.pretrained.gathering import empty_network, fits, gather, looks_like
from motifmix.pretrained.published import PublishedModel, named_object, published, published_names
from motifmix.pretrained.safe_reading import SafeFile

from .published_files import files_of

NAMES = published_names()


@pytest.mark.parametrize("name", NAMES)
def test_a_card_names_what_exists(name: str):
    model = published(name)
    for part in model.parts.values():
        for reference in (part.key_map, part.trial, part.sizes_from):
            assert reference is None or named_object(reference, "pretrained.maps") is not None
        if part.parameters is not None:
            _, network = empty_network(part.model_copy(update={"sizes_from": None}), {}, {})
            assert sum(p.numel() for p in network.parameters()) == part.parameters
    assert {model.citation.count(sign) for sign in "{}"} == {model.citation.count("{")}
    for file in model.files.values():
        assert file.where.startswith("http"), "where a file is, as a link"


@pytest.mark.parametrize("name", NAMES)
def test_a_card_recognises_its_own_file(name: str, monkeypatch: pytest.MonkeyPatch):
    # On the meta device: names and shapes at the published size, no numbers to compare.
    monkeypatch.setattr(gathering, "_equal", lambda one, other: True)
    model = published(name)
    if not model.files or any(step.holds == "words" for step in model.order):
        return  # nothing is published, or no file of weights
    files = {s: SafeFile(Path(model.files[s].name), c) for s, c in files_of(model, {}, "meta").items()}
    found, complaints = fits(model, gather(model, files), {})
    assert complaints == []
    assert found.keys() == model.parts.keys()
    assert name in looks_like(list(files.values()), [published(other) for other in NAMES])


def test_an_unknown_name_gets_near_ones():
    with pytest.raises(RequestError, match=r"no published model is called 'mdl'; did you mean .*mld"):
        published("mdl")
    with pytest.raises(RequestError, match=r"known are .*mld"):
        published("xyzzy")


@pytest.mark.parametrize("reference", ["os:system", "..cards:Path", "mld:nothing", "mld", "nothing:at_all"])
def test_names_in_cards_reach_nothing_else(reference: str):
    with pytest.raises(WeightsError, match=r"motifmix\.pretrained\.maps|module:name"):
        named_object(reference, "pretrained.maps")


def test_a_card_that_contradicts_itself_is_refused():
    card = published("mld").model_dump()
    for change, message in (
        ({"files": {}}, "order names the file 'mld', which is not among files"),
        ({"order": ()}, "order leaves out a file"),
        ({"items": ()}, "items names no golden item"),
        ({"citation": "Chen 2023"}, "no BibTeX"),
        ({"unheard": 1}, "unheard"),
    ):
        with pytest.raises(ValueError, match=message):
            PublishedModel.model_validate({**card, **change})


def test_word_vectors_are_put_in_the_order_of_their_words(tmp_path: Path):
    np.save(tmp_path / "our_vab_data.npy", np.arange(12.0).reshape(4, 3))
    (tmp_path / "our_vab_words.pkl").write_bytes(pickle.dumps(["sos", "eos", "unk", "größe"], 2))
    (tmp_path / "our_vab_idx.pkl").write_bytes(pickle.dumps({"eos": 1, "sos": 3, "unk": 2, "größe": 0}, 2))
    files = [tmp_path / f"our_vab_{ending}" for ending in ("words.pkl", "data.npy", "idx.pkl")]
    table = load_model(convert(published("glove"), files, tmp_path / "glove")).parts["words"]
    assert table.words == ["sos", "eos", "unk", "größe"]
    assert table.vectors[:, 0].tolist() == [9.0, 3.0, 6.0, 0.0]
    verify(tmp_path / "glove", lambda line: None)
    (tmp_path / "our_vab_idx.pkl").write_bytes(pickle.dumps({"eos": 1, "sos": 9, "unk": 2, "größe": 0}, 2))
    with pytest.raises(WeightsError, match="do not belong together"):
        convert(published("glove"), files, tmp_path / "again")
    (tmp_path / "our_vab_words.pkl").write_bytes(pickle.dumps({"a": []}))
    with pytest.raises(FileError, match="something else than their rows"):
        convert(published("glove"), files, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_two_published_counts_are_those_of_the_authors():
    with torch.device("meta"):
        counts = {part: published("mld").parts[part].parameters for part in ("vae", "denoiser")}
    assert counts == {"vae": 18_032_135, "denoiser": 8_349_184}


@pytest.mark.parametrize("name", NAMES)
def test_lengths_that_follow_a_network_name_a_size_of_it(name: str):
    model = published(name)
    for wanted in model.statistics.values():
        if wanted.dim_from is None:
            continue
        part, _, size = wanted.dim_from.partition(".")
        architecture = model.parts[part].architecture
        default = inspect.signature(named_object(architecture, "models")).parameters[size].default
        assert model.parts[part].sizes.get(size, default) == wanted.dim
