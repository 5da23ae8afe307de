"""Consistency models on a discrete process (Luo et al. 2023, latent consistency models; MotionLCM): times and steps.

A consistency model goes from any noise level to the clean sample in one call. Its answer is a mixture of its input and
of the clean sample that it estimates, so that at time 0 it is the input itself. Works on numpy arrays and tensors alike.
"""

from typing import TypeVar

import numpy as np

from motifmix.diffusion.schedule import NoiseLevel

Array = TypeVar("Array")
SIGMA_DATA, TIME_SCALING = 0.5, 10.0


def solver_timesteps(total: int, count: int) -> list[int]:
    """Return the times between which the teacher's solver goes, ascending: every ``total // count``-th, less one."""
    stride = total // count
    return [(k + 1) * stride - 1 for k in range(count)]


def consistency_timesteps(total: int, count: int, steps: int) -> list[int]:
    """Return ``steps`` of the solver's times, noise first, equally far apart (diffusers from 0.24 on)."""
    descending = solver_timesteps(total, count)[::-1]
    return [descending[int(k)] for k in np.floor(np.linspace(0, count, steps, endpoint=False))]


def boundary_scalings(
    timestep: Array, sigma_data: float = SIGMA_DATA, time_scaling: float = TIME_SCALING
) -> tuple[Array, Array]:
    """Return how much of the input and of the clean estimate a consistency model's answer holds at ``timestep``."""
    scaled = timestep * time_scaling  # type: ignore[operator]
    spread = scaled**2 + sigma_data**2
    return sigma_data**2 / spread, scaled / spread**0.5


def consistency_step(
    noisy: Array,
    clean: Array,
    level: NoiseLevel,
    following: NoiseLevel,
    noise: Array | None = None,
    *,
    sigma_data: float = SIGMA_DATA,
    time_scaling: float = TIME_SCALING,
) -> Array:
    """Answer, and put fresh ``noise`` of the following level on it. Raises ``ValueError`` where that noise is missing."""
    if level.step is None:
        raise ValueError("a consistency step needs the original step of a discrete process")
    skip, out = boundary_scalings(level.step, sigma_data, time_scaling)
    answer = skip * noisy + out * clean  # type: ignore[operator]
    if following.sigma == 0.0:
        return answer
    if noise is None:
        raise ValueError("a consistency step that is not the last one needs noise")
    return following.alpha * answer + following.sigma * noise  # type: ignore[operator]
