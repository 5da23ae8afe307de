"""The paper's tables for compositions: methods, granularities, the grid of models; and what there is to gain by mixing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from motifmix.evaluation.duet_bench import DuetBench, Scored, guidance_key
from motifmix.evaluation.duet_figures import RESAMPLED, Figures, Line, interval
from motifmix.evaluation.duet_grid import ALONE, grid_table, transfer_verdict
from motifmix.evaluation.duet_metrics import POOL, harmonic_mean
from motifmix.evaluation.duet_store import ScoreStore
from motifmix.evaluation.metrics import Interval
from motifmix.evaluation.styled_tables import Column, Study, StudyRow, StudyTable
from motifmix.evaluation.tables import percent, plain
from motifmix.pipelines.baselines.compositions import (
    COMPOSITIONS,
    INDIVIDUAL,
    INTERACTION,
    Composition,
    grid,
    mixers,
)

GRID = (0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # strengths of guidance, times the published scales
LEAST_PROMPTS = 250
ALIGNED = (
    Column("interaction", "interaction", percent, "up"),
    Column("individual", "individual", percent, "up"),
    Column("overall", "overall", percent, "up"),
    Column("foreign_interaction", "interaction, with foreign contents", percent, "up"),
    Column("foreign_individual", "individual, foreign contents", percent, "up"),
    Column("foreign_overall", "overall, foreign", percent, "up"),
    Column("unseen_interaction", "interaction, wordings never trained", percent, "up"),
    Column("unseen_individual", "individual, wordings never trained", percent, "up"),
    Column("interaction_32", "interaction, of 32", percent, "up"),
    Column("individual_32", "individual, of 32", percent, "up"),
    Column("behind", "behind the chosen Mixer, overall", percent),
)
QUALITY = (
    Column("staged", "stand and go as asked", percent, "up"),
    Column("done", "do as asked", percent, "up"),
    Column("fid", "FID, pairs", plain, "down"),
    Column("own_fid", "FID, people", plain, "down"),
    Column("mm_dist", "MM-Dist, pairs", plain, "down"),
    Column("own_mm_dist", "MM-Dist, people", plain, "down"),
    Column("diversity", "diversity", plain),
    Column("overlap", "bodies in one place, litres", plain, "down"),
    Column("skate", "foot skating", percent, "down"),
    Column("contact_error", "contact error, m", plain, "down"),
    Column("facing_error", "facing error, degrees", plain, "down"),
)
WEIGHED = (
    Column("adaptability", "adaptability", lambda v: f"{v:.4f}", "up"),
    Column("step_dependence", "dependence on the step", lambda v: f"{v:.4f}"),
    Column("share", "individual model's share", percent),
    Column("early_share", "the same, first third of the steps", percent),
    Column("late_share", "the same, last third", percent),
)
TAKES = (
    Column("distance", "distance, m", plain, "down"),
    Column("facing", "facing, degrees", plain, "down"),
    Column("contact", "contact, m", plain, "down"),
    Column("judge", "judge, less the real take's", lambda v: f"{v:.3f}", "up"),
)


def chosen_lines(bench: DuetBench, names: Sequence[str] | None) -> list[Line]:
    """Return the rows that are asked for (all by default), baselines first, those without weights with what they lack."""
    known, lines = groups(bench.home, bench.store), []
    for key in names or known:
        there = tuple(
            method for method in known[key] if method.missing(bench.home) is None or bench.kept(method) is not None
        )
        lack = "" if there else str(known[key][0].missing(bench.home))
        lines.append(Line(key, there or known[key], lack=lack))
    return lines


def groups(home: Path, store: ScoreStore | None = None) -> dict[str, tuple[Composition, ...]]:
    """Return what can be a row: every composition, of every Mixer its training seeds, and the grid's rows.

    Mixers are those below ``home``, and those of which the ``store`` keeps scores.
    """
    kept = store.methods() if store is not None else []
    known = {key: (method,) for key, method in COMPOSITIONS.items()}
    known |= {key: tuple(methods) for key, methods in mixers(home, kept).items()}
    return known | {key: (method,) for key, method in grid(home, kept).items()}


def measured(bench: DuetBench, lines: Sequence[Line]) -> list[Line]:
    """Generate and score every row that has its weights."""
    result = []
    for line in lines:
        scored = [bench.scored(method) for method in line.methods] if not line.lack else []
        result.append(replace(line, scored=tuple(own for own in scored if own is not None)))
    return result


def composition(bench: DuetBench, command: str, names: Sequence[str] | None, takes: DuetBench | None) -> Study:
    """Return the tables of ``motifmix evaluate composition``."""
    lines = measured(bench, chosen_lines(bench, names))
    real = Line("real", (Composition("real", "real pairs", "alone", "interaction"),), (_real(bench),))
    table = Figures(bench, [real, *lines])
    main = [line for line in lines if line.pair in ((INTERACTION, INDIVIDUAL), ("weights-duets-finetuned", INDIVIDUAL))]
    known = [line for line in main if line.methods[0].block == "mixer"]
    best = table.reference(main)
    top = [_row(real, table.of(real), reference=True), _chance(bench)]
    quality = [_row(line, table.quality(line)) for line in main]
    tables = [
        StudyTable(
            "Methods: alignment", ALIGNED, (*top, *(_row(line, table.of(line, best)) for line in main)), _ALIGNED,
            drawn=("overall", "foreign_overall"),
        ),
        StudyTable(
            "Methods: motion", QUALITY, (_row(real, table.quality(real), reference=True), *quality), _QUALITY,
            drawn=("overlap",),
        ),
        StudyTable("Granularities", (*ALIGNED[:6], *WEIGHED), tuple(
            _row(line, {**table.of(line), **table.weighed(line)}) for line in known), _WEIGHED),
        grid_table(table, lines, ALIGNED[:6]),
    ]  # fmt: skip
    if takes is not None:
        tables.append(_takes(takes, main))
    return Study(
        "composition", "Compositions of a model of pairs and a model of one person", command, _intro(bench),
        tuple(tables), _facts(bench, lines), "\n\n".join(filter(None, (transfer_verdict(table, lines), _closing(lines)))),
        how=_HOW,
    )  # fmt: skip


def gain(bench: DuetBench, command: str) -> Study:
    """Return what each model alone knows: whether there is something to gain by mixing them."""
    lines = measured(bench, chosen_lines(bench, ALONE))
    real = Line("real", (Composition("real", "real pairs", "alone", "interaction"),), (_real(bench),))
    table = Figures(bench, [real, *lines])
    columns = (*ALIGNED[:2], ALIGNED[3], ALIGNED[4])
    rows = (_row(real, table.of(real), reference=True), _chance(bench), *(_row(each, table.of(each)) for each in lines))
    verdicts = []
    if all(line.scored for line in lines):
        for key, winner, words in (
            ("foreign_individual", 1, "individual texts of contents that the pairs never showed"),
            ("interaction", 0, "interactions"),
        ):
            ahead = table.difference(lines[winner], lines[1 - winner], key)
            said = "is ahead" if ahead.mean > ahead.half_width else "is NOT ahead beyond doubt"
            verdicts.append(
                f"On {words} the {lines[winner].title} {said}: {percent(ahead.mean)} ± {percent(ahead.half_width)} more."
            )
    return Study(
        "composition-gain", "What there is to gain by mixing", command, _intro(bench),
        (StudyTable("Each model alone", columns, rows, _ALIGNED, drawn=("interaction", "foreign_individual")),),
        _facts(bench, lines), "\n\n".join([*verdicts, _closing(lines)]), how=_HOW,
    )  # fmt: skip


def tuned(bench: DuetBench, lines: Sequence[Line]) -> dict[str, Any]:
    """Climb ``GRID`` from 1 for each row, on the bench's questions, to a strength whose neighbours are worse overall.

    The first seed of a Mixer stands for all. The bench must have judges that select. Raises ``ValueError`` for others.
    """
    if bench.judges.role != "select":
        raise ValueError("guidance is tuned with judges that select")
    rows = {}
    for line in lines:
        if line.lack:
            continue
        best, found = climbed(lambda strength, method=line.methods[0]: _overall(bench, method, strength))
        rows[guidance_key(line.methods[0])] = {
            "strength": best, "overall": {str(strength): round(found[strength], 4) for strength in sorted(found)},
            "questions": len(bench.asked), "steps": bench.steps,
        }  # fmt: skip
    return rows


def climbed(worth: Callable[[float], float]) -> tuple[float, dict[float, float]]:
    """Return the strength of ``GRID`` that is reached from 1 by going to the better neighbour, and all that was asked for."""
    found: dict[float, float] = {}
    best = GRID.index(1.0)
    while True:
        near = range(max(best - 1, 0), min(best + 2, len(GRID)))
        found |= {GRID[number]: worth(GRID[number]) for number in near if GRID[number] not in found}
        better = max(near, key=lambda number: found[GRID[number]])
        if better == best:
            return GRID[best], found
        best = better


def _overall(bench: DuetBench, method: Composition, strength: float) -> float:
    hits, own_hits = bench.alignment([one.people for one in bench.made(method, strength)])
    return float(harmonic_mean(hits.mean(), own_hits.mean()))


def _real(bench: DuetBench) -> Scored:
    return bench.score([question.real for question in bench.asked])


def _chance(bench: DuetBench) -> StudyRow:
    kinds = len({question.interaction for question in bench.asked})
    contents = len({name for question in bench.asked for name in question.contents})
    pair, own = 1 / min(POOL, kinds), 1 / min(POOL, contents)
    both = float(harmonic_mean(pair, own))
    figures = dict.fromkeys(("interaction", "foreign_interaction", "unseen_interaction"), pair)
    figures |= dict.fromkeys(("individual", "foreign_individual", "unseen_individual"), own)
    figures |= dict.fromkeys(("overall", "foreign_overall"), both)
    figures |= dict.fromkeys(("interaction_32", "individual_32"), 1 / 32)
    values = {key: Interval(value, float("nan")) for key, value in figures.items()}
    return StudyRow("chance", "chance", values, reference=True)


def _row(line: Line, figures: Mapping[str, Interval], reference: bool = False) -> StudyRow:
    return StudyRow(line.key, line.title, figures, line.lack, reference)


def _takes(bench: DuetBench, lines: Sequence[Line]) -> StudyTable:
    """Figures a recorded take, with a bootstrap over takes: they are too few for retrieval and distances of sets."""
    names = [question.take for question in bench.asked]
    takes = list(dict.fromkeys(names))
    rng = np.random.default_rng([bench.seed, 37])
    draws = rng.integers(0, len(takes), (RESAMPLED, len(takes)))
    rows = []
    for line in lines:
        figures: dict[str, Interval] = {}
        for key, values in ((None if line.lack else bench.takes_of(line.methods[0])) or {}).items():
            each = np.array([values[[name == take for name in names]].mean() for take in takes])
            figures[key] = interval(float(each.mean()), each[draws].mean(axis=1))
        rows.append(_row(line, figures))
    return StudyTable(
        "Recorded takes", TAKES, tuple(rows),
        f"{len(takes)} takes of two people who were recorded together, of the test side; difference to the real take with "
        "the same captions, mean over takes, intervals by a bootstrap over takes. Of Mixers the first seed.",
    )  # fmt: skip


def _facts(bench: DuetBench, lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "questions": len(bench.asked), "steps": bench.steps, "seed": bench.seed, "judges": bench.judges.version,
        "pool": POOL, "resampled": RESAMPLED,
        "guidance": {
            guidance_key(line.methods[0]): bench.strength(line.methods[0]) for line in lines if not line.lack
        },
        "weights": {m.key: bench.version(m) for line in lines if not line.lack for m in line.methods},
        "missing": {line.key: line.lack for line in lines if line.lack},
    }  # fmt: skip


def _intro(bench: DuetBench) -> str:
    foreign = sum(any(question.foreign) for question in bench.asked)
    few = "" if len(bench.asked) >= LEAST_PROMPTS else f" Fewer than {LEAST_PROMPTS}: a trial, no result."
    asked = sorted({tuned.questions for tuned in bench.guidance.values()})
    return (
        f"{len(bench.asked)} prompts of the test side, {foreign} of them with people who do what no training pair shows; "
        f"{bench.steps} DDIM steps; every method has the same noise. "
        + (
            f"Guidance: the published scales times a strength of {', '.join(map(str, GRID))}, chosen on "
            f"{' or '.join(map(str, asked))} validation pairs by evaluators that score nothing (`motifmix evaluate composition "
            "--tune`); the same choose the Mixer that others are compared with."
            if asked
            else "Guidance is not tuned yet: the published scales."
        )
        + few
    )


def _closing(lines: Sequence[Line]) -> str:
    absent = [f"{line.title}: {line.lack}" for line in lines if line.lack]
    return "Left out, as weights are missing: " + "; ".join(absent) + "." if absent else ""


_HOW = (
    "Means with half the width of the 95 % interval of a paired bootstrap over prompts (and over training seeds, where there "
    "are several). The best of the rows that may be compared is **bold**."
)
_ALIGNED = (
    f"How often a text finds its own motion first (R-precision, top 1) among {POOL}, every interaction type once, and for "
    "people every content once; overall is the harmonic mean. Real pairs are the ceiling. *Foreign* counts pairs in which "
    "somebody, and people who, do what no training pair shows. *Wordings never trained* counts sentences that neither a model "
    "nor a judge ever read. Of 32: the papers' batches, captions distinct."
)
_QUALITY = (
    "*Stand and go as asked*: scenes that pass a check of places, ways and facing, one for each layout; *do as asked*: people who "
    "pass a check of their own deed (bow, wave, kick, walk, run), where there is one: geometry, no judge. Bodies in one place: "
    "volume that both mannequins enclose, mean over frames. Contact error: difference of the closest approach to that of the real "
    "pair with the same captions; facing error: of how far each looks past the other. Motion is as sampled, feet are not cleaned. "
    "FID and diversity have an interval over training seeds only."
)
_WEIGHED = (
    "Adaptability is the standard deviation over test samples of the weight at equal step, frame and joint, averaged: "
    "constants and pure schedules give 0. The paper's code has no definition; this one is ours. The dependence on the step is "
    "the deviation over steps of the mean weight."
)
