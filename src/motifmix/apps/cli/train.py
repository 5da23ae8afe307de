"""``motifmix train``: run a recipe."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe, such as recipes/default/vae.yaml.")],
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Change a value of the recipe. Repeatable.")
    ] = None,
) -> None:
    """Train what a recipe describes; run it again to go on after an interruption, bit for bit."""
    from motifmix.training.run import run

    run(recipe, changes or [])
