"""Of several ways to restyle people those are kept that show the styles and still tell the scene."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.pipelines.test_styled_scene import walker

import motifmix
from motifmix.encoders.text import MiniLM
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot
from motifmix.pipelines import styled_drafts as drafts
from motifmix.pipelines import styled_scene as scenes
from motifmix.pipelines.duet import Duet
from motifmix.pipelines.style_transfer import StyleTransfer
from motifmix.pipelines.styled_drafts import DEPTHS, SCALES, StyledReader, StyleReader, dive, jump


class Near:
    """Stands for a reader of sentences: finds a scene the likelier, the nearer people's mean distance is to ``wanted`` metres."""

    def __init__(self, wanted: float) -> None:
        self.wanted, self.seen = wanted, []

    def pairs_found(self, clean, text):
        self.seen.append((tuple(clean.shape), bool(text.any())))
        places = clean[:, :, :, [0, 2]]
        apart = (places[:, 0] - places[:, 1]).norm(dim=-1).mean(dim=-1)
        return torch.exp(-((apart - self.wanted) ** 2))

    def person_found(self, clean, own):
        return torch.full((len(clean),), 0.5)


@pytest.fixture(scope="module")
def reader() -> StyleReader:
    return StyleReader.load()


@pytest.fixture(scope="module")
def stylist() -> StyleTransfer:
    return StyleTransfer(motifmix.load())


def test_each_way_is_what_a_transfer_of_that_depth_and_scale_gives(stylist):
    person = walker(0.0, 0.3)
    (alone,) = stylist.transfer([person], ["old"], ["a person walks"], depth=0.8, style_scale=3.0, text_scale=2.0)
    made = stylist.variants(person, "old", "a person walks", depths=(0.4, 0.8), scales=(1.0, 3.0), text_scale=2.0)
    assert len(made) == 4
    np.testing.assert_allclose(made[3].joints, alone.joints, atol=1e-3)
    assert min(np.abs(made[3].joints - other.joints).max() for other in made[:3]) > 1e-3
    assert made[0].labels == alone.labels


def test_what_is_wanted_is_the_known_style_that_words_or_a_motion_name(reader, stylist):
    model = stylist.model
    old = reader.wanted(model, "old")
    assert old is not None and reader.names[int(old.argmax())] == "elderly" and old.sum() == 1.0
    blend = reader.wanted(model, [("old", 3.0), ("happy", 1.0)])
    assert blend is not None and blend[reader.names.index("elderly")] == pytest.approx(0.75)
    moved = reader.wanted(model, walker(0.0, 0.0))
    assert moved is not None and moved.sum() == pytest.approx(1.0, abs=1e-5) and 0 < moved.max() < 1
    assert reader.wanted(model, "flibbertigibbet") is None


def test_readers_are_none_that_score(reader):
    assert [judge.card.role for judge in reader.judges] == ["guide", "select"]


def test_the_way_that_shows_the_style_is_kept_and_beside_it_the_one_that_tells_the_scene():
    first = [walker(where, 0.0) for where in (0.0, 1.0, 1.1)]
    second = [walker(where, 0.0) for where in (4.0, 2.0, 3.0)]
    shown = [np.log([0.9, 0.2, 0.1]), np.log([0.5, 0.5, 0.5])]
    silent = StyledReader(None, None, MiniLM())  # pyright: ignore[reportArgumentType]
    assert silent.chosen([first, second], shown, [(0, 1)], "two people greet", ["a", "b"])[0] == [0, 0]
    near = Near(3.0)
    told = StyledReader(None, near, MiniLM())  # pyright: ignore[reportArgumentType]
    assert told.chosen([first, second], shown, [(0, 1)], "two people greet", ["a", "b"])[0] == [0, 2]
    assert all(shape[0] <= 3 and shape[1] == 2 and said for shape, said in near.seen)
    assert told.chosen([first[:1], second], [shown[0][:1], shown[1]], [(0, 1)], "", ["a", None])[0][0] == 0
    assert not near.seen[-1][1]


def test_only_who_has_a_text_and_a_style_that_is_known_is_restyled_in_several_ways(stylist, reader, monkeypatch):
    pair, asked = Scene((walker(0.0, 0.3), walker(2.0, 3.0))), []
    monkeypatch.setattr(
        stylist, "variants", lambda person, style, text, **given: asked.append((style, text, given)) or [person, person]
    )
    whole = StyledReader(reader, None, MiniLM())
    styled = scenes.styled_scene(
        stylist, pair, ["old", "flibbertigibbet"], 1.0, ["a person walks", "a person walks"], reader=whole
    )
    assert [own[:2] for own in asked] == [("old", "a person walks")]
    assert (asked[0][2]["depths"], asked[0][2]["scales"]) == (DEPTHS, SCALES)
    assert styled.people[1].labels["style"] == "flibbertigibbet"
    scenes.styled_scene(stylist, pair, ["old", "old"], 1.0, ["", None], reader=whole)
    assert len(asked) == 1


