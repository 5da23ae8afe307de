"""Table 1: every method is asked the same questions with the same seeds, by a motion or by words.

:class:`Bench` holds what all studies share: the prepared sets, the judges, the questions and the real clips.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from motifmix.data.prepared import Prepared
from motifmix.errors import RequestError
from motifmix.evaluation import styled_paper
from motifmix.evaluation.metrics import Interval, frechet_distance, over_repeats
from motifmix.evaluation.questions import Question, StyleSet
from motifmix.evaluation.real import RealClips
from motifmix.evaluation.styled_asking import Asking, Progress, StyledMeasured, Subject
from motifmix.evaluation.styled_questions import Guide, content_set, style_set_cells
from motifmix.evaluation.styled_rows import (
    Figures,
    RealWindows,
    in_mix,
    intervals,
    of_content_set,
    of_style_set,
    style_shares,
)
from motifmix.evaluation.styled_tables import (
    CONTENT,
    DIVERSITY,
    FID,
    LEAK,
    MARGIN,
    MM_DIST,
    R_PRECISION,
    R_RATIO,
    SECONDS,
    SKATE,
    SRA,
    SRA_SET_1,
    Study,
    StudyRow,
    StudyTable,
)
from motifmix.evaluation.windows import captioned_windows
from motifmix.motion.motion import Motion
from motifmix.pipelines.baselines.registry import METHODS, Method
from motifmix.pretrained.judges import Judge, RetrievalJudge, appoint

QUESTIONS = 128  # of the content set in a repeat: four pools of 32
FEWER = {"text-style": 64, "ablation": 64}  # of studies whose many rows are variants of a few methods
CELLS = 60  # of the style set: ten contents, six styles
CONTENT_COLUMNS = (SRA, SRA_SET_1, MARGIN, CONTENT, FID, MM_DIST, R_PRECISION, R_RATIO, DIVERSITY, SKATE, SECONDS)
STYLE_COLUMNS = (SRA, MARGIN, CONTENT, LEAK, FID, DIVERSITY, SKATE, SECONDS)
Ask = Callable[[int], list[Question]]


class Bench:
    """What all studies share.

    Args:
        home: where weights and caches lie.
        bandai, cmu: the prepared sets.
        judge, retrieval: the score judges; another role is refused.
        encode: sentence embeddings ``[n, 384]`` of texts.
        repeats, limit: how often everything is asked, and how many questions of the content set at a time.
        methods: the keys of the rows to be measured; None for all.
    """

    def __init__(
        self,
        home: Path,
        bandai: Prepared,
        cmu: Prepared,
        judge: Judge,
        retrieval: RetrievalJudge,
        encode: Callable[[Sequence[str]], np.ndarray],
        *,
        repeats: int = 5,
        limit: int = QUESTIONS,
        methods: Sequence[str] | None = None,
        progress: Progress = lambda what, done, of: None,
        registry: dict[str, Method] | None = None,
    ) -> None:
        appoint(score=judge)
        appoint(score=retrieval)
        self.home, self.bandai, self.cmu = home, bandai, cmu
        self.judge, self.retrieval, self.encode = judge, retrieval, encode
        self.repeats, self.limit = repeats, limit
        self.methods = METHODS if registry is None else registry
        unknown = [key for key in methods or [] if key not in self.methods]
        if unknown:
            raise RequestError(f"there is no method {unknown[0]!r} to compare; there are {', '.join(self.methods)}")
        self.chosen = list(methods) if methods else list(self.methods)
        self.cache = home / "evaluation" / "styled"
        self.asking = Asking(judge, retrieval, self.cache, progress)
        self.style_set = StyleSet(bandai)
        self.windows = captioned_windows(cmu)
        self.real = RealClips(bandai, judge, retrieval, home / "evaluation")
        self._pipelines: dict[str, Any] = {}

    @cached_property
    def real_windows(self) -> RealWindows:
        """The content set's real clips."""
        texts = self.retrieval.embed_texts(self.encode([w.caption for w in self.windows]))
        return RealWindows.of(self.cmu, self.windows, texts, self.asking)

    @property
    def facts(self) -> dict[str, object]:
        """What the figures depend on."""
        return {
            "repeats": self.repeats,
            "questions": self.limit,
            "judge": self.judge.card.sha256[:12],
            "retrieval": self.retrieval.card.sha256[:12],
            "weights": {key: self.methods[key].version(self.home) for key in self.chosen if self.present(key)},
        }

    def present(self, key: str) -> bool:
        """Whether the weights of a method are there."""
        return self.methods[key].missing(self.home) is None

    def subject(self, key: str) -> Subject:
        """Return a method as it is asked; it is loaded when it is asked first."""
        return self.variant(self.methods[key])

    def variant(self, method: Method) -> Subject:
        """Return a method with options of its own; weights are loaded once, whatever the options."""

        def load() -> Any:
            if method.key not in self._pipelines:
                self._pipelines[method.key] = method.load(self.home)
            return self._pipelines[method.key]

        return Subject(
            method.key, method.title, method.version(self.home), load, dict(method.options), bool(method.guided_by)
        )

    def of_contents(self, guide: Guide = "motion") -> Ask:
        """The questions of the content set, by repeat."""
        return lambda repeat: content_set(self.windows, self.style_set, repeat, self.limit, guide)

    def of_styles(self, guide: Guide = "motion", same_content: bool = False) -> Ask:
        """The questions of the style set, by repeat; about as many as of the content set."""
        per_cell = max(1, self.limit // CELLS)
        return lambda repeat: style_set_cells(self.style_set, repeat, per_cell, guide, same_content)

    def plan(self, rows: int, asks: Sequence[Ask]) -> None:
        """Tell the progress how much is to come."""
        self.asking.planned += rows * self.repeats * sum(len(ask(0)) for ask in asks)

    def contents(self, subject: Subject, ask: Ask, row: str = "content") -> tuple[Figures, Figures]:
        """Return the figures of a subject on questions of the content set: after post-processing, and raw."""
        return self._figures(subject, ask, row, self.content_figures)

    def styled(self, subject: Subject, ask: Ask, row: str = "style") -> tuple[Figures, Figures]:
        """Return the figures of a subject on questions of the style set: after post-processing, and raw."""
        return self._figures(subject, ask, row, self.style_figures)

    def content_figures(self, questions: list[Question], measured: StyledMeasured, repeat: int) -> dict[str, float]:
        """Return the figures of one repeat on the content set, R-precision also over that of the real clips."""
        figures = of_content_set(questions, measured, self.real_windows, self.judge.card.styles, repeat)
        if "r_precision" in figures:
            numbers = [int(q.labels["window"]) for q in questions]
            real = of_content_set(
                questions, self.real_windows.measured.only(numbers), self.real_windows, self.judge.card.styles, repeat
            )
            figures["r_ratio"] = figures["r_precision"] / max(real["r_precision"], 1e-9)
        return figures

    def style_figures(self, questions: list[Question], measured: StyledMeasured, repeat: int) -> dict[str, float]:
        """Return the figures of one repeat on the style set."""
        return of_style_set(questions, measured, self.real, self.judge.card.styles, repeat)

    def _figures(self, subject: Subject, ask: Ask, row: str, figures: Callable) -> tuple[Figures, Figures]:
        clean, raw = [], []
        for repeat in range(self.repeats):
            questions = ask(repeat)
            answers = self.asking.ask(subject, row, repeat, questions)
            seconds = {"seconds": answers.seconds}
            clean.append(figures(questions, answers.clean, repeat) | seconds)
            raw.append(figures(questions, answers.raw, repeat) | seconds)
        return intervals(clean), intervals(raw)

    def real_contents(self, ask: Ask) -> StudyRow:
        """The real clips of the content set, read as if they had been given the styles: the floor of SRA."""
        repeats = []
        for repeat in range(self.repeats):
            questions = ask(repeat)
            numbers = [int(q.labels["window"]) for q in questions]
            repeats.append(self.content_figures(questions, self.real_windows.measured.only(numbers), repeat))
        return StudyRow("real", "real clips of these captions (no style: floor)", intervals(repeats), reference=True)

    def real_references(self, ask: Ask) -> StudyRow:
        """The references themselves, as the judge reads them: the ceiling of SRA."""
        repeats = []
        for repeat in range(self.repeats):
            questions = [q for q in ask(repeat) if isinstance(q.guide, Motion)]
            clips = [q.guide for q in questions if isinstance(q.guide, Motion)]
            key = [clip.labels.get("clip") for clip in clips]
            measured = self.asking.remembered(f"references-{repeat}", key, lambda c=clips: c)
            repeats.append(style_shares(questions, measured, self.judge.card.styles))
        return StudyRow("references", "the references themselves (ceiling)", intervals(repeats), reference=True)

    def real_styles(self, ask: Ask) -> StudyRow:
        """Held-out clips of the style set's cells; their FID is that of training clips in the same mix."""
        _, counts = in_mix(ask(0), self.real)
        held_out = self.real.in_mix("test", counts, 0)
        figures = {
            "skate": Interval(float(held_out.skate.mean()), float("nan")),
        }
        cells = [cell for cell, count in counts.items() for _ in range(count)]
        styles = self.judge.card.styles
        right = [styles[s] == style for s, (_, style) in zip(held_out.style, cells, strict=True)]
        figures["sra"] = Interval(float(np.mean(right)), float("nan"))
        fids = [
            frechet_distance(self.real.in_mix("train", counts, r).features, held_out.features)
            for r in range(self.repeats)
        ]
        figures["fid"] = over_repeats(fids)
        return StudyRow("real", "real clips (held out; FID: of training clips)", figures, reference=True)


INTRO = (
    "Styles come from held-out clips of the style set (Bandai-Namco sets 1 and 2). Two kinds of question: captions of "
    "held-out CMU clips, of which no styled recording exists (*content set*), and set 2's own contents (*style set*). "
    "`normal` is never a wish. Every row answers the same questions with the same seeds at the same lengths, and gets the "
    "same post-processing (feet that rest hold still); the raw tables are of the same clips before it. Methods on one "
    "frozen base and the jointly trained default model stand in tables of their own: the first never saw a styled clip "
    "outside of what was added for style, the second learned contents from styled clips too. The style guides from "
    "the first step on but in one row: people get the default model with a style that joins [late](late_style.md) where training "
    "showed a content in no style, which keeps the action and costs what this judge calls style. How far the two restyling "
    "networks (Aberman et al., Motion Puzzle) learned their task in their minutes is told [apart](restyling.md): their rows are of "
    "that training, not of the methods. [How long every row was trained](style_training.md) stands beside."
)
CLOSING = """\
## Definitions

- *SRA*: share of clips that the score judge reads as the wished style, out of fifteen; styles of set 2. *Set 1*: the styles
  that only set 1 has, of which the judge does not know every real clip (second column of the references' row).
- *margin*: the judge's probability of the wished style less that of the likeliest other, -1 to 1.
- *content*: share of clips read as the content that the judge calls the real clip by, where it has a name for it.
- *leak*: share read as the reference's content.
- *FID*: content set: in the motion-text evaluator's space, to the real windows that were not asked for; style set: in the
  score judge's features, to held-out clips in one mix of cells. It grows as sets shrink: compare within one table only.
- *R-precision* (top 3 of 32 captions that all differ), *MM-Dist*, *diversity*: in the motion-text evaluator's space
  (diversity of the style set: the judge's features); *over real*: R-precision over that of the real clips.
- *foot skating*: share of frame steps in which a toe on the floor moves faster than 0.25 m/s.
- *s a clip*: processor seconds on one thread in batches of 32, judging and post-processing left out."""


def stylization(bench: Bench, command: str) -> Study:
    """Measure Table 1 and return it."""
    contents, styles = bench.of_contents(), bench.of_styles()
    keys = [key for key in bench.chosen if bench.methods[key].guided_by in ((), ("motion",), ("motion", "text"))]
    bench.plan(sum(bench.present(key) for key in keys), [contents, styles])
    tables = []
    for block, title in (
        ("frozen", "On one frozen base"),
        ("joint", "Beside it: the jointly trained default model"),
    ):
        own = [key for key in keys if bench.methods[key].block == block]
        if not own:
            continue
        on_contents, raw_contents, on_styles, raw_styles = [], [], [], []
        for key in own:
            method = bench.methods[key]
            lack = method.missing(bench.home)
            if lack:
                for rows in (on_contents, on_styles):
                    rows.append(StudyRow(key, method.title, lack=lack))
                continue
            floor = not method.guided_by
            for rows, figures in zip(
                (on_contents, raw_contents, on_styles, raw_styles),
                (*bench.contents(bench.subject(key), contents), *bench.styled(bench.subject(key), styles)),
                strict=True,
            ):
                rows.append(StudyRow(key, method.title, figures, reference=floor))
        real = [bench.real_contents(contents), bench.real_references(contents)]
        drawn = ("sra", "fid", "skate")
        tables += [
            StudyTable(f"{title}: content set", CONTENT_COLUMNS, (*on_contents, *real), drawn=drawn),
            StudyTable(f"{title}: content set, raw", CONTENT_COLUMNS, tuple(raw_contents)),
            StudyTable(
                f"{title}: style set", STYLE_COLUMNS, (*on_styles, bench.real_styles(styles)), drawn=("sra", "fid")
            ),
            StudyTable(f"{title}: style set, raw", STYLE_COLUMNS, tuple(raw_styles)),
        ]
    tables.append(styled_paper.STYLIZATION)
    return Study("stylization", "Motion-guided stylisation", command, INTRO, tuple(tables), bench.facts, CLOSING)
