"""Compositions in one chain, and their schedules."""

import math

import pytest
import torch

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.diffusion.schedule import FlowSchedule, NoiseLevel
from motifmix.mix.blended import Blended, Dual
from motifmix.mix.ingredients import EachPerson
from motifmix.mix.schedules import Constant, Linear, original_step, published_schedule
from motifmix.models.in2in import In2INIndividual

NOISY, VALID, NOBODY = torch.randn(2, 4, 6), torch.ones(2, 4, dtype=torch.bool), Condition({})
LEVEL = NoiseLevel(0.6, 0.8, 0.5, 400)


def constant(value: float):
    return lambda noisy, level, condition, valid: torch.full_like(noisy, value)


def test_a_blend_is_the_weighted_sum_of_any_number_of_models():
    models = [constant(1.0), constant(2.0), constant(6.0)]
    assert torch.allclose(Blended(models)(NOISY, LEVEL, NOBODY, VALID), torch.tensor(3.0))
    per_frame = torch.linspace(0, 1, 4)[:, None]
    weights = [0.5, per_frame, Linear()]
    mixed = Blended(models, weights)(NOISY, LEVEL, NOBODY, VALID)
    assert torch.allclose(mixed, (0.5 + 2 * per_frame + 0.4 * 6).expand_as(mixed))
    with pytest.raises(ValueError, match="3 denoisers have 1 weights"):
        Blended(models, [1.0])
    with pytest.raises(ValueError, match="nothing to blend"):
        Blended([])


def test_dual_follows_its_schedule():
    dual = Dual(constant(1.0), constant(3.0), Linear())
    assert torch.allclose(dual(NOISY, LEVEL, NOBODY, VALID), torch.tensor(1.8))
    half = Dual(constant(1.0), constant(3.0), Constant(0.5))(NOISY, LEVEL, NOBODY, VALID)
    assert torch.equal(half, Blended([constant(1.0), constant(3.0)])(NOISY, LEVEL, NOBODY, VALID))


def test_schedules_by_their_published_names():
    assert published_schedule("exp")(820) == pytest.approx(math.exp(-0.0085 * 180))
    assert published_schedule("exp-inv", 0.02)(900) == pytest.approx(1 - math.exp(-2))
    assert published_schedule("lin")(250) == 0.25 and published_schedule("const", 0.3)(7) == 0.3
    with pytest.raises(ValueError, match="no schedule 'sin'; known are const, exp, exp-inv, lin"):
        published_schedule("sin")


def test_the_step_is_the_original_one_or_stands_for_the_time():
    level = DiscreteSchedule.of(cosine_betas(1000), "ddim50").levels()[0]
    assert original_step(level) == 980
    assert original_step(FlowSchedule.level(0.25)) == 250


def test_people_alone_are_what_the_network_gives_for_a_pair():
    torch.manual_seed(0)
    network = In2INIndividual(features=3, width=8, feed_forward=8, blocks=2, heads=2, text=5).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    present = torch.tensor([[True, False], [True, True]])
    condition = Condition({"individual_text": Part(torch.randn(2, 2, 5), present)})
    each = EachPerson(network.denoise)(NOISY, LEVEL, condition, VALID)
    told = Condition(
        {"individual_text": Part(condition.parts["individual_text"].value * present[..., None], present.any(1))}
    )
    torch.testing.assert_close(each, network.denoise_pairwise(NOISY, LEVEL, told, VALID))
