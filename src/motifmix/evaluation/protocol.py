"""The evaluation of a pipeline: what is asked, what the score judge reads, and the rows of the results.

Generation dominates the cost, so every batch of clips is measured once and its figures kept under the cache folder
(a killed run goes on where it stood). Held-out clips alone serve as references and as the real side of every row.
Generated clips are read at 20 fps from their joints; longer real clips are cropped to ten seconds alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from motifmix.atomic import replacing
from motifmix.data.actions import main_actions
from motifmix.data.prepared import Prepared
from motifmix.evaluation import metrics, questions
from motifmix.evaluation.classes import CONTENT_CLASSES, OWN_ACTIONS, SHARED_ACTIONS
from motifmix.evaluation.measuring import FPS, Measured, digest, measure
from motifmix.evaluation.questions import Question, StyleSet
from motifmix.evaluation.real import FID_PER_CELL, RealClips, fingerprint
from motifmix.evaluation.windows import CaptionedWindow, captioned_windows
from motifmix.motion.motion import Motion
from motifmix.pipelines.sampling import CHOSEN
from motifmix.pretrained.judges import Judge, RetrievalJudge, appoint, joint_positions

Progress = Callable[[str, int, int], None]  # what is asked now, clips answered in all, clips to answer in all
CHUNK = 35  # clips generated between two looks at the clock
HALVINGS = 5


class Pipeline(Protocol):
    """What is evaluated."""

    def generate(
        self,
        texts: Sequence[str],
        *,
        styles: Sequence[str | Motion | None] | None = None,
        seconds: Sequence[float | None] | None = None,
        seeds: Sequence[int] | None = None,
    ) -> list[Motion]:
        """Generate one motion a text."""
        ...

    def reconstruct(self, motions: Sequence[Motion]) -> list[Motion]:
        """Encode and decode motions; frame t of the result stands for frame t at 20 fps."""
        ...


class Plan(BaseModel):
    """How much is generated in a repeat; the defaults cost about six minutes on two cores in five repeats."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repeats: int = Field(5, ge=1)
    unstyled_per_content: int = 7
    natural_per_cell: int = FID_PER_CELL
    fixed_per_cell: int = 2
    predicted_per_cell: int = 1
    text_per_cell: int = 1
    set_1_per_style: int = 4
    content_windows: int | None = None
    reconstructions: int = 400


@dataclass(frozen=True)
class Row:
    """One figure: ours over the repeats, beside the same figure of real held-out clips."""

    key: str
    ours: metrics.Interval
    clips: int
    real: float | None = None
    real_bounds: tuple[float, float] | None = None
    real_clips: int = 0


@dataclass(frozen=True)
class Results:
    """Everything that the tables print."""

    rows: dict[str, Row]
    cells: dict[str, dict[str, float]]
    judge_numbers: dict[str, Any]
    retrieval_numbers: dict[str, Any]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """The questions of one row in one repeat with what was measured on the answers."""

    questions: list[Question]
    measured: Measured

    def content_right(self) -> np.ndarray:
        """Return for every clip whether its content was read as one that fits."""
        names = [CONTENT_CLASSES[i] for i in self.measured.content]
        return np.array([name in q.contents for name, q in zip(names, self.questions, strict=True)])

    def style_right(self, styles: Sequence[str]) -> np.ndarray:
        """Return for every clip whether its style was read."""
        return np.array([styles[i] == q.style for i, q in zip(self.measured.style, self.questions, strict=True)])

    def leaks(self) -> np.ndarray:
        """Return for every clip whether it was read as the reference's content."""
        names = [CONTENT_CLASSES[i] for i in self.measured.content]
        return np.array([name == q.reference_content for name, q in zip(names, self.questions, strict=True)])


