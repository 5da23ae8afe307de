import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifmix.data import captions as words
from motifmix.data.labels import CONTENTS, ONE_SIDED_CONTENTS, STYLES, find_style, plain, style_synonyms

PROMPTS = json.loads(Path(__file__).with_name("public_prompts.json").read_text("utf-8"))["prompts"]
NEVER_TRAINED = words.held_out_captions, words.hard_captions
NEVER_TRAINED_STYLES = words.held_out_style_phrases, words.hard_style_phrases
BOTH_SIDES = [(content, mirrored) for content in CONTENTS for mirrored in (False, True)]


def every_caption(content: str, mirrored: bool = False) -> list[str]:
    return [text for read in (words.captions, *NEVER_TRAINED) for text in read(content, mirrored)]


def every_style_phrase(style: str) -> list[str]:
    return [text for read in (words.style_phrases, *NEVER_TRAINED_STYLES) for text in read(style)]


def slips(text: str) -> set[str]:
    """The text, and every text with one swap or loss of letters within a word of five letters or more."""
    found = {text}
    for word in re.finditer(r"\w{5,}", text):
        for at in range(word.start() + 1, word.end() - 1):
            found |= {text[:at] + text[at + 1 :], text[:at] + text[at + 1] + text[at] + text[at + 2 :]}
    return found


@pytest.mark.parametrize(("content", "mirrored"), BOTH_SIDES)
def test_every_content_has_words_enough(content, mirrored):
    phrasings = {words.surface_free(text) for text in words.captions(content, mirrored)}
    held_out = {words.surface_free(text) for text in words.held_out_captions(content, mirrored)}
    hard = {words.surface_free(text) for text in words.hard_captions(content, mirrored)}
    assert len(phrasings) >= 40
    assert len(held_out) >= 6 and len(hard) >= 6
    assert not phrasings & (held_out | hard)
    assert not held_out & hard


@pytest.mark.parametrize("style", STYLES)
def test_every_style_has_words_enough(style):
    phrases = {plain(text) for text in words.style_phrases(style)}
    held_out = {plain(text) for text in words.held_out_style_phrases(style)}
    hard = {plain(text) for text in words.hard_style_phrases(style)}
    assert len(phrases) >= 40
    assert len(held_out) >= 6 and len(hard) >= 6
    assert not held_out & hard
    assert set(map(plain, style_synonyms(style))) <= phrases


def test_no_caption_names_a_style():
    style_words = {plain(word) for style in STYLES for word in (style, *style_synonyms(style))} - {"man", "woman"}
    for content, mirrored in BOTH_SIDES:
        for text in every_caption(content, mirrored):
            padded = f" {plain(text)} "
            assert [word for word in style_words if f" {word} " in padded] == [], text


def test_no_caption_belongs_to_two_contents():
    owners: dict[str, set[str]] = {}
    for content in CONTENTS:
        for text in every_caption(content):
            owners.setdefault(words.surface_free(text), set()).add(content)
    assert {text: labels for text, labels in owners.items() if len(labels) > 1} == {}


def test_no_phrase_belongs_to_two_styles_and_none_resolves_to_another():
    owners: dict[str, set[str]] = {}
    for style in STYLES:
        for text in every_style_phrase(style):
            owners.setdefault(plain(text), set()).add(style)
            assert find_style(text) in (style, None)
    assert {text: styles for text, styles in owners.items() if len(styles) > 1} == {}


def test_held_out_style_words_are_in_no_training_phrase_and_in_no_look_up():
    trained = {word for style in STYLES for phrase in words.style_phrases(style) for word in plain(phrase).split()}
    phrases = {plain(phrase) for style in STYLES for phrase in words.style_phrases(style)}
    for style in STYLES:
        for phrase in (text for read in NEVER_TRAINED_STYLES for text in read(style)):
            assert plain(phrase) not in phrases
            assert find_style(phrase) is None
            assert len(plain(phrase).split()) > 1 or plain(phrase) not in trained


def test_variation_cannot_reach_a_prompt_or_a_held_out_phrasing():
    trained = {text for content, mirrored in BOTH_SIDES for text in words.captions(content, mirrored)}
    reachable = {words.surface_free(slip) for text in trained for slip in slips(text)}
    held_out = [text for content, mirrored in BOTH_SIDES for read in NEVER_TRAINED for text in read(content, mirrored)]
    assert [text for text in PROMPTS + held_out if words.surface_free(text) in reachable] == []


def test_no_public_prompt_is_a_style_phrase_or_held_out_caption():
    ours = [text for style in STYLES for text in every_style_phrase(style)]
    ours += [text for content, mirrored in BOTH_SIDES for read in NEVER_TRAINED for text in read(content, mirrored)]
    assert not {words.surface_free(text) for text in ours} & {words.surface_free(text) for text in PROMPTS}


