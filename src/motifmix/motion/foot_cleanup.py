"""Cleaning up feet without a network: resting feet hold still, the clip stands on the floor.

Generated feet slide mostly because the root's path and the legs disagree by a little every frame. So the path gives
way: where a foot rests, its drift is taken out of the root, smoothly, and no joint angle is touched.
"""

import numpy as np

from motifmix.motion.contacts import floor_height
from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import LEFT_TOE, RIGHT_TOE

NEAR_FLOOR = 0.04  # m above the clip's low toe height
PASSES = 2  # the drift of one foot hides that of the other: what the first pass leaves, the second sees
FASTEST = 1.2  # m/s; a faster foot is swinging, whatever its height
SURE_BELOW = 0.3  # m/s; slower feet are believed more
LARGEST_FLOOR_SHIFT = 0.08  # m; more means that the person is not on the floor (a jump, a seat)


def cleaned_feet(motion: Motion) -> Motion:
    """Return the motion with its drift under resting feet removed and its floor at y = 0 (motifmix skeleton)."""
    if motion.frames < 3:
        return motion
    toes = motion.joints[:, [LEFT_TOE, RIGHT_TOE]]  # [T, 2, 3]
    offset = np.zeros((motion.frames, 3))
    for _ in range(PASSES):
        offset += _against_drift(toes + offset[:, None], motion.fps)
    floor = floor_height(motion)  # the path gives way along the floor only
    if abs(floor) < LARGEST_FLOOR_SHIFT:
        offset[:, 1] = -floor
    return motion.moved(offset)


def _against_drift(toes: np.ndarray, fps: float) -> np.ndarray:
    low = np.percentile(toes[..., 1].min(axis=1), 5)
    near = toes[..., 1] < low + NEAR_FLOOR
    step = np.diff(toes, axis=0)[..., [0, 2]]  # [T - 1, 2 feet, 2]
    speed = np.linalg.norm(step, axis=-1) * fps
    down = near[1:] & near[:-1] & (speed < FASTEST)
    weight = np.where(down, 1.0 / (1.0 + (speed / SURE_BELOW) ** 2), 0.0)
    total = weight.sum(axis=1)
    drift = (step * weight[..., None]).sum(axis=1) / np.maximum(total, 1e-9)[:, None]
    drift = np.where(total[:, None] > 0, drift, 0.0)
    padded = np.concatenate([drift[:1], drift, drift[-1:]])
    smooth = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    offset = np.zeros((len(toes), 3))
    offset[1:, [0, 2]] = -np.cumsum(smooth, axis=0)
    return offset
