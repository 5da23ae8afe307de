"""People of a generated scene on the floor, with feet that rest where they rest."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from motifmix.motion import Motion, Scene
from motifmix.motion.contacts import floor_height
from motifmix.motion.foot_cleanup import LARGEST_FLOOR_SHIFT
from motifmix.motion.leg_reach import planted
from motifmix.motion.skeleton import LEFT_TOE, RIGHT_TOE

FURTHEST = 0.35  # metres that resting feet are brought back, at most
GOES_OVER = 0.05  # s, the deviation of a bell: how quickly a foot goes from one place to the next
LOW = 0.1  # metres above the floor: toes that are higher do not rest, whatever a model says of them
LEAST = 4  # frames; what is shorter is no rest


def on_floor(person: Motion) -> Motion:
    """Put a person on the floor, where he is near it."""
    floor = floor_height(person)
    return person.moved(np.array([0.0, -floor, 0.0])) if abs(floor) < LARGEST_FLOOR_SHIFT else person


def held(person: Motion, resting: np.ndarray) -> Motion:
    """Let toes stand still in the frames in which they rest, ``resting`` [T, 2] (left, right); nobody's path changes.

    Only where they are near the floor, and for some frames on end: held anywhere, legs would be torn about.
    """
    rests = np.asarray(resting, dtype=bool) & (person.joints[:, [LEFT_TOE, RIGHT_TOE], 1] < LOW)
    for foot in rests.T:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], foot.astype(int), [0]]))).reshape(-1, 2)
        for start, stop in edges:
            foot[start:stop] = stop - start >= LEAST
    return replace(planted(person, rests, FURTHEST, GOES_OVER), labels=person.labels)


def all_held(scene: Scene, resting: Sequence[np.ndarray]) -> Scene:
    """Hold everybody's feet; ``resting`` one a person, or none at all where feet are left as they are."""
    return Scene(tuple(held(*own) for own in zip(scene, resting, strict=True))) if len(resting) else scene
