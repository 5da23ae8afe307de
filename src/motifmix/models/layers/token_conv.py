"""Neighbouring tokens of a motion, which must agree on the phase of a step."""

import torch
from torch import Tensor, nn

from motifmix.models.layers.activations import gelu


class TokenConv(nn.Module):
    """LayerNorm, convolution of three over the latent tokens only, GELU, and a projection that starts at zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.conv = nn.Conv1d(width, width, 3, padding=1)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """``tokens`` [B, L, D], ``valid`` [B, L]."""
        hidden = self.norm(tokens) * valid[..., None]
        # As one matrix product over three neighbours: on clips of some twenty tokens the convolution's own kernels
        # take longer.
        padded = nn.functional.pad(hidden, (0, 0, 1, 1))
        neighbours = torch.cat([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], dim=-1)  # [B, L, 3 D]
        weight = self.conv.weight.transpose(1, 2).flatten(1)  # [D, 3 D]
        hidden = nn.functional.linear(neighbours, weight, self.conv.bias)
        return tokens + self.out(gelu(hidden))


def with_neighbours(convs: nn.ModuleList | None, number: int, tokens: Tensor, valid: Tensor | None) -> Tensor:
    """Return what block ``number`` (from 1) is given: tokens [B, L, D] that know their neighbours, as they were without."""
    if convs is None:
        return tokens
    return convs[number - 1](tokens, tokens.new_ones(tokens.shape[:2], dtype=torch.bool) if valid is None else valid)
