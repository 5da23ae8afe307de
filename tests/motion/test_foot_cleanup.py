"""Cleaning feet: a resting foot holds still, a swinging one is left alone, no joint angle changes."""

import numpy as np
import pytest

from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.contacts import RESTING_TOE_HEIGHT
from motifmix.motion.foot_cleanup import cleaned_feet
from motifmix.motion.skeleton import LEFT_TOE, RIGHT_TOE


def gliding(speed: float, frames: int = 40, height: float = 0.93) -> Motion:
    root = np.stack([np.zeros(frames), np.full(frames, height), speed * np.arange(frames) / 20], axis=-1)
    return Motion(MOTIFMIX, np.tile(rot.IDENTITY, (frames, 22, 1)), root, 20.0)


def test_a_person_who_stands_and_slides_comes_to_rest_on_the_floor():
    motion = gliding(0.1).grounded().moved(np.array([0.0, 0.04, 0.0]))
    cleaned = cleaned_feet(motion)
    toes = cleaned.joints[:, [LEFT_TOE, RIGHT_TOE]]
    assert np.ptp(toes[..., [0, 2]], axis=0).max() < 1e-6
    np.testing.assert_allclose(toes[..., 1], RESTING_TOE_HEIGHT, atol=1e-6)
    np.testing.assert_array_equal(cleaned.rotations, motion.rotations)


def test_somebody_who_flies_fast_keeps_the_path():
    motion = gliding(2.0).grounded()
    np.testing.assert_allclose(cleaned_feet(motion).root, motion.root, atol=1e-6)


def test_somebody_far_above_the_floor_is_not_pulled_down():
    motion = gliding(0.0).grounded().moved(np.array([0.0, 0.5, 0.0]))
    np.testing.assert_allclose(cleaned_feet(motion).root, motion.root, atol=1e-9)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_clips_pass(frames):
    assert cleaned_feet(gliding(0.1, frames)).frames == frames
