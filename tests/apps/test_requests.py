"""What a person may ask for, and what is said when it cannot be."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.joint_files import write_picture, write_sound

from motifmix.apps.requests import MAX_SEED, OF_A_STYLE, STYLE_FILES, StyleReference, check_acts, checked
from motifmix.errors import RequestError
from motifmix.files.video import VIDEO_SUFFIXES
from motifmix.style.references import ENCODED_SUFFIXES, MOTION_SUFFIXES


def asked(**fields):
    return checked(fields.pop("styles", ()), **{"text": "a person walks", **fields})


def test_what_may_be_asked_for_is_what_a_style_is_read_from():
    assert set(STYLE_FILES) == {*MOTION_SUFFIXES, *VIDEO_SUFFIXES, *ENCODED_SUFFIXES}


@pytest.mark.parametrize(
    ("written", "reference", "weight"),
    [
        ("old", "old", 1.0),
        ("old:0.7", "old", 0.7),
        ("old:.5", "old", 0.5),
        ("old:2", "old", 2.0),
        ("old : 0.5", "old", 0.5),
        ("old :0.5", "old", 0.5),
        ("as one walks at 10 : 30", "as one walks at 10 : 30", 1.0),
        ("and/or slowly", "and/or slowly", 1.0),
        ("like somebody who is late: very late", "like somebody who is late: very late", 1.0),
        ("as one walks at 10:30", "as one walks at 10:30", 1.0),
        ("10:30", "10:30", 1.0),
        ("as one walks at 10:30:0.5", "as one walks at 10:30", 0.5),
        ("tired: 2", "tired: 2", 1.0),
        ("with a limp:1.", "with a limp", 1.0),
        ("  proud \n and slow ", "proud and slow", 1.0),
        ("gelassen, wie im Öl:0.3", "gelassen, wie im Öl", 0.3),
    ],
)
def test_a_style_is_read_as_people_write_it(written, reference, weight):
    assert StyleReference.parse(written) == StyleReference(reference, weight)


@pytest.mark.parametrize("name", ["old.bvh", "C:\\clips\\old.bvh", "take 10:30.npz", "old.BVH"])
@pytest.mark.parametrize(("tail", "weight"), [("", 1.0), (":0.5", 0.5)])
def test_a_file_is_a_style_with_or_without_a_weight(tmp_path, monkeypatch, name, tail, weight):
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("x")
    assert StyleReference.parse(name + tail) == StyleReference(Path(name), weight)


def test_a_file_beside_the_table_is_found_first(tmp_path):
    (tmp_path / "old.bvh").write_text("x")
    assert StyleReference.parse("old.bvh:2", tmp_path) == StyleReference(tmp_path / "old.bvh", 2.0)


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("missing.bvh", "does not exist"),
        ("C:\\clips\\missing.bvh:0.5", "does not exist"),
        ("photo.jpg", "does not exist"),
        ("clip.fbx", "cannot be read"),
        ("nowhere/", "folder .* does not exist"),
        ("", "is empty"),
        ("old:0", "above 0"),
        ("old:11", "at most 10"),
        ("old:-1", "above 0"),
        ("old:abc", "'abc' is no weight; write a number, as in old:0.5"),
        ("old:", "'' is no weight"),
        (":0.5", "no style before the weight; name one, as in old:0.5"),
        (" : 0.5", "no style before the weight"),
        ("old:0.5:0.5", "two weights; give one, as in old:0.5"),
        ("old : 0.5 : 2", "two weights"),
        ("old:0.5:10", "two weights"),
        (":1:0.5", "two weights"),
        ("../../x", "style file '../../x' does not exist; check the path"),
        (".", "style '.' has no letter"),
        (":", "has no letter"),
        ("clips/../x:0.5", "does not exist"),
        ("./old", "does not exist"),
        ("/nowhere/old", "does not exist"),
        ("~/old", "does not exist"),
        ("..\\old", "does not exist"),
        ("C:\\clips\\old", "does not exist"),
        (__file__, "of a kind that cannot be read; use one of"),
        ("like an old man:0,5", "'0,5' is no weight"),
        ("x" * 1001, "at most 1,000"),
        ("old\udcff", "no letters"),
    ],
)
def test_a_style_that_cannot_be_met_is_refused_in_words(style, words):
    with pytest.raises(RequestError, match=words):
        asked(styles=[style])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_is_there_and_no_file_is_not_said_to_be_missing(tmp_path):
    (tmp_path / "null.bvh").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "folder.bvh").mkdir()
    for name, words in (
        ("null.bvh", "a device"),
        ("pipe.npz:0.5", "is a pipe"),
        ("folder.bvh", "is a folder; put a slash"),
    ):
        with pytest.raises(RequestError, match=words):
            asked(styles=[name], style_folder=tmp_path)


def test_a_folder_is_a_style_when_a_slash_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    assert StyleReference.parse("old") == StyleReference("old")
    assert StyleReference.parse("old/") == StyleReference(Path("old"))
    assert StyleReference.parse("./old/:0.4") == StyleReference(Path("old"), 0.4)
    assert StyleReference.parse("and/or slowly") == StyleReference("and/or slowly")
    mixed = asked(styles=["happy:0.6", "old/:0.4"]).style
    assert mixed == [("happy", 0.6), (Path("old"), 0.4)]


@pytest.mark.parametrize(("name", "kind"), [("photo.JPG", "picture"), ("photo.webp", "picture"), ("rain.wav", "sound")])
def test_a_picture_or_a_sound_says_which_weights_it_needs(tmp_path, name, kind):
    (write_sound if kind == "sound" else write_picture)(tmp_path / name)
    with pytest.raises(RequestError, match=rf"a {kind} as a style is read by ImageBind.*4\.8 GB.*https:.*CC BY-NC"):
        asked(styles=[f"{name}:0.5"], style_folder=tmp_path)


def test_a_blend_of_nothing_is_refused():
    with pytest.raises(RequestError, match="above 0"):
        asked(styles=["old:0", "happy:0"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": ""}, "text is empty"),
        ({"text": " \t\n "}, "text is empty"),
        ({"text": "a" * 10_000}, "10,000 characters; at most 1,000"),
        ({"text": "walk\udcff"}, "no letters"),
        ({"seconds": 0}, "from 1 to 10; 0 was asked"),
        ({"seconds": 11}, "from 1 to 10; 11 was asked"),
        ({"seconds": 600}, "from 1 to 10; 600 was asked"),
        ({"seconds": float("nan")}, "from 1 to 10; nan"),
        ({"seconds": "soon"}, "'soon' is no number"),
        ({"seed": -1}, "whole number from 0"),
        ({"seed": "1.5"}, "whole number from 0"),
        ({"seed": MAX_SEED + 1}, "whole number from 0"),
        ({"count": 0}, "from 1 to 100"),
        ({"count": 101}, "from 1 to 100"),
        ({"strength": 2.1}, "from 0 to 2"),
        ({"strength": float("inf")}, "from 0 to 2"),
        ({"fps": 0}, "from 1 to 240"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_the_bounds(fields, words):
    with pytest.raises(RequestError, match=words) as caught:
        asked(**fields)
    assert "\n" not in str(caught.value)


def test_bounds_themselves_are_allowed():
    request = asked(text="a" * 1000, seconds=10, seed=MAX_SEED, count=100, strength=0, fps=240)
    assert (request.seconds, request.strength, request.seed) == (10.0, 0.0, MAX_SEED)
    assert asked(seconds="1.0", seed=" 7 ").seconds == 1.0


def test_an_open_length_and_seed_stay_open_and_takes_get_seeds_of_their_own():
    request = asked(seconds=None, seed="", count=3)
    assert request.seconds is None and request.seed is None
    first, second, third = request.seeds()
    assert (second, third) == (first + 1, first + 2)
    assert asked(seed=MAX_SEED, count=2).seeds() == [MAX_SEED, 0]


def test_the_pipeline_gets_one_style_or_a_blend():
    assert asked().style is None
    assert asked(styles=["old"]).style == "old"
    blend = asked(styles=["old:0.7", "happy:0.3"])
    assert blend.style == [("old", 0.7), ("happy", 0.3)]
    assert blend.style_label == "old:0.7, happy:0.3"


@given(st.text(max_size=60))
@example("/")
@example("./")
def test_no_style_is_a_bug_and_what_is_read_can_be_said_again(written):
    try:
        style = StyleReference.parse(written)
    except ValueError as error:
        assert str(error)
    else:
        assert style.name and 0 < style.weight <= 10
        again = StyleReference.parse(f"{style.name}:{style.weight}")
        assert again.weight == style.weight and again.name == style.name


def test_the_weight_of_one_style_alone_is_its_strength():
    assert asked(styles=["old:0.5"]).style == "old"
    assert asked(styles=["old:0.5"], strength=1.2).acting_strength == pytest.approx(0.6)
    assert asked(styles=["old:2"]).acting_strength == asked(styles=["old:10"], strength=0.2).acting_strength == 2.0
    assert asked(styles=["old:0.5", "happy:0.5"], strength=1.2).acting_strength == 1.2
    assert asked(styles=["old:10", "happy:5"]).acting_strength == 1.0
    assert asked(strength=0.3).acting_strength == 0.3


@pytest.mark.parametrize(
    ("style", "strength", "words"),
    [
        ("old:2.1", 1, "strength, which goes from 0 to 2; old:2.1 was asked"),
        ("old:10", 1, "old:10 was asked"),
        ("old:1.5", 1.5, "old:1.5 times the strength 1.5 is 2.25"),
    ],
)
def test_the_weight_of_one_style_alone_is_not_cut_in_silence(style, strength, words):
    with pytest.raises(RequestError, match=words):
        asked(styles=[style], strength=strength)


BELONGS = "belongs to a style, and no --style is given; name one, or leave {} out"


@pytest.mark.parametrize("name", ["strength", *OF_A_STYLE])
def test_an_option_of_a_style_is_refused_where_there_is_none(name):
    option = f"--{name.replace('_', '-')}"
    fields = {"strength": 0.5} if name == "strength" else {"sampling": {name: 1}}
    with pytest.raises(RequestError, match=f"^{option} {BELONGS.format(option)}$"):
        check_acts(request := asked(**fields), [request])
    check_acts(asked(**fields), [asked(), asked(styles=["old"])])


def test_options_at_their_defaults_were_not_given():
    check_acts(asked(), [asked()])
    check_acts(asked(sampling={"gradient": 0, "steps": 4, "text_scale": 3}), [asked()])


@pytest.mark.parametrize(
    ("style", "fields", "words"),
    [
        ("old", {"style_from": "content"}, "--style-from content belongs to videos"),
        ("a.npz", {"style_from": "content"}, "--style-from content belongs to videos"),
        ("old", {"style_by": "projection"}, "--style-by projection belongs to pictures"),
        ("a.mp4", {"style_by": "projection"}, "--style-by projection belongs to pictures"),
        ("a.mp4", {"style_from": "content", "style_by": "projection"}, None),
        ("a.mp4", {"style_from": "content"}, None),
        ("folder/", {"style_from": "content", "style_by": "projection"}, None),
    ],
)
def test_how_a_style_is_read_belongs_to_files_of_a_kind(tmp_path, style, fields, words):
    (tmp_path / "folder").mkdir()
    for name in ("a.npz", "a.mp4"):
        (tmp_path / name).write_bytes(b"")
    request = asked(styles=[style], style_folder=tmp_path, **fields)
    if words is None:
        check_acts(request, [request])
        return
    with pytest.raises(RequestError, match=words):
        check_acts(request, [request])
