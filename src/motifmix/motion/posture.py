"""How somebody carries himself, frame by frame: how far he leans, how fast he goes, how fast his limbs are."""

import numpy as np

from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import JOINT_NAMES

TRAVELS = 0.5  # m/s: who is as fast goes somewhere
_PELVIS, _NECK = JOINT_NAMES.index("pelvis"), JOINT_NAMES.index("neck")


def lean(motion: Motion) -> np.ndarray:
    """Return how far the trunk is from upright in degrees, ``[T]`` (motifmix skeleton)."""
    trunk = motion.joints[:, _NECK] - motion.joints[:, _PELVIS]
    return np.degrees(np.arccos(np.clip(trunk[:, 1] / np.linalg.norm(trunk, axis=-1), -1.0, 1.0)))


def speed(motion: Motion) -> np.ndarray:
    """Return how fast the root goes over the floor in m/s, over half a second, ``[T]``."""
    half = max(1, round(motion.fps / 4))
    places = np.pad(motion.root[:, [0, 2]], ((half, half), (0, 0)), mode="edge")
    return np.linalg.norm(places[2 * half :] - places[: -2 * half], axis=-1) * motion.fps / (2 * half)


def limb_speed(motion: Motion) -> float:
    """Return how fast the fastest joint ever is, seen from the root, in m/s; 0 of a single frame."""
    seen = motion.joints - motion.root[:, None]
    steps = np.linalg.norm(np.diff(seen, axis=0), axis=-1)
    return float(steps.max(initial=0.0)) * motion.fps
