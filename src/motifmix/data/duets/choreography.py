"""Draws pairs: two takes, a time, a place; and looks whether anybody stands inside the other.

What is done to a captured clip: it is turned and shifted as a whole, mirrored as a whole, cropped, played up to a fifth
faster or slower as a whole, and who must wait is held in the pose in which his gesture begins or ends. So feet rest
where they rested.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from motifmix.data.duets.interactions import Interaction
from motifmix.data.duets.parts import LONGEST, WAITING, Take
from motifmix.data.duets.staging import LAYOUTS, Stage
from motifmix.motion import Motion, Scene
from motifmix.motion.capsules import clearance

Side = Literal["train", "val", "test"]
HeldOut = Literal["clips", "combination"] | None
LEAST_AIR = 0.005  # metres between two people's capsules
PACE = (0.83, 1.2)
SHORTEST = 45  # frames
TRIES = 400
FEWEST_CLIPS = 4
"""A part with fewer test clips than this has no held-out clips of its own in the test side."""


@dataclass(frozen=True, eq=False)
class Duet:
    """A choreographed pair: ``takes`` say which clips, ``facts`` where and when; ``held_out`` what the test side keeps."""

    interaction: str
    scene: Scene
    takes: tuple[Take, Take]
    side: Side
    held_out: HeldOut
    facts: dict[str, Any]


def combination(first: Take, second: Take) -> str:
    """Return what two takes have in common with the same two exchanged, or both seen in a mirror."""
    return " ".join([*sorted((first.clip, second.clip)), str(first.mirrored ^ second.mirrored)])


def sides_of(interaction: Interaction, first: Iterable[str], second: Iterable[str]) -> dict[str, Side]:
    """Return the side of every combination of training clips: a fifth is kept for test, a tenth for validation.

    A combination is two clips and whether one of them is mirrored against the other.
    """
    if interaction.together:
        known = {f"{clip} {clip} {interaction.together == 'mirror_image'}" for clip in first}
    else:
        known = {" ".join([*sorted((a, b)), str(turned)]) for a in first for b in second for turned in (False, True)}
    order = sorted(known, key=lambda key: hashlib.sha256(f"{interaction.name} {key}".encode()).digest())
    test, val = math.ceil(len(order) / 5), math.ceil(len(order) / 10)
    return {key: "test" if n < test else "val" if n < test + val else "train" for n, key in enumerate(order)}


class Choreographer:
    """Draws pairs of a type for a side. ``rejected`` counts drafts by why they were thrown away."""

    def __init__(self, takes: dict[str, list[Take]]) -> None:
        self.takes = takes
        self.rejected: dict[str, int] = {}
        self._sides: dict[str, dict[str, Side]] = {}

    def sides(self, interaction: Interaction) -> tuple[HeldOut, str, str]:
        """Return how the test side of a type is made: what is held out, and the sides of either part's clips."""
        splits = []
        for part in (interaction.first, interaction.second):
            clips = {take.clip for take in self.takes[part] if take.split == "test"}
            splits.append("test" if len(clips) >= FEWEST_CLIPS else "train")
        if interaction.together and splits[0] == "train":
            return "combination", "train", "train"
        held_out: HeldOut = "clips" if splits == ["test", "test"] else "combination"
        return held_out, splits[0], splits[1]

    def draw(self, interaction: Interaction, side: Side, rng: np.random.Generator) -> Duet | None:
        """Return a pair, or None where ``TRIES`` drafts gave none."""
        held_out, *splits = self.sides(interaction) if side == "test" else (None, "train", "train")
        pools = [
            [take for take in self.takes[part] if take.split == split]
            for part, split in zip((interaction.first, interaction.second), splits, strict=True)
        ]
        sides = self._combinations(interaction, pools) if splits == ["train", "train"] else {}
        for _ in range(TRIES):
            first, second = self._cast(interaction, pools, rng)
            if splits == ["train", "train"] and sides[combination(first, second)] != side:
                self._reject("another side's combination")
                continue
            placed = self._staged(interaction, first, second, rng)
            if placed is not None:
                scene, facts = placed
                return Duet(interaction.name, scene, (first, second), side, held_out, facts)
        return None

    def _combinations(self, interaction: Interaction, pools: Sequence[Sequence[Take]]) -> dict[str, Side]:
        if interaction.name not in self._sides:
            first, second = ({take.clip: None for take in pool} for pool in pools)
            self._sides[interaction.name] = sides_of(interaction, first, second)
        return self._sides[interaction.name]

    def _cast(
        self, interaction: Interaction, pools: Sequence[Sequence[Take]], rng: np.random.Generator
    ) -> tuple[Take, Take]:
        takes = []
        for pool in pools:
            clips = sorted({take.clip for take in pool})  # a clip with many windows counts once
            clip = clips[int(rng.integers(len(clips)))]
            windows = [take for take in pool if take.clip == clip]
            take = windows[int(rng.integers(len(windows)))]
            # Hands are shaken with the right ones, which a mirror would make left ones.
            takes.append(take.as_mirrored() if rng.random() < 0.5 and interaction.first != "handshake" else take)
        first, second = takes
        if interaction.together == "same_clip":
            second = first
        elif interaction.together == "mirror_image":
            second = first.as_mirrored()
        return first, second

    def _staged(
        self, interaction: Interaction, first: Take, second: Take, rng: np.random.Generator
    ) -> tuple[Scene, dict[str, Any]] | None:
        timed = self._timed(interaction, first, second, rng)
        if timed is None:
            return None
        one, other, stage, facts = timed
        one, other = LAYOUTS[interaction.layout](one, other, stage)
        air = float(clearance(one, other).min())
        if air < LEAST_AIR:
            return self._reject("somebody inside the other")
        nearest = np.linalg.norm((one.root - other.root)[:, [0, 2]], axis=-1)
        facts |= {
            "least_air_m": round(air, 4),
            "pelvis_distance_m": [round(float(f(nearest)), 3) for f in (np.min, np.median, np.max)],
        }
        return Scene((one, other)), facts

    def _timed(
        self, interaction: Interaction, first: Take, second: Take, rng: np.random.Generator
    ) -> tuple[Motion, Motion, Stage, dict[str, Any]] | None:
        pace = 1.0
        if interaction.keep_pace:
            pace = _speed(first) / max(_speed(second), 1e-6)
            if not PACE[0] <= pace <= PACE[1]:
                return self._reject("speeds too unlike")
        if interaction.faster and _speed(second) < interaction.faster * _speed(first):
            return self._reject("speeds too alike")
        delay = round(float(rng.uniform(*interaction.delay)) * first.motion.fps)
        frames, first_event, second_event = _timetable(first, second, pace, delay, rng)
        if frames < SHORTEST:
            return self._reject("no time for both")
        one, other = first.at(frames, first_event), second.at(frames, second_event, pace)
        if one is None or other is None:
            return self._reject("no time for both")
        stage = Stage(first_event, min(max(second_event, 0), frames - 1), rng, interaction.distance, interaction.aside)
        facts = {"frames": frames, "pace": round(pace, 3), "delay_s": round(delay / first.motion.fps, 3)}
        return one, other, stage, facts

    def _reject(self, why: str) -> None:
        self.rejected[why] = self.rejected.get(why, 0) + 1


