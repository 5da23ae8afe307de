"""The arrays of Motion Puzzle (Jang, Park and Lee, TOG 2022), at 60 fps: 12 numbers for each of 21 joints.

Of a clip on the 31-joint CMU skeleton, in the files' units: position, forward and up axis, and velocity of every joint
in the person's own frame, which stands at the root's place on the floor and looks where the person looks. The root's
own motion is three numbers a frame (x and z velocity, turn) that the network does not see: a result takes the content's.
A clip of T frames gives T - 1. Arrays are [T, 21, 12]; the network wants [12, 21, T].
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from motifmix.features import cmu_skeleton as cmu
from motifmix.features.aberman import SMALLEST_STD
from motifmix.features.space import slices
from motifmix.motion import kinematics
from motifmix.motion import rotations as rot
from motifmix.motion.motion import Motion
from motifmix.motion.retargeting import retarget
from motifmix.motion.skeleton import MOTIFMIX, Skeleton
from motifmix.quirks import Quirk

LEVEL_ROOT = Quirk(
    "level_root",
    "Motion Puzzle: the root's height is set to zero in place before velocities are taken, so that the root joint's "
    "vertical velocity is always zero; the published data and weights were made so",
)
FIRST_FRAME_FROM_LAST = Quirk(
    "first_frame_from_last",
    "Motion Puzzle: the first rebuilt posture is blended with the last frame's, because the frame before it is looked up "
    "as -1; the published results were made so",
)
SKEW_AXES = Quirk(
    "skew_axes",
    "Motion Puzzle: forward and up axes of a rebuilt posture are scaled to unit length and not made orthogonal; the "
    "published results were made so",
)
FPS = 60.0
WINDOW, WINDOW_STEP = 120, 60
CONTACT_HEIGHTS = (3.0, 2.0)  # below which an ankle, and a toe, can rest
CLEANUP_BLEND_FRAMES = 10
CLEANUP_DAMPING = 5.0
BLOCKS: Mapping[str, slice] = slices({"position": 3, "forward": 3, "up": 3, "velocity": 3})


@dataclass(frozen=True)
class PuzzleLayout:
    """Which joints the arrays hold and which numbers make them; feet, hips and shoulders count among the kept."""

    kept: tuple[int, ...] = cmu.KEPT
    kept_parents: tuple[int, ...] = cmu.KEPT_PARENTS
    left_foot: tuple[int, int] = cmu.LEFT_FOOT
    right_foot: tuple[int, int] = cmu.RIGHT_FOOT
    hips: tuple[int, int] = (1, 5)
    shoulders: tuple[int, int] = (13, 17)
    downsample: int = 2
    contact_squared_steps: tuple[float, float] = (cmu.CONTACT_SQUARED_STEP, cmu.CONTACT_SQUARED_STEP)
    contact_heights: tuple[float, float] = CONTACT_HEIGHTS
    heading_filter_frames: float = cmu.HEADING_FILTER_FRAMES
    floor_softness: float = cmu.FLOOR_SOFTNESS


@dataclass(frozen=True, eq=False)
class PuzzleClip:
    """``motion [T, 21, 12]``, ``root [T, 1, 3]`` (x and z velocity, turn in radians) and ``foot_contacts [T, 4]`` (0, 1).

    Feet are left ankle, left toe, right ankle, right toe; velocities are units a frame.
    """

    motion: np.ndarray
    root: np.ndarray
    foot_contacts: np.ndarray

    def __len__(self) -> int:
        return len(self.motion)

    def whole(self) -> "PuzzleClip":
        """Lengthen by reflection past the next multiple of 4 frames, as whole clips are published."""
        frames = cmu.whole_clip_frames(len(self))
        return PuzzleClip(*(cmu.reflected(part, frames) for part in (self.motion, self.root, self.foot_contacts)))

    def windows(self, frames: int = WINDOW, step: int = WINDOW_STEP) -> list["PuzzleClip"]:
        """Cut into windows; the last, where it is short, goes on standing at both ends.

        Published: in what is added, velocities and root are zero, and so are the last three of the four contacts.
        """
        starts = range(0, len(self) - frames // 4, step)
        return [PuzzleClip(*(_window(part, start, frames) for part in self._parts)) for start in starts]

    @property
    def _parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.motion, self.root, self.foot_contacts


def _window(part: np.ndarray, start: int, frames: int) -> np.ndarray:
    window = part[start : start + frames]
    right = (frames - len(window)) // 2
    left = frames - len(window) - right
    before, after = np.repeat(window[:1], left, axis=0), np.repeat(window[-1:], right, axis=0)
    before[..., -3:], after[..., -3:] = 0, 0
    return np.concatenate([before, window, after])


def clip_of(motion: Motion, how: PuzzleLayout | None = None, quirks: Collection[Quirk] = ()) -> PuzzleClip:
    """Lower the frame rate of a motion on the CMU skeleton (the files' units) and take its features."""
    how = how or PuzzleLayout()
    steps = slice(None, None, how.downsample)
    joints, world = kinematics.forward(motion.skeleton, motion.rotations[steps], motion.root[steps])
    joints, world = joints[:, list(how.kept)].copy(), rot.to_matrix(world[:, list(how.kept)])
    feet = (*how.left_foot, *how.right_foot)
    joints[..., 1] -= cmu.soft_floor(joints[:, list(feet), 1].min(axis=1), how.floor_softness)

    heading = cmu.heading_removal(cmu.facing(joints, how.hips, how.shoulders, how.heading_filter_frames))
    turned = rot.to_matrix(heading)
    local = rot.rotate(heading[:, None], joints - joints[:, :1] * np.array([1.0, 0.0, 1.0]))
    axes = turned[:, None] @ world
    moving = joints.copy()
    if LEVEL_ROOT in quirks:
        moving[:, 0, 1] = 0.0
    velocity = rot.rotate(heading[:-1, None], np.diff(moving, axis=0))
    features = np.concatenate([local[:-1], axes[:-1, ..., 2], axes[:-1, ..., 1], velocity], axis=-1)

    between = rot.rotate(rot.multiply(heading[1:], rot.inverse(heading[:-1])), cmu.AHEAD)
    turn = np.arctan2(between[:, 0], between[:, 2])
    root = np.stack([velocity[:, 0, 0], velocity[:, 0, 2], turn], axis=-1)[:, None]
    still = cmu.squared_steps(joints, feet) < np.tile(how.contact_squared_steps, 2)
    low = joints[:-1, list(feet), 1] < np.tile(how.contact_heights, 2)
    return PuzzleClip(features, root, (still & low).astype(np.int64))


@dataclass(frozen=True, eq=False)
class Postures:
    """Rebuilt postures: ``positions [T, 21, 3]`` and transforms ``[T, 21, 4, 4]``, in the world and to the parent."""

    positions: np.ndarray
    global_transforms: np.ndarray
    local_transforms: np.ndarray


def postures(
    features: np.ndarray, root: np.ndarray, how: PuzzleLayout | None = None, quirks: Collection[Quirk] = ()
) -> Postures:
    """Rebuild postures of ``features [T, 21, 12]`` (not normalised) along a root's motion ``[T, 1, 3]`` from the origin.

    Every position is the mean of what the features say and of where the velocity leads from the frame before.
    """
    how = how or PuzzleLayout()
    position, forward, up, velocity = (np.asarray(features, dtype=np.float64)[..., block] for block in BLOCKS.values())
    turn, path = _root_frames(np.asarray(root, dtype=np.float64)[:, 0])
    placed, velocity, forward, up = (rot.rotate(turn[:, None], part) for part in (position, velocity, forward, up))
    placed += path[:, None]
    if FIRST_FRAME_FROM_LAST in quirks:
        # Of the last frame only the position in the person's own frame is there yet.
        before = placed[0] if len(placed) == 1 else position[-1]
        placed[0] = 0.5 * (before + velocity[0]) + 0.5 * placed[0]
    for frame in range(1, len(placed)):
        placed[frame] = 0.5 * (placed[frame - 1] + velocity[frame]) + 0.5 * placed[frame]
    forward, up = _unit(forward), _unit(up)
    side = _unit(np.cross(up, forward))
    if SKEW_AXES not in quirks:
        forward = np.cross(side, up)
    transforms = np.zeros((*placed.shape[:2], 4, 4))
    transforms[..., :3, :] = np.stack([side, up, forward, placed], axis=-1)
    transforms[..., 3, 3] = 1.0
    local = transforms.copy()
    for joint, parent in enumerate(how.kept_parents):
        if parent >= 0:
            local[:, joint] = np.linalg.inv(transforms[:, parent]) @ transforms[:, joint]
    return Postures(placed, transforms, local)


def _root_frames(root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Integrate x and z velocity and turn ``[T, 3]`` to the person's own frame: turn ``[T, 4]`` and place ``[T, 3]``."""
    turn = rot.about_y(-np.concatenate([[0.0], np.cumsum(root[:, 2])]))
    step = np.stack([root[:, 0], np.zeros(len(root)), root[:, 1]], axis=-1)
    path = np.cumsum(rot.rotate(turn[1:], step), axis=0)
    return turn[:-1], np.concatenate([np.zeros((1, 3)), path[:-1]])


def statistics(clips: Collection[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation ``[12]`` of features ``[T, 21, 12]``; one deviation for each group of three."""
    pooled = np.concatenate([clip.reshape(-1, clip.shape[-1]) for clip in clips])
    std = pooled.std(axis=0).reshape(-1, 3).mean(axis=-1).repeat(3)
    return pooled.mean(axis=0), np.where(std == 0.0, SMALLEST_STD, std)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def posture_motion(made: Postures, how: PuzzleLayout | None = None) -> Motion:
    """Return postures as a motion on the kept joints, whose bones have their median length (the files' units)."""
    how = how or PuzzleLayout()
    rotations = rot.from_matrix(made.local_transforms[..., :3, :3])
    offsets = np.median(made.local_transforms[..., :3, 3], axis=0)
    offsets[0] = 0.0
    skeleton = Skeleton(tuple(cmu.NAMES[joint] for joint in how.kept), how.kept_parents, offsets)
    return Motion(skeleton, rot.continuous(rotations), made.positions[:, 0], FPS)


class MotionPuzzleSpace:
    """Joints and root side by side as a :class:`~motifmix.features.space.FeatureSpace`: 255 numbers a frame.

    T frames give T - 1. Lost on the way: the start's place and heading, and ten of the 31 joints.
    """

    name = "motion_puzzle_255"
    fps = FPS
    dim = 12 * len(cmu.KEPT) + 3
    blocks: Mapping[str, slice] = slices({"joints": 12 * len(cmu.KEPT), "root": 3})

    def __init__(self, quirks: Collection[Quirk] = ()) -> None:
        self.quirks = tuple(quirks)

    def clip(self, motion: Motion) -> PuzzleClip:
        """Return the features of a motion on any skeleton that can be retargeted, or on the CMU one."""
        if motion.skeleton.parents != cmu.PARENTS:
            motion = retarget(motion, cmu.CMU_31_METRES)[0]
        return clip_of(cmu.in_file_units(motion.resampled(self.fps)), PuzzleLayout(downsample=1), self.quirks)

    def encode(self, motion: Motion) -> np.ndarray:
        """Return ``[T - 1, 255]`` float32."""
        clip = self.clip(motion)
        return np.concatenate([clip.motion.reshape(len(clip), -1), clip.root[:, 0]], axis=1).astype(np.float32)

    def decode(self, features: np.ndarray) -> Motion:
        """Return a motion on the motifmix skeleton from ``[T, 255]`` (not normalised), from the origin, in metres."""
        joints = features[:, self.blocks["joints"]].reshape(len(features), -1, 12)
        made = posture_motion(postures(joints, features[:, None, self.blocks["root"]], quirks=self.quirks))
        skeleton = Skeleton(made.skeleton.names, made.skeleton.parents, made.skeleton.offsets * cmu.METRES)
        return retarget(Motion(skeleton, made.rotations, made.root * cmu.METRES, made.fps), MOTIFMIX)[0]
