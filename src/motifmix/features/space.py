"""What every feature space offers: an array that networks see, with named blocks, made from a motion and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from motifmix.motion import Motion


class FeatureSpace(Protocol):
    """A named representation of motion at one frame rate; ``blocks`` names the slices of its last axis."""

    name: str
    fps: float
    dim: int
    blocks: Mapping[str, slice]

    def encode(self, motion: Motion) -> np.ndarray:
        """Return features ``[T, dim]`` of a motion on the motifmix skeleton."""
        ...

    def decode(self, features: np.ndarray) -> Motion:
        """Return a motion on the motifmix skeleton from features ``[T, dim]``."""
        ...


def slices(widths: Mapping[str, int]) -> dict[str, slice]:
    """Lay blocks of the given widths side by side."""
    blocks, start = {}, 0
    for name, width in widths.items():
        blocks[name] = slice(start, start + width)
        start += width
    return blocks


@dataclass(frozen=True, eq=False)
class Normaliser:
    """Mean and standard deviation of a feature space, ``[dim]`` each."""

    mean: np.ndarray
    std: np.ndarray

    def normalise(self, features: np.ndarray) -> np.ndarray:
        """Shift and scale ``[..., dim]``."""
        return (features - self.mean) / self.std

    def restore(self, features: np.ndarray) -> np.ndarray:
        """Undo :meth:`normalise`."""
        return features * self.std + self.mean

    @classmethod
    def fitted(cls, features: np.ndarray, blocks: Mapping[str, slice]) -> "Normaliser":
        """Fit one mean a dimension but one standard deviation a block, so that no tiny deviation is divided by."""
        mean = features.mean(axis=0, dtype=np.float64)
        std = np.ones_like(mean)
        for part in blocks.values():
            std[part] = max(float(np.sqrt(features[:, part].var(axis=0, dtype=np.float64).mean())), 1e-4)
        return cls(mean.astype(np.float32), std.astype(np.float32))
