"""Weights that are missing or altered: one line, whichever command needs them, and nothing written."""

import os

import pytest

import motifmix
from motifmix.errors import WeightsError


@pytest.mark.parametrize(
    "words",
    [["generate", "walk"], ["styles"], ["styles", "--out", "styles.mp4"], ["batch", "rows.csv", "--out", "out"]],
)
def test_weights_that_cannot_be_read_cost_one_line(run, here, monkeypatch, words):
    def load(weights=None):
        raise WeightsError("vae.safetensors is not the file its card describes; install motifmix again")

    monkeypatch.setitem(motifmix.__dict__, "load", load)
    (here / "rows.csv").write_text("text\nwalk\n")
    done = run(*words)
    assert (
        done.code == 2
        and done.out == ""
        and done.lines == ["motifmix: vae.safetensors is not the file its card describes; install motifmix again"]
    )
    assert os.listdir() == ["rows.csv"]


def test_a_pipeline_that_finds_altered_text_weights_at_the_first_word_is_as_tidy(run, pipeline, here):
    def describe(text, style):
        raise WeightsError("minilm: checksum differs")

    pipeline.describe = describe
    done = run("generate", "walk")
    assert done.code == 2 and done.lines == ["motifmix: minilm: checksum differs"] and os.listdir() == []
