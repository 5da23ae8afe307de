"""Feet and floor: where the floor is, when a foot rests on it."""

import numpy as np

from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import LEFT_ANKLE, LEFT_TOE, MOTIFMIX, RIGHT_ANKLE, RIGHT_TOE

# Height of the toe joint above the floor when the foot rests flat, on the motifmix skeleton (see its rest pose).
RESTING_TOE_HEIGHT = 0.028


def floor_height(motion: Motion) -> float:
    """Return the height of the floor under a motion, from the most frequent height of the lower resting foot."""
    lowest, clearance = _lowest_foot(motion)
    speed = np.abs(np.gradient(lowest)) * motion.fps if motion.frames > 1 else np.zeros(motion.frames)
    resting = lowest[speed < 0.1]
    heights = resting if len(resting) >= max(3, motion.frames // 20) else lowest
    # The most frequent height among the low ones: one deep frame must not lift a whole clip, nor a jump drop it.
    low = heights[heights <= np.percentile(heights, 50) + 1e-9]
    bins = np.round(low / 0.01).astype(int)
    values, counts = np.unique(bins, return_counts=True)
    floor = float(np.median(low[bins == values[counts.argmax()]]))
    return floor - clearance


def _lowest_foot(motion: Motion) -> tuple[np.ndarray, float]:
    if motion.skeleton.same_as(MOTIFMIX):
        return motion.joints[:, [LEFT_TOE, RIGHT_TOE], 1].min(axis=1), RESTING_TOE_HEIGHT
    points = [motion.joints[..., 1].min(axis=1), *(end[:, 1] for end in motion.ends.values())]
    return np.min(points, axis=0), 0.0


# Looser than HumanML3D's squared-displacement threshold, which calls most resting feet of captured walks moving.
CONTACT_SPEED = 0.35
CONTACT_TOE_HEIGHT = 0.075
CONTACT_ANKLE_HEIGHT = 0.125


def foot_contacts(motion: Motion) -> np.ndarray:
    """Tell where feet rest, ``[T, 4]`` of 0 and 1: left ankle, left foot, right ankle, right foot.

    A joint rests while it moves slower than 0.35 m/s near the floor at y = 0 (motifmix skeleton).
    """
    feet = motion.joints[:, [LEFT_ANKLE, LEFT_TOE, RIGHT_ANKLE, RIGHT_TOE]]
    limits = np.array([CONTACT_ANKLE_HEIGHT, CONTACT_TOE_HEIGHT, CONTACT_ANKLE_HEIGHT, CONTACT_TOE_HEIGHT])
    if motion.frames < 2:
        return (feet[..., 1] < limits).astype(np.float32)
    speed = np.linalg.norm(np.diff(feet, axis=0), axis=-1) * motion.fps
    speed = np.concatenate([speed[:1], speed])
    return ((speed < CONTACT_SPEED) & (feet[..., 1] < limits)).astype(np.float32)
