"""The command ``motifmix``: its commands, and one place that turns mistakes into one line and an exit code.

0 done; 2 a mistake that the person can mend (one line on stderr); 130 interrupted. Anything else is a bug and shows
its traceback. The modules of the commands import typer and nothing heavy; the work is imported when a command runs.
"""

import atexit
import gc
import io
import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from motifmix import __version__
from motifmix.apps.cli import (
    adopt,
    align,
    batch,
    bench,
    convert,
    data,
    duet,
    evaluate,
    generate,
    models,
    study,
    styles,
    sweep,
    train,
    transfer,
)
from motifmix.apps.cli.terminal import remark, say
from motifmix.errors import MotifmixError

OBJECTS_UNTIL_SEARCHED = 50_000  # new ones, until garbage is looked for; Python's own 700 are for small programs

app = typer.Typer(
    name="motifmix",
    help="Human motion with style: a text and a style in, a motion out that opens in Blender.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("generate")(generate.generate)
app.command("duet")(duet.duet)
app.command("transfer")(transfer.transfer)
app.command("convert")(convert.convert)
app.command("styles")(styles.styles)
app.command("sweep")(sweep.sweep)
app.command("adopt")(adopt.adopt)
app.command("batch")(batch.batch)
app.command("train")(train.train)
app.command("align")(align.align)
app.command("evaluate")(evaluate.evaluate)
app.command("bench")(bench.bench)
app.add_typer(data.app, name="data")
app.add_typer(models.app, name="models")
app.add_typer(study.app, name="study")


def _version(wanted: bool) -> None:
    if wanted:
        say(f"motifmix {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        say(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (by default that of this process) and return its exit code."""
    if arguments is None:
        # Importing torch makes some hundred thousand objects that all stay: looking through them for garbage again and again, and once
        # more at the end, would take a third of a second.
        gc.set_threshold(OBJECTS_UNTIL_SEARCHED)
        atexit.register(gc.freeze)
        # `timeout`, job schedulers and shutdowns ask politely first: leave as tidily as after Ctrl-C.
        signal.signal(signal.SIGTERM, _terminated)
        # A console that lacks a letter of a file's name shows its code; the file is written all the same.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
    try:
        words = list(sys.argv[1:] if arguments is None else arguments)
        code = app(args=words, prog_name="motifmix", standalone_mode=False)
    except MotifmixError as error:
        remark(f"motifmix: {_one_line(error)}")
        return 2
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except Exception as error:
        if not hasattr(error, "format_message"):  # typer's usage errors, whichever click they come from
            raise
        remark(f"motifmix: {_one_line(error.format_message())} (motifmix --help lists what there is)")  # type: ignore[attr-defined]
        return 2
    if code == 130:
        remark("motifmix: interrupted; files are whole or not there")
    return code if isinstance(code, int) else 0


def _terminated(number: int, frame: object) -> None:
    sys.exit(128 + number)


def _one_line(message: object) -> str:
    return " ".join(str(message).split())
