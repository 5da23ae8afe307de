"""Between our skeleton and the body of published features: SMPL's proportions, the lowest joint at height 0."""

import numpy as np

from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion.contacts import RESTING_TOE_HEIGHT
from motifmix.motion.inverse_kinematics import AMASS_BODY
from motifmix.motion.retargeting import leg_length, retarget


def on_published_body(motion: Motion) -> Motion:
    """Carry a motion to the published body, whose hips and shoulders decide what *facing* means there.

    On our wider hips the published facing, a difference of shoulder and hip lines, would come close to vanishing.
    Raises ``ValueError`` for a motion on another skeleton than motifmix.
    """
    if not motion.skeleton.same_as(MOTIFMIX):
        raise ValueError("features are made from motions on the motifmix skeleton; retarget first")
    return retarget(motion, AMASS_BODY)[0]


def standing_like(motion: Motion, joints: np.ndarray) -> Motion:
    """Shift a motion vertically so that its feet are as far from the floor as those of ``joints [T, 22, 3]`` were.

    ``joints`` are on a floor at their lowest joint, and the motion (motifmix skeleton, same frames) was made from them;
    a resting toe is at height 0 there and some centimetres above the floor here.
    """
    thigh, shin = (
        np.median(np.linalg.norm(joints[:, [a, a + 1]] - joints[:, [b, b + 1]], axis=-1)) for a, b in ((4, 1), (7, 4))
    )
    scale = leg_length(motion.skeleton) / float(thigh + shin)
    lift = np.median(scale * joints[..., 1].min(-1) - motion.joints[..., 1].min(-1))
    return motion.moved(np.array([0.0, float(lift) + RESTING_TOE_HEIGHT, 0.0]))
