"""What may serve as a style, and what is said where it may not."""

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.joint_files import write_sound

from motifmix.errors import FileError, MotifmixError, ParseError, RequestError
from motifmix.files import write
from motifmix.files.media import encode_mp4
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot
from motifmix.motion.contacts import RESTING_TOE_HEIGHT
from motifmix.motion.retargeting import retarget
from motifmix.motion.rigs import RIGS
from motifmix.motion.skeleton import LEFT_TOE, Skeleton
from motifmix.style.references import Media, notes, resolve


@pytest.fixture(autouse=True)
def nothing_is_aligned(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path_factory.mktemp("home")))


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
    motion = Motion(chain, np.tile(rot.IDENTITY, (8, 3, 1)), np.zeros((8, 3)), 20.0)
    with pytest.raises(MotifmixError, match=r"person|style"):
        resolve(motion)


def dog(frames: int = 8, *, tail: bool = True) -> Motion:
    """A dog whose rig calls its legs by a person's names: the trunk lies, the hands stand on the floor."""
    rows = [
        ("Hips", -1, (0, 0, 0)), ("Spine", 0, (0, 0, 0.3)), ("Chest", 1, (0, 0, 0.3)), ("Neck", 2, (0, 0.1, 0.1)),
        ("Head", 3, (0, 0.1, 0.1)), ("Tail" if tail else "Belt", 0, (0, 0, -0.2)),
    ]  # fmt: skip
    for side, x in (("Left", 0.1), ("Right", -0.1)):
        hip, arm = len(rows), len(rows) + 3
        rows += [
            (f"{side}UpLeg", 0, (x, 0, 0)),
            (f"{side}Leg", hip, (0, -0.25, 0)),
            (f"{side}Foot", hip + 1, (0, -0.25, 0)),
        ]
        rows += [
            (f"{side}Arm", 2, (x, 0, 0)),
            (f"{side}ForeArm", arm, (0, -0.25, 0)),
            (f"{side}Hand", arm + 1, (0, -0.25, 0)),
        ]
    names, parents, offsets = zip(*rows, strict=True)
    skeleton = Skeleton(tuple(names), tuple(parents), np.array(offsets, dtype=float))
    root = np.tile([0.0, 0.5, 0.0], (frames, 1))
    return Motion(skeleton, np.tile(rot.IDENTITY, (frames, len(names), 1)), root, 20.0)


def test_a_dog_whose_joints_have_a_persons_names_is_no_style(tmp_path):
    write(tmp_path / "dog.bvh", dog(), fps=None)
    with pytest.raises(RequestError, match=r"dog\.bvh goes on four legs"):
        resolve(tmp_path / "dog.bvh")
    with pytest.raises(RequestError, match="four legs"):
        resolve(dog())


@pytest.mark.parametrize(
    "names", [{}, {"ForeArm": "Elbow", "Hand": "Wrist"}, {"ForeArm": "LowerArm", "Arm": "UpperArm"}]
)
def test_a_dog_without_a_tail_is_told_by_its_limbs_whatever_they_are_called(names):
    with pytest.raises(RequestError, match="four legs"):
        resolve(renamed(dog(tail=False), names))


def renamed(motion: Motion, names: dict[str, str]) -> Motion:
    """Rename parts of the names of joints; of several that fit, the first counts."""

    def other(name: str) -> str:
        part = next((part for part in names if part in name), None)
        return name if part is None else name.replace(part, names[part])

    skeleton = motion.skeleton
    return replace(
        motion,
        skeleton=Skeleton(tuple(map(other, skeleton.names)), skeleton.parents, skeleton.offsets, skeleton.end_offsets),
    )


@pytest.mark.parametrize("rig", RIGS)
def test_a_person_who_crawls_is_a_style_on_every_rig(rig):
    (part,) = resolve(retarget(crawling(), RIGS[rig])[0])
    assert part.motion is not None
    joints = part.motion.joints.mean(0)
    wrists, hips = (
        joints[[MOTIFMIX.index(f"{side}_{joint}") for side in ("left", "right")], 1].mean()
        for joint in ("wrist", "hip")
    )
    assert wrists < 0.4 * hips


def crawling(frames: int = 8) -> Motion:
    """Somebody on hands and knees."""
    turns = np.zeros((frames, 22, 3))
    turns[:, MOTIFMIX.index("pelvis"), 0] = np.radians(80)
    for side, sign in (("left", 1), ("right", -1)):
        turns[:, MOTIFMIX.index(f"{side}_hip"), 0] = np.radians(-80 + sign * np.linspace(-5, 5, frames))
        turns[:, MOTIFMIX.index(f"{side}_knee"), 0] = np.radians(85)
        turns[:, MOTIFMIX.index(f"{side}_shoulder"), 1] = np.radians(-80 * sign)
    return Motion(MOTIFMIX, rot.from_rotvec(turns), np.tile([0.0, 0.5, 0.0], (frames, 1)), 30.0)


