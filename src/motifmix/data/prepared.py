"""`Prepared`, a folder of prepared clips as training, evaluation and `motifmix styles` read it.

Layout: ``clips.jsonl`` (one `Clip` a line), ``rotations.npy`` float32 ``[N, 22, 4]`` and ``root.npy`` float32 ``[N, 3]``
(all clips one after another at 30 fps, motifmix skeleton), ``card.yaml``, ``report.md``. A mirrored clip has no rows of
its own: it is its twin's rows, mirrored when they are read.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from motifmix.data.labels import ContentLabel, mirrored_content
from motifmix.data.left_out import names_style
from motifmix.data.sample import Clip
from motifmix.errors import DataError
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion.skeleton import MIRROR


class Prepared:
    """The clips of a prepared folder. Raises ``DataError`` when the folder is none, or its parts do not fit."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        try:
            text = (self.folder / "clips.jsonl").read_text("utf-8")
            self.card: dict[str, Any] = yaml.safe_load((self.folder / "card.yaml").read_text("utf-8"))
            self._rotations = np.load(self.folder / "rotations.npy", mmap_mode="r")
            self._root = np.load(self.folder / "root.npy", mmap_mode="r")
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise DataError(
                f"{self.folder}: not a prepared data folder ({error}); make one with 'motifmix data prepare'"
            ) from error
        try:
            self.clips: tuple[Clip, ...] = tuple(Clip.from_line(json.loads(line)) for line in text.splitlines() if line)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{self.folder}/clips.jsonl: damaged ({error}); run 'motifmix data prepare' again"
            ) from error
        rows = max((clip.start + clip.frames for clip in self.clips), default=0)
        if not rows <= len(self._rotations) == len(self._root):
            raise DataError(
                f"{self.folder}: the arrays do not hold the {rows} rows that clips.jsonl names; prepare it again"
            )

    @property
    def fingerprint(self) -> str:
        """What tells this preparation from another."""
        return str(self.card.get("fingerprint"))

    @cached_property
    def by_id(self) -> dict[str, Clip]:
        """The clips by their id."""
        return {clip.id: clip for clip in self.clips}

    def arrays(self, clip: Clip, first: int = 0, frames: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return local rotations ``[T, 22, 4]`` and root ``[T, 3]`` of a clip or a window of it, mirrored if it is."""
        frames = clip.frames - first if frames is None else frames
        if first < 0 or frames < 1 or first + frames > clip.frames:
            raise ValueError(f"frames {first} to {first + frames} do not lie in {clip.id} ({clip.frames} frames)")
        rows = slice(clip.start + first, clip.start + first + frames)
        rotations, root = np.array(self._rotations[rows]), np.array(self._root[rows])
        if clip.mirror_of is None:
            return rotations, root
        return (
            rotations[:, list(MIRROR)] * np.array([1, -1, -1, 1], dtype=np.float32),
            root * np.array([-1, 1, 1], dtype=np.float32),
        )

    def motion(self, clip: Clip, first: int = 0, frames: int | None = None) -> Motion:
        """Return a clip, or a window of it, as a motion with its labels."""
        rotations, root = self.arrays(clip, first, frames)
        labels = {"clip": clip.id, "content": clip.content, "style": clip.style, "credit": self.card.get("credit")}
        return Motion(MOTIFMIX, rotations, root, clip.fps, {k: v for k, v in labels.items() if v})

    def select(
        self,
        *,
        split: str | None = "train",
        source: str | None = None,
        content: str | None = None,
        style: str | None = None,
        mirrored: bool | None = None,
        captioned: bool | None = None,
        without_cells: Iterable[tuple[str, str]] = (),
        without_styles: Iterable[str] = (),
        where: Callable[[Clip], bool] | None = None,
    ) -> list[Clip]:
        """Return the clips that fit everything asked for.

        ``split`` None means train and test, never dropped ones. ``mirrored`` None means both. ``without_cells`` leaves
        out (content, style) cells together with their mirror images; equal styles of both sets have one name, so set
        1's namesakes go too. ``without_styles`` leaves out all clips of styles, and those whose captions name one.
        """
        cells = {cell for content, style in without_cells for cell in _with_mirror(content, style)}
        styles = tuple(without_styles)
        return [
            clip
            for clip in self.clips
            if (clip.split == split if split else clip.split != "dropped")
            and (source is None or clip.source == source)
            and (content is None or clip.content == content)
            and (style is None or clip.style == style)
            and (mirrored is None or (clip.mirror_of is not None) == mirrored)
            and (captioned is None or bool(clip.captions) == captioned)
            and (clip.content, clip.style) not in cells
            and clip.style not in styles
            and not any(names_style(caption, style) for caption in clip.captions for style in styles)
            and (where is None or where(clip))
        ]

    def content_counts(self, split: str | None = "train") -> dict[str, int]:
        """Return how many clips (twins not counted) show each content label or action tag, most frequent first."""
        counts: Counter[str] = Counter()
        for clip in self.select(split=split, mirrored=False):
            counts.update([clip.content] if clip.content else clip.actions)
        return dict(counts.most_common())


def _with_mirror(content: str, style: str) -> set[tuple[str, str]]:
    return {(content, style), (mirrored_content(ContentLabel(content)).content, style)}
