"""Positions and velocities of one prediction, brought to agree with each other.

InterHuman's features say where each joint is and how it moves to its next place. A network answers both apart. Where people are
spreads over metres and how they move over centimetres, so after normalisation an error that is small in both is far larger in
the places: people tremble, and tokens of several frames do not meet. The velocities know better how a path goes on, the
positions where it lies. The path that disagrees least with both is found in one linear solve; other features stay.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Denoiser
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.features.interhuman import BLOCKS, InterHumanSpace
from motifmix.mix.ingredients import Scaling

# Of a velocity's squared error against a position's: a place is told from about ten frames before and after.
WEIGHT = 100.0


@dataclass(frozen=True)
class Agreeing:
    """A denoiser whose people, one or several side by side on the last axis, agree with themselves in metres."""

    denoiser: Denoiser
    scaling: Scaling
    weight: float = WEIGHT

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return [B, T, P 262] as the denoiser does."""
        return self.settled(self.denoiser(noisy, level, condition, valid), valid)

    def settled(self, clean: Tensor, valid: Tensor) -> Tensor:
        """Make a normalised prediction [B, T, P 262] agree with itself; ``valid`` [B, T] has its frames at the start."""
        people = clean.unflatten(-1, (-1, InterHumanSpace.dim)).transpose(1, 2)  # [B, P, T, 262]
        places = agreed(self.scaling.restore(people), valid, self.weight)
        block = BLOCKS["joint_positions"]
        people = people.clone()
        people[..., block] = (places - self.scaling.mean[block]) / self.scaling.std[block]
        return people.transpose(1, 2).flatten(2)


def settled(people: Tensor, valid: Tensor, weight: float = WEIGHT) -> Tensor:
    """Return ``people`` [B, P, T, 262] in metres with places that agree with their velocities; see :func:`agreed`."""
    result = people.clone()
    result[..., BLOCKS["joint_positions"]] = agreed(people, valid, weight)
    return result


def agreed(people: Tensor, valid: Tensor, weight: float = WEIGHT) -> Tensor:
    """Return the joints' places [B, P, T, 66] of ``people`` [B, P, T, 262], in metres.

    Those that make sum (place - position)² + weight * sum (next place - place - velocity)² least, over the ``valid`` [B, T]
    frames, which come first; places behind them are the positions.
    """
    positions, velocities = people[..., BLOCKS["joint_positions"]], people[..., BLOCKS["joint_velocities"]]
    lengths = valid.sum(dim=1)
    different = lengths.unique().tolist()
    if different == [positions.shape[2]]:
        return _solved(positions, velocities, weight)
    places = positions.clone()
    for length in different:
        rows = lengths == length
        places[rows, :, :length] = _solved(positions[rows, :, :length], velocities[rows, :, :length], weight)
    return places


def _solved(positions: Tensor, velocities: Tensor, weight: float) -> Tensor:
    """Places of people who are all there in all frames, [B, P, T, 66]."""
    length = positions.shape[2]
    if length < 2:
        return positions
    steps = velocities[:, :, :-1]
    pulled = torch.nn.functional.pad(steps, (0, 0, 1, 0)) - torch.nn.functional.pad(steps, (0, 0, 0, 1))
    return _solver(length, weight).to(positions) @ (positions + weight * pulled)


@lru_cache(maxsize=512)
def _solver(length: int, weight: float) -> Tensor:
    """The inverse of the normal equations, [T, T]."""
    differences = torch.diff(torch.eye(length, dtype=torch.float64), dim=0)
    return torch.linalg.inv(torch.eye(length, dtype=torch.float64) + weight * differences.T @ differences)
