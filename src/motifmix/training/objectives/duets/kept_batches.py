"""Batches that take long to make, made once and kept on disk: all Mixers between two models learn from the same."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motifmix.atomic import replacing_all

Items = dict[str, Tensor]
"""Tensors [B, ...] by name, of the same items each."""


@dataclass(frozen=True)
class Fields:
    """The names of what is kept: ``large`` ones [B, P, T, F] in half precision (a millimetre in two metres), ``small`` as it is.

    ``valid`` [B, T] must be among the small ones: batches come with frames of their own number, ``frames`` at most.
    """

    large: tuple[str, ...]
    small: tuple[str, ...]
    frames: int


class KeptBatches:
    """``count`` items, drawn from in any order."""

    def __init__(self, path: Path, fields: Fields) -> None:
        self.fields = fields
        self._large = np.load(path.with_suffix(".npy"), mmap_mode="r")  # [N, large, P, T, F]
        with np.load(path.with_suffix(".npz")) as small:
            self.small = {name: torch.from_numpy(small[name]) for name in fields.small}

    @classmethod
    def of(cls, path: Path, fields: Fields, count: int, make: Callable[[], Items]) -> "KeptBatches":
        """Read what lies at ``path`` (:func:`place_of`), or make it: ``make()`` gives a batch.

        Nothing half-written is ever read.
        """
        files = [path.with_suffix(".npy"), path.with_suffix(".npz")]
        if not all(file.exists() for file in files):
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing_all(files, force=True) as (large, small), small.open("wb") as file:
                np.savez(file, **_written(large, fields, count, make))  # pyright: ignore[reportArgumentType]
        return cls(path, fields)

    def draw(self, rng: np.random.Generator, count: int, of: range | None = None) -> Items:
        """Draw a batch, nothing twice in it, of the items ``of`` or of all."""
        of = range(len(self._large)) if of is None else of
        rows = np.sort(of.start + rng.choice(len(of), count, replace=False))
        own = {name: value[rows] for name, value in self.small.items()}
        longest = int(own["valid"].sum(dim=1).max())
        own["valid"] = own["valid"][:, :longest]
        large = torch.from_numpy(self._large[rows][:, :, :, :longest].astype(np.float32))
        return {**own, **dict(zip(self.fields.large, large.unbind(1), strict=True))}


def place_of(folder: Path, name: str, stamps: Sequence[str]) -> Path:
    """Return where items lie that these ``stamps`` tell from others."""
    return folder / f"{name}-{hashlib.sha256(chr(10).join(stamps).encode()).hexdigest()[:20]}"


def _written(path: Path, fields: Fields, count: int, make: Callable[[], Items]) -> dict[str, np.ndarray]:
    """Write the large arrays to ``path``; returns the small ones."""
    small: dict[str, list[Tensor]] = {name: [] for name in fields.small}
    large: np.ndarray | None = None
    begin = 0
    while begin < count:
        made = make()
        first = made[fields.large[0]]
        size, frames = min(len(first), count - begin), first.shape[2]
        if large is None:
            large = np.lib.format.open_memmap(
                path, "w+", np.float16, (count, len(fields.large), first.shape[1], fields.frames, first.shape[3])
            )
        for place, name in enumerate(fields.large):
            large[begin : begin + size, place, :, :frames] = made[name][:size].half().numpy()
        for name in fields.small:
            value = made[name][:size]
            if name == "valid":
                value = torch.nn.functional.pad(value, (0, large.shape[3] - frames))
            small[name].append(value)
        begin += size
    assert large is not None  # count is above 0
    large.flush()
    return {name: torch.cat(values).numpy() for name, values in small.items()}
