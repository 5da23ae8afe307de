"""The default feature space: HumanML3D's blocks at 20 fps with the joints' own rotations, 269 numbers a frame.

HumanML3D stores, as the rotation of a joint, the rotation of the bone that ends there; head, hands and toes end no
bone that could carry theirs, so the published 263 numbers lose them. Here entry j is joint j's own local rotation, the
pelvis' relative to the heading included, and a motion survives the round trip whole. Heading, velocities and contacts
are read as in HumanML3D (Guo et al., CVPR 2022), but row t carries the step that *leads to* frame t, so that T frames
give T rows; the first row's steps are zero. A decoded motion starts at the origin, facing +Z.
"""

import numpy as np

from motifmix.features.space import slices
from motifmix.motion import Motion
from motifmix.motion import rotations as rot
from motifmix.motion.contacts import foot_contacts
from motifmix.motion.skeleton import JOINT_NAMES, MOTIFMIX

_LEFT_HIP, _RIGHT_HIP = JOINT_NAMES.index("left_hip"), JOINT_NAMES.index("right_hip")
_LEFT_SHOULDER, _RIGHT_SHOULDER = JOINT_NAMES.index("left_shoulder"), JOINT_NAMES.index("right_shoulder")


class MotifmixSpace:
    """Blocks: yaw speed (rad a frame), root velocity (m a frame, in the heading's frame: left, ahead), root height
    (m), joint positions (21 x 3, m, in the heading's frame, relative to the root's ground point), rotations (22 x 6,
    columns), joint velocities (22 x 3, m a frame), foot contacts (left ankle, left foot, right ankle, right foot).
    """

    name = "motifmix_269"
    fps = 20.0
    blocks = slices(
        {
            "yaw_speed": 1,
            "root_velocity": 2,
            "root_height": 1,
            "joint_positions": 21 * 3,
            "joint_rotations": 22 * 6,
            "joint_velocities": 22 * 3,
            "foot_contacts": 4,
        }
    )
    dim = 269

    def encode(self, motion: Motion) -> np.ndarray:
        """Return ``[T, 269]`` float32. Raises ``ValueError`` for another skeleton."""
        if not motion.skeleton.same_as(MOTIFMIX):
            raise ValueError("features are made from motions on the motifmix skeleton; retarget first")
        motion = motion.resampled(self.fps)
        joints = motion.joints
        yaw = heading(joints)
        facing = rot.inverse(rot.about_y(yaw))
        step = np.diff(motion.root, axis=0, prepend=motion.root[:1])
        before = np.concatenate([facing[:1], facing[:-1]])
        features = np.empty((motion.frames, self.dim), dtype=np.float32)
        features[:, self.blocks["yaw_speed"]] = np.diff(yaw, prepend=yaw[:1])[:, None]
        features[:, self.blocks["root_velocity"]] = rot.rotate(before, step)[:, [0, 2]]
        features[:, self.blocks["root_height"]] = motion.root[:, 1:2]
        ground = motion.root * np.array([1.0, 0.0, 1.0])
        local = rot.rotate(facing[:, None], joints[:, 1:] - ground[:, None])
        features[:, self.blocks["joint_positions"]] = local.reshape(motion.frames, -1)
        rotations = motion.rotations.copy()
        rotations[:, 0] = rot.multiply(facing, rotations[:, 0])
        features[:, self.blocks["joint_rotations"]] = rot.to_six_d(rotations).reshape(motion.frames, -1)
        velocity = rot.rotate(before[:, None], np.diff(joints, axis=0, prepend=joints[:1]))
        features[:, self.blocks["joint_velocities"]] = velocity.reshape(motion.frames, -1)
        features[:, self.blocks["foot_contacts"]] = foot_contacts(motion)
        return features

    def decode(self, features: np.ndarray) -> Motion:
        """Return a motion at 20 fps from ``[T, 269]``: rotations, height and steps count, the rest is redundant."""
        features = np.asarray(features, dtype=np.float64)
        yaw = np.cumsum(features[:, self.blocks["yaw_speed"]][:, 0])
        yaw = yaw - yaw[0]
        step = np.zeros((len(features), 3))
        step[:, [0, 2]] = features[:, self.blocks["root_velocity"]]
        before = rot.about_y(np.concatenate([yaw[:1], yaw[:-1]]))
        root = np.cumsum(rot.rotate(before, step), axis=0)
        root = root - root[:1]
        root[:, 1] = features[:, self.blocks["root_height"]][:, 0]
        rotations = rot.from_six_d(features[:, self.blocks["joint_rotations"]].reshape(len(features), 22, 6))
        rotations[:, 0] = rot.multiply(rot.about_y(yaw), rotations[:, 0])
        return Motion(MOTIFMIX, rot.continuous(rotations), root, self.fps)


