"""`Motion` and `Scene`: clocks, mirrors, floors, and forward kinematics."""

from dataclasses import replace

import numpy as np
import pytest

from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot
from motifmix.motion.contacts import RESTING_TOE_HEIGHT, foot_contacts
from motifmix.motion.skeleton import LEFT_TOE, MIRROR, RIGHT_TOE, Skeleton

FLIP = np.array([-1.0, 1.0, 1.0])


def standing(frames: int = 10, height: float = 1.5, fps: float = 30.0) -> Motion:
    rotations = np.tile(rot.IDENTITY, (frames, 22, 1))
    return Motion(MOTIFMIX, rotations, np.tile([0.0, height, 0.0], (frames, 1)), fps)


@pytest.mark.parametrize(("before", "after", "frames"), [(30, 20, 31), (20, 30, 21), (120, 30, 121), (60, 20, 7)])
def test_resampling_keeps_the_first_and_last_instant(wild, before, after, frames):
    motion = wild(frames, fps=before)
    changed = motion.resampled(after)
    assert changed.fps == after
    assert (changed.frames - 1) / after == pytest.approx((frames - 1) / before)
    np.testing.assert_allclose(changed.joints[[0, -1]], motion.joints[[0, -1]], atol=1e-9)


@pytest.mark.parametrize("frames", [2, 29, 30, 31, 61])
def test_there_and_back_lasts_as_long_to_a_frame(wild, frames):
    motion = wild(frames, fps=30)
    back = motion.resampled(20).resampled(30)
    assert back.fps == 30
    assert frames - 2 <= back.frames <= frames


def test_resampling_meets_the_frames_that_both_clocks_have(wild):
    motion = wild(13, fps=60)
    np.testing.assert_allclose(motion.resampled(20).joints, motion.joints[::3], atol=1e-9)


def test_resampling_goes_between_frames_evenly():
    turn = np.stack([rot.about_y(0.0), -rot.about_y(0.4)])  # the other sign of the same rotation
    rotations = np.tile(rot.IDENTITY, (2, 22, 1))
    rotations[:, 0] = turn
    motion = Motion(
        MOTIFMIX, rotations, np.array([[0.0, 1, 0], [0.2, 1, 0]]), 10, joint_translations={4: np.eye(3)[:2]}
    )
    fine = motion.resampled(20)
    assert float(rot.angle_between(fine.rotations[1, 0], rot.about_y(0.2))) < 1e-6
    np.testing.assert_allclose(fine.root[1], [0.1, 1, 0])
    np.testing.assert_allclose(fine.joint_translations[4][1], [0.5, 0.5, 0])


def test_one_frame_only_changes_its_rate(wild):
    assert (wild(1, fps=30).resampled(20).frames, wild(1, fps=30).resampled(20).fps) == (1, 20)


def test_a_mirrored_motion_is_the_mirror_image(wild):
    motion = wild()
    np.testing.assert_allclose(motion.mirrored().joints, motion.joints[:, list(MIRROR)] * FLIP, atol=1e-9)
    np.testing.assert_allclose(motion.mirrored().mirrored().rotations, motion.rotations)
    np.testing.assert_allclose(motion.mirrored().mirrored().root, motion.root)


def test_animated_offsets_are_mirrored_too(wild):
    knee = MOTIFMIX.index("left_knee")
    path = MOTIFMIX.offsets[knee] + 0.05 * np.random.default_rng(0).normal(size=(8, 3))
    motion = replace(wild(), joint_translations={knee: path})
    np.testing.assert_allclose(motion.mirrored().joints, motion.joints[:, list(MIRROR)] * FLIP, atol=1e-9)


def test_only_our_symmetric_skeleton_is_mirrored(wild):
    other = Skeleton(MOTIFMIX.names, MOTIFMIX.parents, 2 * MOTIFMIX.offsets)
    with pytest.raises(ValueError, match="retarget"):
        replace(wild(), skeleton=other).mirrored()


@pytest.mark.parametrize("height", [-0.4, 0.92, 3.0])
def test_grounded_feet_rest_at_the_height_of_resting_toes(height):
    grounded = standing(height=height).grounded()
    np.testing.assert_allclose(grounded.joints[:, [LEFT_TOE, RIGHT_TOE], 1], RESTING_TOE_HEIGHT, atol=1e-9)
    assert foot_contacts(grounded).all()


