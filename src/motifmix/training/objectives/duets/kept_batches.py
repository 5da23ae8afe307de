"""Batches that take long to make, made once and kept on disk: all Mixers between two models learn from the same.

A batch depends on its number alone, so that who was killed goes on with the batch at which he was. One process makes them;
another that needs the same waits.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from motifmix.atomic import replacing
from motifmix.training.loop import Preparation

Items = dict[str, Tensor]
"""Tensors [B, ...] by name, of the same items each."""
SAVED_EVERY = 16  # batches


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
            self._small = {name: torch.from_numpy(small[name]) for name in fields.small}

    @classmethod
    def of(
        cls,
        path: Path,
        fields: Fields,
        count: int,
        make: Callable[[int], Items],
        progress: Preparation | None = None,
    ) -> "KeptBatches":
        """Read what lies at ``path`` (:func:`place_of`), or make it: ``make(number)`` gives a batch, the same size each.

        Nothing half-written is ever read; who made a part of it before goes on there. ``progress`` is told the items.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            if not all(path.with_suffix(suffix).exists() for suffix in (".npy", ".npz")):
                _Unfinished(path, fields, count).finish(make, progress)
        return cls(path, fields)

    def draw(self, rng: np.random.Generator, count: int) -> Items:
        """Draw a batch, nothing twice in it."""
        rows = np.sort(rng.choice(len(self._large), count, replace=False))
        own = {name: value[rows] for name, value in self._small.items()}
        longest = int(own["valid"].sum(dim=1).max())
        own["valid"] = own["valid"][:, :longest]
        large = torch.from_numpy(self._large[rows][:, :, :, :longest].astype(np.float32))
        return {**own, **dict(zip(self.fields.large, large.unbind(1), strict=True))}


def place_of(folder: Path, name: str, stamps: Sequence[str]) -> Path:
    """Return where items lie that these ``stamps`` tell from others."""
    return folder / f"{name}-{hashlib.sha256(chr(10).join(stamps).encode()).hexdigest()[:20]}"


class _Unfinished:
    """What was made so far: large arrays in place, and beside them the small ones, which say how far they count."""

    def __init__(self, path: Path, fields: Fields, count: int) -> None:
        self.path, self.fields, self.count = path, fields, count
        self.large_part, self.small_part = (path.with_name(f".{path.name}.part{end}") for end in (".npy", ".npz"))
        self.small: dict[str, list[np.ndarray]] = {name: [] for name in fields.small}
        self.batches = 0
        if self.small_part.exists() and path.with_suffix(".npy").exists():  # killed between the two names
            os.replace(path.with_suffix(".npy"), self.large_part)
        if self.small_part.exists() and self.large_part.exists():
            with np.load(self.small_part) as arrays:
                self.small = {name: [arrays[name]] for name in fields.small}
                self.batches = int(arrays["batches"])

    def finish(self, make: Callable[[int], Items], progress: Preparation | None) -> None:
        """Make what is missing, and give it its name."""
        large = np.load(self.large_part, mmap_mode="r+") if self.batches else None
        begin = sum(len(value) for value in self.small["valid"])
        while begin < self.count:
            made = make(self.batches)
            first = made[self.fields.large[0]]
            size, frames = min(len(first), self.count - begin), first.shape[2]
            if large is None:
                shape = (self.count, len(self.fields.large), first.shape[1], self.fields.frames, first.shape[3])
                large = np.lib.format.open_memmap(self.large_part, "w+", np.float16, shape)
            for place, name in enumerate(self.fields.large):
                large[begin : begin + size, place, :, :frames] = made[name][:size].half().numpy()
            for name in self.fields.small:
                value = made[name][:size]
                if name == "valid":
                    value = torch.nn.functional.pad(value, (0, self.fields.frames - frames))
                self.small[name].append(value.numpy())
            begin += size
            self.batches += 1
            if self.batches % SAVED_EVERY == 0 or begin == self.count:
                large.flush()
                self._save()
            if progress is not None:
                progress(begin, self.count)
        del large
        for part, suffix in ((self.large_part, ".npy"), (self.small_part, ".npz")):
            os.replace(part, self.path.with_suffix(suffix))

    def _save(self) -> None:
        together = {name: np.concatenate(values) for name, values in self.small.items()}
        with replacing(self.small_part, force=True) as beside, beside.open("wb") as file:
            np.savez(file, batches=self.batches, **together)  # pyright: ignore[reportArgumentType]
