"""What may serve as a style, and what is said where it may not."""

from pathlib import Path

import numpy as np
import pytest

from motifmix.errors import FileError, MotifmixError, RequestError
from motifmix.files import write
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot
from motifmix.motion.contacts import RESTING_TOE_HEIGHT
from motifmix.motion.retargeting import retarget
from motifmix.motion.rigs import RIGS
from motifmix.motion.skeleton import LEFT_TOE, Skeleton
from motifmix.style.references import resolve


def somebody(frames: int = 6) -> Motion:
    rotations = rot.from_rotvec(0.05 * np.random.default_rng(0).normal(size=(frames, 22, 3)))
    return Motion(MOTIFMIX, rotations, np.tile([0.0, 1.4, 0.0], (frames, 1)), 20.0)


def test_words_are_words():
    (one,) = resolve("  old ")
    assert (one.words, one.motion, one.weight) == ("old", None, 1.0)


def test_weights_are_shares():
    parts = resolve([("old", 3.0), ("angry", 1.0), ("proud", 0.0)])
    assert [(part.words, part.weight) for part in parts] == [("old", 0.75), ("angry", 0.25), ("proud", 0.0)]


@pytest.mark.parametrize("as_text", [True, False])
def test_a_file_of_any_person_stands_on_our_skeleton_on_the_floor(tmp_path, as_text):
    motion = somebody()
    carried, _ = retarget(motion, RIGS["mixamo"])
    path = tmp_path / "Clip.BVH"
    write(path, carried, fps=None)
    (part,) = resolve(str(path) if as_text else path)
    assert part.words is None and part.motion is not None
    assert part.motion.skeleton.same_as(MOTIFMIX)
    assert np.degrees(rot.angle_between(part.motion.rotations, motion.rotations)).max() < 0.1
    assert part.motion.joints[:, LEFT_TOE, 1].mean() == pytest.approx(RESTING_TOE_HEIGHT, abs=0.03)


def test_a_motion_in_memory_serves_as_well():
    (part,) = resolve(somebody())
    assert part.motion is not None and part.motion.joints[:, LEFT_TOE, 1].max() < 0.1


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ([], "empty"),
        ([("old", -1.0), ("young", 2.0)], "weights"),
        ([("old", 0.0)], "weights"),
        ([("old", float("nan"))], "weights"),
        ([("old", float("inf"))], "weights"),
        ([("old", 1.0), ("", 1.0)], "empty"),
    ],
)
def test_what_is_no_style_is_refused(style, words):
    with pytest.raises(RequestError, match=words):
        resolve(style)


def test_a_missing_file_is_named():
    with pytest.raises(FileError, match=r"nowhere\.bvh"):
        resolve(Path("nowhere.bvh"))


def test_two_people_are_no_style(tmp_path):
    write(tmp_path / "duet.bvh", Scene((somebody(), somebody())), one_file=True)
    with pytest.raises(RequestError, match="2 people"):
        resolve(tmp_path / "duet.bvh")


def test_an_animal_is_no_style():
    chain = Skeleton(("a", "b", "c"), (-1, 0, 1), np.ones((3, 3)))
    motion = Motion(chain, np.tile(rot.IDENTITY, (2, 3, 1)), np.zeros((2, 3)), 20.0)
    with pytest.raises(MotifmixError, match=r"person|style"):
        resolve(motion)
