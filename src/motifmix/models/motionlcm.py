"""MotionLCM's denoiser (Dai et al., ECCV 2024): MLD's, told how strongly to be guided, so that one call is enough.

The guidance scale, less one, becomes a sinusoid that is projected and added to that of the time. The second version has a
latent of several narrow tokens between two projections, and no ReLU before the text's. The teacher is the same network
without the guidance.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.predictions import to_clean
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.layers.skip_transformer import LearnedPositions, SkipStack
from motifmix.models.layers.timestep_embedding import TimestepNet, timestep_waves
from motifmix.models.layers.transformer import Activation, EncoderLayer
from motifmix.models.mld_denoiser import step_of


class MotionLCMDenoiser(nn.Module):
    """Predicts the noise in latents [B, n, latent_dim]; the defaults are the student of the first version.

    ``guidance_dim`` None makes a teacher. ``width`` other than ``latent_dim`` needs projections, which the second version
    has (16 tokens of 32 numbers, width 256); ``projected`` asks for them.
    """

    def __init__(
        self,
        latent_dim: int = 256,
        width: int = 256,
        projected: bool = False,
        text_dim: int = 768,
        time_dim: int = 768,
        guidance_dim: int | None = 256,
        text_activation: Literal["relu"] | None = "relu",
        feed_forward: int = 1024,
        layers: int = 9,
        heads: int = 4,
        dropout: float = 0.1,
        activation: Activation = "gelu",
        pre_norm: bool = False,
        epsilon: float = 1e-5,
        positions: int = 500,
        cosine_first: bool = True,
        frequency_shift: float = 0.0,
    ) -> None:
        super().__init__()
        if not projected and width != latent_dim:
            raise ValueError(f"a latent of {latent_dim} in a network of width {width} needs projections")
        self.time_dim, self.text_dim, self.latent_dim, self.guidance_dim = time_dim, text_dim, latent_dim, guidance_dim
        self.waves = {"cosine_first": cosine_first, "frequency_shift": frequency_shift}
        self.time = TimestepNet(time_dim, width)
        self.guidance = None if guidance_dim is None else nn.Linear(guidance_dim, time_dim, bias=False)
        if self.guidance is not None:
            nn.init.zeros_(self.guidance.weight)
        self.text = nn.Sequential(nn.ReLU() if text_activation == "relu" else nn.Identity(), nn.Linear(text_dim, width))
        self.from_latent = nn.Linear(latent_dim, width) if projected else nn.Identity()
        self.to_latent = nn.Linear(width, latent_dim) if projected else nn.Identity()
        self.positions = LearnedPositions(positions, width)
        self.encoder = SkipStack(
            EncoderLayer, layers, width, heads, feed_forward, dropout, activation, pre_norm, epsilon
        )

    def guidance_waves(self, strength: Tensor) -> Tensor:
        """``strength`` [B] (guidance scale - 1) to sinusoids [B, guidance_dim]. Raises ``ValueError`` in a teacher."""
        if self.guidance_dim is None:
            raise ValueError("a teacher is not told a guidance scale")
        return timestep_waves(1000.0 * strength, self.guidance_dim, cosine_first=False, frequency_shift=1.0)

    def forward(self, noisy: Tensor, timesteps: Tensor, text: Tensor, strength: Tensor | None = None) -> Tensor:
        """``noisy`` [B, n, latent_dim], ``timesteps`` and ``strength`` [B] or one for all, ``text`` [B, S, text_dim]."""
        batch, tokens = noisy.shape[:2]
        waves = timestep_waves(timesteps.expand(batch), self.time_dim, **self.waves).to(noisy.dtype)
        if self.guidance is not None:
            if strength is None:
                raise ValueError("a student must be told how strongly to be guided")
            waves = waves + self.guidance(self.guidance_waves(strength.expand(batch)).to(noisy.dtype))
        x = torch.cat([self.from_latent(noisy), self.time(waves)[:, None], self.text(text)], dim=1)
        return self.to_latent(self.encoder(self.positions(x))[:, :tokens])


class MotionLCMEstimator(nn.Module):
    """A student as a denoiser that speaks of clean latents; condition part ``text`` [B, S, text_dim]."""

    def __init__(self, denoiser: MotionLCMDenoiser, guidance_scale: float) -> None:
        super().__init__()
        self.denoiser, self.guidance_scale = denoiser, guidance_scale

    def forward(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Estimate the clean latents [B, n, latent_dim]."""
        text = condition.parts["text"].value
        strength = torch.tensor(self.guidance_scale - 1.0, device=noisy.device)
        noise = self.denoiser(noisy.to(text.dtype), step_of(level, noisy), text, strength)
        return to_clean(noise.to(noisy.dtype), noisy, level.alpha, level.sigma, "epsilon")
