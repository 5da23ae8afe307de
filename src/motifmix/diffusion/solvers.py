"""Solver steps: pure functions from a noisy sample and a clean estimate to the next noisy sample."""

from typing import TypeVar

from motifmix.diffusion.schedule import NoiseLevel

Array = TypeVar("Array")


def ddim_step(noisy: Array, clean: Array, level: NoiseLevel, following: NoiseLevel) -> Array:
    """Go one deterministic step (Song et al. 2021, eta = 0): keep the implied noise, change its level.

    On the straight path of rectified flow this is Euler's step.
    """
    noise = (noisy - level.alpha * clean) / level.sigma  # type: ignore[operator]
    return following.alpha * clean + following.sigma * noise  # type: ignore[operator]
