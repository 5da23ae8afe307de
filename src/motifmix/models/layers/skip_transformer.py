"""Transformer stacks with U-shaped skip connections and learned positions (MLD, and everything built on it).

An odd number of layers: the first half stores its outputs, the second half takes them back, last in first out, each
joined to the current features by one linear layer.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from motifmix.models.layers.transformer import Activation, DecoderLayer, EncoderLayer

Hook = Callable[[int, Tensor], Tensor]
Layer = TypeVar("Layer", EncoderLayer, DecoderLayer)


class LearnedPositions(nn.Module):
    """A table of learned vectors that is added to a sequence."""

    def __init__(self, positions: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.rand(positions, width))

    def forward(self, x: Tensor) -> Tensor:
        """``x`` [B, L, D]. Raises ``ValueError`` for a sequence that is longer than the table."""
        if x.shape[1] > len(self.table):
            raise ValueError(f"a sequence of {x.shape[1]} is longer than the {len(self.table)} learned positions")
        return x + self.table[: x.shape[1]]


class SkipStack(nn.Module, Generic[Layer]):
    """``layers`` layers with skips, and one layer norm after the last; blocks are numbered from 1 in their order."""

    def __init__(
        self,
        layer: type[Layer],
        layers: int,
        width: int,
        heads: int,
        feed_forward: int,
        dropout: float = 0.1,
        activation: Activation = "gelu",
        pre_norm: bool = False,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        if layers % 2 == 0:
            raise ValueError(f"a skip stack has an odd number of layers, not {layers}")

        def block() -> Layer:
            return layer(width, heads, feed_forward, dropout, activation, pre_norm, epsilon)

        half = layers // 2
        self.input_blocks = nn.ModuleList(block() for _ in range(half))
        self.middle_block = block()
        self.output_blocks = nn.ModuleList(block() for _ in range(half))
        self.skip_linears = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(half))
        self.norm = nn.LayerNorm(width, epsilon)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(
        self,
        x: Tensor,
        valid_mask: Tensor | None = None,
        memory: Tensor | None = None,
        hook: Hook | None = None,
    ) -> Tensor:
        """``x`` [B, L, D], ``valid_mask`` [B, L] over keys, ``memory`` [B, M, D] for decoder layers.

        ``hook(number, features)`` may change what a block hands on, before it is stored for its skip.
        """
        told = () if memory is None else (memory,)
        number, stored = 0, []
        for block in self.input_blocks:
            x, number = block(x, valid_mask, *told), number + 1
            x = x if hook is None else hook(number, x)
            stored.append(x)
        x, number = self.middle_block(x, valid_mask, *told), number + 1
        x = x if hook is None else hook(number, x)
        for linear, block in zip(self.skip_linears, self.output_blocks, strict=True):
            x = linear(torch.cat([x, stored.pop()], dim=-1))
            x, number = block(x, valid_mask, *told), number + 1
            x = x if hook is None else hook(number, x)
        return self.norm(x)
