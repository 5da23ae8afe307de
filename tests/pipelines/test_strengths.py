"""A learned strength in the pipeline: read from its part, at work by default, off where a gamma is given."""

import shutil

import numpy as np
import torch

from motifmix.models.style_strength import StyleStrength
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.pretrained.cards import write_weights
from motifmix.training.objectives.strength import StrengthObjective, StrengthOptions

WALK = "a person walks forward"


def with_strength(weights, folder, factor: float) -> TextToMotion:
    shutil.copytree(weights, folder)
    sizes = {"text": 384, "style": 8, "width": 8, "most": 3.0}
    network = StyleStrength(**sizes)  # type: ignore[arg-type]
    torch.nn.init.constant_(network.layers[-1].bias, float(np.log(factor / (3.0 - factor))))
    write_weights(
        folder, "strength", network.state_dict(), exact=True, name="strength", role="generate",
        architecture="style_strength:StyleStrength", sizes=sizes, space="motifmix_269", licence="for tests", credit=[],
        data=[], recipe="none", commit="none",
    )  # fmt: skip
    return TextToMotion(folder)


def one(model, style="old", **more):
    return model.generate([WALK], [style], 2.0, [0], steps=2, **more)[0].joints


def test_a_part_called_strength_scales_gamma_and_a_given_gamma_is_gamma(weights, model, tmp_path):
    half = with_strength(weights, tmp_path / "half", 0.5)
    assert np.abs(one(half) - one(model, gamma=0.3)).max() < 1e-5 < np.abs(one(half) - one(model)).max()
    assert np.abs(one(half, gamma=0.6) - one(model)).max() < 1e-6
    assert np.abs(one(half) - one(model, gamma=0.3)).max() < 1e-5, "a given gamma is for one call"
    assert np.abs(one(half, block=2) - one(model, gamma=0.3, block=2)).max() < 1e-5
    assert np.array_equal(one(half, None), one(model, None))


def test_the_guide_judge_teaches_it_and_nothing_else_moves(model, monkeypatch):
    from motifmix.pretrained.judges import load_judge

    judge = load_judge("guide")
    objective = StrengthObjective.__new__(StrengthObjective)
    objective.options = StrengthOptions(batch=4)
    objective.model, objective.judge = model, judge.model.requires_grad_(False)
    objective.judged = (judge.card.contents, judge.card.styles)
    network = StyleStrength(text=384, style=8, width=8)
    torch.nn.init.normal_(network.layers[-1].weight, std=0.1)
    objective.modules = torch.nn.ModuleDict({"strength": network})
    clean, text = [torch.randn(length, 4) for length in (9, 8, 12, 10)], torch.randn(4, 384)
    drawn = (clean, text, torch.randn(4, 8), ["walk"] * 4, ["elderly", "active", "elderly", "active"])
    monkeypatch.setattr(objective, "_drawn", lambda rng: drawn)
    try:
        loss, figures = objective.loss(torch.Generator().manual_seed(0), np.random.default_rng(0))
        loss.backward()
    finally:
        model.denoiser.strengths = None
    assert np.isfinite(float(loss.detach())) and 0 < figures["factor"] < 3
    assert all(p.grad is not None and bool(p.grad.abs().any()) for p in network.parameters())
    frozen = [*model.denoiser.parameters(), *model.vae.parameters(), *judge.model.parameters()]
    assert all(p.grad is None for p in frozen)
