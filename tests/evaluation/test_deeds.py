"""Geometry tells what a person does: made movements pass the check of what they do, and of nothing else."""

import numpy as np
import pytest

from motifmix.evaluation.deeds import DEEDS, FPS, does, lowering, swings
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot

FRAMES = 60
ARMS_DOWN = {"left_shoulder": [0, 0, -1.4], "right_shoulder": [0, 0, 1.4]}
TIME = np.arange(FRAMES) / FPS
LATER = np.clip(2.0 * (TIME - 1.0), 0.0, 1.0)  # a second of rest, half a second of change, rest


def moved(turns=None, root=None, arms=ARMS_DOWN) -> Motion:
    """A person with arms down whose joints turn by vectors ``[T, 3]`` and whose root shifts by ``[T, 3]``."""
    rotations = np.tile(rot.IDENTITY, (FRAMES, len(MOTIFMIX), 1))
    for joint, vector in {**arms, **(turns or {})}.items():
        rotations[:, MOTIFMIX.index(joint)] = rot.from_rotvec(np.asarray(vector, dtype=float) + np.zeros((FRAMES, 3)))
    path = np.zeros((FRAMES, 3)) if root is None else np.asarray(root, dtype=float)
    standing = Motion(MOTIFMIX, rotations, path, FPS)
    return standing.moved(np.array([0.0, 0.947, 0.0]))


def along(axis: int, values: np.ndarray) -> np.ndarray:
    path = np.zeros((FRAMES, 3))
    path[:, axis] = values
    return path


def seated(amount: np.ndarray) -> Motion:
    """Thighs forward, shins down, the pelvis lower by most of a thigh."""
    bend = {f"{side}_hip": along(0, -1.4 * amount) for side in ("left", "right")}
    bend |= {f"{side}_knee": along(0, 1.4 * amount) for side in ("left", "right")}
    return moved(bend, along(1, -0.391 * (1 - np.cos(1.4 * amount))))


def punching() -> Motion:
    """The upper arm swings from beside the body to the front while the elbow stretches, in a quarter second."""
    out = np.clip(4.0 * (TIME - 1.0), 0.0, 1.0)
    forward, bent = along(1, -1.5 * np.ones(FRAMES)), along(1, -2.2 * (1 - out))
    return moved({"left_shoulder": forward, "left_elbow": bent})


BOW = {"spine1": along(0, 1.0 * LATER)}
HOP = 0.35 * np.clip(1 - (4 * (TIME - 1.0) - 1) ** 2, 0.0, None)
KICK = {"right_hip": along(0, -1.4 * np.clip(1 - np.abs(TIME - 1.5) * 4, 0.0, None))}
WAVE = {"right_shoulder": along(2, -0.6 + 0.4 * np.sin(2 * np.pi * 1.5 * TIME))}
UP = {"left_shoulder": along(2, -1.4 + 2.4 * LATER), "right_shoulder": along(2, 1.4 - 2.4 * LATER)}
MADE = {
    "standing": (moved(), set()),
    "walk": (moved(root=along(2, 1.2 * TIME)), {"walk"}),
    "walk backwards": (moved(root=along(2, -1.2 * TIME)), {"walk", "walk backwards"}),
    "run": (moved(root=along(2, 3.0 * TIME)), {"walk", "run"}),
    "jump": (moved(root=along(1, HOP)), {"jump"}),
    "sit down": (seated(LATER), {"sit down", "crouch"}),
    "stand up": (seated(1 - LATER), {"stand up", "crouch"}),
    "sit for a moment": (seated(LATER * (0.7 * TIME[-1] > TIME)), {"crouch", "stand up"}),
    "bow": (moved(BOW), {"bow"}),
    "kick": (moved(KICK), {"kick"}),
    "punch": (punching(), {"punch"}),
    "wave": (moved(WAVE), {"wave"}),
    "raise both hands": (moved(UP), {"raise both hands"}),
    "turn around": (moved({"pelvis": along(1, 2.8 * LATER)}), {"turn around"}),
}


@pytest.mark.parametrize("name", MADE)
def test_a_made_movement_does_what_it_was_made_for_and_nothing_else(name):
    motion, own = MADE[name]
    assert {deed for deed in DEEDS if does(deed, motion)} == own


@pytest.mark.parametrize("name", ["walk", "kick", "punch", "sit down"])
def test_neither_heading_nor_place_nor_frame_rate_changes_a_deed(name):
    motion, own = MADE[name]
    other = motion.resampled(30.0).turned(2.0).moved(np.array([3.0, 0.4, -1.0]))
    assert {deed for deed in DEEDS if does(deed, other)} == own


def test_only_a_height_that_is_held_counts_and_only_strokes_beyond_the_least():
    dip = np.where((TIME > 1.0) & (TIME < 1.3), 0.5, 0.9)
    assert lowering(dip) == 0.0 and lowering(np.where(TIME > 1.0, 0.5, 0.9)) == pytest.approx(0.4)
    assert lowering(np.where(TIME > 1.0, 0.9, 0.5)) == 0.0 and lowering(np.array([0.9, 0.5])) == 0.0
    sway = 0.1 * np.sin(2 * np.pi * TIME)
    up = np.ones(FRAMES, dtype=bool)
    assert swings(sway, up) == 7 and swings(0.1 * sway, up) == 0 and swings(sway, ~up) == 0
