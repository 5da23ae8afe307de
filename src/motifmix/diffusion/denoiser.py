"""The protocol that all denoisers speak, and guidance, which is a denoiser made of a denoiser."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.discrete import DiscreteSchedule
from motifmix.diffusion.schedule import FlowSchedule, NoiseLevel
from motifmix.diffusion.solvers import ddim_step


class Denoiser(Protocol):
    """Estimates the clean sample."""

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """``noisy`` and the result [B, L, D]; ``valid`` [B, L]."""
        ...


@dataclass(frozen=True)
class Guided:
    """Classifier-free guidance with an ordered list of parts (Ho & Salimans 2022; two scales as in StyleMotif).

    With terms ``[("text", w_t), ("style", w_s)]``: u + w_t (c - u) + w_s (f - c), where u knows neither, c the text and
    f both. All branches go through the network in one batch.
    """

    denoiser: Denoiser
    terms: Sequence[tuple[str, float]]

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return the guided estimate."""
        names = [name for name, _ in self.terms if condition.get(name) is not None]
        scales = [scale for name, scale in self.terms if name in names]
        if not names:
            return self.denoiser(noisy, level, condition, valid)
        branches = [condition.without(names[k:]) for k in range(len(names) + 1)]
        count = len(branches)
        estimates = self.denoiser(
            noisy.repeat(count, 1, 1), level, Condition.stacked(branches), valid.repeat(count, 1)
        ).chunk(count)
        guided = estimates[0]
        for scale, lesser, greater in zip(scales, estimates, estimates[1:], strict=False):
            guided = guided + scale * (greater - lesser)
        return guided


@dataclass(frozen=True)
class Clamped:
    """A denoiser whose clean estimate is kept within bounds ("clip_denoised" of published samplers)."""

    denoiser: Denoiser
    least: float = -1.0
    most: float = 1.0

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return the bounded estimate."""
        return self.denoiser(noisy, level, condition, valid).clamp(self.least, self.most)


class Solver(Protocol):
    """One step from a noisy sample and a clean estimate to the next noisy sample, as in ``solvers.py``."""

    def __call__(
        self, noisy: Tensor, clean: Tensor, level: NoiseLevel, following: NoiseLevel, noise: Tensor | None
    ) -> Tensor:
        """All tensors [B, L, D]."""
        ...


@dataclass(frozen=True)
class Step:
    """State after one solver step: ``noisy`` for the next one and the ``clean`` estimate that led to it."""

    number: int
    of: int
    noisy: Tensor
    clean: Tensor


def sample(
    denoiser: Denoiser,
    schedule: FlowSchedule | DiscreteSchedule,
    noise: Tensor,
    condition: Condition,
    valid: Tensor,
    steps: int,
) -> Iterator[Step]:
    """Denoise ``noise`` [B, L, D] in ``steps`` DDIM steps, yielding each; the last ``clean`` is the result."""
    return sample_along(denoiser, schedule.levels(steps), noise, condition, valid)


def sample_along(
    denoiser: Denoiser,
    levels: Sequence[NoiseLevel],
    noisy: Tensor,
    condition: Condition,
    valid: Tensor,
    *,
    solver: Solver = ddim_step,
    fresh_noise: Iterable[Tensor] | None = None,
    prepare: Callable[[Tensor, NoiseLevel], Tensor] | None = None,
) -> Iterator[Step]:
    """Take ``noisy`` [B, L, D] from the first of ``levels`` to the last one, yielding each step.

    ``fresh_noise`` gives one tensor a step to solvers that draw; ``prepare`` may change the state before each call of
    the network (known values put back in place). A start nearer to the clean end is a shorter list of levels.
    """
    drawn = None if fresh_noise is None else iter(fresh_noise)
    count = len(levels) - 1
    for number, (level, following) in enumerate(pairwise(levels), start=1):
        with torch.no_grad():
            if prepare is not None:
                noisy = prepare(noisy, level)
            clean = denoiser(noisy, level, condition, valid)
            noisy = solver(noisy, clean, level, following, None if drawn is None else next(drawn))
        yield Step(number, count, noisy, clean)
