"""Where people stand in one world when it is known two by two: who stands where as seen by whom, and nobody in anybody.

Two who belong together have a wanted place towards each other. Of three and more not all wishes can be met: everybody whom
one faces would stand in the same place. So each person's motion is moved over the floor and turned as a whole, until what
pairs want is missed least (metres, squared, seen by either of the two, over all frames) and nobody touches who is not
meant to. People who stand are fanned around the one they face that way, people who walk together walk side by side.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from motifmix.motion.capsules import clearance
from motifmix.motion.motion import Motion, Scene
from motifmix.motion.skeleton import JOINT_NAMES

AIR = 0.1  # metres that bodies keep between them, where a pair does not come nearer of itself
MARGINS = (AIR, 0.2, 0.35)  # tried in turn, as bodies are spheres here and capsules in the end
STRIDE = 6  # frames
HIT, HIT_SQUARED = 20.0, 100.0  # cost of a metre, and of a squared metre, that is missing between two people
APART = 1.5  # metres: where somebody begins who belongs to nobody that stands already
_TURNS = np.radians(np.arange(-180, 180, 20))
_SHIFTS = np.array([0.0, *[radius * np.exp(1j * np.pi * k / 4) for radius in (0.3, 0.6, 1.0, 1.6) for k in range(8)]])
_STEPS = (0.4, 0.2, 0.1, 0.05, 0.02)  # metres and radians
_BODY = (
    ("pelvis", 0.16), ("spine2", 0.16), ("head", 0.13), ("left_wrist", 0.09), ("right_wrist", 0.09), ("left_elbow", 0.08),
    ("right_elbow", 0.08), ("left_knee", 0.1), ("right_knee", 0.1), ("left_ankle", 0.1), ("right_ankle", 0.1),
)  # fmt: skip
_JOINTS = [JOINT_NAMES.index(name) for name, _ in _BODY]
_RADII = np.array([radius for _, radius in _BODY], dtype=np.float32)
_AT_ONCE = 64  # candidates whose bodies are compared together


@dataclass(frozen=True)
class Beside:
    """``second`` stands at ``place`` (x, z in metres, yaw in radians) towards ``first``, counted from how each is given."""

    first: int
    second: int
    place: tuple[float, float, float]


def beside(first: int, second: int, at: np.ndarray, other: np.ndarray) -> Beside:
    """Return how two people who stand at the places ``at`` and ``other`` [3] stand towards each other."""
    x, z, yaw = (float(number) for number in _relative(at[None], other[None])[0])
    return Beside(first, second, (x, z, yaw))


def arranged(people: Sequence[Motion], wanted: Sequence[Beside]) -> Scene:
    """Move and turn ``people`` (motifmix skeleton, one frame rate) as wholes into one scene; the first stays where he is.

    Feet that rest still rest, and nobody's path changes its shape. The same people give the same scene.
    """
    placed = list(people)
    for margin in MARGINS:
        places = _Search(people, wanted, margin).places()
        placed = [_moved(person, place) for person, place in zip(people, places, strict=True)]
        met = {frozenset((own.first, own.second)) for own in wanted}
        strangers = (pair for pair in combinations(range(len(people)), 2) if frozenset(pair) not in met)
        if all(clearance(placed[one], placed[other]).min() > 0 for one, other in strangers):
            break
    return Scene(tuple(placed))


class _Search:
    """Places [P, 3] (x, z, yaw) by trying: one person after the other, then all of them again in ever smaller steps."""

    def __init__(self, people: Sequence[Motion], wanted: Sequence[Beside], margin: float) -> None:
        self.wanted, self.count = wanted, len(people)
        frames = min(person.frames for person in people)
        looked_at = np.arange(0, frames, STRIDE)
        self.bodies = np.stack([person.joints[looked_at][:, _JOINTS] for person in people]).astype(np.float32)
        roots = self.bodies[:, :, 0]
        self.roots = roots[..., 0] + 1j * roots[..., 2]  # [P, T]
        self.least = np.full((self.count, self.count), margin)
        for own in wanted:
            both = np.array([[[0.0, 0.0, 0.0]], [own.place]])
            air = self._air(own.first, both[0], own.second, both[1])[0]
            self.least[own.first, own.second] = self.least[own.second, own.first] = min(margin, float(air))

    def places(self) -> np.ndarray:
        """Return the places."""
        places, there = np.zeros((self.count, 3)), [0]
        while len(there) < self.count:
            person, beside = self._following(there)
            options = self._options(places, there, person, beside)
            places[person] = options[np.argmin(self._cost(person, options, places, there))]
            there.append(person)
        for step in (*_STEPS, *_STEPS):
            for person in range(self.count):
                options = np.concatenate([places[person] + step * _around(), self._turned(places, person, step)])
                best = int(np.argmin(self._cost(person, options, places, range(self.count))))
                places[person] = options[best]
        return _from(places[0], places)

    def _following(self, there: Sequence[int]) -> tuple[int, list[tuple[int, np.ndarray]]]:
        """Who comes next, and where each who is there wants him."""
        for person in (person for known in there for person in self._friends(known) if person not in there):
            return person, [(known, place) for known, place in self._asked_by(person) if known in there]
        return next(person for person in range(self.count) if person not in there), []

    def _friends(self, person: int) -> Iterator[int]:
        for own in self.wanted:
            if person in (own.first, own.second):
                yield own.second if person == own.first else own.first

    def _asked_by(self, person: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield everybody who wants ``person`` somewhere, and where in his own frame."""
        for own in self.wanted:
            if own.second == person:
                yield own.first, np.array(own.place)
            elif own.first == person:
                yield own.second, _from(np.array(own.place), np.zeros((1, 3)))[0]

    def _options(
        self, places: np.ndarray, there: Sequence[int], person: int, asked: Iterable[tuple[int, np.ndarray]]
    ) -> np.ndarray:
        """Return where a new person may stand, [C, 3]: as he is wanted, fanned around who wants him, and shifted."""
        found = []
        for known, place in asked:
            # The fan turns about where the other one begins, which need not be the origin of his frame.
            start = self.roots[known, 0]
            about = _put(places[known], np.array([[start.real, start.imag, 0.0]]))[0]
            ideal = _put(places[known], place[None])
            found.append(_shifted(_swung(ideal, about, _TURNS)))
        if found:
            return np.concatenate(found)
        middle = places[list(there)].mean(axis=0) * [1.0, 1.0, 0.0]
        far = max(APART, float(np.abs(places[list(there), :2]).max()) + APART)
        return middle + np.array([[far * np.sin(angle), far * np.cos(angle), 0.0] for angle in _TURNS])

    def _turned(self, places: np.ndarray, person: int, step: float) -> np.ndarray:
        """Return ``person`` swung around each one to whom he belongs, [C, 3]."""
        found = [places[person][None]]
        for friend in self._friends(person):
            start = self.roots[friend, 0]
            about = _put(places[friend], np.array([[start.real, start.imag, 0.0]]))[0]
            found.append(_swung(places[person][None], about, np.array([-step, step])))
        return np.concatenate(found)

    def _cost(self, person: int, options: np.ndarray, places: np.ndarray, there: Iterable[int]) -> np.ndarray:
        """Return what each place [C, 3] of a person costs, given those of all who are ``there``, [C]."""
        others = [other for other in there if other != person]
        cost = np.zeros(len(options))
        for own in self.wanted:
            if person == own.first and own.second in others:
                cost += self._missed(own, options, places[own.second][None])
            elif person == own.second and own.first in others:
                cost += self._missed(own, places[own.first][None], options)
        near = np.argsort(cost, kind="stable")  # bodies are compared in this order, until nothing can be better
        best, result = np.inf, np.full(len(options), np.inf)
        for start in range(0, len(near), _AT_ONCE):
            part = near[start : start + _AT_ONCE]
            if cost[part[0]] >= best:
                break
            result[part] = cost[part]
            for other in others:
                air = self._air(other, places[other][None], person, options[part])
                missing = np.maximum(self.least[other, person] - air, 0.0)
                result[part] += HIT * missing + HIT_SQUARED * missing**2
            best = min(best, float(result[part].min()))
        return result

    def _missed(self, own: Beside, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return by how much two places [C, 3] or [1, 3] miss what a pair wants, [C]."""
        wish = np.array(own.place)
        cost = np.zeros(max(len(first), len(second)))
        for one, other, seen, ideal in (
            (first, second, self.roots[own.second], wish[None]),
            (second, first, self.roots[own.first], _from(wish, np.zeros((1, 3)))),
        ):
            is_at = _floor(_relative(one, other), seen)
            cost += (np.abs(is_at - _floor(ideal, seen)) ** 2).mean(axis=1)
        return cost

    def _air(self, one: int, at: np.ndarray, other: int, options: np.ndarray) -> np.ndarray:
        """Return the least distance between two bodies over the scene, one of them ``at`` [1, 3], [C]."""
        first, second = _bodies(self.bodies[one], at), _bodies(self.bodies[other], options)
        squared = ((first[:, :, :, None] - second[:, :, None]) ** 2).sum(-1)  # [C, T, K, K]
        return (np.sqrt(squared) - _RADII[:, None] - _RADII).min(axis=(1, 2, 3))


def _around() -> np.ndarray:
    """All steps of 1 in x, z and yaw, [27, 3], none first."""
    axis = np.array([0.0, -1.0, 1.0])
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)


def _floor(places: np.ndarray, path: np.ndarray) -> np.ndarray:
    """A path [T] on the floor (x + iz) put to places [C, 3], [C, T]."""
    return places[:, 0, None] + 1j * places[:, 1, None] + path * np.exp(-1j * places[:, 2, None])


def _put(place: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Places [C, 3] in the frame of ``place`` as places in the world."""
    moved = _floor(np.broadcast_to(place, (1, 3)), others[:, 0] + 1j * others[:, 1])[0]
    return np.stack([moved.real, moved.imag, others[:, 2] + place[2]], axis=-1)


def _from(place: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Places [C, 3] in the world as places in the frame of ``place``."""
    return _relative(np.broadcast_to(place, others.shape), others)


def _relative(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Places ``other`` as ``one`` sees them, [C, 3] or [1, 3] each."""
    apart = other - one
    seen = (apart[:, 0] + 1j * apart[:, 1]) * np.exp(1j * one[:, 2])
    return np.stack([seen.real, seen.imag, apart[:, 2]], axis=-1)


def _swung(places: np.ndarray, about: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Places [C, 3] swung about a point of the floor by each angle, [C A, 3]."""
    point = about[0] + 1j * about[1]
    arm = (places[:, 0] + 1j * places[:, 1])[:, None] - point
    moved = point + arm * np.exp(-1j * angles)
    return np.stack([moved.real, moved.imag, places[:, 2, None] + angles], axis=-1).reshape(-1, 3)


def _shifted(places: np.ndarray) -> np.ndarray:
    """Places [C, 3] shifted by every shift, [C S, 3]."""
    moved = (places[:, 0] + 1j * places[:, 1])[:, None] + _SHIFTS
    yaw = np.broadcast_to(places[:, 2, None], moved.shape)
    return np.stack([moved.real, moved.imag, yaw], axis=-1).reshape(-1, 3)


def _bodies(points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Points [T, K, 3] of a body put to places [C, 3], [C, T, K, 3]."""
    yaw = places[:, 2, None, None].astype(np.float32)
    x, z = points[..., 0], points[..., 2]
    turned_x, turned_z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    moved = places.astype(np.float32)[:, :, None, None]
    height = np.broadcast_to(points[..., 1], turned_x.shape)
    return np.stack([turned_x + moved[:, 0], height, turned_z + moved[:, 1]], axis=-1)


def _moved(person: Motion, place: np.ndarray) -> Motion:
    return person.turned(float(place[2])).moved(np.array([place[0], 0.0, place[1]]))
