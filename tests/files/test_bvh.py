"""BVH files as people have them, generated here, and what the archives' odd files are known to hold."""

import json
import os
import re
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.files.bvh_texts import Manner, bvh_text, walk, z_up

from motifmix.errors import FileError, ParseError, RequestError
from motifmix.files import read, write
from motifmix.files.bvh import parse_bvh, read_bvh, smooth_angles, write_bvh
from motifmix.files.bvh_parser import frame_rate
from motifmix.motion import rotations as rot
from motifmix.motion.anatomy import bone_height, find_joints, require_person
from motifmix.motion.motion import Motion, Scene
from motifmix.motion.skeleton import MOTIFMIX, Skeleton

DATA = Path(__file__).parents[3] / "shared" / "data"
ODD = DATA / "odd-bvh"
ODD_FILES = json.loads((ODD / "manifest.json").read_text())["files"] if ODD.is_dir() else []
# MOTIFMIX lists joints as SMPL does; a file lists them depth first.
JAPANESE_NAMES = (
    "センター", "左足", "右足", "上半身", "左ひざ", "右ひざ", "上半身2", "左足首", "右足首", "上半身3", "左つま先", "右つま先",
    "首", "左肩", "右肩", "頭", "左腕", "右腕", "左ひじ", "右ひじ", "左手首", "右手首",
)  # fmt: skip
JAPANESE = dict(zip(MOTIFMIX.names, JAPANESE_NAMES, strict=True))


def largest_error(motion: Motion, truth: Motion, names: dict[str, str] | None = None) -> float:
    """Largest distance of any joint from its place in ``truth``, in metres."""
    names = names or {name: name for name in truth.skeleton.names}
    order = [motion.skeleton.index(names[name]) for name in truth.skeleton.names]
    return float(np.linalg.norm(motion.joints[:, order] - truth.joints, axis=-1).max())


def read_text(text: str, **options) -> Motion:
    return read_bvh(text.encode(), **options).people[0]


@pytest.mark.parametrize("odd", ODD_FILES, ids=lambda odd: odd["file"])
def test_every_odd_file_is_read_to_its_truth_or_refused(odd):
    path = ODD / odd["file"]
    if odd["expect"] == "error" and odd["file"].startswith("19"):
        motion = read(path).people[0]
        with pytest.raises(FileError, match="holds no person"):
            require_person(motion.skeleton, path.name)
        return
    if odd["expect"] == "error":
        with pytest.raises(ParseError, match=r"line \d+: "):
            read(path)
        return
    scene = read(path)
    motion = scene.people[0]
    source = motion.labels["source"]
    assert (len(scene), motion.frames, motion.fps) == (odd.get("people", 1), odd["n_frames"], odd["fps"])
    assert source["up"] == odd["up"].lower()
    if "unit_to_m" in odd:
        assert source["scale"] == pytest.approx(odd["unit_to_m"])
    assert motion.labels.get("t_pose_frames", []) == odd.get("tpose_frames", [])
    for probe in odd.get("probes", []):
        joint = motion.skeleton.index(probe["joint"])
        assert np.abs(motion.joints[probe["frame"], joint] - probe["xyz_m_yup"]).max() < 0.002
    if odd["expect"] == "reads_with_warning":
        assert any("2 people" in sentence for sentence in source["warnings"])


