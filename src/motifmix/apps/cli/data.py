"""``motifmix data``: prepare the training sets and describe what came of it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from motifmix.apps.cli.terminal import progress, say

app = typer.Typer(help="Prepare motion capture for training, and describe it.")


class Dataset(StrEnum):
    """The datasets that have a reader."""

    bandai = "bandai"
    cmu = "cmu"
    style100 = "100style"
    duets = "duets"
    duets_foreign = "duets-foreign"
    duets_styled = "duets-styled"
    films = "films"


@app.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        say(context.get_help())


@app.command()
def prepare(
    dataset: Annotated[
        Dataset,
        typer.Argument(
            help="bandai or 100style: style sets; cmu: the content set; duets: pairs made of both; "
            "duets-foreign: pairs for measuring, in which people do what no pair of duets shows; "
            "duets-styled: such pairs in which both have a style; films: what the pose models read "
            "of training clips of bandai and cmu (three quarters of an hour, with the extra video)."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder to fill; run again to go on after an interruption.")],
    source: Annotated[
        Path | None,
        typer.Option(
            help="The archive as published or kept, or the folder it unpacks to. For duets the folder with "
            "the CMU archives, for the takes of two people; without it pairs are choreographed only."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="For duets: which pairs are drawn.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="For duets: replace pairs that were prepared before.")] = False,
) -> None:
    """Read a dataset, carry it to motifmix's skeleton, and write clips, captions, split and a report."""
    if dataset in (Dataset.duets, Dataset.duets_foreign, Dataset.duets_styled):
        say(_duets(source, out, seed, force, dataset))
        return
    if dataset is Dataset.films:
        say(_films(source, out))
        return
    from motifmix.data.prepare import prepare as prepare_dataset
    from motifmix.errors import RequestError

    if source is None:
        raise RequestError(f"--source is missing: say where the archive or the folder of {dataset.value} lies")
    with progress(f"preparing {dataset.value}") as step:
        report = prepare_dataset(dataset.value, source, out, progress=step)
    say(report)


def _films(source: Path | None, out: Path) -> str:
    from motifmix.data.prepared import Prepared
    from motifmix.errors import RequestError
    from motifmix.home import home
    from motifmix.training.films import prepare_films

    if source is not None:
        raise RequestError(
            "--source is of no use here: films are made of prepared sets: those beside --out, or in MOTIFMIX_HOME"
        )
    beside = [out.absolute().parent / name for name in ("bandai", "cmu")]
    there = all((folder / "clips.jsonl").is_file() for folder in beside)
    sets = [Prepared(folder if there else home() / "data" / folder.name) for folder in beside]
    with progress("filming and reading") as step:
        return prepare_films(sets, out, progress=step)


def _duets(source: Path | None, out: Path, seed: int, force: bool, dataset: Dataset) -> str:
    from motifmix.data.duets.foreign import foreign_interactions, foreign_pools
    from motifmix.data.duets.preparing import FOREIGN_COUNTS, STYLED_COUNTS, prepare_duets
    from motifmix.data.duets.recorded import ARCHIVES
    from motifmix.data.duets.reporting import FOREIGN_NOTE, STYLED_NOTE
    from motifmix.data.duets.styled import styled_interactions, styled_pools
    from motifmix.errors import DataError, RequestError
    from motifmix.home import home

    if dataset is not Dataset.duets and source is not None:
        raise RequestError("--source is of no use here: pairs for measuring are made of prepared clips alone")
    recordings = [source / name for name in ARCHIVES if (source / name).exists()] if source else []
    if source and not recordings:
        raise DataError(f"{source}: holds none of {' and '.join(ARCHIVES)}; give the folder where they lie")
    sets = [home() / "data" / name for name in ("bandai", "cmu")]
    special: dict[Dataset, dict[str, Any]] = {
        Dataset.duets_foreign: {
            "counts": FOREIGN_COUNTS, "interactions": foreign_interactions(), "pools": foreign_pools(), "note": FOREIGN_NOTE,
        },
        Dataset.duets_styled: {
            "counts": STYLED_COUNTS, "interactions": styled_interactions(), "pools": styled_pools(), "note": STYLED_NOTE,
        },
    }  # fmt: skip
    with progress("choreographing pairs") as step:
        return prepare_duets(
            out,
            sets=sets,
            recordings=recordings,
            **special.get(dataset, {}),
            seed=seed,
            force=force,
            progress=step,
        )


@app.command()
def describe(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that data prepare filled.")],
    out: Annotated[Path | None, typer.Option(help="A folder for the pictures; by default DIR itself.")] = None,
) -> None:
    """Draw the table of contents and styles, the lengths and the words of a prepared set."""
    from motifmix.data.describe import describe as describe_dataset

    say(describe_dataset(folder, out))
