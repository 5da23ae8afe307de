"""The transformer block of CLIP and ImageBind: layer norm, attention, layer norm, a widening of four, each added back."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

Activation = Callable[[Tensor], Tensor]


def quick_gelu(x: Tensor) -> Tensor:
    """``x * sigmoid(1.702 x)``: the approximation of GELU that CLIP's weights were trained with."""
    return x * torch.sigmoid(1.702 * x)


class SelfAttention(nn.Module):
    """Attention with one projection for query, key and value (rows in this order), ``[B, L, width]``.

    ``causal``: a token sees itself and what stands before it. ``extra_key``: one learned key and value that every
    token may also attend to (torch's ``bias_k`` and ``bias_v``), appended after the projection.
    """

    def __init__(self, width: int, heads: int, *, causal: bool = False, extra_key: bool = False) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"a width of {width} does not divide into {heads} heads")
        if causal and extra_key:
            raise ValueError("an extra key has no place in a sequence, so it cannot be combined with causal attention")
        self.heads = heads
        self.causal = causal
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.extra_key = nn.Parameter(torch.randn(1, 1, width) * width**-0.5) if extra_key else None
        self.extra_value = nn.Parameter(torch.randn(1, 1, width) * width**-0.5) if extra_key else None

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, L, width]``."""
        query, key, value = self.qkv(x).chunk(3, dim=-1)
        if self.extra_key is not None and self.extra_value is not None:
            key = torch.cat([key, self.extra_key.expand(len(x), -1, -1)], dim=1)  # [B, L + 1, width]
            value = torch.cat([value, self.extra_value.expand(len(x), -1, -1)], dim=1)
        query, key, value = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (query, key, value))
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return self.out(mixed.transpose(1, 2).flatten(2))


class PreNormBlock(nn.Module):
    """``x + attention(norm(x))``, then ``x + feed_forward(norm(x))``."""

    def __init__(
        self,
        width: int,
        heads: int,
        feed_forward: int,
        epsilon: float,
        activation: Activation,
        *,
        causal: bool = False,
        extra_key: bool = False,
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=epsilon)
        self.attention = SelfAttention(width, heads, causal=causal, extra_key=extra_key)
        self.feed_forward_norm = nn.LayerNorm(width, eps=epsilon)
        self.widen = nn.Linear(width, feed_forward)
        self.narrow = nn.Linear(feed_forward, width)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[B, L, width]``."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.narrow(self.activation(self.widen(self.feed_forward_norm(x))))