def heading(joints: np.ndarray) -> np.ndarray:
    """Angle of the body's direction about the vertical ``[T]`` (radians, unwrapped, 0 along +Z, left positive).

    The body's left is the sum of the lines between hips and between shoulders, as in HumanML3D.
    """
    left = joints[:, _LEFT_HIP] - joints[:, _RIGHT_HIP] + joints[:, _LEFT_SHOULDER] - joints[:, _RIGHT_SHOULDER]
    return np.unwrap(np.arctan2(-left[:, 2], left[:, 0]))


def mirror_features(features: np.ndarray) -> np.ndarray:
    """Mirror left and right in ``[..., 269]``: what encoding the mirrored motion gives."""
    from motifmix.motion.skeleton import MIRROR

    features = np.asarray(features)
    blocks, lead = MotifmixSpace.blocks, features.shape[:-1]
    mirrored = features.copy()
    mirrored[..., blocks["yaw_speed"]] *= -1
    mirrored[..., blocks["root_velocity"].start] *= -1
    flip = np.array([-1, 1, 1], dtype=features.dtype)
    positions = features[..., blocks["joint_positions"]].reshape(*lead, 21, 3)
    mirrored[..., blocks["joint_positions"]] = (positions[..., [m - 1 for m in MIRROR[1:]], :] * flip).reshape(
        *lead, -1
    )
    velocities = features[..., blocks["joint_velocities"]].reshape(*lead, 22, 3)
    mirrored[..., blocks["joint_velocities"]] = (velocities[..., list(MIRROR), :] * flip).reshape(*lead, -1)
    # A mirrored rotation is S R S with S = diag(-1, 1, 1); its first column changes sign in y and z, its second in x.
    columns = np.array([1, -1, -1, -1, 1, 1], dtype=features.dtype)
    rotations = features[..., blocks["joint_rotations"]].reshape(*lead, 22, 6)
    mirrored[..., blocks["joint_rotations"]] = (rotations[..., list(MIRROR), :] * columns).reshape(*lead, -1)
    contacts = features[..., blocks["foot_contacts"]]
    mirrored[..., blocks["foot_contacts"]] = contacts[..., [2, 3, 0, 1]]
    return mirrored


def rested(features: np.ndarray, frames: int) -> np.ndarray:
    """Lengthen features ``[T, dim]`` to ``frames`` by resting in the last pose: its steps and velocities are zero."""
    if len(features) >= frames:
        return features[:frames]
    last = features[-1:].copy()
    for name in ("yaw_speed", "root_velocity", "joint_velocities"):
        last[:, MotifmixSpace.blocks[name]] = 0.0
    return np.concatenate([features, np.repeat(last, frames - len(features), axis=0)])


def rested_to_multiple(features: np.ndarray, stride: int) -> np.ndarray:
    """Lengthen features ``[T, dim]`` by resting to the next multiple of ``stride`` frames, as a strided encoder needs."""
    return rested(features, -(-len(features) // stride) * stride)
