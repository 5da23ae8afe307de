"""People who are inside each other are brought apart; others, and hands that touch, stay as they are."""

import numpy as np
import pytest

from motifmix.drawing.mannequin_capsules import mesh_radii
from motifmix.evaluation.body_overlap import overlap_volume
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.capsules import CAPSULES, RADII, segment_distance, segments
from motifmix.motion.keeping_apart import TOUCHING, brought_apart, kept_apart, points_of

FRAMES = 8


def person(x: float | np.ndarray = 0.0, z=0.0, frames=FRAMES, **joints):
    rotations = np.tile(rot.IDENTITY, (frames, len(MOTIFMIX), 1))
    for side, sign in (("left", -1.0), ("right", 1.0)):
        rotations[:, MOTIFMIX.index(f"{side}_shoulder")] = about_z(sign * 1.4)  # arms hang
    for name, turn in joints.items():
        rotations[:, MOTIFMIX.index(name)] = turn
    root = np.zeros((frames, 3)) + np.stack(np.broadcast_arrays(x, 0.95, z), axis=-1)
    return Motion(MOTIFMIX, rotations, root, 30.0)


def about_z(angle):
    return np.array([0.0, 0.0, np.sin(angle / 2), np.cos(angle / 2)])


def air(one, other):
    radii = mesh_radii()
    distance = segment_distance(segments(one)[:, :, None], segments(other)[:, None])
    return distance - radii[:, None] - radii[None]


def test_radii_are_those_of_a_body_and_alike_on_both_sides():
    radii = mesh_radii()
    assert np.abs(radii - RADII).max() < 0.03  # a lean adult's, which were written down
    names = [capsule.start for capsule in CAPSULES]
    assert radii[names.index("left_elbow")] == radii[names.index("right_elbow")]
    assert radii[names.index("pelvis")] > 2 * radii[names.index("left_elbow")]


def test_who_is_inside_nobody_is_left_as_he_is():
    people = [person(), person(0.75)]
    assert brought_apart([points_of(own) for own in people], mesh_radii()) is None
    assert all(new is old for new, old in zip(kept_apart(people, mesh_radii()), people, strict=True))


def test_people_in_one_place_step_aside_no_further_than_they_must():
    walk = np.linspace(-2.0, 2.0, 80)  # one walks through the other
    one, other = person(walk, frames=80), person(0.0, 0.1, frames=80)
    before, (first, second) = overlap_volume(one, other).sum(), kept_apart([one, other], mesh_radii())
    assert before > 5.0 and overlap_volume(first, second).sum() < 0.02 * before
    shift = first.root - one.root
    np.testing.assert_allclose(shift, other.root - second.root, atol=1e-12)  # half each
    assert np.abs(shift).max() < 0.35 and (shift[:, 1] == 0).all()
    assert np.abs(shift[[0, -1]]).max() < 1e-9  # nobody is moved while they are apart
    assert np.linalg.norm(np.diff(shift, axis=0), axis=-1).max() < 0.03  # m a frame


def test_an_arm_gives_way_and_the_bodies_stand():
    straight = about_z(0.0)
    one, other = person(left_shoulder=straight), person(0.9)  # his hand is in her
    assert air(one, other).min() < -0.05
    first, second = kept_apart([one, other], mesh_radii())
    assert air(first, second).min() > -0.01
    np.testing.assert_array_equal(first.root, one.root)
    np.testing.assert_array_equal(second.root, other.root)
    assert air(first, second).min() < 0.02  # pushed out, and no further: it touches her still
    feet = [MOTIFMIX.index(name) for name in ("left_foot", "right_foot")]
    np.testing.assert_allclose(first.joints[:, feet], one.joints[:, feet], atol=1e-9)


def test_hands_that_touch_still_do_when_their_people_step_aside():
    straight = about_z(0.0)
    one = person(left_shoulder=straight)
    span = points_of(one)[0, :, 0].max()
    # Their hands meet; he stands in a third person who makes him give way.
    other = person(2 * span + 0.03, right_shoulder=straight)
    third = person(-0.15, 0.05)
    hands = [next(k for k, c in enumerate(CAPSULES) if c.start == f"{side}_wrist") for side in ("left", "right")]
    gap = air(one, other)[:, hands[0], hands[1]].max()
    assert gap < TOUCHING
    first, second, _ = kept_apart([one, other, third], mesh_radii())
    assert np.abs(first.root - one.root).max() > 0.02
    assert air(first, second)[:, hands[0], hands[1]].max() == pytest.approx(max(gap, 0.0), abs=0.015)
