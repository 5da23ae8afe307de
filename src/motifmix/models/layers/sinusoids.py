"""Fixed sinusoidal vectors of positions and diffusion steps (Vaswani et al. 2017), sines on even channels."""

import math
from functools import lru_cache

import torch
from torch import Tensor


def sinusoids(positions: Tensor, width: int) -> Tensor:
    """Return ``[..., width]`` for ``positions`` [...]: channel 2i is sin(p f_i), 2i + 1 is cos(p f_i), with frequencies
    f_i = 10000^(-2i / width).

    Computed in float32, as the tables were that published networks were trained with. Raises ``ValueError`` for an odd
    width.
    """
    if width % 2:
        raise ValueError(f"sinusoids need an even width, not {width}")
    even = torch.arange(0, width, 2, dtype=torch.float32, device=positions.device)
    angles = positions[..., None].float() * torch.exp(even * (-math.log(10_000.0) / width))
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


def add_positions(tokens: Tensor) -> Tensor:
    """Add the sinusoids of 0, 1, ... to ``tokens`` [B, L, D]."""
    return tokens + position_table(tokens.shape[1], tokens.shape[2], tokens.device, tokens.dtype)


@lru_cache(maxsize=8)
def position_table(length: int, width: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return the sinusoids of 0 to ``length`` - 1, [length, width]; kept, as a sampler asks for the same at every step."""
    with torch.inference_mode(False):
        return sinusoids(torch.arange(length, device=device), width).to(dtype)
