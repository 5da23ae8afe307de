"""The questions of the stylisation tables: every method gets the same texts, styles, lengths and seeds.

Two sets that are not mixed up. *Content set*: captions of held-out CMU windows, of which no styled clip exists, so that
style has to come from the reference alone. *Style set*: set 2's own contents, where a judge knows what the result must be.
``normal`` is left out as a wish: a motion without any style would meet it. Styles that only set 1 has stand apart, because
the judge itself knows half of its real clips.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Protocol

import numpy as np

from motifmix.data.captions import held_out_style_descriptions, held_out_style_phrases, style_phrases
from motifmix.data.labels import SET_2_CONTENTS, SET_2_STYLES, STYLES, style_synonyms
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.evaluation.classes import content_class
from motifmix.evaluation.questions import (
    Question,
    StyleSet,
    drawn,
    motion_guided,
    rng_of,
    seed_of,
    set_2_cells,
    within_limits,
)
from motifmix.evaluation.windows import CaptionedWindow


class References(Protocol):
    """Where references are drawn from: a ``StyleSet`` (held-out clips), or the training side for what selects."""

    folder: Prepared
    test: list[Clip]

    def reference(self, source: str, style: str, content: str, rng: np.random.Generator) -> Clip | None:
        """Draw a clip of the style that shows another content."""
        ...


Guide = Literal["motion", "word", "labels", "phrase", "description", "held_out"]
TEXT_GUIDES: tuple[Guide, ...] = ("word", "labels", "phrase", "held_out", "description")
GUIDE_WORDS: dict[Guide, str] = {
    "motion": "a motion",
    "word": "one word",
    "labels": "several labels",
    "phrase": "a short phrase",
    "held_out": "a short phrase never trained",
    "description": "a long description",
}
WISHED = tuple(style for style in SET_2_STYLES if style != "normal")
SET_1_SHARE = 4  # every fourth question of the content set wishes a style that only set 1 has


def content_set(
    windows: Sequence[CaptionedWindow],
    style_set: References,
    repeat: int,
    count: int,
    guide: Guide = "motion",
    side: str = "test",
) -> list[Question]:
    """Ask for ``count`` captions of the content set, each once where there are as many, in styles that take turns.

    The length is the real window's. ``labels`` of a question: ``set`` (``2`` or ``1``) of its style and ``window``, its
    number in ``windows``; ``contents`` is what the judge can call the real clip, () where it has no name for it.
    """
    rng = rng_of("styled content set", side, repeat)
    chosen = _distinct(windows, count, rng)
    alone = _styles_of_set_1(style_set)
    questions = []
    for place, window in enumerate(chosen):
        of_set_1 = bool(alone) and place % SET_1_SHARE == SET_1_SHARE - 1
        # The turn goes on over the repeats: 32 questions give seven styles four or five turns each.
        turn = place // SET_1_SHARE + repeat if of_set_1 else place - place // SET_1_SHARE + repeat
        style = alone[turn % len(alone)] if of_set_1 else WISHED[turn % len(WISHED)]
        reference = style_set.reference("bandai-1" if of_set_1 else "bandai-2", style, "", rng)
        content = content_class(windows[window].clip)
        questions.append(
            Question(
                windows[window].caption,
                seed_of("styled content set", side, repeat, place),
                (content,) if content else (),
                style,
                style_set.folder.motion(reference) if reference else None,
                within_limits(windows[window].seconds),
                reference.content if reference else None,
                {"set": "1" if of_set_1 else "2", "window": str(window)},
            )
        )
    return told(questions, guide, repeat)


def style_set_cells(
    style_set: StyleSet, repeat: int, per_cell: int, guide: Guide = "motion", same_content: bool = False
) -> list[Question]:
    """Ask for set 2's contents in its styles but ``normal``, at the length of a held-out clip of the cell.

    The reference shows another content, or with ``same_content`` the one that is asked for.
    """
    cells = [cell for cell in set_2_cells() if cell[1] in WISHED]
    questions = motion_guided(style_set, repeat, "natural", per_cell, cells)
    if same_content:
        rng = rng_of("same content", repeat)
        questions = [_with_same_content(question, style_set, rng) for question in questions]
    return told([replace(question, labels={"set": "2"}) for question in questions], guide, repeat)


def told(questions: Sequence[Question], guide: Guide, repeat: int) -> list[Question]:
    """Return the questions with words in the place of their references; ``motion`` leaves them as they are."""
    if guide == "motion":
        return list(questions)
    rng = rng_of("words", guide, repeat)
    return [
        replace(question, guide=_words(question.style or "", guide, rng), reference_content=None)
        for question in questions
    ]


def _words(style: str, guide: Guide, rng: np.random.Generator) -> str:
    name = style.replace("-", " ")
    if guide == "word":
        return name
    if guide == "labels":
        synonyms = style_synonyms(style)
        return ", ".join([name, *(synonyms[i] for i in rng.permutation(len(synonyms))[:2])])
    if guide == "phrase":
        return drawn([phrase for phrase in style_phrases(style) if " " in phrase], rng)
    return drawn(held_out_style_phrases(style) if guide == "held_out" else held_out_style_descriptions(style), rng)


def _distinct(windows: Sequence[CaptionedWindow], count: int, rng: np.random.Generator) -> list[int]:
    """Draw ``count`` windows, first one of every caption, so that whole pools of unlike captions can be made."""
    order: list[int] = rng.permutation(len(windows)).tolist()
    seen: set[str] = set()
    first = [i for i in order if not (windows[i].caption in seen or seen.add(windows[i].caption))]
    again = [i for i in order if i not in set(first)]
    return (first + again)[:count]


def _styles_of_set_1(style_set: References) -> list[str]:
    known = {clip.style for clip in style_set.test if clip.source == "bandai-1"}
    return [style for style in STYLES if style in known and style not in SET_2_STYLES]


def _with_same_content(question: Question, style_set: StyleSet, rng: np.random.Generator) -> Question:
    content, style = question.cell
    fits = [c for c in style_set.test if c.source == "bandai-2" and (c.content, c.style) == (content, style)]
    if not fits or content not in SET_2_CONTENTS:
        return question
    reference = fits[int(rng.integers(len(fits)))]
    return replace(question, guide=style_set.folder.motion(reference), reference_content=content)
