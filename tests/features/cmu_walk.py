"""A person of the CMU skeleton who walks about, without a file: for the spaces of the style transfer baselines."""

import numpy as np

from motifmix.features import cmu_skeleton as cmu
from motifmix.motion import Motion
from motifmix.motion import rotations as rot


def walk(frames: int = 200, heading: float = 0.0, fps: float = cmu.FPS) -> Motion:
    """Someone on straight legs who swings arms and legs along the direction ``heading``, in the files' units."""
    time = np.arange(frames) / fps
    angles = np.zeros((frames, len(cmu.NAMES), 3))
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        leg, arm = cmu.NAMES.index(f"{side}UpLeg"), cmu.NAMES.index(f"{side}Arm")
        angles[:, leg] = np.stack(
            [np.full(frames, -0.35 * sign), np.zeros(frames), sign * 0.4 * np.sin(6.0 * time)], axis=-1
        )
        angles[:, arm, 0] = -1.2 * sign
        angles[:, arm, 1] = 0.3 * np.sin(6.0 * time)
    rotations = rot.from_euler("ZYX", angles, degrees=False)
    rotations[:, 0] = rot.about_y(heading)
    ahead = np.array([np.sin(heading), 0.0, np.cos(heading)])
    root = np.array([3.0, 17.0, -2.0]) + 20.0 * time[:, None] * ahead
    return Motion(cmu.CMU_31, rotations, root, fps)
