"""Our code against the numbers of published code, for every case of every golden folder at hand."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from golden import Case, cases, differences, golden_folders
from runners import RUNNERS
from safetensors.numpy import save_file

ALL = [case for folder in golden_folders() for case in cases(folder)]


@pytest.mark.skipif(
    not ALL, reason="no golden folder: name one or more in MOTIFMIX_GOLDEN to compare with published code"
)
@pytest.mark.parametrize("case", ALL, ids=str)
def test_every_output_equals_the_published_code(case: Case):
    assert case.item in RUNNERS, f"golden item {case.item} is not known: no module of tests/oracle/runners computes it"
    assert differences(case, RUNNERS[case.item](case)) == []


def test_golden_folders_are_separated_as_in_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("one", "two"):
        (tmp_path / name / "item" / name).mkdir(parents=True)
        (tmp_path / name / "item" / name / "meta.json").write_text("{}")
    monkeypatch.setenv("MOTIFMIX_GOLDEN", os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "two")]))
    assert [str(case) for folder in golden_folders() for case in cases(folder)] == ["item/one", "item/two"]
    monkeypatch.setenv("MOTIFMIX_GOLDEN", str(tmp_path / "absent"))
    assert golden_folders() == []  # the walk says so and is skipped
    monkeypatch.setenv("MOTIFMIX_GOLDEN", os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "absent")]))
    with pytest.raises(FileNotFoundError, match="MOTIFMIX_GOLDEN names"):
        golden_folders()
    for off in (tmp_path, tmp_path / "one" / "item"):  # a level too high, a level too low
        monkeypatch.setenv("MOTIFMIX_GOLDEN", str(off))
        with pytest.raises(FileNotFoundError, match=r"holds no <item>/<case>/meta\.json"):
            golden_folders()


def test_an_unknown_item_fails(tmp_path: Path):
    (tmp_path / "unheard_of" / "case").mkdir(parents=True)
    (tmp_path / "unheard_of" / "case" / "meta.json").write_text('{"item": "unheard_of"}')
    (case,) = cases(tmp_path)
    with pytest.raises(AssertionError, match="unheard_of is not known"):
        test_every_output_equals_the_published_code(case)


@pytest.fixture
def quaternion_case(tmp_path: Path) -> Case:
    folder = tmp_path / "item" / "case"
    folder.mkdir(parents=True)
    meta = {
        "item": "item",
        "config": {},
        "outputs": {
            "exact": {}, "loose": {}, "tight": {}, "signed": {"compare": "up_to_sign"}, "extra": {"optional": True}
        },
        "tolerance": {
            "atol": 1e-3, "rtol": 0.0, "per_output": {"loose": {"atol": 0.1}}, "per_output_atol": {"tight": 1e-6}
        },
    }  # fmt: skip
    (folder / "meta.json").write_text(json.dumps(meta))
    values = {name: np.array([[0.0, 0.6, 0.0, 0.8]] * 2) for name in meta["outputs"]}
    save_file({f"out.{name}": value for name, value in values.items()}, folder / "tensors.safetensors")
    return Case(folder)


def test_the_comparison_keeps_to_each_tolerance(quaternion_case: Case):
    good = quaternion_case.outputs
    del good["extra"]
    assert differences(quaternion_case, good) == []
    assert differences(quaternion_case, {**good, "loose": good["loose"] + 0.09}) == []
    assert differences(quaternion_case, {**good, "signed": good["signed"] * [[1.0], [-1.0]]}) == []
    for spoiled in (
        {"exact": good["exact"] + 2e-3},
        {"tight": good["tight"] + 1e-5},
        {"exact": -good["exact"]},
        {"signed": good["signed"] * [1.0, -1.0, 1.0, 1.0]},
        {"exact": good["exact"][:1]},
        {"exact": good["exact"] * np.nan},
        {"extra": good["exact"] + 1.0},
    ):
        assert len(differences(quaternion_case, {**good, **spoiled})) == 1
    assert differences(quaternion_case, {k: v for k, v in good.items() if k != "exact"}) == ["exact: not computed"]
