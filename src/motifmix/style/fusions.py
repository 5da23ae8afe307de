"""Ways for a style to enter a denoiser's block: StyleMotif's, and those that its ablation compares it with.

Each takes a block's output ``content`` [B, L, D], what a linear layer made of the style feature ``style`` [B, 1, k D], and
``strength`` (gamma) [B, 1, 1] or a number; at strength 0 the content comes back to the bit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from motifmix.style.cross_normalization import ETA, cross_normalize

FusionName = Literal["cross_normalization", "adain", "zero_layers"]


def adain(content: Tensor, style: Tensor, strength: Tensor | float, eta: float = ETA) -> Tensor:
    """Adaptive instance normalisation (Huang and Belongie 2017): the content takes a scale and a shift from the style.

    ``style`` [B, 1, 2 D] holds the scale, less one, and the shift of each channel.
    """
    scale, shift = style.chunk(2, dim=-1)
    variance = content.var(dim=-1, keepdim=True, correction=0)
    normal = (content - content.mean(dim=-1, keepdim=True)) / (variance + eta).sqrt()
    return content + strength * ((1.0 + scale) * normal + shift - content)


def added(content: Tensor, style: Tensor, strength: Tensor | float) -> Tensor:
    """What a layer that starts at zero makes of the style is added (as SMooDi's control does); ``style`` [B, 1, D]."""
    return content + strength * style


@dataclass(frozen=True)
class Fusion:
    """``fuse`` and how its linear layer is made: ``numbers`` outputs a channel, ``from_zero`` at the start or not."""

    fuse: Callable[[Tensor, Tensor, Tensor], Tensor]
    numbers: int = 1
    from_zero: bool = False


FUSIONS: dict[FusionName, Fusion] = {
    "cross_normalization": Fusion(cross_normalize),
    "adain": Fusion(adain, numbers=2, from_zero=True),
    "zero_layers": Fusion(added, from_zero=True),
}
