"""InterHuman's features (InterGen, Liang et al., IJCV 2024): 262 numbers a person and frame at 30 fps.

Joint positions and steps are in the world that makes the first person stand at the origin facing +Z in frame 0; the
second person is placed relative to the first. Rotations are those of joints 1 to 21 as a body model stores them, local
to the parent, six numbers with the two matrix columns *interleaved* (row by row). The pelvis has no rotation here: it
is read from the positions of hips and spine. One frame is lost, because steps lead to the next frame.

``load_person`` to ``place`` are the published steps one by one; ``extract_person`` and ``extract_pair`` join them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from motifmix.errors import RequestError
from motifmix.features.published import on_published_body, standing_like
from motifmix.features.space import slices
from motifmix.motion import Motion, Scene
from motifmix.motion import rotations as rot
from motifmix.motion.inverse_kinematics import motion_from_joints
from motifmix.motion.skeleton import JOINT_NAMES, LEFT_ANKLE, LEFT_TOE, MIRROR, RIGHT_ANKLE, RIGHT_TOE

JOINTS = len(JOINT_NAMES)
STORED_JOINTS = 62  # 22 of the body, then hands; only the body's are used
STORED_ROTATIONS = 51
CONTACT_STEP = 0.001  # m^2 per frame
CONTACT_HEIGHTS = (0.12, 0.05)  # m, ankle and toe

_LEFT_HIP, _RIGHT_HIP = JOINT_NAMES.index("left_hip"), JOINT_NAMES.index("right_hip")
_LEFT_WRIST, _RIGHT_WRIST = JOINT_NAMES.index("left_wrist"), JOINT_NAMES.index("right_wrist")
_FEET = (LEFT_ANKLE, LEFT_TOE, RIGHT_ANKLE, RIGHT_TOE)
_UP = np.array([0.0, 1.0, 0.0])
_AHEAD = np.array([0.0, 0.0, 1.0])
_ON_GROUND = np.array([1.0, 0.0, 1.0])

BLOCKS = slices(
    {
        "joint_positions": 3 * JOINTS,
        "joint_velocities": 3 * JOINTS,
        "joint_rotations": 6 * (JOINTS - 1),
        "foot_contacts": 4,
    }
)
# What a stored array comes down to: positions, then the 21 rotations, ``[T, 192]``.
STORED = slices({"joint_positions": 3 * JOINTS, "joint_rotations": 6 * (JOINTS - 1)})


class InterHumanSpace:
    """The published 262 numbers as a :class:`~motifmix.features.space.FeatureSpace`, for one person or two.

    T frames give T - 1 rows. Lost on the way: the start's place and heading (of the pair, for two people) and each
    person's height over the floor as a whole. Rotations of head, hands and toes survive.
    """

    name = "interhuman_262"
    fps = 30.0
    dim = 262
    blocks: Mapping[str, slice] = BLOCKS

    def encode(self, motion: Motion) -> np.ndarray:
        """Return ``[T - 1, 262]`` float32 of a motion at any frame rate. Raises ``ValueError`` for another skeleton."""
        return extract_person(self.loaded(motion), up_axis="y").features.astype(np.float32)

    def decode(self, features: np.ndarray) -> Motion:
        """Return a motion at 30 fps from ``[T, 262]`` (not normalised).

        Positions say where bones point, the rotation block how they turn about themselves.
        """
        features = np.asarray(features, dtype=np.float64)
        joints = joint_positions(features)
        guess = np.concatenate([np.tile(rot.IDENTITY, (len(features), 1, 1)), joint_rotations(features)], axis=1)
        return standing_like(motion_from_joints(joints, self.fps, guess), joints)

    def resting(self, features: np.ndarray) -> np.ndarray:
        """Say in which frames the toes rest, ``[T, 2]`` (left, right), as the contacts in features ``[T, 262]`` have it.

        A model knows when it wants a foot to rest better than its feet show, which slide. A single frame that says
        otherwise than both of its neighbours is taken for noise.
        """
        of_feet = np.asarray(features)[:, BLOCKS["foot_contacts"]].reshape(-1, 2, 2)  # of each foot: ankle, toes
        contacts = of_feet[..., 1]
        around = np.pad(contacts, ((1, 1), (0, 0)), mode="edge")
        return np.median([around[:-2], contacts, around[2:]], axis=0) > 0.5

    def encode_pair(self, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
        """Return two people's ``[T - 1, 262]`` float32 in the first one's frame. Raises ``ValueError`` for not two."""
        if len(scene) != 2:
            raise ValueError(f"a pair has two people, this scene {len(scene)}")
        first, second = (self.loaded(person) for person in scene)
        frames = min(len(first), len(second))
        pair = extract_pair(first[:frames], second[:frames], up_axis="y")
        return pair.first.features.astype(np.float32), pair.placed.astype(np.float32)

    def decode_pair(self, first: np.ndarray, second: np.ndarray) -> Scene:
        """Two people's ``[T, 262]`` to a scene."""
        return Scene((self.decode(first), self.decode(second)))

    def from_joints(self, joints: np.ndarray) -> np.ndarray:
        """Joints ``[T, 22, 3]`` at 30 fps, Y up, to ``[T - 1, 262]`` float32; rotations are fitted to the positions."""
        return self.encode(motion_from_joints(joints, self.fps))

    def to_joints(self, features: np.ndarray) -> np.ndarray:
        """Features ``[..., T, 262]`` to joints ``[..., T, 22, 3]``."""
        return joint_positions(np.asarray(features))

    def loaded(self, motion: Motion) -> np.ndarray:
        """Return a motion at 30 fps as the published files hold a person, ``[T, 192]``: what :func:`extract_pair` takes."""
        motion = on_published_body(motion.resampled(self.fps))
        rotations = interleaved_columns(motion.rotations[:, 1:])
        return np.concatenate([motion.joints.reshape(motion.frames, -1), rotations.reshape(motion.frames, -1)], axis=-1)


