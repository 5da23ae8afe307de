"""Everything that guides the default model beside the one knob: reachable, harmless when off, refused when absurd."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity

from motifmix.apps.cli.sampling_options import GRADIENT_COST, GRADIENT_TIMES
from motifmix.diffusion.schedule import FlowSchedule
from motifmix.errors import RequestError
from motifmix.pipelines.sampling import NAMES, Sampling
from motifmix.style.style_pull import StylePull

WALK = "a person walks forward"


def one(model, style="old", **more):
    return model.generate([WALK], [style], 2.0, [0], **{"steps": 2, **more})[0].joints


def test_a_gradient_leads_nearer_to_the_style(model):
    text, style, has_style = model.vectors([WALK] * 4, ["old"] * 4)
    valid = torch.ones(4, 10, dtype=torch.bool)

    def distance(gradient):
        how = Sampling(steps=4, gradient=gradient)
        with torch.no_grad():
            latents = model.sample(text, style, has_style, [10] * 4, [0, 1, 2, 3], 1.0, how)
            read = model.style_of((latents - model.latent_mean) / model.latent_std, valid)
        return float(1 - cosine_similarity(read, style, dim=-1).mean())

    assert distance(0.3) < distance(0.1) < distance(0.0)


def test_a_pull_lowers_the_distance_of_what_is_pulled_and_of_nothing_else():
    torch.manual_seed(0)
    weight = torch.randn(3, 5)
    clean, wanted = torch.randn(3, 7, 3), torch.randn(3, 5)
    valid = torch.arange(7)[None] < torch.tensor([7, 4, 7])[:, None]
    pull = StylePull(
        lambda x: (x * valid[..., None]).sum(dim=1) @ weight, wanted, torch.tensor([0.05, 0.05, 0.0]), valid
    )
    level = FlowSchedule.level(0.5)
    pulled = pull(clean, clean, level)
    before, after = pull.distance(clean), pull.distance(pulled)
    assert after[0] < before[0] and after[1] < before[1]
    assert torch.equal(pulled[2], clean[2]) and torch.equal(pulled[1, 4:], clean[1, 4:])
    assert not pulled.requires_grad


def test_a_pull_ends_where_the_style_is_met():
    clean, valid = torch.randn(1, 4, 3), torch.ones(1, 4, dtype=torch.bool)
    pull = StylePull(lambda x: x.sum(dim=1), clean.sum(dim=1), torch.tensor([2.0]), valid)
    assert torch.allclose(pull(clean, clean, FlowSchedule.level(0.5)), clean, atol=1e-3)


def test_what_is_trained_given_by_name_changes_nothing(model):
    given = {"gamma": 0.6, "block": 1, "shift": 1.5, "text_scale": 2.0, "style_scale": 1.5, "gradient": 0.0}
    assert np.array_equal(one(model), one(model, **given))


@pytest.mark.parametrize(
    "setting",
    [{"gamma": 0.3}, {"block": 2}, {"shift": 3.0}, {"text_scale": 4.0}, {"style_scale": 0.5}, {"gradient": 0.2}],
)
def test_each_setting_counts(model, setting):
    assert np.abs(one(model) - one(model, **setting)).max() > 1e-4


def test_without_a_style_and_at_strength_zero_nothing_pulls(model):
    assert np.array_equal(one(model, None), one(model, None, gradient=1.0, gamma=2.0, style_scale=5.0))
    assert np.array_equal(one(model, strength=0.0), one(model, strength=0.0, gradient=1.0))


def test_a_pull_is_the_same_alone_and_in_company(model):
    together = model.generate([WALK] * 2, ["old", "angry"], [4.0, 2.0], [3, 4], steps=2, gradient=0.2)
    alone = model.generate([WALK], ["angry"], [2.0], [4], steps=2, gradient=0.2)[0]
    assert np.linalg.norm(together[1].joints - alone.joints, axis=-1).max() < 1e-4


def test_a_block_is_moved_for_one_call_only(model):
    plain = one(model)
    one(model, block=2)
    assert np.array_equal(plain, one(model))


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"steps": 0}, "steps goes from 1 to 1000"), ({"shift": 0.0}, "shift goes from 0.1 to 10"),
        ({"text_scale": float("nan")}, "text-scale goes from 0 to 20"), ({"style_scale": -1.0}, "style-scale goes"),
        ({"gamma": "much"}, "'much' is no number"), ({"block": 1.5}, "whole number"), ({"block": 9}, "one of 1 to 2"),
        ({"gradient": 5.0}, "gradient goes from 0 to 2"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_in_a_sentence(model, setting, says):
    with pytest.raises(RequestError, match=says):
        one(model, **setting)


def test_the_price_in_the_help_is_the_measured_one():
    found = json.loads((Path(__file__).parents[2] / "docs" / "guidance.json").read_text())
    measured = [row["times"] for name, row in found["rows"].items() if name.startswith("gradient")]
    assert abs(np.mean(measured) - GRADIENT_TIMES) < 0.2 and f"{GRADIENT_TIMES:g} times" in GRADIENT_COST


def test_all_settings_have_names():
    assert NAMES == ("steps", "shift", "text_scale", "style_scale", "style_start", "gamma", "block", "gradient")
    assert Sampling() == Sampling(gamma=None)
