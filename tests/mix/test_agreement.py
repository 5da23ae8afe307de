"""Places that agree with how joints move."""

import torch

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.features.interhuman import BLOCKS
from motifmix.mix.agreement import Agreeing, agreed
from motifmix.mix.ingredients import Scaling

POSITIONS, VELOCITIES = BLOCKS["joint_positions"], BLOCKS["joint_velocities"]


def walk(frames: int = 40) -> torch.Tensor:
    """Two people whose joints go along smooth paths, [1, 2, T, 262], velocities to the next place."""
    time = torch.linspace(0, 2, frames)[:, None]
    people = torch.zeros(1, 2, frames, 262)
    people[..., POSITIONS] = torch.sin(time + torch.arange(66.0) / 10) + torch.arange(2.0)[:, None, None]
    people[..., :-1, VELOCITIES] = people[..., POSITIONS].diff(dim=-2)
    return people


def test_what_agrees_stays_and_trembling_places_follow_the_velocities():
    people, valid = walk(), torch.ones(1, 40, dtype=torch.bool)
    torch.testing.assert_close(agreed(people, valid), people[..., POSITIONS], atol=1e-5, rtol=0)
    trembling = people.clone()
    trembling[..., POSITIONS] += 0.1 * torch.randn(
        people[..., POSITIONS].shape, generator=torch.Generator().manual_seed(1)
    )
    places = agreed(trembling, valid)
    assert (places - people[..., POSITIONS]).std() < 0.05
    assert (places.diff(n=2, dim=-2) - people[..., POSITIONS].diff(n=2, dim=-2)).std() < 0.002


def test_padding_neither_changes_nor_is_changed():
    people, valid = walk(), torch.ones(1, 40, dtype=torch.bool)
    valid[:, 25:] = False
    spoilt = people.clone()
    spoilt[:, :, 25:] = 7.0
    places = agreed(spoilt, valid)
    assert torch.equal(places[:, :, 25:], spoilt[:, :, 25:, POSITIONS])
    torch.testing.assert_close(places[:, :, :25], agreed(people[:, :, :25], valid[:, :25]))


def test_a_denoiser_of_pairs_agrees_in_metres_and_keeps_all_else():
    scaling = Scaling(torch.linspace(-1, 1, 262), torch.linspace(0.5, 2, 262))
    people, valid = walk(), torch.ones(1, 40, dtype=torch.bool)
    people[..., POSITIONS] += 0.1 * torch.randn(
        people[..., POSITIONS].shape, generator=torch.Generator().manual_seed(2)
    )
    noisy = scaling.normalise(people).transpose(1, 2).flatten(2)
    denoiser = Agreeing(lambda noisy, level, condition, valid: noisy, scaling)
    made = denoiser(noisy, NoiseLevel(1.0, 0.0, 0.0), Condition({}), valid).unflatten(-1, (2, 262)).transpose(1, 2)
    restored = scaling.restore(made)
    torch.testing.assert_close(restored[..., POSITIONS], agreed(people, valid), atol=1e-5, rtol=1e-5)
    assert torch.equal(made[..., 66:], scaling.normalise(people)[..., 66:])
