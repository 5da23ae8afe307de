"""Volumes that two bodies share, against shapes whose overlap is known."""

from dataclasses import replace

import numpy as np
import pytest

from motifmix.drawing import mannequin
from motifmix.evaluation.body_overlap import mesh_overlap, overlap_volume
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot

CORNERS = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])
FACES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
     [1, 5, 7], [1, 7, 3]]
)  # fmt: skip
BOX = replace(mannequin.load(), vertices=CORNERS, faces=FACES)


@pytest.mark.parametrize(("shift", "litres"), [((0.5, 0.0, 0.0), 500.0), ((0.5, 0.7, 0.1), 135.0), ((1.2, 0, 0), 0.0)])
def test_boxes_share_what_they_share(shift: tuple[float, float, float], litres: float) -> None:
    shared = mesh_overlap(BOX, CORNERS + 0.0031, CORNERS + 0.0031 + np.array(shift))
    assert shared == pytest.approx(litres, rel=0.06)


def _standing(x: float) -> Motion:
    rotations = np.tile(rot.IDENTITY, (4, 22, 1))
    return Motion(MOTIFMIX, rotations, np.tile([x, 0.94, 0.0], (4, 1)), 30.0)


def test_a_body_inside_itself_is_a_whole_body_and_none_far_away() -> None:
    whole = overlap_volume(_standing(0.0), _standing(0.0))
    assert len(whole) == 2 and 40 < whole[0] < 90  # litres of a lean adult
    assert overlap_volume(_standing(0.0), _standing(5.0)).max() == 0.0
    touching = overlap_volume(_standing(0.0), _standing(0.25))
    assert 0.0 < touching[0] < whole[0]
