"""A style learned from a few clips of one's own: a style vector, and a small change after each of the denoiser's blocks.

The vector stands where the style encoder's would. What no vector can say to a denoiser that never saw such a style is left
to the change: x + s B_k A_k norm(x) after block k, of low rank, as in LoRA (Hu et al., ICLR 2022) but on what a block hands
on instead of on its matrices, so that the items of a batch can have different styles and those without one are untouched.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm


class AdoptedStyle(nn.Module):
    """``vector`` [style]; the change starts at zero."""

    def __init__(self, style: int = 128, width: int = 160, blocks: int = 5, rank: int = 8) -> None:
        super().__init__()
        self.width = width
        self.vector = nn.Parameter(torch.zeros(style))
        self.down = nn.Parameter(torch.randn(blocks, width, rank) * width**-0.5)
        self.up = nn.Parameter(torch.zeros(blocks, rank, width))

    def forward(self, number: int, hidden: Tensor) -> Tensor:
        """Return the change of what block ``number`` (from 1) hands on, ``hidden`` [B, L, width]."""
        return layer_norm(hidden, (self.width,)) @ self.down[number - 1] @ self.up[number - 1]
