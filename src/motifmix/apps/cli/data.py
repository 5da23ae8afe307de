"""``motifmix data``: prepare the training sets and describe what came of it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from motifmix.apps.cli.terminal import progress, say

app = typer.Typer(help="Prepare motion capture for training, and describe it.")


class Dataset(StrEnum):
    """The datasets that have a reader."""

    bandai = "bandai"
    cmu = "cmu"
    style100 = "100style"


@app.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        say(context.get_help())


@app.command()
def prepare(
    dataset: Annotated[Dataset, typer.Argument(help="bandai or 100style: style sets; cmu: the content set.")],
    source: Annotated[Path, typer.Option(help="The archive as published or kept, or the folder it unpacks to.")],
    out: Annotated[Path, typer.Option(help="The folder to fill; run again to go on after an interruption.")],
) -> None:
    """Read a dataset, carry it to motifmix's skeleton, and write clips, captions, split and a report."""
    from motifmix.data.prepare import prepare as prepare_dataset

    with progress(f"preparing {dataset.value}") as step:
        report = prepare_dataset(dataset.value, source, out, progress=step)
    say(report)


@app.command()
def describe(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that data prepare filled.")],
    out: Annotated[Path | None, typer.Option(help="A folder for the pictures; by default DIR itself.")] = None,
) -> None:
    """Draw the table of contents and styles, the lengths and the words of a prepared set."""
    from motifmix.data.describe import describe as describe_dataset

    say(describe_dataset(folder, out))
