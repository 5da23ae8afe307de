"""HumanML3D's features (Guo et al., CVPR 2022): 263 numbers a frame at 20 fps, equal to the published extraction.

A clip of T frames of joints gives T - 1 frames of features: root turn and path speeds in the person's own frame, root
height, joint positions, joint rotations by inverse kinematics, joint velocities, foot contacts. The same code, with
another :class:`Body`, gives KIT-ML's 251. Y up; quaternions are xyzw here, wxyz in the published code.

A rotation belongs to the bone that *ends* in its joint and only turns that bone into place, so the turn of a bone about
itself, and every rotation of head, hands and toes, is lost. ``features/own.py`` keeps them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from motifmix.errors import RequestError
from motifmix.features.published import on_published_body, standing_like
from motifmix.features.space import slices
from motifmix.motion import Motion
from motifmix.motion import rotations as rot
from motifmix.motion.inverse_kinematics import motion_from_joints

_UP = np.array([0.0, 1.0, 0.0])
_AHEAD = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Body:
    """What the published extraction knows of a skeleton.

    ``axes`` is the direction of every bone in a made-up rest pose ``[J][3]`` (row 0 zero), ``chains`` run outwards from
    the root, ``facing_joints`` are right hip, left hip, right shoulder, left shoulder, ``leg_joints`` end the two bones
    that scale the path, feet are ankle and toe. ``contact_threshold`` is a squared step per frame.
    """

    axes: tuple[tuple[float, float, float], ...]
    chains: tuple[tuple[int, ...], ...]
    facing_joints: tuple[int, int, int, int]
    leg_joints: tuple[int, int]
    left_foot_joints: tuple[int, ...]
    right_foot_joints: tuple[int, ...]
    contact_threshold: float = 0.002
    smoothing_frames: float = 20.0

    @property
    def joints(self) -> int:
        """Number of joints."""
        return len(self.axes)

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """Parent of every joint, -1 for the root."""
        parents = [-1] * self.joints
        for chain in self.chains:
            for parent, joint in pairwise(chain):
                parents[joint] = parent
        return tuple(parents)

    @cached_property
    def bones(self) -> tuple[tuple[int, int, int | None], ...]:
        """(start, end, bone that it hangs on) in an order in which starts come first.

        The first bone of every chain hangs on the root's rotation, also where the chain starts at the chest: so the
        published data do it.
        """
        return tuple(
            (start, end, None if k == 0 else start)
            for chain in self.chains
            for k, (start, end) in enumerate(pairwise(chain))
        )


_X, _Y, _Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_RIGHT, _DOWN, _NONE = (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 0.0)

HUMANML3D_BODY = Body(
    axes=(
        _NONE, _X, _RIGHT, _Y, _DOWN, _DOWN, _Y, _DOWN, _DOWN, _Y, _Z, _Z, _Y, _X, _RIGHT, _Z,
        _DOWN, _DOWN, _DOWN, _DOWN, _DOWN, _DOWN,
    ),
    chains=((0, 2, 5, 8, 11), (0, 1, 4, 7, 10), (0, 3, 6, 9, 12, 15), (9, 14, 17, 19, 21), (9, 13, 16, 18, 20)),
    facing_joints=(2, 1, 17, 16),
    leg_joints=(5, 8),
    left_foot_joints=(7, 10),
    right_foot_joints=(8, 11),
)  # fmt: skip

# KIT-ML is in millimetres, so its contact threshold of 0.05 makes contacts rare; that is how the data are.
KIT_BODY = Body(
    axes=(
        _NONE, _Y, _Y, _Y, _Y, _X, _DOWN, _DOWN, _RIGHT, _DOWN, _DOWN, _X, _DOWN, _DOWN, _Z, _Z,
        _RIGHT, _DOWN, _DOWN, _Z, _Z,
    ),
    chains=((0, 11, 12, 13, 14, 15), (0, 16, 17, 18, 19, 20), (0, 1, 2, 3, 4), (3, 5, 6, 7), (3, 8, 9, 10)),
    facing_joints=(11, 16, 5, 8),
    leg_joints=(17, 18),
    left_foot_joints=(19, 20),
    right_foot_joints=(14, 15),
    contact_threshold=0.05,
)  # fmt: skip

# Bone lengths of the skeleton to which the published data were brought, metres, joints 1 to 21: measured on the
# published example clip 012314, where they are the same in all frames to 2e-6.
_BONE_LENGTHS = (
    0.103074, 0.109883, 0.131568, 0.393623, 0.390188, 0.143190, 0.432433, 0.425643, 0.057365, 0.143382, 0.149419,
    0.219360, 0.137487, 0.143383, 0.103039, 0.131614, 0.122984, 0.256840, 0.263092, 0.266012, 0.269876,
)  # fmt: skip
TARGET_OFFSETS = np.array(HUMANML3D_BODY.axes) * np.array((0.0, *_BONE_LENGTHS))[:, None]


def feature_blocks(joints: int) -> dict[str, slice]:
    """Return the named slices of a feature vector for a skeleton of ``joints`` joints (22 gives 263, 21 gives 251)."""
    return slices(
        {
            "yaw_speed": 1,  # half the turn of a frame, radians, left negative
            "root_velocity": 2,
            "root_height": 1,
            "joint_positions": 3 * (joints - 1),
            "joint_rotations": 6 * (joints - 1),
            "joint_velocities": 3 * joints,
            "foot_contacts": 4,
        }
    )


class HumanML3DSpace:
    """The published 263 numbers as a :class:`~motifmix.features.space.FeatureSpace`.

    T frames give T - 1 rows. Lost on the way: the start's place and heading, body proportions, the height over the
    floor of the whole clip, and turns of bones about themselves (see the module's text).
    """

    name = "humanml3d_263"
    fps = 20.0
    dim = 263
    blocks: Mapping[str, slice] = feature_blocks(HUMANML3D_BODY.joints)

    def encode(self, motion: Motion) -> np.ndarray:
        """Return ``[T - 1, 263]`` float32 of a motion at any frame rate. Raises ``ValueError`` for another skeleton."""
        return self.from_joints(on_published_body(motion.resampled(self.fps)).joints)

    def decode(self, features: np.ndarray) -> Motion:
        """Return a motion at 20 fps from ``[T, 263]`` (not normalised); it starts at the origin, facing +Z."""
        joints = self.to_joints(features)
        return standing_like(motion_from_joints(joints, self.fps), joints)

    def from_joints(self, joints: np.ndarray) -> np.ndarray:
        """Joints ``[T, 22, 3]`` at 20 fps, Y up, to ``[T - 1, 263]`` float32."""
        return extract_from_joints(joints).astype(np.float32)

    def to_joints(self, features: np.ndarray) -> np.ndarray:
        """Features ``[..., T, 263]`` to the published joints ``[..., T, 22, 3]``."""
        return recover_joints(features)


@dataclass(frozen=True)
class Uniform:
    """A clip carried to the target skeleton: the source's ``offsets [J, 3]``, path ``scale``, its bone ``rotations
    [T, J, 4]`` and the new ``joints [T, J, 3]``.
    """

    offsets: np.ndarray
    scale: float
    rotations: np.ndarray
    joints: np.ndarray


@dataclass(frozen=True)
class Canonical:
    """A clip on the floor, starting at the origin facing +Z: ``joints [T, J, 3]``; ``floor`` is what was taken off."""

    floor: float
    joints: np.ndarray


@dataclass(frozen=True)
class Extraction:
    """``features [T - 1, 12 J - 1]`` with the ``rotations [T, J, 4]`` and local ``positions [T, J, 3]`` in them."""

    features: np.ndarray
    rotations: np.ndarray
    positions: np.ndarray


def uniform(joints: np.ndarray, target_offsets: np.ndarray, body: Body = HUMANML3D_BODY) -> Uniform:
    """Carry ``joints [T, J, 3]`` to the bone lengths of ``target_offsets [J, 3]``; frame 0 measures the source."""
    joints = np.asarray(joints, dtype=np.float64)
    axes = np.array(body.axes)
    lengths = np.zeros(body.joints)
    for start, end, _ in body.bones:
        lengths[end] = np.linalg.norm(joints[0, end] - joints[0, start])
    offsets = axes * lengths[:, None]
    legs = list(body.leg_joints)
    scale = float(np.abs(target_offsets[legs]).max(-1).sum() / np.abs(offsets[legs]).max(-1).sum())
    rotations = bone_rotations(joints, body, smooth=False)
    return Uniform(offsets, scale, rotations, chain_positions(rotations, joints[:, 0] * scale, target_offsets, body))


def canonical(joints: np.ndarray, body: Body = HUMANML3D_BODY) -> Canonical:
    """Put the lowest joint of the clip on the floor, the first root above the origin, and the first frame facing +Z."""
    joints = np.array(joints, dtype=np.float64)
    floor = float(joints[..., 1].min())
    joints[..., 1] -= floor
    joints -= joints[0, 0] * np.array([1.0, 0.0, 1.0])
    right_hip, left_hip, right_shoulder, left_shoulder = body.facing_joints
    first = joints[0]
    ahead = np.cross(_UP, first[right_hip] - first[left_hip] + first[right_shoulder] - first[left_shoulder])
    return Canonical(floor, rot.rotate(rot.shortest_arc(ahead, _AHEAD), joints))


def extract(canonical_joints: np.ndarray, body: Body = HUMANML3D_BODY) -> Extraction:
    """Canonical joints ``[T, J, 3]`` to features ``[T - 1, 12 J - 1]``.

    Published: where a person passes half a turn away from where frame 0 faced, the facing quaternion changes sign and
    the turn of that one frame is stored with the wrong sign; all later frames are recovered turned by twice as much.
    """
    joints = np.asarray(canonical_joints, dtype=np.float64)
    steps = joints[1:] - joints[:-1]
    squared = (steps**2).sum(-1)
    contacts = squared[:, [*body.left_foot_joints, *body.right_foot_joints]] < body.contact_threshold
    rotations = bone_rotations(joints, body, smooth=True)
    turn = rotations[:, 0]
    yaw = rot.multiply(turn[1:], rot.inverse(turn[:-1]))[:, 1]
    path = rot.rotate(turn[1:], steps[:, 0])
    positions = rot.rotate(turn[:, None], joints - joints[:, :1] * np.array([1.0, 0.0, 1.0]))
    count = len(steps)
    features = np.concatenate(
        [
            np.arcsin(np.clip(yaw, -1.0, 1.0))[:, None],  # half of the turn
            path[:, [0, 2]],
            joints[:-1, 0, 1:2],
            positions[:-1, 1:].reshape(count, -1),
            rot.to_six_d(rotations[:-1, 1:]).reshape(count, -1),
            rot.rotate(turn[:-1, None], steps).reshape(count, -1),
            contacts,
        ],
        axis=-1,
    )
    return Extraction(features, rotations, positions)


def extract_from_joints(
    joints: np.ndarray, target_offsets: np.ndarray = TARGET_OFFSETS, body: Body = HUMANML3D_BODY
) -> np.ndarray:
    """Return the features of raw ``joints [T, J, 3]`` (Y up, T at least 2) on any proportions."""
    if len(joints) < 2:
        raise RequestError(f"features need at least 2 frames, this clip has {len(joints)}; give a longer clip")
    return extract(canonical(uniform(joints, target_offsets, body).joints, body).joints, body).features


def bone_rotations(joints: np.ndarray, body: Body = HUMANML3D_BODY, *, smooth: bool) -> np.ndarray:
    """Published inverse kinematics: ``[T, J, 3]`` to ``[T, J, 4]``; joint 0 holds the turn towards +Z.

    ``smooth`` filters the facing direction over time. The hips' vector enters with the wrong sign, as in the published
    code whose data everybody uses: a mended sign gives other features (0.61 on the published example).
    """
    right_hip, left_hip, right_shoulder, left_shoulder = body.facing_joints
    across = joints[:, left_hip] - joints[:, right_hip] + joints[:, right_shoulder] - joints[:, left_shoulder]
    across = across / np.linalg.norm(across, axis=-1, keepdims=True)
    ahead = np.cross(_UP, across)
    if smooth:
        from scipy.ndimage import gaussian_filter1d  # a twentieth of a second, which decoding does not need

        ahead = gaussian_filter1d(ahead, body.smoothing_frames, axis=0, mode="nearest", truncate=4.0)
    rotations = np.zeros((*joints.shape[:2], 4))
    rotations[:, 0] = rot.shortest_arc(ahead, _AHEAD)
    rotations[0, 0] = rot.IDENTITY
    world: dict[int | None, np.ndarray] = {None: rotations[:, 0]}
    for start, end, hangs_on in body.bones:
        world[end] = rot.shortest_arc(np.array(body.axes[end]), joints[:, end] - joints[:, start])
        rotations[:, end] = rot.multiply(rot.inverse(world[hangs_on]), world[end])
    return rotations


def chain_positions(
    rotations: np.ndarray, root: np.ndarray, offsets: np.ndarray, body: Body = HUMANML3D_BODY
) -> np.ndarray:
    """Return the joints ``[..., J, 3]`` of published bone rotations ``[..., J, 4]`` at ``root [..., 3]``."""
    joints = np.empty((*rotations.shape[:-1], 3))
    joints[..., 0, :] = root
    world: dict[int | None, np.ndarray] = {None: rotations[..., 0, :]}
    for start, end, hangs_on in body.bones:
        world[end] = rot.multiply(world[hangs_on], rotations[..., end, :])
        joints[..., end, :] = joints[..., start, :] + rot.rotate(world[end], offsets[end])
    return joints


def recover_root(features: np.ndarray, body: Body = HUMANML3D_BODY) -> tuple[np.ndarray, np.ndarray]:
    """Integrate ``[..., T, D]`` to the root's turn ``[..., T, 4]`` (towards +Z) and path ``[..., T, 3]``."""
    blocks = feature_blocks(body.joints)
    features = np.asarray(features, dtype=np.float64)
    half = _shifted(features[..., blocks["yaw_speed"]])[..., 0].cumsum(-1)
    turn = rot.about_y(2.0 * half)
    step = np.zeros((*half.shape, 3))
    step[..., [0, 2]] = _shifted(features[..., blocks["root_velocity"]])
    path = rot.rotate(rot.inverse(turn), step).cumsum(-2)
    path[..., 1] = features[..., blocks["root_height"]][..., 0]
    return turn, path


def recover_joints(features: np.ndarray, body: Body = HUMANML3D_BODY) -> np.ndarray:
    """Features ``[..., T, D]`` (not normalised) to joints ``[..., T, J, 3]`` from their position block."""
    turn, path = recover_root(features, body)
    local = np.asarray(features, dtype=np.float64)[..., feature_blocks(body.joints)["joint_positions"]]
    local = local.reshape(*local.shape[:-1], body.joints - 1, 3)
    others = rot.rotate(rot.inverse(turn)[..., None, :], local) + path[..., None, :] * np.array([1.0, 0.0, 1.0])
    return np.concatenate([path[..., None, :], others], axis=-2)


def recover_joints_from_rotations(
    features: np.ndarray, offsets: np.ndarray = TARGET_OFFSETS, body: Body = HUMANML3D_BODY
) -> np.ndarray:
    """Features ``[..., T, D]`` to joints ``[..., T, J, 3]`` from their rotation block, on ``offsets [J, 3]``."""
    turn, path = recover_root(features, body)
    six = np.asarray(features, dtype=np.float64)[..., feature_blocks(body.joints)["joint_rotations"]]
    rotations = rot.from_six_d(six.reshape(*six.shape[:-1], body.joints - 1, 6))
    return chain_positions(np.concatenate([turn[..., None, :], rotations], axis=-2), path, offsets, body)


def _shifted(values: np.ndarray) -> np.ndarray:
    """``[..., T, n]`` one frame later, zero first: a speed stored at frame t leads to frame t + 1."""
    return np.concatenate([np.zeros_like(values[..., :1, :]), values[..., :-1, :]], axis=-2)
