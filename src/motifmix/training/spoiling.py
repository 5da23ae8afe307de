"""How the motions that a style network learns from are spoilt, so that it reads what a denoiser has half made (SMooDi)."""

import torch
from torch import Tensor


def spoilt(
    motion: Tensor, generator: torch.Generator, *, hiding: float, most_hidden: float, noising: float, noise: float
) -> Tensor:
    """Hide frames of ``motion`` [B, T, F] and add noise to it.

    ``hiding``: the share of clips that lose frames, up to ``most_hidden`` of them; ``noising``: the share that gets noise,
    ``noise`` times the span of a clip's values.
    """
    count, frames = motion.shape[:2]
    share = most_hidden * torch.rand(count, 1, generator=generator)
    share = torch.where(torch.rand(count, 1, generator=generator) < hiding, share, 0.0)
    motion = motion * (torch.rand(count, frames, generator=generator) >= share)[..., None]
    span = motion.amax(dim=(1, 2), keepdim=True) - motion.amin(dim=(1, 2), keepdim=True)
    noisy = (torch.rand(count, 1, 1, generator=generator) < noising).float()
    return motion + noisy * noise * span * torch.randn(motion.shape, generator=generator)
