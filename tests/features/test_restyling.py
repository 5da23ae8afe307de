"""The arrays of both restyling networks on our 22 joints: what goes in comes back out, wherever a motion stands."""

import numpy as np
import pytest

from motifmix.features import restyling
from motifmix.features.aberman import clip_of
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.skeleton import Skeleton


@pytest.fixture
def motion() -> Motion:
    """Somebody who strays from a place off the origin and turns past half a turn."""
    time = np.linspace(0.0, 3.0, 61)
    rng = np.random.default_rng(0)
    amplitude = rng.uniform(-0.4, 0.4, size=(22, 3))
    rotations = rot.from_rotvec(amplitude[None] * np.sin(time[:, None, None] + rng.uniform(0, 6, size=(22, 1))))
    rotations[:, 0] = rot.multiply(rot.about_y(2.0 + 1.5 * time), rotations[:, 0])
    root = np.stack([3.0 + np.sin(time), 0.93 + 0.02 * np.cos(5 * time), -1.0 + time], axis=1)
    return Motion(MOTIFMIX, rotations, root, 20.0)


def test_the_contents_of_a_clip_are_the_clip(motion):
    arrays = restyling.aberman_arrays(motion)
    assert arrays.content.shape == (61, restyling.CONTENT_CHANNELS) == (61, 92)
    assert arrays.style3d.shape == (61, restyling.STYLE3D_CHANNELS) == (61, 67)
    back = restyling.aberman_motion(arrays.content[:, : -restyling.GLOBALS], arrays)
    np.testing.assert_allclose(back.joints, motion.joints, atol=1e-5)
    assert back.fps == 20.0 and back.skeleton.same_as(MOTIFMIX)


def test_a_network_sees_no_jump_of_sign_or_heading(motion):
    content = restyling.aberman_arrays(motion).content
    assert (content[:, :88].reshape(61, 22, 4)[..., 0] >= 0).all()
    assert np.abs(np.diff(content[:, -1])).max() < 0.3
    assert content[-1, -1] - content[0, -1] > np.pi


def test_where_and_which_way_a_clip_stands_is_taken_out(motion):
    elsewhere = motion.turned(2.2).moved(np.array([5.0, 0.0, -4.0]))
    own, moved = (restyling.from_origin(restyling.aberman_arrays(m).style3d) for m in (motion, elsewhere))
    np.testing.assert_allclose(moved, own, atol=2e-4)
    np.testing.assert_allclose(own[0, -4:], [0.0, motion.root[0, 1] / restyling.UNIT, 0.0, 0.0], atol=1e-5)
    windows = restyling.from_origin(np.stack([restyling.aberman_arrays(m).style3d for m in (motion, elsewhere)]))
    np.testing.assert_allclose(windows[0], own, atol=2e-4)


def test_pictures_are_those_of_the_published_formula(motion):
    style3d = restyling.aberman_arrays(motion).style3d
    angles, scale = np.array([0.1, -0.7, 0.2]), 1.15
    seen = restyling.pictures(style3d[None], angles[None], np.array([scale]))[0]
    clip = clip_of(restyling.in_units(motion), restyling.ABERMAN)
    # The published clip wraps its heading at half a turn, and with it the mean; the formula is told the same one.
    turned = restyling.pictures(
        np.concatenate([style3d[:, :-1], clip.heading[:, None]], axis=1)[None].astype(np.float32),
        angles[None],
        np.array([scale]),
    )[0]
    np.testing.assert_allclose(turned, clip.style2d(angles, scale), atol=2e-3)
    assert seen.shape == (61, restyling.STYLE2D_CHANNELS)


def test_the_features_of_a_clip_are_the_clip_in_its_place(motion):
    slow = motion.resampled(20.0)
    clip = restyling.puzzle_clip(slow)
    assert clip.motion.shape == (61, 22, 12)
    back = restyling.puzzle_motion(clip.motion, clip, slow)
    np.testing.assert_allclose(
        back.joints, slow.joints, atol=3e-3
    )  # each height is blended with where the step of its own frame leads
    np.testing.assert_allclose(back.joints[0], slow.joints[0], atol=1e-4)


def test_feet_hold_still_where_the_content_rested():
    rotations = np.tile(rot.IDENTITY, (30, 22, 1))
    root = np.tile([0.0, 0.93, 0.0], (30, 1)) + np.linspace(0, 0.1, 30)[:, None] * np.array([0.0, 0.0, 1.0])
    sliding = Motion(MOTIFMIX, rotations, root, 20.0)
    feet = list(restyling.FOOT_JOINTS)
    made = restyling.planted(sliding, np.ones((30, 4)), damping=1.0)
    before, after = (np.ptp(m.joints[:, feet], axis=0).max() for m in (sliding, made))
    assert before == pytest.approx(0.1, abs=1e-6) and after < 0.25 * before
    np.testing.assert_allclose(made.root, sliding.root)


def test_another_skeleton_is_refused(motion):
    other = Skeleton(MOTIFMIX.names, MOTIFMIX.parents, 2 * MOTIFMIX.offsets)
    with pytest.raises(ValueError, match="retarget first"):
        restyling.in_units(Motion(other, motion.rotations, motion.root, 20.0))


def test_a_short_clip_goes_to_and_fro():
    assert restyling.reflected_frames(3, 8).tolist() == [0, 1, 2, 2, 1, 0, 0, 1]
    assert restyling.reflected_frames(4, 4).tolist() == [0, 1, 2, 3]
