"""``motifmix bench``: seconds and memory of each stage on this machine."""

from pathlib import Path
from typing import Annotated

import typer


def bench(
    out: Annotated[Path | None, typer.Option(help="A .json file for the figures.")] = None,
) -> None:
    """Measure."""
    raise NotImplementedError
