"""``motifmix evaluate``: the table of figures of a set of weights."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from motifmix.apps.cli.terminal import progress, remark, say

if TYPE_CHECKING:
    from motifmix.evaluation.protocol import Evaluation


def evaluate(
    weights: Annotated[str, typer.Argument(metavar="WEIGHTS", help="default, or a folder of weights.")] = "default",
    data: Annotated[
        Path | None, typer.Option(help="Folder with the prepared sets bandai and cmu; by default in MOTIFMIX_HOME.")
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="Captions that people wrote, as JSON, for rows of their own.")
    ] = None,
    cells: Annotated[
        Path | None,
        typer.Option(help="Weights of recipes/default/cells.yaml, for the rows of (content, style) cells never shown."),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="How often everything is generated; 5 for the intervals.")] = 5,
    out: Annotated[Path | None, typer.Option(help="Folder for results.md, results.json and a picture.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of markdown.")] = False,
) -> None:
    """Measure weights on held-out clips: style and content recognised, distances, skating, jerk."""
    from motifmix.apps import outputs
    from motifmix.evaluation import tables

    if out is not None:
        outputs.make_folder(out)
    try:
        with progress("evaluating") as step:
            results = _evaluation(weights, data, prompts, repeats, lambda what, done, of: step(done, of)).run()
            if cells is not None:
                left_out = _cells_left_out(cells)
                other = _evaluation(str(cells), data, None, repeats, lambda what, done, of: step(done, of))
                results.rows.update(other.unseen_cells(left_out))
                results.facts["cells"] = [f"{content} / {style}" for content, style in left_out]
    except KeyboardInterrupt:
        remark("interrupted; run the same command again to go on where it stopped")
        raise
    options = (f" --prompts {prompts.name}" if prompts is not None else "") + (
        " --cells FOLDER" if cells is not None else ""
    )
    command = f"motifmix evaluate {'default' if weights == 'default' else 'FOLDER'}{options}"
    say(tables.as_json(results) if as_json else tables.as_markdown(results, command))
    if out is not None:
        for path in tables.write(results, out / "results.md", command):
            remark(str(path))


def _cells_left_out(weights: Path) -> list[tuple[str, str]]:
    """The cells of set 2 that a denoiser's card says it was never shown."""
    from motifmix.errors import RequestError
    from motifmix.pretrained.cards import read_card

    cells = [
        (str(content), str(style)) for content, style in read_card(weights / "denoiser.yaml").extra["without_cells"]
    ]
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
    from motifmix.errors import FileError
    from motifmix.evaluation.judges import load_judge, load_retrieval_judge
    from motifmix.evaluation.protocol import Evaluation, Plan
    from motifmix.home import PACKAGE_WEIGHTS, home

    if prompts is not None and not prompts.is_file():
        raise FileError(f"{prompts}: there is no such file of prompts")
    folder = data or home() / "data"
    bandai = Prepared(folder / "bandai")
    cmu = Prepared(folder / "cmu") if (folder / "cmu").exists() else None
    if cmu is None:
        remark(f"{folder / 'cmu'} is missing: the content set's rows are left out (motifmix data prepare cmu makes it)")
    sentences = MiniLM()
    return Evaluation(
        motifmix.load() if weights == "default" else motifmix.load(Path(weights)),
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


def weights_version(folder: Path) -> str:
    """What tells two sets of weights apart: cached figures of one are never taken for the other's."""
    import hashlib

    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
