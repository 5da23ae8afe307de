"""`motifmix duet`: who is asked for what, the files, and one sentence for what cannot be."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import motifmix
from motifmix.data.interhuman import InterHuman
from motifmix.errors import RequestError
from motifmix.files import write
from motifmix.motion import Scene
from motifmix.pipelines import style_transfer, styled_drafts
from motifmix.pipelines.duet import Composed

from .conftest import walk

ASKED = (
    "duet", "two people greet each other", "--person", "a person bows", "--person", "a person waves", "--seed", 3,
)  # fmt: skip


class FakeStylist:
    """Moves hands of whom it styles, and remembers who that was."""

    def __init__(self, model=None) -> None:
        self.model = SimpleNamespace(describe=lambda text, style: [f"about {style}"])
        self.calls: list[tuple[str, float]] = []
        self.told: list[str] = []

    def transfer(self, motions, styles, texts, *, strength, keep, depth, style_scale, text_scale, clean_feet):
        assert keep.path and keep.contacts
        self.told += texts
        if "impossible" in styles:
            raise RequestError("this style cannot be met")
        self.calls += [(str(style), strength) for style in styles]
        return [motion.with_labels(styled=True) for motion in motions]


class FakeDuet:
    """Answers with two gliding people and remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[SimpleNamespace] = []
        self.further: list[str] = []
        self.weigh, self.individual, self.stylist = None, object(), FakeStylist()
        self.styled_drafts: list[int | None] = []

    def styled_reader(self, drafts):
        self.styled_drafts.append(drafts)
        return None  # nobody chooses: everybody is restyled in one way

    def compose(self, text, person_texts, *, seed, using, clean_feet, progress, **sampling):
        self.calls.append(SimpleNamespace(text=text, persons=person_texts, seed=seed, using=using, **sampling))
        progress(1, 1)
        seconds = sampling.get("seconds", 2.0)
        other = walk(seconds, 1, 30.0).turned(np.pi).moved(np.array([0.0, 0.0, 3.0]))
        more = [other.moved(np.array([number, 0.0, 0.0])) for number in range(len(person_texts) - 2)]
        scene = Scene((walk(seconds, seed, 30.0).with_labels(text=person_texts[0]), other, *more))
        weights = np.linspace(1.0, 0.0, 2 * 2 * 60 * 23).reshape(2, 2, 60, 23) if using == "mixed" else None
        return Composed(scene, weights, (900.0, 400.0), {name: 0.0 * np.ones((2, 2, 1, 1)) for name in self.further})


@pytest.fixture
def duet(monkeypatch, here) -> FakeDuet:
    fake = FakeDuet()

    def load(weights=None, further=()):
        fake.further = [Path(folder).name for folder in further]
        return fake

    monkeypatch.setitem(motifmix.__dict__, "load_duet", load)
    return fake


def test_every_format_holds_both_in_one_world(run, here, duet):
    outs = [f"duet{suffix}" for suffix in (".bvh", ".npz", ".glb", ".png", ".mp4")]
    done = run(
        *ASKED,
        "--seconds",
        0.5,
        *(word for out in outs for word in ("--out", out)),
        "--interhuman",
        "set",
        "--plot-weights",
        "w.png",
    )
    assert done.code == 0, done.err
    assert done.out.split()[:6] == ["duet_1.bvh", "duet_2.bvh", *outs[1:]]
    assert "DualMDM's schedule" in done.err and "pass it on with this line" in done.err
    (call,) = duet.calls
    assert (call.seed, call.using, call.persons) == (3, "mixed", ["a person bows", "a person waves"])
    with np.load("duet.npz") as archive:
        assert archive["joints"].shape == (2, 15, 22, 3)
        joints = archive["joints"]
    for number in (1, 2):
        (person,) = motifmix.read(f"duet_{number}.bvh")
        np.testing.assert_allclose(person.root, joints[number - 1, :, 0], atol=1e-3)
    picture = np.asarray(Image.open("duet.png").convert("RGB"), dtype=int)
    assert picture.shape[1] > 1000 and Image.open("w.png").size[1] > 500
    data = InterHuman(here / "set", individual_captions=True)
    assert data.ids("test") == ("two-people-greet-each-other",)
    sample = data.sample("two-people-greet-each-other", "test")
    assert sample.features.shape == (2, 14, 262)
    assert [captions[0].text for captions in sample.individual_captions] == ["a person bows", "a person waves"]


