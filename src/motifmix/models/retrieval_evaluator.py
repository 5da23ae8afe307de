"""Motion-text evaluator: one space for captions and clips, where R-precision, MM-Dist and the content set's FID live.

The task is that of Guo et al. 2022 (their evaluators' co-embedding) with the contrastive training of TMR; both towers
are small, as the text tower stands on sentence embeddings (MiniLM) and the motion tower on body-size-free inputs.
"""

import math

import torch
from torch import Tensor, nn

from motifmix.models.recogniser import TemporalConfig, TemporalNet

SMALLEST_TEXT_STD = 0.01


class RetrievalEvaluator(nn.Module):
    """Embed clips and sentence embeddings; both come out with unit length.

    Args:
        config: size of the motion tower; its ``feature_dim`` is the dimension of the common space.
        text_dim: dimension of the sentence embeddings.
    """

    text_mean: Tensor
    text_std: Tensor

    def __init__(self, config: TemporalConfig, text_dim: int = 384) -> None:
        super().__init__()
        self.register_buffer("text_mean", torch.zeros(text_dim))
        self.register_buffer("text_std", torch.full((text_dim,), 1.0 / math.sqrt(text_dim)))
        self.motion_net = TemporalNet(config)
        self.motion_out = nn.Linear(config.feature_dim, config.feature_dim)
        self.text_net = nn.Sequential(
            nn.Linear(text_dim, 256),
            nn.GELU(),
            nn.Dropout(2 * config.dropout),
            nn.Linear(256, 256),
            nn.GELU(),
            nn.Linear(256, config.feature_dim),
        )
        self.log_temperature = nn.Parameter(torch.tensor(math.log(10.0)))

    @torch.no_grad()
    def fit_texts(self, sentences: Tensor) -> None:
        """Set the mean and the deviation of the sentence embeddings ``[n, text_dim]`` from a sample."""
        self.text_mean.copy_(sentences.mean(dim=0))
        # One dimension of MiniLM is zero for every text (deviation 1e-33): any noise on it would drown the rest.
        self.text_std.copy_(sentences.std(dim=0).clamp(min=SMALLEST_TEXT_STD))

    def embed_motions(self, joint_positions: Tensor, valid_mask: Tensor) -> Tensor:
        """Clips ``[B, T, 22, 3]`` (metres, Y up) with ``valid_mask [B, T]`` to ``[B, feature_dim]``."""
        return nn.functional.normalize(
            self.motion_out(nn.functional.gelu(self.motion_net(joint_positions, valid_mask))), dim=-1
        )

    def embed_texts(self, sentences: Tensor) -> Tensor:
        """Sentence embeddings ``[B, text_dim]`` to ``[B, feature_dim]``."""
        return nn.functional.normalize(self.text_net((sentences - self.text_mean) / self.text_std), dim=-1)

    def forward(self, joint_positions: Tensor, valid_mask: Tensor, sentences: Tensor) -> tuple[Tensor, Tensor]:
        """Embed paired clips and sentences, ``[B, feature_dim]`` each."""
        return self.embed_motions(joint_positions, valid_mask), self.embed_texts(sentences)