class Evaluation:
    """One pipeline under the protocol.

    Args:
        pipeline: what is evaluated.
        name: what it is called; together with ``version`` (say, the weights' checksum) it names the cached figures.
        bandai, cmu: the prepared sets.
        judge, retrieval: the score judges; another role is refused.
        encode: sentence embeddings ``[n, 384]`` of texts.
        cache: folder for figures that are measured once.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        name: str,
        version: str,
        bandai: Prepared,
        cmu: Prepared | None,
        judge: Judge,
        retrieval: RetrievalJudge,
        encode: Callable[[Sequence[str]], np.ndarray],
        cache: Path,
        plan: Plan | None = None,
        prompts: Path | None = None,
        progress: Progress = lambda what, done, of: None,
    ) -> None:
        appoint(score=judge)
        appoint(score=retrieval)
        self.pipeline, self.name, self.version = pipeline, name, version
        self.bandai, self.cmu = bandai, cmu
        self.judge, self.retrieval, self.encode = judge, retrieval, encode
        self.cache, self.plan, self.prompts, self.progress = cache, plan or Plan.model_validate({}), prompts, progress
        self.style_set = StyleSet(bandai)
        self.styles = judge.card.styles
        self._answered = 0
        self.real = RealClips(bandai, judge, retrieval, cache)
        self._judges = (judge.card.sha256, retrieval.card.sha256)

    def run(self) -> Results:
        """Ask everything; returns the results."""
        rows: dict[str, Row] = {}
        for part in (self._reconstruction, self._unstyled, self._guided, self._text_guided, self._set_1):
            rows |= part()
        if self.cmu is not None:
            rows |= self._content_set(self.cmu)
        if self.prompts is not None:
            rows |= self._prompts(self.prompts)
        return Results(
            rows,
            self._cell_shares(),
            dict(self.judge.card.numbers),
            dict(self.retrieval.card.numbers),
            {"name": self.name, "version": self.version, "repeats": self.plan.repeats, "judge": self._judges[0][:12]},
        )

    def unseen_cells(self, cells: Sequence[tuple[str, str]], per_cell: int = 10) -> dict[str, Row]:
        """Return the rows of cells that the pipeline's recipe left out (asked with their predicted length)."""
        asked = [
            self._ask(
                f"unseen-{digest(sorted(cells))}",
                repeat,
                questions.motion_guided(self.style_set, repeat, "predicted", per_cell, list(cells)),
            )
            for repeat in range(self.plan.repeats)
        ]
        return self._recognition("unseen", asked)

    # -- rows

    def _reconstruction(self) -> dict[str, Row]:
        rows = {}
        sets: list[tuple[str, list[Motion]]] = [
            ("set_2", [self.bandai.motion(c) for c in self.real.clips("bandai-2")]),
            ("set_1", [self.bandai.motion(c) for c in self.real.clips("bandai-1")]),
        ]
        if self.cmu is not None:
            sets.append(("content_set", [w.motion(self.cmu) for w in self._windows(self.cmu)]))
        for name, motions in sets:
            motions = motions[: self.plan.reconstructions]
            if not motions:
                continue
            errors = self._cached_array(
                f"reconstruction-{name}",
                (len(motions), fingerprint(self.cmu if name == "content_set" and self.cmu else self.bandai)),
                lambda m=motions: self._errors(m),
            )
            for column, figure in enumerate(("local", "world", "end_drift")):
                rows[f"vae_{figure}_{name}"] = Row(
                    f"vae_{figure}_{name}",
                    metrics.bootstrap(errors[:, column], np.random.default_rng(0)),
                    len(errors),
                )
        return rows

    def _errors(self, motions: list[Motion]) -> np.ndarray:
        errors = []
        for start in range(0, len(motions), CHUNK):
            part = motions[start : start + CHUNK]
            for rebuilt, real in zip(self.pipeline.reconstruct(part), part, strict=True):
                # Features hold no place and no heading to start from: both clips start at the origin.
                error = metrics.joint_error(
                    metrics.from_first_frame(joint_positions(rebuilt, FPS)),
                    metrics.from_first_frame(joint_positions(real, FPS)),
                )
                errors.append((error.local, error.world, error.end_drift))
            self.progress("reconstruction", self._answered, self._planned())
        return np.array(errors)

    def _unstyled(self) -> dict[str, Row]:
        rows = {}
        for words in questions.WORDS:
            key = f"content_{words}"
            asked = [
                self._ask(key, r, questions.unstyled(r, words, self.plan.unstyled_per_content))
                for r in range(self.plan.repeats)
            ]
            rows[key] = self._row(key, [a.content_right() for a in asked], self.real.share("bandai-2", "content"))
        return rows

    def _guided(self) -> dict[str, Row]:
        rows = {}
        natural: list[Asked] = []
        for length, per_cell in (
            ("natural", self.plan.natural_per_cell),
            ("fixed", self.plan.fixed_per_cell),
            ("predicted", self.plan.predicted_per_cell),
        ):
            asked = [
                self._ask(f"motion-{length}", r, questions.motion_guided(self.style_set, r, length, per_cell))
                for r in range(self.plan.repeats)
            ]
            rows |= self._recognition(f"motion_{length}", asked)
            if length == "natural":
                natural = asked
            if length == "predicted":
                rows |= self._length_row("motion_predicted", asked)
        return rows | self._quality(natural) | self._missing_cells(natural)

    def _text_guided(self) -> dict[str, Row]:
        rows = {}
        for words in questions.WORDS:
            key = f"text_{words}"
            asked = [
                self._ask(key, r, questions.text_guided(r, words, self.plan.text_per_cell))
                for r in range(self.plan.repeats)
            ]
            rows |= self._recognition(key, asked)
            if words == "trained":
                rows |= self._length_row(key, asked)
        return rows

    def _set_1(self) -> dict[str, Row]:
        rows = {}
        for by_motion in (False, True):
            key = "set_1_motion" if by_motion else "set_1_text"
            asked = [
                self._ask(key, r, questions.set_1_guided(self.style_set, r, by_motion, self.plan.set_1_per_style))
                for r in range(self.plan.repeats)
            ]
            rows |= self._recognition(key, asked, source="bandai-1")
        return rows

    def _quality(self, asked: list[Asked]) -> dict[str, Row]:
        """FID, diversity, feet, jerk and speed, in one mix: the held-out clips of every cell, at most four."""
        counts = self.real.mix(self.plan.natural_per_cell)
        real = self.real.in_mix("test", counts, 0)
        count = len(real)
        rng = np.random.default_rng(0)
        first, second = metrics.random_pairs(count, 300, rng)
        own = [
            metrics.frechet_distance(self.real.in_mix("train", counts, r).features, real.features)
            for r in range(self.plan.repeats)
        ]
        base = float(np.mean(own))
        figures: dict[str, list[float]] = {}
        for one in asked:
            made = one.measured.only(_first_of_cells(one.questions, counts))
            fid = metrics.frechet_distance(made.features, real.features)
            pairs = metrics.random_pairs(len(made), 300, np.random.default_rng(0))
            for key, value in (
                ("fid", fid),
                ("fid_ratio", fid / base),
                ("diversity", metrics.diversity(made.features, *pairs)),
                ("skate", float(made.skate.mean())),
                ("skate_ratio", float(made.skate.mean() / max(real.skate.mean(), 1e-9))),
                ("jerk_ratio", float(made.jerk.mean() / real.jerk.mean())),
                ("speed_ratio", float(made.speed.mean() / real.speed.mean())),
            ):
                figures.setdefault(key, []).append(value)
        reals = {
            "fid": base,
            "fid_ratio": 1.0,
            "diversity": metrics.diversity(real.features, first, second),
            "skate": float(real.skate.mean()),
            "skate_ratio": 1.0,
            "jerk_ratio": 1.0,
            "speed_ratio": 1.0,
        }
        return {
            key: Row(key, metrics.over_repeats(values), count, reals[key], real_clips=count)
            for key, values in figures.items()
        }

    def _missing_cells(self, asked: list[Asked]) -> dict[str, Row]:
        """The cells that the archive lacks: their mirror image or a namesake of set 1 was seen, they never were."""
        originals = {(c.content, c.style) for c in self.bandai.clips if c.source == "bandai-2" and c.mirror_of is None}
        missing = [cell for cell in questions.set_2_cells() if cell not in originals]
        parts = []
        for one in asked:
            chosen = np.array([i for i, q in enumerate(one.questions) if q.cell in missing], dtype=int)
            parts.append(Asked([one.questions[i] for i in chosen], one.measured.only(chosen)))
        if not len(parts[0].questions):
            return {}
        return self._recognition("missing_cells", parts, with_real=False)

    def _content_set(self, cmu: Prepared) -> dict[str, Row]:
        windows = self._windows(cmu)
        captions = [w.caption for w in windows]
        texts = self.retrieval.embed_texts(self.encode(captions))
        real = self.real.remembered(
            "content-set", (len(windows), fingerprint(cmu)), lambda: [w.motion(cmu) for w in windows]
        )
        figures: dict[str, list[float]] = {}
        reals: dict[str, list[float]] = {}
        for repeat in range(self.plan.repeats):
            asked = self._ask("content-set", repeat, questions.captioned(windows, repeat))
            rng = np.random.default_rng(repeat)
            pools = metrics.distinct_pools(captions, rng)
            for store, measured in ((figures, asked.measured), (reals, real)):
                top = metrics.r_precision(texts, measured.retrieval, pools)
                for k, value in enumerate(top, start=1):
                    store.setdefault(f"content_r_precision_{k}", []).append(float(value))
                store.setdefault("content_mm_dist", []).append(
                    metrics.multimodal_distance(texts, measured.retrieval, pools)
                )
                pairs = metrics.random_pairs(len(measured), 300, np.random.default_rng(repeat))
                store.setdefault("content_diversity", []).append(metrics.diversity(measured.retrieval, *pairs))
                store.setdefault("content_skate", []).append(float(measured.skate.mean()))
                store.setdefault("content_fid", []).append(_half_distance(measured.retrieval, real.retrieval, repeat))
            for key in ("jerk", "speed"):
                ratio = float(getattr(asked.measured, key).mean() / getattr(real, key).mean())
                figures.setdefault(f"content_{key}_ratio", []).append(ratio)
                reals.setdefault(f"content_{key}_ratio", []).append(1.0)
        for key in ("r_precision_3", "fid"):
            base = float(np.mean(reals[f"content_{key}"]))
            figures[f"content_{key}_ratio"] = [v / base for v in figures[f"content_{key}"]]
            reals[f"content_{key}_ratio"] = [1.0]
        return {
            key: Row(
                key, metrics.over_repeats(values), len(windows), float(np.mean(reals[key])), real_clips=len(windows)
            )
            for key, values in figures.items()
        }

    def _prompts(self, path: Path) -> dict[str, Row]:
        right: dict[str, list[np.ndarray]] = {}
        for repeat in range(self.plan.repeats):
            asked = self._ask("prompts", repeat, questions.prompts(path, self.style_set, repeat))
            hits = asked.content_right()
            groups = np.array([q.labels["group"] for q in asked.questions])
            for group in ("labelled", "rare"):
                right.setdefault(f"prompts_{group}", []).append(hits[groups == group])
            named = [(i, _action_class(q.text)) for i, q in enumerate(asked.questions) if groups[i] == "open"]
            known = [(i, name) for i, name in named if name]
            right.setdefault("prompts_open", []).append(
                np.array([CONTENT_CLASSES[asked.measured.content[i]] == name for i, name in known])
            )
        return {key: self._row(key, values) for key, values in right.items() if len(values[0])}

    # -- shares

    def _recognition(
        self, key: str, asked: list[Asked], source: str = "bandai-2", with_real: bool = True
    ) -> dict[str, Row]:
        content, style = [a.content_right() for a in asked], [a.style_right(self.styles) for a in asked]
        reals = {kind: self.real.share(source, kind) if with_real else None for kind in ("content", "style", "both")}
        rows = {
            f"{key}_style": self._row(f"{key}_style", style, reals["style"]),
            f"{key}_content": self._row(f"{key}_content", content, reals["content"]),
            f"{key}_both": self._row(
                f"{key}_both", [c & s for c, s in zip(content, style, strict=True)], reals["both"]
            ),
        }
        if all(q.reference_content for a in asked for q in a.questions):
            rows[f"{key}_leak"] = self._row(f"{key}_leak", [a.leaks() for a in asked])
        return rows

    def _row(self, key: str, hits: list[np.ndarray], real: np.ndarray | None = None) -> Row:
        interval = metrics.over_repeats([float(h.mean()) for h in hits])
        count = len(hits[0])
        if real is None:
            return Row(key, interval, count)
        return Row(
            key, interval, count, float(real.mean()), metrics.share_bounds(int(real.sum()), len(real)), len(real)
        )

    def _length_row(self, key: str, asked: list[Asked]) -> dict[str, Row]:
        """Chosen length over the mean length of the cell's real clips: the median and the median deviation factor."""
        ratios = []
        for one in asked:
            means = [self.style_set.mean_seconds(*q.cell) for q in one.questions]
            ratios.append(np.array([s / m for s, m in zip(one.measured.seconds, means, strict=True) if m is not None]))
        count = len(ratios[0])
        return {
            f"{key}_length": Row(
                f"{key}_length", metrics.over_repeats([float(np.median(r)) for r in ratios]), count, 1.0
            ),
            f"{key}_length_off": Row(
                f"{key}_length_off",
                metrics.over_repeats([float(np.median(np.abs(np.log(r)))) for r in ratios]),
                count,
            ),
        }

    def _cell_shares(self) -> dict[str, dict[str, float]]:
        """Share of clips with content and style both right, by cell (motion-guided, natural length)."""
        shares: dict[str, dict[str, list[bool]]] = {}
        for repeat in range(self.plan.repeats):
            asked = self._ask(
                "motion-natural",
                repeat,
                questions.motion_guided(self.style_set, repeat, "natural", self.plan.natural_per_cell),
            )
            both = asked.content_right() & asked.style_right(self.styles)
            for question, hit in zip(asked.questions, both, strict=True):
                content, style = question.cell
                shares.setdefault(content, {}).setdefault(style, []).append(bool(hit))
        return {c: {s: float(np.mean(hits)) for s, hits in row.items()} for c, row in shares.items()}

    # -- asking and remembering

    def _windows(self, cmu: Prepared) -> list[CaptionedWindow]:
        windows = captioned_windows(cmu)
        return windows if self.plan.content_windows is None else windows[: self.plan.content_windows]

    def _ask(self, row: str, repeat: int, asked: list[Question]) -> Asked:
        key = digest(
            self.version,
            CHOSEN,
            self._judges,
            [(q.text, q.seed, q.contents, q.style, q.seconds, _guide(q)) for q in asked],
        )
        path = self._kept / f"{row}-{repeat}-{key}.npz"
        if path.exists():
            self._answered += len(asked)
            return Asked(asked, Measured.load(path))
        motions: list[Motion] = []
        for start in range(0, len(asked), CHUNK):
            part = asked[start : start + CHUNK]
            motions += self.pipeline.generate(
                [q.text for q in part],
                styles=[q.guide for q in part],
                seconds=[q.seconds for q in part],
                seeds=[q.seed for q in part],
            )
            self.progress(f"{row}, repeat {repeat + 1}", self._answered + len(motions), self._planned())
        measured = measure(motions, self.judge, self.retrieval)
        measured.save(path)
        self._answered += len(asked)
        return Asked(asked, measured)

    @property
    def _kept(self) -> Path:
        """Where figures are kept: a folder of weights gives its last name, so that nothing is written into it."""
        return self.cache / Path(self.name).resolve().name

    def _planned(self) -> int:
        plan = self.plan
        cells = plan.natural_per_cell + plan.fixed_per_cell + plan.predicted_per_cell + 2 * plan.text_per_cell
        count = len(questions.set_2_cells()) * cells + 20 * plan.unstyled_per_content + 30 * plan.set_1_per_style
        count += len(self._windows(self.cmu)) if self.cmu else 0
        count += len(questions.prompts(self.prompts, self.style_set, 0)) if self.prompts else 0
        return plan.repeats * count

    def _cached_array(self, name: str, key: object, compute: Callable[[], np.ndarray]) -> np.ndarray:
        path = self._kept / f"{name}-{digest(key, self.version)}.npy"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            array = compute()
            with replacing(path, force=True) as beside:
                np.save(beside, array)
        return np.load(path)


def _first_of_cells(asked: list[Question], counts: dict[tuple[str, str], int]) -> list[int]:
    left = dict(counts)
    chosen = []
    for i, question in enumerate(asked):
        if left.get(question.cell, 0):
            left[question.cell] -= 1
            chosen.append(i)
    return chosen


def _guide(question: Question) -> object:
    return question.guide.labels.get("clip") if isinstance(question.guide, Motion) else question.guide


def _half_distance(made: np.ndarray, real: np.ndarray, seed: int) -> float:
    """Return the FID of one half of the made clips against the other half of the real ones, over five halvings.

    Real halves against each other are the measure of what can be reached; both figures count equally many clips.
    """
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(HALVINGS):
        order = rng.permutation(len(real))
        half = len(real) // 2
        values.append(metrics.frechet_distance(made[order[:half]], real[order[half : 2 * half]]))
    return float(np.mean(values))


def _action_class(text: str) -> str | None:
    """Return the judge's class of the one action that a prompt names, if it names one that the judge knows."""
    tags = main_actions(text)
    if len(tags) != 1:
        return None
    return SHARED_ACTIONS.get(tags[0], tags[0] if tags[0] in OWN_ACTIONS else None)
