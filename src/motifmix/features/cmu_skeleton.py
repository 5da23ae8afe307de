"""The 31-joint CMU skeleton on which both published style transfer baselines work, and what their arithmetic shares.

Units are the files' own (one is about 5.6 cm), Y up. Aberman et al. (SIGGRAPH 2020) and Motion Puzzle (TOG 2022) keep
the same 21 of its joints, measure feet, floor and heading with the same formulas, and differ in everything else.
Joint numbers of feet, hips and shoulders count within the joints that are kept.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from motifmix.errors import RequestError
from motifmix.motion import rotations as rot
from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import Skeleton

FPS = 120.0  # of the published recordings
FLOOR_SOFTNESS = 0.5
HEADING_FILTER_FRAMES = 20.0  # standard deviation of the gaussian, whatever the frame rate
CONTACT_SQUARED_STEP = 0.05  # squared units per frame
UP = np.array([0.0, 1.0, 0.0])
AHEAD = np.array([0.0, 0.0, 1.0])

NAMES = (
    "Hips", "LHipJoint", "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase", "RHipJoint", "RightUpLeg", "RightLeg",
    "RightFoot", "RightToeBase", "LowerBack", "Spine", "Spine1", "Neck", "Neck1", "Head", "LeftShoulder", "LeftArm",
    "LeftForeArm", "LeftHand", "LeftFingerBase", "LeftHandIndex1", "LThumb", "RightShoulder", "RightArm",
    "RightForeArm", "RightHand", "RightFingerBase", "RightHandIndex1", "RThumb",
)  # fmt: skip
PARENTS = (
    -1, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9, 0, 11, 12, 13, 14, 15, 13, 17, 18, 19, 20, 21, 20, 13, 24, 25, 26, 27, 28, 27,
)  # fmt: skip
OFFSETS = (
    (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (1.36306, -1.79463, 0.83929), (2.44811, -6.72613, 0.0), (2.5622, -7.03959, 0.0),
    (0.15764, -0.43311, 2.32255), (0.0, 0.0, 0.0), (-1.30552, -1.79463, 0.83929), (-2.54253, -6.98555, 0.0),
    (-2.56826, -7.05623, 0.0), (-0.16473, -0.45259, 2.36315), (0.0, 0.0, 0.0), (0.02827, 2.03559, -0.19338),
    (0.05672, 2.04885, -0.04275), (0.0, 0.0, 0.0), (-0.05417, 1.74624, 0.17202), (0.10407, 1.76136, -0.12397),
    (0.0, 0.0, 0.0), (3.36241, 1.20089, -0.31121), (4.983, 0.0, 0.0), (3.48356, 0.0, 0.0), (0.0, 0.0, 0.0),
    (0.71526, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (-3.1366, 1.37405, -0.40465), (-5.2419, 0.0, 0.0),
    (-3.44417, 0.0, 0.0), (0.0, 0.0, 0.0), (-0.62253, 0.0, 0.0), (0.0, 0.0, 0.0),
)  # fmt: skip
KEPT = (0, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 15, 16, 18, 19, 20, 22, 25, 26, 27, 29)
KEPT_PARENTS = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 10, 13, 14, 15, 10, 17, 18, 19)
LEFT_FOOT, RIGHT_FOOT = (3, 4), (7, 8)  # ankle and toe, among the kept

METRES = 0.0254 / 0.45  # in a unit of the files
CMU_31 = Skeleton(NAMES, PARENTS, np.array(OFFSETS))
CMU_31_METRES = Skeleton(NAMES, PARENTS, np.array(OFFSETS) * METRES)


def in_file_units(motion: Motion, skeleton: Skeleton = CMU_31) -> Motion:
    """Return a motion that was read from one of these files with metres taken back to the files' units.

    Whatever scale the reader found, the bones decide: ``skeleton`` states their lengths. Raises ``RequestError`` for
    another skeleton.
    """
    if motion.skeleton.parents != skeleton.parents:
        raise RequestError(
            f"this space needs the {len(skeleton)}-joint CMU skeleton (Hips, LHipJoint, LeftUpLeg, ...); the motion has "
            f"{len(motion.skeleton)} joints in another tree"
        )
    lengths = [np.linalg.norm(s.offsets[1:], axis=-1).sum() for s in (motion.skeleton, skeleton)]
    return Motion(skeleton, motion.rotations, motion.root * (lengths[1] / lengths[0]), motion.fps, motion.labels)


def soft_floor(heights: np.ndarray, softness: float = FLOOR_SOFTNESS) -> float:
    """Return a soft minimum of the heights ``[T]`` of each frame's lowest foot, below all but the lowest of them."""
    low = -np.asarray(heights, dtype=np.float64)
    return float(-(low.max() + np.log(softness + np.exp(low.min() - low.max()))))


def facing(
    joints: np.ndarray,
    hips: tuple[int, int],
    shoulders: tuple[int, int],
    filter_frames: float = HEADING_FILTER_FRAMES,
) -> np.ndarray:
    """Return the smoothed horizontal unit direction ``[T, 3]`` in which a person looks, from joints ``[T, J, 3]``.

    ``hips`` and ``shoulders`` are (left, right).
    """
    across = sum(joints[:, left] - joints[:, right] for left, right in (hips, shoulders))
    across = across / np.linalg.norm(across, axis=-1, keepdims=True)
    ahead = gaussian_filter1d(np.cross(across, UP), filter_frames, axis=0, mode="nearest")
    return ahead / np.linalg.norm(ahead, axis=-1, keepdims=True)


def squared_steps(joints: np.ndarray, feet: tuple[int, ...]) -> np.ndarray:
    """Squared way of the feet ``[T - 1, len(feet)]`` from each frame to the next, of joints ``[T, J, 3]``."""
    return (np.diff(joints[:, list(feet)], axis=0) ** 2).sum(-1)


def reflected(clip: np.ndarray, frames: int) -> np.ndarray:
    """Lengthen ``[T, ...]`` to ``frames`` by reflection that repeats the edge; the odd frame goes to the left."""
    missing = frames - len(clip)
    if missing <= 0:
        return clip
    right = missing // 2
    pad = [(missing - right, right)] + [(0, 0)] * (clip.ndim - 1)
    return np.pad(clip, pad, mode="symmetric")


def whole_clip_frames(frames: int, multiple: int = 4, least: int = 12) -> int:
    """Return the length to which whole clips are padded: always past the next multiple, as published."""
    return max(multiple * (frames // multiple) + multiple, least)


def heading_removal(ahead: np.ndarray) -> np.ndarray:
    """Rotation ``[..., 4]`` (xyzw) that turns the direction ``ahead [..., 3]`` to +Z."""
    return rot.shortest_arc(ahead, AHEAD)
