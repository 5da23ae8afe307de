"""Inversion that the deterministic sampler undoes: each step is solved for, not guessed."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Denoiser, Step
from motifmix.diffusion.schedule import NoiseLevel


def invert_by_fixed_point(
    denoiser: Denoiser,
    levels: Sequence[NoiseLevel],
    clean: Tensor,
    condition: Condition,
    valid: Tensor,
    *,
    iterations: int = 5,
) -> Iterator[Step]:
    """Take ``clean`` [B, L, D] back along the straight path of rectified flow so that Euler's steps return to it.

    ``levels`` as for sampling, noise first. A step from x_s to the noisier x_t solves x_t = x_s + (t - s) v(x_t, t) by
    ``iterations`` rounds from x_t = x_s (as ReNoise, Garibi et al. 2024, does for images); ``invert_along`` in
    ``denoiser.py`` is its first round. Raises ``ValueError`` for levels off the straight path (alpha + sigma = 1).
    """
    if any(abs(level.alpha + level.sigma - 1.0) > 1e-6 for level in levels):
        raise ValueError("this inversion follows rectified flow only; take invert_along")
    reached, count = clean, len(levels) - 1
    for number, (level, noisier) in enumerate(pairwise(reversed(levels)), start=1):
        with torch.no_grad():
            noisy = estimate = reached
            for _ in range(iterations):
                estimate = denoiser(noisy, noisier, condition, valid)
                noisy = reached + (noisier.sigma - level.sigma) * (noisy - estimate) / noisier.sigma
            reached = noisy
        yield Step(number, count, reached, estimate)
