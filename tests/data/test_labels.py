import pytest

from motifmix.data.labels import (
    CONTENTS,
    SET_1_CONTENTS,
    SET_2_CONTENTS,
    STYLES,
    ClipName,
    ContentLabel,
    content_synonyms,
    find_content,
    find_style,
    mirrored_content,
    parse_clip_name,
    plain,
    style_synonyms,
)
from motifmix.errors import DataError, MotifmixError


def test_the_label_space_covers_both_sets_once():
    assert len(SET_1_CONTENTS) == 17 and len(SET_2_CONTENTS) == 10
    assert len(CONTENTS) == len(set(CONTENTS)) == 25
    assert set(CONTENTS) == set(SET_1_CONTENTS) | set(SET_2_CONTENTS)
    assert len(STYLES) == len(set(STYLES)) == 15


def test_equal_styles_of_the_two_sets_are_one():
    names = ["dataset-1_walk_old_001", "dataset-2_walk_elderly_004"]
    assert [parse_clip_name(name).style for name in names] == ["elderly", "elderly"]
    assert [parse_clip_name(name).published_style for name in names] == ["old", "elderly"]
    assert parse_clip_name("dataset-1_bow_childish_001").style == "youthful"
    assert parse_clip_name("dataset-1_bye_tired_001").style == "exhausted"
    assert parse_clip_name("dataset-1_run_masculinity_001").style == "masculine"


def test_hyphens_belong_to_the_names():
    expected = ClipName(1, "walk-back", "not-confident", "not-confident", 1)
    assert parse_clip_name("dataset-1_walk-back_not-confident_001") == expected


@pytest.mark.parametrize(
    "stem",
    [
        "walk_old_001",
        "dataset-3_walk_old_001",
        "dataset-2_walk_old_001",
        "dataset-2_kick_normal_001",
        "dataset-1_fly_old_001",
    ],
)
def test_a_foreign_name_is_refused_and_named(stem):
    with pytest.raises(DataError, match=stem):
        parse_clip_name(stem)


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_mirror_of_a_mirror_is_the_label_itself(content, mirrored):
    once = mirrored_content(ContentLabel(content))
    assert mirrored_content(once) == ContentLabel(content)


def test_mirror_images_are_labels_where_there_is_one():
    assert mirrored_content(ContentLabel("walk-turn-left")) == ContentLabel("walk-turn-right")
    assert mirrored_content(ContentLabel("raise-up-right-hand")) == ContentLabel("raise-up-left-hand")
    assert mirrored_content(ContentLabel("bye")) == ContentLabel("bye", mirrored=True)
    assert mirrored_content(ContentLabel("wave-both-hands")) == ContentLabel("wave-both-hands")


@pytest.mark.parametrize(
    ("words", "style"),
    [
        ("old", "elderly"), ("Grandma", "elderly"), ("tired", "exhausted"), ("peppy", "active"),
        ("childish", "youthful"),
        ("not confident", "not-confident"), ("Not-Confident", "not-confident"), ("not_confident", "not-confident"),
        ("macho", "masculine"), ("neutral", "normal"), ("thug", "chimpira"), ("an aubergine", None), ("", None),
    ],
)  # fmt: skip
def test_style_words_resolve(words, style):
    assert find_style(words) == style


@pytest.mark.parametrize(
    ("words", "content"),
    [
        ("sprint", "dash"), ("jog", "run"), ("walking backwards", "walk-back"), ("turn right", "walk-turn-right"),
        ("sidestep left", "walk-left"), ("sidestep right", "walk-right"), ("walk-turn-left", "walk-turn-left"),
        ("wave", "wave-right-hand"), ("somersault", None),
    ],
)  # fmt: skip
def test_content_words_resolve(words, content):
    assert find_content(words) == content


def test_no_word_resolves_to_two_labels():
    for labels, synonyms in ((STYLES, style_synonyms), (CONTENTS, content_synonyms)):
        words = [(plain(word), label) for label in labels for word in {label, *synonyms(label)}]
        owners: dict[str, set[str]] = {}
        for word, label in words:
            owners.setdefault(word, set()).add(label)
        assert {word: labels for word, labels in owners.items() if len(labels) > 1} == {}


def test_an_unknown_label_is_a_readable_error():
    with pytest.raises(MotifmixError, match="'tango' is no content label"):
        content_synonyms("tango")