def _speed(take: Take) -> float:
    """Return metres a second along the straight line from the take's first place to its last."""
    way = (take.motion.root[take.last] - take.motion.root[take.first])[[0, 2]]
    return float(np.linalg.norm(way)) * take.motion.fps / max(take.frames - 1, 1)


def _timetable(first: Take, second: Take, pace: float, delay: int, rng: np.random.Generator) -> tuple[int, int, int]:
    """Return how many frames a scene has, and the frames of both events in it.

    Who goes somewhere has no event and begins with the scene. Before and behind the events must be frames of the takes,
    or such as somebody waits for; 0 frames where there is no such scene.
    """
    acts = [take.event > take.first or take.waits for take in (first, second)]
    frames = LONGEST
    if not acts[0]:
        frames = min(frames, first.frames)
    if not acts[1]:
        frames = min(frames, int((second.frames - 1) / pace) + 1)
    if not any(acts):
        return frames, 0, 0
    before, after = LONGEST, LONGEST
    for take, late in [
        (take, late) for take, late, does in zip((first, second), (0, delay), acts, strict=True) if does
    ]:
        kept = WAITING if take.waits else 0
        before = min(before, take.event - take.first + kept - late)
        after = min(after, take.last - take.event + kept + late)
    frames = min(frames, before + after + 1)
    low, high = max(0, frames - 1 - after), min(before, frames - 1 - delay)
    if high < low:
        return 0, 0, 0
    event = int(rng.integers(low, high + 1))
    return frames, event if acts[0] else 0, event + delay if acts[1] else 0
