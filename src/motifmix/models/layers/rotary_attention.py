"""Self-attention with rotary positions (Su et al. 2021): what matters is how far apart two tokens are."""

import torch
from torch import Tensor, nn

BASE = 100.0  # clips are some fifty tokens long; the usual 10,000 would leave most angles unused


def rotary_angles(positions: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine ``[..., L, size / 2]`` for positions ``[..., L]`` and heads of ``size``."""
    rates = BASE ** (-torch.arange(0, size, 2, device=positions.device, dtype=torch.float32) / size)
    angles = positions.to(torch.float32)[..., None] * rates
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn pairs of channels of ``x`` [B, H, L, size]."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


class RotaryAttention(nn.Module):
    """Multi-head self-attention; ``valid`` masks the keys."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of {heads} heads")
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, valid: Tensor | None = None) -> Tensor:
        """``x`` [B, L, D], angles [L, size / 2], ``valid`` [B, L] (True = real)."""
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cosine, sine), rotate(k, cosine, sine)
        mask = None if valid is None else valid[:, None, None, :]
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))
