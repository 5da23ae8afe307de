"""Layers that several published structures share, under their published names."""

import math

import torch
from torch import Tensor, nn


class SkipTransformer(nn.Module):
    """MLD's transformer with U-shaped skips, of PyTorch's encoder or decoder layers."""

    def __init__(self, kind: type[nn.Module], layers: int, width: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        half = layers // 2

        def block() -> nn.Module:
            return kind(width, heads, feed_forward, 0.1, "gelu", batch_first=True)

        self.input_blocks = nn.ModuleList(block() for _ in range(half))
        self.middle_block = block()
        self.output_blocks = nn.ModuleList(block() for _ in range(half))
        self.linear_blocks = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(half))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, *memory: Tensor, control: list[Tensor] | None = None) -> Tensor:
        """``x`` [B, L, D]; ``memory`` for decoder layers; ``control`` is added to the outputs of the input blocks."""
        skips = []
        for number, block in enumerate(self.input_blocks):
            x = block(x, *memory)
            if control is not None:
                x = x + control[number]
            skips.append(x)
        x = self.middle_block(x, *memory)
        for linear, block in zip(self.linear_blocks, self.output_blocks, strict=True):
            x = block(linear(torch.cat([x, skips.pop()], dim=-1)), *memory)
        return self.norm(x)


class LearnedPositions(nn.Module):
    """A table that is added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pe = nn.Parameter(torch.rand(500, 1, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.pe[: x.shape[1], 0]


class Sinusoids(nn.Module):
    """A fixed table that is added to tokens; its rows also say the diffusion step."""

    pe: Tensor

    def __init__(self, width: int, rows: int = 5000) -> None:
        super().__init__()
        angles = torch.arange(rows)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
        table = torch.zeros(rows, width)
        table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
        self.register_buffer("pe", table, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.pe[: x.shape[1]]


class TimestepEmbedder(nn.Module):
    """A row of the table, then linear, SiLU, linear."""

    def __init__(self, width: int, table: Sinusoids) -> None:
        super().__init__()
        self.sequence_pos_encoder = table
        self.time_embed = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, timesteps: Tensor) -> Tensor:
        return self.time_embed(self.sequence_pos_encoder.pe[timesteps])
