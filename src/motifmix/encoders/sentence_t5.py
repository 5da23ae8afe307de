"""Sentences as MotionLCM reads them: one unit vector of sentence-T5 a text."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer

from motifmix.encoders.text_features import TextFeatures, encoded_once
from motifmix.errors import WeightsError
from motifmix.models.sentence_t5 import SentenceT5

MAX_TOKENS = 256


class SentenceT5Text:
    """The network with its tokeniser, whose file adds the end token to every text."""

    def __init__(self, network: SentenceT5, tokenizer: Tokenizer, batch_size: int = 32) -> None:
        self.network = network
        network.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.batch_size = batch_size

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return self.network.dense.out_features

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """Return ``[N, 1, 768]``."""
        return encoded_once(texts, self._batch, self.batch_size, self.width)

    def _batch(self, texts: list[str]) -> TextFeatures:
        rows = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        device = self.network.dense.weight.device
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=device)
        valid_mask = torch.arange(longest, device=device) < torch.tensor([[len(row)] for row in rows], device=device)
        return TextFeatures(
            self.network(ids, valid_mask)[:, None], torch.ones(len(rows), 1, dtype=torch.bool, device=device)
        )


def read_tokenizer(path: Path) -> Tokenizer:
    """Read ``tokenizer.json``. Raises ``WeightsError``."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise WeightsError(f"{path} is no tokeniser ({error}); fetch it again") from error
    if not tokenizer.encode("").ids:
        raise WeightsError(f"{path} adds no end token to a text; it is not the tokeniser of sentence-T5")
    return tokenizer
