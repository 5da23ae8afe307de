"""A motion from joint positions: what datasets and feature spaces that store positions hold of a person.

Positions fix where every bone points, not how it turns about itself, and nothing of head, hands and toes. A guess of
the local rotations, where there is one, decides those; without it a bone turns about itself as its parent does. (To
let knees and elbows decide, as hinges, was tried: on captured clips it came further from the recorded rotations.)
"""

from dataclasses import replace

import numpy as np

from motifmix.motion import kinematics
from motifmix.motion import rotations as rot
from motifmix.motion.motion import Motion
from motifmix.motion.retargeting import retarget
from motifmix.motion.skeleton import JOINT_NAMES, JOINT_PARENTS, MOTIFMIX, Skeleton

# The body that published features describe (SMPL's 22 joints): its hips hang further below the pelvis and its spine
# curves more than in ours. Rest offsets (m) as the BVH files of the CMU database in AMASS' form state them.
AMASS_BODY = Skeleton(
    JOINT_NAMES,
    JOINT_PARENTS,
    np.array(
        [
            (0, 0, 0), (0.059, -0.082, -0.018), (-0.060, -0.091, -0.014), (0.004, 0.124, -0.038),
            (0.043, -0.386, 0.008), (-0.043, -0.384, -0.005), (0.004, 0.138, 0.027), (-0.015, -0.427, -0.037),
            (0.019, -0.420, -0.035), (-0.002, 0.056, 0.003), (0.041, -0.060, 0.122), (-0.035, -0.062, 0.130),
            (-0.013, 0.212, -0.033), (0.072, 0.114, -0.019), (-0.083, 0.112, -0.024), (0.010, 0.089, 0.050),
            (0.123, 0.045, -0.019), (-0.113, 0.047, -0.008), (0.255, -0.016, -0.023), (-0.260, -0.014, -0.031),
            (0.266, 0.013, -0.007), (-0.269, 0.007, -0.006),
        ]
    ),
)  # fmt: skip

_GUESS_WEIGHT = 0.03  # m: how far a guess of the chest's rotation weighs against its three short bones


def motion_from_joints(joints: np.ndarray, fps: float, guess: np.ndarray | None = None) -> Motion:
    """Return the motion on the motifmix skeleton that puts the bones as ``joints [T, 22, 3]`` (SMPL order, m, Y up) do.

    ``guess [T, 22, 4]`` are local rotations relative to a T-pose (the root's is not read). Bone lengths are measured;
    the rest pose is that of ours or of AMASS' body, whichever fits pelvis and chest better.
    """
    joints = np.asarray(joints, dtype=np.float64)
    rest = min((MOTIFMIX, AMASS_BODY), key=lambda body: _misfit(joints, body))
    lengths = np.zeros(len(rest))
    bones = [(j, p) for j, p in enumerate(JOINT_PARENTS) if p >= 0]
    for joint, parent in bones:
        lengths[joint] = np.median(np.linalg.norm(joints[:, joint] - joints[:, parent], axis=-1))
    offsets = rest.offsets * (lengths / np.maximum(np.linalg.norm(rest.offsets, axis=-1), 1e-9))[:, None]
    skeleton = replace(MOTIFMIX, offsets=offsets)
    local = fit_rotations(joints, skeleton, guess)
    if skeleton.same_as(MOTIFMIX, tolerance=5e-4):
        return Motion(MOTIFMIX, rot.continuous(local), joints[:, 0], fps)
    return retarget(Motion(skeleton, rot.continuous(local), joints[:, 0], fps), MOTIFMIX)[0]


def fit_rotations(joints: np.ndarray, skeleton: Skeleton, guess: np.ndarray | None = None) -> np.ndarray:
    """Return local rotations ``[T, 22, 4]`` that turn the skeleton's bones into the directions of ``joints``."""
    world = np.empty((*joints.shape[:2], 4))
    for joint, parent in enumerate(skeleton.parents):
        children = skeleton.children[joint]
        if parent < 0:
            world[:, joint] = _best_rotation(joints, skeleton, joint)
            continue
        expected = world[:, parent] if guess is None else rot.multiply(world[:, parent], guess[:, joint])
        if not children:
            world[:, joint] = expected
        elif len(children) == 1:
            wanted = joints[:, children[0]] - joints[:, joint]
            swing = rot.shortest_arc(rot.rotate(expected, skeleton.offsets[children[0]]), wanted)
            world[:, joint] = rot.multiply(swing, expected)
        else:
            world[:, joint] = _best_rotation(joints, skeleton, joint, None if guess is None else expected)
    return kinematics.local_rotations(skeleton, world)


def _best_rotation(
    joints: np.ndarray, skeleton: Skeleton, joint: int, expected: np.ndarray | None = None
) -> np.ndarray:
    """Least-squares rotation ``[T, 4]`` of the bones that start in a joint (Kabsch), drawn to ``expected`` a little."""
    children = list(skeleton.children[joint])
    wanted = joints[:, children] - joints[:, joint : joint + 1]
    covariance = np.einsum("tci,cj->tij", wanted, skeleton.offsets[children])
    if expected is not None:
        covariance = covariance + _GUESS_WEIGHT**2 * rot.to_matrix(expected)
    u, _, vt = np.linalg.svd(covariance)
    sign = np.ones((len(joints), 3))
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))
    return rot.from_matrix((u * sign[:, None]) @ vt)


def _misfit(joints: np.ndarray, body: Skeleton) -> float:
    """How badly the directions of the bones at pelvis and chest, which are rigid, fit a body's rest pose."""
    total = 0.0
    for joint, children in enumerate(body.children):
        if len(children) < 2:
            continue
        rotation = _best_rotation(joints, body, joint)
        for child in children:
            wanted = joints[:, child] - joints[:, joint]
            cosine = (rot.rotate(rotation, body.offsets[child]) * wanted).sum(-1) / np.maximum(
                np.linalg.norm(body.offsets[child]) * np.linalg.norm(wanted, axis=-1), 1e-9
            )
            total += float(np.median(1.0 - cosine))
    return total
