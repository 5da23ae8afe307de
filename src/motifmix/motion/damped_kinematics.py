"""Inverse kinematics of a whole body by damped least squares: local rotations that bring every joint to its target.

Each step moves all Euler angles of all joints at once, frame by frame independently; the root's path is fixed.
"""

import numpy as np

from motifmix.motion import kinematics
from motifmix.motion import rotations as rot
from motifmix.motion.skeleton import Skeleton

_AXES = np.eye(3)


def reach(
    skeleton: Skeleton,
    local: np.ndarray,
    root: np.ndarray,
    targets: np.ndarray,
    *,
    iterations: int = 10,
    damping: float = 4.0,
) -> np.ndarray:
    """Return local rotations ``[T, J, 4]`` whose joints lie nearer to ``targets [T, J, 3]`` than those of ``local``.

    ``root [T, 3]`` stays. ``damping`` is in the unit of length of the skeleton: larger steps less.
    """
    below = _descendants(skeleton)
    angles = rot.to_euler("ZYX", local, degrees=False)
    size = 3 * len(skeleton)
    calm = damping**2 * np.eye(size)
    for _ in range(iterations):
        joints, world = kinematics.forward(skeleton, rot.from_euler("ZYX", angles, degrees=False), root)
        axes = _turning_axes(skeleton, world, angles)  # [T, J, 3 angles, 3]
        arms = joints[:, None] - joints[:, :, None]  # [T, joint, target, 3]
        moved = np.cross(axes[:, :, :, None], arms[:, :, None]) * below[None, :, None, :, None]
        jacobian = moved.reshape(len(local), size, size)  # [T, angles, coordinates]: the transpose of J
        missing = (targets - joints).reshape(len(local), size, 1)
        step = np.linalg.solve(jacobian @ jacobian.swapaxes(1, 2) + calm, jacobian @ missing)
        angles = angles + step.reshape(angles.shape)
    return rot.from_euler("ZYX", angles, degrees=False)


def _descendants(skeleton: Skeleton) -> np.ndarray:
    """``[J, J]``: 1 where the second joint hangs on the first, also through others."""
    below = np.zeros((len(skeleton), len(skeleton)))
    for joint in range(len(skeleton)):
        above = skeleton.parents[joint]
        while above >= 0:
            below[above, joint] = 1.0
            above = skeleton.parents[above]
    return below


def _turning_axes(skeleton: Skeleton, world: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """World directions ``[T, J, 3, 3]`` about which each joint's Z, Y and X angles turn it."""
    frame = np.concatenate([np.tile(rot.IDENTITY, (len(world), 1, 1)), world[:, list(skeleton.parents[1:])]], axis=1)
    axes = []
    for place, axis in enumerate("ZYX"):
        axes.append(rot.rotate(frame, _AXES["XYZ".index(axis)]))
        frame = rot.multiply(frame, rot.from_euler(axis, angles[..., place : place + 1], degrees=False))
    return np.stack(axes, axis=2)
