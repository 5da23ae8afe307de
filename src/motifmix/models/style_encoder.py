"""Style of a motion, and style of a text, as vectors of one space.

The motion side has the VAE encoder's architecture (StyleMotif) with mean and deviation over time as its pooling: how
someone moves does not depend on when. The text side is a small network on MiniLM's sentence embedding. Both end in a
LayerNorm without parameters, so that neither can shout.
"""

import torch
from torch import Tensor, nn

from motifmix.models.temporal_vae import STRIDE, TemporalEncoder


class StyleEncoder(nn.Module):
    """Normalised features [B, T, F] to a style vector [B, style]."""

    def __init__(self, features: int = 269, width: int = 256, style: int = 128) -> None:
        super().__init__()
        self.encoder = TemporalEncoder(features, width)
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, style))
        self.norm = nn.LayerNorm(style, elementwise_affine=False)

    def forward(self, features: Tensor, valid: Tensor) -> Tensor:
        """``valid`` [B, T]; T is a multiple of 4."""
        hidden = self.encoder(features, valid)  # [B, T / 4, width]
        weight = valid[:, ::STRIDE, None].to(hidden.dtype)
        count = weight.sum(dim=1).clamp(min=1.0)
        mean = (hidden * weight).sum(dim=1) / count
        spread = (((hidden - mean[:, None]) ** 2 * weight).sum(dim=1) / count + 1e-6).sqrt()
        return self.norm(self.head(torch.cat([mean, spread], dim=-1)))


class TextToStyle(nn.Module):
    """Standardised sentence embedding [B, text] to a style vector [B, style]."""

    def __init__(self, text: int = 384, width: int = 256, style: int = 128, dropout: float = 0.2) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(text, width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, style))
        self.norm = nn.LayerNorm(style, elementwise_affine=False)

    def forward(self, text: Tensor) -> Tensor:
        """Return [B, style]."""
        return self.norm(self.layers(text))


class LengthPredictor(nn.Module):
    """Mean and log-variance of the log number of latent tokens, from sentence and style."""

    def __init__(self, text: int = 384, style: int = 128, width: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(text + style + 1, width), nn.GELU(), nn.Dropout(0.1), nn.Linear(width, 2))

    def forward(self, text: Tensor, style: Tensor, has_style: Tensor) -> tuple[Tensor, Tensor]:
        """``text`` [B, text], ``style`` [B, style], ``has_style`` [B]; returns two [B]."""
        known = has_style[:, None].to(text.dtype)
        mean, log_variance = self.layers(torch.cat([text, style * known, known], dim=-1)).unbind(dim=-1)
        return mean + 2.5, log_variance.clamp(-6.0, 2.0)
