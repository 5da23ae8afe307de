"""What a stranger does on the first day, with the default weights: no part of the way is replaced."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import motifmix
from motifmix.files import read
from motifmix.motion import MOTIFMIX, Motion

HEAD, LEFT_FOOT, RIGHT_FOOT = (MOTIFMIX.index(name) for name in ("head", "left_foot", "right_foot"))
FLOOR = 0.12  # metres: a toe joint at rest is at 0.02 to 0.1


def looks_like_a_person(joints: np.ndarray) -> None:
    """Upright, human in size, feet at the floor, nothing torn apart."""
    assert np.isfinite(joints).all()
    assert 1.1 < np.median(joints[:, HEAD, 1]) < 1.7
    lower_toe = np.minimum(joints[:, LEFT_FOOT, 1], joints[:, RIGHT_FOOT, 1])
    assert -0.05 < np.median(lower_toe) < FLOOR
    fastest = np.linalg.norm(np.diff(joints, axis=0), axis=-1).max() * 30
    assert fastest < 12.0


def in_our_order(person: Motion) -> np.ndarray:
    """Joint positions ``[T, 22, 3]`` of a clip from a file, which lists its joints branch by branch."""
    return person.joints[:, [person.skeleton.index(name) for name in MOTIFMIX.names]]


def test_the_two_commands_of_the_readme(motifmix_command, here):
    done = motifmix_command(
        "generate", "a person walks forward", "--style", "old", "--out", "walk.bvh", "--out", "walk.glb", "--out", "walk.mp4"
    )  # fmt: skip
    assert done.code == 0 and done.out.split() == ["walk.bvh", "walk.glb", "walk.mp4"]
    person = read("walk.bvh").people[0]
    looks_like_a_person(in_our_order(person))
    assert person.fps == 30 and 1.0 <= person.seconds <= 10.1
    travelled = person.root[-1] - person.root[0]
    assert travelled[2] > 0.5 and abs(travelled[0]) < travelled[2]
    assert Path("walk.glb").read_bytes()[:4] == b"glTF"
    import av

    with av.open("walk.mp4") as film:
        assert abs(sum(1 for _ in film.decode(video=0)) - person.frames) <= 1


def test_a_fresh_process_does_the_same_job(here):
    words = ["generate", "a person waves with the right hand", "--seed", "3", "--seconds", "2"]
    done = subprocess.run([sys.executable, "-m", "motifmix", *words], capture_output=True, text=True, cwd=here)
    assert done.returncode == 0 and len(done.stderr.splitlines()) == 1 and "has no place for credit" in done.stderr
    assert done.stdout == "a-person-waves-with-the-right-hand.bvh\n"
    person = read(here / done.stdout.strip()).people[0]
    looks_like_a_person(in_our_order(person))
    wrist = person.joints[:, person.skeleton.index("right_wrist"), 1]
    assert wrist.max() > 1.1  # the hand goes up


def test_the_same_seed_is_the_same_motion_alone_and_in_a_batch(motifmix_command, here):
    words = ["--style", "happy", "--seed", "11"]
    motifmix_command("generate", "a person walks", *words, "--out", "a.npz")
    motifmix_command("generate", "a person walks", *words, "--out", "b.npz")
    motifmix_command("generate", "a person walks", "--style", "happy", "--seed", "12", "--out", "c.npz")
    Path("rows.csv").write_text(
        "text,style,seconds,seed,name\na person jumps,,9,1,other\na person walks,happy,,11,same\n", encoding="utf-8"
    )
    assert motifmix_command("batch", "rows.csv", "--out", "many").code == 0
    a, b, c, batch = (np.load(name)["joints"] for name in ("a.npz", "b.npz", "c.npz", "many/same.npz"))
    assert np.array_equal(a, b)
    assert a.shape == batch.shape and np.abs(a - batch).max() < 1e-4
    assert a.shape != c.shape or np.abs(a - c).max() > 0.01


@pytest.mark.parametrize("seconds", [1, 4.5, 10])
def test_the_length_is_what_was_asked_for(motifmix_command, here, seconds):
    assert motifmix_command("generate", "a person runs", "--seconds", seconds, "--out", "run.npz").code == 0
    assert abs(len(np.load("run.npz")["joints"]) / 30 - seconds) <= 0.1


def test_style_changes_how_and_not_what(motifmix_command, here):
    speed = {}
    for style in ("elderly", "active"):
        motifmix_command("generate", "a person walks forward", "--style", style, "--count", 4, "--seed", 1,
                         "--out", f"{style}.npz")  # fmt: skip
        takes = [np.load(f"{style}_{take}.npz")["root"] for take in range(1, 5)]
        speed[style] = np.mean(
            [np.linalg.norm(root[-1, [0, 2]] - root[0, [0, 2]]) / (len(root) / 30) for root in takes]
        )
    assert 0.2 < speed["elderly"] < 0.85 * speed["active"]


def test_in_place_stays_and_raw_is_another_motion(motifmix_command, here):
    for name, options in {"clean": [], "still": ["--in-place"], "raw": ["--raw"]}.items():
        motifmix_command("generate", "a person walks", "--seed", 4, "--seconds", 3, "--out", f"{name}.npz", *options)
    clean, still, raw = (np.load(f"{name}.npz") for name in ("clean", "still", "raw"))
    assert np.ptp(still["root"][:, [0, 2]], axis=0).max() < 1e-6 < 1.0 < np.ptp(clean["root"][:, 2])
    assert np.abs(clean["joints"] - raw["joints"]).max() > 1e-4


def test_a_word_nobody_taught_still_works_and_says_what_it_is_near(motifmix_command, here):
    done = motifmix_command("generate", "a person walks", "--style", "melancholic", "--seed", 1, "--out", "a.npz")
    assert done.code == 0
    looks_like_a_person(np.load("a.npz")["joints"])
    done = motifmix_command("generate", "zxqv blorp", "--style", "qwrtz", "--seed", 1, "--out", "b.npz")
    assert done.code == 0 and "near" in done.err


def test_a_motion_file_is_a_style_and_styles_blend(motifmix_command, here):
    motifmix_command("generate", "a person waves", "--style", "elderly", "--seed", 2, "--out", "reference.bvh")
    words = ["generate", "a person walks", "--seed", 5, "--seconds", 3]
    runs = {
        "file": ["--style", "reference.bvh"],
        "blend": ["--style", "reference.bvh:0.5", "--style", "happy:0.5"],
        "none": [],
        "zero": ["--style", "reference.bvh", "--strength", 0],
    }
    for name, options in runs.items():
        assert motifmix_command(*words, *options, "--out", f"{name}.npz").code == 0
    joints = {name: np.load(f"{name}.npz")["joints"] for name in runs}
    for name in runs:
        looks_like_a_person(joints[name])
    assert np.abs(joints["file"] - joints["none"]).max() > 0.02
    assert np.abs(joints["file"] - joints["blend"]).max() > 0.02


def test_a_result_drives_a_mixamo_character(motifmix_command, here):
    motifmix_command("generate", "a person walks", "--seed", 1, "--out", "walk.bvh")
    assert motifmix_command("convert", "walk.bvh", "mixamo.bvh", "--skeleton", "mixamo").code == 0
    person = read("mixamo.bvh").people[0]
    assert "mixamorig:LeftForeArm" in person.skeleton.names
    head = person.joints[:, person.skeleton.index("mixamorig:Head")]
    assert np.abs(head - in_our_order(read("walk.bvh").people[0])[:, HEAD]).max() < 0.02


def test_what_is_known_is_listed(motifmix_command):
    done = motifmix_command("styles")
    names = {line.split()[0] for line in done.out.splitlines() if line.strip()}
    assert done.code == 0 and {"elderly", "happy", "walk", "run"} <= names


def test_from_python_motions_come_with_joints():
    motions = motifmix.load().generate(["a person walks", "a person jumps"], styles=["sad", None], seeds=[1, 2])
    assert len(motions) == 2
    for motion in motions:
        assert motion.joints.shape == (motion.frames, 22, 3) and motion.skeleton.same_as(MOTIFMIX)
        looks_like_a_person(motion.resampled(30.0).joints)