def test_a_quadruped_with_its_own_names_is_no_style(tmp_path):
    animal = dog()
    names = [
        name.replace("Arm", "Front").replace("Hand", "FrontPaw").replace("Leg", "Hind")
        for name in animal.skeleton.names
    ]
    skeleton = Skeleton(tuple(names), animal.skeleton.parents, animal.skeleton.offsets)
    write(tmp_path / "cat.bvh", Motion(skeleton, animal.rotations, animal.root, 20.0), fps=None)
    with pytest.raises(RequestError, match=r"cat\.bvh cannot serve as a style: no person"):
        resolve(tmp_path / "cat.bvh")


def test_somebody_who_holds_still_has_no_style(tmp_path):
    write(tmp_path / "still.bvh", still(), fps=None)
    with pytest.raises(RequestError, match=r"still\.bvh holds still"):
        resolve(tmp_path / "still.bvh")


def still(frames: int = 30) -> Motion:
    one = somebody(1)
    return Motion(MOTIFMIX, one.rotations.repeat(frames, axis=0), one.root.repeat(frames, axis=0), 30.0)


@pytest.mark.parametrize("frames", [1, 3])
def test_a_motion_of_three_frames_is_no_style(tmp_path, frames):
    write(tmp_path / "short.npz", somebody(frames), fps=None)
    with pytest.raises(RequestError, match=rf"short\.npz has {frames} frame.*from 4 frames and 0\.2 s on"):
        resolve(tmp_path / "short.npz")
    with pytest.raises(RequestError, match="this motion has"):
        resolve(somebody(frames))
    assert resolve(somebody(4))[0].motion is not None


def test_a_folder_is_the_mean_of_its_files(tmp_path):
    for name in ("b.bvh", "a.npz", ".hidden.bvh"):
        write(tmp_path / name, somebody(), fps=None)
    (tmp_path / "readme.txt").write_text("x")
    (tmp_path / "photo.jpg").write_bytes(b"x")
    (tmp_path / "more").mkdir()
    parts = resolve([(tmp_path, 1.0), ("old", 1.0)])
    assert [part.weight for part in parts] == [0.25, 0.25, 0.5] and parts[2].words == "old"
    assert all(part.motion is not None for part in parts[:2])
    assert notes(tmp_path) == [f"{tmp_path}: the style is the mean of 2 files; left out: photo.jpg, readme.txt"]
    assert [part.weight for part in resolve(f"{tmp_path}/")] == [0.5, 0.5]


def test_a_folder_of_nothing_and_one_with_a_broken_file_are_refused(tmp_path):
    with pytest.raises(RequestError, match="no motion and no video lies in this folder"):
        resolve(tmp_path)
    write(tmp_path / "a.bvh", somebody(), fps=None)
    (tmp_path / "broken.bvh").write_text("x")
    with pytest.raises(FileError, match=r"broken\.bvh"):
        resolve(tmp_path)
    (tmp_path / "broken.bvh").unlink()
    encode_mp4(tmp_path / "clip.mp4", iter([np.full((64, 64, 3), 128, np.uint8)] * 3), 10.0)
    with pytest.raises(RequestError, match=r"clip\.mp4: what a video shows is read by ImageBind"):
        resolve(Media(tmp_path, "content"))


def test_a_picture_and_a_sound_need_the_weights_of_imagebind(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "good.png")
    write_sound(tmp_path / "rain.mp3")
    with pytest.raises(
        RequestError,
        match=r"good\.png: a picture as a style is read by ImageBind, whose weights are not here: fetch .*4\.8 GB.*CC BY-NC-SA 4\.0",
    ):
        resolve(tmp_path / "good.png")
    with pytest.raises(RequestError, match="a sound as a style is read by ImageBind"):
        resolve(tmp_path / "rain.mp3")


@pytest.mark.parametrize(
    ("name", "samples", "words"),
    [
        ("broken.png", None, "this picture cannot be read"),
        ("broken.wav", None, "this sound cannot be read"),
        ("silent.wav", np.zeros(16000), "this sound is silent"),
        ("one.wav", np.ones(1) * 0.5, "1 sample"),
        ("none.wav", np.zeros(0), "there is no sound in this file"),
    ],
)
def test_what_no_encoder_could_read_is_said_before_weights_are_asked_for(tmp_path, name, samples, words):
    if samples is None:
        (tmp_path / name).write_bytes(b"neither")
    elif not len(samples):
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
    else:
        write_sound(tmp_path / name, samples)
    for style in (str(tmp_path / name), tmp_path):
        with pytest.raises(MotifmixError, match=words) as caught:
            resolve(style)
        assert name in str(caught.value) and "ImageBind" not in str(caught.value)


def test_a_broken_video_is_said_before_weights_are_asked_for_what_it_shows(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    with pytest.raises(ParseError, match=r"broken\.mp4: this is no video that can be read"):
        resolve(Media(tmp_path / "broken.mp4", "content"))
