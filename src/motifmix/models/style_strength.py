"""How strongly a style should act, item by item and step by step: a factor on the fusion's gamma.

One gamma for all is StyleMotif's: what makes a walk old makes a wave no longer a wave. This small network reads the
sentence, the style and the time of the denoising. It starts at a factor of one everywhere.
"""

import torch
from torch import Tensor, nn


class StyleStrength(nn.Module):
    """Factors between 0 and ``most``."""

    def __init__(self, text: int = 384, style: int = 128, width: int = 64, most: float = 3.0) -> None:
        super().__init__()
        self.most = most
        self.layers = nn.Sequential(
            nn.Linear(text + style + 2, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1)
        )
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, -torch.log(torch.tensor(most - 1.0)).item())

    def forward(self, text: Tensor, has_text: Tensor, style: Tensor, time: Tensor) -> Tensor:
        """``text`` [B, text], said to those who ``has_text`` [B]; ``style`` [B, style], ``time`` [B] in 0..1; [B]."""
        told = has_text[:, None].to(style.dtype)
        seen = torch.cat([text * told, style, told, time[:, None]], dim=1)
        return self.most * torch.sigmoid(self.layers(seen)[:, 0])
