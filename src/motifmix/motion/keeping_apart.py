"""People who are inside each other, brought apart where they are and no further (motifmix skeleton, metres).

Two steps. Trunks, heads and thighs cannot give way, so whole bodies step aside: for each stretch of time in the one
horizontal direction in which the least is needed, half each, easing in and out. What is still in the way are limbs:
they bend, elbows and wrists, knees and ankles moved as far as their capsules are inside others, as in position-based
dynamics (Müller et al. 2007), smoothly over frames, bones as long as before. A hand that touched somebody still does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from motifmix.motion import kinematics
from motifmix.motion import rotations as rot
from motifmix.motion.capsules import CAPSULES, nearest_places
from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import JOINT_NAMES

TOUCHING = 0.05  # m between surfaces: a hand so near to somebody is meant to be there
STEP_EASE, LIMB_EASE = 12, 5  # frames at 30 fps before and after
JOINED = 15  # frames: bodies that meet again within them have not parted
DIRECTIONS = 12
SHIFTS, BENDS, LOOK_AGAIN = 12, 10, 4  # iterations
SOON = 0.15  # m between surfaces that may meet while limbs move
FURTHEST = 0.3  # m that a limb gives way at most
_ENOUGH = 1e-3  # m

_TIPS = tuple(capsule.start for capsule in CAPSULES if capsule.end is None)
_START = np.array([JOINT_NAMES.index(capsule.start) for capsule in CAPSULES])
_END = np.array(
    [
        len(JOINT_NAMES) + _TIPS.index(capsule.start) if capsule.end is None else JOINT_NAMES.index(capsule.end)
        for capsule in CAPSULES
    ]
)
_ENDS_OF = np.stack([_START, _END], axis=1)  # [K, 2]
_STIFF = {"pelvis", "spine2", "neck", "head", "left_collar", "right_collar", "left_hip", "right_hip"}
_BODY = np.array([k for k, capsule in enumerate(CAPSULES) if capsule.start in _STIFF])
_IS_BODY = np.isin(np.arange(len(CAPSULES)), _BODY)
_HANDS = tuple(k for k, capsule in enumerate(CAPSULES) if capsule.start in ("left_wrist", "right_wrist"))


def _limb(*names: str, tip: str = "") -> tuple[int, int, int, tuple[int, ...]]:
    first, middle, last = (JOINT_NAMES.index(name) for name in names[:3])
    carried = [JOINT_NAMES.index(name) for name in names[3:]] + [len(JOINT_NAMES) + _TIPS.index(tip)]
    return first, middle, last, tuple(carried)


LIMBS = tuple(
    limb
    for side in ("left", "right")
    for limb in (
        _limb(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist", tip=f"{side}_wrist"),
        _limb(f"{side}_hip", f"{side}_knee", f"{side}_ankle", f"{side}_foot", tip=f"{side}_foot"),
    )
)
"""Shoulder, elbow, wrist and the hand's tip; hip, knee, ankle and what hangs on that: all but the first can give way."""
_ARMS = tuple(number for number, limb in enumerate(LIMBS) if JOINT_NAMES[limb[0]].endswith("shoulder"))

_MOVES = np.zeros(len(JOINT_NAMES) + len(_TIPS))  # how easily points move: inverse masses, 0 never
_CARRIED_BY = np.arange(len(_MOVES))  # a hand's tip moves with its wrist
for _, _middle, _last, _carried in LIMBS:
    _MOVES[_middle], _MOVES[[_last, *_carried]] = 0.5, 1.0
    _CARRIED_BY[list(_carried)] = _last


@dataclass(frozen=True, eq=False)
class Apart:
    """A person who gave way: ``shift`` [T, 3] of the whole body, then ``points`` [T, 27, 3] with bent limbs.

    ``points``: the 22 joints, then tips of head, feet and hands. ``bent``: whether limbs moved at all.
    """

    shift: np.ndarray
    points: np.ndarray
    bent: bool = False


def points_of(motion: Motion) -> np.ndarray:
    """Return joints and tips of a motion on the motifmix skeleton, ``[T, 27, 3]``."""
    tips = [motion.ends[JOINT_NAMES.index(name)] for name in _TIPS]
    return np.concatenate([motion.joints, np.stack(tips, axis=1)], axis=1)