@pytest.mark.parametrize(
    ("manner", "options"),
    {
        "every order": (Manner(orders=("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")), {}),
        "positions last and mixed": (
            Manner(root_channels="Yrotation Zrotation Xrotation Zposition Xposition Yposition"),
            {},
        ),
        "positions between rotations": (
            Manner(root_channels="Xposition Xrotation Yposition Yrotation Zposition Zrotation"),
            {},
        ),
        "positions everywhere, tabs, CRLF": (
            Manner(positions_everywhere=True, separator="\t", newline="\r\n", unit=0.01),
            {},
        ),
        "line ends of old": (Manner(newline="\r"), {}),
        "exponents": (Manner(number="%.8e", frame_time="3.33333e-02"), {}),
        "no end sites": (Manner(end_sites=False), {}),
        "blank lines": (Manner(blank_lines=True), {}),
        "byte order mark and Japanese": (Manner(names=tuple(JAPANESE.values()), byte_order_mark=True), JAPANESE),
        "whole turns": (Manner(whole_turns=True), {}),
        "centimetres": (Manner(unit=0.01), {}),
        "inches": (Manner(unit=0.0254), {}),
        "CMU's unit": (Manner(unit=0.0254 / 0.45), {}),
        "no blank after Frames": (Manner(frames_line="Frames:{}"), {}),
        "frame time without a zero": (Manner(frame_time=".0333333"), {}),
        "names with blanks": (Manner(names=tuple(f"Bip01 {n}" for n in MOTIFMIX.names)), None),
        "names with a colon": (Manner(names=tuple(f"rig:{n}" for n in MOTIFMIX.names)), None),
    }.values(),
)
def test_a_walk_is_read_alike_in_every_manner(manner, options):
    truth = walk()
    motion = read_text(bvh_text(truth, manner=manner))
    names = dict(zip(MOTIFMIX.names, manner.names, strict=True)) if options is None else options
    assert largest_error(motion, truth, names) < 1e-4
    assert motion.fps == 30.0
    assert motion.labels["source"]["up"] == "y"
    assert motion.labels["source"]["scale"] == pytest.approx(manner.unit)
    assert not motion.labels["source"]["warnings"]


@pytest.mark.parametrize("rest_too", [False, True], ids=["rest along Y", "rest along Z"])
def test_a_z_up_world_is_recognised_whichever_way_its_rest_pose_stands(rest_too):
    truth = walk()
    motion = read_text(bvh_text(z_up(truth, rest_too), manner=Manner(unit=0.01)))
    assert motion.labels["source"]["up"] == "z"
    assert largest_error(motion, truth) < 1e-4


def test_up_and_units_overrule_what_is_recognised():
    truth = walk()
    motion = read_text(bvh_text(z_up(truth, True)), up="y", units="cm")
    assert motion.labels["source"]["up"] == "y"
    assert np.allclose(motion.root, 0.01 * z_up(truth, True).root, atol=1e-6)
    assert np.allclose(read_text(bvh_text(truth), units=0.5).root, 0.5 * truth.root, atol=1e-6)
    for wrong in ({"up": "x"}, {"units": "ells"}, {"units": -1.0}, {"units": float("nan")}):
        with pytest.raises(RequestError):
            read_text(bvh_text(truth), **wrong)


def test_an_unknown_scale_becomes_an_adult_and_says_so():
    motion = read_text(bvh_text(walk(), manner=Manner(unit=0.21)))
    source = motion.labels["source"]
    assert source["units"] == "normalised" and "scaled to 1.7 m" in source["warnings"][0]
    assert bone_height(motion.skeleton, find_joints(motion.skeleton)) == pytest.approx(1.7)
    thigh = motion.skeleton.index("left_knee")
    stretched = np.linalg.norm(motion.skeleton.offsets[thigh]) / np.linalg.norm(MOTIFMIX.offsets[4])
    assert np.abs(motion.root - stretched * walk().root).max() < 1e-4


@pytest.mark.parametrize(
    ("words", "rate"),
    [
        *[("0.0333333", 30), ("0.033333", 30), (".03333", 30), ("0.033", 30), ("3.33333e-02", 30), ("0.0416667", 24)],
        *[("0.04", 25), ("0.02", 50), ("0.016667", 60), ("0.016666", 60), ("0.008333", 120), ("0.0083333", 120)],
        *[("0.00416667", 240), ("0.01", 100), ("0.0625", 16)],
        *[("0.008342", 1 / 0.008342), ("0.0417083", 1 / 0.0417083)],
    ],
)
def test_a_rounded_frame_time_gives_the_rate_it_stands_for(words, rate):
    assert frame_rate(words) == pytest.approx(rate, rel=1e-9)


def turned_about(motion: Motion, turn: np.ndarray) -> Motion:
    """The same motion in a world with other axes, its rest pose as it was."""
    rotations = motion.rotations.copy()
    rotations[:, 0] = rot.multiply(turn, rotations[:, 0])
    return Motion(motion.skeleton, rotations, rot.rotate(turn, motion.root), motion.fps)


