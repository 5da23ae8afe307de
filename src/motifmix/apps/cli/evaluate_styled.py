"""``motifmix evaluate stylization`` and its like: the paper's tables for our benchmark, every method asked the same."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from motifmix.apps.cli.terminal import progress, remark, say

if TYPE_CHECKING:
    from motifmix.evaluation.styled_tables import Study
    from motifmix.evaluation.stylization import Bench
    from motifmix.pipelines.baselines.language_model import LanguageModel

STUDIES = ("stylization", "transfer", "text-style", "efficiency", "ablation")


def evaluate_styled(
    study: str,
    *,
    data: Path | None,
    methods: str | None,
    limit: int | None,
    repeats: int,
    language_model: "LanguageModel | None",
    earlier: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run one study, print it, and write its files into ``out``; ``earlier`` has rows that cannot be measured now."""
    from motifmix.apps import outputs
    from motifmix.evaluation import styled_tables
    from motifmix.evaluation.styled_curves import draw_curves
    from motifmix.evaluation.styled_since import Earlier, since
    from motifmix.evaluation.styled_transfer import asked_in

    command = f"motifmix evaluate {study}"
    command += f" --methods {methods}" if methods else ""
    command += f" --limit {limit}" if limit else ""
    command += f" --repeats {repeats}" if repeats != 5 else ""
    command += " --language-model FILE" if language_model else ""
    command += f" --since {study}.json" if earlier else ""
    former = None if earlier is None else Earlier.read(earlier, study)
    try:
        with progress(f"evaluating {study}") as step:
            bench = _bench(study, data, methods, limit, repeats, language_model, lambda what, done, of: step(done, of))
            _check_present(bench, former is not None)
            if former is not None:  # before the hours that measuring takes
                former.check({**bench.facts, "questions": asked_in(study, bench.limit)})
            if out is not None:
                outputs.make_folder(out)  # not before: what is refused leaves no folder behind
            result = _run(study, bench, command)
            result = result if former is None else since(result, former)
    except KeyboardInterrupt:
        remark("interrupted; run the same command again to go on where it stopped")
        raise
    say(styled_tables.as_json(result) if as_json else styled_tables.as_markdown(result))
    if out is not None:
        rows = [bench.methods[key] for key in bench.chosen] if study == "stylization" else []
        curves = draw_curves(
            bench.home, (run for row in rows for run in row.runs), out, study, earlier=earlier and earlier.parent
        )
        for path in styled_tables.write(result, out, curves):
            remark(str(path))


def _check_present(bench: "Bench", carried: bool) -> None:
    """Raise ``WeightsError`` where none of the rows that are asked for has its weights."""
    from motifmix.errors import WeightsError

    lacks = [bench.methods[key].missing(bench.home) for key in bench.chosen]
    if all(lacks) and not carried:
        raise WeightsError(f"none of the rows can be measured: {lacks[0]}")


def check_methods(methods: str | None) -> list[str] | None:
    """Return the rows that ``--methods`` names, None for all. Raises ``RequestError`` for none and for unknown ones."""
    from motifmix.pipelines.baselines.registry import METHODS

    return rows_named(methods, METHODS, "method {} to compare")


def rows_named(methods: str | None, known: Collection[str], one: str) -> list[str] | None:
    """Return the rows that a list with commas names, each once, None for all; ``one`` is what a row is called, with a gap.

    Raises ``RequestError`` for none and for one that is not ``known``.
    """
    from motifmix.errors import RequestError

    if methods is None:
        return None
    chosen = list(dict.fromkeys(name.strip() for name in methods.split(",") if name.strip()))
    unknown = [name for name in chosen if name not in known]
    if unknown or not chosen:
        what = f"there is no {one.format(repr(unknown[0]))}" if unknown else "--methods names no row"
        raise RequestError(f"{what}; --methods takes {', '.join(known)}")
    return chosen


def _run(study: str, bench: "Bench", command: str) -> "Study":
    from motifmix.evaluation.styled_ablation import ablation
    from motifmix.evaluation.styled_studies import efficiency, text_style
    from motifmix.evaluation.styled_transfer import transfer
    from motifmix.evaluation.stylization import stylization
    from motifmix.pretrained.judges import load_judge

    if study == "ablation":
        return ablation(bench, command, load_judge("select"))
    studies: dict[str, Callable[[Bench, str], Study]] = {
        "stylization": stylization,
        "transfer": transfer,
        "text-style": text_style,
        "efficiency": efficiency,
    }
    return studies[study](bench, command)


def _bench(
    study: str,
    data: Path | None,
    methods: str | None,
    limit: int | None,
    repeats: int,
    language_model: "LanguageModel | None",
    step: Callable[[str, int, int], None],
) -> "Bench":
    from motifmix.data.prepared import Prepared
    from motifmix.encoders.text import MiniLM
    from motifmix.evaluation.stylization import FEWER, QUESTIONS, Bench
    from motifmix.home import home
    from motifmix.pipelines.baselines.registry import METHODS, with_language_model
    from motifmix.pretrained.judges import load_judge, load_retrieval_judge

    chosen, registry = check_methods(methods), METHODS
    if language_model is not None:
        registry = with_language_model(language_model)
        # Nobody who names a model means a table without it.
        chosen = chosen and [*chosen, *(key for key in registry if key not in METHODS)]
    folder = data or home() / "data"
    bandai, cmu = Prepared(folder / "bandai"), Prepared(folder / "cmu")
    sentences = MiniLM()
    return Bench(
        home(),
        bandai,
        cmu,
        load_judge("score"),
        load_retrieval_judge(),
        lambda texts: sentences.encode(texts).numpy(),
        repeats=repeats,
        limit=limit or FEWER.get(study, QUESTIONS),
        methods=chosen,
        progress=step,
        registry=registry,
    )
