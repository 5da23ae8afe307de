"""The plain readings in benchmarks/ compute what our models compute: ratios of seconds compare like with like."""

import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
FAMILIES = ("mld", "smoodi", "intergen", "in2in-individual", "in2in-interaction", "mdm", "mixer")


@pytest.fixture(autouse=True)
def benchmarks_on_the_path(monkeypatch):
    if not BENCHMARKS.is_dir():
        pytest.skip("the benchmarks are not at hand")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in [name for name in sys.modules if name in ("plain", "published_rows") or name.startswith("plain.")]:
        del sys.modules[name]


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_a_plain_reading_gives_the_numbers_of_ours(family):
    from published_rows import FAMILIES as KNOWN  # pyright: ignore[reportMissingImports]

    assert tuple(KNOWN) == FAMILIES
    torch.manual_seed(0)
    for row in KNOWN[family](True, torch.float32):
        expected, given = row.plain(), row.ours()
        assert given.shape == expected.shape, row.name
        assert float((given - expected).abs().max() / expected.abs().max()) < 1e-4, row.name
