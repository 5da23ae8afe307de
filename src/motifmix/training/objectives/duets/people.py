"""Clips of single people as the small models of one person see them: which ones, how often, and their features.

Features are computed once and kept on disk, a memory map that all runs share.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict

from motifmix.atomic import replacing
from motifmix.data.feature_cache import CachedClip
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.errors import DataError
from motifmix.features.humanml3d import HumanML3DSpace
from motifmix.features.interhuman import extract_person, load_person, mirror_person, stored_person
from motifmix.home import home
from motifmix.training.objectives.duets.base import FRAMES
from motifmix.training.pool import LOCOMOTION, cell_weights

WHOLE = 1.25  # a clip whose caption speaks of all of it may be this much longer than what is seen of it
SHORTEST = 31
Features = Literal["interhuman", "humanml3d"]


class PeopleOptions(BaseModel):
    """Which clips and how often: ``content_share`` of the content sets, ``set_one`` of the style sets, more of ``locomotion``.

    ``frames`` of the source, at most; ``features``: InterHuman's 262 at 30 a second or HumanML3D's 263 at 20.
    """

    model_config = ConfigDict(extra="forbid")

    content_share: float = 0.4
    set_one: float = 0.5
    locomotion: float = 2.0
    frames: int = FRAMES
    features: Features = "interhuman"


class Rows(Protocol):
    """Features of windows of clips."""

    def window(self, clip: Clip, first: int, frames: int) -> np.ndarray:
        """Return ``[T, F]`` float32, not normalised and at its own start, of ``frames`` frames of a clip from ``first`` on."""
        ...


class InterHumanRows:
    """A person of InterHuman, kept as its files hold one, ``[T, 192]``; twins share it."""

    def __init__(self, sets: list[Prepared], clips: Sequence[tuple[int, Clip]]) -> None:
        own = {clip.mirror_of or clip.id: number for number, clip in clips}
        frames = {name: sets[own[name]].by_id[name].frames for name in sorted(own)}

        def stored(name: str) -> np.ndarray:
            prepared = sets[own[name]]
            return load_person(stored_person(prepared.motion(prepared.by_id[name])))

        self.starts, self.arrays = _kept("people", sets, frames, 192, stored)

    def window(self, clip: Clip, first: int, frames: int) -> np.ndarray:
        """Return ``[frames - 1, 262]``."""
        start = self.starts[clip.mirror_of or clip.id] + first
        rows = np.array(self.arrays[start : start + frames])
        return extract_person(mirror_person(rows) if clip.mirror_of else rows).features.astype(np.float32)


class HumanML3DRows:
    """HumanML3D's 263 numbers at 20 frames a second; they say nothing of where a person is, so that a window is a slice."""

    def __init__(self, sets: list[Prepared], clips: Sequence[tuple[int, Clip]]) -> None:
        self.space = HumanML3DSpace()
        by_id = {clip.id: (number, clip) for number, clip in clips}
        self.rows = {name: self._count(by_id[name][1].frames, by_id[name][1].fps) for name in sorted(by_id)}

        def encoded(name: str) -> np.ndarray:
            number, clip = by_id[name]
            source = sets[number].by_id[clip.mirror_of or clip.id]
            motion = sets[number].motion(source)
            made = self.space.encode(motion.mirrored() if clip.mirror_of else motion)[: self.rows[name]]
            return np.concatenate([made, np.repeat(made[-1:], self.rows[name] - len(made), axis=0)])

        self.starts, self.arrays = _kept("people-humanml3d", sets, self.rows, self.space.dim, encoded)

    def window(self, clip: Clip, first: int, frames: int) -> np.ndarray:
        """Return as many rows as last as long, one less than frames."""
        own = self.rows[clip.id]
        begin = min(round(first * self.space.fps / clip.fps), own - 1)
        start, wanted = self.starts[clip.id] + begin, min(self._count(frames, clip.fps), own - begin)
        return np.array(self.arrays[start : start + wanted])

    def _count(self, frames: int, fps: float) -> int:
        return max(1, round((frames - 1) * self.space.fps / fps))


class People:
    """Clips of prepared sets that fit, each with its chance, and features of windows of them."""

    def __init__(self, sets: list[Prepared], split: str, options: PeopleOptions) -> None:
        self.longest = options.frames
        clips = [(number, clip) for number, p in enumerate(sets) for clip in p.select(split=split) if self._fits(clip)]
        if not clips:
            raise DataError("no clip of the prepared sets fits this recipe; check its data and options")
        self.clips = [clip for _, clip in clips]
        self.rows: Rows = (HumanML3DRows if options.features == "humanml3d" else InterHumanRows)(sets, clips)
        self.weights = self._weights([number for number, _ in clips], options)

    def _fits(self, clip: Clip) -> bool:
        if clip.frames < SHORTEST:
            return False
        if clip.role == "style" or clip.text_rule == "window":
            return True
        return clip.text_rule == "whole" and clip.frames <= WHOLE * self.longest

    def _weights(self, numbers: list[int], o: PeopleOptions) -> np.ndarray:
        """Return the chance of each clip: sets by their role's share, cells of the style set evened out."""
        role = np.array([clip.role == "style" for clip in self.clips])
        result = np.zeros(len(numbers))
        entries = [CachedClip(clip, 0, clip.frames) for clip in self.clips if clip.role == "style"]
        result[role] = cell_weights(entries, o.set_one, o.locomotion) if entries else 0.0
        result[~role] = [min(clip.frames / 100, 3.0) ** 0.5 for clip in self.clips if clip.role != "style"]
        for chosen, share in ((role, 1 - o.content_share), (~role, o.content_share)):
            if chosen.any() and not chosen.all():
                result[chosen] *= share / result[chosen].sum()
        return result / result.sum()

    def draw(self, rng: np.random.Generator, count: int) -> list[tuple[Clip, np.ndarray]]:
        """Draw clips with the features of a window of each, ``[T, F]``, not normalised."""
        numbers = rng.choice(len(self.clips), size=count, p=self.weights)
        return [self._window(self.clips[int(number)], rng) for number in numbers]

    def _window(self, clip: Clip, rng: np.random.Generator) -> tuple[Clip, np.ndarray]:
        frames = clip.frames
        length = min(frames, self.longest)
        shortest = length
        if clip.content in LOCOMOTION:
            shortest = min(45, length)
        elif clip.text_rule == "window":
            shortest = min(max(45, int(np.ceil(clip.text_seconds * clip.fps))), length)
        if shortest < length and rng.random() < 0.4:
            length = int(rng.integers(shortest, length + 1))
        first = int(rng.integers(frames - length + 1))
        return clip, self.rows.window(clip, first, length)


def _kept(
    name: str, sets: list[Prepared], rows: dict[str, int], width: int, make: Callable[[str], np.ndarray]
) -> tuple[dict[str, int], np.ndarray]:
    """Return where each clip's rows begin, and all rows [N, width], which ``make`` makes clip by clip where they are not kept."""
    stamps = "".join(p.fingerprint for p in sets)
    key = hashlib.sha256("\n".join([stamps, *rows]).encode()).hexdigest()[:20]
    path: Path = home() / "cache" / f"{name}-{key}.npy"
    starts, end = {}, 0
    for clip, count in rows.items():
        starts[clip], end = end, end + count
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, force=True) as beside:
            array = np.lib.format.open_memmap(beside, "w+", np.float32, (end, width))
            for clip, count in rows.items():
                array[starts[clip] : starts[clip] + count] = make(clip)
            array.flush()
    return starts, np.load(path, mmap_mode="r")
