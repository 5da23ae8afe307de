"""A denoiser without an autoencoder: MDM's plain transformer (Tevet et al., ICLR 2023) over motion features themselves.

The second base for StyleMotif's fusion, which asks nothing of a denoiser but a hook after its blocks. As in MDM one token
for time and text stands before the motion's, sinusoids tell the place, the blocks are post-norm, and the network predicts
the clean sample. Differs from MDM: a token is a patch of four frames, because a motion of 200 tokens takes four times as
long on a laptop as one of 50.
"""

import torch
from torch import Tensor, nn

from motifmix.models.latent_denoiser import Hook
from motifmix.models.mdm import MDM
from motifmix.models.temporal_vae import STRIDE

TIMES = 1000.0  # of MDM's discrete process on our times of 0 to 1


class FramePatches(nn.Module):
    """What stands in an autoencoder's place: features [B, T, F] as patches [B, T / 4, 4 F] and back, nothing lost."""

    def __init__(self, features: int = 269) -> None:
        super().__init__()
        self.features, self.latent = features, STRIDE * features

    def encode(self, features: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return patches and a log-variance of minus infinity, as an autoencoder without doubt. T is a multiple of 4."""
        if features.shape[1] % STRIDE:
            raise ValueError(f"{features.shape[1]} frames are not a multiple of {STRIDE}; pad the clip first")
        patches = features.unflatten(1, (-1, STRIDE)).flatten(2)
        return patches, torch.full_like(patches, -torch.inf)

    def decode(self, latents: Tensor, valid: Tensor | None = None) -> Tensor:
        """Patches [B, L, 4 F] to features [B, 4 L, F]; zeros where ``valid`` [B, L] is False."""
        features = latents.unflatten(2, (STRIDE, -1)).flatten(1, 2)
        return features if valid is None else features * valid.repeat_interleave(STRIDE, dim=1)[..., None]


class FeatureDenoiser(nn.Module):
    """Predicts clean patches from noisy ones [B, L, patch]; called as :class:`models.latent_denoiser.LatentDenoiser` is."""

    def __init__(
        self,
        patch: int = STRIDE * 269,
        text: int = 384,
        width: int = 160,
        blocks: int = 5,
        heads: int = 5,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.width = width
        self.mdm = MDM(patch, width, 4 * width, blocks, heads, text, dropout)

    @property
    def blocks(self) -> nn.ModuleList:
        """The layers after which a style may be fused."""
        return self.mdm.layers

    def forward(
        self, noisy: Tensor, time: Tensor, text: Tensor, has_text: Tensor, valid: Tensor, hook: Hook | None = None
    ) -> Tensor:
        """``noisy`` [B, L, patch], ``time`` [B] in 0..1, ``text`` [B, text], ``has_text`` and ``valid`` [B], [B, L]."""
        return self.mdm(noisy, TIMES * time, text, has_text, valid, hook)
