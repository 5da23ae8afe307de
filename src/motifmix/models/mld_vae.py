"""The motion VAE of MLD (Chen et al., CVPR 2023, section 3.1; published symbol ``MldVae``).

A feature sequence of any length becomes ``latent_tokens`` vectors (1 in the released text-to-motion model, 7 in MLD-7)
and is decoded to any length. MotionLCM's second version keeps the width and puts a narrower latent between two linear
layers. Latents are batch first here, [B, tokens, latent_dim]; the published code has tokens first.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from motifmix.models.layers.masks import hiding
from motifmix.models.layers.skip_transformer import LearnedPositions, SkipStack
from motifmix.models.layers.transformer import Activation, DecoderLayer, EncoderLayer


@dataclass(frozen=True)
class Posterior:
    """A diagonal normal distribution over latents, [B, tokens, latent_dim] each."""

    mean: Tensor
    log_variance: Tensor

    @property
    def std(self) -> Tensor:
        """Standard deviation."""
        return torch.exp(0.5 * self.log_variance)

    def sample(self, noise: Tensor) -> Tensor:
        """Turn standard normal ``noise`` into a draw."""
        return self.mean + self.std * noise


class MotionVAE(nn.Module):
    """Normalised features [B, T, features] to latents and back; the defaults are MLD-1 on HumanML3D.

    ``arch``: ``encoder_decoder`` decodes by attention to the latents (published default), ``all_encoder`` puts the
    latents before the frames. ``latent_dim`` None means as wide as the network, without projections.
    """

    def __init__(
        self,
        features: int = 263,
        latent_tokens: int = 1,
        width: int = 256,
        latent_dim: int | None = None,
        feed_forward: int = 1024,
        layers: int = 9,
        heads: int = 4,
        dropout: float = 0.1,
        activation: Activation = "gelu",
        pre_norm: bool = False,
        epsilon: float = 1e-5,
        arch: Literal["encoder_decoder", "all_encoder"] = "encoder_decoder",
        positions: int = 500,
    ) -> None:
        super().__init__()
        if arch not in ("encoder_decoder", "all_encoder"):
            raise ValueError(f"unknown arrangement {arch!r}; known: encoder_decoder, all_encoder")
        self.latent_tokens, self.width, self.arch = latent_tokens, width, arch
        size = (layers, width, heads, feed_forward, dropout, activation, pre_norm, epsilon)
        self.tokens = nn.Parameter(torch.randn(2 * latent_tokens, width))
        self.embed = nn.Linear(features, width)
        self.encoder_positions = LearnedPositions(positions, width)
        self.encoder = SkipStack(EncoderLayer, *size)
        projected = latent_dim is not None
        self.to_latent = nn.Linear(width, latent_dim) if projected else nn.Identity()
        self.from_latent = nn.Linear(latent_dim, width) if projected else nn.Identity()
        self.decoder_positions = LearnedPositions(positions, width)
        self.decoder = SkipStack(DecoderLayer if arch == "encoder_decoder" else EncoderLayer, *size)
        self.output = nn.Linear(width, features)

    def encode(self, features: Tensor, valid_mask: Tensor) -> Posterior:
        """Normalised ``features`` [B, T, F], ``valid_mask`` [B, T] (True = real frame; others change nothing)."""
        frames = self.embed(features)  # [B, T, D]
        x = torch.cat([self.tokens.expand(len(frames), -1, -1), frames], dim=1)  # [B, 2 n + T, D]
        x = self.encoder(self.encoder_positions(x), self._keys(valid_mask, 2 * self.latent_tokens))
        return Posterior(*self.to_latent(x[:, : 2 * self.latent_tokens]).chunk(2, dim=1))

    def decode(self, latents: Tensor, valid_mask: Tensor) -> Tensor:
        """``latents`` [B, n, latent_dim] to features [B, T, F] of the frames of ``valid_mask`` [B, T], zero elsewhere."""
        latents = self.from_latent(latents)
        queries = latents.new_zeros(*valid_mask.shape, self.width)
        if self.arch == "encoder_decoder":
            x = self.decoder(self.decoder_positions(queries), self._keys(valid_mask, 0), latents)
        else:
            x = self.decoder_positions(torch.cat([latents, queries], dim=1))
            x = self.decoder(x, self._keys(valid_mask, self.latent_tokens))[:, self.latent_tokens :]
        return self.output(x) * valid_mask[..., None].to(x.dtype)

    def forward(self, features: Tensor, valid_mask: Tensor, noise: Tensor) -> tuple[Tensor, Posterior]:
        """Reconstruct through one draw; ``noise`` [B, n, latent_dim]."""
        posterior = self.encode(features, valid_mask)
        return self.decode(posterior.sample(noise), valid_mask), posterior

    @staticmethod
    def _keys(valid_mask: Tensor, tokens: int) -> Tensor | None:
        if hiding(valid_mask) is None:
            return None
        return torch.cat([valid_mask.new_ones(len(valid_mask), tokens), valid_mask], dim=1)