@pytest.mark.parametrize(
    ("turn", "words"),
    [((np.pi, 0, 0), "is upside down"), ((0, 0, np.pi), "is upside down"), ((0, 0, -np.pi / 2), "lies")],
    ids=["-Y up", "-Y up, turned", "X up"],
)
def test_a_world_with_another_axis_up_is_not_read_without_a_word(turn, words):
    motion = read_text(bvh_text(turned_about(walk(), rot.from_rotvec(np.array(turn)))))
    (sentence,) = [s for s in motion.labels["source"]["warnings"] if "The person" in s]
    assert words in sentence and "--up" in sentence


def test_a_person_who_falls_or_bends_is_no_reason_for_a_word():
    fall = walk(60)
    rotations = fall.rotations.copy()
    rotations[30:, 0] = rot.multiply(rot.from_rotvec(np.array([-np.pi / 2, 0, 0])), rotations[30:, 0])
    motion = read_text(bvh_text(Motion(MOTIFMIX, rotations, fall.root, 30.0)), up="y")
    assert not [s for s in motion.labels["source"]["warnings"] if "The person" in s]


def test_forearms_and_shins_that_end_in_end_sites_get_hands_and_feet():
    truth, kept = walk(), [j for j, name in enumerate(MOTIFMIX.names) if not re.search("wrist|foot|ankle", name)]
    ends = {kept.index(MOTIFMIX.parents[j]): tuple(MOTIFMIX.offsets[j]) for j in (7, 8, 20, 21)}
    parents = tuple(kept.index(MOTIFMIX.parents[j]) if j else -1 for j in kept)
    short = Skeleton(tuple(MOTIFMIX.names[j] for j in kept), parents, MOTIFMIX.offsets[kept], ends)
    text = bvh_text(Motion(short, truth.rotations[:, kept], truth.root, 30.0), manner=Manner(names=short.names))
    motion = read_text(text)
    assert "LeftHand, RightHand were put at End Sites" in motion.labels["source"]["warnings"][0]
    roles = require_person(motion.skeleton, "short.bvh")
    for name in ("left_wrist", "right_ankle", "right_elbow", "left_knee", "head"):
        assert np.abs(motion.joints[:, roles[name]] - truth.joints[:, MOTIFMIX.index(name)]).max() < 1e-4, name
    again = read_text(bvh_text(motion, manner=Manner(names=motion.skeleton.names)))
    assert again.skeleton.names == motion.skeleton.names and largest_error(again, motion) < 1e-4


def test_two_roots_are_two_people():
    first, second = walk(), walk().moved(np.array([1.0, 0.0, 0.5]))
    scene = read_bvh(bvh_text(first, second).encode())
    assert len(scene) == 2
    assert largest_error(scene.people[0], first) < 1e-4
    assert largest_error(scene.people[1], second) < 1e-4
    assert "The file holds 2 people." in scene.people[1].labels["source"]["warnings"]


def test_a_t_pose_in_front_is_kept_and_named():
    take = walk()
    rotations = np.concatenate([np.tile(rot.IDENTITY, (2, len(MOTIFMIX), 1)), take.rotations])
    root = np.concatenate([np.tile([0.0, 0.93, 0.0], (2, 1)), take.root])
    motion = read_text(bvh_text(Motion(MOTIFMIX, rotations, root, 30.0)))
    assert motion.frames == take.frames + 2
    assert motion.labels["t_pose_frames"] == [0, 1]
    assert "t_pose_frames" not in read_text(bvh_text(take)).labels


def test_a_leap_that_no_body_does_is_said_but_not_one_out_of_a_pose_in_front():
    take = walk()
    for far, words in ((9e6, r"From frame 0 to frame 1 the person moves at 270,000,\d{3} m/s"), (0.9, None)):
        path = take.root + np.where(np.arange(45) > 0, far, 0.0)[:, None] * [1.0, 0.0, 0.0]
        said = read_text(bvh_text(replace(take, root=path))).labels["source"]["warnings"]
        assert re.search(words, said[0]) if words else said == []
    posed = replace(take, root=np.concatenate([take.root[:1] - 100.0, take.root[1:]]), rotations=take.rotations.copy())
    posed.rotations[0] = rot.IDENTITY
    (said,) = read_text(bvh_text(posed), up="y").labels["source"]["warnings"]
    assert said.startswith("Frame 0 is no part of the take")


