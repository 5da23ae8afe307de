import numpy as np
import pytest

from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.capsules import RADII, clearance, segment_distance, segments


def standing(x=0.0, frames=2):
    rotations = np.tile(rot.IDENTITY, (frames, len(MOTIFMIX), 1))
    return Motion(MOTIFMIX, rotations, np.tile([x, 0.9, 0.0], (frames, 1)), 30.0)


def test_segments_are_as_far_apart_as_their_nearest_points():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 50, 2, 3))
    steps = np.linspace(0, 1, 201)[:, None]
    for a, b, found in zip(first, second, segment_distance(first, second), strict=True):
        points = [s[0] + steps * (s[1] - s[0]) for s in (a, b)]
        least = np.linalg.norm(points[0][:, None] - points[1][None], axis=-1).min()
        assert found == pytest.approx(least, abs=0.02) and found <= least + 1e-9


def test_people_in_one_place_are_inside_each_other_and_far_ones_are_not():
    assert clearance(standing(), standing(0.1)).max() < 0
    span = segments(standing())[..., 0].max()  # in the T-pose fingertips meet first
    assert clearance(standing(), standing(2 * span + 0.2))[0] == pytest.approx(0.2 - 2 * RADII[-1], abs=0.01)
    assert clearance(standing(), standing(9.0)).min() > 0.5
    assert clearance(standing(frames=2), standing(9.0, frames=5)).shape == (2,)
