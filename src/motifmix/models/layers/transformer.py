"""The transformer layers of Vaswani et al. 2017 as most published motion models use them.

Post-norm by default (pre-norm by option), one packed projection for query, key and value, exact GELU, biases
everywhere. Batch first; masks are True where a position is real and only ever hide keys, so padded positions still
hold what ordinary attention gives there.
"""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from motifmix.models.layers.activations import gelu, relu

Activation = Literal["gelu", "relu"]
ACTIVATIONS = {"gelu": gelu, "relu": relu}


class Attention(nn.Module):
    """Multi-head attention of ``x`` over itself, or over ``memory``."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of {heads} heads")
        self.heads, self.dropout = heads, dropout
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.qkv.weight)
        nn.init.zeros_(self.qkv.bias)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, memory: Tensor | None = None, valid_mask: Tensor | None = None) -> Tensor:
        """``x`` [B, L, D], ``memory`` [B, M, D], ``valid_mask`` [B, L or M] over the keys; returns [B, L, D].

        Over a memory of one token everybody attends to it fully, so the result is [B, 1, D] then, to be broadcast.
        """
        batch, length, width = x.shape
        if memory is None:
            q, k, v = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        else:
            if memory.shape[1] == 1 and (self.dropout == 0.0 or not self.training):
                return self.out(functional.linear(memory, self.qkv.weight[2 * width :], self.qkv.bias[2 * width :]))
            q = functional.linear(x, self.qkv.weight[:width], self.qkv.bias[:width])
            q = q.view(batch, length, self.heads, -1).transpose(1, 2)
            kv = functional.linear(memory, self.qkv.weight[width:], self.qkv.bias[width:])
            k, v = kv.view(batch, memory.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask=None if valid_mask is None else valid_mask[:, None, None, :],
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward net, each with a residual and a layer norm."""

    def __init__(
        self,
        width: int,
        heads: int,
        feed_forward: int,
        dropout: float = 0.1,
        activation: Activation = "gelu",
        pre_norm: bool = False,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.pre_norm, self.activation = pre_norm, ACTIVATIONS[activation]
        self.attention = Attention(width, heads, dropout)
        self.attention_norm = nn.LayerNorm(width, epsilon)
        self.expand = nn.Linear(width, feed_forward)
        self.contract = nn.Linear(feed_forward, width)
        self.feed_forward_norm = nn.LayerNorm(width, epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, valid_mask: Tensor | None = None) -> Tensor:
        """``x`` [B, L, D], ``valid_mask`` [B, L]."""
        if self.pre_norm:
            x = x + self.dropout(self.attention(self.attention_norm(x), valid_mask=valid_mask))
            return x + self._feed_forward(self.feed_forward_norm(x))
        x = self.attention_norm(x + self.dropout(self.attention(x, valid_mask=valid_mask)))
        return self.feed_forward_norm(x + self._feed_forward(x))

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.contract(self.dropout(self.activation(self.expand(x)))))


class DecoderLayer(EncoderLayer):
    """An encoder layer that also attends to a memory, between its two parts."""

    def __init__(
        self,
        width: int,
        heads: int,
        feed_forward: int,
        dropout: float = 0.1,
        activation: Activation = "gelu",
        pre_norm: bool = False,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__(width, heads, feed_forward, dropout, activation, pre_norm, epsilon)
        self.cross_attention = Attention(width, heads, dropout)
        self.cross_norm = nn.LayerNorm(width, epsilon)

    def forward(self, x: Tensor, valid_mask: Tensor | None = None, memory: Tensor | None = None) -> Tensor:
        """``x`` [B, L, D], ``valid_mask`` [B, L], ``memory`` [B, M, D] (nothing of it is hidden)."""
        if memory is None:
            raise ValueError("a decoder layer needs a memory")
        if self.pre_norm:
            x = x + self.dropout(self.attention(self.attention_norm(x), valid_mask=valid_mask))
            x = x + self.dropout(self.cross_attention(self.cross_norm(x), memory))
            return x + self._feed_forward(self.feed_forward_norm(x))
        x = self.attention_norm(x + self.dropout(self.attention(x, valid_mask=valid_mask)))
        x = self.cross_norm(x + self.dropout(self.cross_attention(x, memory)))
        return self.feed_forward_norm(x + self._feed_forward(x))
