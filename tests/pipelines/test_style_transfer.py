"""Style transfer on a small model with random weights: what returns, what changes, long motions, other skeletons."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motifmix.errors import RequestError
from motifmix.motion import MOTIFMIX, Motion, Skeleton
from motifmix.motion import rotations as rot
from motifmix.motion.contacts import foot_contacts
from motifmix.motion.retargeting import retarget
from motifmix.motion.rigs import RIGS
from motifmix.pipelines.style_transfer import Kept, StyleTransfer

FAST = {"steps": 4, "depth": 0.3}


def striding(seconds: float = 2.0, fps: float = 20.0) -> Motion:
    """A person who swings arms and legs and turns slowly while going forward."""
    time = np.arange(round(seconds * fps)) / fps
    rotations = np.tile(rot.IDENTITY, (len(time), 22, 1))
    for name, sign in (("left_hip", 1), ("right_hip", -1), ("left_shoulder", -1), ("right_shoulder", 1)):
        swing = sign * 0.4 * np.sin(2 * np.pi * 0.8 * time)
        rotations[:, MOTIFMIX.index(name)] = rot.from_rotvec(swing[:, None] * np.array([1.0, 0.0, 0.0]))
    rotations[:, 0] = rot.from_rotvec((1.0 + 0.05 * time)[:, None] * np.array([0.0, 1.0, 0.0]))
    root = np.stack([3.0 + 0.8 * time, np.full(len(time), 0.93), -2.0 + 0.5 * time], axis=-1)
    return Motion(MOTIFMIX, rotations, root, fps)


def millimetres(a: Motion, b: Motion) -> float:
    assert a.frames == b.frames
    return 1000 * float(np.linalg.norm(a.joints - b.joints, axis=-1).max())


@pytest.fixture(scope="module")
def transfer(model) -> StyleTransfer:
    return StyleTransfer(model)


@pytest.mark.parametrize(("seconds", "fps"), [(2.0, 20.0), (1.55, 30.0), (2.0, 120.0)])
def test_at_strength_0_the_content_returns_where_it_stood(transfer, seconds, fps):
    content = striding(seconds, fps)
    (result,) = transfer.transfer([content], ["old"], strength=0.0, clean_feet=False, **FAST)
    assert (result.frames, result.fps) == (content.frames, content.fps)
    assert millimetres(result, content) < 20.0


def test_gamma_and_the_pull_of_the_style_can_be_set(transfer):
    content, how = striding(), {"clean_feet": False, **FAST}
    (usual,) = transfer.transfer([content], ["old"], **how)
    (same,) = transfer.transfer([content], ["old"], gamma=transfer.model.denoiser.gamma, **how)
    (less,) = transfer.transfer([content], ["old"], gamma=0.1, **how)
    (pulled,) = transfer.transfer([content], ["old"], gradient=1.0, **how)
    assert millimetres(same, usual) < 0.01 < 1.0 < millimetres(less, usual)
    (elsewhere,) = transfer.transfer([content], ["old"], block=2, **how)
    assert millimetres(pulled, usual) > 1.0 < millimetres(elsewhere, usual)
    for wrong in ({"gamma": -1.0}, {"gradient": 3.0}, {"style_scale": float("nan")}):
        with pytest.raises(RequestError, match=next(iter(wrong)).replace("_", "-")):
            transfer.transfer([content], ["old"], **wrong)


def test_of_several_scales_the_mildest_that_shows_the_style_is_taken(transfer, monkeypatch):
    content, how = striding(), {"clean_feet": False, **FAST}
    mild, strong = (transfer.transfer([content], ["old"], style_scale=own, **how)[0] for own in (0.5, 2.0))
    for far, expected in (({}, mild), ({"mild": 0.9}, strong), ({"mild": 0.7, "strong": 0.8}, mild)):
        readings = iter([far.get("mild", 0.0), far.get("strong", 0.0)])
        monkeypatch.setattr(transfer, "distance", lambda *_, readings=readings: next(readings))
        (chosen,) = transfer.transfer([content], ["old"], style_scale=(0.5, 2.0), **how)
        assert millimetres(chosen, expected) < 0.01
    with pytest.raises(RequestError, match="style_scale is empty"):
        transfer.transfer([content], ["old"], style_scale=())


def test_a_text_can_be_held_on_to_more_than_it_is_told(transfer):
    content, how = striding(), {"clean_feet": False, **FAST}
    told, held = (transfer.transfer([content], ["old"], ["walks"], text_scale=own, **how)[0] for own in (1.0, 3.0))
    silent, same = (transfer.transfer([content], ["old"], text_scale=own, **how)[0] for own in (1.0, 3.0))
    assert millimetres(told, held) > 1.0 and millimetres(silent, same) == 0.0
    plain, still = (
        transfer.transfer([content], ["old"], ["walks"], text_scale=own, strength=0.0, **how)[0] for own in (1.0, 3.0)
    )
    assert millimetres(plain, still) == 0.0


def test_a_style_changes_the_motion_and_more_of_it_changes_more(transfer):
    content = striding()
    nothing, some, more = (
        transfer.transfer([content], ["old"], strength=strength, clean_feet=False, **FAST)[0]
        for strength in (0.0, 0.5, 1.5)
    )
    assert 1.0 < millimetres(some, nothing) < millimetres(more, nothing)
    (other,) = transfer.transfer([content], ["angry"], strength=1.5, clean_feet=False, **FAST)
    assert millimetres(other, more) > 1.0
    assert more.labels["style"] == "old" and more.labels["licence"] == "for tests"


def test_nothing_is_drawn_at_random_and_company_changes_nothing(transfer):
    contents, styles = [striding(2.0), striding(3.0)], ["old", "angry"]
    together = transfer.transfer(contents, styles, ["a person walks forward", None], **FAST)
    torch.manual_seed(5)
    for place in range(2):
        text = ["a person walks forward", None][place]
        (alone,) = transfer.transfer([contents[place]], [styles[place]], [text], **FAST)
        assert millimetres(alone, together[place]) < 0.1


def test_long_motions_have_no_seams(transfer):
    content = striding(24.0)
    (plain,) = transfer.transfer([content], ["old"], strength=0.0, clean_feet=False, **FAST)
    assert millimetres(plain, content) < 20.0
    (styled,) = transfer.transfer([content], ["old"], clean_feet=False, **FAST)
    speed = np.linalg.norm(np.diff(styled.joints - styled.joints[:, :1], axis=0), axis=-1).max(axis=1)
    from motifmix.diffusion.windows import window_starts
    from motifmix.pipelines.style_transfer import OVERLAP, WINDOW

    starts = window_starts(120, WINDOW, OVERLAP)
    borders = {4 * edge for start in starts for edge in (start, start + WINDOW)} - {0, 480}
    assert len(starts) > 2 and borders
    near = np.array([any(abs(frame - border) <= 4 for border in borders) for frame in range(len(speed))])
    assert speed[near].max() < 1.5 * speed[~near].max()


def test_the_path_stays_where_it_is_asked_to(transfer):
    content = striding(3.0)
    (kept,) = transfer.transfer([content], ["old"], strength=2.0, keep=Kept(path=True), **FAST)
    assert np.abs(kept.root[:, [0, 2]] - content.root[:, [0, 2]]).max() < 0.01
    (free,) = transfer.transfer([content], ["old"], strength=2.0, **FAST)
    assert np.abs(free.root[:, [0, 2]] - content.root[:, [0, 2]]).max() > 0.01


def test_feet_rest_when_they_rested(transfer):
    still = Motion(MOTIFMIX, np.tile(rot.IDENTITY, (60, 22, 1)), np.tile([0.0, 0.93, 0.0], (60, 1)), 20.0).grounded()
    assert foot_contacts(still)[:, [1, 3]].all()
    toes = [MOTIFMIX.index("left_foot"), MOTIFMIX.index("right_foot")]
    slid = []
    for contacts in (False, True):
        (result,) = transfer.transfer([still], ["old"], strength=0.5, keep=Kept(contacts=contacts), **FAST)
        slid.append(np.linalg.norm(np.diff(result.joints[:, toes][..., [0, 2]], axis=0), axis=-1).mean())
    assert slid[1] < 0.3 * slid[0]


@pytest.mark.parametrize("rig", ["cmu", "mixamo"])
def test_the_result_comes_back_on_the_skeleton_of_the_source(transfer, rig):
    content, _ = retarget(striding(2.0, 60.0), RIGS[rig])
    (result,) = transfer.transfer([content], ["old"], strength=0.0, skeleton="source", clean_feet=False, **FAST)
    assert result.skeleton.same_as(content.skeleton) and (result.frames, result.fps) == (content.frames, 60.0)
    (ours,) = transfer.transfer([content], ["old"], strength=0.0, clean_feet=False, **FAST)
    assert millimetres(result, retarget(ours, content.skeleton)[0]) < 1.0
    assert millimetres(result, content) < 40.0
    (ours,) = transfer.transfer([content], ["old"], **FAST)
    assert ours.skeleton.same_as(MOTIFMIX)


def test_joints_that_we_do_not_know_move_as_they_did(transfer):
    names, parents = (*MOTIFMIX.names, "finger1", "finger2"), (*MOTIFMIX.parents, 20, 22)
    hand = Skeleton(names, parents, np.vstack([MOTIFMIX.offsets, [[0.1, 0, 0], [0.05, 0, 0]]]))
    body = striding()
    curled = rot.from_rotvec(np.linspace(0, 1, body.frames)[:, None] * np.array([0.0, 0.0, 1.0]))
    rotations = np.concatenate([body.rotations, np.stack([curled, curled], axis=1)], axis=1)
    (result,) = transfer.transfer(
        [Motion(hand, rotations, body.root, 20.0)], ["old"], strength=2.0, skeleton="source", **FAST
    )
    assert np.allclose(result.rotations[:, 22:], rotations[:, 22:])


def test_what_cannot_be_met_is_one_sentence(transfer, model):
    content = striding()
    for words, arguments, options in [
        ("3 frames", ([content.cropped(0, 3)], ["old"]), {}),
        ("1 motions were given with 2 styles", ([content], ["old", "old"]), {}),
        ("strength of 3", ([content], ["old"]), {"strength": 3.0}),
        ("depth goes", ([content], ["old"]), {"depth": 0.0}),
        ("motifmix or source", ([content], ["old"]), {"skeleton": "dog"}),
        ("four legs", ([_four_legged(content)], ["old"]), {}),
        ("person", ([replace(content, skeleton=_renamed(MOTIFMIX))], ["old"]), {}),
    ]:
        with pytest.raises(RequestError, match=words):
            transfer.transfer(*arguments, **options)
    with pytest.raises(RequestError, match="default model"):
        StyleTransfer(object())  # type: ignore[arg-type]


def _renamed(skeleton: Skeleton) -> Skeleton:
    """A chain of joints that is nobody."""
    count = len(skeleton)
    names = tuple(f"link{number}" for number in range(count))
    return Skeleton(names, tuple(range(-1, count - 1)), np.tile([0.0, 0.1, 0.0], (count, 1)))


def _four_legged(content: Motion) -> Motion:
    """A body with a tail that stands on its hands, too; its other joints have a person's names."""
    names = tuple("tail" if name == "head" else name for name in MOTIFMIX.names)
    rotations = np.tile(rot.IDENTITY, (content.frames, 22, 1))
    for name, turn in (
        ("pelvis", (2.0, 0, 0)), ("left_hip", (-2.0, 0, 0)), ("right_hip", (-2.0, 0, 0)),
        ("left_shoulder", (0, -1.57, 0)), ("right_shoulder", (0, 1.57, 0)),
    ):  # fmt: skip
        rotations[:, MOTIFMIX.index(name)] = rot.from_rotvec(np.array(turn, dtype=float))
    return replace(content, skeleton=replace(MOTIFMIX, names=names), rotations=rotations)