def test_a_take_with_a_wrong_frame_rate_has_no_pose_in_front():
    take = walk(90)
    phase = np.arange(90) / 30.0 * 1.3
    rotations = take.rotations.copy()
    for side in ("left", "right"):
        swing = 1.2 * np.sin(2 * np.pi * phase)[:, None] * np.array([1.0, 0.0, 0.0])
        rotations[:, MOTIFMIX.index(f"{side}_hip")] = rot.from_rotvec(swing)
    too_fast = Motion(MOTIFMIX, rotations, take.root, 240.0)
    speeds = too_fast.joints - too_fast.joints[:, :1]
    speeds = 240.0 * np.linalg.norm(np.diff(speeds, axis=0), axis=-1).mean(axis=1)
    assert speeds[0] > 6.0 and speeds[:30].min() < 3.0  # as a smoothed jump begins, but again and again
    motion = read_text(bvh_text(too_fast), up="y")
    assert motion.labels["source"]["warnings"] == [] and "t_pose_frames" not in motion.labels


def test_a_jump_that_was_smoothed_over_some_frames_is_named():
    take = walk(60, fps=120.0)
    share = np.array([0.0, 0.4, 0.75, 0.95])
    curled = np.broadcast_to(rot.from_rotvec(np.array([1.2, 0.0, 0.0])), (4, 22, 4))
    blend = rot.slerp(curled, take.rotations[:4], share[:, None])
    rotations = np.concatenate([blend, take.rotations])
    root = np.concatenate([np.tile(take.root[0], (4, 1)), take.root])
    motion = read_text(bvh_text(Motion(MOTIFMIX, rotations, root, 120.0)))
    assert motion.labels["t_pose_frames"][:3] == [0, 1, 2]


def test_a_joint_that_really_moves_keeps_its_translation_and_goes_out_again(tmp_path):
    text = bvh_text(walk(), manner=Manner(positions_everywhere=True))
    document = parse_bvh(text)
    spine = next(joint for joint in document.joints if joint.name == "spine1")
    head, rows = text.split("Frame Time: ")
    rows = rows.split("\n")
    numbers = [row.split() for row in rows[1:-1]]
    for frame, row in enumerate(numbers):
        row[spine.first_column + 1] = f"{0.1 + 0.05 * np.sin(frame / 5):.6f}"
    motion = read_text(head + "Frame Time: " + "\n".join([rows[0], *map(" ".join, numbers)]) + "\n")
    (joint,) = motion.joint_translations
    assert motion.skeleton.names[joint] == "spine1"
    assert motion.joint_translations[joint][10, 1] == pytest.approx(0.1 + 0.05 * np.sin(2.0), abs=1e-5)
    write_bvh(tmp_path / "moving.bvh", motion)
    assert largest_error(read(tmp_path / "moving.bvh").people[0], motion) < 1e-5


def test_offsets_left_at_zero_are_taken_from_the_position_channels():
    truth = walk()
    text = bvh_text(truth, manner=Manner(positions_everywhere=True, unit=0.01))
    motion = read_text(re.sub(r"OFFSET .*", "OFFSET 0 0 0", text))
    assert motion.labels["source"]["units"] == "cm"
    assert largest_error(motion, truth) < 1e-4
    assert not motion.joint_translations


def test_position_channels_left_at_zero_keep_the_bones_their_length():
    truth = walk()
    motion = Motion(
        Skeleton(truth.skeleton.names, truth.skeleton.parents, truth.skeleton.offsets * 0.0),
        truth.rotations,
        truth.root,
        30.0,
    )
    flat = bvh_text(motion, manner=Manner(positions_everywhere=True))
    real = bvh_text(truth, manner=Manner(positions_everywhere=True))
    read_again = read_text(real.split("MOTION")[0] + "MOTION" + flat.split("MOTION")[1])
    assert largest_error(read_again, truth) < 1e-4
    assert "offsets were kept" in read_again.labels["source"]["warnings"][0]


