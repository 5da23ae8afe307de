"""MixerMDM's Mixer (a weight a joint and frame) as a reader of the paper would write it: asked person by person."""

import torch
from torch import Tensor, nn

from .intergen import CrossAttention, FeedForward, SelfAttention
from .transformers import Sinusoids, TimestepEmbedder

SIZES = {"width": 512, "feed_forward": 1024, "blocks": 4, "heads": 8}


class Block(nn.Module):
    def __init__(self, width: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.sa_block, self.ca_block = SelfAttention(width, heads), CrossAttention(width, heads)
        self.ffn = FeedForward(width, feed_forward)

    def forward(self, x: Tensor, anchor: Tensor, own: Tensor, shared: Tensor) -> Tensor:
        x = x + self.sa_block(x, own)
        x = x + self.ca_block(x, anchor, shared)
        return x + self.ffn(x, shared)


class Influence(nn.Module):
    def __init__(self, width: int, feed_forward: int, blocks: int, heads: int, outputs: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, heads, feed_forward) for _ in range(blocks))
        self.out = nn.Linear(width, outputs)

    def forward(self, x: Tensor, anchor: Tensor, own: Tensor, shared: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, anchor, own, shared)
        return self.out(x)


class Mixer(nn.Module):
    def __init__(
        self, width: int, feed_forward: int, blocks: int, heads: int, features: int = 262, text: int = 768
    ) -> None:
        super().__init__()
        self.sequence_pos_encoder = Sinusoids(width)
        self.embed_timestep = TimestepEmbedder(width, self.sequence_pos_encoder)
        self.motion_embed, self.text_embed = nn.Linear(features, width), nn.Linear(text, width)
        self.influence = Influence(width, feed_forward, blocks, heads, 23)

    def forward(self, motion: Tensor, anchor: Tensor, timesteps: Tensor, own: Tensor, shared: Tensor) -> Tensor:
        """One person's logits [B, T, 23] for ``motion`` and ``anchor`` [B, T, F]."""
        time = self.embed_timestep(timesteps)
        own, shared = time + self.text_embed(own), time + self.text_embed(shared)
        motion, anchor = (self.sequence_pos_encoder(self.motion_embed(x)) for x in (motion, anchor))
        return self.influence(motion, anchor, own, shared)

    def guided(self, people: Tensor, anchors: Tensor, timesteps: Tensor, own: Tensor, shared: Tensor) -> list[Tensor]:
        """Both people with the texts and without, as a guided step asks; ``people`` [B, 2, T, F], ``own`` [B, 2, text]."""
        found = []
        for told in (1.0, 0.0):
            for k in range(2):
                found.append(self(people[:, k], anchors[:, k], timesteps, told * own[:, k], told * shared))
        return found


def stacked(logits: list[Tensor]) -> Tensor:
    """[2 B, 2, T, 23]: told, then not."""
    return torch.cat([torch.stack(logits[:2], dim=1), torch.stack(logits[2:], dim=1)])
