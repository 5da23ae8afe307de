"""Hands that touch somebody else: when they do, and arms bent so that hands are where they were then.

For people whose way of moving was changed one by one (motifmix skeleton, metres): a handshake meets all the same.
"""

from collections.abc import Sequence

import numpy as np

from motifmix.motion import kinematics
from motifmix.motion import rotations as rot
from motifmix.motion.capsules import CAPSULES, RADII, segment_distance, segments
from motifmix.motion.easing import eased
from motifmix.motion.leg_reach import two_bones_reaching
from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import JOINT_NAMES

TOUCHING = 0.08  # m between surfaces: capsules are leaner than people, and captured hands miss each other by a little
EASE = 0.3  # s over which an arm comes to a touch and leaves it
_SIDES = ("left", "right")
_HANDS = tuple([c.start for c in CAPSULES].index(f"{side}_wrist") for side in _SIDES)
_ARMS = tuple(tuple(JOINT_NAMES.index(f"{side}_{name}") for name in ("shoulder", "elbow", "wrist")) for side in _SIDES)


def touches(person: Motion, others: Sequence[Motion]) -> np.ndarray:
    """Tell when a person's hands touch any of the others, ``[T, 2]`` of left and right, as long as all last."""
    frames = min(person.frames, *(other.frames for other in others)) if others else person.frames
    found = np.zeros((person.frames, 2), dtype=bool)
    own = segments(person)[:frames]
    for other in others:
        theirs = segments(other)[:frames]
        for side, hand in enumerate(_HANDS):
            air = segment_distance(own[:, hand, None], theirs) - RADII - RADII[hand]
            found[:frames, side] |= air.min(axis=1) < TOUCHING
    return found


def with_hands_of(motion: Motion, content: Motion, when: np.ndarray) -> Motion:
    """Bring hands to where, and turned as, those of ``content`` are in the frames ``when`` [T, 2] (left, right).

    Arms ease to and from there. What an arm cannot reach it points at, nearly stretched. Both motions are on one clock.
    """
    shares = np.stack([_eased(own, max(1, round(EASE * motion.fps))) for own in np.asarray(when, dtype=bool).T], axis=1)
    if not shares.any():
        return motion
    joints, rotations = motion.joints, motion.world_rotations.copy()
    for side, (shoulder, elbow, wrist) in enumerate(_ARMS):
        share = shares[:, side, None]
        target = joints[:, wrist] + share * (content.joints[:, wrist] - joints[:, wrist])
        upper, lower = two_bones_reaching(joints[:, [shoulder, elbow, wrist]], target)
        rotations[:, shoulder] = rot.multiply(upper, rotations[:, shoulder])
        rotations[:, elbow] = rot.multiply(lower, rotations[:, elbow])
        rotations[:, wrist] = rot.slerp(rotations[:, wrist], content.world_rotations[:, wrist], shares[:, side])
    local = kinematics.local_rotations(motion.skeleton, rotations)
    return Motion(motion.skeleton, rot.continuous(local), motion.root, motion.fps, motion.labels)


def _eased(when: np.ndarray, reach: int) -> np.ndarray:
    """Return 1 where ``when`` [T] holds, falling smoothly to 0 within ``reach`` frames."""
    if not when.any():
        return np.zeros(len(when))
    held = np.flatnonzero(when)
    distance = np.abs(np.arange(len(when))[:, None] - held[None]).min(axis=1)
    return eased(1.0 - distance / (reach + 1))
