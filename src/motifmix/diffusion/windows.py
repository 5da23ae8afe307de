"""Long motions with a network that was trained on short ones: overlapping windows whose estimates are blended."""

from dataclasses import dataclass

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Denoiser
from motifmix.diffusion.schedule import NoiseLevel


@dataclass(frozen=True)
class Windowed:
    """A denoiser for any length: windows of ``length``, at least ``overlap`` shared by neighbours, go in one batch.

    Clean estimates are averaged with weights that fall to the borders of a window, at every step, so that the windows
    agree while the sample is still noise and no seam is left to mend. Samples that fit into one window pass untouched.
    """

    denoiser: Denoiser
    length: int
    overlap: int

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return the blended estimate, [B, L, D]."""
        total = noisy.shape[1]
        if total <= self.length:
            return self.denoiser(noisy, level, condition, valid)
        starts = window_starts(total, self.length, self.overlap)
        estimates = self.denoiser(
            torch.cat([noisy[:, start : start + self.length] for start in starts]),
            level,
            Condition.stacked([condition] * len(starts)),
            torch.cat([valid[:, start : start + self.length] for start in starts]),
        ).chunk(len(starts))
        weight = falling(self.length).to(noisy)
        blended, weights = torch.zeros_like(noisy), torch.zeros_like(noisy[:1, :, :1])
        for start, estimate in zip(starts, estimates, strict=True):
            blended[:, start : start + self.length] += weight * estimate
            weights[:, start : start + self.length] += weight
        return blended / weights


def falling(length: int) -> Tensor:
    """Return how much each place of a window counts, [length, 1]: less towards its borders, so that no seam is seen."""
    places = torch.arange(1.0, length + 1)
    return torch.minimum(places, places.flip(0))[:, None]


def window_starts(total: int, length: int, overlap: int) -> list[int]:
    """Spread as few windows as needed evenly over ``total`` places; neighbours share ``overlap`` places or more."""
    if not 0 <= overlap < length:
        raise ValueError(f"an overlap of {overlap} does not fit into windows of {length}")
    if total <= length:
        return [0]
    count = 1 + -(-(total - length) // (length - overlap))
    return [round(place * (total - length) / (count - 1)) for place in range(count)]
