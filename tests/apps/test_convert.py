"""`motifmix convert`: skeletons, rates and units as asked, broken files refused with their line."""

import os
from pathlib import Path

import numpy as np
import pytest

from motifmix.files import read, write
from motifmix.motion import MOTIFMIX, Motion, Scene, Skeleton
from motifmix.motion.anatomy import find_joints
from motifmix.motion.rigs import RIGS


@pytest.fixture
def clip(here, walk) -> Path:
    """A clip of two seconds at 60 fps on the CMU rig, as a .bvh in centimetres."""
    from motifmix.motion.retargeting import retarget

    motion, _ = retarget(walk(2.0, 4, 60.0), RIGS["cmu"])
    write(here / "clip.bvh", motion, fps=None, units="cm")
    return Path("clip.bvh")


def test_what_was_taken_is_said(run, clip):
    done = run("convert", clip, "a.bvh")
    assert done.code == 0 and done.out == "a.bvh\n"
    assert done.lines == [
        "clip.bvh: 31 joints, 120 frames at 60 fps; taken as Y up, lengths in cm (--up and --units overrule)",
        "clip.bvh: resampled from 60 to 30 fps (--fps source keeps every frame)",
    ]


def test_a_bvh_keeps_its_skeleton_and_its_motion(run, clip):
    assert run("convert", clip, "same.bvh", "--fps", "source").code == 0
    before, after = read(clip).people[0], read("same.bvh").people[0]
    assert after.skeleton.names == before.skeleton.names and after.fps == 60
    assert np.abs(after.joints - before.joints).max() < 1e-4
    assert "in m " in run("convert", "same.bvh", "again.bvh").err
    assert run("convert", clip, "half.bvh").code == 0
    assert read("half.bvh").people[0].fps == 30


@pytest.mark.parametrize("rig", ["motifmix", "cmu", "bandai", "mixamo"])
def test_every_rig_can_be_asked_for_and_moves_as_the_source(run, here, walk, rig):
    source = walk(2.0, 4, 30.0)
    write("in.npz", source)
    assert run("convert", "in.npz", "out.bvh", "--skeleton", rig).code == 0
    person = read("out.bvh").people[0]
    assert set(person.skeleton.names) == set(RIGS[rig].names)
    roles = find_joints(person.skeleton)
    shared = [role for role in MOTIFMIX.names if role in roles]
    assert len(shared) >= 20
    for role in shared:
        gap = np.linalg.norm(person.joints[:, roles[role]] - source.joints[:, MOTIFMIX.index(role)], axis=-1)
        assert gap.max() < 0.01, role


@pytest.mark.parametrize("rig", ["cmu", "bandai", "mixamo"])
def test_a_rig_and_back_is_the_same_motion(run, here, walk, rig):
    source = walk(2.0, 4, 30.0)
    write("in.npz", source)
    run("convert", "in.npz", "rig.bvh", "--skeleton", rig)
    assert run("convert", "rig.bvh", "back.npz").code == 0
    assert np.abs(read("back.npz").people[0].joints - source.joints).max() < 0.01


def test_ground_puts_feet_on_the_floor_and_reading_never_moves_a_clip(run, here, walk):
    write("high.bvh", walk(2.0, 4, 30.0).moved(np.array([0.0, 3.0, 0.0])))
    run("convert", "high.bvh", "kept.npz")
    run("convert", "high.bvh", "low.npz", "--ground")
    assert read("kept.npz").people[0].joints[..., 1].min() > 2.9
    assert -0.05 < read("low.npz").people[0].joints[..., 1].min() < 0.15


def test_up_and_units_overrule_what_is_found(run, clip):
    assert run("convert", clip, "metres.bvh", "--units", "m").code == 0
    assert read("metres.bvh", units="m").people[0].root[0, 1] == pytest.approx(
        100 * read(clip).people[0].root[0, 1], rel=1e-3
    )
    assert run("convert", clip, "z.bvh", "--up", "z").code == 0
    path = read("z.bvh", up="y").people[0].root
    assert abs(path[-1, 1]) > 1.0  # what was forward (z) is taken as up
    for option, value, words in [("--up", "x", "'x'"), ("--units", "furlong", "furlong")]:
        done = run("convert", clip, "no.bvh", option, value)
        assert done.code == 2 and words in done.lines[-1] and not Path("no.bvh").exists()


def test_units_of_the_result_are_chosen(run, clip):
    run("convert", clip, "cm.bvh", "--out-units", "cm")
    assert read("cm.bvh").people[0].labels["source"]["units"] == "cm"
    assert read("cm.bvh").people[0].joints[0, 0, 1] == pytest.approx(read(clip).people[0].joints[0, 0, 1], abs=1e-4)


def test_two_people_stay_two(run, here, walk):
    pair = Scene((walk(1.0, 1, 30.0), walk(1.0, 2, 30.0).moved(np.array([1.0, 0.0, 0.0]))))
    write("pair.bvh", pair, one_file=True)
    done = run("convert", "pair.bvh", "again.bvh", "pair.npz")
    assert done.code == 0 and "2 people" in done.err
    assert len(read("again.bvh")) == len(read("pair.npz")) == 2 and done.out.split() == ["again.bvh", "pair.npz"]


