"""SMooDi's style network (Zhong et al., ECCV 2024; published symbol ``StyleClassification``).

A plain transformer over two learned tokens and the frames. It is used three ways: its first token is the style embedding
inside SMooDi's denoiser, the statistics of its last layers pull a motion towards a reference, and its head names the
style. The paper calls it one layer, the code has six.
"""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motifmix.models.layers.skip_transformer import LearnedPositions
from motifmix.models.layers.transformer import Activation, EncoderLayer
from motifmix.quirks import Quirk

TOKENS = 2
STATISTICS_OVER_EVERYTHING = Quirk(
    "statistics_over_everything",
    "SMooDi: style statistics run over the two learned tokens and over padding too, and padding is never hidden from "
    "attention; its guidance and its figures were made so",
)


@dataclass(frozen=True)
class LayerStatistics:
    """Mean and unbiased standard deviation of a layer's output over time, [B, D] each."""

    mean: Tensor
    std: Tensor


class StyleNetwork(nn.Module):
    """Reads normalised features [B, T, features]; the defaults are the published sizes with 100 styles.

    ``memory_positions`` and ``unused_head`` never reach an output; they are stored in published files and counted in
    published sizes.
    """

    def __init__(
        self,
        features: int = 263,
        classes: int = 100,
        width: int = 256,
        feed_forward: int = 1024,
        layers: int = 6,
        heads: int = 4,
        dropout: float = 0.1,
        activation: Activation = "gelu",
        pre_norm: bool = False,
        epsilon: float = 1e-5,
        positions: int = 500,
        quirks: Collection[Quirk] = (),
    ) -> None:
        super().__init__()
        self.quirks = tuple(quirks)
        self.tokens = nn.Parameter(torch.randn(TOKENS, width))
        self.embed = nn.Linear(features, width)
        self.positions = LearnedPositions(positions, width)
        self.memory_positions = LearnedPositions(positions, width)
        self.layers = nn.ModuleList(
            EncoderLayer(width, heads, feed_forward, dropout, activation, pre_norm, epsilon) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, epsilon)
        self.head = nn.Linear(width, classes)
        self.unused_head = nn.Conv1d(width, classes, 5)

    def tokens_of(self, motion: Tensor, valid_mask: Tensor | None = None) -> Tensor:
        """Return all tokens after the final norm, [B, 2 + T, D]; ``valid_mask`` [B, T] hides frames from attention."""
        return self.norm(self._layer_outputs(motion, valid_mask)[-1])

    def embedding(self, motion: Tensor, valid_mask: Tensor | None = None) -> Tensor:
        """Return the style embedding [B, D]: the first token."""
        return self.tokens_of(motion, valid_mask)[:, 0]

    def forward(self, motion: Tensor, valid_mask: Tensor | None = None) -> Tensor:
        """Return the logits of the styles, [B, classes]."""
        return self.head(self.embedding(motion, valid_mask))

    def statistics(self, motion: Tensor, valid_mask: Tensor | None = None, last: int = 2) -> list[LayerStatistics]:
        """Return the statistics of the ``last`` layers' raw outputs over the real frames, or over all tokens by quirk."""
        outputs = self._layer_outputs(motion, valid_mask)[-last:]
        if STATISTICS_OVER_EVERYTHING in self.quirks:
            return [LayerStatistics(x.mean(dim=1), x.std(dim=1)) for x in outputs]
        if valid_mask is None:
            return [LayerStatistics(x[:, TOKENS:].mean(dim=1), x[:, TOKENS:].std(dim=1)) for x in outputs]
        weight = valid_mask[..., None].to(motion.dtype)
        count = weight.sum(dim=1)  # [B, 1]
        found = []
        for x in outputs:
            frames = x[:, TOKENS:]
            mean = (frames * weight).sum(dim=1) / count
            squares = ((frames - mean[:, None]).square() * weight).sum(dim=1) / (count - 1.0).clamp(min=1.0)
            found.append(LayerStatistics(mean, (squares + 1e-12).sqrt()))
        return found

    def _layer_outputs(self, motion: Tensor, valid_mask: Tensor | None) -> list[Tensor]:
        x = torch.cat([self.tokens.expand(len(motion), -1, -1), self.embed(motion)], dim=1)
        if valid_mask is not None:
            valid_mask = torch.cat([valid_mask.new_ones(len(motion), TOKENS), valid_mask], dim=1)
        x = self.positions(x)
        outputs = []
        for layer in self.layers:
            x = layer(x, valid_mask)
            outputs.append(x)
        return outputs
