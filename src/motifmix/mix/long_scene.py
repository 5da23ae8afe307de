"""Scenes that are longer than any that a model saw: overlapping windows, each a scene of its own, laid end to end.

A model of pairs begins with the first person at the origin, so that windows of one long scene cannot be told apart by where
they are: estimates in the world's coordinates (``path_ensemble.py``) call everybody back to the beginning every few seconds.
Here every window has chains of its own (``diffusion/chains.py``) and begins at the origin; what the models say of it is put
where the window before has the frames that both share, and where they overlap they fade into each other. That one scene leads
the next step of all windows. It is MultiDiffusion's compromise (Bar-Tal et al., ICML 2023) up to where windows lie, and takes
a Mixer as it comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor

from motifmix.diffusion.chains import ChainDenoiser, Estimate
from motifmix.diffusion.condition import Condition
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.diffusion.windows import blended, window_starts
from motifmix.mix.agreement import settled
from motifmix.mix.ingredients import Ingredient
from motifmix.mix.placement import center_scene, laid, orthonormal


@dataclass(frozen=True)
class OneModel:
    """A mixture of one: a ``ChainDenoiser`` with a single chain."""

    model: Ingredient

    @property
    def chains(self) -> tuple[Ingredient, ...]:
        """The model."""
        return (self.model,)

    def __call__(self, states: Sequence[Tensor], level: NoiseLevel, condition: Condition, valid: Tensor) -> Estimate:
        """Estimate the clean motion [B, P, T, 262]."""
        return Estimate(orthonormal(self.model.estimate(states[0], level, condition, valid)))


@dataclass(frozen=True)
class LongScene:
    """A ``ChainDenoiser`` of scenes of ``frames``, made of a (guided) one of windows of ``length``, and of its ``models``.

    Neighbours share ``overlap`` frames or more. Scenes have no padding: ``valid`` counts for nothing. Raises
    ``ValueError`` for an overlap that does not fit.
    """

    windows: ChainDenoiser
    models: Sequence[Ingredient]
    frames: int
    length: int
    overlap: int

    def __post_init__(self) -> None:
        window_starts(self.frames, self.length, self.overlap)

    @cached_property
    def starts(self) -> list[int]:
        """The first frame of every window."""
        return window_starts(self.frames, self.length, self.overlap)

    @property
    def chains(self) -> tuple["WindowChain", ...]:
        """A chain a model, whose state has all windows."""
        return tuple(WindowChain(model, self) for model in self.models)

    def states(self, noise: Tensor) -> list[Tensor]:
        """Noise [B, P, T, F] as the states of all chains, [W B, P, L, F] each: first windows first."""
        return [model.start(self.cut(noise)) for model in self.models]

    def __call__(self, states: Sequence[Tensor], level: NoiseLevel, condition: Condition, valid: Tensor) -> Estimate:
        """Estimate the clean scene [B, P, T, 262]. Traces [..., L or 1, parts] of windows fade into each other as it does."""
        told = Condition.stacked([condition] * len(self.starts))
        made = self.windows(states, level, told, self.real(len(states[0]), valid))
        traces = {
            name: self._faded(trace.expand(*trace.shape[:-2], self.length, -1)) for name, trace in made.traces.items()
        }
        return Estimate(self.joined(made.clean), traces)

    def cut(self, scene: Tensor) -> Tensor:
        """Return the windows of scenes [B, P, T, F], [W B, P, L, F]."""
        return torch.cat([scene[..., at : at + self.length, :] for at in self.starts])

    def real(self, count: int, like: Tensor) -> Tensor:
        """Return which frames of so many windows are real: all of them."""
        return torch.ones(count, self.length, dtype=torch.bool, device=like.device)

    def joined(self, windows: Tensor) -> Tensor:
        """Lay windows [W B, P, L, 262] end to end: scenes [B, P, T, 262] that begin where their first windows do."""
        first, *others = windows.chunk(len(self.starts))
        put = [first]
        for (before, at), other in zip(pairwise(self.starts), others, strict=True):
            put.append(laid(other, put[-1][..., at - before :, :], self.length - (at - before)))
        scene = orthonormal(self._faded(torch.cat(put)))
        return settled(scene, torch.ones(len(scene), self.frames, dtype=torch.bool, device=scene.device))

    def _faded(self, windows: Tensor) -> Tensor:
        """Average windows [W B, ..., L, F] where they overlap."""
        return blended(windows.chunk(len(self.starts)), self.starts, self.frames)


@dataclass(frozen=True)
class WindowChain:
    """One ``model``'s chain of all windows of a ``scene``."""

    model: Ingredient
    scene: LongScene

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.name

    def project(self, clean: Tensor, valid: Tensor) -> Tensor:
        """Every window of the clean scene [B, P, T, 262] as the model sees it, [W B, P, L, ...]."""
        windows = center_scene(self.scene.cut(clean))
        return self.model.project(windows, self.scene.real(len(windows), clean))
