"""Legs that bend so that feet come where they should be."""

import numpy as np

from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.leg_reach import lifted
from motifmix.motion.skeleton import LEFT_TOE, RIGHT_TOE


def stepping(height: float) -> Motion:
    """Somebody who lifts the left knee and puts it down again, ``height`` in radians."""
    frames = 20
    rotations = np.tile(rot.IDENTITY, (frames, 22, 1))
    bend = height * np.sin(np.linspace(0, np.pi, frames))[:, None] * np.array([1.0, 0.0, 0.0])
    rotations[:, MOTIFMIX.index("left_hip")] = rot.from_rotvec(-bend)
    rotations[:, MOTIFMIX.index("left_knee")] = rot.from_rotvec(bend)
    return Motion(MOTIFMIX, rotations, np.tile([0.0, 0.93, 0.0], (frames, 1)), 30.0)


def test_a_dragged_foot_swings_as_high_as_it_did_and_nothing_else_moves():
    content, dragged = stepping(0.8), stepping(0.3)
    result = lifted(dragged, content)
    toes = [motion.joints[:, LEFT_TOE, 1] for motion in (content, result, dragged)]
    assert toes[2].max() < toes[0].max() - 0.05
    np.testing.assert_allclose(toes[1], toes[0], atol=1e-6)
    np.testing.assert_allclose(result.joints[:, RIGHT_TOE], dragged.joints[:, RIGHT_TOE], atol=1e-6)
    np.testing.assert_array_equal(result.root, dragged.root)


def test_a_foot_that_is_higher_stays_so():
    low, high = stepping(0.3), stepping(0.8)
    np.testing.assert_allclose(lifted(high, low.cropped(0, 10)).joints, high.joints, atol=1e-6)
