"""The evaluators of text-to-motion (Guo et al., CVPR 2022): the spaces in which FID and R-precision are measured.

Two stride-two convolutions turn four frames into one snippet, a bidirectional GRU reads the snippets, another one the
words of the caption (GloVe vectors and parts of speech); both end in one space of 512 numbers. They read features that
are normalised with the *evaluators'* mean and standard deviation, not with the data's.
"""

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from motifmix.quirks import Quirk

SNIPPET = 4  # frames
CONTACTS = 4  # foot contacts, last in the features, are not read
SLOPE = 0.2  # of the leaky ReLUs
EVALUATOR_SEES_PADDING = Quirk(
    "evaluator_sees_padding",
    "Guo et al.: the last snippet of a clip sees the padding behind it through the convolutions, so an embedding depends "
    "on the batch that the clip is in; published figures were measured so",
)


class SnippetEncoder(nn.Module):
    """Frames [B, T, F] to snippets [B, T // 4, latent] (published symbol ``MovementConvEncoder``)."""

    def __init__(self, features: int, hidden: int, latent: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Conv1d(features, hidden, 4, stride=2, padding=1)
        self.second = nn.Conv1d(hidden, latent, 4, stride=2, padding=1)
        self.out = nn.Linear(latent, latent)
        self.after = nn.Sequential(nn.Dropout(dropout), nn.LeakyReLU(SLOPE))

    def forward(self, frames: Tensor, snippets: Tensor | None = None) -> Tensor:
        """``snippets`` [B] hides the frames behind that many whole snippets; without it padding is read like frames."""
        x = frames.transpose(1, 2)
        if snippets is None:
            return self.out(self.after(self.second(self.after(self.first(x)))).transpose(1, 2))
        x = self.after(self.first(_cut(x, snippets * SNIPPET)))
        return self.out(self.after(self.second(_cut(x, snippets * (SNIPPET // 2)))).transpose(1, 2))


class SequenceEncoder(nn.Module):
    """A sequence to one vector: linear, bidirectional GRU with a learned start, and a small net on its last states."""

    def __init__(self, inputs: int, hidden: int, embedding: int) -> None:
        super().__init__()
        self.embed = nn.Linear(inputs, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.start = nn.Parameter(torch.randn(2, 1, hidden))
        self.output = nn.Sequential(
            nn.Linear(2 * hidden, hidden), nn.LayerNorm(hidden), nn.LeakyReLU(SLOPE), nn.Linear(hidden, embedding)
        )

    def forward(self, sequence: Tensor, lengths: Tensor) -> Tensor:
        """``sequence`` [B, L, inputs], ``lengths`` [B], in any order; returns [B, embedding]."""
        packed = pack_padded_sequence(self.embed(sequence), lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, last = self.gru(packed, self.start.expand(-1, len(sequence), -1).contiguous())
        return self.output(torch.cat([last[0], last[1]], dim=-1))


class TextMotionEvaluator(nn.Module):
    """Embeds motions and captions; items come back in the order in which they were given."""

    def __init__(
        self,
        features: int = 263,
        word_dim: int = 300,
        tag_dim: int = 15,
        text_hidden: int = 512,
        movement_hidden: int = 512,
        movement_latent: int = 512,
        motion_hidden: int = 1024,
        embedding: int = 512,
        dropout: float = 0.2,
        quirks: Collection[Quirk] = (),
    ) -> None:
        super().__init__()
        self.quirks = tuple(quirks)
        self.tags = nn.Linear(tag_dim, word_dim)
        self.text = SequenceEncoder(word_dim, text_hidden, embedding)
        self.movement = SnippetEncoder(features - CONTACTS, movement_hidden, movement_latent, dropout)
        self.motion = SequenceEncoder(movement_latent, motion_hidden, embedding)

    def snippets(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Return the snippets [B, T // 4, latent] of clips; see :meth:`embed_motions`."""
        seen = None if EVALUATOR_SEES_PADDING in self.quirks else torch.div(lengths, SNIPPET, rounding_mode="floor")
        return self.movement(features[..., :-CONTACTS], seen)

    def embed_motions(self, features: Tensor, lengths: Tensor) -> Tensor:
        """``features`` [B, T, F] in the evaluators' normalisation, ``lengths`` [B] in frames; returns [B, embedding].

        Frames behind the last whole snippet are not read. Raises ``ValueError`` for a clip shorter than one snippet.
        """
        if int(lengths.min()) < SNIPPET:
            raise ValueError(f"a clip of {int(lengths.min())} frames is shorter than one snippet of {SNIPPET}")
        return self.motion(self.snippets(features, lengths), torch.div(lengths, SNIPPET, rounding_mode="floor"))

    def embed_texts(self, words: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """``words`` [B, L, word_dim], ``tags`` [B, L, tag_dim] (one-hot), ``lengths`` [B]; returns [B, embedding]."""
        return self.text(words + self.tags(tags), lengths)


def _cut(x: Tensor, lengths: Tensor) -> Tensor:
    """Set [B, C, T] to zero behind ``lengths`` [B], so that padding equals the end of the clip."""
    return x * (torch.arange(x.shape[-1], device=x.device) < lengths[:, None])[:, None].to(x.dtype)
