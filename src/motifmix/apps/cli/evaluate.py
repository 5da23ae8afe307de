"""``motifmix evaluate``: the table of figures of a set of weights."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from motifmix.apps.cli.evaluate_duets import DUET_STUDIES, check_compositions, evaluate_duets
from motifmix.apps.cli.evaluate_styled import STUDIES, check_methods, evaluate_styled
from motifmix.apps.cli.terminal import progress, remark, say

if TYPE_CHECKING:
    from motifmix.evaluation.paper_tables import PaperResults
    from motifmix.evaluation.protocol import Evaluation
    from motifmix.pipelines.baselines.language_model import LanguageModel


PAPERS = ("mld_vae", "mld", "smoodi", "stylemotif", "intergen", "in2in", "mixermdm")


def evaluate(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WEIGHTS",
            help="default, or a folder of our weights; a table that compares methods: "
            + ", ".join((*STUDIES, *DUET_STUDIES))
            + "; or a paper's protocol, with --weights: "
            + ", ".join(PAPERS)
            + ".",
        ),
    ] = "default",
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the prepared sets bandai and cmu, by default in MOTIFMIX_HOME; of a paper, its dataset."
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Of a paper: the folder that 'train' or 'models convert' wrote.")
    ] = None,
    evaluator: Annotated[
        Path | None, typer.Option(help="Of a paper: the converted t2m-evaluator, or interclip.")
    ] = None,
    classifier: Annotated[
        Path | None, typer.Option(help="Of smoodi and stylemotif: the folder of the network that names styles.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="A=VALUE", help="Of a paper: limit, batch, prompts, seed, ...")
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="Captions that people wrote, as JSON, for rows of their own.")
    ] = None,
    cells: Annotated[
        Path | None,
        typer.Option(help="Weights of recipes/default/cells.yaml, for the rows of (content, style) cells never shown."),
    ] = None,
    methods: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Of a table: the rows to measure; all by default.")
    ] = None,
    language_model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Of text-style: base_url, model and key of an OpenAI-compatible endpoint as YAML, for a row of its own "
            "beside that of the templates.",
        ),
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Of a table of stylisation: its JSON from an earlier run; rows whose weights are not there stand as it has them.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=8,
            help="Of a table: questions of the content set in a repeat; 128, of text-style and ablation 64; of "
            "composition and composition-gain prompts, 280.",
        ),
    ] = None,
    tune: Annotated[
        bool, typer.Option("--tune", help="Of composition: choose every method's guidance on validation pairs instead.")
    ] = False,
    kept: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Of composition: where scores and tuned guidance are kept; rows are read from it that were measured with the "
            "weights that are there, or whose weights are not there.",
        ),
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="How often everything is generated; 5, of a paper 1 (they do 20).")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for results.md, results.json and a picture.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of markdown.")] = False,
) -> None:
    """Measure weights on held-out clips: style and content recognised, distances, skating, jerk."""
    from motifmix.apps import outputs

    options = {
        "--prompts": prompts, "--cells": cells, "--weights": weights, "--evaluator": evaluator,
        "--classifier": classifier, "--set": changes, "--methods": methods, "--limit": limit,
        "--tune": tune or None, "--kept": kept, "--language-model": language_model, "--since": since,
    }  # fmt: skip
    _check(what, [name for name, value in options.items() if value is not None])
    if what in STUDIES:
        check_methods(methods)
    if what in DUET_STUDIES:
        check_compositions(methods, repeats, kept)
    if what in PAPERS:
        _check_paper(what, {"--weights": weights, "--data": data, "--evaluator": evaluator})
    writer = None if language_model is None else _language_model(language_model)
    _check_data(what, data, prompts)
    if what in DUET_STUDIES:
        evaluate_duets(what, data=data, methods=methods, limit=limit, tune=tune, kept=kept, out=out, as_json=as_json)
        return
    if what in STUDIES:
        evaluate_styled(
            what, data=data, methods=methods, limit=limit, repeats=repeats or 5, language_model=writer, earlier=since,
            out=out, as_json=as_json,
        )  # fmt: skip
        return
    if out is not None:
        outputs.make_folder(out)  # not before: what is refused leaves no folder behind
    if what in PAPERS:
        paper = _paper(what, weights, data, evaluator, classifier, repeats or 1, changes or [])
        say(paper.as_json() if as_json else paper.as_markdown())
        if out is not None:
            (out / "results.md").write_text(paper.as_markdown() + "\n", "utf-8")
            (out / "results.json").write_text(paper.as_json() + "\n", "utf-8")
        return
    _evaluate_weights(what, data, prompts, cells, repeats or 5, out, as_json)


def _evaluate_weights(
    what: str,
    data: Path | None,
    prompts: Path | None,
    cells: Path | None,
    repeats: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure one set of our weights, print it, and write its files into ``out``."""
    from motifmix.evaluation import tables

    left_out = _cells_left_out(cells) if cells is not None else []
    try:
        with progress("evaluating") as step:
            results = _evaluation(what, data, prompts, repeats, lambda what, done, of: step(done, of)).run()
            if left_out:
                other = _evaluation(str(cells), data, None, repeats, lambda what, done, of: step(done, of))
                results.rows.update(other.unseen_cells(left_out))
                results.facts["cells"] = [f"{content} / {style}" for content, style in left_out]
    except KeyboardInterrupt:
        remark("interrupted; run the same command again to go on where it stopped")
        raise
    further = f" --prompts {prompts.name}" if prompts is not None else ""
    further += " --cells FOLDER" if cells is not None else ""
    command = f"motifmix evaluate {'default' if what == 'default' else 'FOLDER'}{further}"
    say(tables.as_json(results) if as_json else tables.as_markdown(results, command))
    if out is not None:
        for path in tables.write(results, out / "results.md", command):
            remark(str(path))


