"""Bodies as capsules: how much air is between two people, frame by frame (motifmix skeleton, metres).

A capsule is a segment between two joints, or from a joint to its tip, with a radius. Radii are a lean adult's, so that
what is called free here is free on the mannequin too, but for clothes.
"""

from dataclasses import dataclass

import numpy as np

from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import JOINT_NAMES

FAR = 2.6  # metres between pelvises: nobody's hands or feet reach that far together


@dataclass(frozen=True)
class Capsule:
    """A segment from joint ``start`` to joint ``end`` (None: the tip beyond ``start``) with a ``radius`` in metres."""

    start: str
    end: str | None
    radius: float


def _sides(start: str, end: str | None, radius: float) -> tuple[Capsule, Capsule]:
    left, right = (Capsule(f"{side}_{start}", f"{side}_{end}" if end else None, radius) for side in ("left", "right"))
    return left, right


CAPSULES: tuple[Capsule, ...] = (
    Capsule("pelvis", "spine2", 0.125),
    Capsule("spine2", "neck", 0.13),
    Capsule("neck", "head", 0.06),
    Capsule("head", None, 0.09),
    *_sides("collar", "shoulder", 0.07),
    *_sides("hip", "knee", 0.075),
    *_sides("knee", "ankle", 0.055),
    *_sides("ankle", "foot", 0.045),
    *_sides("foot", None, 0.04),
    *_sides("shoulder", "elbow", 0.05),
    *_sides("elbow", "wrist", 0.042),
    *_sides("wrist", None, 0.035),
)
RADII = np.array([capsule.radius for capsule in CAPSULES])


def segments(motion: Motion) -> np.ndarray:
    """Return where the capsules of a motion on the motifmix skeleton begin and end, ``[T, K, 2, 3]``."""
    joints, ends = motion.joints, motion.ends
    rows = []
    for capsule in CAPSULES:
        start = JOINT_NAMES.index(capsule.start)
        end = ends[start] if capsule.end is None else joints[:, JOINT_NAMES.index(capsule.end)]
        rows.append(np.stack([joints[:, start], end], axis=1))
    return np.stack(rows, axis=1)


def clearance(one: Motion, other: Motion) -> np.ndarray:
    """Return the least distance between two people's surfaces ``[T]``; negative where they are inside each other.

    Where they stand further apart than anybody reaches it is the distance of their pelvises less that reach.
    """
    frames = min(one.frames, other.frames)
    apart = np.linalg.norm(one.joints[:frames, 0] - other.joints[:frames, 0], axis=-1)
    result = np.maximum(apart - FAR, 0.0) + 0.5
    near = np.flatnonzero(apart < FAR)
    if len(near):
        distance = segment_distance(segments(one)[near][:, :, None], segments(other)[near][:, None])
        result[near] = (distance - RADII[:, None] - RADII[None]).min(axis=(1, 2))
    return result


def segment_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the distance between segments ``[..., 2, 3]`` (broadcast against each other), ``[...]``."""
    s, t = nearest_places(first, second)
    between = first[..., 0, :] - second[..., 0, :]
    along, other_along = first[..., 1, :] - first[..., 0, :], second[..., 1, :] - second[..., 0, :]
    return np.linalg.norm(between + s[..., None] * along - t[..., None] * other_along, axis=-1)


def nearest_places(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where segments ``[..., 2, 3]`` come nearest to each other, as shares of their lengths from 0 to 1, ``[...]``.

    Ericson, Real-Time Collision Detection (2005), section 5.1.9: the closest points of two segments.
    """
    start, other_start = first[..., 0, :], second[..., 0, :]
    along, other_along = first[..., 1, :] - start, second[..., 1, :] - other_start
    between = start - other_start
    a, e = (along**2).sum(-1) + 1e-12, (other_along**2).sum(-1) + 1e-12
    b, c, f = (along * other_along).sum(-1), (along * between).sum(-1), (other_along * between).sum(-1)
    denominator = a * e - b * b
    s = np.clip(np.where(denominator > 1e-12, (b * f - c * e) / np.maximum(denominator, 1e-12), 0.0), 0.0, 1.0)
    t = np.clip((b * s + f) / e, 0.0, 1.0)
    return np.clip((b * t - c) / a, 0.0, 1.0), t
