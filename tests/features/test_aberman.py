import numpy as np
import pytest
from tests.features.cmu_walk import walk

from motifmix.errors import RequestError
from motifmix.features import aberman
from motifmix.features import cmu_skeleton as cmu
from motifmix.features.aberman import EXPORTED_TURNED, KNEES_AND_ELBOWS_FACE, AbermanSpace
from motifmix.motion import MOTIFMIX, Motion


def test_every_fourth_frame_is_kept_and_whole_fours_of_those():
    clip = aberman.clip_of(walk(203), aberman.layout())
    assert clip.content.shape == (48, 128)
    assert clip.style3d.shape == (48, 64)
    assert clip.style2d().shape == (48, 42)
    assert clip.foot_contacts.shape == (48, 4)


@pytest.mark.parametrize("heading", [0.0, 1.1, -2.5])
def test_where_a_person_looks_is_taken_out_of_the_body_and_written_down(heading):
    ahead, turned = (aberman.clip_of(walk(heading=h), aberman.layout()) for h in (0.0, heading))
    np.testing.assert_allclose(turned.heading - ahead.heading, heading, atol=1e-9)
    np.testing.assert_allclose(turned.style3d[:, :60], ahead.style3d[:, :60], atol=1e-9)
    np.testing.assert_allclose(turned.style2d()[:, :40], ahead.style2d()[:, :40], atol=1e-9)


def test_an_animation_comes_back_from_its_content():
    motion = walk(96, heading=0.7)
    clip = aberman.clip_of(motion, aberman.layout())
    made = aberman.animation(clip.content * np.where(np.arange(128) < 124, 3.0, 1.0))  # quaternions of any length
    np.testing.assert_allclose(made.joints, motion.joints[::4], atol=1e-9)


def test_a_clip_can_be_made_again_from_its_content_alone():
    clip = aberman.clip_of(walk(203, heading=2.0), aberman.layout())
    again = aberman.clip_from_content(clip.content, clip.layout)
    for part in ("content", "style3d", "joints", "foot_contacts", "rotations"):
        np.testing.assert_allclose(getattr(again, part), getattr(clip, part), atol=1e-9)
    np.testing.assert_allclose(
        again.style2d(np.array([0.1, 0.2, 0.3]), 1.1), clip.style2d(np.array([0.1, 0.2, 0.3]), 1.1)
    )


def test_as_published_an_animation_is_turned_towards_ahead():
    clip = aberman.clip_of(walk(96, heading=1.7), aberman.layout())
    made = aberman.animation(clip.content, quirks=[EXPORTED_TURNED])
    turned = aberman.clip_of(made, aberman.AbermanLayout(downsample=1))
    np.testing.assert_allclose(turned.heading, clip.heading - np.pi / 2, atol=1e-9)
    steps = np.diff(made.root, axis=0)
    assert (steps[:, 2] > 0).all()  # it walked along +X mostly, and now along +Z


def test_knees_and_elbows_decide_only_where_they_are_asked_for():
    assert aberman.layout().hips == (1, 5)
    assert aberman.layout([KNEES_AND_ELBOWS_FACE]).hips == (2, 6)
    names = [cmu.NAMES[cmu.KEPT[joint]] for joint in (1, 5, 13, 17, 2, 6, 14, 18)]
    assert names == [
        "LeftUpLeg", "RightUpLeg", "LeftArm", "RightArm", "LeftLeg", "RightLeg", "LeftForeArm", "RightForeArm"
    ]  # fmt: skip


def test_what_the_space_decodes_moves_as_what_it_encoded():
    space = AbermanSpace()
    motion = Motion(cmu.CMU_31_METRES, walk(120).rotations, walk(120).root * cmu.METRES, 120.0)
    features = space.encode(motion)
    assert features.shape == (28, space.dim) and features.dtype == np.float32
    made = space.decode(features)
    assert made.skeleton.same_as(MOTIFMIX) and made.fps == 30.0
    again = space.decode(space.encode(made))
    np.testing.assert_allclose(again.joints, made.joints, atol=1e-4)


def test_a_motion_on_another_skeleton_is_refused_by_name():
    with pytest.raises(RequestError, match="31-joint CMU skeleton"):
        cmu.in_file_units(Motion(MOTIFMIX, np.tile([0.0, 0, 0, 1], (3, 22, 1)), np.zeros((3, 3)), 30.0))


def test_planted_feet_stand_still_on_the_floor():
    motion = aberman.animation(aberman.clip_of(walk(96), aberman.layout()).content)
    contacts = np.zeros((24, 4))
    contacts[4:10, 0] = 1
    cleaned = aberman.cleaned_feet(motion, contacts, iterations=30)
    planted = cleaned.targets[4:10, 4]
    np.testing.assert_allclose(planted - planted[:1], 0.0, atol=1e-12)
    assert planted[0, 1] == 0.0
    lower = cleaned.motion.root[:, 1] - motion.root[:, 1]
    np.testing.assert_allclose(lower, lower[0])
    lowered = motion.joints + lower[0] * np.array([0.0, 1.0, 0.0])
    np.testing.assert_allclose(cleaned.targets[16:], lowered[16:], atol=1e-9)
    before = np.linalg.norm(lowered[4:10] - cleaned.targets[4:10], axis=-1)
    after = np.linalg.norm(cleaned.motion.joints[4:10] - cleaned.targets[4:10], axis=-1)
    assert (after[:, 4] < before[:, 4]).all()  # all other joints have targets too, and straight legs reach no further
