"""InterGen and in2IN as a reader of the papers would write them: one person's block after the other's."""

import torch
from torch import Tensor, nn

from .transformers import Sinusoids, TimestepEmbedder

SIZES = {"width": 1024, "feed_forward": 2048, "blocks": 8, "heads": 8}


class AdaLN(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        self.norm = nn.LayerNorm(width, 1e-6, elementwise_affine=False)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.emb_layers(condition)[:, None].chunk(2, dim=-1)
        return self.norm(x) * (1 + scale) + shift


def attention(width: int, heads: int) -> nn.MultiheadAttention:
    return nn.MultiheadAttention(width, heads, batch_first=True, add_zero_attn=True)


class SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm, self.attention = AdaLN(width), attention(width, heads)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        h = self.norm(x, condition)
        return self.attention(h, h, h, need_weights=False)[0]


class CrossAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm, self.xf_norm, self.attention = AdaLN(width), AdaLN(width), attention(width, heads)

    def forward(self, x: Tensor, other: Tensor, condition: Tensor) -> Tensor:
        told = self.xf_norm(other, condition)
        return self.attention(self.norm(x, condition), told, told, need_weights=False)[0]


class FeedForward(nn.Module):
    def __init__(self, width: int, feed_forward: int) -> None:
        super().__init__()
        self.norm = AdaLN(width)
        self.linear1, self.linear2 = nn.Linear(width, feed_forward), nn.Linear(feed_forward, width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        return self.linear2(nn.functional.gelu(self.linear1(self.norm(x, condition))))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.sa_block, self.ca_block = SelfAttention(width, heads), CrossAttention(width, heads)
        self.ffn = FeedForward(width, feed_forward)

    def forward(self, x: Tensor, own: Tensor, other: Tensor | None = None, shared: Tensor | None = None) -> Tensor:
        x = x + self.sa_block(x, own)
        if other is not None:
            x = x + self.ca_block(x, other, own if shared is None else shared)
        return x + self.ffn(x, own)


class Out(nn.Module):
    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, features)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


class Network(nn.Module):
    def __init__(
        self, width: int, feed_forward: int, blocks: int, heads: int, features: int = 262, text: int = 768
    ) -> None:
        super().__init__()
        self.sequence_pos_encoder = Sinusoids(width)
        self.embed_timestep = TimestepEmbedder(width, self.sequence_pos_encoder)
        self.motion_embed, self.text_embed = nn.Linear(features, width), nn.Linear(text, width)
        self.blocks = nn.ModuleList(Block(width, heads, feed_forward) for _ in range(blocks))
        self.out = Out(width, features)

    def told(self, timesteps: Tensor, text: Tensor) -> Tensor:
        return self.embed_timestep(timesteps) + self.text_embed(text)

    def tokens(self, x: Tensor) -> Tensor:
        return self.sequence_pos_encoder(self.motion_embed(x))

    def pair(self, x: Tensor, a_told: Tensor, b_told: Tensor, shared: Tensor) -> Tensor:
        a, b = (self.tokens(person) for person in x.chunk(2, dim=-1))
        for block in self.blocks:
            a, b = block(a, a_told, b, shared), block(b, b_told, a, shared)
        return torch.cat([self.out(a), self.out(b)], dim=-1)


class InterGen(Network):
    """``x`` [B, T, 2 F], one text."""

    def forward(self, x: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
        told = self.told(timesteps, text)
        return self.pair(x, told, told, told)

    def guided(self, x: Tensor, timesteps: Tensor, text: Tensor, *, scale: float = 3.5) -> Tensor:
        return scale * self(x, timesteps, text) + (1 - scale) * self(x, timesteps, torch.zeros_like(text))


class In2INInteraction(Network):
    """``x`` [B, T, 2 F], a text of both and one a person [B, 2, text]."""

    def forward(self, x: Tensor, timesteps: Tensor, text: Tensor, own: Tensor) -> Tensor:
        a_told, b_told = self.told(timesteps, own[:, 0]), self.told(timesteps, own[:, 1])
        return self.pair(x, a_told, b_told, self.told(timesteps, text))

    def guided(self, x: Tensor, timesteps: Tensor, text: Tensor, own: Tensor) -> Tensor:
        no_text, no_own = torch.zeros_like(text), torch.zeros_like(own)
        return (
            3.0 * self(x, timesteps, text, own)
            + 3.0 * self(x, timesteps, text, no_own)
            + 1.0 * self(x, timesteps, no_text, own)
            - 6.0 * self(x, timesteps, no_text, no_own)
        )


class In2INIndividual(Network):
    """``x`` [B, T, F], one person."""

    def forward(self, x: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
        told, x = self.told(timesteps, text), self.tokens(x)
        for block in self.blocks:
            x = block(x, told)
        return self.out(x)

    def guided(self, x: Tensor, timesteps: Tensor, text: Tensor, *, scale: float = 3.5) -> Tensor:
        return scale * self(x, timesteps, text) + (1 - scale) * self(x, timesteps, torch.zeros_like(text))
