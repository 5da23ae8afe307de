"""The transformer block of InterGen and its descendants (in2IN, MixerMDM's mixer and discriminators).

Every part is residual and begins with a layer norm whose scale and shift are read from a condition vector. Attention has
one key and value of zeros beside the real ones, so a token may attend to nothing. Batch first; masks are True where a
frame is real and hide keys only.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from motifmix.models.layers.activations import gelu
from motifmix.models.layers.transformer import Attention


class AdaptiveNorm(nn.Module):
    """``LN(x) * (1 + scale) + shift``, both from the condition; starts as a plain norm."""

    def __init__(self, width: int, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, epsilon, elementwise_affine=False)
        self.modulation = nn.Linear(width, 2 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """``x`` [B, T, D], ``condition`` [B, D]."""
        scale, shift = self.modulation(functional.silu(condition))[:, None].chunk(2, dim=-1)  # [B, 1, D] each
        return torch.addcmul(shift, self.norm(x), 1 + scale)


class ZeroKeyAttention(Attention):
    """Multi-head attention with one extra key and value of zeros, which no mask hides."""

    def forward(self, x: Tensor, memory: Tensor | None = None, valid_mask: Tensor | None = None) -> Tensor:
        """Let ``x`` [B, T, D] attend to itself or to ``memory`` [B, M, D]; ``valid_mask`` [B, T or M] of the keys."""
        batch, length, width = x.shape
        if memory is None:
            q, kv = self.qkv(x).split([width, 2 * width], dim=-1)
        else:
            q = functional.linear(x, self.qkv.weight[:width], self.qkv.bias[:width])
            kv = functional.linear(memory, self.qkv.weight[width:], self.qkv.bias[width:])
        q = q.reshape(batch, length, self.heads, -1).transpose(1, 2)
        kv = functional.pad(kv, (0, 0, 0, 1))  # [B, M + 1, 2 D]
        k, v = kv.view(batch, kv.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        mask = None if valid_mask is None else functional.pad(valid_mask, (0, 1), value=True)[:, None, None]
        mixed = functional.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, dropout_p=self.dropout if self.training else 0.0
        )
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


class AdaptiveSelfAttention(nn.Module):
    """Attention over the tokens themselves."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = AdaptiveNorm(width)
        self.attention = ZeroKeyAttention(width, heads, dropout)

    def forward(self, x: Tensor, condition: Tensor, valid_mask: Tensor | None = None) -> Tensor:
        """``x`` [B, T, D], ``condition`` [B, D]; the residual is added."""
        return x + self.attention(self.norm(x, condition), valid_mask=valid_mask)


class AdaptiveCrossAttention(nn.Module):
    """Attention over somebody else's tokens."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = AdaptiveNorm(width)
        self.memory_norm = AdaptiveNorm(width)
        self.attention = ZeroKeyAttention(width, heads, dropout)

    def forward(self, x: Tensor, memory: Tensor, condition: Tensor, valid_mask: Tensor | None = None) -> Tensor:
        """``x`` [B, T, D], ``memory`` [B, M, D], one ``condition`` [B, D] for both norms; the residual is added."""
        return x + self.attention(self.norm(x, condition), self.memory_norm(memory, condition), valid_mask)


class AdaptiveFeedForward(nn.Module):
    """Linear, GELU, linear; starts as nothing."""

    def __init__(self, width: int, feed_forward: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = AdaptiveNorm(width)
        self.expand = nn.Linear(width, feed_forward)
        self.contract = nn.Linear(feed_forward, width)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.contract.weight)
        nn.init.zeros_(self.contract.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """``x`` [B, T, D], ``condition`` [B, D]; the residual is added."""
        return x + self.contract(self.dropout(gelu(self.expand(self.norm(x, condition)))))


class InteractionBlock(nn.Module):
    """Self-attention, cross-attention, feed-forward."""

    def __init__(self, width: int, heads: int, feed_forward: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.self_attention = AdaptiveSelfAttention(width, heads, dropout)
        self.cross_attention = AdaptiveCrossAttention(width, heads, dropout)
        self.feed_forward = AdaptiveFeedForward(width, feed_forward, dropout)

    def forward(
        self,
        x: Tensor,
        condition: Tensor,
        memory: Tensor | None = None,
        memory_condition: Tensor | None = None,
        valid_mask: Tensor | None = None,
    ) -> Tensor:
        """``x`` [B, T, D] told ``condition`` [B, D]; without ``memory`` [B, T, D] the cross-attention is skipped.

        The cross-attention is told ``memory_condition`` where there is one; ``valid_mask`` [B, T] serves both.
        """
        x = self.self_attention(x, condition, valid_mask)
        if memory is not None:
            told = condition if memory_condition is None else memory_condition
            x = self.cross_attention(x, memory, told, valid_mask)
        return self.feed_forward(x, condition)
