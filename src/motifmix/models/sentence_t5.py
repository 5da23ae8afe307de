"""Sentence-T5 (Ni et al. 2022): T5's encoder, the mean of a text's tokens, a dense layer, unit length.

MotionLCM conditions on sentence-t5-large: width 1024, 24 layers, 16 heads of 64, feed-forward 4096 (ReLU), 768 numbers
a text. T5 has no biases, norms without a mean, no scaling of attention, and one table of biases by distance for all
layers. The published configuration file was not seen: the sizes are those of T5-large, and their sum agrees with the card.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-6


class RelativeBias(nn.Module):
    """A learned number for each head and each bucket of distances; half of the buckets look ahead."""

    def __init__(self, heads: int, buckets: int = 32, max_distance: int = 128) -> None:
        super().__init__()
        self.buckets = buckets
        self.max_distance = max_distance
        self.table = nn.Embedding(buckets, heads)

    def forward(self, length: int) -> Tensor:
        """Return ``[heads, length, length]`` for query and key."""
        place = torch.arange(length, device=self.table.weight.device)
        return self.table(self.bucket(place[None, :] - place[:, None])).permute(2, 0, 1)

    def bucket(self, distance: Tensor) -> Tensor:
        """Return the bucket of a distance from query to key: exact when near, logarithmic up to ``max_distance``."""
        half = self.buckets // 2
        exact = half // 2
        ahead, distance = (distance > 0).long() * half, distance.abs()
        far = (distance.clamp(min=1).float() / exact).log() / math.log(self.max_distance / exact) * (half - exact)
        return ahead + torch.where(distance < exact, distance, (exact + far.long()).clamp(max=half - 1))


class T5Block(nn.Module):
    """Attention and feed-forward, each behind a norm and added back."""

    def __init__(self, width: int, heads: int, head_width: int, feed_forward: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.RMSNorm(width, eps=epsilon)
        self.query = nn.Linear(width, heads * head_width, bias=False)
        self.key = nn.Linear(width, heads * head_width, bias=False)
        self.value = nn.Linear(width, heads * head_width, bias=False)
        self.out = nn.Linear(heads * head_width, width, bias=False)
        self.feed_forward_norm = nn.RMSNorm(width, eps=epsilon)
        self.widen = nn.Linear(width, feed_forward, bias=False)
        self.narrow = nn.Linear(feed_forward, width, bias=False)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """``x`` [B, L, width]; ``bias`` [B, heads, L, L] holds distances and, as -inf, hidden keys."""
        y = self.attention_norm(x)
        parts = (self.query(y), self.key(y), self.value(y))
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=1.0)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.narrow(functional.relu(self.widen(self.feed_forward_norm(x))))


class SentenceT5(nn.Module):
    """Token ids to one unit vector a text; the defaults are sentence-t5-large (335,726,080 parameters)."""

    def __init__(
        self,
        vocabulary: int = 32128,
        width: int = 1024,
        layers: int = 24,
        heads: int = 16,
        head_width: int = 64,
        feed_forward: int = 4096,
        output_dim: int = 768,
        epsilon: float = EPSILON,
    ) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.relative_bias = RelativeBias(heads)
        self.blocks = nn.ModuleList(T5Block(width, heads, head_width, feed_forward, epsilon) for _ in range(layers))
        self.final_norm = nn.RMSNorm(width, eps=epsilon)
        self.dense = nn.Linear(width, output_dim, bias=False)

    def tokens(self, ids: Tensor, valid_mask: Tensor) -> Tensor:
        """Return the last states ``[B, L, width]`` of token ids ``[B, L]``."""
        x = self.token_embedding(ids)
        hidden = torch.zeros_like(valid_mask, dtype=x.dtype).masked_fill(~valid_mask, -torch.inf)[:, None, None]
        bias = self.relative_bias(ids.shape[1]) + hidden  # [B, heads, L, L]
        for block in self.blocks:
            x = block(x, bias)
        return self.final_norm(x)

    def forward(self, ids: Tensor, valid_mask: Tensor) -> Tensor:
        """Return unit vectors ``[B, output_dim]`` of token ids ``[B, L]``; each text has at least one valid token."""
        weight = valid_mask.unsqueeze(-1).to(self.dense.weight.dtype)
        mean = (self.tokens(ids, valid_mask) * weight).sum(1) / weight.sum(1)
        return functional.normalize(self.dense(mean), dim=-1)
