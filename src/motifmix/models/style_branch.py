"""SMooDi's style adaptor (Zhong et al., ECCV 2024, section 3.3) for the default latent denoiser.

A trainable copy of the denoiser's input side, its embeddings and first blocks, that also sees the style; what leaves each
copied block goes through a linear layer that begins at zero and is added to the output of the frozen block (as in
ControlNet). The published network copies a transformer of 9 blocks, of which the 4 input blocks act; here the first
``blocks`` are copied and nothing else, so every number that is trained reaches the output.
"""

import torch
from torch import Tensor, nn

from motifmix.models.latent_denoiser import PREFIX, LatentDenoiser


class StyleBranch(nn.Module):
    """From noisy latents, time, text and a style vector to what is added after each of the first ``blocks`` blocks."""

    def __init__(
        self,
        latent: int = 32,
        text: int = 384,
        width: int = 160,
        blocks: int = 2,
        heads: int = 5,
        style: int = 128,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.copy = LatentDenoiser(latent, text, width, blocks, heads, dropout)
        del self.copy.norm, self.copy.output  # behind the last block, where nothing of the copy goes
        self.style = nn.Linear(style, width)
        self.zero_linears = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        for parameter in self.zero_linears.parameters():
            nn.init.zeros_(parameter)

    def begin_from(self, base: LatentDenoiser) -> None:
        """Take the weights of the denoiser that this branch is to steer."""
        known = base.state_dict()
        self.copy.load_state_dict({name: known[name] for name in self.copy.state_dict()})

    def forward(
        self, noisy: Tensor, time: Tensor, text: Tensor, has_text: Tensor, valid: Tensor, style: Tensor
    ) -> list[Tensor]:
        """As :class:`LatentDenoiser`, with ``style`` [B, style]; returns [B, 2 + L, width] for each copied block."""
        x, cosine, sine, everyone = self.copy.embed(noisy, time, text, has_text, valid)
        # Published: the style is added to the noisy latent, which is as wide as the network there.
        x = torch.cat([x[:, :PREFIX], x[:, PREFIX:] + self.style(style)[:, None]], dim=1)
        control = []
        for block, linear in zip(self.copy.blocks, self.zero_linears, strict=True):
            x = block(x, cosine, sine, everyone, prefix=PREFIX)
            control.append(linear(x))
        return control
