"""``motifmix study``: a page that asks people which motion fits, and the tally of what they answered."""

from pathlib import Path
from typing import Annotated

import typer

from motifmix.apps.cli.terminal import remark, say

app = typer.Typer(help="Ask people which motion fits: a blind page of clips side by side, and its tally.")


@app.callback(invoke_without_command=True)
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        say(context.get_help())


@app.command()
def make(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDERS...",
            help="One folder a method, all with the same clips: NAME.mp4, or scenes NAME.npz, which are drawn. The first one "
            'holds prompts.json ({NAME: {"text": ..., "people": [...]}}), or its scenes say what was asked for.',
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="PAGE", help="Folder for the page; the key lands beside it.")],
    seed: Annotated[int | None, typer.Option(min=0, help="Make the same page again.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a study that is there.")] = False,
) -> None:
    """Write a static page that works offline; participants download their answers and send them back."""
    from motifmix.evaluation.user_study import make_study

    page, key = make_study(folders, out, seed=seed, force=force)
    say(str(page))
    say(str(key))
    remark("give the folder away, keep the key: it says which method made which clip")


@app.command()
def tally(
    key: Annotated[Path, typer.Argument(metavar="KEY", help="The key that 'study make' wrote beside the page.")],
    answers: Annotated[list[Path], typer.Argument(metavar="ANSWERS...", help="Files that participants sent back.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of markdown.")] = False,
) -> None:
    """Print mean ranks and shares of first places with 95 % intervals; one unsound file and nothing is counted."""
    from motifmix.evaluation import user_study

    counted = user_study.tally(key, answers)
    say(user_study.as_json(counted) if as_json else user_study.as_markdown(counted))
