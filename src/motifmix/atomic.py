"""Files that appear whole or not at all: written beside their target, then renamed."""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from motifmix.errors import FileError

_LONGEST_STEM = 60  # of the target's name kept in the temporary one; file systems take 255 bytes


@contextmanager
def replacing(path: Path | str, *, force: bool = False) -> Iterator[Path]:
    """Give a path beside ``path`` (same folder, same suffix) to write to; it takes the name ``path`` at the end.

    When the body fails or is interrupted, nothing of it stays. Raises ``FileError`` when ``path`` exists (unless
    ``force``), when its folder cannot be written, or when writing fails (a full disk).
    """
    path = Path(path)
    _check(path, force)
    stem = path.stem.encode()[:_LONGEST_STEM].decode(errors="ignore")
    temporary = path.with_name(f".{stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}; choose another folder") from error
    try:
        yield temporary
        if not force and os.path.lexists(path):
            _check(path, force)
        os.replace(temporary, path)
    except OSError as error:
        raise FileError(f"{path} could not be written: {error.strerror or error}; nothing of it was left") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_all(paths: list[Path], *, force: bool = False) -> Iterator[list[Path]]:
    """Like :func:`replacing` for several files: none is renamed before all are written."""
    with ExitStack() as stack:
        yield [stack.enter_context(replacing(path, force=force)) for path in paths]


def _check(path: Path, force: bool) -> None:
    if path.is_dir():
        raise FileError(f"{path} is a folder; name a file")
    if os.path.lexists(path) and not force:
        raise FileError(f"{path} exists and is kept; choose another name, or --force to replace it")
    if not path.parent.is_dir():
        raise FileError(f"{path.parent} is no folder that exists; make it first")
