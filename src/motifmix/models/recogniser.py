"""Recogniser: reads content and style off a clip, and gives the features in which clips are compared (FID).

A small temporal convolution net on body-size-free inputs (``layers/body_free.py``) with two heads. Three of them serve
as judges (guide, select, score); they differ in blocks, widths and pooling, not only in the seed, so that a model that
is led by one does not please another by its weakness. Own design; nothing published.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from motifmix.models.layers.body_free import DIMENSIONS, body_free_features
from motifmix.models.layers.clip_reading import (
    AttentionPooling,
    DenseBlock,
    DepthwiseBlock,
    Downsampling,
    MeanMaxPooling,
    MomentPooling,
)

BLOCKS: dict[str, Callable[[int, int, int, float], nn.Module]] = {"dense": DenseBlock, "depthwise": DepthwiseBlock}
POOLINGS: dict[str, type[MeanMaxPooling] | type[AttentionPooling] | type[MomentPooling]] = {
    "mean_max": MeanMaxPooling,
    "attention": AttentionPooling,
    "moments": MomentPooling,
}


class TemporalConfig(BaseModel):
    """Size of a temporal convolution net over body-free inputs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(96, ge=8)
    kernel: int = Field(5, ge=3)
    block: str = "dense"
    dilations: tuple[tuple[int, ...], ...] = ((1,), (1, 2), (1, 2))  # one inner tuple a level, halving the rate between
    pooling: str = "mean_max"
    feature_dim: int = Field(128, ge=8)
    dropout: float = Field(0.1, ge=0, lt=1)
    fps: float = Field(20.0, gt=0)


class Recognition(NamedTuple):
    """A recogniser's word on a batch: logits ``[B, contents]`` and ``[B, styles]``, features ``[B, feature_dim]``."""

    content: Tensor
    style: Tensor
    features: Tensor


class TemporalNet(nn.Module):
    """Joint positions ``[B, T, 22, 3]`` (metres, Y up, ``config.fps``) to one feature vector a clip."""

    input_mean: Tensor
    input_std: Tensor

    def __init__(self, config: TemporalConfig) -> None:
        super().__init__()
        for name, value, known in (("block", config.block, BLOCKS), ("pooling", config.pooling, POOLINGS)):
            if value not in known:
                raise ValueError(f"{name} {value!r} is unknown; known: {', '.join(known)}")
        self.config = config
        self.register_buffer("input_mean", torch.zeros(DIMENSIONS))
        self.register_buffer("input_std", torch.ones(DIMENSIONS))
        self.embed = nn.Linear(DIMENSIONS, config.width)
        self.downsamplings = nn.ModuleList(
            Downsampling(config.width, config.width, min(config.kernel, 5)) for _ in config.dilations[1:]
        )
        self.blocks = nn.ModuleList(
            BLOCKS[config.block](config.width, config.kernel, dilation, config.dropout)
            for level in config.dilations
            for dilation in level
        )
        self.norm = nn.LayerNorm(config.width)
        self.pooling = POOLINGS[config.pooling](config.width)
        self.feature = nn.Linear(self.pooling.channels_out, config.feature_dim)

    def forward(self, joint_positions: Tensor, valid_mask: Tensor) -> Tensor:
        """Read clips ``[B, T, 22, 3]`` with ``valid_mask [B, T]``; returns ``[B, feature_dim]``."""
        x = body_free_features(joint_positions, valid_mask, self.config.fps)  # (B, T, 131)
        x = self.embed((x - self.input_mean) / self.input_std)  # (B, T, width)
        blocks = iter(self.blocks)
        for index, level in enumerate(self.config.dilations):
            if index:
                x, valid_mask = self.downsamplings[index - 1](x, valid_mask)  # (B, T / 2, width)
            for _ in level:
                x = next(blocks)(x, valid_mask)
        return self.feature(self.pooling(self.norm(x), valid_mask))  # (B, feature_dim)

    @torch.no_grad()
    def fit_inputs(self, joint_positions: Tensor, valid_mask: Tensor) -> None:
        """Set the mean and the deviation of the inputs from a sample of clips."""
        x = body_free_features(joint_positions, valid_mask, self.config.fps)[valid_mask]  # (frames, 131)
        self.input_mean.copy_(x.mean(dim=0))
        # Hardly moving inputs (a hip beside the root) must not be blown up into noise.
        self.input_std.copy_(x.std(dim=0).clamp(min=0.02))


class Recogniser(nn.Module):
    """Content and style of a clip; ``features`` is what stands before the two heads."""

    def __init__(self, config: TemporalConfig, contents: int, styles: int) -> None:
        super().__init__()
        self.net = TemporalNet(config)
        self.dropout = nn.Dropout(2 * config.dropout)
        self.content_head = nn.Linear(config.feature_dim, contents)
        self.style_head = nn.Linear(config.feature_dim, styles)

    def forward(self, joint_positions: Tensor, valid_mask: Tensor) -> Recognition:
        """Read clips ``[B, T, 22, 3]`` with ``valid_mask [B, T]``."""
        features = nn.functional.gelu(self.net(joint_positions, valid_mask))  # (B, feature_dim)
        seen = self.dropout(features)
        return Recognition(self.content_head(seen), self.style_head(seen), features)
