"""Table 2: a recorded motion and a style clip in, the same motion in that style out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from motifmix.evaluation import styled_paper
from motifmix.evaluation.questions import Question, rng_of
from motifmix.evaluation.styled_asking import Answers, guide_name
from motifmix.evaluation.styled_questions import content_set, style_set_cells
from motifmix.evaluation.styled_rows import Figures, intervals
from motifmix.evaluation.styled_tables import Study, StudyRow, StudyTable
from motifmix.evaluation.stylization import CLOSING, CONTENT_COLUMNS, STYLE_COLUMNS, Bench
from motifmix.motion.motion import Motion
from motifmix.pipelines.baselines.registry import TRANSFERS, Transfer

QUESTIONS = 32  # of the content set in a repeat: one pool; inversion takes a second of processor time a clip

INTRO = (
    "Contents are recordings: held-out CMU clips (*content set*), and set 2's held-out clips in the style *normal* (*style "
    "set*); styles are held-out clips of another content. *Content* and R-precision say what is left of the recording, the "
    "untouched recordings stand beside as floor of SRA and ceiling of content. Every row gets the same post-processing; the "
    "raw tables are of the same clips before it. How far the two restyling networks learned their task is told [apart](restyling.md): "
    "their rows are of that training, not of the methods."
)


@dataclass(frozen=True)
class Carried:
    """One motion to be carried over: what the result must be read as, and the recording."""

    question: Question
    content: Motion


def asked_in(study: str, limit: int) -> int:
    """Return how many questions of the content set a study asks in a repeat where at most ``limit`` are wanted."""
    return min(limit, QUESTIONS) if study == "transfer" else limit


def transfer(bench: Bench, command: str) -> Study:
    """Measure style transfer."""
    count = asked_in("transfer", bench.limit)
    methods = [method for method in TRANSFERS if method.key == "untouched" or method.key in bench.chosen]
    bench.asking.planned += bench.repeats * (count + 30) * sum(m.missing(bench.home) is None for m in methods)
    rows: dict[str, list[StudyRow]] = {"content": [], "content raw": [], "style": [], "style raw": []}
    for method in methods:
        lack = method.missing(bench.home)
        if lack:
            for name in ("content", "style"):
                rows[name].append(StudyRow(method.key, method.title, lack=lack))
            continue
        made = _Made(bench, method)
        for name, ask, figures in (
            ("content", lambda r: contents(bench, r, count), bench.content_figures),
            ("style", lambda r: normal_clips(bench, r), bench.style_figures),
        ):
            floor = method.key == "untouched"
            for side, own in zip(("", " raw"), made.figures(name, ask, figures), strict=True):
                rows[name + side].append(StudyRow(method.key, method.title, own, reference=floor))
    tables = (
        StudyTable("Content set", CONTENT_COLUMNS, tuple(rows["content"]), drawn=("sra", "fid", "skate")),
        StudyTable("Content set, raw", CONTENT_COLUMNS, tuple(rows["content raw"])),
        StudyTable("Style set", STYLE_COLUMNS, tuple(rows["style"]), drawn=("sra", "content")),
        StudyTable("Style set, raw", STYLE_COLUMNS, tuple(rows["style raw"])),
        styled_paper.TRANSFER,
    )
    facts = {**bench.facts, "questions": count}
    return Study("transfer", "Motion style transfer", command, INTRO, tables, facts, CLOSING)


def contents(bench: Bench, repeat: int, count: int) -> list[Carried]:
    """Return held-out CMU windows with held-out references."""
    questions = content_set(bench.windows, bench.style_set, repeat, count)
    return [Carried(q, bench.windows[int(q.labels["window"])].motion(bench.cmu)) for q in questions]


def normal_clips(bench: Bench, repeat: int) -> list[Carried]:
    """Return held-out *normal* clips of set 2's contents, each to be given three of the six other styles in turn."""
    rng = rng_of("transfer", repeat)
    carried = []
    for question in style_set_cells(bench.style_set, repeat, 1)[repeat % 2 :: 2]:
        clips = [c for c in bench.style_set.test if c.source == "bandai-2" and c.style == "normal"]
        clips = [c for c in clips if c.content == question.cell[0]]
        if clips:
            carried.append(Carried(question, bench.bandai.motion(clips[int(rng.integers(len(clips)))])))
    return carried


class _Made:
    """What one method makes of recordings, kept repeat by repeat."""

    def __init__(self, bench: Bench, method: Transfer) -> None:
        self.bench, self.method = bench, method
        self._work: Any = None

    def figures(self, row: str, ask: Callable[[int], list[Carried]], figures: Callable) -> tuple[Figures, Figures]:
        """Return the figures after post-processing, and raw."""
        clean, raw = [], []
        for repeat in range(self.bench.repeats):
            carried = ask(repeat)
            answers, questions = self._answers(row, repeat, carried), [one.question for one in carried]
            seconds = {} if self.method.key == "untouched" else {"seconds": answers.seconds}
            clean.append(figures(questions, answers.clean, repeat) | seconds)
            raw.append(figures(questions, answers.raw, repeat) | seconds)
        return intervals(clean), intervals(raw)

    def _answers(self, row: str, repeat: int, carried: Sequence[Carried]) -> Answers:
        said = [
            (one.content.labels.get("clip"), one.content.frames, guide_name(one.question.guide), one.question.style)
            for one in carried
        ]
        return self.bench.asking.answered(
            f"transfer-{self.method.key}",
            self.method.title,
            f"{row}-{repeat}",
            (self.method.version(self.bench.home), said),
            len(carried),
            lambda first, last: self._carry(carried[first:last]),
            self._ready,
        )

    def _ready(self) -> Any:
        if self._work is None:
            self._work = self.method.load(self.bench.home)
        return self._work

    def _carry(self, carried: Sequence[Carried]) -> list[Motion]:
        motions = [one.content for one in carried]
        return self._ready()(motions, [one.question.guide for one in carried])