def brought_apart(people: Sequence[np.ndarray], radii: np.ndarray, air: float = 0.0) -> list[Apart] | None:
    """Bring people apart whose capsules are inside each other; None where nobody's are.

    ``people``: their points [T, 27, 3] on one clock at 30 fps; ``radii`` [K] of ``CAPSULES``; ``air``: metres that shall be
    between their surfaces (hands may touch all the same). Who is moved by nobody has no shift and is not bent.
    """
    gaps = [_gaps(people[first], people[second], radii) for first, second in _numbers(len(people))]
    if not any((own < _wanted(air) - _ENOUGH).any() for own in gaps):
        return None
    shifts = [np.zeros((len(points), 3)) for points in people]
    for first, second in _numbers(len(people)):
        one, other = (people[number] + shifts[number][:, None] for number in (first, second))
        step = _steps_aside(one, other, radii, air)
        shifts[first] -= 0.5 * step
        shifts[second] += 0.5 * step
    moved = [points + shift[:, None] for points, shift in zip(people, shifts, strict=True)]
    bent = _bent(moved, radii, air, [_touching(own) for own in gaps])
    return [
        Apart(shift, new, bent=bool((new != old).any())) for shift, new, old in zip(shifts, bent, moved, strict=True)
    ]


def kept_apart(people: Sequence[Motion], radii: np.ndarray, air: float = 0.0) -> list[Motion]:
    """Return the motions brought apart, themselves where nobody is inside anybody; motifmix skeleton, on one clock.

    Feet stay as they are turned, hands turn with their forearms; see :func:`brought_apart`.
    """
    frames = min(person.frames for person in people)
    before = [points_of(person)[:frames] for person in people]
    apart = brought_apart(before, radii, air)
    if apart is None:
        return list(people)
    return [_moved(person.cropped(0, frames), own, new) for person, own, new in zip(people, before, apart, strict=True)]


def _moved(person: Motion, before: np.ndarray, new: Apart) -> Motion:
    """Put a person where ``new`` says, limbs bent as there."""
    if not new.bent:
        return replace(person, root=person.root + new.shift)
    world = person.world_rotations.copy()
    for number, (first, middle, last, _) in enumerate(LIMBS):
        for start, end in ((first, middle), (middle, last)):
            turn = rot.shortest_arc(before[:, end] - before[:, start], new.points[:, end] - new.points[:, start])
            world[:, start] = rot.multiply(turn, world[:, start])
            if start == middle and number in _ARMS:
                world[:, last] = rot.multiply(turn, world[:, last])
    local = rot.continuous(kinematics.local_rotations(person.skeleton, world))
    return replace(person, rotations=local, root=person.root + new.shift)


def _numbers(people: int) -> list[tuple[int, int]]:
    return [(first, second) for first in range(people) for second in range(first + 1, people)]


