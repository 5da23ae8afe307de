"""Convolution blocks over time that honour masks: a padded clip gives what it would give alone."""

import torch
from torch import Tensor, nn


class MaskedConv(nn.Conv1d):
    """A 1-D convolution whose input is zeroed where ``valid`` is False, so padding equals the clip's own end."""

    def forward(self, input: Tensor, valid: Tensor | None = None) -> Tensor:
        """``input`` [B, C, T], ``valid`` [B, 1, T] or None."""
        return super().forward(input if valid is None else input * valid)


class ResidualConvBlock(nn.Module):
    """LayerNorm over channels, GELU, conv of three with dilation, GELU, and a 1 x 1 that starts at zero."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.conv = MaskedConv(width, width, 3, padding=dilation, dilation=dilation)
        self.out = nn.Conv1d(width, width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias if self.out.bias is not None else torch.empty(0))

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """``x`` [B, C, T]."""
        hidden = nn.functional.gelu(self.norm(x.transpose(1, 2)).transpose(1, 2))
        return x + self.out(nn.functional.gelu(self.conv(hidden, valid)))
