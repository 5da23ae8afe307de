"""A small reader of styles, for guidance: it names the style of a clip, and its inner statistics can be pulled at.

SMooDi (ECCV 2024, section 3.4) takes the means and deviations of a style classifier's last layer over time as what a
style is. The published classifier is a transformer over frames; here it has the style encoder's architecture, a strided
convolution, which reads a clip in a fraction of the time. It guides and must never score.
"""

import torch
from torch import Tensor, nn

from motifmix.models.temporal_vae import STRIDE, TemporalEncoder


class StyleReader(nn.Module):
    """Normalised features [B, T, F] to logits of styles [B, classes]."""

    def __init__(self, features: int = 269, width: int = 128, classes: int = 15, dropout: float = 0.2) -> None:
        super().__init__()
        self.encoder = TemporalEncoder(features, width)
        self.head = nn.Sequential(
            nn.LayerNorm(2 * width),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
            nn.GELU(),
            nn.Linear(width, classes),
        )

    def statistics(self, features: Tensor, valid: Tensor) -> Tensor:
        """Means and deviations over time of the last layer, [B, 2 width]; ``valid`` [B, T], T a multiple of 4."""
        hidden = self.encoder(features, valid)  # [B, T / 4, width]
        weight = valid[:, ::STRIDE, None].to(hidden.dtype)
        count = weight.sum(dim=1).clamp(min=1.0)
        mean = (hidden * weight).sum(dim=1) / count
        spread = (((hidden - mean[:, None]) ** 2 * weight).sum(dim=1) / count + 1e-6).sqrt()
        return torch.cat([mean, spread], dim=-1)

    def forward(self, features: Tensor, valid: Tensor) -> Tensor:
        """Return the logits."""
        return self.head(self.statistics(features, valid))
