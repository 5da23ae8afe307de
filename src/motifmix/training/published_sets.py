"""Batches of published datasets as the papers' recipes draw them: random captions, random crops, zeros as padding."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motifmix.data.interhuman import LONGEST_FRAMES, SHORTEST_FRAMES, InterHuman
from motifmix.data.registry import open_dataset
from motifmix.data.sample import Sample
from motifmix.errors import DataError, RequestError
from motifmix.features.space import Normaliser
from motifmix.training.recipe import Recipe

HELD_OUT = 256  # clips of the test list that previews look at
UNIT = 4  # frames; clips of HumanML3D are cut to multiples of it
_FITTED_ON = 400  # clips


def opened(recipe: Recipe, **options: Any) -> Any:
    """Open the dataset that a paper's recipe names. Raises ``RequestError`` where nobody has said where it lies."""
    if recipe.data_folder is None:
        raise RequestError(
            f"recipe {recipe.name!r} reads {recipe.data[0]} in its published layout; say where it lies: --set "
            f"data_folder=FOLDER (docs/datasets.md says where to get it)"
        )
    return open_dataset(recipe.data[0], recipe.data_folder, **options)


def listing(folder: Path) -> str:
    """Return a fingerprint of a dataset's folder: names and sizes of its arrays and texts, not their contents."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".npy", ".txt")):
        digest.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}\n".encode())
    return digest.hexdigest()[:20]


@dataclass(frozen=True)
class Batch:
    """``features`` [B, T, F] normalised, zero behind each clip's end, ``valid_mask`` [B, T], ``texts`` and classes [B]."""

    features: Tensor
    valid_mask: Tensor
    texts: list[str]
    classes: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Return the same on a device."""
        return Batch(self.features.to(device), self.valid_mask.to(device), self.texts, self.classes.to(device))


class Clips:
    """Clips of one person in memory. ``longest`` frames; clips are cut to multiples of ``unit`` at a random start.

    As MLD's reader: one time in three a clip is a unit shorter than it need be. Raises ``DataError`` for no clips.
    """

    def __init__(self, samples: Iterable[Sample], normaliser: Normaliser, longest: int = 196, unit: int = UNIT) -> None:
        self.samples = list(samples)
        if not self.samples:
            raise DataError("the dataset's list has no clip that this recipe can use")
        self.normaliser, self.longest, self.unit = normaliser, longest, unit

    def texts(self) -> list[str]:
        """Return every caption."""
        return [caption.text for sample in self.samples for caption in sample.captions]

    def draw(self, rng: np.random.Generator, count: int, frames: int | None = None) -> Batch:
        """Draw clips with a caption each; ``frames`` pads (and cuts) all to one length."""
        chosen = [self.samples[int(i)] for i in rng.integers(len(self.samples), size=count)]
        pieces = [self._cropped(sample, rng, frames or self.longest) for sample in chosen]
        texts = [s.captions[int(rng.integers(len(s.captions)))].text if s.captions else "" for s in chosen]
        classes = torch.tensor([-1 if s.style_number is None else s.style_number for s in chosen])
        features, valid = padded([self.normaliser.normalise(piece) for piece in pieces], frames)
        return Batch(features, valid, texts, classes)

    def _cropped(self, sample: Sample, rng: np.random.Generator, most: int) -> np.ndarray:
        units = sample.frames // self.unit
        if self.unit > 1 and units > 1 and rng.random() < 1 / 3:
            units -= 1
        length = min(units * self.unit, most)
        first = int(rng.integers(sample.frames - length + 1))
        return sample.features[first : first + length]


@dataclass(frozen=True)
class PairBatch:
    """Two people [B, T, 2, F], not normalised; ``valid_mask`` [B, T]; a text a pair, and one a person."""

    people: Tensor
    valid_mask: Tensor
    texts: list[str]
    individual_texts: list[list[str]]

    def to(self, device: torch.device) -> "PairBatch":
        """Return the same on a device."""
        return PairBatch(self.people.to(device), self.valid_mask.to(device), self.texts, self.individual_texts)


class Pairs:
    """InterHuman's clips and their mirror images, read as they are drawn: cropped to 300 frames, people exchanged half
    of the time, a random caption (and one a person, where the reader has them).
    """

    def __init__(self, reader: InterHuman, split: str, mirrored: bool = True) -> None:
        self.reader, self.split = reader, split
        self.frames = {name: reader.frames(name) for name in reader.ids(split)}
        names = [name for name, frames in self.frames.items() if frames >= SHORTEST_FRAMES]
        self.entries = [(name, twin) for name in names for twin in ((False, True) if mirrored else (False,))]
        if not self.entries:
            raise DataError(f"{reader.folder}: the list {split} has no clip of {SHORTEST_FRAMES} frames or more")

    def texts(self) -> list[str]:
        """Return every caption that can be drawn."""
        lists = [self.reader.captions(name, mirrored=twin) for name, twin in self.entries]
        return [caption.text for captions in lists for own in captions for caption in own]

    def draw(self, rng: np.random.Generator, count: int) -> PairBatch:
        """Draw clips."""
        samples = [self._sample(int(i), rng) for i in rng.integers(len(self.entries), size=count)]
        people, valid = padded([sample.features.transpose(1, 0, 2) for sample in samples])
        texts = [_any(sample.captions, rng) for sample in samples]
        alone = [[_any(own, rng) for own in sample.individual_captions] for sample in samples]
        return PairBatch(people, valid, texts, alone)

    def fitted(self) -> Normaliser:
        """Fit mean and deviation on the first clips."""
        rows = [self.reader.sample(name, frames=LONGEST_FRAMES).features for name, twin in self.entries if not twin]
        return fitted_normaliser(rows)

    def _sample(self, number: int, rng: np.random.Generator) -> Sample:
        name, mirrored = self.entries[number]
        first = int(rng.integers(max(1, self.frames[name] - LONGEST_FRAMES)))
        exchanged = bool(rng.random() < 0.5)
        return self.reader.sample(
            name, self.split, first=first, frames=LONGEST_FRAMES, mirrored=mirrored, exchanged=exchanged
        )


def fitted_normaliser(arrays: Iterable[np.ndarray]) -> Normaliser:
    """Fit mean and deviation, number by number, on the first arrays [..., F]."""
    rows = np.concatenate([a.reshape(-1, a.shape[-1]) for a in islice(arrays, _FITTED_ON)]).astype(np.float64)
    return Normaliser(rows.mean(axis=0).astype(np.float32), np.maximum(rows.std(axis=0), 1e-3).astype(np.float32))


def padded(arrays: Sequence[np.ndarray], frames: int | None = None) -> tuple[Tensor, Tensor]:
    """Lay arrays [T, ...] one under another, with zeros behind each, to [B, longest or ``frames``, ...] and its mask."""
    longest = frames or max(len(array) for array in arrays)
    stacked = torch.zeros(len(arrays), longest, *arrays[0].shape[1:])
    valid = torch.zeros(len(arrays), longest, dtype=torch.bool)
    for row, array in enumerate(arrays):
        stacked[row, : len(array)] = torch.from_numpy(np.asarray(array, dtype=np.float32))
        valid[row, : len(array)] = True
    return stacked, valid


def _any(captions: Sequence[Any], rng: np.random.Generator) -> str:
    return captions[int(rng.integers(len(captions)))].text if captions else ""
