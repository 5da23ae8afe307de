"""CLIP's text features as motion models use them: one projected vector a text, or one vector a token."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from motifmix.encoders.clip_tokenizer import ClipTokenizer, repaired
from motifmix.encoders.text_features import TextFeatures, encoded_once
from motifmix.models.clip_text import ClipTextTower


class ClipText:
    """A tower with its tokeniser.

    ``feature``: ``embedding`` is the projected end token ``[N, 1, projection]`` (MLD, SMooDi, MDM), ``tokens`` all
    tokens after the last norm, padding included, ``[N, 77, width]`` (InterGen, in2IN; MLD's option "hidden").
    ``max_tokens``: a longer text is cut (MDM: 22). ``padding``: an id, or None for the end token, as the transformers
    library pads; it does not touch the embedding.
    """

    def __init__(
        self,
        tower: ClipTextTower,
        feature: Literal["embedding", "tokens"],
        tokenizer: ClipTokenizer | None = None,
        max_tokens: int | None = None,
        padding: int | None = 0,
        clean: Callable[[str], str] = repaired,
        batch_size: int = 64,
    ) -> None:
        self.tower = tower
        tower.eval().requires_grad_(False)
        self.feature = feature
        self.tokenizer = tokenizer or ClipTokenizer()
        self.max_tokens = max_tokens or tower.context_length
        self.padding = self.tokenizer.end_token if padding is None else padding
        self.clean = clean
        self.batch_size = batch_size

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return (self.tower.projection_dim if self.feature == "embedding" else None) or self.tower.width

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """Encode texts; see the class."""
        return encoded_once(texts, self._batch, self.batch_size, self.width)

    def ids(self, texts: Sequence[str]) -> Tensor:
        """Return token ids ``[N, context]``, cut at ``max_tokens`` and padded."""
        ids = self.tokenizer.encode(texts, self.max_tokens, self.padding, self.clean)
        room = self.tower.context_length - self.max_tokens
        return torch.nn.functional.pad(ids, (0, room), value=self.padding)

    def _batch(self, texts: list[str]) -> TextFeatures:
        ids = self.ids(texts).to(self.tower.positions.device)
        lengths = self.tokenizer.lengths(ids)
        if self.feature == "embedding":
            # What stands behind the end token cannot be seen from it: the longest text of the batch is enough.
            embedding = self.tower(ids[:, : int(lengths.max())]).embedding
            return TextFeatures(embedding[:, None], torch.ones(len(ids), 1, dtype=torch.bool, device=ids.device))
        valid_mask = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        return TextFeatures(self.tower(ids).tokens, valid_mask, ids)
