"""Sitting down and standing up, found by geometry in takes too long for their captions: the fourth caption rule.

A caption of a long take that lists several actions is not kept (`text_rules.py`), and so no text went with sitting down.
Where somebody sits can be told from the pelvis alone: it is held near its standing height, sinks, and is held far below.
Each such change is cut out, with what is held before and after, as a clip of its own whose text speaks of all of it.

Heights are metres on the motifmix skeleton, whose pelvis stands at 0.95 m. In between lies a gap: somebody who leans on
a high stool sinks by a hand's breadth, which is not what people mean by sitting down, and no event.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from motifmix.data.captions import expanded
from motifmix.data.labels import words_in
from motifmix.data.sample import FPS
from motifmix.motion.skeleton import LEFT_TOE, MOTIFMIX, RIGHT_TOE

STANDING, SEATED = 0.83, 0.72
FLOOR, LOW_SEAT = 0.30, 0.52  # pelvis below: sits on the floor, on a low stool
_TALLEST, _TOES_OFF = 1.05, 0.15  # a pelvis or toes above: stands on something, or jumps
_SETTLED = 0.05  # metres around the height at which it stays
HELD = (round(0.5 * FPS), round(1.0 * FPS))  # frames that a standing and a seated pelvis are held at least
LEAD, TAIL = round(1.0 * FPS), round(1.5 * FPS)  # frames of standing and of sitting that are shown at most
SHORTEST, LONGEST, LONGEST_OF_BOTH = (round(seconds * FPS) for seconds in (2.0, 6.0, 10.0))
SLOWEST = round(4.0 * FPS)  # frames between standing and seated: getting up from the floor takes longest
CAPTIONS = 4

ACTIONS = {"sit down": ("sit",), "stand up": ("stand up",), "sit down and stand up": ("sit", "stand up")}
"""What can be found, and the action tags of each."""

_HEAD = MOTIFMIX.index("head")


@dataclass(frozen=True)
class Event:
    """Something that a person does once between frames ``first`` and ``end``: a key of ``ACTIONS``, and on which seat."""

    deed: str
    first: int
    end: int
    seat: str


def seat_events(joints: np.ndarray) -> list[Event]:
    """Return every sitting down and standing up in ``joints`` ``[T, 22, 3]`` (metres, Y up, floor at 0, 30 fps), in order.

    Where somebody sits down and is up again within ten seconds, a third event holds both.
    """
    events = []
    for start, end in _seated(joints[:, 0, 1]):
        height = float(np.median(joints[start:end, 0, 1]))
        seat = "floor" if height < FLOOR else "low seat" if height < LOW_SEAT else "chair"
        down = _change(joints, start, end, height)
        up = _change(joints[::-1], len(joints) - end, len(joints) - start, height)
        if up is not None:
            up = (len(joints) - up[1], len(joints) - up[0])
        # Who gets down to crawl or to lie does not sit down; from the floor everybody gets up.
        if down is not None and not _sits(joints[down[1] - HELD[1] : down[1]]):
            down = None
        if up is not None and seat != "floor" and not _sits(joints[up[0] : up[0] + HELD[1]]):
            up = None
        for deed, span in (("sit down", down), ("stand up", up)):
            if span is not None and SHORTEST <= span[1] - span[0] <= LONGEST:
                events.append(Event(deed, *span, seat))
        if down is not None and up is not None and up[1] - down[0] <= LONGEST_OF_BOTH:
            events.append(Event("sit down and stand up", down[0], up[1], seat))
    return sorted(events, key=lambda event: (event.first, event.end))


def event_captions(event: Event, identity: str) -> tuple[str, ...]:
    """Return the sentences of an event, a few of all wordings, always the same for an ``identity``."""
    wordings = [expanded(wording) for wording in _wordings(event)]
    rng = np.random.default_rng(list(hashlib.sha256(identity.encode()).digest()[:8]))
    chosen = rng.choice(len(wordings), size=min(CAPTIONS, len(wordings)), replace=False)
    return tuple(wordings[number][int(rng.integers(len(wordings[number])))] for number in sorted(chosen))


def all_captions() -> list[str]:
    """Return every sentence that an event can get."""
    lines = [line for seats in _words().values() for own in seats.values() for line in own]
    return list(dict.fromkeys(text for line in lines for text in expanded(line)))


def _wordings(event: Event) -> Sequence[str]:
    words = _words()[event.deed]
    return words["floor"] if event.seat == "floor" else (*words["anywhere"], *words[event.seat])


def _seated(pelvis: np.ndarray) -> list[tuple[int, int]]:
    """Return the stretches (first frame, end) in which a pelvis stays low long enough."""
    low = np.concatenate([[False], pelvis < SEATED, [False]])
    edges = np.flatnonzero(low[1:] != low[:-1]).reshape(-1, 2)
    return [(int(start), int(end)) for start, end in edges if end - start >= HELD[1]]


def _change(joints: np.ndarray, start: int, end: int, height: float) -> tuple[int, int] | None:
    """Return the frames of the change from standing to the seat of frames ``start`` to ``end``, or None if there is none.

    Read backwards in time it finds the change back.
    """
    pelvis, toes = joints[:, 0, 1], joints[:, [LEFT_TOE, RIGHT_TOE], 1].min(axis=1)
    stands = (pelvis > STANDING) & (pelvis < _TALLEST) & (toes < _TOES_OFF)
    before = np.flatnonzero(stands[:start])
    if not len(before) or start - before[-1] > SLOWEST:
        return None
    last = int(before[-1])
    falls = np.flatnonzero(~stands[max(0, last - LEAD) : last])
    first = max(0, last - LEAD) + (int(falls[-1]) + 1 if len(falls) else 0)
    settled = np.flatnonzero(np.abs(pelvis[start:end] - height) < _SETTLED)
    if last - first < HELD[0] or not len(settled):
        return None
    rests = start + int(settled[0])
    leaves = np.flatnonzero(pelvis[rests:end] > height + 2 * _SETTLED)
    last = min(rests + TAIL, rests + int(leaves[0]) if len(leaves) else end)
    return (first, last) if last - rests >= HELD[1] else None


def _sits(joints: np.ndarray) -> bool:
    """Tell whether the trunk is upright most of the time, the head well above the pelvis: people lean to sit and to rise."""
    return bool((joints[:, _HEAD, 1] - joints[:, 0, 1] > 0.35).mean() > 0.6)


def _words() -> dict[str, dict[str, Any]]:
    return words_in("events.yaml")
