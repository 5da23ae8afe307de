"""What the commands say: results on stdout, remarks on stderr, progress on stderr: a bar on a terminal, else rare lines.

rich is imported when a bar is drawn, so that ``motifmix --help`` stays quick.
"""

import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

SECONDS_BETWEEN_LINES = 30.0
Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do."""


def say(text: object) -> None:
    """Print one line of the result: a path, a row."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def remark(text: str) -> None:
    """Print one line about the work; it may quote a stranger's file, so what steers a terminal is shown as its code."""
    sys.stderr.write("\n".join(escaped(line) for line in text.split("\n")) + "\n")
    sys.stderr.flush()


def escaped(text: str) -> str:
    """Return a text with control characters (line breaks too), direction marks and broken letters as backslash codes."""
    if text.isprintable():
        return text
    steers = ("C", "Zl", "Zp")
    return "".join(
        letter.encode("unicode_escape").decode("ascii") if unicodedata.category(letter).startswith(steers) else letter
        for letter in text
    )


@contextmanager
def progress(words: str) -> Iterator[Progress]:
    """Draw a bar while something runs; where there is no terminal, a log gets a line after each half minute."""
    if not sys.stderr.isatty():
        yield _in_a_log(words)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _in_a_log(words: str) -> Progress:
    said = monotonic()

    def step(done: int, total: int) -> None:
        nonlocal said
        if monotonic() - said >= SECONDS_BETWEEN_LINES:
            said = monotonic()
            remark(f"{words}: {done} of {total}")

    return step
