"""Text-guided stylisation (Table 1's lower half) and efficiency (Table 4)."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from motifmix.evaluation import styled_paper
from motifmix.evaluation.metrics import Interval, over_repeats
from motifmix.evaluation.questions import Question
from motifmix.evaluation.styled_paper import TOTAL, TRAINED
from motifmix.evaluation.styled_questions import GUIDE_WORDS, TEXT_GUIDES, Guide, content_set
from motifmix.evaluation.styled_tables import Column, Study, StudyRow, StudyTable
from motifmix.evaluation.stylization import CLOSING, CONTENT_COLUMNS, STYLE_COLUMNS, Bench
from motifmix.pipelines.baselines.registry import parameters

TEXT_INTRO = (
    "The style is given in words; everything else is asked as in the motion-guided table, with the same seeds. *One word* is "
    "the style's name, *several labels* the name and two synonyms, *a short phrase* one that was trained, the *phrases never "
    "trained* and the *long descriptions* (a whole sentence of 12 to 30 words that does not name the style, from "
    "`data/words/style_descriptions.yaml`) stand in no training. {questions} questions of the content set in each repeat; what "
    "differs from StyleMotif in one thing only is asked by one word and by a long description. Where the style is written into the "
    "text, the row says by whom: by our templates (`style_sentences.yaml`: no model is asked, so it is no measure of the paper's "
    "MLD + ChatGPT), or by the language model that `--language-model FILE` names."
)
BRIEF: dict[str, tuple[Guide, ...]] = {
    "stylemotif-own-reference": ("word", "description"),
    "stylemotif-hybrid": ("word", "description"),
    "joint-late": ("word", "description"),
}
"""Rows that are asked in fewer ways than :data:`TEXT_GUIDES`."""
BLOCKS = (
    ("frozen", "On one frozen base"),
    ("joint", "Beside it: the jointly trained default model"),
)
EFFICIENCY_SECONDS, EFFICIENCY_BATCH = 6.0, 16
ALONE = Column("alone", "s a clip, one at a time", lambda v: f"{v:.3f}", "down")
TOGETHER = Column("together", f"s a clip, {EFFICIENCY_BATCH} at a time", lambda v: f"{v:.3f}", "down")
SHARE = Column("share", "time of SMooDi's, one at a time", lambda v: f"{v:.2f}", "down")


def text_style(bench: Bench, command: str) -> Study:
    """Measure text-guided stylisation, a row for every method and every way of saying a style."""
    keys = [key for key in bench.chosen if not bench.methods[key].guided_by or "text" in bench.methods[key].guided_by]
    guides = {key: BRIEF.get(key, TEXT_GUIDES) if bench.methods[key].guided_by else TEXT_GUIDES[:1] for key in keys}
    rows = sum(len(own) for key, own in guides.items() if bench.present(key))
    bench.plan(rows, [bench.of_contents(), bench.of_styles()])
    tables = []
    for block, title in BLOCKS:
        contents, styles, raw_contents, raw_styles = [], [], [], []
        for key in (key for key in keys if bench.methods[key].block == block):
            method = bench.methods[key]
            lack = method.missing(bench.home)
            if lack:
                contents.append(StudyRow(key, method.title, lack=lack))
                continue
            for guide in guides[key]:
                name = f"{method.title}: {GUIDE_WORDS[guide]}" if method.guided_by else method.title
                subject, floor = bench.subject(key), not method.guided_by
                measured = (
                    *bench.contents(subject, bench.of_contents(guide)), *bench.styled(subject, bench.of_styles(guide))
                )  # fmt: skip
                for rows_of, figures in zip((contents, raw_contents, styles, raw_styles), measured, strict=True):
                    rows_of.append(StudyRow(f"{key}-{guide}", name, figures, reference=floor))
        if contents:
            real = bench.real_contents(bench.of_contents())
            tables += [
                StudyTable(f"{title}: content set", CONTENT_COLUMNS, (*contents, real), drawn=("sra", "fid")),
                StudyTable(f"{title}: content set, raw", CONTENT_COLUMNS, tuple(raw_contents)),
                StudyTable(f"{title}: style set", STYLE_COLUMNS, tuple(styles), drawn=("sra",)),
                StudyTable(f"{title}: style set, raw", STYLE_COLUMNS, tuple(raw_styles)),
            ]
    tables.append(styled_paper.TEXT_STYLE)
    intro = TEXT_INTRO.format(questions=bench.limit)
    return Study("text-style", "Text-guided stylisation", command, intro, tuple(tables), bench.facts, CLOSING)


EFFICIENCY_INTRO = (
    f"Every method makes the same {EFFICIENCY_BATCH} clips of {EFFICIENCY_SECONDS:g} s with a motion as style, one at a time and "
    f"all at once, in turns with the others and in another order each round; processor seconds of {{rounds}} rounds, judging "
    "left out. Ratios are of the same round. "
    "Parameters: all that a clip goes through but the sentence encoder, which all share, and those that were trained for "
    "style; the projection of words is in neither, as in the paper. Sizes are ours, a hundredth of "
    "the paper's; what can be compared with it is ratios."
)


def efficiency(bench: Bench, command: str) -> Study:
    """Measure parameters and seconds side by side."""
    keys = [key for key in bench.chosen if "motion" in bench.methods[key].guided_by or not bench.methods[key].guided_by]
    present = [key for key in keys if bench.present(key)]
    seconds = _seconds_side_by_side(bench, present)
    tables = []
    for block, title in BLOCKS:
        rows = []
        for key in (key for key in keys if bench.methods[key].block == block):
            method = bench.methods[key]
            lack = method.missing(bench.home)
            if lack:
                rows.append(StudyRow(key, method.title, lack=lack))
                continue
            total, trained = parameters(method, bench.subject(key).pipeline)
            figures = {
                name: Interval(float(value), float("nan")) for name, value in (("total", total), ("trained", trained))
            }
            alone, together = zip(*seconds[key], strict=True)
            figures |= {"alone": over_repeats(alone), "together": over_repeats(together)}
            if "smoodi" in seconds:
                figures["share"] = over_repeats(
                    [own[0] / other[0] for own, other in zip(seconds[key], seconds["smoodi"], strict=True)]
                )
            rows.append(StudyRow(key, method.title, figures, reference=not method.guided_by))
        if rows:
            columns = (TOTAL, TRAINED, ALONE, TOGETHER, SHARE)
            tables.append(StudyTable(title, columns, tuple(rows), drawn=("trained", "alone")))
    tables.append(styled_paper.EFFICIENCY)
    intro = EFFICIENCY_INTRO.format(rounds=bench.repeats)
    return Study("efficiency", "Efficiency", command, intro, tuple(tables), bench.facts)


def _seconds_side_by_side(bench: Bench, keys: Sequence[str]) -> dict[str, list[tuple[float, float]]]:
    """Return processor seconds a clip in each round, alone and in a batch.

    Rounds take turns, and each begins with another row, so that all meet the same machine in every place.
    """
    questions = content_set(bench.windows, bench.style_set, 0, EFFICIENCY_BATCH)
    rounds_asked = bench.repeats
    rounds: dict[str, list[tuple[float, float]]] = {key: [] for key in keys}
    for round_number in range(rounds_asked + 1):
        first = round_number * len(keys) // (rounds_asked + 1)
        for number, key in enumerate([*keys[first:], *keys[:first]]):
            method, pipeline = bench.methods[key], bench.subject(key).pipeline
            alone = _timed(pipeline, method.options, questions[:4], bool(method.guided_by), 1)
            together = _timed(pipeline, method.options, questions, bool(method.guided_by), len(questions))
            bench.asking.progress("efficiency", round_number * len(keys) + number + 1, (rounds_asked + 1) * len(keys))
            if round_number:  # the first one warms up
                rounds[key].append((alone, together))
    return rounds


def _timed(pipeline: Any, options: Mapping[str, Any], questions: Sequence[Question], guided: bool, batch: int) -> float:
    begun = time.process_time()
    for start in range(0, len(questions), batch):
        part = questions[start : start + batch]
        pipeline.generate(
            [q.text for q in part],
            styles=[q.guide for q in part] if guided else None,
            seconds=[EFFICIENCY_SECONDS] * len(part),
            seeds=[q.seed for q in part],
            clean_feet=False,
            **options,
        )
    return (time.process_time() - begun) / len(questions)
