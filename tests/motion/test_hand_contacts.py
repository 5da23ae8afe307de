import numpy as np

from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.hand_contacts import touches, with_hands_of

FRAMES = 60
WRISTS = [MOTIFMIX.index("left_wrist"), MOTIFMIX.index("right_wrist")]


def wrist_positions(motion: Motion) -> np.ndarray:
    return motion.joints[:, WRISTS]


def reaching(lift: float) -> Motion:
    """A person at the origin facing +Z whose right arm goes up in front and down again."""
    rotations = np.tile(rot.IDENTITY, (FRAMES, 22, 1))
    swing = lift * np.sin(np.pi * np.arange(FRAMES) / (FRAMES - 1))
    rotations[:, MOTIFMIX.index("right_shoulder")] = rot.from_rotvec(swing[:, None] * np.array([0.0, 1.0, 0.0]))
    return Motion(MOTIFMIX, rotations, np.tile([0.0, 0.93, 0.0], (FRAMES, 1)), 30.0)


def test_hands_touch_when_they_meet_and_only_then():
    one = reaching(1.5)
    apart = 2 * one.joints[FRAMES // 2, MOTIFMIX.index("right_wrist"), 2] + 0.3  # hands go on past wrists
    other = one.turned(np.pi).moved(np.array([2 * wrist_positions(one)[FRAMES // 2, 1, 0], 0.0, apart]))
    found = touches(one, [other])
    assert found[FRAMES // 2, 1] and not found[0].any() and not found[-1].any() and not found[:, 0].any()
    assert not touches(one, [other.moved(np.array([0.0, 0.0, 1.0]))]).any()


def test_hands_come_back_to_where_they_touched():
    content, styled = reaching(1.5), reaching(0.9)
    when = np.zeros((FRAMES, 2), dtype=bool)
    when[25:35, 1] = True
    held = with_hands_of(styled, content, when)
    np.testing.assert_allclose(wrist_positions(held)[25:35, 1], wrist_positions(content)[25:35, 1], atol=0.01)
    turned = rot.angle_between(held.world_rotations[25:35, WRISTS[1]], content.world_rotations[25:35, WRISTS[1]])
    assert turned.max() < 1e-6
    np.testing.assert_allclose(held.joints[:10], styled.joints[:10], atol=1e-9)
    np.testing.assert_allclose(wrist_positions(held)[:, 0], wrist_positions(styled)[:, 0], atol=1e-9)
    jumps = np.linalg.norm(np.diff(wrist_positions(held)[:, 1], axis=0), axis=-1)
    assert jumps.max() < 0.06
