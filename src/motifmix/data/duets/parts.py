"""The pieces of single-person clips out of which pairs are put together, found by rules in prepared clips.

Only clips of the style ``normal`` and clips without a style label are looked at, unless a pool says otherwise. Every piece
keeps its feet where they were captured: a piece is a run of frames, played as captured, mirrored, or at another pace
(`Take.at`).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from motifmix.data.labels import ContentLabel, mirrored_content
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.motion import Motion
from motifmix.motion import rotations as rot
from motifmix.motion.skeleton import JOINT_NAMES

LONGEST = 121  # frames, so that features have 120
WINDOWS_A_CLIP = 4
WAITING = 36  # frames: the longest that somebody is kept in the first or the last pose of a take
EASE = 5  # frames in which a pose that is held is left, or come to
STANDING_PELVIS = 0.7  # metres above the floor

_HIPS = tuple(JOINT_NAMES.index(f"{side}_hip") for side in ("left", "right"))
_SHOULDERS = tuple(JOINT_NAMES.index(f"{side}_shoulder") for side in ("left", "right"))
WRISTS = tuple(JOINT_NAMES.index(f"{side}_wrist") for side in ("left", "right"))
_FEET = tuple(JOINT_NAMES.index(f"{side}_foot") for side in ("left", "right"))
_HEAD = JOINT_NAMES.index("head")
_MANNERED_SUBJECTS = {"132", "136", "137"}  # "weird walks", "weird walks" and "stylized motions" in the CMU index
_MANNERED = re.compile(
    r"\b(old|tired|sad|happy|angr\w+|drunk\w*|limp\w*|sneak\w*|zombie|robot|child\w*|fat|injur\w+|hurt|proud\w*|sexy"
    r"|depress\w+|scar\w+|afraid|carr\w+|hold\w*|stair\w*|obstacle\w*|motorcycle|ping-pong|cat|monkey|chicken|soldier\w*|bird|crippl\w+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class Take:
    """A piece of a clip for one part: frames ``first`` to ``last`` (inclusive) of ``motion``, the whole clip.

    ``event`` is the frame that counts (a hand at its highest, a fist at its furthest). ``waits``: the person stands at
    both ends and may be kept waiting there. ``content`` is what ``words.py`` says about it.
    """

    clip: str
    split: str
    content: ContentLabel
    motion: Motion
    first: int
    last: int
    event: int
    waits: bool
    mirrored: bool = False

    @property
    def frames(self) -> int:
        """How many frames it has, without waiting."""
        return self.last - self.first + 1

    def as_mirrored(self) -> "Take":
        """Return it seen in a mirror."""
        return replace(
            self, motion=self.motion.mirrored(), content=mirrored_content(self.content), mirrored=not self.mirrored
        )

    def at(self, frames: int, event: int, pace: float = 1.0) -> Motion | None:
        """Return ``frames`` frames in which the take's event falls on frame ``event``, ``pace`` times as fast.

        Somebody who waits comes to rest in the first or last pose within ``EASE`` frames of it. None where the take is
        too short.
        """
        times = self.event + pace * (np.arange(frames) - event)
        kept = WAITING if self.waits else 0.01
        if times[0] < self.first - kept or times[-1] > self.last + kept:
            return None
        if self.waits:
            times = -_eased(-_eased(times, self.first), -self.last)
        return sampled(self.motion, times)


def sampled(motion: Motion, times: np.ndarray) -> Motion:
    """Return the frames at ``times`` (in frames, fractions between two)."""
    times = np.clip(times, 0, motion.frames - 1)
    low = np.minimum(times.astype(int), motion.frames - 2)
    weight = times - low
    rotations = rot.slerp(motion.rotations[low], motion.rotations[low + 1], weight[:, None])
    root = (1 - weight[:, None]) * motion.root[low] + weight[:, None] * motion.root[low + 1]
    return replace(motion, rotations=rotations, root=root)


def _eased(times: np.ndarray, first: int) -> np.ndarray:
    """Keep ``times`` above ``first``: below ``first + EASE`` they slow down, at captured speed where they leave it."""
    join = first + EASE
    return np.where(times < join, first + EASE * np.exp(np.minimum(times - join, 0) / EASE), times)


def heading(joints: np.ndarray) -> np.ndarray:
    """Return where people ``[..., 22, 3]`` look, from hips and shoulders: unit vectors ``[..., 2]`` (x, z)."""
    left = sum((joints[..., a, :] - joints[..., b, :] for a, b in (_HIPS, _SHOULDERS)), np.zeros(3))
    ahead = np.stack([-left[..., 2], left[..., 0]], axis=-1)
    return ahead / np.maximum(np.linalg.norm(ahead, axis=-1, keepdims=True), 1e-9)


Finder = Callable[[Clip, Motion], list[tuple[int, int, int]]]


def gestures(clip: Clip, motion: Motion) -> list[tuple[int, int, int]]:
    """Whole clip; its event is the hand's first arrival near its greatest height."""
    height = motion.joints[:, WRISTS, 1].max(axis=1)
    event = int(np.flatnonzero(height > height.min() + 0.9 * (height.max() - height.min()))[0])
    return [(0, motion.frames - 1, event)]


