"""The arrays of Aberman et al. and of Motion Puzzle on our own training skeleton: 22 joints at 20 fps.

Both published networks know the CMU skeleton only, at 30 and 60 fps. These layouts keep their units (one is about 5.6
cm), so that losses keep their balance, and state speeds and filters for 20 fps. Three things differ on purpose: every
motion starts at the origin looking along +Z, as generated ones do; the heading goes on past half a turn; and of the two
signs of a quaternion the one with w >= 0 is taken, since a network cannot know the other.
"""

from dataclasses import dataclass, replace

import numpy as np

from motifmix.features import aberman, motion_puzzle
from motifmix.features import cmu_skeleton as cmu
from motifmix.features.aberman import AbermanLayout, clip_of, view_rotation
from motifmix.features.motion_puzzle import PuzzleClip, PuzzleLayout
from motifmix.motion import rotations as rot
from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import JOINT_NAMES, JOINT_PARENTS, MOTIFMIX, Skeleton

FPS = 20.0
UNIT = cmu.METRES  # metres in a unit
SKELETON = Skeleton(MOTIFMIX.names, MOTIFMIX.parents, MOTIFMIX.offsets / UNIT)
GLOBALS = 4  # root x, y, z and heading, last in content and 3D style
BLEND_FRAMES = 3  # of foot clean-up: 5 at 30 fps and 10 at 60 fps
_KEPT = tuple(range(len(JOINT_NAMES)))


def _pair(left: str, right: str) -> tuple[int, int]:
    return JOINT_NAMES.index(left), JOINT_NAMES.index(right)


_LEFT_FOOT, _RIGHT_FOOT = _pair("left_ankle", "left_foot"), _pair("right_ankle", "right_foot")
_HIPS, _SHOULDERS = _pair("left_hip", "right_hip"), _pair("left_shoulder", "right_shoulder")
FOOT_JOINTS = (*_LEFT_FOOT, *_RIGHT_FOOT)

_PUZZLE_SQUARED_STEP = cmu.CONTACT_SQUARED_STEP * (motion_puzzle.FPS / FPS) ** 2
ABERMAN = AbermanLayout(
    skeleton=SKELETON,
    kept=_KEPT,
    left_foot=_LEFT_FOOT,
    right_foot=_RIGHT_FOOT,
    hips=_HIPS,
    shoulders=_SHOULDERS,
    downsample=1,
    trim_multiple=1,
    contact_squared_step=cmu.CONTACT_SQUARED_STEP * (aberman.FPS / FPS) ** 2,
    heading_filter_frames=cmu.HEADING_FILTER_FRAMES * FPS / aberman.FPS,
)
PUZZLE = PuzzleLayout(
    kept=_KEPT,
    kept_parents=JOINT_PARENTS,
    left_foot=_LEFT_FOOT,
    right_foot=_RIGHT_FOOT,
    hips=_HIPS,
    shoulders=_SHOULDERS,
    downsample=1,
    contact_squared_steps=(_PUZZLE_SQUARED_STEP, _PUZZLE_SQUARED_STEP),
    heading_filter_frames=cmu.HEADING_FILTER_FRAMES * FPS / motion_puzzle.FPS,
)
CONTENT_CHANNELS, STYLE3D_CHANNELS, STYLE2D_CHANNELS = 4 * len(_KEPT) + GLOBALS, 3 * len(_KEPT) + 1, 2 * len(_KEPT)


@dataclass(frozen=True, eq=False)
class AbermanArrays:
    """``content [T, 92]``, ``style3d [T, 67]`` (float32) and ``foot_contacts [T, 4]``, wherever the motion starts."""

    content: np.ndarray
    style3d: np.ndarray
    foot_contacts: np.ndarray


def in_units(motion: Motion) -> Motion:
    """Return a motion on the motifmix skeleton at 20 fps in the layouts' units. Raises ``ValueError`` for another."""
    if not motion.skeleton.same_as(MOTIFMIX):
        raise ValueError("these arrays are made from motions on the motifmix skeleton; retarget first")
    motion = motion.resampled(FPS)
    return Motion(SKELETON, motion.rotations, motion.root / UNIT, FPS, motion.labels)


def in_metres(motion: Motion) -> Motion:
    """Undo :func:`in_units`."""
    return Motion(MOTIFMIX, rot.continuous(motion.rotations), motion.root * UNIT, FPS, motion.labels)


def aberman_arrays(motion: Motion) -> AbermanArrays:
    """Return the arrays of a motion on the motifmix skeleton."""
    clip = clip_of(in_units(motion), ABERMAN)
    clip = replace(clip, heading_free=_upper(clip.heading_free), heading=np.unwrap(clip.heading))
    return AbermanArrays(clip.content.astype(np.float32), clip.style3d.astype(np.float32), clip.foot_contacts)


