"""Sentences for the small models: MiniLM's vectors, scaled so that a number has about the size 1; no text is zeros."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from motifmix.encoders.text import WIDTH
from motifmix.training.texts import embedded

TEXT_SCALE = float(np.sqrt(WIDTH))  # MiniLM's vectors have the length 1


class ScaledTexts:
    """Vectors of all sentences that training may say, encoded once."""

    def __init__(self, texts: Sequence[str]) -> None:
        distinct = sorted({text for text in texts if text})
        self.row = {text: number for number, text in enumerate(distinct)}
        self.vectors = TEXT_SCALE * embedded(distinct)

    def __call__(self, texts: Sequence[str], device: torch.device) -> Tensor:
        """Return ``[N, 384]``; an empty sentence is zeros."""
        rows = [self.vectors[self.row[text]] if text else torch.zeros(WIDTH) for text in texts]
        return torch.stack(rows).to(device)


def kept(count: int, chance: float, generator: torch.Generator) -> Tensor:
    """Return which of ``count`` texts are said, ``[count]`` of 0 and 1; each is dropped by a ``chance``."""
    return (torch.rand(count, generator=generator) >= chance).float()
