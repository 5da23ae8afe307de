"""What the protocol asks of a pipeline: texts, styles, lengths and seeds, drawn once from the repeat's number.

Everything that a model could have seen stays away: references are held-out clips, and the rows that say so use wordings
which no training reads. All (content, style) cells of set 2 count alike, also the three that the archive lacks.
"""

import json
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from motifmix.data.captions import (
    captions,
    hard_captions,
    hard_style_phrases,
    held_out_captions,
    held_out_style_phrases,
    style_phrases,
)
from motifmix.data.labels import SET_1_CONTENTS, SET_2_CONTENTS, SET_2_STYLES, STYLES
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.errors import MotifmixError
from motifmix.evaluation.windows import CaptionedWindow
from motifmix.motion.motion import Motion

SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 10.0
RARE = 10  # labels with fewer style-set clips are judged by what the content set shows of them, and stand apart


@dataclass(frozen=True)
class Question:
    """One clip to be generated, and what it must be read as (any of ``contents``; ``style`` None is not judged).

    ``guide`` is a word, a sentence or a reference motion; ``reference_content`` what the reference shows.
    ``seconds`` None leaves the length to the pipeline.
    """

    text: str
    seed: int
    contents: tuple[str, ...] = ()
    style: str | None = None
    guide: str | Motion | None = None
    seconds: float | None = None
    reference_content: str | None = None
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def cell(self) -> tuple[str, str]:
        """Content and style, "" where the question has none."""
        return (self.contents[0] if self.contents else "", self.style or "")


class StyleSet:
    """Lengths and held-out references of the style set, as questions need them."""

    def __init__(self, folder: Prepared) -> None:
        self.folder = folder
        clips = [c for c in folder.clips if c.split != "dropped" and c.content and c.style]
        self.test = [c for c in clips if c.split == "test" and c.mirror_of is None]
        self.train_counts: dict[str, int] = defaultdict(int)
        seconds: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        for clip in clips:
            seconds[clip.split, clip.content or "", clip.style or ""].append(within_limits(clip.seconds))
            if clip.split == "train" and clip.mirror_of is None:
                self.train_counts[clip.content or ""] += 1
        self._seconds = seconds

    def natural_seconds(self, content: str, style: str, rng: np.random.Generator) -> float | None:
        """Draw the length of a held-out clip of the cell or of its mirror image; None where there is none."""
        known = self._seconds.get(("test", content, style))
        return float(rng.choice(known)) if known else None

    def content_seconds(self, content: str) -> float:
        """Return the content's mean length over set 2's styles, training side: one length for all styles."""
        means = [
            np.mean(self._seconds["train", content, style])
            for style in SET_2_STYLES
            if ("train", content, style) in self._seconds
        ]
        return float(np.mean(means))

    def mean_seconds(self, content: str, style: str) -> float | None:
        """Return the mean length of the cell's real clips."""
        both = self._seconds.get(("train", content, style), []) + self._seconds.get(("test", content, style), [])
        return float(np.mean(both)) if both else None

    def reference(self, source: str, style: str, content: str, rng: np.random.Generator) -> Clip | None:
        """Draw a held-out clip of the style that shows another content."""
        fits = [c for c in self.test if c.source == source and c.style == style and c.content != content]
        return fits[int(rng.integers(len(fits)))] if fits else None

    def cells(self, source: str) -> list[tuple[str, str]]:
        """Return the cells of which a source has clips, in order."""
        return sorted({(c.content or "", c.style or "") for c in self.folder.clips if c.source == source})


def set_2_cells() -> list[tuple[str, str]]:
    """Return all seventy cells of set 2."""
    return [(content, style) for content in SET_2_CONTENTS for style in SET_2_STYLES]


Words = Literal["trained", "held_out", "hard"]
WORDS: tuple[Words, ...] = ("trained", "held_out", "hard")
"""Wordings of training; everyday wordings that no training sees; idioms and rare words that none sees."""
_CAPTIONS = {"trained": captions, "held_out": held_out_captions, "hard": hard_captions}
_STYLE_PHRASES = {"trained": style_phrases, "held_out": held_out_style_phrases, "hard": hard_style_phrases}
_DRAW: dict[Words, bool | str] = {"trained": False, "held_out": True, "hard": "hard"}  # what seeds are made of


def unstyled(repeat: int, words: Words, per_content: int) -> list[Question]:
    """Ask for set 2's contents without a style, in one of the kinds of ``WORDS``."""
    rng = rng_of("unstyled", _DRAW[words], repeat)
    questions = []
    for content in SET_2_CONTENTS:
        wordings = _CAPTIONS[words](content)
        chosen = rng.permutation(len(wordings))
        questions += [
            Question(
                wordings[chosen[i % len(chosen)]], seed_of("unstyled", _DRAW[words], repeat, content, i), (content,)
            )
            for i in range(per_content)
        ]
    return questions