def bows(clip: Clip, motion: Motion) -> list[tuple[int, int, int]]:
    """Whole clip; its event is the head's lowest point."""
    return [(0, motion.frames - 1, int(motion.joints[:, _HEAD, 1].argmin()))]


def handshakes(clip: Clip, motion: Motion) -> list[tuple[int, int, int]]:
    """Around the frame in which the right hand is furthest ahead at the height of the belly."""
    joints = motion.joints
    ahead = heading(joints)
    reach = ((joints[:, WRISTS[1]] - joints[:, 0])[:, [0, 2]] * ahead).sum(-1)
    high = joints[:, WRISTS[1], 1] - joints[:, 0, 1]
    reach[(high < -0.1) | (high > 0.45)] = 0.0
    event = int(reach.argmax())
    if reach[event] < 0.3:
        return []
    return [(max(0, event - 45), min(motion.frames - 1, event + 60), event)]


def strikes(limbs: Sequence[int]) -> Finder:
    """Return a finder of the moments in which one of the joints is thrown furthest from the pelvis."""

    def find(clip: Clip, motion: Motion) -> list[tuple[int, int, int]]:
        joints = motion.joints
        ahead = heading(joints)
        offsets = joints[:, list(limbs)] - joints[:, :1]
        reach = (offsets[..., [0, 2]] * ahead[:, None]).sum(-1)
        least = 0.5
        if limbs[0] in _FEET:
            reach = np.where(joints[:, list(limbs), 1] > 0.35, reach, 0.0)
        else:
            reach = np.where(np.abs(offsets[..., 1] - 0.35) < 0.3, reach, 0.0)
        reach = reach.max(axis=1)
        found: list[tuple[int, int, int]] = []
        for event in np.argsort(-reach):
            if reach[event] < least or len(found) == WINDOWS_A_CLIP:
                break
            if 12 <= event <= motion.frames - 20 and all(abs(event - other[2]) > 45 for other in found):
                window = (max(0, int(event) - 35), min(motion.frames - 1, int(event) + 70), int(event))
                if _wander(joints[window[0] : window[1] + 1]) < 1.2:
                    found.append(window)
        return found

    return find