_OF_TABLES = {"--methods", "--limit", "--since"}
_OF_DUETS = {"composition": {"--methods", "--limit", "--tune", "--kept"}, "composition-gain": {"--limit"}}
_OF_PAPERS = {"--weights", "--evaluator", "--classifier", "--set"}
_OF_WEIGHTS = {"--prompts", "--cells"}


def _check(what: str, given: list[str]) -> None:
    """Raise ``RequestError`` for a name of nothing, and for an option that would be passed over in silence."""
    from motifmix.errors import RequestError

    if what in DUET_STUDIES:
        taken, hint = _OF_DUETS[what], f"the table {what} takes no {{}}; see motifmix evaluate --help"
    elif what in STUDIES:
        taken = _OF_TABLES | ({"--language-model"} if what == "text-style" else set())
        hint = f"the table {what} takes no {{}}; its rows are chosen with --methods"
    elif what in PAPERS:
        taken = _OF_PAPERS if what in ("smoodi", "stylemotif") else _OF_PAPERS - {"--classifier"}
        hint = f"the evaluation {what} takes no {{}}; its recipe in recipes/papers says what it takes"
    elif what == "default" or Path(what).is_dir():
        taken, hint = _OF_WEIGHTS, "weights are measured without {}; motifmix evaluate --help says what it belongs to"
    else:
        raise RequestError(
            f"there is no folder {what[:80]!r} of weights; give default, such a folder, a table "
            f"({', '.join((*STUDIES, *DUET_STUDIES))}) or a paper's protocol ({', '.join(PAPERS)})"
        )
    if refused := [name for name in given if name not in taken]:
        raise RequestError(hint.format(refused[0]))


def _language_model(file: Path) -> "LanguageModel":
    """Raise ``RequestError`` for a file that names no endpoint."""
    from motifmix.pipelines.baselines.language_model import LanguageModel

    return LanguageModel.from_file(file)


def _check_paper(protocol: str, needed: dict[str, Path | None]) -> None:
    """Raise ``RequestError`` where a paper's evaluation was not given what it needs."""
    from motifmix.errors import RequestError

    if missing := [name for name, value in needed.items() if value is None]:
        raise RequestError(
            f"the evaluation {protocol} needs {', '.join(missing)}; its recipe in recipes/papers says which"
        )


