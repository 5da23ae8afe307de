"""People put into one world from what pairs of them want."""

import numpy as np
import pytest

from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.arrangement import Beside, arranged
from motifmix.motion.capsules import clearance

FACING = (0.0, 1.0, np.pi)  # a metre ahead, and looks back


def standing(speed: float = 0.0, frames: int = 31) -> Motion:
    """Somebody in rest pose with his arms down who glides ahead."""
    rotations = np.tile(rot.IDENTITY, (frames, len(MOTIFMIX), 1))
    for side, sign in (("left", -1.0), ("right", 1.0)):
        rotations[:, MOTIFMIX.names.index(f"{side}_shoulder")] = rot.from_rotvec(np.array([0.0, 0.0, sign * 1.4]))
    root = np.zeros((frames, 3))
    root[:, 1], root[:, 2] = 0.95, speed * np.arange(frames) / 30.0
    return Motion(MOTIFMIX, rotations, root, 30.0)


def paths(scene):
    return np.stack([person.root[:, [0, 2]] for person in scene])


def test_two_people_stand_as_they_want():
    scene = arranged([standing(), standing()], [Beside(0, 1, FACING)])
    np.testing.assert_allclose(paths(scene)[:, 0], [[0, 0], [0, 1]], atol=0.03)
    np.testing.assert_array_equal(scene.people[0].root, standing().root)


@pytest.mark.parametrize("count", [3, 4])
def test_whom_all_face_does_not_make_them_stand_in_each_other(count):
    people = [standing() for _ in range(count)]
    scene = arranged(people, [Beside(0, other, FACING) for other in range(1, count)])
    for one in range(count):
        for other in range(one):
            assert clearance(scene.people[one], scene.people[other]).min() > 0
    starts = paths(scene)[:, 0]
    far = np.linalg.norm(starts[1:] - starts[0], axis=1)
    assert far.min() > 0.7 and far.max() < 1.4
    for other, start in zip(list(scene)[1:], starts[1:], strict=True):  # they look at him still
        ahead = rot.rotate(other.rotations[0, 0], np.array([0.0, 0.0, 1.0]))[[0, 2]]
        assert ahead @ (starts[0] - start) / np.linalg.norm(start - starts[0]) > 0.7
    again = arranged(people, [Beside(0, other, FACING) for other in range(1, count)])
    np.testing.assert_array_equal(paths(again), paths(scene))


def test_who_walks_beside_somebody_goes_on_beside_him():
    people = [standing(speed=1.5, frames=91) for _ in range(3)]
    scene = arranged(people, [Beside(0, 1, (0.8, 0.0, 0.0)), Beside(0, 2, (0.8, 0.0, 0.0))])
    ways = paths(scene)[:, -1] - paths(scene)[:, 0]
    for way in ways[1:]:
        assert way @ ways[0] / np.linalg.norm(way) / np.linalg.norm(ways[0]) > 0.97
    assert clearance(scene.people[1], scene.people[2]).min() > 0


def test_a_chain_a_triangle_and_two_couples_find_their_places():
    people = [standing() for _ in range(4)]
    chain = arranged(people, [Beside(0, 1, FACING), Beside(1, 2, FACING), Beside(3, 2, FACING)])
    triangle = arranged(people[:3], [Beside(0, 1, FACING), Beside(0, 2, FACING), Beside(1, 2, FACING)])
    couples = arranged(people, [Beside(0, 1, FACING), Beside(2, 3, FACING)])
    for scene, pairs in (
        (chain, [(0, 1), (1, 2), (2, 3)]),
        (triangle, [(0, 1), (0, 2), (1, 2)]),
        (couples, [(0, 1), (2, 3)]),
    ):
        for one, other in pairs:
            assert 0.6 < np.linalg.norm(paths(scene)[one, 0] - paths(scene)[other, 0]) < 1.5
        assert all(clearance(a, b).min() > 0 for k, a in enumerate(scene) for b in list(scene)[:k])
