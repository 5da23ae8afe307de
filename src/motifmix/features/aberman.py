"""The arrays of "Unpaired Motion Style Transfer from Video to Animation" (Aberman et al., SIGGRAPH 2020), at 30 fps.

Three views of one clip on the 31-joint CMU skeleton, in the files' units: *content* (128: local quaternions w x y z
with the heading taken out of the root, the root's path, the heading), *3D style* (64: positions of 20 joints about the
root in the heading's frame, the root's path, the heading) and *2D style* (42: an orthographic picture of the joints
about the root, and the root's path in it). Paths are absolute and not turned. Frames come first here; the network wants
channels first. Quaternions are xyzw everywhere but in the content array.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from motifmix.features import cmu_skeleton as cmu
from motifmix.features.foot_planting import planted_feet
from motifmix.features.space import slices
from motifmix.motion import kinematics
from motifmix.motion import rotations as rot
from motifmix.motion.damped_kinematics import reach
from motifmix.motion.motion import Motion
from motifmix.motion.retargeting import retarget
from motifmix.motion.skeleton import MOTIFMIX, Skeleton
from motifmix.quirks import Quirk

KNEES_AND_ELBOWS_FACE = Quirk(
    "knees_and_elbows_face",
    "Aberman et al.: the numbers of hips and shoulders were not counted among the kept joints, so that knees and elbows "
    "decide where a person looks; the published data, statistics and weights were made so",
)
EXPORTED_TURNED = Quirk(
    "exported_turned",
    "Aberman et al.: a clip is turned by a multiple of 90 degrees, to look ahead, when it is written; the published "
    "results were made so",
)
FPS = 30.0
FOOT_JOINTS = (4, 5, 9, 10)  # of all 31: left ankle and toe, right ankle and toe
CLEANUP_BLEND_FRAMES = 5
CLEANUP_DAMPING = 4.0
DAMPING_SHARE = 1.0 / (1.0 + 0.001)  # the published solver divides its damping so
AUGMENTED_YAW = np.pi / 2  # radians either way: views of the 2D style in training
AUGMENTED_SCALE = (0.8, 1.2)
SMALLEST_STD = 1e-9  # in place of a deviation of zero


@dataclass(frozen=True, eq=False)
class AbermanLayout:
    """Which joints the arrays hold and which numbers make them; feet, hips and shoulders count among the kept.

    ``trim_multiple`` frames at a time are kept, from the start, at the lower frame rate.
    """

    skeleton: Skeleton = field(default=cmu.CMU_31)
    kept: tuple[int, ...] = cmu.KEPT
    left_foot: tuple[int, int] = cmu.LEFT_FOOT
    right_foot: tuple[int, int] = cmu.RIGHT_FOOT
    hips: tuple[int, int] = (1, 5)
    shoulders: tuple[int, int] = (13, 17)
    downsample: int = 4
    trim_multiple: int = 4
    contact_squared_step: float = cmu.CONTACT_SQUARED_STEP
    heading_filter_frames: float = cmu.HEADING_FILTER_FRAMES


def layout(quirks: Collection[Quirk] = ()) -> AbermanLayout:
    """Return the layout, with knees and elbows in place of hips and shoulders where the published weights are used."""
    plain = AbermanLayout()
    return replace(plain, hips=(2, 6), shoulders=(14, 18)) if KNEES_AND_ELBOWS_FACE in quirks else plain


@dataclass(frozen=True, eq=False)
class AbermanClip:
    """A clip at the space's frame rate, T frames: what all three arrays are made of.

    ``rotations [T, J, 4]`` local, ``root [T, 3]``, ``joints [T, kept, 3]`` in the world, ``foot_contacts [T, 4]`` (left
    ankle, left toe, right ankle, right toe), ``heading [T]`` in radians and ``heading_free [T, J, 4]``, the rotations
    with it taken out of the root.
    """

    layout: AbermanLayout
    rotations: np.ndarray
    root: np.ndarray
    joints: np.ndarray
    foot_contacts: np.ndarray
    heading: np.ndarray
    heading_free: np.ndarray

    @property
    def content(self) -> np.ndarray:
        """``[T, 4 J + 4]``."""
        turned = np.roll(self.heading_free, 1, axis=-1).reshape(len(self.root), -1)
        return np.concatenate([turned, self.root, self.heading[:, None]], axis=1)

    @property
    def style3d(self) -> np.ndarray:
        """``[T, 3 (kept - 1) + 4]``."""
        about_root = self._about_root(self.heading_free).reshape(len(self.root), -1)
        return np.concatenate([about_root, self.root, self.heading[:, None]], axis=1)

    @property
    def view_axes(self) -> np.ndarray:
        """Right, up and depth of a picture of the clip from its mean heading: rows of ``[3, 3]``."""
        cosine, sine = np.cos(self.heading.mean()), np.sin(self.heading.mean())
        return np.array([[cosine, 0.0, -sine], [0.0, 1.0, 0.0], [sine, 0.0, cosine]])

    def style2d(self, angles: np.ndarray | None = None, scale: float = 1.0) -> np.ndarray:
        """``[T, 2 kept]``: the picture from the mean heading, turned by ``angles [3]`` (pitch, yaw, roll; radians)."""
        axes = self.view_axes if angles is None else self.view_axes @ view_rotation(np.asarray(angles))
        points = np.concatenate([self._about_root(self.rotations), self.root[:, None]], axis=1)
        return (scale * points @ axes[:2].T).reshape(len(points), -1)

    def _about_root(self, rotations: np.ndarray) -> np.ndarray:
        joints, _ = kinematics.forward(self.layout.skeleton, rotations, np.zeros(3))
        return joints[:, list(self.layout.kept[1:])]


def clip_of(motion: Motion, how: AbermanLayout) -> AbermanClip:
    """Lower the frame rate of a motion on the layout's skeleton (its units), trim it, and measure feet and heading."""
    frames = -(-motion.frames // how.downsample) // how.trim_multiple * how.trim_multiple
    rotations, root = (part[:: how.downsample][:frames] for part in (motion.rotations, motion.root))
    joints = kinematics.forward(how.skeleton, rotations, root)[0][:, list(how.kept)]
    away = cmu.heading_removal(cmu.facing(joints, how.hips, how.shoulders, how.heading_filter_frames))
    ahead = rot.rotate(rot.inverse(away), cmu.AHEAD)
    free = rotations.copy()
    free[:, 0] = rot.multiply(away, rotations[:, 0])
    return AbermanClip(
        layout=how,
        rotations=rotations,
        root=root,
        joints=joints,
        foot_contacts=_foot_contacts(joints, how),
        heading=np.arctan2(ahead[:, 0], ahead[:, 2]),
        heading_free=free,
    )


def clip_from_content(content: np.ndarray, how: AbermanLayout) -> AbermanClip:
    """Return a whole clip, or a window of one, from its content array ``[T, 4 J + 4]`` (not normalised)."""
    motion = animation(content, how.skeleton)
    joints = motion.joints[:, list(how.kept)]
    heading = np.array(content[:, -1], dtype=np.float64)
    free = motion.rotations.copy()
    free[:, 0] = rot.multiply(rot.about_y(-heading), motion.rotations[:, 0])
    return AbermanClip(how, motion.rotations, motion.root, joints, _foot_contacts(joints, how), heading, free)


def _foot_contacts(joints: np.ndarray, how: AbermanLayout) -> np.ndarray:
    """``[T, 4]`` of 0 and 1; the first frame repeats the second. A single frame rests."""
    still = cmu.squared_steps(joints, (*how.left_foot, *how.right_foot)) < how.contact_squared_step
    return np.concatenate([still[:1] if len(still) else np.ones((1, 4), dtype=bool), still]).astype(np.float32)


def view_rotation(angles: np.ndarray) -> np.ndarray:
    """Rx Ry Rz ``[3, 3]`` of ``angles [3]`` with the signs of the published code, which are not all those of one hand."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cx, sx], [0.0, -sx, cx]])
    about_y = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    about_z = np.array([[cz, sz, 0.0], [-sz, cz, 0.0], [0.0, 0.0, 1.0]])
    return about_x @ about_y @ about_z


def animation(content: np.ndarray, skeleton: Skeleton = cmu.CMU_31, quirks: Collection[Quirk] = ()) -> Motion:
    """Return the motion (the skeleton's units) of ``[T, 4 J + 4]``: any quaternions, root path, heading."""
    quaternions = np.asarray(content[:, :-4], dtype=np.float64).reshape(len(content), -1, 4)
    rotations = rot.normalized(np.roll(quaternions, -1, axis=-1))
    root, heading = np.array(content[:, -4:-1], dtype=np.float64), np.array(content[:, -1], dtype=np.float64)
    if EXPORTED_TURNED in quirks:
        quarters = _quarter_turns(heading)
        heading -= quarters * np.pi / 2
        for _ in range(quarters):
            root = np.stack([-root[:, 2], root[:, 1], root[:, 0]], axis=1)
    rotations[:, 0] = rot.multiply(rot.about_y(heading), rotations[:, 0])
    return Motion(skeleton, rotations, root, FPS)


def _quarter_turns(heading: np.ndarray) -> int:
    off = np.abs(heading[None] - np.arange(4)[:, None] * np.pi / 2)
    return int(np.minimum(off, 2 * np.pi - off).sum(axis=1).argmin())


@dataclass(frozen=True, eq=False)
class Cleanup:
    """Targets of all joints ``[T, J, 3]`` and the motion whose limbs reach for them, on a floor at 0."""

    targets: np.ndarray
    motion: Motion


def cleaned_feet(
    motion: Motion,
    foot_contacts: np.ndarray,
    *,
    foot_joints: tuple[int, ...] = FOOT_JOINTS,
    blend_frames: int = CLEANUP_BLEND_FRAMES,
    on_floor: bool = True,
    softness: float = cmu.FLOOR_SOFTNESS,
    iterations: int = 10,
    damping: float = CLEANUP_DAMPING,
) -> Cleanup:
    """Clean the feet of an animation with contacts ``[T, 4]``, the content clip's (published: ``remove_fs``)."""
    targets, floor = planted_feet(
        motion.joints, foot_contacts, foot_joints, blend_frames=blend_frames, on_floor=on_floor, softness=softness
    )
    root = motion.root - np.array([0.0, floor, 0.0])
    rotations = reach(
        motion.skeleton, motion.rotations, root, targets, iterations=iterations, damping=damping * DAMPING_SHARE
    )
    return Cleanup(targets, replace(motion, rotations=rotations, root=root))


def fitted_std(std: np.ndarray) -> np.ndarray:
    """Return deviations that can be divided by: zeros, of joints that never turn, become a tiny number."""
    return np.where(std == 0.0, SMALLEST_STD, std)


class AbermanSpace:
    """The content array as a :class:`~motifmix.features.space.FeatureSpace`; a person's proportions are lost."""

    name = "aberman_128"
    fps = FPS
    dim = 4 * len(cmu.PARENTS) + 4
    blocks: Mapping[str, slice] = slices({"joint_rotations": 4 * len(cmu.PARENTS), "root": 3, "heading": 1})

    def __init__(self, quirks: Collection[Quirk] = ()) -> None:
        self.quirks = tuple(quirks)

    def clip(self, motion: Motion) -> AbermanClip:
        """Return a motion on any skeleton that can be retargeted, or on the CMU one, as the three arrays' source."""
        how = replace(layout(self.quirks), downsample=1)
        if motion.skeleton.parents != cmu.PARENTS:
            motion = retarget(motion, cmu.CMU_31_METRES)[0]
        return clip_of(cmu.in_file_units(motion.resampled(self.fps)), how)

    def encode(self, motion: Motion) -> np.ndarray:
        """Return ``[T, 128]`` float32, T a multiple of 4."""
        return self.clip(motion).content.astype(np.float32)

    def decode(self, features: np.ndarray) -> Motion:
        """Return a motion on the motifmix skeleton from ``[T, 128]`` (not normalised), in metres."""
        made = animation(features, quirks=self.quirks)
        in_metres = Motion(cmu.CMU_31_METRES, made.rotations, made.root * cmu.METRES, made.fps)
        return retarget(in_metres, MOTIFMIX)[0]
