"""Feet of generated people are held where they rest, and nowhere else."""

import numpy as np
from tests.motion.test_leg_reach import bent, stepping

from motifmix.motion import Scene
from motifmix.motion.skeleton import LEFT_TOE, RIGHT_TOE
from motifmix.pipelines.settling import all_held, held, on_floor


def sliding(height: float = 0.0):
    person = on_floor(bent(stepping(0.0)))
    return person.moved(np.linspace(0.0, 0.3, 20)[:, None] * np.array([0.0, 0.0, 1.0]) + np.array([0.0, height, 0.0]))


def slid(motion, toe: int) -> float:
    return float(np.ptp(motion.joints[4:14, toe], axis=0).max())


def test_toes_stand_still_where_they_rest_on_the_floor():
    rests = np.zeros((20, 2), dtype=bool)
    rests[:18, 0] = True
    rests[8:11, 1] = True  # too short
    before, after = sliding(), held(sliding(), rests)
    assert slid(after, LEFT_TOE) < 0.01 < 0.1 < slid(before, LEFT_TOE)
    np.testing.assert_allclose(after.joints[:, RIGHT_TOE], before.joints[:, RIGHT_TOE], atol=1e-6)
    np.testing.assert_array_equal(after.root, before.root)
    assert rests[8:11, 1].all()  # what was given stays


def test_toes_in_the_air_do_not_rest():
    high = sliding(0.3)
    np.testing.assert_allclose(held(high, np.ones((20, 2), dtype=bool)).joints, high.joints, atol=1e-6)


def test_nobody_is_held_where_feet_are_left_as_they_are():
    scene = Scene((sliding(), sliding(0.01)))
    assert all_held(scene, ()) is scene
    first, second = all_held(scene, [np.ones((20, 2), dtype=bool), np.zeros((20, 2), dtype=bool)])
    assert slid(first, LEFT_TOE) < 0.01 < slid(second, LEFT_TOE)