def test_one_file_holds_several_roots(run, here, duet):
    assert run(*ASKED, "--out", "duet.bvh", "--one-file", "--using", "interaction").code == 0
    assert [path.name for path in here.iterdir()] == ["duet.bvh"] and len(motifmix.read("duet.bvh")) == 2
    assert duet.calls[0].using == "interaction"


def test_a_style_that_cannot_be_read_is_said_before_the_scene_is_made(run, here, duet):
    def describe(text, style):
        raise RequestError("this style is broken")

    duet.stylist.model.describe = describe
    done = run(*ASKED, "--style", "2:old", "--out", "duet.npz")
    assert done.code == 2 and "broken" in done.err and duet.calls == [] and list(here.iterdir()) == []


def test_everybody_or_each_has_a_style(run, here, duet):
    done = run(*ASKED, "--style", "old", "--style", "2:happy:0.5", "--strength", 1.2, "--out", "duet.npz")
    assert done.code == 0, done.err
    assert duet.stylist.calls == [("old", 1.2), ("happy", pytest.approx(0.6))]
    assert duet.stylist.told == ["a person bows", "a person waves"]
    assert [person.labels["style"] for person in motifmix.read("duet.npz")] == ["old", "happy:0.5"]
    assert "about old" in done.err
    assert run(*ASKED, "--style", "2:old", "--drafts", 1, "--out", "duet.npz", "--force").code == 0
    first, second = motifmix.read("duet.npz")
    assert "style" not in first.labels and second.labels["style"] == "old"
    assert duet.styled_drafts == [None, 1], "a single draft is restyled in one way"


def test_recordings_become_a_scene(run, here, duet, monkeypatch):
    monkeypatch.setattr(style_transfer, "StyleTransfer", FakeStylist)
    monkeypatch.setitem(motifmix.__dict__, "load", lambda weights=None: None)
    monkeypatch.setattr(styled_drafts.StyledReader, "load", lambda longest: None)
    write("a.bvh", walk(2.0, 1, 30.0), fps=None)
    write("b.npz", walk(2.0, 2, 30.0).moved(np.ones(3)))
    done = run("duet", "two walk", "--person", "a.bvh", "--person", "b.npz", "--style", "2:old", "--out", "both.npz")
    assert done.code == 0, done.err
    first, second = motifmix.read("both.npz")
    assert second.labels["style"] == "old" and np.abs((second.root - first.root)[0] - 1.0).max() < 0.2
    assert not duet.calls


def test_three_people_fit_into_a_scene_of_recordings(run, here, duet):
    write("a.bvh", walk(1.0, 1, 30.0), fps=None)
    three = [word for _ in range(3) for word in ("--person", "a.bvh")]
    assert run("duet", "three walk", *three, "--out", "t.bvh", "--out", "t.npz", "--out", "t.glb").code == 0
    assert len(motifmix.read("t.npz")) == 3 and Path("t_3.bvh").exists()
    assert "person 4, who does not exist" in run("duet", "three walk", *three, "--style", "4:old").lines[-1]
    assert "holds two people" in run("duet", "three walk", *three, "--interhuman", "set").lines[-1]
    assert "not 1 times" in run("duet", "one walks", "--person", "a.bvh").lines[-1]
    assert "are recordings" in run("duet", "three walk", *three, "--pairs", "all").lines[-1]


THREE = ("duet", "three people greet each other", "--person", "a person bows", "--person", "a person waves",
         "--person", "a person nods", "--seed", 3)  # fmt: skip


