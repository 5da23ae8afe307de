"""Long motions with a network that was trained on short ones: overlapping windows whose estimates are blended."""

from collections.abc import Sequence
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
        return blended(estimates, starts, total)


def blended(windows: Sequence[Tensor], starts: Sequence[int], total: int) -> Tensor:
    """Average windows [..., L, D] that begin at ``starts`` where they overlap, to [..., total, D].

    Each counts less towards its borders, so that no seam is seen.
    """
    first, length = windows[0], windows[0].shape[-2]
    places = torch.arange(1.0, length + 1)
    weight = torch.minimum(places, places.flip(0))[:, None].to(first)
    summed, weights = first.new_zeros(*first.shape[:-2], total, first.shape[-1]), first.new_zeros(total, 1)
    for start, window in zip(starts, windows, strict=True):
        summed[..., start : start + length, :] += weight * window
        weights[start : start + length] += weight
    return summed / weights


def window_starts(total: int, length: int, overlap: int) -> list[int]:
    """Spread as few windows as needed evenly over ``total`` places; neighbours share ``overlap`` places or more."""
    if not 0 <= overlap < length:
        raise ValueError(f"an overlap of {overlap} does not fit into windows of {length}")
    if total <= length:
        return [0]
    count = 1 + -(-(total - length) // (length - overlap))
    return [round(place * (total - length) / (count - 1)) for place in range(count)]
