"""Discrete diffusion times as vectors: sinusoids, then a small net (the form that diffusers gave to many models)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


def timestep_waves(
    timesteps: Tensor, dim: int, *, cosine_first: bool = True, frequency_shift: float = 0.0, longest: float = 10_000.0
) -> Tensor:
    """``timesteps`` [B] to sinusoids [B, dim] of geometrically falling frequencies, 1 down to about 1 / ``longest``.

    The last number of an odd ``dim`` is 0.
    """
    half = dim // 2
    steps = torch.arange(half, dtype=torch.float32, device=timesteps.device)
    angles = timesteps[:, None].float() * torch.exp(-math.log(longest) * steps / (half - frequency_shift))
    parts = (angles.cos(), angles.sin()) if cosine_first else (angles.sin(), angles.cos())
    waves = torch.cat(parts, dim=-1)
    return functional.pad(waves, (0, 1)) if dim % 2 else waves


class TimestepNet(nn.Module):
    """Linear, SiLU, linear."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.expand = nn.Linear(dim, width)
        self.project = nn.Linear(width, width)

    def forward(self, waves: Tensor) -> Tensor:
        """``waves`` [B, dim] to [B, width]."""
        return self.project(functional.silu(self.expand(waves)))
