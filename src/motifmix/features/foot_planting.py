"""Foot clean-up as the published style transfer baselines do it: where feet rest they hold still, on the floor.

The result are targets for every joint; inverse kinematics (``motion/damped_kinematics.py``) then bends the limbs to
them. Positions are in the files' units, Y up.
"""

import numpy as np

from motifmix.features.cmu_skeleton import FLOOR_SOFTNESS, soft_floor


def planted_feet(
    joints: np.ndarray,
    contacts: np.ndarray,
    foot_joints: tuple[int, ...],
    *,
    blend_frames: int,
    on_floor: bool = True,
    softness: float = FLOOR_SOFTNESS,
) -> tuple[np.ndarray, float]:
    """Return targets ``[T, J, 3]`` with the floor at 0, and the floor's height that was taken off.

    ``contacts`` are 0 or 1 ``[T, len(foot_joints)]``. In a run of contacts a foot stays at its mean place, at height 0
    where ``on_floor``; up to ``blend_frames`` frames before and after it are drawn towards that place.
    """
    floor = soft_floor(joints[:, list(foot_joints), 1].min(axis=1), softness)
    targets = np.array(joints, dtype=np.float64)
    targets[..., 1] -= floor
    for foot, resting in zip(foot_joints, (np.asarray(contacts) > 0.5).T, strict=True):
        targets[:, foot] = _planted(targets[:, foot], resting, blend_frames, on_floor)
    return targets, floor


def _planted(path: np.ndarray, resting: np.ndarray, blend_frames: int, on_floor: bool) -> np.ndarray:
    """One foot's path ``[T, 3]`` with its contact frames at rest and the others blended towards them."""
    path = path.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], resting.astype(int), [0]])))
    for start, stop in edges.reshape(-1, 2):
        place = path[start:stop].mean(axis=0)
        path[start:stop] = place * np.array([1.0, 0.0, 1.0]) if on_floor else place
    blended = path.copy()
    anchors = np.flatnonzero(resting)
    for frame in np.flatnonzero(~resting):
        before = anchors[(anchors < frame) & (anchors >= frame - blend_frames)][-1:]
        after = anchors[(anchors > frame) & (anchors <= frame + blend_frames)][:1]
        drawn = [
            _between(path[frame], path[anchor], (abs(frame - anchor) + 1) / (blend_frames + 1))
            for anchor in (*before, *after)
        ]
        if len(drawn) == 2:
            share = (frame - before[0] + 1) / (after[0] - before[0] + 1)
            blended[frame] = _between(drawn[1], drawn[0], share)
        elif drawn:
            blended[frame] = drawn[0]
    return blended


def _between(far: np.ndarray, near: np.ndarray, way: float) -> np.ndarray:
    """From ``near`` (``way`` 0) to ``far`` (``way`` 1) with a smooth start and end."""
    weight = 2.0 * way**3 - 3.0 * way**2 + 1.0
    return (1.0 - weight) * far + weight * near
