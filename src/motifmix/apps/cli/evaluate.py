"""``motifmix evaluate``: the table of figures of a set of weights."""

from pathlib import Path
from typing import Annotated

import typer

from motifmix.apps.cli.terminal import progress, say


def evaluate(
    weights: Annotated[str, typer.Argument(metavar="WEIGHTS", help="default, or a folder of weights.")] = "default",
    data: Annotated[
        Path | None, typer.Option(help="The folder with the prepared sets; by default MOTIFMIX_HOME/prepared.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for the table as markdown and JSON.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="How often everything is generated; 5 for the intervals.")] = 5,
) -> None:
    """Measure weights on held-out clips: style and content recognised, distances, skating, jerk."""
    from motifmix.evaluation.protocol import evaluate as evaluate_weights

    with progress("evaluating") as step:
        report = evaluate_weights(weights, data=data, out=out, repeats=repeats, progress=step)
    say(report)
