"""Places that agree with how joints move."""

import torch

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.features.interhuman import BLOCKS
from motifmix.mix.agreement import Agreeing, agreed
from motifmix.mix.ingredients import Scaling
from motifmix.mix.mixed import Mixed

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


def test_a_mixture_agrees_whatever_its_weights_do():
    class Says:
        name = "one"

        def __init__(self, people: torch.Tensor) -> None:
            self.people = people

        def estimate(self, state, level, condition, valid):
            return self.people

        def project(self, clean, valid):
            return clean

    here, there, valid = walk(), walk().flip(1), torch.ones(1, 40, dtype=torch.bool)
    by_turns = (torch.arange(40) % 2).float().view(1, 1, 1, 40, 1)
    made = {
        weight: Mixed(Says(here), [Says(there)], None, lambda learned, steps: by_turns, placed=False, agreement=weight)(
            [here, here], NoiseLevel(1.0, 0.0, 0.0), Condition({}), valid
        ).clean[..., POSITIONS]
        for weight in (0.0, 100.0)
    }  # fmt: skip
    jumps = {weight: places.diff(n=2, dim=-2).abs().mean() for weight, places in made.items()}
    assert jumps[100.0] < 0.05 * jumps[0.0]
