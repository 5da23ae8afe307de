"""``motifmix train``: run a recipe."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from motifmix.apps.cli.terminal import remark, say

SECONDS_BETWEEN_LINES = 30.0


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe, such as recipes/default/vae.yaml.")],
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Change a value of the recipe. Repeatable.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="Folder for checkpoints, curves and pictures; by default under MOTIFMIX_HOME.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the weights; by default under MOTIFMIX_HOME.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processor cores to use.")] = 1,
) -> None:
    """Train what a recipe describes; run it again to go on after an interruption, bit for bit."""
    values = parse_changes(changes or ())

    from motifmix.training.runs import train_recipe

    try:
        lines = Lines()
        written = train_recipe(recipe, values, run=run, out=out, threads=threads, log=lines, preparation=lines.prepared)
    except KeyboardInterrupt:
        remark("interrupted; run the same command again to go on from the last checkpoint")
        raise
    say(written)


def parse_changes(changes: "list[str] | tuple[str, ...]") -> dict[str, Any]:
    """Read ``a.b=value`` with the value as YAML reads it; raises ``RequestError`` for anything else."""
    import yaml

    from motifmix.errors import RequestError

    values: dict[str, Any] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or not all(part.isidentifier() for part in name.strip().split(".")):
            raise RequestError(f"--set {change!r}: say NAME=VALUE or NAME.NAME=VALUE, such as options.batch=16")
        try:
            values[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise RequestError(f"--set {change!r}: the value is no YAML; put quotes around it") from None
    return values


class Lines:
    """Says how a run goes: its step, its figures and the time left, a line every half minute and at the end."""

    def __init__(self) -> None:
        self._began = self._said = time.monotonic()
        self._first: int | None = None

    def prepared(self, done: int, total: int) -> None:
        """Print how far what comes before the first step is, if it is time."""
        if time.monotonic() - self._said >= SECONDS_BETWEEN_LINES:
            self._said = time.monotonic()
            remark(f"prepared {done} of {total}")

    def __call__(self, step: int, steps: int, figures: dict[str, float]) -> None:
        """Print one line if it is time."""
        now = time.monotonic()
        if self._first is None:
            self._first, self._began = step, now
        elif now - self._said < SECONDS_BETWEEN_LINES and step < steps:
            return
        self._said = now
        said = " ".join(f"{name} {value:.4g}" for name, value in figures.items())
        done = step - self._first
        left = f"{(now - self._began) / done * (steps - step) / 60:.0f} min left" if done > 0 else ""
        remark(f"step {step} of {steps}  {said}  {left}".rstrip())
