"""The default motion VAE: one latent token for four frames.

MLD (CVPR 2023) squeezes a clip into one token. At a laptop's size a token every 0.2 s keeps more (see the decision on
temporal latents in docs/adr): the encoder strides four frames by one convolution, the decoder un-shuffles them again.
"""

import torch
from torch import Tensor, nn

from motifmix.models.layers.temporal import MaskedConv, ResidualConvBlock

STRIDE = 4


class TemporalEncoder(nn.Module):
    """Features [B, T, F] to hidden tokens [B, T / 4, width]; the style encoder shares this architecture."""

    def __init__(self, features: int, width: int, dilations: tuple[int, ...] = (1, 2, 1)) -> None:
        super().__init__()
        self.input = MaskedConv(features, width, 2 * STRIDE, stride=STRIDE, padding=STRIDE // 2)
        self.blocks = nn.ModuleList(ResidualConvBlock(width, dilation) for dilation in dilations)

    def forward(self, features: Tensor, valid: Tensor | None = None) -> Tensor:
        """``valid`` [B, T] marks real frames; T is a multiple of 4."""
        frames = None if valid is None else valid[:, None].to(features.dtype)
        tokens = None if frames is None else frames[..., ::STRIDE]
        hidden = self.input(features.transpose(1, 2), frames)  # [B, width, T / 4]
        for block in self.blocks:
            hidden = block(hidden, tokens)
        return hidden.transpose(1, 2)


class TemporalVAE(nn.Module):
    """Variational autoencoder over normalised features [B, T, F], latents [B, T / 4, latent]."""

    def __init__(self, features: int = 269, width: int = 256, latent: int = 32, fine_width: int = 128) -> None:
        super().__init__()
        self.features, self.latent = features, latent
        self.encoder = TemporalEncoder(features, width)
        self.posterior = nn.Linear(width, 2 * latent)
        self.input = MaskedConv(latent, width, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualConvBlock(width, dilation) for dilation in (1, 2, 4, 1))
        self.unshuffle = nn.Linear(width, STRIDE * fine_width)
        self.fine_blocks = nn.ModuleList(ResidualConvBlock(fine_width, dilation) for dilation in (1, 2))
        self.output = MaskedConv(fine_width, features, 3, padding=1)

    def encode(self, features: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the posterior, [B, T / 4, latent] each. T must be a multiple of 4."""
        if features.shape[1] % STRIDE:
            raise ValueError(f"{features.shape[1]} frames are not a multiple of {STRIDE}; pad the clip first")
        mean, log_variance = self.posterior(self.encoder(features, valid)).chunk(2, dim=-1)
        return mean, log_variance.clamp(-12.0, 8.0)

    def decode(self, latents: Tensor, valid: Tensor | None = None) -> Tensor:
        """Latents [B, L, latent], ``valid`` [B, L] (True = real) to features [B, 4 L, F]."""
        tokens = None if valid is None else valid[:, None].to(latents.dtype)
        hidden = self.input(latents.transpose(1, 2), tokens)
        for block in self.blocks:
            hidden = block(hidden, tokens)
        batch, _, length = hidden.shape
        fine = self.unshuffle(hidden.transpose(1, 2)).reshape(batch, length * STRIDE, -1).transpose(1, 2)
        frames = None if tokens is None else tokens.repeat_interleave(STRIDE, dim=-1)
        for block in self.fine_blocks:
            fine = block(fine, frames)
        return self.output(fine, frames).transpose(1, 2)

    def forward(self, features: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruct through one posterior sample; ``noise`` [B, T / 4, latent]. Returns features, mean, log-variance."""
        mean, log_variance = self.encode(features)
        return self.decode(mean + noise * torch.exp(0.5 * log_variance)), mean, log_variance