def test_a_single_draft_means_a_single_way():
    duet = object.__new__(Duet)
    duet.__dict__["_styled_reader"] = "readers"
    assert duet.styled_reader(1) is None and duet.styled_reader() == duet.styled_reader(4) == "readers"


def test_who_has_no_style_may_stand_on_a_skeleton_of_his_own(stylist, reader, monkeypatch):
    mine, other = walker(0.0, 0.3), walker(2.0, 3.0)
    own = replace(other, skeleton=replace(other.skeleton, offsets=1.1 * other.skeleton.offsets))
    assert not own.skeleton.same_as(mine.skeleton)
    monkeypatch.setattr(stylist, "variants", lambda person, *_, **__: [person, person])
    whole = StyledReader(reader, Near(3.0), MiniLM())  # pyright: ignore[reportArgumentType]
    styled = scenes.styled_scene(stylist, Scene((mine, own)), ["old", None], 1.0, ["a person walks", ""], reader=whole)
    assert styled.people[1] is own


def bent(by: float, travels: bool = True) -> Motion:
    """Somebody who walks, or stands, and leans forward ``by`` degrees from the middle on."""
    person = walker(0.0, 0.0)
    rotations, root = person.rotations.copy(), person.root.copy()
    rotations[20:, MOTIFMIX.index("spine1")] = rot.from_rotvec(np.radians(by) * np.array([1.0, 0.0, 0.0]))
    return replace(person, rotations=rotations, root=root if travels else np.tile(root[:1], (len(root), 1)))


def test_who_travels_does_not_dive():
    upright = walker(0.0, 0.0)
    assert dive(bent(30.0), upright) == 0.0  # people who run lean so
    assert dive(bent(80.0), upright) > 5.0
    assert dive(bent(90.0), bent(70.0)) < dive(bent(90.0), upright)  # he leaned before, too
    assert dive(bent(70.0), bent(70.0)) == 0.0
    assert dive(bent(80.0, travels=False), upright) == 0.0  # a bow


def snapping() -> Motion:
    """Somebody whose knee snaps over from one frame to the next."""
    snaps = walker(0.0, 0.0)
    snaps.rotations[20:, MOTIFMIX.index("left_knee")] = rot.from_rotvec(np.array([2.0, 0.0, 0.0]))
    return snaps


def test_a_limb_jumps_where_it_is_faster_than_before():
    calm, snaps = walker(0.0, 0.0), snapping()
    assert jump(calm, calm) == 0.0 == jump(snaps, snaps) and jump(snaps, calm) > 5.0


@pytest.mark.parametrize("spoilt", [bent(100.0), snapping()], ids=["dives", "snaps over"])
def test_a_way_that_nobody_moves_in_is_passed_over(reader, stylist, monkeypatch, spoilt):
    sound = walker(0.0, 0.0)
    monkeypatch.setattr(StyleTransfer, "variants", lambda *told, **ways: [spoilt, sound])
    monkeypatch.setattr(StyleReader, "shown", lambda self, motions, wanted: np.resize([0.0, -1.0], len(motions)))
    monkeypatch.setattr(scenes, "grounded", lambda styled, own: styled)
    monkeypatch.setattr(scenes, "lifted", lambda styled, own: styled)
    styled = scenes.styled_scene(
        stylist, Scene((walker(0.0, 0.0), walker(2.0, 3.0))), ["old", None], texts=["a person walks", None],
        reader=StyledReader(reader, None, MiniLM()),
    )  # fmt: skip
    np.testing.assert_allclose(styled.people[0].joints, sound.joints, atol=1e-6)


def test_limbs_are_offered_as_they_were_where_readers_can_choose(reader, stylist, monkeypatch):
    offered, asked = [], []
    monkeypatch.setattr(StyleTransfer, "variants", lambda *told, **ways: [walker(0.0, 0.0)])
    monkeypatch.setattr(StyleTransfer, "transfer", lambda *told, **ways: [walker(0.0, 0.0)])
    monkeypatch.setattr(
        scenes, "with_limbs_of", lambda styled, own, weights: asked.append(float(weights.max())) or styled
    )
    monkeypatch.setattr(scenes, "deeds", lambda own: np.ones((40, 5)))
    monkeypatch.setattr(scenes, "ways_to_keep", lambda own: [np.zeros(5), np.full(5, 0.25), np.ones(5)])
    monkeypatch.setattr(
        StyleReader, "shown", lambda self, motions, wanted: offered.append(len(motions)) or np.zeros(len(motions))
    )
    monkeypatch.setattr(StyleReader, "wanted", lambda self, model, style: None if style == "happy" else np.ones(1))
    scene, texts = Scene((walker(0.0, 0.0), walker(2.0, 3.0))), ["a person walks", None]
    for style, read, kept in (("old", True, [0.0, 0.25, 1.0]), ("happy", True, [0.5]), ("old", False, [0.0])):
        asked.clear()
        chooses = StyledReader(reader, None, MiniLM()) if read else None
        scenes.styled_scene(stylist, scene, [style, None], texts=texts, reader=chooses)
        assert asked == kept
    assert offered == [3]  # ways of the one style that readers tell


