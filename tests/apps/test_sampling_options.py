"""The settings of the sampling: each command has those that it listens to, and the page says which."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from motifmix.apps.cli.main import app
from motifmix.apps.cli.sampling_options import ADVANCED

PAGE = Path(__file__).parents[2] / "docs" / "usage.md"


def listed() -> dict[str, set[str]]:
    """Return the advanced options that the table of the page says a command has."""
    table = (
        PAGE.read_text(encoding="utf-8").split("### Inside the one knob")[1].split("\n| option |")[1].split("\n\n")[0]
    )
    head, _, *rows = table.splitlines()
    commands = re.findall(r"`(\w+)`", head)
    found: dict[str, set[str]] = {command: set() for command in commands}
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        for command, cell in zip(commands, cells[-len(commands) :], strict=True):
            if cell == "x":
                found[command].add(cells[0].strip("`"))
    return found


@pytest.mark.parametrize("command", ["generate", "batch", "sweep", "transfer"])
def test_a_command_has_the_options_that_the_page_says(command):
    shown = get_command(app).commands[command].params  # type: ignore[attr-defined]
    has = {word for own in shown if getattr(own, "rich_help_panel", None) == ADVANCED for word in own.opts}
    assert has and has == listed()[command]
