"""People of a generated scene on the floor, with feet that rest where they rest."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from motifmix.motion import Motion, Scene
from motifmix.motion.contacts import floor_height
from motifmix.motion.foot_cleanup import LARGEST_FLOOR_SHIFT
from motifmix.motion.leg_reach import planted

FURTHEST = 0.35  # metres that resting feet are brought back, at most: further, and legs are torn about between steps


def on_floor(person: Motion) -> Motion:
    """Put a person on the floor, where he is near it."""
    floor = floor_height(person)
    return person.moved(np.array([0.0, -floor, 0.0])) if abs(floor) < LARGEST_FLOOR_SHIFT else person


def held(person: Motion, resting: np.ndarray) -> Motion:
    """Let toes stand still in the frames in which they rest, ``resting`` [T, 2] (left, right); nobody's path changes."""
    return replace(planted(person, resting, FURTHEST), labels=person.labels)


def all_held(scene: Scene, resting: Sequence[np.ndarray]) -> Scene:
    """Hold everybody's feet; ``resting`` one a person, or none at all where feet are left as they are."""
    return Scene(tuple(held(*own) for own in zip(scene, resting, strict=True))) if len(resting) else scene
