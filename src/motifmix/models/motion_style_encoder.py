"""StyleMotif's style encoder (Guo et al., ICCV 2025): a copy of the encoder of MLD's VAE, read at its mean.

It is all that StyleMotif trains. It begins as the encoder of a VAE that was trained on contents and then on styles, whose
decoder is thrown away; its 7,829,760 parameters are the paper's 7.8 M.
"""

import torch
from torch import Tensor, nn

from motifmix.models.layers.skip_transformer import LearnedPositions, SkipStack
from motifmix.models.layers.transformer import Activation, EncoderLayer
from motifmix.models.mld_vae import MotionVAE


class MotionStyleEncoder(nn.Module):
    """Normalised features [B, T, features] to a style feature [B, width]; names are those of :class:`MotionVAE`."""

    def __init__(
        self,
        features: int = 263,
        width: int = 256,
        feed_forward: int = 1024,
        layers: int = 9,
        heads: int = 4,
        dropout: float = 0.1,
        activation: Activation = "gelu",
        pre_norm: bool = False,
        epsilon: float = 1e-5,
        positions: int = 500,
    ) -> None:
        super().__init__()
        self.tokens = nn.Parameter(torch.randn(2, width))
        self.embed = nn.Linear(features, width)
        self.encoder_positions = LearnedPositions(positions, width)
        self.encoder = SkipStack(
            EncoderLayer, layers, width, heads, feed_forward, dropout, activation, pre_norm, epsilon
        )

    def begin_as(self, vae: MotionVAE) -> None:
        """Take over the encoder of a VAE of one latent token. Raises ``RuntimeError`` where the sizes differ."""
        own = self.state_dict()
        self.load_state_dict({name: value for name, value in vae.state_dict().items() if name in own})

    def forward(self, features: Tensor, valid_mask: Tensor | None = None) -> Tensor:
        """``features`` [B, T, F], ``valid_mask`` [B, T] (True = real; None reads padding like frames); [B, width]."""
        x = torch.cat([self.tokens.expand(len(features), -1, -1), self.embed(features)], dim=1)
        if valid_mask is not None:
            valid_mask = torch.cat([valid_mask.new_ones(len(features), len(self.tokens)), valid_mask], dim=1)
        return self.encoder(self.encoder_positions(x), valid_mask)[:, 0]