def test_three_people_are_described_and_written_in_every_format(run, here, duet):
    outs = [f"three{suffix}" for suffix in (".bvh", ".npz", ".glb", ".png", ".mp4")]
    done = run(*THREE, "--seconds", 0.5, *(word for out in outs for word in ("--out", out)), "--plot-weights", "w.png",
               "--style", "3:old", "--people", 3)  # fmt: skip
    assert done.code == 0, done.err
    assert done.out.split()[:5] == ["three_1.bvh", "three_2.bvh", "three_3.bvh", "three.npz", "three.glb"]
    with np.load("three.npz") as archive:
        joints = archive["joints"]
    assert joints.shape == (3, 15, 22, 3)
    for number in (1, 2, 3):
        (person,) = motifmix.read(f"three_{number}.bvh")
        np.testing.assert_allclose(person.root, joints[number - 1, :, 0], atol=1e-3)
    assert [person.labels.get("style") for person in motifmix.read("three.npz")] == [None, None, "old"]
    assert len(motifmix.read("three.npz")) == 3 and not hasattr(duet.calls[0], "pairs")
    assert run(*THREE, "--out", "one.bvh", "--one-file").code == 0 and len(motifmix.read("one.bvh")) == 3


@pytest.mark.parametrize(
    ("given", "pairs"),
    [("1-2,2-3", ((0, 1), (1, 2))), (" 3-1 , 2-1", ((0, 2), (0, 1))), ("all", ((0, 1), (0, 2), (1, 2)))],
)
def test_who_interacts_is_said(run, here, duet, given, pairs):
    done = run(*THREE, "--pairs", given, "--out", "three.npz")
    assert done.code == 0, done.err
    assert duet.calls[0].pairs == pairs


def test_people_are_kept_apart_unless_told_otherwise(run, here, duet):
    for words in ((), ("--no-keep-apart",)):
        assert run(*ASKED, *words, "--out", "a.npz", "--force").code == 0
    assert [call.keep_apart for call in duet.calls] == [True, False]


def test_further_models_are_mixed_in_and_each_one_is_drawn(run, here, duet):
    assert run(*ASKED, "--out", "a.npz", "--plot-weights", "two.png").code == 0
    assert run(*ASKED, "--out", "b.npz", "--with", "mdm", "--with", "intergen", "--plot-weights", "four.png").code == 0
    assert duet.further == ["mdm", "intergen"]
    assert Image.open("four.png").size[1] > Image.open("two.png").size[1]


