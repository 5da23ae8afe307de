"""`motifmix transfer`: names, several motions at once, what fails beside what is done, mistakes in one line."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from motifmix.errors import RequestError
from motifmix.files import read, write
from motifmix.motion import Motion, Skeleton
from motifmix.pipelines import style_transfer


class FakeTransfer:
    """Answers with the motion that it was given and remembers what was asked."""

    calls: list[SimpleNamespace]

    def __init__(self, model) -> None:
        FakeTransfer.calls = []

    def transfer(self, motions, styles, texts=None, **options):
        FakeTransfer.calls.append(SimpleNamespace(motions=motions, styles=styles, texts=texts, **options))
        if motions[0].frames < 4:
            raise RequestError("this motion has 3 frames")
        return list(motions)


@pytest.fixture(autouse=True)
def fakes(monkeypatch, pipeline):
    monkeypatch.setattr(style_transfer, "StyleTransfer", FakeTransfer)


@pytest.fixture
def clips(here, walk) -> Path:
    for name, fps in (("a", 30.0), ("b", 60.0)):
        write(f"{name}.bvh", walk(2.0, 1, fps), fps=None)
    return here


def test_a_motion_gets_a_style_and_a_name(run, clips):
    done = run("transfer", "a.bvh", "--style", "old")
    assert done.code == 0 and done.out == "a_old.bvh\n" and "credit" in done.err
    (call,) = FakeTransfer.calls
    assert call.styles == ["old"] and call.texts == [None] and call.strength == 1.0
    assert (call.skeleton, call.clean_feet, call.keep) == ("motifmix", True, style_transfer.Kept(False, False))


def test_all_is_handed_on(run, clips):
    done = run(
        "transfer", "b.bvh", "--style", "old:0.5", "--strength", 1.4, "--text", "a person walks", "--keep-path",
        "--keep-contacts", "--skeleton", "source", "--fps", "source", "--raw", "--out", "x.bvh",
    )  # fmt: skip
    assert done.code == 0 and read("x.bvh").fps == 60.0
    (call,) = FakeTransfer.calls
    assert call.texts == ["a person walks"] and call.strength == pytest.approx(0.7)
    assert (call.skeleton, call.clean_feet, call.keep) == ("source", False, style_transfer.Kept(True, True))


def test_every_setting_that_a_transfer_has_arrives(run, clips):
    settings = {"steps": 12, "depth": 0.5, "style_scale": 2.5, "gamma": 0.4, "block": 3, "gradient": 0.1}
    options = [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", value)]
    assert run("transfer", "a.bvh", "--style", "old", *options).code == 0
    assert {name: getattr(FakeTransfer.calls[0], name) for name in settings} == settings
    assert "depth goes from 0.01 to 1" in run("transfer", "a.bvh", "--style", "old", "--depth", 2).err


def test_several_go_into_a_folder_and_what_fails_is_reported(run, clips, walk):
    write("short.bvh", walk(1.0).cropped(0, 3), fps=None)
    Path("broken.bvh").write_text("no motion")
    done = run("transfer", "a.bvh", "short.bvh", "broken.bvh", "b.bvh", "--style", "old", "--out", "made")
    assert done.code == 2
    assert sorted(path.name for path in Path("made").iterdir()) == ["a_old.bvh", "b_old.bvh"]
    assert "short.bvh: this motion has 3 frames" in done.err and "broken.bvh" in done.err
    assert done.lines[-1] == "2 of 4 motions failed, the rest is done"
    assert read("made/b_old.bvh").fps == 30.0


def quadruped() -> Motion:
    names = ("pelvis", "spine", "tail1", "tail2", *(f"{s}_{e}_paw{n}" for s in "lr" for e in "fb" for n in (1, 2)))
    parents = (-1, 0, 0, 2, 1, 4, 0, 6, 1, 8, 0, 10)
    offsets = np.array([[0, 0, 0], [0, 0, 0.5], [0, 0, -0.2], [0, 0, -0.2]] + [[0.1, -0.2, 0], [0, -0.3, 0]] * 4)
    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (10, len(names), 1))
    return Motion(Skeleton(names, parents, offsets), rotations, np.tile([0.0, 0.6, 0.0], (10, 1)), 30.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dog.bvh", "--style", "old"], "person"),
        (["none.bvh", "--style", "old"], "no such file"),
        (["a.txt", "--style", "old"], ".bvh or .npz"),
        (["a.bvh"], "style"),
        (["a.bvh", "--style", "old", "--strength", "3"], "0 to 2"),
        (["a.bvh", "--style", "old", "--fps", "fast"], "from 1 to 240"),
        (["a.bvh", "--style", "old", "--skeleton", "dog"], "motifmix or source"),
        (["a.bvh", "--style", "old", "--skeleton", "source", "--out", "x.glb"], "only .bvh"),
        (["a.bvh", "b.bvh", "--style", "old", "--out", "x.bvh"], "give a folder"),
        (["a.bvh", "--style", "old", "--out", "x.bvh", "--out", "folder"], "one folder or files"),
        (["a.bvh", "--style", "old", "--out", "b.bvh"], "exists already"),
        (["a.bvh", "a.bvh", "--style", "old", "--out", "folder"], "named twice"),
        (["a.bvh", "--style", "old", "--out", "a.bvh", "--force"], "is the file that is read"),
    ],
)
def test_what_cannot_be_met_costs_one_line(run, clips, arguments, words):
    write("dog.bvh", quadruped())
    Path("a.txt").write_text("a")
    before = sorted(path.name for path in clips.iterdir())
    done = run("transfer", *arguments)
    assert done.code == 2 and done.out == "" and words in done.lines[-1] and len(done.lines) == 1, done.err
    assert sorted(path.name for path in clips.iterdir()) == before


def test_two_people_are_too_many(run, here, walk):
    from motifmix.motion import Scene

    write("pair.bvh", Scene((walk(1.0, 1, 30.0), walk(1.0, 2, 30.0))), one_file=True)
    done = run("transfer", "pair.bvh", "--style", "old")
    assert done.code == 2 and "2 people" in done.err
