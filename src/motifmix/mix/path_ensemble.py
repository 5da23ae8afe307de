"""MultiDiffusion's path ensembling (Bar-Tal et al., ICML 2023): any number of denoisers, each on any windows of a scene.

Its fused step is the least-squares compromise of all paths, that is their weighted mean wherever they overlap. Here the
clean estimates are averaged: DDIM's step is affine in them, so it comes to the same. Two models on one window are
DiffusionBlending of halves; one model on overlapping windows gives clips longer than it was trained on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Denoiser
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.diffusion.windows import window_starts


@dataclass(frozen=True)
class PathEnsemble:
    """All ``denoisers`` on windows of ``length`` frames whose neighbours share ``overlap`` or more, averaged.

    ``weights``: one a denoiser, equal where there are none. All of a window counts alike, as published; windows of one model that
    fade into each other are :class:`~motifmix.diffusion.windows.Windowed`. Raises ``ValueError`` for no denoiser or a wrong number.
    """

    denoisers: Sequence[Denoiser]
    length: int
    overlap: int
    weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not self.denoisers:
            raise ValueError("no path to ensemble: no denoiser")
        if self.weights is not None and len(self.weights) != len(self.denoisers):
            raise ValueError(f"{len(self.denoisers)} denoisers have {len(self.weights)} weights")
        window_starts(self.length + 1, self.length, self.overlap)

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return the averaged estimate, [B, T, D]; a window in which an item has no real frame counts nothing for it."""
        total, length = noisy.shape[1], min(self.length, noisy.shape[1])
        starts = window_starts(total, length, min(self.overlap, length - 1))
        weights = self.weights or [1.0] * len(self.denoisers)
        parts = [(noisy[:, at : at + length], valid[:, at : at + length]) for at in starts]
        states = torch.cat([state for state, _ in parts])
        # A window behind a short item's end has nothing to attend to; its estimate is never read.
        real = torch.cat([mask | ~mask.any(dim=1, keepdim=True) for _, mask in parts])
        told = Condition.stacked([condition] * len(starts))
        summed, counted = torch.zeros_like(noisy), torch.zeros_like(noisy[:, :, :1])
        for denoiser, weight in zip(self.denoisers, weights, strict=True):
            for at, estimate in zip(starts, denoiser(states, level, told, real).chunk(len(starts)), strict=True):
                counts = weight * valid[:, at : at + length, None].to(noisy.dtype)
                summed[:, at : at + length] += counts * estimate
                counted[:, at : at + length] += counts
        return summed / torch.where(counted > 0, counted, torch.ones_like(counted))