def test_ways_that_cannot_win_are_not_read_and_the_choice_is_the_same(reader, monkeypatch):
    rng = np.random.default_rng(0)
    read: list[int] = []

    class Told:
        """Says of way n of anybody, and of every two ways, what a table has."""

        def __init__(self, told, ways, pairs, text, own):
            self.ways = ways
            read.append(sum(len(each) for each in ways))

        def own(self, person):
            return np.log(alone[person, self.ways[person]] + drafts.LEAST) / 2

        def beside(self, person, among, others):
            other = self.ways[1 - person][others[1 - person]]
            mine = np.array(self.ways[person])[among]
            return np.log((both[mine, other] if person == 0 else both[other, mine]) + drafts.LEAST)

        def together(self, taken):
            return float(self.beside(0, [taken[0]], taken)[0])

    monkeypatch.setattr(drafts, "_Scenes", Told)
    monkeypatch.setattr(StyledReader, "_vector", lambda self, text: torch.zeros(384))
    chooser = StyledReader(reader, object(), MiniLM())  # pyright: ignore[reportArgumentType]
    ways: Any = [range(60)] * 2  # numbers stand for motions
    for _ in range(50):
        alone, both = rng.random((2, 60)) ** 3, rng.random((60, 60)) ** 3
        shown = [np.log(rng.random(60) ** 4 + drafts.LEAST) for _ in range(2)]
        chosen = []
        for span in (drafts.SPAN, np.inf):
            with monkeypatch.context() as patch:
                patch.setattr(drafts, "SPAN", span)
                chosen.append(chooser.chosen(ways, shown, [(0, 1)], "", ["", ""]))
        assert chosen[0] == chosen[1]
    assert max(read[::2]) < 120 == min(read[1::2])


def test_of_drafts_that_is_kept_which_takes_the_styles_best(reader, stylist, monkeypatch):
    first, second = (Scene((walker(0.0, 0.0), walker(there, 3.0))) for there in (2.0, 4.0))
    asked = []
    monkeypatch.setattr(
        StyleTransfer, "variants", lambda self, person, style, text, **ways: asked.append(ways["depths"]) or [person]
    )
    monkeypatch.setattr(
        StyledReader, "chosen", lambda self, ways, *told: ([0, 0], float(ways[1][0] is second.people[1]))
    )
    whole = StyledReader(reader, Near(3.0), MiniLM())  # pyright: ignore[reportArgumentType]
    told = {"texts": ["a person walks", None], "reader": whole}
    for number, drafts_ in enumerate(([(second, ()), (first, ())], [(first, ()), (second, ())])):
        scene, kept = scenes.styled_draft(stylist, drafts_, ["old", None], **told)
        assert kept == number and scene.people[1] is second.people[1]
    assert set(asked) == {scenes.FEW_DEPTHS}
    asked.clear()
    assert scenes.styled_draft(stylist, [(first, ())], ["old", None], **told)[1] == 0 and asked == [DEPTHS]
    monkeypatch.setattr(StyleTransfer, "transfer", lambda self, people, *told, **how: list(people))
    for style, reads in (("flibbertigibbet", whole), ("old", None)):  # nobody can choose: the draft that was told best
        drafts_ = [(first, ()), (second, ())]
        assert scenes.styled_draft(stylist, drafts_, [style, None], texts=told["texts"], reader=reads)[1] == 0


def test_feet_of_everybody_are_held_in_the_end_where_it_is_known_when_they_rest(stylist, monkeypatch):
    sliding, other = walker(0.0, 0.0), walker(2.0, 3.0)
    monkeypatch.setattr(StyleTransfer, "transfer", lambda self, people, *told, **how: list(people))
    held = []
    monkeypatch.setattr("motifmix.pipelines.settling.held", lambda person, rests: held.append(rests) or person)
    rests = [np.ones((40, 2), dtype=bool), np.zeros((40, 2), dtype=bool)]
    scenes.styled_draft(stylist, [(Scene((sliding, other)), rests)], ["old", None])
    assert len(held) == 2 and all(one is own for one, own in zip(held, rests, strict=True))
