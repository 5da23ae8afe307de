"""From one skeleton to another: limbs keep their directions, and there and back nothing is lost."""

from dataclasses import replace

import numpy as np
import pytest

from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.anatomy import find_joints
from motifmix.motion.retargeting import LIMBS, canonical_rotations, leg_length, retarget
from motifmix.motion.rigs import RIGS
from motifmix.motion.skeleton import JOINT_NAMES, Skeleton

ARM_JOINTS = ("shoulder", "elbow", "wrist")


def degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(rot.angle_between(a, b))


def about_z(angle: float) -> np.ndarray:
    return rot.from_rotvec(np.radians(angle) * np.array([0.0, 0.0, 1.0]))


def on_other_axes(motion: Motion, axes: np.ndarray) -> Motion:
    """The same movement on a skeleton whose joint j has its local axes turned by ``axes[j]``."""
    skeleton, local = motion.skeleton, motion.rotations.copy()
    offsets = skeleton.offsets.copy()
    for joint, parent in enumerate(skeleton.parents):
        before = rot.inverse(axes[parent]) if parent >= 0 else rot.IDENTITY
        offsets[joint] = rot.rotate(before, offsets[joint])
        local[:, joint] = rot.multiply(rot.multiply(before, motion.rotations[:, joint]), axes[joint])
    moved = replace(motion, skeleton=Skeleton(skeleton.names, skeleton.parents, offsets), rotations=local)
    np.testing.assert_allclose(moved.joints, motion.joints, atol=1e-9)
    return moved


def bones_along_x() -> np.ndarray:
    """Quarter turns that lay every bone along its parent's +X, as MotionBuilder's skeletons have them."""
    axes = np.tile(rot.IDENTITY, (22, 1))
    for joint, name in enumerate(JOINT_NAMES):
        if name.startswith(("spine", "neck", "head")):
            axes[joint] = about_z(90)
        elif name.endswith(("hip", "knee")):
            axes[joint] = about_z(-90)
        elif name.endswith(("ankle", "foot")):
            axes[joint] = rot.about_y(-np.pi / 2)
        elif name.startswith("right_"):
            axes[joint] = rot.about_y(np.pi)
    return axes


def limb_angles(source: Motion, target: Motion) -> float:
    ours, theirs = find_joints(source.skeleton), find_joints(target.skeleton)
    largest = 0.0
    for role, child in LIMBS.items():
        a = source.joints[:, ours[child]] - source.joints[:, ours[role]]
        b = target.joints[:, theirs[child]] - target.joints[:, theirs[role]]
        cross = np.linalg.norm(np.cross(a, b), axis=-1)
        largest = max(largest, float(np.degrees(np.arctan2(cross, (a * b).sum(-1))).max()))
    return largest


@pytest.mark.parametrize("name", RIGS)
def test_to_a_rig_and_back_nothing_is_lost(wild, name):
    motion = wild()
    there, certificate = retarget(motion, RIGS[name])
    back, _ = retarget(there, MOTIFMIX)
    assert there.skeleton is RIGS[name] and there.fps == motion.fps
    assert limb_angles(motion, there) < 1e-6 and limb_angles(motion, back) < 1e-6
    assert certificate.scale == pytest.approx(1.0) and certificate.largest_limb_error < 1e-6
    roles = find_joints(RIGS[name])
    if set(JOINT_NAMES) <= roles.keys():
        assert degrees(back.rotations, motion.rotations).max() < 0.1
        np.testing.assert_allclose(back.joints, motion.joints, atol=1e-4)
    else:  # a rig with a joint less in the spine keeps what every joint that it has is turned to
        kept = [joint for joint, role in enumerate(JOINT_NAMES) if role in roles]
        assert degrees(back.world_rotations, motion.world_rotations)[:, kept].max() < 0.1
        legs = [JOINT_NAMES.index(f"{side}_{part}") for side in ("left", "right") for part in ("hip", "knee", "ankle")]
        np.testing.assert_allclose(back.joints[:, legs], motion.joints[:, legs], atol=1e-4)


def test_our_own_canonical_pose_is_our_rest_pose():
    for role, rotation in canonical_rotations(MOTIFMIX).items():
        assert degrees(rotation, rot.IDENTITY) < 1e-6, role


@pytest.mark.parametrize("arms", ["a T-pose", "hanging arms"])
def test_bones_along_x_that_do_not_stand_at_rest_are_understood(wild, arms):
    motion = wild(12, amount=0.4)
    rotations = motion.rotations.copy()
    rotations[0] = rot.IDENTITY
    if arms == "hanging arms":  # somebody who stands somewhere in the clip, looking anywhere
        rotations[0] = rot.from_rotvec(0.1 * np.random.default_rng(1).normal(size=(22, 3)))
        rotations[0, JOINT_NAMES.index("left_shoulder")] = about_z(-80)
        rotations[0, JOINT_NAMES.index("right_shoulder")] = about_z(80)
        rotations[0, 0] = rot.about_y(0.7)
    motion = replace(motion, rotations=rotations)
    carried, certificate = retarget(on_other_axes(motion, bones_along_x()))
    assert certificate.largest_limb_error < 1e-6
    np.testing.assert_allclose(carried.joints, motion.joints, atol=1e-6)
    assert degrees(carried.rotations, motion.rotations).max() < 1e-3