@dataclass(frozen=True)
class Person:
    """``features [T - 1, 262]`` of one person in its own frame, and what took it there: ``turn [4]`` (xyzw, to +Z)
    and ``origin [3]`` (the root's ground point that was moved to the origin).
    """

    features: np.ndarray
    turn: np.ndarray
    origin: np.ndarray


@dataclass(frozen=True)
class Pair:
    """Two people on one clock: ``first`` and ``second`` each in its own frame, ``relative [3]`` (half the yaw between
    them, x, z), and ``placed [T - 1, 262]``, the second one's features in the first one's frame.
    """

    first: Person
    second: Person
    relative: np.ndarray
    placed: np.ndarray


def load_person(stored: np.ndarray) -> np.ndarray:
    """Stored array ``[T, 492]`` (62 joints, then 51 rotations) to the part that is used, ``[T, 192]``."""
    rotations = slice(3 * STORED_JOINTS, 3 * STORED_JOINTS + 6 * (JOINTS - 1))
    return np.concatenate([stored[:, : 3 * JOINTS], stored[:, rotations]], axis=-1)


def stored_person(motion: Motion) -> np.ndarray:
    """Return a motion on the motifmix skeleton as the published arrays hold one person: ``[T, 492]`` float32, Z up.

    What stands in for the hands, which we do not have: their joints lie in the wrist, their rotations are none. The
    inverse of :func:`load_person` up to those. Raises ``ValueError`` for another skeleton.
    """
    motion = on_published_body(motion.resampled(InterHumanSpace.fps))
    joints = motion.joints[..., [0, 2, 1]] * np.array([1.0, -1.0, 1.0])
    hands = np.repeat(joints[:, [_LEFT_WRIST, _RIGHT_WRIST]], (STORED_JOINTS - JOINTS) // 2, axis=1)
    rotations = interleaved_columns(motion.rotations[:, 1:]).reshape(motion.frames, -1)
    still = np.tile(interleaved_columns(rot.IDENTITY), (motion.frames, STORED_ROTATIONS - (JOINTS - 1)))
    parts = [part.reshape(motion.frames, -1) for part in (joints, hands, rotations, still)]
    return np.concatenate(parts, axis=-1).astype(np.float32)


def mirror_person(loaded: np.ndarray) -> np.ndarray:
    """Mirror left and right of ``[T, 192]`` (x to -x, before any change of axes)."""
    frames = len(loaded)
    positions = loaded[:, STORED["joint_positions"]].reshape(frames, JOINTS, 3)[:, list(MIRROR)]
    rotations = loaded[:, STORED["joint_rotations"]].reshape(frames, JOINTS - 1, 6)[:, [j - 1 for j in MIRROR[1:]]]
    # With x mirrored, the matrix entries that couple x with y or z change sign: R01, R10, R20 of the two columns.
    rotations = rotations * np.array([1, -1, -1, 1, -1, 1], dtype=loaded.dtype)
    positions = positions * np.array([-1, 1, 1], dtype=loaded.dtype)
    return np.concatenate([positions.reshape(frames, -1), rotations.reshape(frames, -1)], axis=-1)


def extract_person(
    loaded: np.ndarray,
    *,
    up_axis: str = "z",
    reference_frame: int = 0,
    contact_step: float = CONTACT_STEP,
    contact_heights: tuple[float, float] = CONTACT_HEIGHTS,
) -> Person:
    """One person's ``[T, 192]`` to features in its own frame: on its own floor, at the origin, facing +Z.

    ``up_axis`` is ``"z"`` for the stored arrays, ``"y"`` for joints that are in our axes already. Raises
    ``RequestError`` for fewer than two frames.
    """
    if len(loaded) < 2:
        raise RequestError(f"features need at least 2 frames, this clip has {len(loaded)}; give a longer clip")
    joints = loaded[:, STORED["joint_positions"]].astype(np.float64).reshape(len(loaded), JOINTS, 3)
    if up_axis == "z":
        joints = joints[..., [0, 2, 1]] * np.array([1.0, 1.0, -1.0])
    joints[..., 1] -= joints[..., 1].min()
    reference = joints[reference_frame]
    origin = reference[0] * _ON_GROUND
    ahead = np.cross(_UP, reference[_RIGHT_HIP] - reference[_LEFT_HIP])
    turn = rot.shortest_arc(ahead, _AHEAD)
    joints = rot.rotate(turn, joints - origin)
    steps = joints[1:] - joints[:-1]
    squared = (steps[:, _FEET] ** 2).sum(-1)
    contacts = (squared < contact_step) & (joints[:-1, _FEET, 1] < np.array([*contact_heights, *contact_heights]))
    count = len(steps)
    features = np.concatenate(
        [
            joints[:-1].reshape(count, -1),
            steps.reshape(count, -1),
            loaded[:-1, STORED["joint_rotations"]],
            contacts,
        ],
        axis=-1,
    )
    return Person(features, turn, origin)


def extract_pair(first: np.ndarray, second: np.ndarray, **options: object) -> Pair:
    """Two people's ``[T, 192]`` on one clock to features; ``options`` as for :func:`extract_person`."""
    one, other = extract_person(first, **options), extract_person(second, **options)  # pyright: ignore[reportArgumentType]
    between = rot.multiply(other.turn, rot.inverse(one.turn))
    offset = rot.rotate(one.turn, other.origin - one.origin)
    relative = np.array([np.arctan2(between[1], between[3]), offset[0], offset[2]])
    return Pair(one, other, relative, place(other.features, relative))


def place(features: np.ndarray, relative: np.ndarray) -> np.ndarray:
    """Turn and move a person's features ``[..., T, 262]`` by ``relative [3]`` (half yaw, x, z); rotations are local, so
    they stay.
    """
    placed = np.array(features, dtype=np.float64)
    turn = rot.about_y(-2.0 * relative[0])
    for block, shift in (("joint_positions", [relative[1], 0.0, relative[2]]), ("joint_velocities", np.zeros(3))):
        vectors = placed[..., BLOCKS[block]]
        moved = rot.rotate(turn, vectors.reshape(*vectors.shape[:-1], JOINTS, 3)) + np.asarray(shift)
        placed[..., BLOCKS[block]] = moved.reshape(vectors.shape)
    return placed


def padded(features: np.ndarray, length: int) -> np.ndarray:
    """``[T, D]`` with zeros behind it, ``[length, D]``."""
    return np.concatenate([features, np.zeros((length - len(features), features.shape[-1]))])


def joint_positions(features: np.ndarray) -> np.ndarray:
    """Features ``[..., T, 262]`` (not normalised) to joints ``[..., T, 22, 3]``."""
    block = features[..., BLOCKS["joint_positions"]]
    return block.reshape(*block.shape[:-1], JOINTS, 3)


def joint_rotations(features: np.ndarray) -> np.ndarray:
    """Features ``[..., T, 262]`` to the local quaternions of joints 1 to 21, ``[..., T, 21, 4]``."""
    block = features[..., BLOCKS["joint_rotations"]]
    interleaved = block.reshape(*block.shape[:-1], JOINTS - 1, 3, 2)
    return rot.from_six_d(np.swapaxes(interleaved, -1, -2).reshape(*block.shape[:-1], JOINTS - 1, 6))


def interleaved_columns(rotations: np.ndarray) -> np.ndarray:
    """Quaternions ``[..., 4]`` to InterHuman's six numbers ``[..., 6]``: R00, R01, R10, R11, R20, R21."""
    return rot.to_matrix(rotations)[..., :, :2].reshape(*rotations.shape[:-1], 6)


def smoothed_for_display(joints: np.ndarray, frames: float = 1.0) -> np.ndarray:
    """Smooth joints ``[T, 22, 3]`` over time as the published viewer does, with a Gaussian of ``frames``."""
    from scipy.ndimage import gaussian_filter1d  # a fifth of a second, which decoding does not need

    return gaussian_filter1d(joints, frames, axis=0, mode="nearest")