def _check_data(what: str, data: Path | None, prompts: Path | None) -> None:
    """Raise ``FileError`` or ``DataError`` where the data or the prompts are not there."""
    from motifmix.data.prepared import Prepared
    from motifmix.errors import FileError
    from motifmix.home import home

    if data is not None and not data.is_dir():
        raise FileError(f"{data}: there is no such folder of data")
    if prompts is not None and not prompts.is_file():
        raise FileError(f"{prompts}: there is no such file of prompts")
    if what in STUDIES or what not in (*PAPERS, *DUET_STUDIES):
        for name in ("bandai", "cmu") if what in STUDIES else ("bandai",):
            Prepared((data or home() / "data") / name)


def _paper(
    protocol: str,
    weights: Path | None,
    data: Path | None,
    evaluator: Path | None,
    classifier: Path | None,
    repeats: int,
    changes: list[str],
) -> "PaperResults":
    """Run a paper's evaluation."""
    from pydantic import ValidationError

    from motifmix.apps.cli.train import parse_changes
    from motifmix.errors import RequestError

    assert weights is not None and data is not None and evaluator is not None  # as _check_paper made sure
    values = {"repeats": repeats, **parse_changes(changes)}
    text_folder = values.pop("text_folder", None)

    from motifmix.evaluation.paper_tables import Plan

    try:
        plan = Plan.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise RequestError(f"--set {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    with progress("evaluating") as step:
        if protocol in ("intergen", "in2in", "mixermdm"):
            from motifmix.evaluation.two_people import TwoPeople

            return TwoPeople(protocol, weights, data, evaluator, plan, text_folder).run(step)
        from motifmix.evaluation.text_to_motion import Judges, TextToMotion

        judges = Judges.load(evaluator, classifier)
        return TextToMotion(protocol, weights, data, judges, plan, text_folder).run(step)  # type: ignore[arg-type]


def _cells_left_out(weights: Path) -> list[tuple[str, str]]:
    """The cells of set 2 that a denoiser's card says it was never shown."""
    from motifmix.errors import RequestError
    from motifmix.pretrained.cards import read_card

    card = read_card(weights / "denoiser.yaml")
    cells = [(str(content), str(style)) for content, style in card.extra.get("without_cells", [])]
    if not cells:
        raise RequestError(
            f"{weights}: these weights were shown every cell; train recipes/default/cells.yaml for --cells"
        )
    return cells


def _evaluation(
    weights: str, data: Path | None, prompts: Path | None, repeats: int, step: Callable[[str, int, int], None]
) -> "Evaluation":
    import motifmix
    from motifmix.data.prepared import Prepared
    from motifmix.encoders.text import MiniLM
    from motifmix.errors import RequestError
    from motifmix.evaluation.protocol import Evaluation, Plan
    from motifmix.home import PACKAGE_WEIGHTS, home
    from motifmix.pretrained.cards import weights_version
    from motifmix.pretrained.judges import load_judge, load_retrieval_judge

    folder = data or home() / "data"
    bandai = Prepared(folder / "bandai")
    cmu = Prepared(folder / "cmu") if (folder / "cmu").exists() else None
    if cmu is None:
        remark(f"{folder / 'cmu'} is missing: the content set's rows are left out (motifmix data prepare cmu makes it)")
    sentences = MiniLM()
    pipeline: Any = motifmix.load() if weights == "default" else motifmix.load(Path(weights))
    if hasattr(pipeline, "card"):
        raise RequestError(
            f"{weights} holds {pipeline.card.published}, a published model, which its paper's protocol measures: "
            f"motifmix evaluate {PAPERS[1]} (or {', '.join(PAPERS[2:])}) --weights {weights}"
        )
    return Evaluation(
        pipeline,
        name=weights,
        version=weights_version(PACKAGE_WEIGHTS / "default" if weights == "default" else Path(weights)),
        bandai=bandai,
        cmu=cmu,
        judge=load_judge("score"),
        retrieval=load_retrieval_judge(),
        encode=lambda texts: sentences.encode(texts).numpy(),
        cache=home() / "evaluation",
        plan=Plan.model_validate({"repeats": repeats}),
        prompts=prompts,
        progress=step,
    )
