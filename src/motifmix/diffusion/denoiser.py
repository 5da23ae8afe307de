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
from motifmix.diffusion.solvers import ddim_inversion_step, ddim_step

_SAME_TIME = 1e-6


class Denoiser(Protocol):
    """Estimates the clean sample."""

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """``noisy`` and the result [B, L, D]; ``valid`` [B, L]."""
        ...


@dataclass(frozen=True)
class Difference:
    """A guidance term between two branches: ``scale`` x (estimate ``told`` these parts - estimate told ``against``).

    A tensor as scale must broadcast to [B, L, D]: one scale an item is [B, 1, 1]. The term waits until the noise has sunk to
    the time ``start``, a number or one an item alike; 1 is from the first step on.
    """

    scale: float | Tensor
    told: tuple[str, ...]
    against: tuple[str, ...] = ()
    start: float | Tensor = 1.0

    def scale_at(self, level: NoiseLevel) -> float | Tensor:
        """Return the scale at a level: 0 before the start."""
        return self.scale * (self.start >= level.time - _SAME_TIME)

    def waits(self, level: NoiseLevel) -> bool:
        """Return whether it has nothing to say yet, of anybody."""
        return not torch.as_tensor(self.start >= level.time - _SAME_TIME).any()


class Correction(Protocol):
    """A guidance term that changes the estimate itself, for example along the gradient of a loss."""

    def __call__(self, clean: Tensor, noisy: Tensor, level: NoiseLevel) -> Tensor:
        """All tensors [B, L, D]."""
        ...


GuidanceTerm = tuple[str, float | Tensor] | Difference | Correction


@dataclass(frozen=True)
class Guided:
    """Classifier-free guidance with an ordered list of terms (Ho & Salimans 2022; two scales as in StyleMotif).

    With terms ``[("text", w_t), ("style", w_s)]``: u + w_t (c - u) + w_s (f - c), where u knows neither, c the text and
    f both: each pair adds its part to those before it. A :class:`Difference` names its two branches itself, and a
    :class:`Correction` sees what the terms before it gave (SMooDi has one between two differences). A term whose part
    nobody has is left out; a part that no term names is told to every branch. All branches go through the network in
    one batch.
    """

    denoiser: Denoiser
    terms: Sequence[GuidanceTerm]

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return the guided estimate."""
        known = list(self._known(condition))
        names = {name for term in known if isinstance(term, Difference) for name in (*term.told, *term.against)}
        terms = [term for term in known if not (isinstance(term, Difference) and term.waits(level))]
        differences = [term for term in terms if isinstance(term, Difference)]
        branches = dict.fromkeys([frozenset[str]()])
        for term in differences:
            branches |= dict.fromkeys([frozenset(term.against), frozenset(term.told)])
        count = len(branches)
        conditions = [condition.without(names - told) for told in branches]
        if count == 1:
            estimates = [self.denoiser(noisy, level, conditions[0], valid)]
        else:
            estimates = self.denoiser(
                noisy.repeat(count, 1, 1), level, Condition.stacked(conditions), valid.repeat(count, 1)
            ).chunk(count)
        by_parts = dict(zip(branches, estimates, strict=True))
        guided = estimates[0]
        for term in terms:
            if isinstance(term, Difference):
                guided = guided + term.scale_at(level) * (
                    by_parts[frozenset(term.told)] - by_parts[frozenset(term.against)]
                )
            else:
                guided = term(guided, noisy, level)
        return guided

    def _known(self, condition: Condition) -> Iterator[Difference | Correction]:
        """Yield the terms whose parts somebody has, pairs as differences."""
        told: tuple[str, ...] = ()
        for term in self.terms:
            if isinstance(term, tuple):
                if condition.get(term[0]) is not None:
                    yield Difference(term[1], (*told, term[0]), told)
                    told = (*told, term[0])
            elif not isinstance(term, Difference) or all(condition.get(name) is not None for name in term.told):
                yield term


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


def invert_along(
    denoiser: Denoiser, levels: Sequence[NoiseLevel], clean: Tensor, condition: Condition, valid: Tensor
) -> Iterator[Step]:
    """Take ``clean`` [B, L, D] back along ``levels`` (noise first, as for sampling) by DDIM inversion, step by step.

    The network is told the noisier level of each step, as published inversions do it, though its input is cleaner.
    """
    noisy, count = clean, len(levels) - 1
    for number, (level, noisier) in enumerate(pairwise(reversed(levels)), start=1):
        with torch.no_grad():
            estimate = denoiser(noisy, noisier, condition, valid)
            noise = (noisy - noisier.alpha * estimate) / noisier.sigma
            noisy = ddim_inversion_step(noisy, noise, level, noisier)
        yield Step(number, count, noisy, estimate)
