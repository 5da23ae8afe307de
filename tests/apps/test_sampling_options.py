"""The settings of the sampling: each command has those that it listens to, and the page says which."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from motifmix.apps.cli.main import app
from motifmix.apps.cli.sampling_options import ADVANCED
from motifmix.pipelines.sampling import BY_STRENGTH_IN_TRANSFER, MEASURED, beyond_measured

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


FAR = "beyond what was measured"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--style", "old", "--gamma", 1, "--style-scale", 4, "--gradient", 1], None),
        (["--style", "old", "--strength", 2], None),
        (["--style", "old", "--gamma", 1.1], "--gamma 1.1 (measured up to 1): "),
        (["--style", "old:1.5", "--gamma", 0.8], "--gamma 0.8 times the strength 1.5 (measured up to 1): "),
        (["--style", "old:2", "--style-scale", 3], None),
        (
            ["--style", "old", "--gradient", 1.5, "--style-scale", 20],
            "--style-scale 20 (measured up to 4) and --gradient",
        ),
    ],
)
def test_settings_beyond_what_was_measured_are_said_and_met(run, pipeline, here, words, said):
    done = run("generate", "walk", *words, "--seed", 1, "--out", "a.npz")
    assert done.code == 0 and (here / "a.npz").exists()
    lines = [line for line in done.err.splitlines() if FAR in line]
    assert len(lines) == (said is not None) and all(line.startswith(str(said)) for line in lines)


def test_what_is_beyond_in_a_row_and_in_a_table_is_said_once(run, pipeline, here):
    done = run("sweep", "walk", "--style", "old", "--style", "sad", "--steps", 2, "--gamma", 5, "--each", "w.npz")
    assert done.code == 0 and done.err.count(FAR) == 1
    (here / "t.csv").write_text("text,style,gamma\na,old,\nb,old,5\nc,old,5\nd,,5\n")
    done = run("batch", "t.csv", "--out", "made")
    assert done.code == 0 and done.err.count(FAR) == 1 and "t.csv line 3: --gamma 5" in done.err


def test_the_strength_of_a_transfer_is_a_factor_on_the_style_scale():
    said = beyond_measured({"style_scale": 3.0, "gamma": 0.9}, 2.0, BY_STRENGTH_IN_TRANSFER)
    assert said is not None and said.startswith("--style-scale 3 times the strength 2") and "--gamma" not in said


def test_a_late_start_counts_for_the_style_scale():
    assert beyond_measured({"style_scale": 3.0, "style_start": 1.0}) is None
    said = beyond_measured({"style_scale": 3.0, "style_start": 0.5})
    assert said is not None and "--style-scale 3 over the style's start 0.5 (measured up to 4)" in said


@pytest.mark.parametrize(
    ("name", "title"), [("gamma", "gamma"), ("style_scale", "guidance scale of the style"), ("gradient", "gradient")]
)
def test_what_was_measured_is_what_the_page_shows(name, title):
    page = PAGE.with_name("ablation.md").read_text(encoding="utf-8")
    shown = [float(number) for number in re.findall(rf"^\| {title}[^|=]* = ([\d.]+) \|", page, re.M)]
    assert max(shown) == MEASURED[name]


@pytest.mark.parametrize(
    "words",
    [
        ("generate", "walk", "--block", 3),
        ("generate", "walk", "--strength", 2),
        ("generate", "walk", "--style", "old", "--style-from", "content"),
        ("transfer", "a.bvh", "--style", "old", "--style-by", "projection"),
        ("sweep", "walk", "--style", "old", "--style", "sad", "--style-by", "projection"),
        ("duet", "two walk", "--person", "a", "--person", "b", "--strength", 0.5),
    ],
)
def test_an_option_that_cannot_act_is_refused_before_any_work(run, pipeline, here, words):
    done = run(*words)
    assert done.code == 2 and len(done.lines) == 1 and f"{words[-2]} " in done.err and "belongs to" in done.err
    assert not pipeline.calls and not list(here.iterdir())