def motion_guided(
    style_set: StyleSet, repeat: int, length: str, per_cell: int, cells: list[tuple[str, str]] | None = None
) -> list[Question]:
    """Ask for cells by a held-out reference of another content.

    ``length`` is ``natural`` (of a held-out clip of the cell), ``fixed`` (one for all styles of the content) or
    ``predicted``.
    """
    rng = rng_of("motion", length, repeat)
    questions = []
    for content, style in cells or set_2_cells():
        for i in range(per_cell):
            reference = style_set.reference("bandai-2", style, content, rng)
            if reference is None:
                continue
            seconds = {
                "natural": style_set.natural_seconds(content, style, rng),
                "fixed": style_set.content_seconds(content),
                "predicted": None,
            }[length]
            questions.append(
                Question(
                    drawn(captions(content), rng),
                    seed_of("motion", length, repeat, content, style, i),
                    (content,),
                    style,
                    style_set.folder.motion(reference),
                    seconds,
                    reference.content,
                )
            )
    return questions


def text_guided(repeat: int, words: Words, per_cell: int) -> list[Question]:
    """Ask for cells by words of their style, in one of the kinds of ``WORDS``; the pipeline chooses the length."""
    rng = rng_of("text", _DRAW[words], repeat)
    return [
        Question(
            drawn(captions(content), rng),
            seed_of("text", _DRAW[words], repeat, content, style, i),
            (content,),
            style,
            drawn(_STYLE_PHRASES[words](style), rng),
        )
        for content, style in set_2_cells()
        for i in range(per_cell)
    ]


def set_1_guided(style_set: StyleSet, repeat: int, by_motion: bool, per_style: int) -> list[Question]:
    """Ask for set 1's fifteen styles with its contents, by trained words or by its held-out walks."""
    rng = rng_of("set 1", by_motion, repeat)
    cells = style_set.cells("bandai-1")
    questions = []
    for style in STYLES:
        contents = [content for content, s in cells if s == style and content in SET_1_CONTENTS]
        if by_motion:
            contents = [content for content in contents if style_set.reference("bandai-1", style, content, rng)]
        for i, content in enumerate(rng.permutation(contents)[:per_style].tolist()):
            reference = style_set.reference("bandai-1", style, content, rng) if by_motion else None
            questions.append(
                Question(
                    drawn(captions(content), rng),
                    seed_of("set 1", by_motion, repeat, content, style, i),
                    (content,),
                    style,
                    style_set.folder.motion(reference) if reference else drawn(style_phrases(style), rng),
                    None,
                    reference.content if reference else None,
                )
            )
    return questions


def captioned(windows: list[CaptionedWindow], repeat: int) -> list[Question]:
    """Ask for the content set's test windows: their captions, at the real windows' lengths."""
    return [
        Question(window.caption, seed_of("captioned", repeat, i), seconds=within_limits(window.seconds))
        for i, window in enumerate(windows)
    ]


def prompts(path: Path, style_set: StyleSet, repeat: int) -> list[Question]:
    """Ask for what people typed; the file is ``prompts_public.json`` or one like it.

    Each question's ``labels`` say its group: ``labelled``, ``rare`` (fewer than ten style-set clips) or ``open``.
    Raises :class:`MotifmixError` when the file is no list of prompts.
    """
    try:
        entries = json.loads(path.read_text("utf-8"))["prompts"]
        rows = [(e["id"], e["text"], e["content"], tuple(e["alternatives"])) for e in entries]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MotifmixError(f"{path}: no list of prompts ({error}); give a file like prompts_public.json.") from None
    questions = []
    for identity, text, content, alternatives in rows:
        group = "open" if content is None else "rare" if style_set.train_counts[content] < RARE else "labelled"
        accepted = ((content, *alternatives) if content else alternatives) or ()
        questions.append(
            Question(text, seed_of("prompt", repeat, identity), accepted, labels={"group": group, "id": identity})
        )
    return questions


def within_limits(seconds: float) -> float:
    """Clip a length to what is asked for, one to ten seconds."""
    return float(np.clip(seconds, SHORTEST_SECONDS, LONGEST_SECONDS))


def drawn(wordings: list[str], rng: np.random.Generator) -> str:
    """Draw one of some wordings."""
    return wordings[int(rng.integers(len(wordings)))]


def seed_of(*parts: object) -> int:
    """Return the seed that a question has by what it is."""
    return zlib.crc32(repr(parts).encode())


def rng_of(*parts: object) -> np.random.Generator:
    """Return the generator that draws the questions of a row."""
    return np.random.default_rng(seed_of("rng", *parts))
