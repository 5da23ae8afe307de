"""MixerMDM's discriminators (Ruiz-Ponce et al., CVPR 2025): does this motion look like the pre-trained model's own?

One for each pre-trained model: the individual one sees one person (centred), the interaction one both side by side. A
clean motion, its text and the diffusion step come in, one score a frame comes out, without pooling or squashing.
"""

from torch import Tensor, nn

from motifmix.models.layers.adaptive_block import AdaptiveFeedForward, AdaptiveSelfAttention
from motifmix.models.layers.sinusoids import add_positions, sinusoids
from motifmix.models.layers.timestep_embedding import TimestepNet
from motifmix.models.mixer import Hook

PERSON_FEATURES = 262


class DiscriminatorBlock(nn.Module):
    """Self-attention and feed-forward."""

    def __init__(self, width: int, heads: int, feed_forward: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.self_attention = AdaptiveSelfAttention(width, heads, dropout)
        self.feed_forward = AdaptiveFeedForward(width, feed_forward, dropout)

    def forward(self, x: Tensor, condition: Tensor, valid_mask: Tensor | None = None) -> Tensor:
        """``x`` [B, T, D], ``condition`` [B, D], ``valid_mask`` [B, T]."""
        return self.feed_forward(self.self_attention(x, condition, valid_mask), condition)


class Discriminator(nn.Module):
    """Scores each frame of a motion; the defaults are the published size for one person (1,974,529 parameters).

    For two people ``features`` is 524 (2,041,601 parameters).
    """

    def __init__(
        self,
        features: int = PERSON_FEATURES,
        width: int = 256,
        feed_forward: int = 512,
        blocks: int = 2,
        heads: int = 4,
        text: int = 768,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.width = width
        self.input = nn.Linear(features, width)
        self.time = TimestepNet(width, width)
        self.text = nn.Linear(text, width)
        self.blocks = nn.ModuleList(DiscriminatorBlock(width, heads, feed_forward, dropout) for _ in range(blocks))
        self.output = nn.Linear(width, 1)

    def forward(
        self,
        motion: Tensor,
        timesteps: Tensor,
        text: Tensor,
        valid_mask: Tensor | None = None,
        hook: Hook | None = None,
    ) -> Tensor:
        """``motion`` [B, T, features] (not normalised), ``timesteps`` [B], ``text`` [B, text]; returns [B, T, 1].

        ``hook(number, tokens)`` may change what block ``number`` (from 1) hands on, [B, T, D].
        """
        condition = self.time(sinusoids(timesteps, self.width).to(motion.dtype)) + self.text(text)
        x = add_positions(self.input(motion))
        for number, block in enumerate(self.blocks, start=1):
            x = block(x, condition, valid_mask)
            x = x if hook is None else hook(number, x)
        return self.output(x)
