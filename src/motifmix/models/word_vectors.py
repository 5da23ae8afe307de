"""A table of word vectors with its words, as one module, so that GloVe's files are kept and checked like any weights."""

import torch
from torch import Tensor, nn


class WordVectors(nn.Module):
    """``vectors`` [words, dim], and ``letters``: the words in the order of the rows, UTF-8, one a line."""

    vectors: Tensor
    letters: Tensor

    def __init__(self, words: int, letters: int, dim: int = 300) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(words, dim))
        self.register_buffer("letters", torch.zeros(letters, dtype=torch.uint8))

    @property
    def words(self) -> list[str]:
        """The words in the order of the rows."""
        return bytes(self.letters.numpy()).decode("utf-8").split("\n")

    def forward(self, rows: Tensor) -> Tensor:
        """``rows`` [...] to vectors [..., dim]."""
        return self.vectors[rows]