@pytest.mark.parametrize("order", [True, False], ids=["one line", "braces beside names"])
def test_white_space_is_free(order):
    head, rows = bvh_text(walk()).split("MOTION")
    head = re.sub(r"\n\s*\{", " {", head)
    if order:
        head = re.sub(r"(JOINT|ROOT) (\S+) \{", r"\1 \2{", head)
        head = head.replace("HIERARCHY\n", "hierarchy ").replace("}\n", "} ")
    assert largest_error(read_text(head.rstrip() + "\nMOTION" + rows), walk()) < 1e-4


GOOD = bvh_text(walk(5))
LAST = GOOD.count("\n")


def _with_line(number: int, line: str) -> str:
    lines = GOOD.split("\n")
    lines[number - 1] = line
    return "\n".join(lines)


FIRST_ROW = next(i for i, line in enumerate(GOOD.split("\n"), 1) if line.startswith("Frame Time")) + 1


@pytest.mark.parametrize(
    ("text", "line", "words"),
    {
        "not a BVH": ("A list\nof clips\n", 1, "no BVH file"),
        "nothing": ("", 1, "empty"),
        "only a word": ("HIERARCHY\n", 2, "no joint"),
        "no motion": (GOOD[: GOOD.index("MOTION")], FIRST_ROW - 3, "without a MOTION block"),
        "no joints": ("HIERARCHY\nMOTION\nFrames: 1\nFrame Time: 0.1\n\n", 2, "no joint"),
        "cut off in a row": (GOOD[: len(GOOD) - 40], LAST, "cut off"),
        "cut off between rows": ("\n".join(GOOD.split("\n")[:-2]) + "\n", LAST, "announces 5 frames and 4 rows"),
        "cut off in the hierarchy": (GOOD[: GOOD.index("MOTION") // 2], None, "line"),
        "a short row": (_with_line(FIRST_ROW + 1, "1 2 3"), FIRST_ROW + 1, "3 numbers for 69 channels"),
        "a row too many": (GOOD + GOOD.split("\n")[-2] + "\n", LAST + 1, "announces 5 frames and 6 rows"),
        "not a number": (_with_line(FIRST_ROW + 2, "nan " * 69), FIRST_ROW + 2, "'nan'"),
        "Windows' not a number": (_with_line(FIRST_ROW, "-1.#IND " * 69), FIRST_ROW, "'-1.#IND'"),
        "infinite": (_with_line(FIRST_ROW, "inf " * 69), FIRST_ROW, "'inf'"),
        "decimal commas": (_with_line(FIRST_ROW, "0,5 " * 69), FIRST_ROW, "'0,5' is a number with a decimal comma"),
        "a decimal comma in an offset": (_with_line(4, "OFFSET 1 2,5 0"), 4, "found '1 2,5 0' with a decimal comma"),
        "a decimal comma in the frame time": (
            _with_line(FIRST_ROW - 1, "Frame Time: 0,0333"),
            FIRST_ROW - 1,
            "found '0,0333' with a decimal comma",
        ),
        "a number that only Python knows": (_with_line(LAST, "0.5 " * 68 + "1_0"), LAST, "'1_0'"),
        "a number that only Python knows, first": (_with_line(LAST, "1_0" + " 0.5" * 68), LAST, "'1_0'"),
        "cut off in the last number": (GOOD[:-3], LAST, "is shorter than all others"),
        "cut off behind the last point": (GOOD[: GOOD.rindex(".") + 1], LAST, "is shorter than all others"),
        "cut off before the last point": (GOOD[: GOOD.rindex(".")], LAST, "is shorter than all others"),
        "cut off behind a sign": (GOOD[: GOOD.rindex(" ") + 1] + "-", LAST, "'-'"),
        "frames with a point": (GOOD.replace("Frames: 5", "Frames: 5.0"), FIRST_ROW - 2, "a whole number of frames"),
        "frames a second for seconds": (_with_line(FIRST_ROW - 1, "Frame Time: 30"), FIRST_ROW - 1, "write 0.033333"),
        "two numbers in one": (_with_line(FIRST_ROW, "0.5-0.5 " * 69), FIRST_ROW, "'0.5-0.5'"),
        "no frames": (GOOD.replace("Frames: 5", "Frames: 0"), FIRST_ROW - 2, "number of frames"),
        "frames in words": (GOOD.replace("Frames: 5", "Frames: five"), FIRST_ROW - 2, "'five'"),
        "more frames than there are": (GOOD.replace("Frames: 5", "Frames: 999999999"), LAST + 1, "announces 999999999"),
        "frames beyond counting": (
            GOOD.replace("Frames: 5", "Frames: " + "9" * 9999),
            FIRST_ROW - 2,
            "number of frames is too large",
        ),
        "no frame time": (GOOD.replace("Frame Time: ", "Frame Tame: "), FIRST_ROW - 2, "Frame Time"),
        "a frame time of zero": (_with_line(FIRST_ROW - 1, "Frame Time: 0"), FIRST_ROW - 1, "'0'"),
        "an unknown channel": (_with_line(5, "CHANNELS 1 Wrotation"), 5, "'Wrotation' is no channel"),
        "a channel twice": (_with_line(5, "CHANNELS 2 Xrotation Xrotation"), 5, "twice"),
        "fewer channels than announced": (_with_line(5, "CHANNELS 6 Xrotation"), 5, "announces 6"),
        "an offset twice": (_with_line(4, "OFFSET 1 2 3 OFFSET 1 2 3"), 4, "an OFFSET without a joint, or twice"),
        "an offset of two": (_with_line(4, "OFFSET 1 2"), 4, "three numbers"),
        "an offset that is no number": (_with_line(4, "OFFSET 1 2 nan"), 4, "three numbers"),
        "a brace too many": (GOOD.replace("MOTION", "}\nMOTION"), FIRST_ROW - 3, "brace too many"),
        "a brace missing": (GOOD.replace("}\nMOTION", "MOTION"), FIRST_ROW - 4, "open brace"),
        "an unknown word": (_with_line(4, "SCALE 1 2 3"), 4, "'SCALE'"),
        "a joint outside": ("HIERARCHY\nJOINT a\n{\n}\nMOTION\n", 2, "stands where none can"),
        "a joint in an end": ("HIERARCHY\nROOT a\n{\nEnd Site\n{\nJOINT b\n{\n}\n}\n}\nMOTION\n", 6, "stands where"),
    }.values(),
)
def test_a_broken_file_is_refused_with_its_line(text, line, words):
    with pytest.raises(ParseError) as caught:
        read_bvh(text.encode(), name="walk.bvh")
    message = str(caught.value)
    assert words in message
    if line is not None:
        assert message.startswith(f"walk.bvh line {line}: ")


def test_a_last_line_without_its_end_is_read_where_nothing_is_missing():
    assert read_text(GOOD.rstrip("\n")).frames == 5
    assert read_text(bvh_text(walk(5), manner=Manner(number="%g")).rstrip("\n")).frames == 5
    short = GOOD.split("\n")[: FIRST_ROW - 1] + ["0.5 " * 68 + "1"] * 5
    assert read_text("\n".join(short)).frames == 5


def test_hostile_files_cost_no_time_and_no_stack():
    start = time.perf_counter()
    deep = "HIERARCHY\nROOT a\n{\n" + "JOINT b\n{\nOFFSET 0 0 0\n" * 100_000
    wide = "HIERARCHY\nROOT a\n{\n" + "JOINT b\n{\nOFFSET 0 0 0\nCHANNELS 0\n}\n" * 100_000 + "}\nMOTION\n"
    offsets = "HIERARCHY\nROOT a\n{\n" + "OFFSET 0 0 0 " * 100_000 + "}\nMOTION\n"
    counts = "HIERARCHY\nROOT a\n{\n" + "CHANNELS 0 " * 200_000 + "}\nMOTION\n"
    late = "HIERARCHY\n" + "\n" * (17 << 20) + "ROOT a\n{\n}\nMOTION\n"
    for text in (
        *(deep + "MOTION", wide, "HIERARCHY\n" + "{" * 100_000, "HIERARCHY " + "x" * 1_000_000),
        *(offsets, counts, late),
    ):
        with pytest.raises(ParseError):
            parse_bvh(text)
    for data in (b"\x7fELF\x00\x01", b"\xff\xfeH", b"HIERARCHY\n\x00", bytes(range(256)) * 100, b"\xff" * 1000):
        with pytest.raises(ParseError):
            parse_bvh(data)
    assert time.perf_counter() - start < 20.0


@given(st.binary(max_size=300) | st.text(alphabet="HIERACYOT{}\n 0.JNMFSme:dFrams", max_size=200).map(str.encode))
def test_no_bytes_make_the_parser_fail_otherwise(data):
    for blob in (data, GOOD.encode()[:1500] + data, GOOD.encode().replace(b"OFFSET", data[:6] or b"X", 1)):
        try:
            parse_bvh(blob)
        except ParseError as error:
            assert "line " in str(error)


def test_empty_lines_count_and_cost_little():
    spaced = _with_line(FIRST_ROW + 1, "\n" * 1_000_000 + GOOD.split("\n")[FIRST_ROW])
    tracemalloc.start()
    try:
        assert np.allclose(parse_bvh(spaced + "\n" * 1_000_000).rows, parse_bvh(GOOD).rows)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 30e6  # a list of the lines alone would take 16 MB, and the file's 2 MB stand in memory some times
    with pytest.raises(ParseError, match=f"line {LAST + 2_000_001}: 'Frames:' announces 5 frames and 6 rows"):
        parse_bvh(spaced + "\n" * 1_000_000 + GOOD.split("\n")[-2] + "\n")
    with pytest.raises(ParseError, match=f"line {LAST + 2_000_000}: the row has 2 numbers .* is the last one"):
        parse_bvh(spaced[: spaced.rindex("\n", 0, -1) + 1] + "\n" * 1_000_000 + "1 2\n")
    with pytest.raises(ParseError, match=f"line {LAST + 1_000_000}: 'x'"):
        parse_bvh(spaced[: spaced.rindex(" ")] + " x\n")


def test_texts_in_two_byte_characters_are_read():
    assert largest_error(read_bvh(bvh_text(walk()).encode("utf-16")).people[0], walk()) < 1e-4
    japanese = bvh_text(walk(), manner=Manner(names=tuple(JAPANESE.values())))
    assert read_bvh(japanese.encode("cp932")).people[0].skeleton.names[0] == "センター"


def test_missing_files_and_unknown_suffixes_are_named(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        read(tmp_path / "nothing.bvh")
    with pytest.raises(FileError, match=r"\.fbx.*\.bvh, \.npz"):
        read(tmp_path / "walk.fbx")
    with pytest.raises(FileError, match="no suffix"):
        write(tmp_path / "walk", walk())
    with pytest.raises(FileError):
        read_bvh(tmp_path)


def test_what_is_no_file_is_called_what_it_is(tmp_path):
    (tmp_path / "folder.bvh").mkdir()
    os.mkfifo(tmp_path / "pipe.bvh")
    (tmp_path / "loop.npz").symlink_to(tmp_path / "loop.npz")
    (tmp_path / "stale.bvh").symlink_to(tmp_path / "gone.bvh")
    for name, words in {
        "folder.bvh": "is a folder; name a file in it",
        "pipe.bvh": "is a pipe or a device",
        "loop.npz": "is a link that leads back to itself",
        "stale.bvh": "is a link to a file that does not exist",
        f"{'long' * 100}.bvh": "cannot be read",
    }.items():
        with pytest.raises(FileError, match=words):
            read(tmp_path / name)


@st.composite
def motions(draw):
    """Any tree of joints, any rotations, whole turns from frame to frame included."""
    count, frames = draw(st.integers(1, 8)), draw(st.integers(1, 6))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Depth first, as a file lists joints, so that numbers survive.
    parents, path = [-1], [0]
    for joint in range(1, count):
        path = path[: random.integers(1, len(path) + 1)]
        parents.append(path[-1])
        path.append(joint)
    leaves = set(range(count)) - set(parents)
    ends = {joint: tuple(random.normal(size=3)) for joint in leaves}
    names = tuple(draw(st.text("ab c:_äひ", min_size=1, max_size=8)).strip() or "x" for _ in range(count))
    skeleton = Skeleton(tuple(" ".join(n.split()) for n in names), tuple(parents), random.normal(size=(count, 3)), ends)
    rotations = rot.normalized(random.normal(size=(frames, count, 4)))
    return Motion(skeleton, rotations, random.normal(size=(frames, 3)), float(draw(st.integers(10, 240))))


@settings(max_examples=60, deadline=None)
@given(motions(), st.sampled_from(["m", "cm"]))
def test_what_is_written_is_read_again(tmp_path_factory, motion, units):
    path = tmp_path_factory.mktemp("again") / "motion.bvh"
    assert write_bvh(path, motion, fps=None, units=units) == (path,)
    again = read_bvh(path, up="y", units=units).people[0]
    assert (again.skeleton.names, again.skeleton.parents) == (motion.skeleton.names, motion.skeleton.parents)
    assert again.fps == pytest.approx(motion.fps)
    assert np.abs(again.joints - motion.joints).max() < 1e-3
    assert np.degrees(rot.angle_between(again.rotations, motion.rotations)).max() < 0.1
    for joint, end in motion.ends.items():
        assert np.abs(again.ends[joint] - end).max() < 1e-3


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 90.0, -90.0]))
def test_angles_are_exact_and_never_jump(seed, lock):
    """Also through the gimbal lock, where the middle angle is 90 degrees."""
    random = np.random.default_rng(seed)
    time = np.linspace(0.0, 1.0, 240)[:, None, None]
    angles = random.uniform(-400, 400, size=(1, 3, 3)) * time
    angles[:, 0, 1] = lock
    rotations = rot.from_euler("ZXY", angles)
    smooth = smooth_angles(rotations)
    assert np.degrees(rot.angle_between(rot.from_euler("ZXY", smooth), rotations)).max() < 1e-3
    assert np.abs(np.diff(smooth[:, 0], axis=0)).max() < 10.0


