"""A limb that does something goes back to how it moved before, while it does, and nothing else does."""

import numpy as np

from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.limbs_kept import ALL_BUT_ARMS, ARMS, deeds, ways_to_keep, with_limbs_of

FPS, FRAMES = 30.0, 120
ABOUT_X, ABOUT_Z = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
HANGING = {"left_shoulder": -1.4 * ABOUT_Z, "right_shoulder": 1.4 * ABOUT_Z}  # from arms that point to the sides


def person(speed: float = 0.0, **turns: np.ndarray) -> Motion:
    """Somebody whose joints turn from how he stands by rotation vectors, wholly so in frames 40 to 60 of 120."""
    rotations = np.tile(rot.IDENTITY, (FRAMES, 22, 1))
    share = np.interp(np.arange(FRAMES), [20, 40, 60, 80], [0.0, 1.0, 1.0, 0.0])[:, None]
    for name in {*HANGING, *turns}:
        own = HANGING.get(name, np.zeros(3)) + share * turns.get(name, np.zeros(3))
        rotations[:, MOTIFMIX.index(name)] = rot.from_rotvec(own)
    root = np.stack([np.zeros(FRAMES), np.full(FRAMES, 0.93), speed * np.arange(FRAMES) / FPS], axis=-1)
    return Motion(MOTIFMIX, rotations, root, FPS, {"text": "own"})


def bent(joints: float = 0.2) -> Motion:
    """Somebody else in every joint."""
    rotations = np.tile(rot.from_rotvec(joints * ABOUT_X), (FRAMES, 22, 1))
    return Motion(MOTIFMIX, rotations, person().root + np.array([0.0, 0.02, 0.0]), FPS, {"style": "old"})


def test_limbs_do_something_while_they_are_where_no_walk_brings_them():
    raised = person(left_shoulder=2.6 * ABOUT_Z)
    plain = deeds(raised)
    assert plain.shape == (FRAMES, 5)
    assert plain[50, 0] > 0.95 and plain[[5, 100], 0].max() < 0.05 and plain[:, 1:].max() == 0.0
    bows = deeds(person(pelvis=0.5 * ABOUT_X, spine1=0.5 * ABOUT_X))
    assert bows[50, 2:].min() > 0.95 and bows[[5, 100]].max() < 0.05 and bows[:, :2].max() == 0.0
    kicks = deeds(person(right_hip=-1.4 * ABOUT_X))
    assert kicks[50, 4] > 0.95 and kicks[:, :4].max() == 0.0
    assert deeds(person()).max() == 0.0


def test_who_goes_somewhere_may_lean_and_lift_his_feet():
    for turns in ({"pelvis": 0.9 * ABOUT_X}, {"right_hip": -1.4 * ABOUT_X}):
        assert deeds(person(speed=2.0, **turns)).max() == 0.0 < deeds(person(**turns)).max()


def test_the_limb_alone_goes_back_and_only_while_it_does_something():
    before, styled = person(left_shoulder=2.6 * ABOUT_Z), bent()
    kept = with_limbs_of(styled, before, deeds(before))
    arm = [MOTIFMIX.index(f"left_{name}") for name in ("collar", "shoulder", "elbow", "wrist")]
    rest = [joint for joint in range(22) if joint not in arm]
    np.testing.assert_allclose(np.abs((kept.rotations * before.rotations).sum(-1))[50, arm], 1.0, atol=1e-2)
    np.testing.assert_allclose(kept.rotations[:, rest], styled.rotations[:, rest], atol=1e-9)
    np.testing.assert_allclose(kept.rotations[[0, -1]], styled.rotations[[0, -1]], atol=1e-3)
    np.testing.assert_array_equal(kept.root, styled.root)
    assert kept.labels == styled.labels
    half = with_limbs_of(styled, before, 0.5 * deeds(before))
    gone = [np.abs(own.joints[50] - styled.joints[50]).max() for own in (half, kept)]
    assert 0.2 * gone[1] < gone[0] < 0.8 * gone[1]


def test_nothing_jumps_where_a_limb_goes_over():
    before, styled = person(left_shoulder=2.6 * ABOUT_Z), person()
    steps = [
        np.linalg.norm(np.diff(own.joints, axis=0), axis=-1).max()
        for own in (with_limbs_of(styled, before, deeds(before)), before)
    ]
    assert steps[0] < 1.7 * steps[1]  # a part of the way has to be made in less time


def test_a_content_that_is_shorter_or_does_nothing_changes_nothing_behind_it():
    styled = bent()
    assert np.allclose(with_limbs_of(styled, person(), deeds(person())).rotations, styled.rotations)
    short = person(left_shoulder=2.6 * ABOUT_Z).cropped(0, 50)
    kept = with_limbs_of(styled, short, deeds(short))
    assert kept.frames == styled.frames and np.allclose(kept.rotations[50:], styled.rotations[50:])


def test_limbs_that_are_kept_all_the_time_are_kept_in_every_frame_and_others_never():
    before, styled = person(left_shoulder=2.6 * ABOUT_Z), bent()
    arms = [
        MOTIFMIX.index(f"{side}_{name}")
        for side in ("left", "right")
        for name in ("collar", "shoulder", "elbow", "wrist")
    ]
    others = [joint for joint in range(22) if joint not in arms]
    for weights, kept, free in ((ARMS, arms, others), (ALL_BUT_ARMS, others, arms)):
        made = with_limbs_of(styled, before, weights)
        np.testing.assert_allclose(np.abs((made.rotations * before.rotations).sum(-1))[:, kept], 1.0, atol=1e-9)
        np.testing.assert_allclose(made.rotations[:, free], styled.rotations[:, free], atol=1e-9)
        np.testing.assert_array_equal(made.root, styled.root)


def test_who_does_nothing_has_no_way_in_which_he_keeps_doing_it():
    still, raised = ways_to_keep(person()), ways_to_keep(person(left_shoulder=2.6 * ABOUT_Z))
    assert len(raised) == len(still) + 1
    assert not still[0].any() and all(weights.any() for weights in still[1:])
