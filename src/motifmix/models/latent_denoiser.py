"""The default denoiser: a small transformer over latent tokens, told the time, a sentence and the clip's length.

Each block is [convolution of three over latent tokens -> rotary self-attention -> feed-forward]: neighbouring tokens
must agree on the phase of a step, which absolute positions alone do not hold. Two prefix tokens (time, text) stand
before the latents; every latent token also gets time, text, length and its distance from both ends added, so that
gestures know when to come to rest. A style enters through one hook after block m (``style/``), nowhere else.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from motifmix.models.layers.activations import gelu
from motifmix.models.layers.rotary_attention import RotaryAttention, rotary_angles
from motifmix.models.layers.token_conv import TokenConv

LONGEST = 64  # latent tokens; 10 s are 50
PREFIX = 2  # tokens before the latents: time, text
Hook = Callable[[int, Tensor], Tensor]


class Block(nn.Module):
    """One block; see the module's text."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.local = TokenConv(width)
        self.attention_norm = nn.LayerNorm(width)
        self.attention = RotaryAttention(width, heads)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, valid: Tensor, prefix: int) -> Tensor:
        """``x`` [B, prefix + L, D]."""
        x = torch.cat([x[:, :prefix], self.local(x[:, prefix:], valid[:, prefix:].to(x.dtype))], dim=1)
        x = x + self.dropout(self.attention(self.attention_norm(x), cosine, sine, valid))
        widen, _, dropout, narrow = self.feed_forward
        return x + self.dropout(narrow(dropout(gelu(widen(self.feed_forward_norm(x))))))


class LatentDenoiser(nn.Module):
    """Predicts from noisy latents [B, L, latent]; the prediction's type stands in the card."""

    def __init__(
        self,
        latent: int = 32,
        text: int = 384,
        width: int = 192,
        blocks: int = 5,
        heads: int = 6,
        dropout: float = 0.05,
    ) -> None:
        super().__init__()
        self.width = width
        self.input = nn.Linear(latent, width)
        self.time = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        self.text = nn.Sequential(nn.Linear(text, 2 * width), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * width, width))
        self.no_text = nn.Parameter(torch.zeros(width))
        self.length = nn.Sequential(nn.Linear(1, width), nn.GELU(), nn.Linear(width, width))
        self.from_start = nn.Embedding(LONGEST, width)
        self.from_end = nn.Embedding(LONGEST, width)
        nn.init.normal_(self.from_start.weight, std=0.02)
        nn.init.normal_(self.from_end.weight, std=0.02)
        self.prefix = nn.Parameter(torch.randn(PREFIX, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, latent)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        self.head_size = width // heads

    def forward(
        self, noisy: Tensor, time: Tensor, text: Tensor, has_text: Tensor, valid: Tensor, hook: Hook | None = None
    ) -> Tensor:
        """``noisy`` [B, L, latent], ``time`` [B] in 0..1, ``text`` [B, text], ``has_text`` and ``valid`` [B], [B, L]."""
        x, cosine, sine, everyone = self.embed(noisy, time, text, has_text, valid)
        for number, block in enumerate(self.blocks, start=1):
            x = block(x, cosine, sine, everyone, prefix=PREFIX)
            if hook is not None:
                x = hook(number, x)
        return self.output(self.norm(x[:, PREFIX:]))

    def embed(
        self, noisy: Tensor, time: Tensor, text: Tensor, has_text: Tensor, valid: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what the blocks are given: tokens [B, 2 + L, width], rotary cosines and sines, and who is valid."""
        batch, length, _ = noisy.shape
        lengths = valid.sum(dim=1)
        time_token = self.time(_waves(time, self.width))  # [B, D]
        text_token = torch.where(has_text[:, None], self.text(text), self.no_text)
        length_token = self.length(lengths[:, None].to(noisy.dtype) / 50.0)
        steps = torch.arange(length, device=noisy.device)
        to_end = (lengths[:, None] - 1 - steps).clamp(0, LONGEST - 1)
        ends = self.from_start(steps.clamp(max=LONGEST - 1)) + self.from_end(to_end)
        tokens = self.input(noisy) + ends + (time_token + text_token + length_token)[:, None]
        head = torch.stack([time_token, text_token + length_token], dim=1) + self.prefix
        x = torch.cat([head, tokens], dim=1)  # [B, 2 + L, D]
        everyone = torch.cat([valid.new_ones(batch, PREFIX), valid], dim=1)
        positions = torch.cat([steps.new_zeros(PREFIX), steps])
        return x, *rotary_angles(positions, self.head_size), everyone


def _waves(time: Tensor, width: int) -> Tensor:
    rates = torch.exp(-math.log(10_000.0) * torch.arange(width // 2, device=time.device) / (width // 2))
    angles = 1000.0 * time[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], dim=-1)
