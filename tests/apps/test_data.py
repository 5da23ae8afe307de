"""`motifmix data` around the preparation: what it is called with, and mistakes in one line."""

import os
from pathlib import Path

import pytest


def test_prepare_reads_the_named_dataset_and_prints_its_report(run, here, monkeypatch):
    asked = []

    def prepare(dataset, source, out, *, progress, mirrored=True):
        asked.append((dataset, source, out))
        progress(1, 2)
        return "10 clips, see prepared/report.md"

    monkeypatch.setattr("motifmix.data.prepare.prepare", prepare)
    done = run("data", "prepare", "cmu", "--source", "cmu.tar.xz", "--out", "prepared")
    assert done.code == 0 and done.out == "10 clips, see prepared/report.md\n" and done.err == ""
    assert asked == [("cmu", Path("cmu.tar.xz"), Path("prepared"))]


@pytest.mark.parametrize("dataset", ["bandai", "cmu"])
def test_a_source_that_is_not_the_dataset_is_refused(run, here, dataset):
    (here / "other").mkdir()
    (here / "other" / "readme.txt").write_text("x")
    (here / "broken.tar.xz").write_bytes(b"no archive")
    for source in ("none", "other", "broken.tar.xz"):
        done = run("data", "prepare", dataset, "--source", source, "--out", "prepared")
        assert done.code == 2 and len(done.lines) == 1 and source in done.err
    assert not os.path.exists("prepared")


def test_a_folder_that_was_not_prepared_cannot_be_described(run, here):
    done = run("data", "describe", ".")
    assert done.code == 2 and len(done.lines) == 1
    assert os.listdir(here) == []
