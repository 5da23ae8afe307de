"""The classifier's part of the hybrid guidance (StyleMotif, section 3.4): a gradient of the style distance.

The estimate of the clean latents is decoded, the model's own style encoder reads the motion, and the latents move against
the gradient of 1 - cosine to the wanted style. The reader is a part of the model itself and never a judge. Words pull as
clips do, because both are vectors of one space.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from motifmix.diffusion.schedule import NoiseLevel


@dataclass(frozen=True)
class StylePull:
    """A guidance term; see :class:`diffusion.denoiser.Correction`.

    ``read`` takes clean latents [B, L, D] to style vectors [B, style]; ``wanted`` [B, style]; ``scale`` [B], 0 where
    nothing pulls; ``valid`` [B, L]. A step is as long as ``scale`` times the distance, in deviations of the latents: it
    vanishes where the style is met, and needs no tuning to the gradient's size.
    """

    read: Callable[[Tensor], Tensor]
    wanted: Tensor
    scale: Tensor
    valid: Tensor

    def __call__(self, clean: Tensor, noisy: Tensor, level: NoiseLevel) -> Tensor:
        """Return the corrected estimate [B, L, D]."""
        with torch.enable_grad():
            moved = clean.detach().requires_grad_()
            distance = self.distance(moved)
            (gradient,) = torch.autograd.grad(distance.sum(), moved)
        gradient = gradient * self.valid[..., None]
        size = gradient.square().sum(dim=(1, 2)).sqrt().clamp(min=1e-12)
        numbers = self.valid.sum(dim=1) * clean.shape[2]
        step = self.scale * distance.detach() * numbers.sqrt() / size
        return clean - step[:, None, None] * gradient

    def distance(self, clean: Tensor) -> Tensor:
        """1 - cosine between what is read of ``clean`` latents [B, L, D] and what is wanted, [B]."""
        return 1.0 - cosine_similarity(self.read(clean), self.wanted, dim=-1)
