"""Checks of how two people stand and go."""

import numpy as np
import pytest

from motifmix.data.duets.interactions import INTERACTIONS
from motifmix.evaluation.deeds import DEEDS
from motifmix.evaluation.duet_staging import DEED_OF, LAYOUTS, Stands, done
from motifmix.features.interhuman import InterHumanSpace
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot

TIME = np.linspace(0.0, 1.0, 31)


def stands(first, second, looks=(0.0, 0.0)):
    """Two people on straight ways ((x, z) from, (x, z) to), who look in directions (degrees, 0 = +Z)."""
    places = np.stack([np.outer(1 - TIME, start) + np.outer(TIME, end) for start, end in (first, second)])
    return Stands(places, np.radians(np.repeat(np.array(looks)[:, None], len(TIME), axis=1)))


SCENES = {
    "face_to_face": stands(((0, 0), (0, 0)), ((0, 2), (0, 2)), (0, 180)),
    "shoulder_to_shoulder": stands(((0, 0), (0, 0)), ((1, 0), (1, 0))),
    "side_by_side": stands(((0, 0), (0, 2)), ((0.8, 0), (0.8, 2))),
    "one_behind": stands(((0, 1), (0, 3)), ((0, 0), (0, 2))),
    "driven_back": stands(((0, 0), (0, 2)), ((0, 1), (0, 3)), (0, 180)),
    "towards_each_other": stands(((0, 0), (0, 2)), ((0, 6), (0, 3)), (0, 180)),
    "apart": stands(((0, 0), (0, -2)), ((0, 1), (0, 3)), (180, 0)),
    "past_each_other": stands(((0, 0), (0, 4)), ((1, 4), (1, 0)), (0, 180)),
    "across": stands(((0, 0), (0, 4)), ((-2, 2.5), (2, 2.5)), (0, 90)),
    "before_a_fist": stands(((0, 0), (0, 0.1)), ((0, 1), (0, 3)), (0, 180)),
    "arriving": stands(((0, 0), (0, 0)), ((0, 4), (0, 1)), (0, 180)),
    "leaving": stands(((0, 0), (0, 0)), ((0, 1), (0, 4))),
    "before_the_eyes": stands(((0, 0), (0, 0)), ((-2, 1.5), (2, 1.5)), (0, 90)),
    "shown_the_way": stands(((0, 0), (0, 0)), ((-1, 1), (2, 2)), (0, 60)),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_passes_the_check_of_its_layout(name):
    assert LAYOUTS[name](SCENES[name])


def test_scenes_of_other_layouts_fail():
    told_apart = [
        "shoulder_to_shoulder", "side_by_side", "one_behind", "driven_back", "towards_each_other", "apart", "past_each_other",
        "across", "arriving",
    ]  # fmt: skip
    for name in told_apart:
        passing = {other for other, scene in SCENES.items() if LAYOUTS[name](scene)}
        assert passing <= {name, *(["side_by_side"] if name == "shoulder_to_shoulder" else [])}, name


def test_every_type_has_a_check_and_every_deed_is_one():
    assert {interaction.layout for interaction in INTERACTIONS} <= LAYOUTS.keys()
    assert set(DEED_OF.values()) <= DEEDS.keys()


def test_who_stands_still_has_not_walked_and_who_has_no_check_is_left_out():
    frames = 61
    rotations = np.tile(rot.IDENTITY, (frames, len(MOTIFMIX), 1))
    place = np.tile([0.0, 0.95, 0.0], (frames, 1))
    walk = place + np.linspace(0, 2, frames)[:, None] * np.array([0.0, 0.0, 1.0])
    people = np.stack([InterHumanSpace().encode(Motion(MOTIFMIX, rotations, way, 30.0)) for way in (place, walk)])
    assert done(("walk", "walk"), people).tolist() == [0.0, 1.0]
    assert np.isnan(done(("guide", "walk"), people)).tolist() == [True, False]
