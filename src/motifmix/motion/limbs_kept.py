"""Limbs kept as they were while all others are in a style: an arm that waves, a trunk that bows, the legs of who dances.

Who is restyled as a whole may lose what he does: often a deed is in one or two limbs, for a second or so, and a style everywhere all
the time. So a limb goes back to how it moved before, joint by joint from its parent, while it is where it never is in a walk or
a stand (:func:`deeds`), or all the time; in all other limbs the style stays. Both motions are on the motifmix skeleton, in
metres, and on one clock.
"""

import numpy as np

from motifmix.motion import rotations as rot
from motifmix.motion.easing import eased
from motifmix.motion.motion import Motion
from motifmix.motion.posture import TRAVELS, lean, speed
from motifmix.motion.skeleton import JOINT_NAMES

# From where a limb begins to do something, to where it is plain that it does.
RAISED = (0.65, 0.85)  # of the way from the pelvis up to the neck: a wrist; who runs has his at 0.4
LEANT = (20.0, 35.0)  # degrees from upright: the trunk of who goes nowhere
LIFTED = (0.3, 0.45)  # m: an ankle over the other one, of who goes nowhere
# s in which a limb goes over, as a deviation of a bell; a deed counts from so long before it to so long after.
EASE = 0.12
_SIDES = ("left", "right")
_ARMS = tuple(
    [JOINT_NAMES.index(f"{side}_{name}") for name in ("collar", "shoulder", "elbow", "wrist")] for side in _SIDES
)
_LEGS = tuple([JOINT_NAMES.index(f"{side}_{name}") for name in ("hip", "knee", "ankle", "foot")] for side in _SIDES)
_TRUNK = [JOINT_NAMES.index(name) for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")]
# Weights of limbs as they come below: both arms, all but the arms, half of everything.
ARMS, ALL_BUT_ARMS, HALF = np.array([[1.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0, 1.0], [0.5, 0.5, 0.5, 0.5, 0.5]])
LEAST_DEED = 0.05  # below, nobody does anything
_PELVIS, _NECK = JOINT_NAMES.index("pelvis"), JOINT_NAMES.index("neck")


def deeds(motion: Motion) -> np.ndarray:
    """Return how plainly the limbs do something, 0 to 1, ``[T, 5]``: left arm, right arm, trunk, left leg, right leg."""
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d  # a twentieth of a second, which few commands need

    joints = motion.joints
    stands = 1.0 - _ramp(speed(motion), (0.6 * TRAVELS, TRAVELS))
    trunk = joints[:, _NECK] - joints[:, _PELVIS]
    ankles = joints[:, [leg[2] for leg in _LEGS], 1]

    def raised(joint: int) -> np.ndarray:
        return ((joints[:, joint] - joints[:, _PELVIS]) * trunk).sum(axis=-1) / (trunk**2).sum(axis=-1)

    found = [
        *(_ramp(raised(arm[-1]), RAISED) for arm in _ARMS),
        _ramp(lean(motion), LEANT) * stands,
        *(_ramp(ankles[:, side] - ankles[:, 1 - side], LIFTED) * stands for side in (0, 1)),
    ]
    found[3:] = [np.maximum(leg, found[2]) for leg in found[3:]]  # a pelvis that bows turns about its hips
    reach = max(1, round(EASE * motion.fps))
    wide = maximum_filter1d(np.stack(found, axis=1), 2 * reach + 1, axis=0, mode="nearest")
    return gaussian_filter1d(wide, reach, axis=0, mode="nearest")


def ways_to_keep(content: Motion) -> list[np.ndarray]:
    """Return weights of limbs, [T, 5] or [5], of which one or another may suit ``content``: none at all, and several that keep some."""
    does = deeds(content)
    return [np.zeros(5), *([does] if does.max(initial=0.0) >= LEAST_DEED else []), ARMS, ALL_BUT_ARMS, HALF]


def with_limbs_of(motion: Motion, content: Motion, weights: np.ndarray) -> Motion:
    """Return ``motion`` with limbs by ``weights`` as they are in ``content``; the root stays.

    ``weights`` [T, 5] of ``content``'s frames, or [5] of all: left arm, right arm, trunk, left leg, right leg; 0 is ``motion``, 1
    ``content``.
    """
    if not weights.any():
        return motion
    frames = min(motion.frames, content.frames)
    weights = np.broadcast_to(weights, (content.frames, 5))
    rotations = motion.rotations.copy()
    for number, limb in enumerate((*_ARMS, _TRUNK, *_LEGS)):
        for joint in limb:
            own = rotations[:frames, joint]
            rotations[:frames, joint] = rot.slerp(own, content.rotations[:frames, joint], weights[:frames, number])
    return Motion(motion.skeleton, rot.continuous(rotations), motion.root, motion.fps, motion.labels)


def _ramp(values: np.ndarray, between: tuple[float, float]) -> np.ndarray:
    return eased((values - between[0]) / (between[1] - between[0]))
