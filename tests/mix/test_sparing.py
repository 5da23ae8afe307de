"""A Mixer asked less often, and models that are not asked where they count for nothing."""

import pytest
import torch
from torch import Tensor

from motifmix.diffusion.chains import GuidedChains, sample_chains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Difference
from motifmix.diffusion.schedule import CosineSchedule, NoiseLevel
from motifmix.mix.ingredients import PersonModel, Scaling, SceneModel
from motifmix.mix.mixed import Mixed
from motifmix.mix.schedules import Linear
from motifmix.mix.sparing import EVERYTHING, Sparing
from motifmix.mix.weights import Forced

FRAMES, PEOPLE = 5, 2
VALID, ALL = torch.ones(1, FRAMES, dtype=torch.bool), torch.ones(1, dtype=torch.bool)
CONDITION = Condition({"text": Part(torch.ones(1, 6), ALL), "individual_text": Part(torch.ones(1, PEOPLE, 6), ALL)})
SCALING = Scaling(torch.full((262,), 0.1), torch.full((262,), 2.0))
TERMS = [Difference(2.0, ("text", "individual_text"))]


def of_scene(noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
    return torch.tanh(noisy) + 0.1 * condition.parts["text"].present[:, None, None]


class OfPerson:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        self.asked += 1
        return torch.sin(noisy)


class Weigher:
    """Says what depends on all that it is given, and notes it."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, int, bool]] = []

    def __call__(
        self, others: Tensor, anchor: Tensor, timesteps: Tensor, condition: Condition, valid: Tensor
    ) -> Tensor:
        told = condition.parts["text"].present
        self.asked.append((float(timesteps[0]), len(anchor), bool(told.all())))
        difference = (others - anchor[:, None])[..., :23]
        return difference + told.float()[:, None, None, None, None] - timesteps[:, None, None, None, None] / 1000


def made(sparing, weigh=None, override=None, clips=1, steps=5):
    """Return the last clean motion, the weights of every step, and how often the model of one person was asked."""
    alone = OfPerson()
    mixed = Mixed(
        SceneModel("interaction", of_scene, SCALING), [PersonModel("individual", alone, SCALING)],
        sparing.applied(weigh, 2), override, negligible=sparing.negligible,
    )  # fmt: skip
    clean, weights = torch.zeros(()), []
    for clip in range(clips):
        noise = torch.randn(1, PEOPLE, FRAMES, 262, generator=torch.Generator().manual_seed(clip))
        levels = CosineSchedule().levels(steps)
        for step in sample_chains(GuidedChains(mixed, TERMS), mixed.chains, levels, [noise, noise], CONDITION, VALID):
            clean, weights = step.clean, [*weights, step.traces["mixing_weights"]]
    return clean, weights, alone.asked


def test_weights_hold_until_the_mixer_is_asked_again():
    everything, weigh = Weigher(), Weigher()
    whole, every, _ = made(EVERYTHING, everything, clips=2)
    _, weights, _ = made(Sparing(every=2), weigh, clips=2)
    assert len(everything.asked) == 10 and [batch for _, batch, _ in everything.asked] == [2] * 10
    assert [step for step, *_ in weigh.asked] == [step for step, *_ in everything.asked][::2][:3] + [
        step for step, *_ in everything.asked
    ][5::2]
    assert torch.equal(weights[0], every[0]) and torch.equal(weights[1], weights[0])
    assert not torch.equal(weights[2], weights[1]) and not torch.equal(weights[5], weights[4])
    assert torch.equal(made(Sparing(), Weigher(), clips=2)[0], whole)


def test_the_branch_that_is_told_most_weighs_for_all():
    everything, one = Weigher(), Weigher()
    _, every, _ = made(EVERYTHING, everything, steps=1)
    _, weights, _ = made(Sparing(one_branch=True), one, steps=1)
    assert one.asked == [(everything.asked[0][0], 1, True)]
    torch.testing.assert_close(weights[0], every[0])  # traces are those of that branch
    with pytest.raises(ValueError, match="not 2 branches"):
        Sparing(one_branch=True).applied(Weigher(), 2)(  # type: ignore[misc]
            torch.zeros(3, 1, 2, 5, 262), torch.zeros(3, 2, 5, 262), torch.zeros(3), CONDITION, VALID
        )
    with pytest.raises(ValueError, match="asked at every step"):
        Sparing(every=0)


def test_a_model_that_counts_for_nothing_is_not_asked():
    whole, _, asked = made(EVERYTHING, override=Forced(Linear()))
    spared, _, rest = made(Sparing(negligible=0.3), override=Forced(Linear()))
    assert asked == 5 and 0 < rest < 5
    assert (whole - spared).abs().max() > 0
    barely, _, all_of_them = made(Sparing(negligible=1e-6), override=Forced(Linear()))
    assert all_of_them == 5 and torch.equal(whole, barely)


class NeverHim(Weigher):
    def __call__(self, others: Tensor, *rest) -> Tensor:
        return super().__call__(others, *rest) - 40.0


def test_held_weights_spare_a_model_as_well():
    spared, _, asked = made(Sparing(every=5, negligible=1e-3), NeverHim())
    whole, _, every = made(Sparing(every=5), NeverHim())
    assert asked == 1 and every == 5
    torch.testing.assert_close(spared, whole)
