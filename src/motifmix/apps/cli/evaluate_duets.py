"""``motifmix evaluate composition`` and ``composition-gain``: ways of composing two models, asked the same questions."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from motifmix.apps.cli.evaluate_styled import rows_named
from motifmix.apps.cli.terminal import progress, remark, say

if TYPE_CHECKING:
    from motifmix.evaluation.duet_store import ScoreStore

DUET_STUDIES = ("composition", "composition-gain")
PROMPTS, TUNED_ON = 280, 128


def evaluate_duets(
    study: str,
    *,
    data: Path | None,
    methods: str | None,
    limit: int | None,
    tune: bool,
    kept: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run one study, print it, and write its files into ``out``; or tune guidance and keep what was chosen.

    ``kept`` is the folder of scores and of the guidance that was chosen; by default that lies with the other caches.

    Judges, pairs and weights are looked at before ``out`` is made: what is refused leaves no folder behind.
    """
    import json

    from motifmix.apps import outputs
    from motifmix.encoders.text import MiniLM
    from motifmix.errors import FileError
    from motifmix.evaluation import duet_studies, styled_tables
    from motifmix.evaluation.duet_bench import DuetBench, asked_digest, read_guidance, write_guidance
    from motifmix.evaluation.duet_judges import DuetJudges
    from motifmix.evaluation.duet_questions import questions, recorded
    from motifmix.evaluation.duet_store import ScoreStore
    from motifmix.evaluation.styled_curves import draw_curves
    from motifmix.home import home

    names = check_compositions(methods, kept=kept)
    place, folder, encoder = home(), data or home() / "data", MiniLM()
    scores = kept or place / "evaluation" / "composition"
    store, of_takes = (ScoreStore(scores, kind) if kept is not None else None for kind in ("prompts", "takes"))
    command = " ".join(["motifmix evaluate", study, *(["--methods", methods] if methods else ())])
    command += f" --limit {limit}" if limit else ""
    command += f" --kept {kept.name}" if kept is not None else ""
    judges = DuetJudges("select" if tune else "score", place, encoder)
    asked = questions(folder, "val" if tune else "test", limit or (TUNED_ON if tune else PROMPTS))
    if kept is not None and kept.exists() and not kept.is_dir():
        raise FileError(f"{kept}: this is a file; --kept takes the folder of the scores")
    asked_for = duet_studies.ALONE if study == "composition-gain" else names
    _check_weights(place, asked_for, store, (asked_digest(asked), judges.version))
    for folder_asked in (kept, out):  # not before: what is refused leaves no folder behind
        if folder_asked is not None:
            outputs.make_folder(folder_asked)
    try:
        with progress(f"evaluating {study}") as step:

            def told(what: str, done: int, of: int) -> None:
                step(done, of)

            if tune:
                bench = DuetBench(place, asked, judges, progress=told)
                rows = duet_studies.tuned(bench, duet_studies.chosen_lines(bench, names))
                say(json.dumps(rows, indent=1, ensure_ascii=False))
                remark(str(write_guidance(scores, rows)))
                return
            guidance = read_guidance(scores)
            bench = DuetBench(place, asked, judges, guidance=guidance, store=store, progress=told)
            if study == "composition-gain":
                result = duet_studies.gain(bench, command)
            else:
                known = recorded(folder)
                takes = (
                    DuetBench(place, known, judges, guidance=guidance, store=of_takes, progress=told) if known else None
                )
                result = duet_studies.composition(bench, command, names, takes)
    except KeyboardInterrupt:
        remark("interrupted; run the same command again to go on where it stopped")
        raise
    say(styled_tables.as_json(result) if as_json else styled_tables.as_markdown(result))
    if out is not None:
        rows = duet_studies.chosen_lines(bench, names) if study == "composition" else []
        mixed = [method.mixer for line in rows for method in line.methods if method.mixer]
        runs = [name.removeprefix("weights-").replace("-", "_") for name in mixed]  # as recipes/duets calls them
        curves = draw_curves(place, runs, out, study, logarithmic=False)
        for path in styled_tables.write(result, out, curves):
            remark(str(path))


def _check_weights(home: Path, names: Sequence[str] | None, store: "ScoreStore | None", facts: tuple[str, str]) -> None:
    """Raise ``WeightsError`` where no composition that is asked for (all by default) has its weights, or scores on these questions.

    ``facts``: what tells the questions from others, and the judges.
    """
    from motifmix.errors import WeightsError
    from motifmix.evaluation.duet_studies import groups

    known = groups(home, store)
    kept = store.keys(*facts) if store is not None else set()
    methods = [method for key in names or known for method in known[key]]
    lacks = [None if method.key in kept else method.missing(home) for method in methods]
    if all(lacks):
        raise WeightsError(f"{home}: none of what is asked for can be measured: {lacks[0]}")


def check_compositions(methods: str | None, repeats: int | None = None, kept: Path | None = None) -> list[str] | None:
    """Return the rows that ``--methods`` names, None for all. Raises ``RequestError`` for none and for unknown ones."""
    from motifmix.errors import RequestError
    from motifmix.evaluation.duet_store import ScoreStore
    from motifmix.home import home
    from motifmix.pipelines.baselines.compositions import COMPOSITIONS, grid, mixers

    if repeats is not None:
        raise RequestError("compositions take no --repeats; their intervals are over prompts and training seeds")
    known = ScoreStore(kept).methods() if kept is not None else []
    return rows_named(methods, [*COMPOSITIONS, *mixers(home(), known), *grid(home(), known)], "composition {}")
