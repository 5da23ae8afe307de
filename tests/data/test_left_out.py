"""What a training without a style never sees."""

from types import SimpleNamespace

import pytest

from motifmix.data.left_out import names_style
from motifmix.data.prepared import Prepared


@pytest.mark.parametrize(
    ("text", "style", "names"),
    [
        ("A person walks like an old man.", "elderly", True),
        ("a Grandma sits down", "elderly", True),
        ("someone holds on to a railing", "elderly", False),
        ("a person folds a cloth", "elderly", False),
        ("a person is walking, very tired", "exhausted", True),
        ("a person is walking", "exhausted", False),
        ("they walk childishly", "youthful", True),
    ],
)
def test_a_text_names_a_style_by_whole_words(text, style, names):
    assert names_style(text, style) is names


def test_clips_of_a_style_and_clips_that_speak_of_it_are_left_out():
    def clip(identity, style=None, captions=(), mirror_of=None):
        return SimpleNamespace(
            id=identity, split="train", source="x", content=None, style=style, captions=captions, mirror_of=mirror_of
        )

    clips = [
        clip("a", "elderly"), clip("a:mirrored", "elderly", mirror_of="a"), clip("b", "angry"),
        clip("c", captions=("a person walks", "an old man walks")), clip("d", captions=("a person walks",)), clip("e"),
    ]  # fmt: skip
    prepared = Prepared.__new__(Prepared)
    prepared.clips = tuple(clips)
    assert [c.id for c in prepared.select(without_styles=["elderly"])] == ["b", "d", "e"]
    assert len(prepared.select()) == len(clips)
