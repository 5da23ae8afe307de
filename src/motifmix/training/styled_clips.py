"""Training clips of a style set and a content set, as the restyling networks draw them: windows with a style label.

The content set has no style labels; its clips are one class of their own, the last. Arrays of whole clips are made when a
clip is first drawn, and kept.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from motifmix.data.labels import style_names
from motifmix.errors import DataError
from motifmix.features.own import MotifmixSpace
from motifmix.features.restyling import reflected_frames
from motifmix.motion import Motion
from motifmix.training.pool import Pool, cell_weights, open_sets

UNLABELLED = "no style label"
Arrays = TypeVar("Arrays")


class StyledClips(Generic[Arrays]):
    """Clips of the training side; ``make`` turns a motion (20 fps, from the origin) into what the network reads.

    Raises ``DataError`` when no clip has a style.
    """

    def __init__(self, data: Sequence[str], window: int, make: Callable[[Motion], Arrays]) -> None:
        self.caches = open_sets(data)
        self.make = make
        self._made: dict[int, Arrays] = {}
        entries, weights = [], []
        for number, cache in enumerate(self.caches):
            own = [e for e in cache.entries(cache.prepared.select(split="train")) if e.frames >= window // 2]
            weight = np.sqrt([max(e.frames / window, 0.5) for e in own])
            if own and own[0].clip.style is not None:
                weight = weight * cell_weights(own, set_one=1.0, locomotion=1.0)
            entries += [(number, e) for e in own]
            weights.append(weight / weight.sum())
        self.pool = Pool(self.caches, entries, np.concatenate(weights))
        styles = style_names(e.clip.style for _, e in entries)
        if not styles:
            raise DataError("no clip has a style; restyling needs a style set (bandai or 100style)")
        self.labels = (*styles, UNLABELLED)
        self.label = np.array([self.labels.index(e.clip.style or UNLABELLED) for _, e in entries])
        self._probability = self.pool.weights

    def drawn(self, rng: np.random.Generator, count: int, unlabelled: float) -> np.ndarray:
        """Draw clip numbers ``[count]``, a share of them without a style label (where there are such clips)."""
        plain = rng.random(count) < unlabelled
        return np.array([self._one(rng, (self.label == len(self.labels) - 1) == bare) for bare in plain])

    def alike(self, rng: np.random.Generator, numbers: np.ndarray) -> np.ndarray:
        """Draw, for each clip, one with its own label."""
        return np.array([self._one(rng, self.label == self.label[number]) for number in numbers])

    def unlike(self, rng: np.random.Generator, numbers: np.ndarray) -> np.ndarray:
        """Draw, for each clip, one with another label."""
        return np.array([self._one(rng, self.label != self.label[number]) for number in numbers])

    def _one(self, rng: np.random.Generator, allowed: np.ndarray) -> int:
        chances = np.where(allowed, self._probability, 0.0)
        if not chances.any():
            chances = self._probability
        sums = np.cumsum(chances)
        return int(min(np.searchsorted(sums, rng.random() * sums[-1], side="right"), len(sums) - 1))

    def arrays(self, number: int) -> Arrays:
        """Return what ``make`` makes of a whole clip."""
        number = int(number)
        if number not in self._made:
            self._made[number] = self.make(MotifmixSpace().decode(self.pool.window(number)))
        return self._made[number]


def window_of(rng: np.random.Generator, frames: int, window: int) -> np.ndarray:
    """Draw frame numbers ``[window]`` of a window; a shorter clip goes back from its end, as both papers lengthen it."""
    first = int(rng.integers(0, max(1, frames - window + 1)))
    return reflected_frames(frames, window) if frames < window else np.arange(first, first + window)
