"""Sitting down and standing up are found by geometry, in takes that train without text, and get sentences of their own."""

import numpy as np
import pytest
from tests.data.leaks import leaks
from tests.data.published import cmu_entry, cmu_files, write_archive

from motifmix.data.actions import actions
from motifmix.data.captions import mirror_words
from motifmix.data.events import ACTIONS, CAPTIONS, Event, all_captions, event_captions, seat_events
from motifmix.data.prepare import prepare
from motifmix.data.prepared import Prepared
from motifmix.data.reserved import is_reserved
from motifmix.motion import MOTIFMIX
from motifmix.motion.skeleton import LEFT_ANKLE, LEFT_TOE, RIGHT_ANKLE, RIGHT_TOE

STANDS, CHAIR, STOOL, FLOOR, HIGH_STOOL = 0.93, 0.55, 0.45, 0.15, 0.80
FEET = [LEFT_ANKLE, LEFT_TOE, RIGHT_ANKLE, RIGHT_TOE]


def heights(*kept: tuple[float, float], change: float = 0.8) -> np.ndarray:
    """Heights of a pelvis at 30 fps that keeps each height for some seconds, with changes between them."""
    times, values, now = [], [], 0.0
    for height, seconds in kept:
        times += [now, now + seconds]
        values += [height, height]
        now += seconds + change
    return np.interp(np.arange(round(30 * (now - change))) / 30, times, values)


def body(pelvis: np.ndarray, trunk: float = 1.0) -> np.ndarray:
    """Joints of a person whose feet stay on the floor; ``trunk`` 0 has the head no higher than the pelvis."""
    joints = np.tile(MOTIFMIX.rest_positions, (len(pelvis), 1, 1))
    above = joints[..., 1] > 0
    joints[..., 1] = np.where(above, trunk * joints[..., 1], joints[..., 1]) + pelvis[:, None]
    joints[:, FEET, 1] = 0.03
    return joints


def found(pelvis: np.ndarray, trunk: float = 1.0) -> list[tuple[str, str]]:
    return [(event.deed, event.seat) for event in seat_events(body(pelvis, trunk))]


def test_a_change_is_cut_with_what_is_held_before_and_after():
    pelvis = heights((STANDS, 3.0), (CHAIR, 20.0), (STANDS, 3.0))
    down, up = seat_events(body(pelvis))
    assert (down.deed, up.deed) == ("sit down", "stand up") and down.seat == up.seat == "chair"
    for event, (before, after) in ((down, (STANDS, CHAIR)), (up, (CHAIR, STANDS))):
        part = pelvis[event.first : event.end]
        assert 60 <= len(part) <= 180
        np.testing.assert_allclose(part[:15], before, atol=0.03)
        np.testing.assert_allclose(part[-15:], after, atol=0.03)


def test_down_and_up_within_ten_seconds_is_said_as_both_too():
    assert found(heights((STANDS, 2.0), (STOOL, 2.0), (STANDS, 2.0))) == [
        ("sit down", "low seat"),
        ("sit down and stand up", "low seat"),
        ("stand up", "low seat"),
    ]
    assert len(found(heights((STANDS, 2.0), (STOOL, 9.0), (STANDS, 2.0)))) == 2


def test_what_is_not_wholly_there_is_no_event():
    assert found(heights((CHAIR, 5.0), (STANDS, 5.0))) == [("stand up", "chair")]
    assert found(heights((STANDS, 0.2), (CHAIR, 5.0))) == []
    assert found(heights((STANDS, 3.0), (CHAIR, 0.3), (STANDS, 3.0))) == []
    assert found(heights((STANDS, 3.0), (CHAIR, 3.0), change=8.0)) == []


def test_leaning_crawling_and_standing_on_something_are_not_sitting():
    assert found(heights((STANDS, 3.0), (HIGH_STOOL, 3.0), (STANDS, 3.0))) == []
    assert found(heights((STANDS, 3.0), (STOOL, 3.0), (STANDS, 3.0)), trunk=0.0) == []
    assert found(heights((1.35, 3.0), (CHAIR, 3.0))) == []


