"""Blocks and poolings of nets that read a whole clip: the judges and the motion-text evaluator.

All take ``[B, T, C]`` and a ``valid_mask`` ``[B, T]`` (True = real). Padded frames are zero before every convolution,
as the zeros beyond a clip's end are, so that a clip reads the same alone and in a batch.
"""

import torch
from torch import Tensor, nn


class Downsampling(nn.Module):
    """Convolution of stride 2 over time: ``[B, T, C]`` to ``[B, ceil(T / 2), C']``."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(channels_in, channels_out, kernel, stride=2, padding=kernel // 2)

    def forward(self, x: Tensor, valid_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the shorter sequence and its mask."""
        x = self.convolution(_silent(x, valid_mask).transpose(1, 2)).transpose(1, 2)
        return x, valid_mask[:, ::2]


class DenseBlock(nn.Module):
    """Residual block: normalise, convolve (dilated), GELU, mix channels."""

    def __init__(self, channels: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.convolution = nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=dilation * (kernel // 2))
        self.mix = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, valid_mask: Tensor) -> Tensor:
        """Return ``[B, T, C]``."""
        y = _silent(self.norm(x), valid_mask).transpose(1, 2)
        y = nn.functional.gelu(self.convolution(y)).transpose(1, 2)
        return x + self.dropout(self.mix(y))


class DepthwiseBlock(nn.Module):
    """Residual block: convolve every channel by itself (dilated), normalise, widen twice, GELU, narrow."""

    def __init__(self, channels: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.convolution = nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=padding, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, 2 * channels)
        self.narrow = nn.Linear(2 * channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, valid_mask: Tensor) -> Tensor:
        """Return ``[B, T, C]``."""
        y = self.norm(self.convolution(_silent(x, valid_mask).transpose(1, 2)).transpose(1, 2))
        return x + self.dropout(self.narrow(nn.functional.gelu(self.widen(y))))


class MeanMaxPooling(nn.Module):
    """Mean and maximum over valid frames, side by side: ``[B, T, C]`` to ``[B, 2C]``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels_out = 2 * channels

    def forward(self, x: Tensor, valid_mask: Tensor) -> Tensor:
        """Return ``[B, channels_out]``."""
        return torch.cat([_mean(x, valid_mask), _maximum(x, valid_mask)], dim=-1)


class AttentionPooling(nn.Module):
    """Four learned looks at the clip, each a weighted mean over valid frames of its own channels, and the maximum."""

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"{channels} channels do not divide into {heads} heads")
        self.heads = heads
        self.score = nn.Linear(channels, heads)
        self.channels_out = 2 * channels

    def forward(self, x: Tensor, valid_mask: Tensor) -> Tensor:
        """Return ``[B, channels_out]``."""
        weight = self.score(x).masked_fill(~valid_mask[..., None], -torch.inf).softmax(dim=1)  # (B, T, heads)
        pooled = torch.einsum("bth,bthc->bhc", weight, x.unflatten(-1, (self.heads, -1))).flatten(1)
        return torch.cat([pooled, _maximum(x, valid_mask)], dim=-1)


class MomentPooling(nn.Module):
    """Mean, deviation and maximum over valid frames: ``[B, T, C]`` to ``[B, 3C]``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels_out = 3 * channels

    def forward(self, x: Tensor, valid_mask: Tensor) -> Tensor:
        """Return ``[B, channels_out]``."""
        mean = _mean(x, valid_mask)
        variance = _mean((x - mean[:, None]) ** 2, valid_mask)
        return torch.cat([mean, (variance + 1e-5).sqrt(), _maximum(x, valid_mask)], dim=-1)


def _silent(x: Tensor, valid_mask: Tensor) -> Tensor:
    return x * valid_mask[..., None].to(x.dtype)


def _mean(x: Tensor, valid_mask: Tensor) -> Tensor:
    return _silent(x, valid_mask).sum(dim=1) / valid_mask.sum(dim=1, keepdim=True).clamp(min=1).to(x.dtype)


def _maximum(x: Tensor, valid_mask: Tensor) -> Tensor:
    return x.masked_fill(~valid_mask[..., None], -torch.inf).amax(dim=1)
