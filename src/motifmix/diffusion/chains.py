"""Several noisy states side by side, each in a space of its own, led by one clean motion.

Models that live in different spaces (other statistics, representations, frame rates) are mixed so: a denoiser sees all
states and returns one clean motion; each chain projects that into its own space, and the solver advances each by its
own implied noise. Noise is never converted between spaces, clean motions are. This is MixerMDM's sampler
(Ruiz-Ponce et al., CVPR 2025); with one chain that projects nothing it is ``denoiser.sample_along``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Difference, Solver
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.diffusion.solvers import ddim_step


@dataclass(frozen=True)
class Estimate:
    """A ``clean`` motion in the shared space, and ``traces`` that people read (mixing weights), by name."""

    clean: Tensor
    traces: Mapping[str, Tensor] = field(default_factory=dict)


class ChainDenoiser(Protocol):
    """Estimates one clean motion from the states of all chains."""

    def __call__(self, states: Sequence[Tensor], level: NoiseLevel, condition: Condition, valid: Tensor) -> Estimate:
        """``states``: one tensor [B, ...] a chain; ``valid`` [B, T] of the shared clock."""
        ...


class Chain(Protocol):
    """What a chain must know: how the shared clean motion looks in its own space."""

    @property
    def name(self) -> str:
        """How traces and errors call it."""
        ...

    def project(self, clean: Tensor, valid: Tensor) -> Tensor:
        """Return the clean motion [B, ...] in this chain's space, shaped like its state."""
        ...


@dataclass(frozen=True)
class GuidedChains:
    """Classifier-free guidance of the shared clean motion, as ``denoiser.Guided`` is for one state.

    u + scale (told - against) for each term, where u knows no part that a term names. All branches go through in one
    batch. Traces are those of the branch that the last term tells most.
    """

    denoiser: ChainDenoiser
    terms: Sequence[Difference]

    def branches(
        self, states: Sequence[Tensor], level: NoiseLevel, condition: Condition, valid: Tensor
    ) -> dict[frozenset[str], Estimate]:
        """Return the estimate for each set of parts that somebody is told, the empty set first."""
        names = {name for term in self.terms for name in (*term.told, *term.against)}
        told = dict.fromkeys([frozenset[str]()])
        for term in self.terms:
            told |= dict.fromkeys([frozenset(term.against), frozenset(term.told)])
        count = len(told)
        together = self.denoiser(
            [state.repeat(count, *[1] * (state.ndim - 1)) for state in states],
            level,
            Condition.stacked([condition.without(names - parts) for parts in told]),
            valid.repeat(count, 1),
        )
        cleans = together.clean.chunk(count)
        traces = {name: trace.chunk(count) for name, trace in together.traces.items()}
        return {
            parts: Estimate(cleans[k], {name: trace[k] for name, trace in traces.items()})
            for k, parts in enumerate(told)
        }

    def __call__(self, states: Sequence[Tensor], level: NoiseLevel, condition: Condition, valid: Tensor) -> Estimate:
        """Return the guided estimate."""
        branches = self.branches(states, level, condition, valid)
        guided, traces = branches[frozenset()].clean, branches[frozenset()].traces
        for term in self.terms:
            most = branches[frozenset(term.told)]
            guided = guided + term.scale_at(level) * (most.clean - branches[frozenset(term.against)].clean)
            traces = most.traces
        return Estimate(guided, traces)


@dataclass(frozen=True)
class ChainStep:
    """What one solver step leaves: the ``states`` of the chains, and the ``clean`` motion that led them there.

    ``projected``: that motion in each chain's own space. Where no noise is left nothing is projected any more: every chain
    ends in the clean motion itself.
    """

    number: int
    of: int
    states: tuple[Tensor, ...]
    clean: Tensor
    projected: tuple[Tensor, ...]
    traces: Mapping[str, Tensor]


def sample_chains(
    denoiser: ChainDenoiser,
    chains: Sequence[Chain],
    levels: Sequence[NoiseLevel],
    states: Sequence[Tensor],
    condition: Condition,
    valid: Tensor,
    *,
    solver: Solver = ddim_step,
    fresh_noise: Iterable[Sequence[Tensor]] | None = None,
) -> Iterator[ChainStep]:
    """Take one state a chain from the first of ``levels`` to the last one, yielding each step.

    The last ``clean`` is the result. ``fresh_noise`` gives one tensor a chain and step to solvers that draw. Raises
    ``ValueError`` for another number of states than chains.
    """
    if len(states) != len(chains):
        raise ValueError(f"{len(chains)} chains ({', '.join(c.name for c in chains)}) have {len(states)} states")
    drawn = None if fresh_noise is None else iter(fresh_noise)
    states, count = tuple(states), len(levels) - 1
    for number, (level, following) in enumerate(pairwise(levels), start=1):
        with torch.no_grad():
            estimate = denoiser(states, level, condition, valid)
            if following.sigma == 0.0:
                states = projected = tuple(estimate.clean for _ in chains)
            else:
                projected = tuple(chain.project(estimate.clean, valid) for chain in chains)
                noises = [None] * len(chains) if drawn is None else next(drawn)
                states = tuple(
                    solver(state, own, level, following, noise)
                    for state, own, noise in zip(states, projected, noises, strict=True)
                )
        yield ChainStep(number, count, states, estimate.clean, projected, estimate.traces)
