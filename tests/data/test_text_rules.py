import pytest

from motifmix.data.actions import actions, main_actions
from motifmix.data.text_rules import (
    GAIT_SECONDS,
    OTHER_SECONDS,
    is_one_continuous_action,
    lists_several_actions,
    text_rule,
)


@pytest.mark.parametrize(
    "text, tags",
    [
        ("a person walks forward", ("walk",)),
        ("A human is jogging", ("run",)),
        ("a person does jumping jacks", ("jumping jack",)),
        ("A person is boxing with his right hand.", ("box",)),
        ("a person opens a box", ("put on",)),
        ("a person dances ballet with a pirouette", ("dance",)),
        ("a person sits on a high stool and stands up", ("sit", "stand up")),
        ("a person bends the knees and picks up a box", ("bend", "pick up")),
        ("a person makes the hand signals of a basketball referee", ("gesture",)),
        ("a person lies on the back", ("lie",)),
        ("JumpForward", ("jump",)),
        ("Front_Kicking001", ("kick",)),
        ("looking at own hands", ()),
    ],
)
def test_actions_of_a_sentence(text, tags):
    assert actions(text) == tags


def test_words_of_manner_do_not_count_beside_a_gait():
    assert main_actions("a person walks bent over with the arms out, balancing") == ("walk",)
    assert main_actions("a person runs and ducks underneath something") == ("run", "duck")


@pytest.mark.parametrize(
    "text",
    [
        "a person walks angrily",
        "A human walks backwards.",
        "a person moves like a penguin",
        "a person plays the violin",
        "a person dances salsa",
        "a person washes a window",
        "A human jogs",
    ],
)
def test_one_continuous_action(text):
    assert is_one_continuous_action(text)


@pytest.mark.parametrize(
    "text",
    [
        "a person walks forward, turns around and walks back",
        "A person walks 4 steps in the forward direction.",
        "a person walks, stops and walks on",
        "A person is walking, then he jumps.",
        "a person sits down on a chair",
        "a person walks forward, backward and diagonally",
        "a person makes a long jump forward",
        "A human walks up and down on a line.",
        "a person runs and jumps",
        "a person puts on a jacket",
    ],
)
def test_a_course_of_events_or_a_single_event_is_not(text):
    assert not is_one_continuous_action(text)


@pytest.mark.parametrize(
    "description, several",
    [
        ("jumping jacks, side twists, bend over, squats", True),
        ("wash windows, paint; hand signals", True),
        ("walk forward, turn around, walk back", True),
        ("walk, stop", False),
        ("limping, hurt right leg", False),
        ("Walk With Arms Out, balancing", False),
        ("whistle, walk jauntily", False),
        ("soldiers march (2 subjects - subject A)", False),
        ("navigate - walk forward, backward, sideways", True),
    ],
)
def test_lists_in_the_index(description, several):
    assert lists_several_actions(description) is several


def test_a_long_list_trains_without_text():
    assert text_rule(38.3, ["a person does jumping jacks and squats"], "jumping jacks, squats") == ("none", (), 0.0)
    assert text_rule(15.0, ["A human walks."], "walk forward, turn around, walk back")[0] == "none"


def test_a_short_take_keeps_every_caption_for_the_whole():
    texts = ("a person walks, stops and walks on", "A person is walking.")
    assert text_rule(8.0, texts, "Walk Stop Walk") == ("whole", texts, 8.0)


def test_a_cyclic_take_hands_its_text_to_every_window():
    assert text_rule(52.0, ["a person hobbles along"], "walk/hobble") == (
        "window",
        ("a person hobbles along",),
        GAIT_SECONDS,
    )
    assert text_rule(30.0, ["a person plays the piano"], "piano")[2] == OTHER_SECONDS
    assert text_rule(1.2, ["a person runs"], "run") == ("window", ("a person runs",), 1.2)


def test_a_short_jump_is_never_cut():
    assert text_rule(5.0, ["a person jumps"], "Jump")[0] == "whole"


def test_of_a_long_take_only_captions_that_fit_every_window_are_kept():
    texts = ["A person limps.", "A person takes 8 steps, turns and comes back."]
    assert text_rule(24.0, texts, "limping, hurt right leg") == ("window", ("A person limps.",), GAIT_SECONDS)


def test_no_caption_no_text():
    assert text_rule(5.0, [], "walk") == ("none", (), 0.0)