def test_the_floor_stays_under_a_jump_and_above_one_deep_frame():
    root = standing(60).root.copy()
    root[20:35, 1] += 0.5 * np.sin(np.linspace(0, np.pi, 15))
    root[50, 1] -= 0.3
    jump = replace(standing(60), root=root).grounded()
    np.testing.assert_allclose(jump.joints[:15, LEFT_TOE, 1], RESTING_TOE_HEIGHT, atol=0.011)
    assert not foot_contacts(jump)[23:32].any()


def test_other_skeletons_stand_on_their_lowest_point(wild):
    larger = Skeleton(MOTIFMIX.names, MOTIFMIX.parents, 2 * MOTIFMIX.offsets)
    motion = replace(standing(), skeleton=larger).grounded()
    assert motion.joints[..., 1].min() == pytest.approx(0.0, abs=1e-9)


def test_in_place_keeps_height_and_pose(wild):
    motion = wild()
    still = motion.in_place()
    assert (still.root[:, [0, 2]] == motion.root[0, [0, 2]]).all()
    np.testing.assert_array_equal(still.root[:, 1], motion.root[:, 1])
    np.testing.assert_array_equal(still.rotations, motion.rotations)


def test_turning_turns_the_whole_scene_about_the_vertical(wild):
    motion = wild()
    expected = rot.rotate(rot.about_y(0.8), motion.joints)
    np.testing.assert_allclose(motion.turned(0.8).joints, expected, atol=1e-9)


def test_animated_offsets_replace_the_rest_offset_and_carry_their_children(wild):
    motion = standing(2, 1.0)
    knee, ankle = MOTIFMIX.index("left_knee"), MOTIFMIX.index("left_ankle")
    paths = np.stack([MOTIFMIX.offsets[knee], MOTIFMIX.offsets[knee] + [0.0, -0.1, 0.02]])
    moved = replace(motion, joint_translations={knee: paths})
    np.testing.assert_allclose(moved.joints[0], motion.joints[0])
    np.testing.assert_allclose((moved.joints - motion.joints)[1, [knee, ankle]], [[0.0, -0.1, 0.02]] * 2)
    np.testing.assert_allclose(moved.joints[:, MOTIFMIX.index("right_ankle")], motion.joints[:, 8])
    assert len(moved.cropped(1, 2).joint_translations[knee]) == 1


def test_joints_hang_on_their_parents_at_their_bones_length(wild):
    motion = wild()
    for joint, parent in enumerate(MOTIFMIX.parents[1:], start=1):
        length = np.linalg.norm(motion.joints[:, joint] - motion.joints[:, parent], axis=-1)
        np.testing.assert_allclose(length, np.linalg.norm(MOTIFMIX.offsets[joint]), atol=1e-9)
    np.testing.assert_array_equal(motion.joints[:, 0], motion.root)
    assert set(motion.ends) == set(MOTIFMIX.end_offsets)


@pytest.mark.parametrize(
    "change",
    [
        {"root": np.zeros((3, 3))},
        {"rotations": np.zeros((8, 21, 4))},
        {"root": np.full((8, 3), np.nan)},
        {"fps": 0.0},
        {"fps": float("nan")},
    ],
)
def test_parts_that_do_not_fit_are_refused(wild, change):
    with pytest.raises(ValueError, match=r"fit|finite"):
        replace(wild(), **change)


def test_a_scene_has_people_and_one_clock(wild):
    assert Scene((wild(), wild(5))).fps == 20 and len(Scene((wild(), wild(5)))) == 2
    with pytest.raises(ValueError, match="at least one"):
        Scene(())
    with pytest.raises(ValueError, match="frame rate"):
        Scene((wild(), wild(fps=30)))


def test_a_skeleton_is_a_tree_with_parents_first():
    with pytest.raises(ValueError, match="parents must come first"):
        Skeleton(("a", "b", "c"), (-1, 2, 1), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="do not fit"):
        Skeleton(("a", "b"), (-1,), np.zeros((2, 3)))
