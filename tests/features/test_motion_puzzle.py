import numpy as np
import pytest
from tests.features.cmu_walk import walk

from motifmix.features import cmu_skeleton as cmu
from motifmix.features import motion_puzzle
from motifmix.features.motion_puzzle import FIRST_FRAME_FROM_LAST, LEVEL_ROOT, SKEW_AXES, MotionPuzzleSpace
from motifmix.motion import MOTIFMIX, Motion


def test_every_second_frame_is_kept_and_one_is_lost():
    clip = motion_puzzle.clip_of(walk(99))
    assert clip.motion.shape == (49, 21, 12)
    assert clip.root.shape == (49, 1, 3)
    assert set(np.unique(clip.foot_contacts)) <= {0, 1}


@pytest.mark.parametrize("heading", [0.4, -3.0])
def test_where_someone_stands_and_looks_makes_no_difference(heading):
    one, other = motion_puzzle.clip_of(walk()), motion_puzzle.clip_of(walk(heading=heading))
    np.testing.assert_allclose(other.motion, one.motion, atol=1e-9)
    np.testing.assert_allclose(other.root, one.root, atol=1e-9)


def test_whole_clips_are_lengthened_even_where_they_need_not_be():
    clip = motion_puzzle.clip_of(walk(97))
    assert len(clip) == 48 and len(clip.whole()) == 52
    assert len(motion_puzzle.clip_of(walk(9)).whole()) == 12
    np.testing.assert_array_equal(clip.whole().motion[2:50], clip.motion)


def test_a_short_last_window_stands_at_both_ends():
    windows = motion_puzzle.clip_of(walk(81)).windows(24, 12)
    assert len(windows) == 3
    last = windows[-1]
    assert len(last) == 24
    assert not last.motion[:4, :, 9:].any() and not last.root[:4].any()
    np.testing.assert_array_equal(last.motion[0, :, :9], last.motion[4, :, :9])


def test_postures_are_those_that_the_features_were_made_of():
    motion = walk(60, heading=0.0)
    clip = motion_puzzle.clip_of(motion)
    made = motion_puzzle.postures(clip.motion, clip.root)
    expected = motion.joints[::2][:-1][:, list(cmu.KEPT)]
    spread = [positions - positions[:, :1] for positions in (made.positions, expected)]
    # Velocities lead from a frame to the next and are read as leading into it, so that steps lag by half a frame.
    np.testing.assert_allclose(spread[0][1:], spread[1][1:], atol=0.4)
    skew = motion_puzzle.postures(clip.motion, clip.root, quirks=[SKEW_AXES])
    np.testing.assert_allclose(skew.global_transforms, made.global_transforms, atol=1e-9)


def test_published_peculiarities_are_asked_for_by_name():
    clip = motion_puzzle.clip_of(walk(60))
    bobbing = walk(60)
    bobbing = Motion(bobbing.skeleton, bobbing.rotations, bobbing.root + np.sin(np.arange(60))[:, None], 120.0)
    assert np.abs(motion_puzzle.clip_of(bobbing).motion[:, 0, 10]).max() > 0.1
    assert not motion_puzzle.clip_of(bobbing, quirks=[LEVEL_ROOT]).motion[:, 0, 10].any()
    bent = clip.motion + 0.1 * np.random.default_rng(0).normal(size=clip.motion.shape)
    proper = motion_puzzle.postures(bent, clip.root)
    axes = proper.global_transforms[..., :3, :3]
    np.testing.assert_allclose(axes.swapaxes(-1, -2) @ axes, np.broadcast_to(np.eye(3), axes.shape), atol=1e-9)
    skew = motion_puzzle.postures(bent, clip.root, quirks=[SKEW_AXES])
    assert np.abs(skew.global_transforms[..., 2] - proper.global_transforms[..., 2]).max() > 1e-3
    first = motion_puzzle.postures(bent, clip.root, quirks=[FIRST_FRAME_FROM_LAST])
    assert np.abs(first.positions[0] - proper.positions[0]).max() > 1e-3


def test_statistics_have_one_deviation_for_three_channels():
    mean, std = motion_puzzle.statistics(
        [motion_puzzle.clip_of(walk(60)).motion, motion_puzzle.clip_of(walk(40)).motion]
    )
    assert mean.shape == std.shape == (12,)
    np.testing.assert_array_equal(std.reshape(4, 3), std[::3, None].repeat(3, axis=1))


def test_what_the_space_decodes_moves_as_what_it_encoded():
    space = MotionPuzzleSpace()
    motion = Motion(cmu.CMU_31_METRES, walk(120).rotations, walk(120).root * cmu.METRES, 120.0)
    features = space.encode(motion)
    assert features.shape == (59, space.dim) and features.dtype == np.float32
    made = space.decode(features)
    assert made.skeleton.same_as(MOTIFMIX) and made.fps == 60.0
    again = space.decode(space.encode(made))
    spread = [m.joints[:58] - m.joints[:58, :1] for m in (made, again)]
    np.testing.assert_allclose(spread[1], spread[0], atol=0.05)
