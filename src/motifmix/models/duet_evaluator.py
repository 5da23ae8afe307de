"""Evaluators of two-person motion and of the people in it: texts and motions in one space (InterCLIP's task, InterGen).

Small: the text tower stands on sentence embeddings (MiniLM), the motion tower is a temporal convolution net over the 262
features without the contacts, in metres, of one person or of two side by side. Own design; the published network of this
task is ``interclip.py``.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from motifmix.features.interhuman import BLOCKS
from motifmix.models.layers.clip_reading import DenseBlock, Downsampling, MomentPooling

USED = BLOCKS["foot_contacts"].start  # the contacts, which are left out, come last
SMALLEST_STD = 0.02  # of features; hardly moving ones must not be blown up into noise
SMALLEST_TEXT_STD = 0.01


class DuetEvaluator(nn.Module):
    """Embed motions of ``people`` people and sentence embeddings; both come out with unit length.

    ``dilations``: one inner list a level, the frame rate halved before each.
    """

    mean: Tensor
    std: Tensor
    text_mean: Tensor
    text_std: Tensor

    def __init__(
        self,
        people: int = 2,
        width: int = 96,
        kernel: int = 5,
        dilations: Sequence[Sequence[int]] = ((1,), (1, 2), (1, 2)),
        embedding: int = 128,
        text: int = 384,
        text_width: int = 192,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.people, self.dilations = people, [list(level) for level in dilations]
        self.register_buffer("mean", torch.zeros(USED))
        self.register_buffer("std", torch.ones(USED))
        self.register_buffer("text_mean", torch.zeros(text))
        self.register_buffer("text_std", torch.ones(text))
        self.input = nn.Linear(people * USED, width)
        self.downsamplings = nn.ModuleList(Downsampling(width, width, kernel) for _ in dilations)
        self.blocks = nn.ModuleList(
            DenseBlock(width, kernel, dilation, dropout) for level in dilations for dilation in level
        )
        self.norm = nn.LayerNorm(width)
        self.pooling = MomentPooling(width)
        self.dropout = nn.Dropout(2 * dropout)
        self.output = nn.Linear(self.pooling.channels_out, embedding)
        self.text_net = nn.Sequential(
            nn.Linear(text, text_width), nn.GELU(), nn.Dropout(2 * dropout), nn.Linear(text_width, embedding)
        )
        self.log_temperature = nn.Parameter(torch.tensor(math.log(10.0)))

    @torch.no_grad()
    def fit(self, features: Tensor, texts: Tensor) -> None:
        """Set means and deviations from frames [N, 262] and sentence embeddings [M, text]."""
        self.mean.copy_(features[:, :USED].mean(dim=0))
        self.std.copy_(features[:, :USED].std(dim=0).clamp(min=SMALLEST_STD))
        self.text_mean.copy_(texts.mean(dim=0))
        self.text_std.copy_(texts.std(dim=0).clamp(min=SMALLEST_TEXT_STD))

    def embed_motions(self, people: Tensor, valid_mask: Tensor) -> Tensor:
        """Features [B, P, T, 262], not normalised, with ``valid_mask`` [B, T] to [B, E].

        One person stands at the canonical start; of two the first one does, and the second where that puts him.
        """
        x = ((people[..., :USED] - self.mean) / self.std).transpose(1, 2).flatten(2)  # [B, T, P F]
        x = self.input(x)
        blocks = iter(self.blocks)
        for downsampling, level in zip(self.downsamplings, self.dilations, strict=True):
            x, valid_mask = downsampling(x, valid_mask)  # [B, T / 2, D]
            for _ in level:
                x = next(blocks)(x, valid_mask)
        return nn.functional.normalize(self.output(self.dropout(self.pooling(self.norm(x), valid_mask))), dim=-1)

    def embed_texts(self, sentences: Tensor) -> Tensor:
        """Sentence embeddings [B, text] to [B, E]."""
        return nn.functional.normalize(self.text_net((sentences - self.text_mean) / self.text_std), dim=-1)

    def forward(self, people: Tensor, valid_mask: Tensor, sentences: Tensor) -> tuple[Tensor, Tensor]:
        """Embed paired motions and sentences, [B, E] each."""
        return self.embed_motions(people, valid_mask), self.embed_texts(sentences)