def on_the_spot(clip: Clip, motion: Motion) -> list[tuple[int, int, int]]:
    """Windows in which somebody stays upright within half a metre."""
    joints, found = motion.joints, []
    length = min(LONGEST, motion.frames)
    for first in range(0, motion.frames - length + 1, LONGEST // 2):
        part = joints[first : first + length]
        if length >= 75 and _wander(part) < 0.55 and part[:, 0, 1].min() > STANDING_PELVIS:
            found.append((first, first + length - 1, first))
    return _spread(found)


def standing(clip: Clip, motion: Motion) -> list[tuple[int, int, int]]:
    """Windows in which somebody hardly moves."""
    return [
        window
        for window in on_the_spot(clip, motion)
        if _wander(motion.joints[window[0] : window[1] + 1]) < 0.15
        and np.ptp(heading(motion.joints[window[0] : window[1] + 1]), axis=0).max() < 0.5
    ]


def straight(least: float, most: float, shortest: int = 55, backwards: bool = False) -> Finder:
    """Return a finder of straight, steady stretches with a speed between ``least`` and ``most`` metres a second."""

    def find(clip: Clip, motion: Motion) -> list[tuple[int, int, int]]:
        joints = motion.joints
        path, ahead = joints[:, 0][:, [0, 2]], heading(joints)
        for length in (LONGEST, 100, 85, 70, 55, 45):
            found = []
            for first in range(0, motion.frames - length + 1, 12) if length >= shortest else ():
                part = slice(first, first + length)
                net = path[part][-1] - path[first]
                speed = np.linalg.norm(net) * motion.fps / (length - 1)
                if not least <= speed <= most:
                    continue
                way = net / np.linalg.norm(net)
                strayed = np.abs((path[part] - path[first]) @ np.array([-way[1], way[0]])).max()
                facing = (ahead[part] @ way) * (-1 if backwards else 1)
                steps = np.diff(path[part][::10], axis=0) @ way * motion.fps / 10
                steady = strayed < 0.22 and facing.min() > 0.75 and steps.min() > 0.4 * speed
                if steady and joints[part, 0, 1].min() > STANDING_PELVIS:
                    found.append((first, first + length - 1, first))
            if found:
                return _spread(found)
        return []

    return find


def _wander(joints: np.ndarray) -> float:
    """Return how far the pelvis gets from the middle of its ways, in metres."""
    path = joints[:, 0][:, [0, 2]]
    return float(np.linalg.norm(path - path.mean(axis=0), axis=-1).max())


def _spread(found: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    chosen = np.unique(np.linspace(0, len(found) - 1, WINDOWS_A_CLIP).round().astype(int)) if found else []
    return [found[int(number)] for number in chosen]


@dataclass(frozen=True)
class Pool:
    """What can play a part: contents of the style set, actions of the content set, and how pieces are found in them.

    ``says`` is the content whose captions (``words.py``) describe it; None takes the clip's own label.
    ``actions`` must be all of a clip's tags where ``alone``, one of them otherwise. ``styles``: ``normal`` alone, or clips
    without a label; ``all``; or all ``but-normal``, of labelled clips alone.
    """

    contents: tuple[str, ...]
    actions: tuple[str, ...]
    find: Finder
    says: str | None = None
    waits: bool = False
    alone: bool = False
    words: str = ""
    styles: Literal["normal", "all", "but-normal"] = "normal"


POOLS: dict[str, Pool] = {
    "wave": Pool(("wave-left-hand", "wave-right-hand"), (), gestures, waits=True),
    "bye": Pool(("bye", "byebye"), (), gestures, waits=True),
    "guide": Pool(("guide",), (), gestures, waits=True),
    "respond": Pool(("respond",), (), gestures, waits=True),
    "bow": Pool(("bow",), ("bow",), bows, says="bow", waits=True, alone=True, words="bow"),
    "punch": Pool(("punch",), ("box", "punch"), strikes(WRISTS), says="punch", alone=True),
    "kick": Pool(("kick",), ("kick",), strikes(_FEET), says="kick", alone=True, words="kick"),
    "box": Pool((), ("box",), on_the_spot, says="box", alone=True),
    "dance": Pool((), ("dance",), on_the_spot, says="dance", alone=True),
    "stand": Pool((), ("stand", "wait"), standing, says="stand", alone=True),
    "walk": Pool(("walk",), ("walk",), straight(0.7, 1.9), says="walk", alone=True),
    "run": Pool(("run",), ("run",), straight(2.0, 5.0, 45), says="run", alone=True),
    "walk-back": Pool(("walk-back",), ("walk",), straight(0.35, 1.6, 45, backwards=True), says="walk-back", alone=True),
    "handshake": Pool((), ("shake hands", "walk"), handshakes, says="handshake", words="shak"),
}  # fmt: skip


def takes(sets: Sequence[Prepared], pools: dict[str, Pool] | None = None) -> dict[str, list[Take]]:
    """Find the pieces for every part in prepared sets; twins and dropped clips are left out."""
    pools = POOLS if pools is None else pools
    result: dict[str, list[Take]] = defaultdict(list)
    for prepared in sets:
        for clip in prepared.select(split=None, mirrored=False):
            fits = [name for name, pool in pools.items() if _fits(pool, clip)]
            if not fits:
                continue
            motion = prepared.motion(clip)
            for name in fits:
                pool = pools[name]
                label = ContentLabel(pool.says or clip.content or name)
                for first, last, event in pool.find(clip, motion):
                    result[name].append(Take(clip.id, clip.split, label, motion, first, last, event, pool.waits))
    return dict(result)


def _fits(pool: Pool, clip: Clip) -> bool:
    if clip.role == "style":
        fitting = {"normal": clip.style == "normal", "all": True, "but-normal": clip.style != "normal"}
        return fitting[pool.styles] and clip.content in pool.contents
    if pool.styles == "but-normal":
        return False
    if clip.flags or not clip.contacts or clip.subject in _MANNERED_SUBJECTS:
        return False
    if any(_MANNERED.search(text) for text in clip.captions):
        return False
    if pool.words and not any(pool.words in text for text in clip.captions):
        return False
    named = set(clip.actions)
    return bool(named) and (named <= set(pool.actions) if pool.alone else bool(named & set(pool.actions)))
