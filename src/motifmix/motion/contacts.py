"""Feet and floor: where the floor is, when a foot rests on it."""

import numpy as np

from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import LEFT_TOE, MOTIFMIX, RIGHT_TOE

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