def test_the_interaction_model_alone_is_asked_where_there_is_no_other(run, here, duet):
    duet.individual = None
    done = run(*ASKED, "--out", "duet.npz")
    assert done.code == 0 and "interaction model is asked alone" in done.err
    done = run(*ASKED, "--out", "other.npz", "--plot-weights", "w.png")
    assert done.code == 2 and "here is one alone" in done.lines[-1] and not Path("other.npz").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["two greet", "--person", "one"], "give it twice at least, not 1 times"),
        (["two greet"], "give it twice at least, not 0 times"),
        (["nine greet", *["--person", "one"] * 9], "at most 8 people, and --person was given 9 times"),
        ([*ASKED[1:], "--people", "3"], "--people 3, and --person was given twice: give it once for each person"),
        ([*THREE[1:], "--people", "2"], "--people 2, and --person was given 3 times"),
        ([*THREE[1:], "--pairs", "1-2"], "person 3 interacts with nobody"),
        ([*THREE[1:], "--pairs", "1-2,2-4"], "person 4 does not exist; this scene has persons 1 to 3"),
        ([*THREE[1:], "--pairs", "1-2,2-2,1-3"], "a pair is two different people"),
        ([*THREE[1:], "--pairs", "1+2"], "such as 1-2,2-3, or all; '1+2' was asked"),
        ([*THREE[1:], "--pairs", "all", "--using", "individual"], "--pairs says who interacts"),
        ([*THREE[1:], "--interhuman", "set"], "holds two people, this scene has 3; leave --interhuman out"),
        ([*THREE[1:], "--style", "4:old"], "person 4, who does not exist; this scene has persons 1 to 3"),
        ([*ASKED[1:], "--with", "more", "--using", "interaction"], "--with mixes another model in"),
        (["two greet", "--person", "one", "--person", "  "], "--person number 2 is empty"),
        (["", "--person", "one", "--person", "two"], "the text is empty"),
        ([*ASKED[1:], "--style", "3:old"], "person 3, who does not exist"),
        ([*ASKED[1:], "--style", "0:old"], "person 0, who does not exist"),
        ([*ASKED[1:], "--style", "2:"], "a style is empty"),
        ([*ASKED[1:], "--using", "both"], "--using takes mixed, interaction, individual"),
        ([*ASKED[1:], "--plot-weights", "w.png", "--using", "individual"], "--plot-weights"),
        ([*ASKED[1:], "--plot-weights", "w.jpg"], "draws a .png"),
        ([*ASKED[1:], "--out", "duet.glb", "--one-file"], "--one-file is for .bvh"),
        ([*ASKED[1:], "--out", "duet.bvh", "--out", "duet.bvh"], "named twice"),
        ([*ASKED[1:], "--out", "taken.bvh"], "taken_2.bvh: exists already"),
        ([*ASKED[1:], "--out", "duet.txt"], "use one of .bvh"),
        ([*ASKED[1:], "--interhuman", "short.bvh"], "is a file"),
        ([*ASKED[1:], "--units", "mm"], "m or cm"),
        ([*ASKED[1:], "--style", "impossible", "--out", "a.npz", "--interhuman", "set"], "cannot be met"),
        (["two", "--person", "short.bvh", "--person", "long.bvh"], "short.bvh lasts 1.00 s and long.bvh 2.00 s"),
        (["two", "--person", "none.bvh", "--person", "long.bvh"], "no such file"),
        (["two", "--person", "long.bvh", "--person", "a person bows"], "sentences only or recordings only"),
        (["two", "--person", "long.bvh", "--person", "long.bvh", "--seconds", "2"], "--seconds is for scenes"),
        (["two", "--person", "long.bvh", "--person", "long.bvh", "--drafts", "2"], "--drafts is for scenes"),
        (["two", *["--person", "long.bvh"] * 2, "--out", "long.bvh", "--one-file", "--force"], "is the file that is read"),
    ],
)  # fmt: skip
def test_what_cannot_be_costs_one_line_and_writes_nothing(run, here, duet, arguments, words):
    write("short.bvh", walk(1.0, 1, 30.0), fps=None)
    write("long.bvh", walk(2.0, 1, 30.0), fps=None)
    Path("taken_2.bvh").write_text("mine")
    before = sorted(path.name for path in here.iterdir())
    done = run("duet", *arguments)
    assert done.code == 2 and done.out == "" and words in done.lines[-1], done.err
    assert sorted(path.name for path in here.iterdir()) == before
    assert Path("taken_2.bvh").read_text() == "mine"


def test_a_failed_write_leaves_none_of_the_files(run, here, duet, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("motifmix.drawing.strips.strip", full)
    done = run(*ASKED, "--out", "duet.bvh", "--out", "duet.png")
    assert done.code == 2 and "No space left" in done.lines[-1]
    assert not list(here.iterdir())


def test_what_is_there_is_replaced_only_by_force(run, here, duet):
    assert run(*ASKED, "--out", "duet.bvh", "--interhuman", "set").code == 0
    assert "exists already" in run(*ASKED, "--interhuman", "set").lines[-1]
    assert run(*ASKED, "--out", "duet.bvh", "--interhuman", "set", "--force").code == 0
    assert InterHuman(here / "set").ids("test") == ("two-people-greet-each-other",)
