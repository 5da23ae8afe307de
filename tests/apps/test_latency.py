"""`motifmix bench`: which stages are timed, and that their shares add up; the seconds themselves are nobody's promise."""

import json
from pathlib import Path

import pytest
import torch

import motifmix
from motifmix.apps import latency
from motifmix.encoders.text import MiniLM
from motifmix.models.latent_denoiser import LatentDenoiser
from motifmix.models.temporal_vae import TemporalVAE


class SmallPipeline:
    """The three networks in the order of the main job, with the default sizes and weights that know nothing."""

    def __init__(self, walk):
        self.walk = walk
        self.text, self.vae, self.denoiser = MiniLM(), TemporalVAE().eval(), LatentDenoiser().eval()
        self.asked = []

    @torch.inference_mode()
    def generate(self, texts, styles=None, seconds=None, seeds=None, *, steps=None, **options):
        self.asked.append((len(texts), seconds, steps))
        sentences = self.text.encode(list(texts) + [style for style in styles or () if style])[: len(texts)]
        tokens = round(seconds * 5)
        valid = torch.ones(len(texts), tokens, dtype=torch.bool)
        latents = torch.randn(len(texts), tokens, 32)
        for _ in range(steps or 12):
            latents = self.denoiser(latents, torch.ones(len(texts)), sentences, valid[:, 0], valid)
        self.vae.decode(latents)
        return [self.walk(seconds, seed) for seed in seeds]


@pytest.fixture
def measured(walk, monkeypatch):
    pipeline = SmallPipeline(walk)
    monkeypatch.setitem(motifmix.__dict__, "load", lambda weights=None: pipeline)
    monkeypatch.setattr(latency, "_child", lambda stage, *a, **o: latency.Figure(stage, 0.1, 10.0))
    monkeypatch.setattr(latency, "STEPS", (6, 2))
    monkeypatch.setattr(latency, "LENGTHS", (1.0, 2.0))
    monkeypatch.setattr(latency, "BATCHES", (2,))
    monkeypatch.setattr(latency, "TRAINING_BATCH", 2)
    monkeypatch.setattr(latency, "FORMATS", (".bvh", ".npz"))
    return pipeline


def test_every_stage_is_measured_and_written(run, here, measured):
    done = run("bench", "--out", "build/bench.json", "--repeats", 1)
    # Progress is shown where it takes long, as on a busy machine.
    assert done.code == 0 and all(line.startswith("measuring: ") for line in done.err.splitlines())
    report = json.loads(Path("build/bench.json").read_text(encoding="utf-8"))
    figures = {}
    for figure in report["figures"]:
        assert figure["seconds"] > 0, figure
        figures.setdefault(figure["stage"], []).append(figure)
        assert f"| {figure['stage']} |" in done.out
    assert {"start", "import", "whole command", "load and first use", "write .bvh", "matrix product"} <= figures.keys()
    assert [f["facts"]["steps"] for f in figures["denoising"]] == ["default", 6, 2]
    default = {stage: figures[stage][0]["seconds"] for stage in ("text", "denoising", "decoding", "prompt to features")}
    parts = default["text"] + default["denoising"] + default["decoding"]
    assert 0.5 * default["prompt to features"] < parts <= default["prompt to features"]
    for name in ("VAE", "denoiser"):
        assert 0 < figures[f"training step, {name}"][0]["facts"]["share of peak"] < 1.5
    assert (2, 4.0, None) in measured.asked and (1, 2.0, None) in measured.asked


def test_watched_methods_are_given_back_even_when_they_fail():
    class Thing:
        def work(self, fail):
            if fail:
                raise ValueError

    original = Thing.work
    with pytest.raises(ValueError), latency.watching(work=(Thing, "work")) as watch:
        Thing().work(False)
        Thing().work(True)
    assert Thing.work is original and len(watch.spans["work"]) == 2
    assert watch.span("work") >= watch.total("work") > 0 and watch.span("other") == 0
