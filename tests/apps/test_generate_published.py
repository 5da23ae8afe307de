"""`motifmix generate --weights FOLDER`: other models at the same command, one person or two."""

from typing import Any

import pytest

import motifmix
from motifmix.motion import Scene

from .conftest import FakePipeline, walk


class Pair(FakePipeline):
    """As the converted models of two people behave."""

    people = 2

    def generate(self, *given, individual_texts=None, **options) -> Any:
        first = super().generate(*given, **options)
        self.told = individual_texts
        labels = {"credit": "InterGen", "licence": "No commercial use."}
        return [Scene((one.with_labels(**labels), walk(one.seconds, 9).with_labels(**labels))) for one in first]


@pytest.fixture
def pair(monkeypatch):
    fake = Pair()
    monkeypatch.setitem(motifmix.__dict__, "load", lambda weights=None: fake)
    return fake


def test_a_model_of_two_people_writes_scenes(run, here, pair):
    done = run(
        "generate", "two people bow", "--weights", "intergen", "--seed", 3, "--count", 2, "--seconds", 2,
        "--person", "one bows", "--person", "one waves", "--out", "bow.npz", "--out", "bow.bvh",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.out.split() == ["bow_1.npz", "bow_1.bvh", "bow_2.npz", "bow_2.bvh"]
    _, person = motifmix.read("bow_1.npz")
    assert person.fps == 30 and person.labels["text"] == "two people bow"
    assert len(motifmix.read("bow_2.bvh")) == 2
    assert pair.told == [["one bows", "one waves"]] * 2
    assert done.lines[-1].endswith("pass it on with this line: InterGen; No commercial use.")


def test_what_is_for_one_person_is_refused_for_two(run, here, pair):
    done = run("generate", "two people bow", "--weights", "intergen", "--in-place")
    assert done.code == 2 and done.lines[-1].startswith("motifmix: --in-place is for one person")
    assert not pair.calls and not list(here.iterdir())


def test_texts_of_two_people_are_refused_for_one(run, here, pipeline):
    done = run("generate", "a person bows", "--person", "one bows")
    assert done.code == 2 and "--person is for models of two people" in done.lines[-1]
    assert not pipeline.calls
