"""Forward kinematics on numpy arrays."""

import numpy as np

from motifmix.motion import rotations as rot
from motifmix.motion.skeleton import Skeleton


def global_rotations(skeleton: Skeleton, local: np.ndarray) -> np.ndarray:
    """Local rotations ``[..., J, 4]`` to rotations in the world ``[..., J, 4]``."""
    world = np.empty_like(np.asarray(local, dtype=np.float64))
    for joint, parent in enumerate(skeleton.parents):
        world[..., joint, :] = (
            local[..., joint, :] if parent < 0 else rot.multiply(world[..., parent, :], local[..., joint, :])
        )
    return world


def local_rotations(skeleton: Skeleton, world: np.ndarray) -> np.ndarray:
    """Rotations in the world ``[..., J, 4]`` to local ones: the inverse of :func:`global_rotations`."""
    local = np.array(world, dtype=np.float64, copy=True)
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            local[..., joint, :] = rot.multiply(rot.inverse(world[..., parent, :]), world[..., joint, :])
    return rot.normalized(local)


def forward(
    skeleton: Skeleton,
    local: np.ndarray,
    root: np.ndarray,
    joint_translations: dict[int, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return joint positions ``[..., J, 3]`` and world rotations ``[..., J, 4]``.

    ``local`` is ``[..., J, 4]``, ``root`` the root's position ``[..., 3]``; ``joint_translations`` replaces the rest
    offset of single joints by ``[..., 3]``.
    """
    world = global_rotations(skeleton, local)
    parents = np.maximum(skeleton.parents, 0)
    offsets = np.broadcast_to(skeleton.offsets, (*world.shape[:-1], 3))
    if joint_translations:
        offsets = offsets.copy()
        for joint, translation in joint_translations.items():
            offsets[..., joint, :] = translation
    positions = rot.rotate(world[..., parents, :], offsets)  # bones in the world, all at once; then along the tree
    for joint, parent in enumerate(skeleton.parents):
        if parent < 0:
            positions[..., joint, :] = root
        else:
            positions[..., joint, :] += positions[..., parent, :]
    return positions, world


def end_positions(skeleton: Skeleton, positions: np.ndarray, world: np.ndarray) -> dict[int, np.ndarray]:
    """Positions ``[..., 3]`` of the tips beyond leaf joints, by joint number."""
    return {
        joint: positions[..., joint, :] + rot.rotate(world[..., joint, :], np.asarray(end))
        for joint, end in skeleton.end_offsets.items()
    }
