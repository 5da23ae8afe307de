"""Several drafts on their way from noise to motion, some of which may be left behind between two steps.

Whatever makes them, one chain or several, pairs or windows of a long scene, their states are taken along the noise levels a few
at a time, and what is left of them goes on from there as if the others had never been.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from motifmix.diffusion.chains import Chain, ChainDenoiser, sample_chains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Denoiser, sample_along
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.mix.ingredients import Scaling
from motifmix.models.intergen import PEOPLE


@dataclass(frozen=True)
class Walked:
    """What one step leaves: the ``states`` of all chains, the ``clean`` drafts [D, ...], and the mixing ``weights`` [D, ...], if any."""

    states: tuple[Tensor, ...]
    clean: Tensor
    weights: Tensor | None = None


Along = Callable[[tuple[Tensor, ...], Condition, Tensor, Sequence[NoiseLevel]], Iterator[Walked]]


@dataclass(frozen=True)
class Walk:
    """``drafts`` on their way: ``states``, one a chain, what they are told, which frames are ``valid`` [D, T], and who takes them
    ``along`` some noise levels.

    A state is [D, ...], or [W D, ...] where a draft has W parts: all drafts' first parts stand first. ``every``: drafts may be left
    behind after each so many steps, as what a Mixer said of all of them holds in between (``mix/sparing.py``).
    """

    along: Along
    states: tuple[Tensor, ...]
    condition: Condition
    valid: Tensor
    every: int = 1

    @property
    def drafts(self) -> int:
        """How many there are."""
        return len(self.valid)

    def taken(self, levels: Sequence[NoiseLevel]) -> Iterator[Walked]:
        """Take all of them along ``levels``, yielding each step."""
        return self.along(self.states, self.condition, self.valid, levels)

    def only(self, numbers: Sequence[int]) -> "Walk":
        """The same with some of the drafts."""
        chosen = torch.tensor(list(numbers))
        states = tuple(state.unflatten(0, (-1, self.drafts))[:, chosen].flatten(0, 1) for state in self.states)
        parts = self.condition.parts.items()
        told = Condition({name: Part(own.value[chosen], own.present[chosen]) for name, own in parts})
        return replace(self, states=states, condition=told, valid=self.valid[chosen])


def chains_along(
    denoiser: ChainDenoiser, chains: Sequence[Chain], states: tuple[Tensor, ...], condition: Condition, valid: Tensor,
    levels: Sequence[NoiseLevel],
) -> Iterator[Walked]:  # fmt: skip
    """Take the states of ``chains`` along ``levels``."""
    for step in sample_chains(denoiser, chains, levels, states, condition, valid):
        yield Walked(step.states, step.clean, step.traces.get("mixing_weights"))


def pair_along(
    denoiser: Denoiser, scaling: Scaling, states: tuple[Tensor, ...], condition: Condition, valid: Tensor,
    levels: Sequence[NoiseLevel],
) -> Iterator[Walked]:  # fmt: skip
    """Take two people in one state, side by side on the last axis [D, T, P F] and normalised by ``scaling``, along ``levels``."""
    for step in sample_along(denoiser, levels, states[0], condition, valid):
        yield Walked((step.noisy,), scaling.restore(step.clean.unflatten(-1, (PEOPLE, -1)).transpose(1, 2)))
