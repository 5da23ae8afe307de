"""The cards of published models: each holds together, and each recognises the file that it describes."""

from pathlib import Path

import pytest
import torch

from motifmix.errors import RequestError, WeightsError
from motifmix.pretrained import gathering
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
        _, network = empty_network(part.model_copy(update={"sizes_from": None}), {}, {})
        if part.parameters is not None:
            assert sum(p.numel() for p in network.parameters()) == part.parameters
    assert {model.citation.count(sign) for sign in "{}"} == {model.citation.count("{")}
    for file in model.files.values():
        assert file.where.startswith("http"), "where a file is, as a link"


@pytest.mark.parametrize("name", NAMES)
def test_a_card_recognises_its_own_file(name: str, monkeypatch: pytest.MonkeyPatch):
    # On the meta device: names and shapes at the published size, no numbers to compare.
    monkeypatch.setattr(gathering, "_equal", lambda one, other: True)
    model = published(name)
    if not model.files:
        return  # nothing is published
    files = {s: SafeFile(Path(model.files[s].name), c) for s, c in files_of(model, {}, "meta").items()}
    found, complaints = fits(model, gather(model, files), {})
    assert complaints == []
    assert found.keys() == model.parts.keys()
    assert looks_like(list(files.values()), [published(other) for other in NAMES]) == name


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


def test_two_published_counts_are_those_of_the_authors():
    with torch.device("meta"):
        counts = {part: published("mld").parts[part].parameters for part in ("vae", "denoiser")}
    assert counts == {"vae": 18_032_135, "denoiser": 8_349_184}
