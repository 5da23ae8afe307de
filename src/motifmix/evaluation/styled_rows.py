"""Answers to figures: one number a repeat for everything that the stylisation tables print, and its interval.

Both blocks of questions give the same names where they can: ``sra`` (style recognition accuracy over the styles of set 2),
``sra_set_1``, ``margin``, ``content``, ``fid``, ``mm_dist``, ``r_precision``, ``diversity``, ``skate``, ``seconds``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motifmix.data.prepared import Prepared
from motifmix.evaluation import metrics
from motifmix.evaluation.classes import CONTENT_CLASSES
from motifmix.evaluation.measuring import Measured
from motifmix.evaluation.questions import Question
from motifmix.evaluation.real import RealClips, fingerprint
from motifmix.evaluation.styled_asking import Asking, StyledMeasured
from motifmix.evaluation.windows import CaptionedWindow

Figures = dict[str, metrics.Interval]
POOL = 32


@dataclass(frozen=True)
class RealWindows:
    """The content set's real clips as the judges read them, and their captions in the space of the retrieval judge."""

    windows: Sequence[CaptionedWindow]
    measured: StyledMeasured
    texts: np.ndarray

    @classmethod
    def of(cls, cmu: Prepared, windows: Sequence[CaptionedWindow], texts: np.ndarray, asking: Asking) -> "RealWindows":
        """Measure them once; ``texts [n, 128]`` are the embedded captions."""
        key = ([(w.clip.id, w.first, w.frames) for w in windows], fingerprint(cmu))
        return cls(windows, asking.remembered("styled-windows", key, lambda: [w.motion(cmu) for w in windows]), texts)


def style_shares(questions: Sequence[Question], measured: StyledMeasured, styles: Sequence[str]) -> dict[str, float]:
    """Return the share of clips read as the wished style, by set, and the judge's margin.

    The margin of a clip is the probability of the wished style less that of the likeliest other, from -1 to 1; it goes
    on telling methods apart where the rate cannot.
    """
    wished = np.array([styles.index(q.style or "") for q in questions])
    right = measured.style == wished
    rows = np.arange(len(questions))
    own = measured.style_shares[rows, wished]
    others = measured.style_shares.copy()
    others[rows, wished] = -1.0
    margins = own - others.max(axis=1)
    sets = np.array([q.labels.get("set", "2") for q in questions])
    out = {"sra": float(right[sets == "2"].mean()), "margin": float(margins[sets == "2"].mean())}
    if (sets == "1").any():
        out["sra_set_1"] = float(right[sets == "1"].mean())
    return out


def content_share(questions: Sequence[Question], measured: Measured) -> dict[str, float]:
    """Return the share of clips read as their content, over the questions whose content the judge has a name for."""
    known = [i for i, q in enumerate(questions) if q.contents]
    hits = [CONTENT_CLASSES[measured.content[i]] in questions[i].contents for i in known]
    return {"content": float(np.mean(hits))} if hits else {}


def of_content_set(
    questions: Sequence[Question], measured: StyledMeasured, real: RealWindows, styles: Sequence[str], repeat: int
) -> dict[str, float]:
    """Return the figures of one repeat of :func:`styled_questions.content_set`.

    FID is taken in the space of the retrieval judge to the real windows that were *not* asked for, so that the real
    clips of the questions have a figure of their own beside it.
    """
    numbers = np.array([int(q.labels["window"]) for q in questions])
    others = np.setdiff1d(np.arange(len(real.windows)), numbers)
    figures = style_shares(questions, measured, styles) | content_share(questions, measured)
    if len(others) > 1 and len(measured) > 1:
        figures["fid"] = metrics.frechet_distance(measured.retrieval, real.measured.retrieval[others])
    texts = real.texts[numbers]
    captions = [q.text for q in questions]
    pools = metrics.distinct_pools(captions, np.random.default_rng(repeat), min(POOL, len(set(captions))))
    if len(pools):
        figures["r_precision"] = float(metrics.r_precision(texts, measured.retrieval, pools)[2])
        figures["mm_dist"] = metrics.multimodal_distance(texts, measured.retrieval, pools)
    pairs = metrics.random_pairs(len(measured), 300, np.random.default_rng(repeat))
    figures["diversity"] = metrics.diversity(measured.retrieval, *pairs)
    figures["skate"] = float(measured.skate.mean())
    return figures


def of_style_set(
    questions: Sequence[Question], measured: StyledMeasured, real: RealClips, styles: Sequence[str], repeat: int
) -> dict[str, float]:
    """Return the figures of one repeat of :func:`styled_questions.style_set_cells`.

    FID is taken in the score judge's features to held-out clips in one mix of cells.
    """
    figures = style_shares(questions, measured, styles) | content_share(questions, measured)
    chosen, counts = in_mix(questions, real)
    if len(chosen) > 1:
        held_out = real.in_mix("test", counts, 0).features
        figures["fid"] = metrics.frechet_distance(measured.features[chosen], held_out)
    leaks = [
        CONTENT_CLASSES[c] == q.reference_content
        for c, q in zip(measured.content, questions, strict=True)
        if q.reference_content and q.reference_content not in q.contents
    ]
    if leaks:
        figures["leak"] = float(np.mean(leaks))
    pairs = metrics.random_pairs(len(measured), 300, np.random.default_rng(repeat))
    figures["diversity"] = metrics.diversity(measured.features, *pairs)
    figures["skate"] = float(measured.skate.mean())
    return figures


def in_mix(questions: Sequence[Question], real: RealClips) -> tuple[list[int], dict[tuple[str, str], int]]:
    """Return which questions stand in the mix with held-out clips, and how many clips of each cell are in it."""
    asked: dict[tuple[str, str], int] = {}
    for question in questions:
        asked[question.cell] = asked.get(question.cell, 0) + 1
    most = max(asked.values(), default=0)
    counts = {cell: min(count, asked[cell]) for cell, count in real.mix(most).items() if cell in asked}
    left, chosen = dict(counts), []
    for i, question in enumerate(questions):
        if left.get(question.cell, 0):
            left[question.cell] -= 1
            chosen.append(i)
    return chosen, counts


def intervals(repeats: Sequence[dict[str, float]]) -> Figures:
    """Return mean and 95 % interval over the repeats of every figure that all of them have."""
    names = [name for name in repeats[0] if all(name in one for one in repeats)]
    return {name: metrics.over_repeats([one[name] for one in repeats]) for name in names}
