"""Clips of the prepared sets as the default model's objectives draw them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motifmix.data.feature_cache import CachedClip, FeatureCache
from motifmix.data.labels import MORE_CONTENTS
from motifmix.data.prepared import Prepared
from motifmix.errors import DataError
from motifmix.features.own import MotifmixSpace, rested_to_multiple
from motifmix.features.space import Normaliser
from motifmix.home import home
from motifmix.models.temporal_vae import STRIDE

LOCOMOTION = (
    "walk", "run", "dash", "walk-back", "walk-left", "walk-right", "walk-turn-left", "walk-turn-right", *MORE_CONTENTS,
)  # fmt: skip


def open_sets(names: Sequence[str], root: Path | None = None) -> list[FeatureCache]:
    """Open prepared sets by name below ``MOTIFMIX_HOME/data``. Raises ``DataError`` for one that is not prepared."""
    folder = root or home() / "data"
    caches = []
    for name in names:
        if not (folder / name / "clips.jsonl").exists():
            raise DataError(
                f"{folder / name}: the set {name!r} is not prepared; run 'motifmix data prepare {name} "
                f"--source ARCHIVE --out {folder / name}'"
            )
        caches.append(FeatureCache(Prepared(folder / name)))
    return caches


def fit_normaliser(
    caches: Sequence[FeatureCache], without_styles: Sequence[str] = (), without_cells: Sequence[tuple[str, str]] = ()
) -> Normaliser:
    """Fit mean and deviation on the training side, every set counting alike, left and right made symmetric."""
    from motifmix.features.own import mirror_features

    rng = np.random.default_rng(0)
    parts = []
    for cache in caches:
        clips = cache.prepared.select(
            split="train", mirrored=False, without_styles=without_styles, without_cells=without_cells
        )
        entries = cache.entries(clips)
        rows = np.concatenate([np.arange(e.start, e.start + e.frames) for e in entries])
        rows = np.sort(rng.choice(rows, size=min(60_000, len(rows)), replace=len(rows) < 60_000))
        sample = np.array(cache.features[rows])
        parts += [sample, mirror_features(sample)]
    return Normaliser.fitted(np.concatenate(parts), MotifmixSpace.blocks)


class Pool:
    """Entries of several caches with a probability each."""

    def __init__(
        self, caches: Sequence[FeatureCache], entries: list[tuple[int, CachedClip]], weights: np.ndarray
    ) -> None:
        if not entries:
            raise DataError("no clip of the prepared sets fits this recipe; check its data and options")
        self.caches, self.list = caches, entries
        self.weights = weights / weights.sum()

    def draw(self, rng: np.random.Generator, count: int) -> list[int]:
        """Draw entry numbers."""
        return [int(i) for i in rng.choice(len(self.list), size=count, p=self.weights)]

    def window(self, number: int, first: int = 0, frames: int | None = None) -> np.ndarray:
        """Features of a window of an entry."""
        which, entry = self.list[number]
        return self.caches[which].window(entry, first, frames)


def in_one_batch(windows: Sequence[np.ndarray], normaliser: Normaliser) -> tuple[Tensor, Tensor]:
    """Return windows of features [T, dim] in their units as one normalised batch [B, T, dim], and which frames are theirs [B, T].

    Each rests to whole tokens before it is normalised, as resting is a velocity of zero in the features' units.
    """
    rested = [rested_to_multiple(window, STRIDE) for window in windows]
    features = np.zeros((len(rested), max(map(len, rested)), MotifmixSpace.dim), dtype=np.float32)
    valid = np.zeros(features.shape[:2], dtype=bool)
    for place, window in enumerate(rested):
        features[place, : len(window)] = normaliser.normalise(window)
        valid[place, : len(window)] = True
    return torch.from_numpy(features), torch.from_numpy(valid)


def weights_folder(name: str | None) -> Path:
    """Return the folder that an option ``weights`` names: a path, or a folder below ``MOTIFMIX_HOME``."""
    return home() / (name or "weights")


def cell_weights(entries: Sequence[CachedClip], set_one: float, locomotion: float) -> np.ndarray:
    """Weight of style-set clips: 1 / sqrt(clips of the same content and style), ``set_one`` for the small set."""
    counts = Counter((e.clip.source, e.clip.content, e.clip.style) for e in entries)
    return np.array(
        [
            counts[(e.clip.source, e.clip.content, e.clip.style)] ** -0.5
            * (set_one if e.clip.source == "bandai-1" else 1.0)
            * (locomotion if e.clip.content in LOCOMOTION else 1.0)
            for e in entries
        ]
    )
