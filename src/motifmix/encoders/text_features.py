"""The one interface of text encoders: sentences in, features with their mask out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class TextFeatures:
    """What an encoder makes of N texts.

    ``values`` ``[N, L, D]``: one vector a text (L is 1) or one a token. ``valid_mask`` ``[N, L]``: true up to the end of
    the text. Some published models also look at what stands behind it, so those values are kept.
    ``ids`` ``[N, L]``: the tokens, where there is one vector for each.
    """

    values: Tensor
    valid_mask: Tensor
    ids: Tensor | None = None


class TextEncoder(Protocol):
    """A published text encoder; ``width`` is D. The empty sentence is encoded like any other."""

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        ...

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """Encode texts in the order given; a text's features do not depend on its neighbours."""
        ...


def encoded_once(
    texts: Sequence[str], encode: Callable[[list[str]], TextFeatures], batch_size: int, width: int
) -> TextFeatures:
    """Encode each different text once, in batches, without gradients; ``width`` is for no texts at all."""
    distinct = list(dict.fromkeys(texts))
    if not distinct:
        return TextFeatures(torch.zeros(0, 1, width), torch.zeros(0, 1, dtype=torch.bool))
    with torch.no_grad():
        parts = [encode(distinct[i : i + batch_size]) for i in range(0, len(distinct), batch_size)]
    row = {text: i for i, text in enumerate(distinct)}
    order = torch.tensor([row[text] for text in texts])
    ids = [part.ids for part in parts if part.ids is not None]
    return TextFeatures(
        torch.cat([part.values for part in parts])[order],
        torch.cat([part.valid_mask for part in parts])[order],
        torch.cat(ids)[order] if ids else None,
    )
