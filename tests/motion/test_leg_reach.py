"""Legs that bend so that feet come where they should be."""

from dataclasses import replace

import numpy as np

from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.leg_reach import grounded, lifted, planted
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
    np.testing.assert_allclose(toes[1], toes[0], atol=0.02)  # a lift comes and goes over some frames
    assert toes[1].max() > toes[0].max() - 0.01
    np.testing.assert_allclose(result.joints[:, RIGHT_TOE], dragged.joints[:, RIGHT_TOE], atol=1e-6)
    np.testing.assert_array_equal(result.root, dragged.root)


def test_a_foot_that_is_higher_stays_so():
    low, high = stepping(0.3), stepping(0.8)
    np.testing.assert_allclose(lifted(high, low.cropped(0, 10)).joints, high.joints, atol=1e-6)


def test_who_floats_comes_down_as_far_as_he_did_and_keeps_his_flight():
    content = stepping(0.8)
    floating = replace(stepping(0.3), root=content.root + np.array([0.1, 0.2, 0.0]))
    result = grounded(floating, content)
    feet = [LEFT_TOE, RIGHT_TOE]
    np.testing.assert_allclose(result.joints[:, feet, 1].min(), content.joints[:, feet, 1].min(), atol=1e-6)
    np.testing.assert_allclose(result.root[:, [0, 2]], floating.root[:, [0, 2]])
    hopping = replace(
        content, root=content.root + np.abs(np.sin(np.arange(20) / 3))[:, None] * np.array([0.0, 0.1, 0.0])
    )
    np.testing.assert_allclose(grounded(hopping, hopping).joints, hopping.joints, atol=1e-9)
    longer = replace(
        floating, rotations=np.concatenate([floating.rotations] * 2), root=np.concatenate([floating.root] * 2)
    )
    assert grounded(longer, content).frames == 40


def test_where_both_feet_would_be_in_the_air_the_one_that_bore_him_comes_down():
    content = bent(stepping(0.8))
    swapped = legs_swapped(content)
    result = lifted(swapped, content)
    heights = [motion.joints[:, [LEFT_TOE, RIGHT_TOE], 1] for motion in (content, result)]
    np.testing.assert_allclose(heights[1][:, 0], heights[0][:, 0], atol=0.02)
    assert np.abs(heights[1].min(axis=1) - heights[0].min(axis=1)).max() < 0.04
    assert swapped.joints[10, RIGHT_TOE, 1] > content.joints[10, RIGHT_TOE, 1] + 0.1


def bent(motion: Motion) -> Motion:
    """The same with the knees a little bent: a straight leg does not know where to bend."""
    rotations = motion.rotations.copy()
    for name, angle in (("hip", -0.3), ("knee", 0.6)):
        for side in ("left", "right"):
            joint = MOTIFMIX.index(f"{side}_{name}")
            rotations[:, joint] = rot.multiply(rot.from_rotvec(np.array([angle, 0.0, 0.0])), rotations[:, joint])
    return replace(motion, rotations=rotations)


def legs_swapped(motion: Motion) -> Motion:
    """The same with the legs exchanged."""
    rotations = motion.rotations.copy()
    for name in ("hip", "knee"):
        left, right = (MOTIFMIX.index(f"{side}_{name}") for side in ("left", "right"))
        rotations[:, [left, right]] = motion.rotations[:, [right, left]]
    return replace(motion, rotations=rotations)


def test_legs_do_not_snap_where_steps_come_at_other_times():
    content = bent(stepping(0.8))
    both = replace(
        content, rotations=np.concatenate([content.rotations, legs_swapped(content).rotations]),
        root=np.concatenate([content.root] * 2),
    )  # fmt: skip
    late = replace(both, rotations=np.roll(both.rotations, 10, axis=0))  # half a step

    def snap(motion: Motion) -> float:
        return float(np.abs(np.diff(motion.joints[:, [LEFT_TOE, RIGHT_TOE], 1], 2, axis=0)).max())

    assert snap(lifted(late, both)) < 3.0 * max(snap(late), snap(both))


def test_feet_that_slide_while_they_rest_stand_still_and_the_path_stays():
    still = bent(stepping(0.0))
    sliding = replace(still, root=still.root + np.linspace(0.0, 0.3, 20)[:, None] * np.array([0.0, 0.0, 1.0]))
    rests = np.zeros((20, 2), dtype=bool)
    rests[4:16, 0] = True  # the left foot, over 17 cm
    held = planted(sliding, rests)
    assert np.ptp(held.joints[4:16, LEFT_TOE], axis=0).max() < 0.002
    np.testing.assert_allclose(held.joints[:, RIGHT_TOE], sliding.joints[:, RIGHT_TOE], atol=1e-6)
    np.testing.assert_array_equal(held.root, sliding.root)
    np.testing.assert_allclose(planted(sliding, rests, furthest=0.05).joints, sliding.joints, atol=1e-6)


def test_a_foot_goes_over_where_one_rest_follows_another():
    still = bent(stepping(0.0))
    person = replace(
        still, rotations=np.concatenate([still.rotations] * 3),
        root=np.linspace(0.0, 0.5, 60)[:, None] * np.array([0.0, 0.0, 1.0]) + still.root[:1],
    )  # fmt: skip
    rests = np.ones((60, 2), dtype=bool)
    rests[29:31] = False  # two places, 25 cm from each other

    def torn(motion: Motion) -> float:
        return float(np.linalg.norm(np.diff(motion.joints[:, LEFT_TOE], 2, axis=0), axis=-1).max()) * 30.0**2

    hard, soft = (planted(person, rests, smooth=smooth) for smooth in (0.0, 0.05))
    assert torn(hard) > 60.0 > 40.0 > torn(soft)
    for run in (slice(4, 24), slice(36, 56)):
        assert np.ptp(soft.joints[run, LEFT_TOE], axis=0).max() < 0.02
