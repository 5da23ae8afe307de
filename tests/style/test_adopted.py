"""Folders of adopted styles that somebody else wrote, or that were damaged."""

import re
import shutil
from pathlib import Path

import pytest
import torch

from motifmix.data.labels import find_style
from motifmix.errors import FileError, RequestError, WeightsError
from motifmix.models.adopted_style import AdoptedStyle
from motifmix.style import adopted

SHAPE = (8, 12, 2)
HOUSE = Path(__file__).parents[2]


@pytest.fixture
def limping(tmp_path, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path))
    return kept("limping", AdoptedStyle(*SHAPE, 2))


def kept(name, network, *, blocks=SHAPE[2]):
    place = adopted.place_for(name)
    sizes = {"style": len(network.vector), "width": network.width, "blocks": blocks, "rank": 2}
    adopted.save(
        place, network, role="generate", architecture="adopted_style:AdoptedStyle", sizes=sizes, space="motifmix_269",
        licence="own", credit=[], data=[], recipe="adopt", commit="unknown", extra={"denoiser": "that one"},
    )  # fmt: skip
    return place


def test_a_whole_one_is_found_listed_and_loaded(limping):
    assert adopted.find(" Limping ") == limping and [own.name for own in adopted.all_adopted()] == ["limping"]
    found, network = adopted.load(limping, "that one", SHAPE)
    assert found.folder == limping and len(network.vector) == 8
    with pytest.raises(RequestError, match="other weights"):
        adopted.load(limping, "another", SHAPE)


def damaged(place, how):
    weights, card = place / "adopted_style.safetensors", place / "adopted_style.yaml"
    if how == "cut":
        weights.write_bytes(weights.read_bytes()[:40])
    elif how == "gone":
        weights.unlink()
    elif how == "no card":
        card.write_bytes(b"\xff\0")
    elif how == "another class":
        card.write_text(card.read_text().replace("adopted_style:AdoptedStyle", "os:system"))
    else:
        card.write_text(card.read_text().replace("blocks: 2", "blocks: 1000000000"))


@pytest.mark.parametrize("how", ["cut", "gone", "no card", "another class", "huge"])
def test_a_damaged_one_says_that_it_is_to_be_adopted_again(limping, how):
    damaged(limping, how)
    with pytest.raises(WeightsError, match=r"adopt it again: motifmix adopt CLIPS --name limping --force$") as refused:
        adopted.load(limping, "that one", SHAPE)
    assert "make weights" not in str(refused.value) and "download" not in str(refused.value)
    assert [own.name for own in adopted.all_adopted()] == ([] if how in ("gone", "no card") else ["limping"])


def test_numbers_that_are_none_and_shapes_of_another_denoiser_are_refused(limping):
    spoilt, huge = AdoptedStyle(*SHAPE, 2), AdoptedStyle(*SHAPE, 2)
    spoilt.vector.data[0] = torch.nan
    huge.down.data *= 1e30
    for place in (
        kept("spoilt", spoilt),
        kept("huge", huge),
        kept("narrow", AdoptedStyle(8, 11, 2, 2)),
        kept("short", AdoptedStyle(4, 12, 2, 2)),
    ):
        with pytest.raises(WeightsError, match="is spoilt"):
            adopted.load(place, "that one", SHAPE)


def test_only_names_that_a_style_can_be_called_by_are_listed(limping):
    shutil.copytree(limping, limping.parent / "a\nline")
    shutil.copytree(limping, limping.parent / ".hidden")
    assert [own.name for own in adopted.all_adopted()] == ["limping"]


def test_a_place_where_no_folder_can_be_made_is_told_before_anything_is_learned(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="no folder can be made here"):
        adopted.place_for("limping", tmp_path / "file")
    assert adopted.place_for("limping", tmp_path / "new" / "deep") == tmp_path / "new" / "deep" / "limping"
    assert [own.name for own in tmp_path.iterdir()] == ["file"]


def test_the_names_that_the_pages_adopt_by_are_free():
    pages = [HOUSE / "README.md", HOUSE / "docs" / "usage.md", HOUSE / "CHANGELOG.md"]
    names = {name for page in pages for name in re.findall(r"adopt \S.*--name (\w+)", page.read_text("utf-8"))}
    assert "limping" in names and all(find_style(adopted.check_name(name)) is None for name in names)
