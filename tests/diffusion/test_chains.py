"""Several chains led by one clean motion."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from motifmix.diffusion.chains import Estimate, GuidedChains, sample_chains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Difference, Guided, sample
from motifmix.diffusion.schedule import CosineSchedule


@dataclass(frozen=True)
class Scaled:
    """A chain whose space has other units."""

    name: str
    factor: float = 1.0

    def project(self, clean: Tensor, valid: Tensor) -> Tensor:
        return clean * self.factor if self.factor != 1.0 else clean


def network(noisy, level, condition, valid):
    told = condition.parts["text"]
    return torch.tanh(noisy + told.value[:, None] * told.present[:, None, None]) * (1 - 0.3 * level.time)


def of_first(states, level, condition, valid) -> Estimate:
    return Estimate(network(states[0], level, condition, valid), {"mean": states[0].mean((1, 2))})


CONDITION = Condition({"text": Part(torch.randn(2, 3), torch.ones(2, dtype=torch.bool))})
NOISE, VALID = torch.randn(2, 5, 3), torch.ones(2, 5, dtype=torch.bool)


def test_one_chain_that_projects_nothing_is_the_plain_loop_bit_for_bit():
    schedule = CosineSchedule()
    plain = list(sample(Guided(network, [("text", 2.5)]), schedule, NOISE, CONDITION, VALID, 6))
    guided = GuidedChains(of_first, [Difference(2.5, ("text",))])
    chained = list(sample_chains(guided, [Scaled("only")], schedule.levels(6), [NOISE], CONDITION, VALID))
    assert torch.equal(chained[-1].clean, plain[-1].clean)
    for ours, theirs in zip(chained[:-1], plain[:-1], strict=True):
        assert (ours.number, ours.of) == (theirs.number, theirs.of)
        assert torch.equal(ours.states[0], theirs.noisy)


def test_each_chain_keeps_its_own_noise_and_units():
    chains = [Scaled("metres"), Scaled("centimetres", 100.0)]
    steps = list(sample_chains(of_first, chains, CosineSchedule().levels(4), [NOISE, 100 * NOISE], CONDITION, VALID))
    for step in steps[:-1]:
        torch.testing.assert_close(step.states[1], 100 * step.states[0])
        torch.testing.assert_close(step.projected[1], 100 * step.clean)
    assert all(torch.equal(state, steps[-1].clean) for state in steps[-1].states)


def test_traces_are_those_of_the_branch_that_knows_most():
    guided = GuidedChains(of_first, [Difference(2.0, ("text",))])
    level = CosineSchedule.level(0.5)
    branches = guided.branches([NOISE], level, CONDITION, VALID)
    assert list(branches) == [frozenset(), frozenset({"text"})]
    estimate = guided([NOISE], level, CONDITION, VALID)
    told, untold = branches[frozenset({"text"})].clean, branches[frozenset()].clean
    torch.testing.assert_close(estimate.clean, untold + 2.0 * (told - untold))
    assert estimate.traces["mean"].shape == (2,)


def test_a_missing_state_is_said():
    with pytest.raises(ValueError, match=r"2 chains \(a, b\) have 1 states"):
        next(sample_chains(of_first, [Scaled("a"), Scaled("b")], CosineSchedule().levels(2), [NOISE], CONDITION, VALID))