def damaged(clip: Path, how: str) -> tuple[bytes, list[str]]:
    text = clip.read_text()
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("Frame Time")) + 1
    rows = lines[first:]
    if how == "truncated":
        return text[: len(text) // 2].encode(), ["line"]
    if how == "short row":
        lines[first + 10] = lines[first + 10].rsplit(" ", 3)[0]
        return "\n".join(lines).encode(), [f"line {first + 11}"]
    if how == "nan":
        lines[first + 3] = lines[first + 3].replace(lines[first + 3].split()[4], "nan", 1)
        return "\n".join(lines).encode(), [f"line {first + 4}", "nan"]
    if how == "frames":
        return text.replace(f"Frames: {len(rows)}", "Frames: 9999").encode(), ["9999", "line"]
    if how == "hierarchy":
        return "\n".join(lines[:20]).encode(), ["line"]
    if how == "binary":
        return bytes(range(256)) * 10, ["line 1"]
    return {"empty": b"", "prose": b"Once upon a time\nthere was a clip.\n"}[how], ["line 1"]


@pytest.mark.parametrize("how", ["truncated", "short row", "nan", "frames", "hierarchy", "binary", "empty", "prose"])
def test_a_broken_bvh_is_refused_with_its_line(run, clip, how):
    data, words = damaged(clip, how)
    Path("broken.bvh").write_bytes(data)
    before = sorted(os.listdir())
    done = run("convert", "broken.bvh", "out.bvh", "out.npz")
    assert done.code == 2 and done.out == "" and len(done.lines) == 1 and "broken.bvh" in done.err
    for word in words:
        assert word in done.err, done.err
    assert sorted(os.listdir()) == before


def quadruped() -> Motion:
    names = ["pelvis", "spine", "tail1", "tail2"] + [
        f"{side}_{end}_paw{n}" for side in "lr" for end in "fb" for n in (1, 2)
    ]
    parents = [-1, 0, 0, 2, 1, 4, 0, 6, 1, 8, 0, 10]
    offsets = np.array([[0, 0, 0], [0, 0, 0.5], [0, 0, -0.2], [0, 0, -0.2]] + [[0.1, -0.2, 0], [0, -0.3, 0]] * 4)
    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (10, len(names), 1))
    return Motion(Skeleton(tuple(names), tuple(parents), offsets), rotations, np.tile([0.0, 0.6, 0.0], (10, 1)), 30.0)


def test_a_bvh_that_is_no_person_is_refused_and_copied_only_when_asked(run, here):
    write("dog.bvh", quadruped())
    for target in ("out.bvh", "out.npz", "out.glb", "out.gif"):
        done = run("convert", "dog.bvh", target)
        assert done.code == 2 and len(done.lines) == 1 and done.out == ""
        assert "dog.bvh" in done.err and "person" in done.err and "--skeleton source" in done.err
        assert not Path(target).exists()
    assert run("convert", "dog.bvh", "copy.bvh", "--skeleton", "source").code == 0
    assert len(read("copy.bvh").people[0].skeleton) == len(quadruped().skeleton)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.bvh", "out.bvh"], "none.bvh"),
        (["clip.bvh", "out.fbx"], "use one of"),
        (["clip.bvh", "clip.bvh"], "exists already"),
        (["clip.bvh", "clip.bvh", "--force"], "is the file that is read"),
        (["clip.bvh", "mine.bvh"], "--force"),
        (["clip.bvh", "none/out.bvh"], "does not exist"),
        (["clip.bvh", "out.bvh", "--skeleton", "dog"], "motifmix, cmu, bandai, mixamo"),
        (["clip.bvh", "out.npz", "--skeleton", "mixamo"], "only .bvh"),
        (["clip.bvh", "out.bvh", "--fps", "0"], "from 1 to 240"),
        (["clip.bvh", "out.bvh", "--fps", "fast"], "from 1 to 240"),
        (["clip.bvh", "out.bvh", "--out-units", "inch"], "--out-units takes m or cm"),
        (["mine.txt", "out.bvh"], ".txt"),
        (["clip.bvh"], "OUT"),
    ],
)
def test_what_cannot_be_met_costs_one_line(run, clip, arguments, words):
    Path("mine.bvh").write_text("mine")
    Path("mine.txt").write_text("mine")
    before = sorted(os.listdir())
    done = run("convert", *arguments)
    assert done.code == 2 and done.out == "" and words in done.lines[-1], done.err
    assert len(done.lines) == 1 and sorted(os.listdir()) == before and Path("mine.bvh").read_text() == "mine"


def test_a_hostile_or_damaged_npz_is_refused(run, here, walk):
    write("good.npz", walk(1.0))
    whole = Path("good.npz").read_bytes()
    Path("cut.npz").write_bytes(whole[: len(whole) // 2])
    np.savez("pickled.npz", rotations=np.array([{"a": 1}], dtype=object), fps=30.0)
    np.savez("nan.npz", rotations=np.full((5, 22, 4), np.nan), root=np.zeros((5, 3)), fps=30.0)
    for name in ("cut", "pickled", "nan"):
        done = run("convert", f"{name}.npz", "out.bvh")
        assert done.code == 2 and len(done.lines) == 1 and f"{name}.npz" in done.err
    assert not Path("out.bvh").exists()
