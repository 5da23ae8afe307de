"""Features of every sentence of a training set, encoded once by a frozen published encoder and kept on disk.

A run and its continuation read the same numbers, whatever stood beside a sentence when it was encoded. Token features
(InterGen's kind) take 118 kB a sentence in half precision, so InterHuman with its mirrored texts takes some 10 GB.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motifmix.encoders.text_features import TextEncoder
from motifmix.encoders.tiny import Kind, published_or_tiny
from motifmix.home import home

_AT_ONCE = 256


class EncodedTexts:
    """Rows by sentence; the empty sentence is always among them. ``kind`` says what a tiny encoder gives.

    ``encoder`` is one of the published names or ``tiny``; ``folder`` is where its files lie. Raises ``WeightsError`` that
    names the files to fetch where there are none.
    """

    def __init__(self, texts: Iterable[str], encoder: str, kind: Kind, width: int, folder: str | None = None) -> None:
        distinct = sorted({"", *texts})
        key = hashlib.sha256("\n".join([encoder, kind, str(width), str(folder), *distinct]).encode()).hexdigest()[:20]
        self.row = {text: number for number, text in enumerate(distinct)}
        place = home() / "cache" / f"{encoder}-{key}"
        if not (place / "values.npy").exists():
            encode_to(place, distinct, published_or_tiny(encoder, kind, width, folder))
        self.values = np.load(place / "values.npy", mmap_mode="r")
        self.ids = np.load(place / "ids.npy", mmap_mode="r") if (place / "ids.npy").exists() else None

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return self.values.shape[-1]

    def __call__(self, texts: Sequence[str], device: torch.device) -> Tensor:
        """Return features [N, L, D]."""
        rows = [self.row[text] for text in texts]
        return torch.from_numpy(self.values[rows].astype(np.float32)).to(device)

    def tokens(self, texts: Sequence[str], device: torch.device) -> Tensor:
        """Return token ids [N, L], of encoders that have a vector a token."""
        assert self.ids is not None
        return torch.from_numpy(self.ids[[self.row[text] for text in texts]].astype(np.int64)).to(device)


def encode_to(place: Path, texts: Sequence[str], encoder: TextEncoder) -> None:
    """Write ``values.npy`` and, for token features, ``ids.npy`` to a folder that appears whole or not at all."""
    tower = getattr(encoder, "tower", None)
    if isinstance(tower, torch.nn.Module) and torch.cuda.is_available():
        tower.to("cuda")
    beside = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    beside.mkdir(parents=True)
    values = ids = None
    for start in range(0, len(texts), _AT_ONCE):
        part = encoder.encode(texts[start : start + _AT_ONCE])
        if values is None:
            shape, stored = (len(texts), *part.values.shape[1:]), np.float32 if part.ids is None else np.float16
            values = np.lib.format.open_memmap(beside / "values.npy", "w+", stored, shape)
            ids = None if part.ids is None else np.empty((len(texts), part.ids.shape[1]), np.int32)
        values[start : start + _AT_ONCE] = part.values.cpu().numpy()
        if ids is not None and part.ids is not None:
            ids[start : start + _AT_ONCE] = part.ids.cpu().numpy()
    if ids is not None:
        np.save(beside / "ids.npy", ids)
    del values
    try:
        beside.rename(place)
    except OSError:  # another process of this run was first, with the same numbers
        for path in (*beside.iterdir(),):
            path.unlink()
        beside.rmdir()