def _gaps(one: np.ndarray, other: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Air between every capsule of one and every one of the other, [T, K, K]; negative where they are inside."""
    first, second = one[:, _ENDS_OF][:, :, None], other[:, _ENDS_OF][:, None]
    return _apart(first, second)[0] - radii[:, None] - radii[None]


def _apart(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Distance of segments [..., 2, 3], the way from the first to the second there [..., 3], and where on each."""
    s, t = nearest_places(first, second)
    start, other = first[..., 0, :], second[..., 0, :]
    here = start + s[..., None] * (first[..., 1, :] - start)
    there = other + t[..., None] * (second[..., 1, :] - other)
    way = there - here
    return np.linalg.norm(way, axis=-1), way, s, t


def _wanted(air: float) -> np.ndarray:
    """How much air is wanted between capsules, [K, K]: hands may come as near as they like, but not inside."""
    wanted = np.full((len(CAPSULES), len(CAPSULES)), air)
    wanted[list(_HANDS)] = wanted[:, list(_HANDS)] = min(air, 0.0)
    return wanted


# ---- whole bodies


def _steps_aside(one: np.ndarray, other: np.ndarray, radii: np.ndarray, air: float) -> np.ndarray:
    """How far the second must be moved against the first, [T, 3], so that what cannot bend is not inside each other."""
    shift = np.zeros((len(one), 3))
    own = radii[_BODY]
    thick = own[:, None] + own[None]
    first, second = one[:, _ENDS_OF[_BODY]][:, :, None], other[:, _ENDS_OF[_BODY]][:, None]  # [T, b, 1 / b, 2, 3]
    inside = (thick + air - _apart(first, second)[0]).max(axis=(1, 2)) > _ENOUGH
    turns = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    for start, stop in _stretches(inside):
        frames = slice(start, stop)
        between = (other[frames, 0] - one[frames, 0]).mean(axis=0)  # the first direction: as they stand
        angles = turns + np.arctan2(between[2], between[0])
        ways = np.stack([np.cos(angles), np.zeros(DIRECTIONS), np.sin(angles)], axis=-1)  # [D, 3]
        needed = np.stack([_needed(first[frames], second[frames], way, thick + air) for way in ways])
        best = int(needed.max(axis=1).argmin())
        full = np.zeros(len(one))
        full[frames] = needed[best]
        shift += _envelope(full, STEP_EASE)[:, None] * ways[best]
    return shift


def _needed(first: np.ndarray, second: np.ndarray, way: np.ndarray, thick: np.ndarray) -> np.ndarray:
    """How far along ``way`` [3] the second must go in every frame; distances grow no faster than that, so none is passed."""
    went, deep = np.zeros(len(first)), np.zeros(len(first))
    for _ in range(SHIFTS):
        moved = second + (went[:, None] * way)[:, None, None, None]
        deep = (thick - _apart(first, moved)[0]).max(axis=(1, 2))
        went = went + np.maximum(deep, 0.0)
        if deep.max() < _ENOUGH:
            return went
    return went + 4.0 * np.maximum(deep, 0.0)  # hardly a way out: others will need less


def _stretches(inside: np.ndarray) -> list[tuple[int, int]]:
    """Begin and end of stretches of True in [T], with short breaks bridged."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]]))).reshape(-1, 2)
    stretches: list[tuple[int, int]] = []
    for start, stop in edges.tolist():
        if stretches and start - stretches[-1][1] < JOINED:
            start = stretches.pop()[0]
        stretches.append((start, stop))
    return stretches


def _envelope(needed: np.ndarray, ease: int) -> np.ndarray:
    """A smooth curve over ``needed`` [T] that is nowhere below it and eases in and out within 2 ``ease`` frames."""
    from scipy.ndimage import maximum_filter1d

    width = 2 * ease + 1
    return _smoothed(maximum_filter1d(needed, width, mode="nearest"), ease)


def _smoothed(values: np.ndarray, ease: int) -> np.ndarray:
    from scipy.ndimage import convolve1d  # a twentieth of a second, which people who are apart do not need

    return convolve1d(values, _bell(ease), axis=0, mode="nearest")


def _bell(ease: int) -> np.ndarray:
    bell = np.hanning(2 * ease + 3)[1:-1]
    return bell / bell.sum()


# ---- limbs


def _bent(
    people: Sequence[np.ndarray], radii: np.ndarray, air: float, touching: Sequence["_Candidates"]
) -> list[np.ndarray]:
    """Bend limbs that are inside others, and keep hands where they touched."""
    rest = [np.array(points) for points in people]
    points = [np.array(own) for own in people]
    pairs = _numbers(len(points))
    candidates: list[_Candidates] = []
    for turn in range(BENDS):
        if turn % LOOK_AGAIN == 0:
            candidates = [
                _candidates(points[first], points[second], radii, air, touches)
                for (first, second), touches in zip(pairs, touching, strict=True)
            ]
        pushes = [np.zeros_like(own) for own in points]
        weights = [np.zeros(own.shape[:2]) for own in points]
        deepest = 0.0
        for (first, second), own in zip(pairs, candidates, strict=True):
            if len(own.frames):
                deepest = max(deepest, _push(own, points, pushes, weights, (first, second), radii))
        if deepest < _ENOUGH:
            break
        for number, (push, weight) in enumerate(zip(pushes, weights, strict=True)):
            if weight.any():
                mean = push / np.maximum(weight, 1e-12)[..., None]
                points[number] = _on_bones(points[number] + _spread(mean, weight), rest[number])
    return points


@dataclass(frozen=True, eq=False)
class _Candidates:
    """N capsules that may meet: ``frames``, ``one`` and ``other``; they want ``least`` air, and ``most`` where they touch."""

    frames: np.ndarray
    one: np.ndarray
    other: np.ndarray
    least: np.ndarray
    most: np.ndarray


def _touching(gaps: np.ndarray) -> _Candidates:
    """For each hand of both, the frames in which it touches the other person, what of him, and how near it is."""
    found = []
    for hand in _HANDS:
        for of_hand, own in ((gaps[:, hand], True), (gaps[:, :, hand], False)):
            what = of_hand.argmin(axis=1)
            frames = np.flatnonzero(of_hand.min(axis=1) < TOUCHING)
            hands = np.full(len(frames), hand)
            sides = (hands, what[frames]) if own else (what[frames], hands)
            found.append((frames, *sides, of_hand[frames, what[frames]]))
    frames, one, other, gap = (np.concatenate(each) for each in zip(*found, strict=True))
    never = np.full(len(frames), -np.inf)  # how near they may come is said of all alike
    return _Candidates(frames, one, other, never, np.maximum(gap, 0.0))


def _candidates(one: np.ndarray, other: np.ndarray, radii: np.ndarray, air: float, touches: _Candidates) -> _Candidates:
    """What is near enough to meet soon, but for what cannot bend; and all touches."""
    wanted = _wanted(air)
    near = _gaps(one, other, radii) < wanted + SOON
    near[:, _IS_BODY[:, None] & _IS_BODY[None]] = False
    frames, first, second = np.nonzero(near)
    return _Candidates(
        np.concatenate([frames, touches.frames]),
        np.concatenate([first, touches.one]),
        np.concatenate([second, touches.other]),
        np.concatenate([wanted[first, second], touches.least]),
        np.concatenate([np.full(len(frames), np.inf), touches.most]),
    )


def _push(
    candidates: _Candidates, points: Sequence[np.ndarray], pushes: Sequence[np.ndarray], weights: Sequence[np.ndarray],
    people: tuple[int, int], radii: np.ndarray,
) -> float:  # fmt: skip
    """Add what each contact of two people wants of its four points, weighed by how deep it is; returns the deepest."""
    ends = [_ENDS_OF[candidates.one], _ENDS_OF[candidates.other]]  # [N, 2] each
    when = candidates.frames[:, None]
    distance, way, *places = _apart(*(points[person][when, own] for person, own in zip(people, ends, strict=True)))
    gap = distance - radii[candidates.one] - radii[candidates.other]
    depth = np.maximum(candidates.least - gap, 0.0) + np.minimum(candidates.most - gap, 0.0)
    active = np.abs(depth) > 0.1 * _ENOUGH
    if not active.any():
        return 0.0
    frames, depth, weight = candidates.frames[active], depth[active], np.abs(depth[active])
    way = way[active] / np.maximum(distance[active], 1e-9)[:, None]
    ends = [own[active] for own in ends]
    shares = [np.stack([1.0 - place[active], place[active]], axis=1) for place in places]
    total = sum((_MOVES[own] * share**2).sum(axis=1) for own, share in zip(ends, shares, strict=True))
    amount = depth / np.maximum(total, 0.05)
    for person, sign, own, share in zip(people, (-1.0, 1.0), ends, shares, strict=True):
        for side in (0, 1):
            easily = _MOVES[own[:, side]] * share[:, side]
            where = (frames, _CARRIED_BY[own[:, side]])
            np.add.at(pushes[person], where, (sign * amount * easily * weight)[:, None] * way)
            np.add.at(weights[person], where, np.where(easily > 0.05, weight, 0.0))
    return float(weight.max())


def _spread(pushes: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Let neighbouring frames share pushes [T, N, 3], smoothly and easing out, full where they were asked for."""
    from scipy.ndimage import convolve1d

    asked = (weight > 0).astype(float)
    bell = np.hanning(2 * LIMB_EASE + 3)[1:-1]
    near = convolve1d(asked, bell, axis=0, mode="nearest")
    mean = convolve1d(pushes * asked[..., None], bell, axis=0, mode="nearest") / np.maximum(near, 1e-9)[..., None]
    return mean * _envelope_of(asked)[..., None]


def _envelope_of(asked: np.ndarray) -> np.ndarray:
    """1 where [T, N] asks, falling to 0 within ``LIMB_EASE`` frames."""
    times = np.arange(-LIMB_EASE, LIMB_EASE + 1)
    fall = np.cos(0.5 * np.pi * times / (LIMB_EASE + 1)) ** 2
    padded = np.pad(asked, [(LIMB_EASE, LIMB_EASE), (0, 0)])
    return np.max([share * padded[k : k + len(asked)] for k, share in enumerate(fall)], axis=0)


def _on_bones(wanted: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Points [T, N, 3] near ``wanted`` with the bones of ``rest``; hands turn with forearms, feet stay as they are turned."""
    points = np.array(rest)
    for number, (first, middle, last, carried) in enumerate(LIMBS):
        went = wanted[:, last] - rest[:, last]
        far = np.linalg.norm(went, axis=-1, keepdims=True)
        moved = (far[:, 0] > 0) | (wanted[:, middle] != rest[:, middle]).any(axis=-1)
        if not moved.any():
            continue
        goal = rest[moved, last] + (went * np.minimum(1.0, FURTHEST / np.maximum(far, 1e-9)))[moved]
        points[moved, middle] = _at_length(points[moved, first], wanted[moved, middle], rest[moved], first, middle)
        points[moved, last] = _at_length(points[moved, middle], goal, rest[moved], middle, last)
        turn = None
        if number in _ARMS:
            turn = rot.shortest_arc(
                rest[moved, last] - rest[moved, middle], points[moved, last] - points[moved, middle]
            )
        for point in carried:
            offset = rest[moved, point] - rest[moved, last]
            points[moved, point] = points[moved, last] + (offset if turn is None else rot.rotate(turn, offset))
    return points


def _at_length(start: np.ndarray, wanted: np.ndarray, rest: np.ndarray, first: int, second: int) -> np.ndarray:
    length = np.linalg.norm(rest[:, second] - rest[:, first], axis=-1, keepdims=True)
    way = wanted - start
    return start + length * way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-9)
