"""Where a clip starts, where its floor is, and which of its frames are sound: the same for every clip.

Raw clips give labels away: passes start five metres off and run towards +Z or -Z, turns start at a heading of their own,
two of set 2's styles stand a centimetre above the floor. After this every clip starts at the origin, looks along +Z and
rests its toes at the height that the skeleton's own foot has.
"""

import itertools
from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from motifmix.motion import MOTIFMIX
from motifmix.motion import rotations as rot
from motifmix.motion.skeleton import JOINT_NAMES

LARGEST_TURN = np.radians(100.0)
"""A joint that turns further between two frames at 30 fps flipped in the fit; nobody turns a wrist that fast."""

_LEFT, _RIGHT = (
    [JOINT_NAMES.index(f"{side}_{part}") for part in ("hip", "shoulder")] for side in ("left", "right")
)  # fmt: skip


def start_heading(rotations: np.ndarray) -> float:
    """Return the heading of the body in the first frame in radians, 0 = +Z, from hips and shoulders."""
    from motifmix.motion.kinematics import forward

    joints, _ = forward(MOTIFMIX, np.asarray(rotations[:1], dtype=np.float64), np.zeros((1, 3)))
    left = (joints[0, _LEFT] - joints[0, _RIGHT]).sum(0)
    # With +X on the left, +Z is ahead: turn the left direction by a quarter.
    return float(np.arctan2(-left[2], left[0]))


def canonical(rotations: np.ndarray, root: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Return rotations ``[T, 22, 4]`` and root ``[T, 3]`` that start at the origin along +Z, with the floor at y = 0."""
    rotations, root = np.array(rotations, dtype=np.float64), np.array(root, dtype=np.float64)
    turn = rot.about_y(-start_heading(rotations))
    root -= np.array([root[0, 0], floor, root[0, 2]])
    rotations[:, 0] = rot.multiply(turn, rotations[:, 0])
    rotations = rot.continuous(rot.normalized(rotations))
    return rotations.astype(np.float32), rot.rotate(turn, root).astype(np.float32)


def sound_pieces(rotations: np.ndarray, shortest: int) -> list[tuple[int, int]]:
    """Return the stretches (first frame, end) without a flip of a joint, of at least ``shortest`` frames."""
    if len(rotations) < 2:
        return [(0, len(rotations))] if len(rotations) >= shortest else []
    turns = rot.angle_between(rotations[:-1], rotations[1:]).max(axis=1)
    bad = np.flatnonzero(turns > LARGEST_TURN)
    edges = [0, *(int(b) + 1 for b in bad), len(rotations)]
    return [(a, b) for a, b in itertools.pairwise(edges) if b - a >= shortest]


def shared_floors(groups: Sequence[Hashable], floors: Sequence[float]) -> list[float]:
    """Return for every clip the median floor of its group: a session has one floor, a single run may show it badly."""
    by_group: dict[Hashable, list[float]] = defaultdict(list)
    for group, floor in zip(groups, floors, strict=True):
        by_group[group].append(floor)
    medians = {group: float(np.median(values)) for group, values in by_group.items()}
    return [medians[group] for group in groups]