@given(st.integers(0, 2**32 - 1))
def test_variation_keeps_the_phrasing_but_for_one_slip(seed):
    generator = np.random.default_rng(seed)
    content, mirrored = BOTH_SIDES[int(generator.integers(len(BOTH_SIDES)))]
    caption = str(generator.choice(words.captions(content, mirrored)))
    varied = words.vary(caption, generator)
    assert words.surface_free(varied) in {words.surface_free(slip) for slip in slips(caption)}


def test_variation_is_the_generators_and_gives_thousands_of_forms():
    first = [words.draw_caption("walk", False, np.random.default_rng(seed)) for seed in range(50)]
    assert first == [words.draw_caption("walk", False, np.random.default_rng(seed)) for seed in range(50)]
    generator = np.random.default_rng(7)
    assert len({words.draw_caption("walk", False, generator) for _ in range(4000)}) > 2000


def test_possessives_follow_the_subject():
    generator = np.random.default_rng(0)
    varied = [words.vary("a person waves using their left arm", generator).casefold() for _ in range(500)]
    owners = {text.split(" waves")[0]: set() for text in varied}
    for text in varied:
        owners[text.split(" waves")[0]] |= set(re.findall(r"\b(?:his|her|its|their)\b", text))
    assert owners["a man"] == owners["he"] == {"his"}
    assert owners["a woman"] == owners["she"] == {"her"}
    assert len(owners["a person"]) >= 3


@pytest.mark.parametrize(("content", "hand"), ONE_SIDED_CONTENTS.items())
def test_one_handed_contents_change_hands_in_the_mirror(content, hand):
    other = {"left": "right", "right": "left"}[hand]
    for mirrored, named in ((False, hand), (True, other)):
        sides = re.findall(r"\b(?:left|right)\b", " ".join(words.captions(content, mirrored)))
        assert len(sides) > 20
        assert set(sides) == {named}


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("content", ["walk-turn-{}", "walk-{}", "wave-{}-hand", "raise-up-{}-hand"])
def test_sided_contents_name_their_own_side(content, side):
    other = {"left": "right", "right": "left"}[side]
    label, twin = content.format(side), content.format(other)
    assert words.captions(twin, mirrored=True) == words.captions(label)
    named = [text for text in words.captions(label) if re.search(r"left|right|letf|rigth|clockwise", text)]
    assert len(named) > 80
    sideways = [
        text for text in named if not re.search("starting with|left and right|while the (?:left|right) one hangs", text)
    ]
    slip = {"left": "rigth", "right": "letf"}[side]
    circling = {"left": "(?<!counter)(?<!anti)clockwise", "right": "counterclockwise|anticlockwise"}[side]
    wrong = rf"\b{other}|{slip}|{circling}"
    assert [text for text in sideways if re.search(wrong, text)] == []


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("waves the left hand", "waves the right hand"),
        ("Right leg first, then LEFT", "Left leg first, then RIGHT"),
        ("turns right at the corner", "turns left at the corner"),
        ("turns left the first time", "turns right the first time"),
        ("looks left and right before crossing", "looks right and left before crossing"),
        ("steps right in a curve", "steps left in a curve"),
        ("is left-handed, right-footed", "is right-handed, left-footed"),
        ("stands left of the box", "stands right of the box"),
        ("goes leftwards, then rightward", "goes rightwards, then leftward"),
        ("side steps left", "side steps right"),
        ("on the right-hand side", "on the left-hand side"),
        ("walks clockwise", "walks counterclockwise"),
        ("walks anti-clockwise", "walks clockwise"),
        ("walks counter clockwise", "walks clockwise"),
        ("moves the right up and the left down", "moves the left up and the right down"),
    ],
)  # fmt: skip
def test_sides_are_swapped(text, mirrored):
    assert words.mirror_words(text) == mirrored


@pytest.mark.parametrize(
    "text",
    [
        "sits down right away", "stands upright", "stops right after the jump", "feels all right", "left the room",
        "someone left", "has no strength left", "what is left", "has left the house", "a right angle",
        "right in front of the box",
        "gets it right", "runs right through the wall", "that's right", "brightly lit, a leftover sandwich",
        "stands right there",
    ],
)  # fmt: skip
def test_words_that_mean_no_side_stay(text):
    assert words.mirror_words(text) == text


@pytest.mark.parametrize(("content", "mirrored"), BOTH_SIDES)
def test_a_twice_mirrored_caption_is_itself(content, mirrored):
    for text in every_caption(content, mirrored):
        twice = words.mirror_words(words.mirror_words(text))
        assert twice.replace("counterclockwise", "anticlockwise") == text.replace("counterclockwise", "anticlockwise")