def _upper(quaternions: np.ndarray) -> np.ndarray:
    return quaternions * np.where(quaternions[..., 3:] < 0, -1.0, 1.0)


def from_origin(array: np.ndarray) -> np.ndarray:
    """Let clips of content or 3D style ``[..., T, channels]`` start at the origin looking along +Z."""
    moved = np.array(array)
    heading = array[..., :1, -1]
    root = array[..., -GLOBALS:-1] - array[..., :1, -GLOBALS:-1] * np.array([1.0, 0.0, 1.0], dtype=array.dtype)
    moved[..., -GLOBALS:-1] = rot.rotate(rot.about_y(-heading), root)
    moved[..., -1] -= heading
    return moved


def pictures(style3d: np.ndarray, angles: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return what a camera sees of 3D style clips ``[B, T, 67]``: ``[B, T, 44]``, as ``AbermanClip.style2d``.

    ``angles [B, 3]`` turn the view from the mean heading, ``scales [B]``.
    """
    points = style3d[..., :-GLOBALS].reshape(*style3d.shape[:2], -1, 3)
    heading, root = style3d[..., -1], style3d[..., None, -GLOBALS:-1]
    points = rot.rotate(rot.about_y(heading)[..., None, :], points)
    upright = rot.to_matrix(rot.about_y(-heading.mean(axis=1)))
    views = np.stack([(own @ view_rotation(turn))[:2] for own, turn in zip(upright, angles, strict=True)])  # [B, 2, 3]
    seen = np.einsum("btjc,bdc->btjd", np.concatenate([points, root], axis=2), views)
    return (scales[:, None, None] * seen.reshape(*style3d.shape[:2], -1)).astype(np.float32)


def aberman_motion(rotations: np.ndarray, arrays: AbermanArrays) -> Motion:
    """Return generated quaternions ``[T, 88]`` (wxyz, any length) with the content's root and heading, in metres."""
    content = np.concatenate([rotations, arrays.content[:, -GLOBALS:]], axis=1)
    return in_metres(replace(aberman.animation(content, SKELETON), fps=FPS))


def puzzle_clip(motion: Motion) -> PuzzleClip:
    """Return the features of a motion on the motifmix skeleton: T frames give T, for the last pose is held."""
    return motion_puzzle.clip_of(_held(motion), PUZZLE)


def _held(motion: Motion) -> Motion:
    motion = in_units(motion)
    rotations, root = (np.concatenate([part, part[-1:]]) for part in (motion.rotations, motion.root))
    return Motion(SKELETON, rotations, root, FPS)


def puzzle_motion(features: np.ndarray, like: PuzzleClip, content: Motion) -> Motion:
    """Rebuild features ``[T, 22, 12]`` along the root of ``like``, the clip of ``content``, where that stands; in metres.

    The axes give the rotations, the root joint's position the path; bones keep their lengths. At 20 fps the published
    integration of a turning path strays by centimetres a second; by how much, the clip's own features tell.
    """
    made, plain = (motion_puzzle.postures(each, like.root, PUZZLE) for each in (features, like.motion))
    local = rot.from_matrix(made.local_transforms[..., :3, :3])
    joints = _held(content).joints
    ahead = cmu.facing(joints, _HIPS, _SHOULDERS, PUZZLE.heading_filter_frames)[0]
    floor = cmu.soft_floor(joints[:, list(FOOT_JOINTS), 1].min(axis=1), PUZZLE.floor_softness)
    motion = Motion(SKELETON, local, made.positions[:, 0], FPS).turned(float(np.arctan2(ahead[0], ahead[2])))
    strayed = rot.rotate(rot.about_y(float(np.arctan2(ahead[0], ahead[2]))), plain.positions[:, 0]) - joints[:-1, 0]
    strayed[:, 1] = -floor
    return in_metres(motion.moved(-strayed))


def planted(motion: Motion, foot_contacts: np.ndarray, damping: float) -> Motion:
    """Let feet hold still where the content's rested, ``[T, 4]``, by both papers' clean-up; heights are kept.

    The papers press resting feet onto the floor, ankles as well as toes, which bends our longer feet into it.
    """
    units = in_units(motion)
    cleaned = aberman.cleaned_feet(
        units, foot_contacts, foot_joints=FOOT_JOINTS, blend_frames=BLEND_FRAMES, on_floor=False, damping=damping
    ).motion
    return replace(in_metres(replace(cleaned, root=units.root)), labels=motion.labels)


def reflected_frames(frames: int, wanted: int) -> np.ndarray:
    """Frame numbers ``[wanted]`` that run to and fro over ``frames``; the last and the first are said twice."""
    there_and_back = np.concatenate([np.arange(frames), np.arange(frames)[::-1]])
    return np.resize(there_and_back, wanted)
