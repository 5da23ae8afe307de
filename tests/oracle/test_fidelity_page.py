"""docs/fidelity.md says what is so: its lists are those of the sources, its items those of the golden folder."""

import importlib.util
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from golden import DEFAULT_FOLDER, cases

HOUSE = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("fidelity", HOUSE / "scripts" / "fidelity.py")
fidelity = importlib.util.module_from_spec(SPEC)  # type: ignore[arg-type]
MEND = "the page is stale: run 'make fidelity' (or python scripts/fidelity.py --lists, which keeps the figures)"


@pytest.fixture(scope="module")
def page() -> str:
    import sys

    sys.modules["fidelity"] = fidelity  # dataclasses look their module up
    SPEC.loader.exec_module(fidelity)  # type: ignore[union-attr]
    return (HOUSE / "docs" / "fidelity.md").read_text("utf-8")


def test_every_quirk_and_every_model_is_on_the_page(page: str):
    assert fidelity.quirks() in page, MEND
    assert fidelity.models() in page, MEND


def test_a_quirk_has_one_name_and_says_why(page: str):
    found = list(fidelity.found_quirks())
    assert all(re.fullmatch(r"[a-z0-9_]+", name) and len(why) > 20 for name, _, why in found)
    assert [name for name, count in Counter(name for name, _, _ in found).items() if count > 1] == []


@pytest.mark.skipif(
    not DEFAULT_FOLDER.is_dir() or "MOTIFMIX_GOLDEN" in os.environ,
    reason="the page was made from another golden folder",
)
def test_every_item_and_its_number_of_cases_is_on_the_page(page: str):
    here = Counter(case.item for case in cases(DEFAULT_FOLDER))
    stated = {item: int(count) for item, count in re.findall(r"^\| `(\w+)` \| (\d+) \| \d+ \|", page, re.MULTILINE)}
    assert stated == here, MEND


def test_what_a_card_calls_proven_is_compared(page: str):
    from motifmix.pretrained.published import published, published_names

    stated = set(re.findall(r"^\| `(\w+)` \| \d+ \| \d+ \|", page, re.MULTILINE))
    for name in published_names():
        model = published(name)
        assert "numbers" not in model.proof or set(model.items) <= stated, name


def test_a_quirk_that_a_card_names_exists(page: str):
    from motifmix.pretrained.published import published, published_names

    known = {name for name, _, _ in fidelity.found_quirks()}
    for model in map(published, published_names()):
        named = {*model.quirks, *(quirk for part in model.parts.values() for quirk in part.quirks)}
        assert named <= known, f"{model.name}: {named - known}"
