"""``motifmix align``: make pictures, sounds and what videos show usable as styles."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from motifmix.apps.cli.terminal import Progress as BarProgress
from motifmix.apps.cli.terminal import progress, remark, say
from motifmix.apps.cli.train import SECONDS_BETWEEN_LINES, Lines

if TYPE_CHECKING:
    from motifmix.encoders.joint import Table
    from motifmix.training.alignment import Report

CLOSE = 0.02
"""How far a number may be from the published one: decoders of pictures differ by a bit of colour."""


def align(
    encoder: Annotated[str, typer.Option(help="Which encoder of texts, pictures, videos and sounds.")] = "imagebind",
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Its weights: the published file, a folder of 'models convert', or OWNER/NAME on the hub; by default "
            "what lies in encoders/imagebind below MOTIFMIX_HOME.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only compute the tables that the encoder's authors publish, side by side.")
    ] = False,
    examples: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="With --check: the folder of the authors' own example files.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Other motion weights: a folder that 'train' wrote.")
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(help="A prepared set with styles. Repeatable; by default those that the weights were trained on."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="How long the projection learns.")] = 1500,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to; by default below MOTIFMIX_HOME, where it is found.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into an existing --out.")] = False,
) -> None:
    """Learn where words of styles lie among motions, so that --style takes a .jpg, a .wav, or what a video shows.

    The encoder stays as it is and encodes some 1,400 words and sentences once; run it again to go on after an interruption.
    """
    if check:
        _check(encoder, weights, examples)
        return
    from motifmix.encoders.joint import offer
    from motifmix.errors import RequestError

    offer(encoder)  # an unknown one is said before anything else
    if examples is not None:
        raise RequestError("--examples belongs to --check, which only compares the encoder with its authors' table")
    from motifmix.training.alignment import align as make
    from motifmix.training.motion_styles import styled_sets

    if not data and (model is None or (model / "style_encoder.yaml").exists()):
        from motifmix.home import PACKAGE_WEIGHTS

        if not styled_sets(model or PACKAGE_WEIGHTS / "default"):
            remark(
                "no set with styles is prepared, so the bank is the mean of each style that ships with the weights; "
                "'motifmix data prepare bandai --source ARCHIVE' gives one of all training motions"
            )
    try:
        with progress("preparing") as step:
            report = make(
                encoder, weights, model=model, sets=data or None, out=out, steps=steps, force=force,
                progress=_Preparing(step), log=Lines(),
            )  # fmt: skip
    except KeyboardInterrupt:
        remark("interrupted; run the same command again to go on from what is done")
        raise
    for line in described(report):
        say(line)
    say(report.folder)


class _Preparing:
    """Moves the bar, and says how far the work is every half minute, as nobody sees a bar in a log."""

    def __init__(self, bar: BarProgress) -> None:
        self._bar, self._said = bar, time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        self._bar(done, total)
        if time.monotonic() - self._said > SECONDS_BETWEEN_LINES:
            self._said = time.monotonic()
            remark(f"{what}: {done} of {total}")


def described(report: "Report") -> list[str]:
    """Return the figures of both ways of use, line by line."""
    heads = [f"{kind} ({int(own['phrases'])})" for kind, own in report.figures.items()]
    chance = 1 / len(report.styles)
    lines = [
        f"{report.motions} motions of {len(report.styles)} styles in the bank"
        f" ({', '.join(report.sets) or 'means that ship with the weights'})",
        "words and sentences for styles that nothing was trained on, given the right style "
        f"(chance {chance:.0%}), and the cosine to that style's mean:",
        f"{'--style-by':<12}" + "".join(f"{head:>22}" for head in heads),
    ]
    for by in ("retrieval", "projection"):
        cells = [f"{own[by]:.0%}, {own[f'likeness_{by}']:.2f}" for own in report.figures.values()]
        lines.append(f"{by:<12}" + "".join(f"{cell:>22}" for cell in cells))
    lines.append("this is measured on words; for pictures and sounds nobody has measured it")
    return lines


def _check(encoder: str, weights: str | None, examples: Path | None) -> None:
    from motifmix.encoders.joint import offer, open_encoder
    from motifmix.errors import RequestError, WeightsError

    wanted = offer(encoder)
    if wanted.check is None:
        raise RequestError(f"the authors of {wanted.title} publish no table of examples")
    if examples is None:
        raise RequestError(
            f"--check needs the authors' examples: put {', '.join(wanted.examples)} from {wanted.examples_from} into a "
            "folder and name it with --examples"
        )
    tables = wanted.check(open_encoder(encoder, weights), examples)
    for table in tables:
        for line in side_by_side(table):
            say(line)
    worst = max(table.difference for table in tables)
    if worst > CLOSE:
        raise WeightsError(
            f"a number is {worst:.3f} from the published one, more than {CLOSE:g}: these are not the published weights, "
            "or not the authors' examples"
        )
    say(f"the largest difference is {worst:.4f}: the weights are right")


def side_by_side(table: "Table") -> list[str]:
    """Return a table of the authors' beside ours, line by line."""
    head = "".join(f"{column:>10}" for column in table.columns)
    width = 10 * len(table.columns)
    lines = ["", f"{table.title:<18}{'published':>{width}}   {'here':>{width}}", f"{'':<18}{head}   {head}"]
    for name, published, ours in zip(table.rows, table.published, table.ours, strict=True):
        cells = ("".join(f"{value:>10.5f}" for value in row) for row in (published, ours))
        lines.append(f"{name:<18}{'   '.join(cells)}")
    return lines
