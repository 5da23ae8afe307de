"""MLD as a reader of the paper would write it: VAE, denoiser, the loop of fifty guided steps."""

import math

import torch
from torch import Tensor, nn

from .transformers import LearnedPositions, SkipTransformer

SIZES = {"width": 256, "feed_forward": 1024, "layers": 9, "heads": 4}


class TimestepEmbedding(nn.Module):
    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(dim, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear_2(nn.functional.silu(self.linear_1(x)))


def timestep_sinusoids(timesteps: Tensor, dim: int) -> Tensor:
    """``timesteps`` [B] to [B, dim], cosines first."""
    half = dim // 2
    angles = timesteps[:, None].float() * torch.exp(-math.log(10_000.0) * torch.arange(half) / half)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class MLDDenoiser(nn.Module):
    """Predicts the noise in latents [B, n, D]."""

    def __init__(self, width: int, feed_forward: int, layers: int, heads: int, text: int = 768) -> None:
        super().__init__()
        self.text_dim = text
        self.time_embedding = TimestepEmbedding(text, width)
        self.emb_proj = nn.Sequential(nn.ReLU(), nn.Linear(text, width))
        self.query_pos, self.mem_pos = LearnedPositions(width), LearnedPositions(width)
        self.encoder = SkipTransformer(nn.TransformerEncoderLayer, layers, width, heads, feed_forward)

    def forward(self, noisy: Tensor, timesteps: Tensor, text: Tensor, control: list[Tensor] | None = None) -> Tensor:
        time = self.time_embedding(timestep_sinusoids(timesteps, self.text_dim))
        x = torch.cat([noisy, time[:, None], self.emb_proj(text)], dim=1)
        return self.encoder(self.query_pos(x), control=control)[:, : noisy.shape[1]]


class MLDVAE(nn.Module):
    """Features [B, T, F] to one latent token and back; without padding."""

    def __init__(self, width: int, feed_forward: int, layers: int, heads: int, features: int = 263) -> None:
        super().__init__()
        self.width = width
        self.global_motion_token = nn.Parameter(torch.randn(2, width))
        self.skel_embedding = nn.Linear(features, width)
        self.query_pos_encoder, self.query_pos_decoder = LearnedPositions(width), LearnedPositions(width)
        self.encoder = SkipTransformer(nn.TransformerEncoderLayer, layers, width, heads, feed_forward)
        self.decoder = SkipTransformer(nn.TransformerDecoderLayer, layers, width, heads, feed_forward)
        self.final_layer = nn.Linear(width, features)

    def encode(self, features: Tensor) -> Tensor:
        """Return mean and log-variance, [B, 2, D]."""
        x = torch.cat([self.global_motion_token.expand(len(features), -1, -1), self.skel_embedding(features)], dim=1)
        return self.encoder(self.query_pos_encoder(x))[:, :2]

    def decode(self, latents: Tensor, frames: int) -> Tensor:
        queries = torch.zeros(len(latents), frames, self.width, dtype=latents.dtype)
        return self.final_layer(self.decoder(self.query_pos_decoder(queries), latents))


def ddim_schedule(steps: int = 50) -> list[tuple[int, float, float]]:
    """Return (timestep, alpha bar there, alpha bar at the next one) of every step, noise first."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    bars, stride = (1.0 - betas).cumprod(0), 1000 // steps
    visited = [k * stride + 1 for k in reversed(range(steps))]
    return [(t, float(bars[t]), float(bars[max(t - stride, 0)])) for t in visited]


def ddim_step(noisy: Tensor, noise: Tensor, bar: float, following: float) -> Tensor:
    clean = (noisy - (1.0 - bar) ** 0.5 * noise) / bar**0.5
    return following**0.5 * clean + (1.0 - following) ** 0.5 * noise


def guided_noise(denoiser: MLDDenoiser, noisy: Tensor, t: int, text: Tensor, null: Tensor, scale: float) -> Tensor:
    timesteps = torch.full((len(noisy),), t)
    without = denoiser(noisy, timesteps, null)
    return without + scale * (denoiser(noisy, timesteps, text) - without)


@torch.no_grad()
def sample(denoiser: MLDDenoiser, noisy: Tensor, text: Tensor, null: Tensor, scale: float = 7.5) -> Tensor:
    for t, bar, following in ddim_schedule():
        noisy = ddim_step(noisy, guided_noise(denoiser, noisy, t, text, null, scale), bar, following)
    return noisy