def test_a_file_for_blender_stands_in_metres_at_30_frames(tmp_path):
    motion = walk(61, fps=60.0)
    write(tmp_path / "walk.bvh", motion)
    text = (tmp_path / "walk.bvh").read_text()
    assert "Frames: 31\nFrame Time: 0.03333333\n" in text
    again = read(tmp_path / "walk.bvh").people[0]
    assert largest_error(again, motion.resampled(30.0)) < 1e-5
    assert again.labels["source"]["units"] == "m" and again.labels["source"]["up"] == "y"
    write_bvh(tmp_path / "walk_cm.bvh", motion, units="cm")
    assert read(tmp_path / "walk_cm.bvh").people[0].labels["source"]["units"] == "cm"
    with pytest.raises(RequestError, match="m or cm"):
        write_bvh(tmp_path / "walk_in.bvh", motion, units="inch")


def test_two_people_get_two_files_or_two_roots(tmp_path):
    scene = Scene((walk(), walk().moved(np.array([1.0, 0.0, 0.0]))))
    assert [path.name for path in write(tmp_path / "duet.bvh", scene)] == ["duet_1.bvh", "duet_2.bvh"]
    write(tmp_path / "both.bvh", scene, one_file=True)
    both = read(tmp_path / "both.bvh")
    for number, person in enumerate(scene.people):
        assert largest_error(both.people[number], person) < 1e-5
        assert largest_error(read(tmp_path / f"duet_{number + 1}.bvh").people[0], person) < 1e-5
    with pytest.raises(FileError, match="differ in length"):
        write_bvh(tmp_path / "uneven.bvh", Scene((walk(), walk(20))), one_file=True)


def test_an_existing_file_is_kept_unless_forced_and_nothing_half_written_stays(tmp_path):
    path = tmp_path / "walk.bvh"
    path.write_text("mine")
    with pytest.raises(FileError, match="--force"):
        write(path, walk())
    assert path.read_text() == "mine"
    write(path, walk(), force=True)
    assert path.read_text().startswith("HIERARCHY")
    with pytest.raises(FileError, match="no folder"):
        write(tmp_path / "missing" / "walk.bvh", walk())
    assert [entry.name for entry in tmp_path.iterdir()] == ["walk.bvh"]
