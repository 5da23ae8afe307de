"""Three people and more from a model of two."""

import pytest
import torch

from motifmix.diffusion.chains import GuidedChains, sample_chains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Difference
from motifmix.diffusion.schedule import CosineSchedule, NoiseLevel
from motifmix.mix.groups import Group, agreed, of_pairs, places
from motifmix.mix.ingredients import PersonModel, Scaling, SceneModel
from motifmix.mix.mixed import Mixed
from motifmix.mix.placement import align, center
from motifmix.mix.schedules import Constant, Exponential
from motifmix.mix.weights import Forced

FRAMES = 5
VALID = torch.ones(1, FRAMES, dtype=torch.bool)
LEVEL = NoiseLevel(0.6, 0.8, 0.5, 400)
SCALING = Scaling(torch.full((262,), 0.1), torch.full((262,), 0.5))
ALL = torch.ones(1, dtype=torch.bool)
TEXTS = ("text", "individual_text")


def told(people: int) -> Condition:
    generator = torch.Generator().manual_seed(people)
    own = torch.randn(1, people, 6, generator=generator)
    return Condition({"text": Part(torch.randn(1, 6), ALL), "individual_text": Part(own, ALL)})


def of_scene(noisy, level, condition, valid):
    own = condition.parts["individual_text"]
    assert noisy.shape[1:] == (FRAMES, 2 * 262) and own.value.shape[1:] == (2, 6)
    return torch.tanh(noisy) + 0.1 * (own.value.mean((-1, -2)) * own.present)[:, None, None]


def of_person(noisy, level, condition, valid):
    assert noisy.shape[1:] == (FRAMES, 262)
    return torch.sin(noisy) + 0.1 * condition.parts["text"].value.mean(-1)[:, None, None]


TOGETHER, ALONE = SceneModel("interaction", of_scene, SCALING), PersonModel("individual", of_person, SCALING)
MIXED = Mixed(TOGETHER, [ALONE], override=Forced(Exponential()))


def noise(people: int) -> torch.Tensor:
    return torch.randn(1, people, FRAMES, 262, generator=torch.Generator().manual_seed(7))


def walked(denoiser, chains, states, condition):
    guided = GuidedChains(denoiser, [Difference(2.0, TEXTS)])
    return list(sample_chains(guided, chains, CosineSchedule().levels(4), states, condition, VALID))[-1]


def test_of_two_people_it_is_the_mixture_that_it_is_made_of():
    condition = told(2)
    group = Group(MIXED, ((0, 1),), 2)
    one = walked(group, group.chains, group.states(noise(2)), condition)
    other = walked(MIXED, MIXED.chains, [noise(2), noise(2)], condition)
    torch.testing.assert_close(one.clean[:, 0], other.clean)
    torch.testing.assert_close(one.traces["mixing_weights"], other.traces["mixing_weights"].expand(-1, -1, 2, -1, -1))


@pytest.mark.parametrize("pairs", [((0, 1), (0, 2)), ((0, 1), (1, 2)), ((0, 1), (0, 2), (1, 2))])
def test_everybody_has_one_motion_and_every_pair_its_places(pairs):
    group, condition = Group(MIXED, pairs, 3), told(3)
    step = walked(group, group.chains, group.states(noise(3)), condition)
    clean = step.clean
    assert clean.shape == (1, len(pairs), 2, FRAMES, 262) and step.traces["mixing_weights"].shape == (1, 1, 3, 1, 1)
    people = agreed(clean, pairs, 3, VALID)
    where = places(people, clean, pairs, VALID)
    assert people.shape == (1, 3, FRAMES, 262) and where.shape == (1, len(pairs), 2, 3)
    torch.testing.assert_close(people[:, :, 0, [0, 2]], torch.zeros(1, 3, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(where[..., :2], clean[..., 0, [0, 2]])
    # Who is in one pair only does there what he does.
    for person, own in enumerate(map(group.roles, range(3))):
        if len(own) == 1:
            ((number, side),) = own
            torch.testing.assert_close(people[:, person], center(clean[:, number, side], VALID))
    # What all agree on is agreed on already.
    placed = align(people[:, torch.tensor(pairs)], clean, VALID[:, None, None])
    torch.testing.assert_close(agreed(placed, pairs, 3, VALID), people, atol=2e-3, rtol=0)


def test_a_model_of_one_person_is_asked_once_for_each_and_the_model_of_two_can_do_alone():
    asked = []

    def counted(noisy, level, condition, valid):
        asked.append(len(noisy))
        return of_person(noisy, level, condition, valid)

    everyone = ((0, 1), (0, 2), (1, 2))
    mixed = Mixed(TOGETHER, [PersonModel("individual", counted, SCALING)], override=Forced(Constant(1.0)))
    group = Group(mixed, everyone, 3)
    group(group.states(noise(3)), LEVEL, told(3), VALID)
    assert asked == [3]
    alone = Group(TOGETHER, everyone, 3)
    step = walked(alone, alone.chains, alone.states(noise(3)), told(3))
    assert torch.isfinite(step.clean).all() and not step.traces
    # With the individual model alone, all pairs say the same about a person.
    estimate = group(group.states(noise(3)), LEVEL, told(3), VALID)
    by_pair = [center(estimate.clean[:, number, side], VALID) for number, side in group.roles(0)]
    torch.testing.assert_close(by_pair[0], by_pair[1], atol=1e-4, rtol=1e-4)


def test_pairs_are_told_of_their_two():
    own = torch.arange(3.0).view(1, 3, 1)
    parts = {
        "text": Part(torch.ones(1, 1), ALL),
        "mixer.individual_text": Part(own, torch.tensor([[True, True, False]])),
    }
    paired = of_pairs(Condition(parts), ((0, 1), (2, 0)))
    assert paired.parts["mixer.individual_text"].value.flatten().tolist() == [0, 1, 2, 0]
    assert paired.parts["mixer.individual_text"].present.tolist() == [[True, True], [False, True]]
    assert paired.parts["text"].value.shape == (2, 1)


@pytest.mark.parametrize("pairs", [((0, 0), (0, 1), (0, 2)), ((0, 1), (0, 3), (1, 2)), ((0, 1),), ()])
def test_a_group_that_cannot_be_is_refused(pairs):
    with pytest.raises(ValueError, match="3 people"):
        Group(MIXED, pairs, 3)