def test_an_a_pose_at_rest_says_nothing_about_the_movement(wild):
    lowered = np.tile(rot.IDENTITY, (22, 1))
    for joint, name in enumerate(JOINT_NAMES):
        if name.endswith(ARM_JOINTS):
            lowered[joint] = about_z(45 if name.startswith("left") else -45)
    motion = wild()
    a_pose = on_other_axes(motion, lowered)
    wrist = a_pose.skeleton.rest_positions[JOINT_NAMES.index("left_wrist")]
    assert wrist[1] < MOTIFMIX.rest_positions[JOINT_NAMES.index("left_wrist")][1] - 0.2
    carried, _ = retarget(a_pose)
    np.testing.assert_allclose(carried.joints, motion.joints, atol=1e-6)
    back, _ = retarget(carried, a_pose.skeleton)
    np.testing.assert_allclose(back.joints, motion.joints, atol=1e-6)


def test_a_larger_person_walks_a_longer_way(wild):
    larger = Skeleton(MOTIFMIX.names, MOTIFMIX.parents, 1.5 * MOTIFMIX.offsets)
    motion = wild()
    carried, certificate = retarget(motion, larger)
    assert certificate.scale == pytest.approx(1.5)
    np.testing.assert_allclose(carried.joints, 1.5 * motion.joints, atol=1e-6)
    assert leg_length(larger) == pytest.approx(1.5 * leg_length(MOTIFMIX))


def test_other_proportions_keep_every_limbs_direction(wild):
    lengths = np.random.default_rng(3).uniform(0.7, 1.4, size=(22, 1))
    for joint, name in enumerate(JOINT_NAMES):
        if name.startswith("right_"):
            lengths[joint] = lengths[JOINT_NAMES.index(name.replace("right", "left"))]
    other = Skeleton(MOTIFMIX.names, MOTIFMIX.parents, lengths * MOTIFMIX.offsets)
    carried, certificate = retarget(wild(), other)
    assert limb_angles(wild(), carried) < 1e-6 and certificate.largest_limb_error < 1e-6


def test_rates_labels_and_frames_stay(wild):
    motion = replace(wild(5, fps=120.0), labels={"text": "a bow"})
    carried, _ = retarget(motion, RIGS["cmu"])
    assert (carried.frames, carried.fps, carried.labels["text"]) == (5, 120.0, "a bow")


def test_an_animal_is_refused():
    names = ("Root", "Spine", "Head", "Tail", "FrontPawL", "FrontPawR", "HindPawL", "HindPawR")
    offsets = np.array([[0, 0.5, 0], [0, 0, 0.5], [0, 0.1, 0.3], [0, 0, -0.5], *[[0.1, -0.4, 0.1]] * 4])
    animal = Skeleton(names, (-1, 0, 1, 0, 1, 1, 0, 0), offsets)
    motion = Motion(animal, np.tile(rot.IDENTITY, (2, 8, 1)), np.zeros((2, 3)), 30.0)
    with pytest.raises(ValueError, match="no person's skeleton"):
        retarget(motion)


def test_a_skeleton_that_does_not_stand_needs_a_motion():
    standing = Motion(MOTIFMIX, np.tile(rot.IDENTITY, (1, 22, 1)), np.zeros((1, 3)), 30.0)
    lying = on_other_axes(standing, bones_along_x()).skeleton
    with pytest.raises(ValueError, match="does not stand"):
        canonical_rotations(lying)


@pytest.mark.parametrize("spread", [0.0, 10.0, 45.0])
def test_arms_that_hang_at_rest_and_a_spine_joint_of_no_length_turn_nothing(wild, spread):
    """An I-pose stands as well as a T-pose does; CMU rigs have a trunk joint on top of the pelvis."""
    motion = wild()
    axes = np.tile(rot.IDENTITY, (22, 1))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for part in ARM_JOINTS:  # the file's rest has the arms down: its identity is our arms turned
            axes[JOINT_NAMES.index(f"{side}_{part}")] = about_z(sign * (90.0 - spread))
    hanging = on_other_axes(motion, axes)
    offsets = hanging.skeleton.offsets.copy()
    offsets[JOINT_NAMES.index("spine1")] = 0.0
    hanging = replace(hanging, skeleton=replace(hanging.skeleton, offsets=offsets))
    carried, _ = retarget(hanging)
    trunk = [JOINT_NAMES.index(name) for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")]
    assert degrees(carried.world_rotations, motion.world_rotations)[:, trunk].max() < 0.1
    assert limb_angles(hanging, carried) < 1e-6


def test_a_head_with_other_axes_than_its_neck_still_looks_ahead(wild):
    axes = bones_along_x()
    axes[JOINT_NAMES.index("head")] = rot.IDENTITY
    motion = wild()
    rotations = motion.rotations.copy()
    rotations[0] = rot.IDENTITY  # one upright frame shows the axes
    for side, sign in (("left", -1.0), ("right", 1.0)):
        rotations[0, JOINT_NAMES.index(f"{side}_shoulder")] = about_z(sign * 70)
    motion = replace(motion, rotations=rotations)
    carried, _ = retarget(on_other_axes(motion, axes))
    head = JOINT_NAMES.index("head")
    assert degrees(carried.world_rotations, motion.world_rotations)[:, head].max() < 0.5
