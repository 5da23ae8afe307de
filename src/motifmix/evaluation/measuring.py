"""Clips to rows of figures: what the judge reads, how feet and limbs move; kept in small files so that a run resumes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np

from motifmix.atomic import replacing
from motifmix.evaluation import metrics
from motifmix.motion.motion import Motion
from motifmix.pretrained.judges import Judge, Reading, RetrievalJudge, joint_positions

FPS = 20.0


@dataclass(frozen=True)
class Measured:
    """Figures of ``n`` clips: class numbers, features of both judges, feet, jerk, speed and length of each."""

    content: np.ndarray
    style: np.ndarray
    features: np.ndarray
    retrieval: np.ndarray
    skate: np.ndarray
    jerk: np.ndarray
    speed: np.ndarray
    seconds: np.ndarray

    def __len__(self) -> int:
        return len(self.content)

    def only(self, indices: np.ndarray | Sequence[int]) -> Self:
        """Return some of the clips."""
        chosen = np.asarray(indices)
        return type(self)(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    def save(self, path: Path) -> None:
        """Write an npz beside its target and rename it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, force=True) as beside:
            np.savez_compressed(beside, **{f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote."""
        with np.load(path) as arrays:
            return cls(**{f.name: arrays[f.name] for f in fields(cls)})


def measure(motions: Sequence[Motion], judge: Judge, retrieval: RetrievalJudge) -> Measured:
    """Read clips at 20 fps, at most their first ten seconds."""
    joints = [joint_positions(motion, FPS) for motion in motions]
    return Measured(**figures(joints, judge.read(joints), retrieval))


def figures(joints: Sequence[np.ndarray], reading: Reading, retrieval: RetrievalJudge) -> dict[str, Any]:
    """Return the fields of :class:`Measured` for clips ``[T, 22, 3]`` at 20 fps that a judge has read."""
    return dict(
        content=reading.content.argmax(axis=1),
        style=reading.style.argmax(axis=1),
        features=reading.features.astype(np.float32),
        retrieval=retrieval.embed_motions(joints).astype(np.float32),
        skate=np.array([metrics.foot_skate_ratio(j, FPS) for j in joints]),
        jerk=np.array([metrics.mean_jerk(j, FPS) for j in joints]),
        speed=np.array([metrics.mean_speed(j, FPS) for j in joints]),
        seconds=np.array([len(j) / FPS for j in joints]),
    )


def digest(*parts: object) -> str:
    """Return a short name for what a measurement depends on."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
