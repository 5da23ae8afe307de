"""``motifmix evaluate``: the table of figures of a set of weights."""

from pathlib import Path
from typing import Annotated

import typer

from motifmix.apps.cli.terminal import progress, say


def evaluate(
    weights: Annotated[str, typer.Argument(help="default, or a folder of weights.")] = "default",
    data: Annotated[Path | None, typer.Option(help="The folder with the prepared sets.")] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for the table as markdown and JSON.")] = None,
    repeats: Annotated[int, typer.Option(help="How often all is generated; at least 5 for confidence intervals.")] = 5,
) -> None:
    """Measure weights on held-out clips: style and content recognition, distances, skating, jerk."""
    raise NotImplementedError