def test_who_lies_does_not_sit_down_but_gets_up_from_the_floor():
    assert found(heights((STANDS, 3.0), (FLOOR, 15.0), (STANDS, 3.0)), trunk=0.0) == [("stand up", "floor")]
    assert found(heights((STANDS, 3.0), (FLOOR, 15.0)))[0] == ("sit down", "floor")


def test_sentences_are_many_everyday_and_no_public_prompt():
    texts = all_captions()
    assert not [text for text in texts if is_reserved(None, text) or mirror_words(text) != text or "(" in text]
    for deed in ACTIONS:
        for seat in ("chair", "low seat", "floor"):
            drawn = [event_captions(Event(deed, 0, 90, seat), f"cmu/{n}") for n in range(60)]
            said = {text for own in drawn for text in own}
            assert len(said) >= 8 and said <= set(texts)
            assert all(len(set(own)) == CAPTIONS for own in drawn)
            assert drawn[0] == event_captions(Event(deed, 0, 90, seat), "cmu/0")
            assert not any(("chair" in text or "stool" in text) and seat == "floor" for text in said)


@pytest.fixture(scope="module")
def cmu(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seats")
    sinks = heights((0.0, 3.0), (-0.4, 2.0), (0.0, 6.0))
    said = {"seconds": len(sinks) / 30, "description": "sit, stand up"}
    entries = [
        cmu_entry("35_01", "a person sits down and stands up", **said),
        cmu_entry("20_01", "a person sits down and stands up", **said),
        cmu_entry("35_02", "a person bends and reaches", seconds=len(sinks) / 30, description="bend, reach"),
        cmu_entry("35_03", "a person sits down and stands up", seconds=7.0, description="sit, stand up"),
    ]
    motions = {entry["clip"]: {"heights": sinks, "frames": len(sinks), "speed": 0.0} for entry in entries[:3]}
    prepare("cmu", write_archive(cmu_files(entries, motions), folder / "cmu.tar.xz"), folder / "out")
    return Prepared(folder / "out")


def test_segments_stand_beside_a_take_that_stays_without_text(cmu):
    own = [clip for clip in cmu.clips if clip.id.startswith("cmu/35_01") and clip.mirror_of is None]
    take, *segments = own
    assert take.text_rule == "none" and take.captions == () and take.whole_take
    assert [clip.actions for clip in segments] == [("sit",), ("sit", "stand up"), ("stand up",)]
    for clip in segments:
        assert clip.text_rule == "whole" and clip.text_seconds == pytest.approx(clip.seconds, abs=1e-3)
        assert len(clip.captions) == CAPTIONS and not clip.whole_take and 2.0 <= clip.seconds <= 6.0
        assert set(clip.actions) & {tag for text in clip.captions for tag in actions(text)}
        rise = np.diff(cmu.motion(clip).joints[[0, -1], 0, 1])[0]
        assert rise == pytest.approx({("sit",): -0.4, ("stand up",): 0.4}.get(clip.actions, 0.0), abs=0.06)
        assert np.abs(cmu.motion(clip).root[0, [0, 2]]).max() < 1e-6
        twin = cmu.by_id[f"{clip.id}:mirrored"]
        assert twin.captions == clip.captions and twin.start == clip.start


def test_segments_keep_the_side_and_only_takes_that_name_it_have_them(cmu):
    assert leaks(list(cmu.clips)) == []
    for clip in cmu.clips:
        assert clip.split == ("test" if clip.subject == "20" else "train")
        assert clip.split_group == ("cmu/20+21" if clip.subject == "20" else "cmu/35")
    assert {len(clip.captions) for clip in cmu.select(split="test", captioned=True)} == {1}
    count = {name: sum(clip.id.startswith(f"cmu/{name}") for clip in cmu.clips) for name in ("20_01", "35_02", "35_03")}
    assert count == {"20_01": 8, "35_02": 2, "35_03": 2}
