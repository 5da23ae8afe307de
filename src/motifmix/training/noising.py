"""What the objectives on latents share: a batch with noise of many levels in it, and a mean over what is real."""

from dataclasses import dataclass

import torch
from torch import Tensor

from motifmix.diffusion.predictions import PredictionType, noised, target
from motifmix.diffusion.schedule import FlowSchedule


@dataclass(frozen=True)
class NoisyBatch:
    """``clean``, ``noise`` and ``noisy`` [B, L, D] (zero where padded), ``time`` [B], levels [B, 1, 1], ``valid`` [B, L]."""

    clean: Tensor
    noise: Tensor
    noisy: Tensor
    time: Tensor
    alpha: Tensor
    sigma: Tensor
    valid: Tensor

    @classmethod
    def drawn(cls, clean: Tensor, valid: Tensor, schedule: FlowSchedule, generator: torch.Generator) -> "NoisyBatch":
        """Draw a time and noise for each item."""
        time = torch.rand(len(clean), generator=generator)
        levels = [schedule.level(float(t)) for t in time]
        alpha = torch.tensor([level.alpha for level in levels])[:, None, None]
        sigma = torch.tensor([level.sigma for level in levels])[:, None, None]
        noise = torch.randn(clean.shape, generator=generator)
        noisy = noised(clean, noise, alpha, sigma) * valid[..., None]
        return cls(clean, noise, noisy, time, alpha, sigma, valid)

    def squared_error(self, predicted: Tensor, kind: PredictionType) -> Tensor:
        """Return how far a network of this kind is from what it should predict, [B, L, D]."""
        return (predicted.float() - target(self.clean, self.noise, self.alpha, self.sigma, kind)) ** 2


def mean_over(error: Tensor, counted: Tensor) -> Tensor:
    """Return the mean of ``error`` [B, L, D] over the tokens that count, [B, L]; 0 where none does."""
    weight = counted[..., None].to(error.dtype)
    return (error * weight).sum() / (weight.sum() * error.shape[-1]).clamp(min=1.0)
