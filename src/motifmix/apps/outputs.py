"""Where results go: file names made from words, all checks of the targets before work starts, and saving a motion.

Existing files are kept unless ``force``; files are written beside their target and renamed (``motifmix.files``), so
an interrupted command leaves whole files or none. Nothing here imports numpy or torch before something is written.
"""

import os
import re
import tempfile
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motifmix.credits import MADE_WITH
from motifmix.errors import FileError, RequestError

if TYPE_CHECKING:
    from motifmix.apps.requests import GenerateRequest
    from motifmix.motion import Motion, Scene

_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
_LONGEST_NAME = 100  # bytes; file systems take 255, a suffix, a take's number and a temporary name need room


def slug(words: str, longest: int = _LONGEST_NAME) -> str:
    """Turn words into a file name without suffix that every system takes: letters, digits, ``-``, ``_`` and ``.``.

    Folders, drive letters, leading dots and the names that Windows reserves cannot come out of it.
    """
    words = unicodedata.normalize("NFC", words).strip()
    name = re.sub(r"[^\w.]+", "-", words).strip("-._")
    name = re.sub(r"\.{2,}", ".", name)
    while len(name.encode()) > longest:
        name = name[:-1]
    name = name.strip("-._")
    if name.split(".")[0].lower() in _RESERVED:
        name = f"motion-{name}"
    return name or "motion"


def default_name(request: "GenerateRequest") -> str:
    """Name a result after its text and its style, without suffix."""
    text = slug(request.text.lower(), 60)
    styles = "-".join(slug(style.name.lower(), 30) for style in request.styles[:3])
    return f"{text}_{styles}" if styles else text


def takes(path: Path, count: int) -> list[Path]:
    """Number a target for several takes: ``walk.bvh`` becomes ``walk_1.bvh``, ``walk_2.bvh``, ..."""
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}_{take}{path.suffix}") for take in range(1, count + 1)]


def check_targets(paths: Sequence[Path], *, force: bool, suffixes: Sequence[str] | None = None) -> None:
    """Make sure that every path can be written; raises ``FileError`` for the first that cannot, touching nothing."""
    check_names(paths, suffixes)
    for folder in dict.fromkeys(path.parent for path in paths):
        check_folder(folder)
    for path in paths:
        try:
            there = os.path.lexists(path)
            if path.is_dir():
                raise FileError(f"{path}: is a folder; name a file")
            path.lstat() if there else None
        except OSError as error:
            raise FileError(f"{path}: cannot be written ({error.strerror})") from None
        if there and not force:
            raise FileError(f"{path}: exists already and is kept; choose another name or add --force to replace it")


def check_names(paths: Sequence[Path], suffixes: Sequence[str] | None = None) -> None:
    """Make sure that names are of files that can be written, each once, whatever is there; raises ``FileError``."""
    known = writable_suffixes() if suffixes is None else suffixes
    seen: dict[str, Path] = {}
    for path in paths:
        if path.suffix.lower() not in known:
            kind = f"suffix {path.suffix!r} is unknown" if path.suffix else "the name has no suffix"
            raise FileError(f"{path}: {kind}; use one of {', '.join(known)}")
        key = os.path.normcase(os.path.abspath(path)).casefold()
        if key in seen:
            raise FileError(f"{path}: named twice as a target; each result needs a name of its own")
        seen[key] = path


def check_folder(folder: Path) -> None:
    """Make sure that files can be made in an existing folder; raises ``FileError``."""
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist; make it first"
        raise FileError(f"{folder}: this folder {what}")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise FileError(
            f"{folder}: files cannot be written into this folder ({error.strerror}); choose another"
        ) from None


def make_folder(folder: Path) -> None:
    """Make a folder for many results, its parents included, and check that it can be written; raises ``FileError``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: this folder cannot be made ({error.strerror}); choose another") from None
    check_folder(folder)


def writable_suffixes() -> tuple[str, ...]:
    """The suffixes that ``motifmix.files`` writes."""
    from motifmix.files import WRITERS

    return tuple(WRITERS)


def save(path: Path, result: "Motion | Scene", *, units: str = "m", force: bool = False) -> tuple[Path, ...]:
    """Write a result at its own frame rate and return the files; ``units`` speaks of BVH, other formats are in metres.

    Several people share one file where the format allows it.
    Raises ``FileError`` when the disk is full or the folder has gone.
    """
    from motifmix.files import write

    options: dict[str, Any] = {"fps": None}  # as it is, but for a GIF, which knows 25 and 33 frames a second only
    if path.suffix.lower() == ".bvh":
        options |= {"units": units, "one_file": True}
    elif path.suffix.lower() == ".mp4":
        options["fps"] = result.fps
    try:
        return write(path, result, force=force, **options)
    except OSError as error:
        raise FileError(f"{path}: could not be written ({error.strerror or error}); nothing of it was left") from error


def missing_credit(suffixes: Sequence[str], line: str = MADE_WITH) -> str:
    """Say what must go with files that have no place for a credit ``line``; empty when there are none of them."""
    if ".bvh" not in (suffix.lower() for suffix in suffixes):
        return ""
    return f"a .bvh has no place for credit and licence; pass it on with this line: {line}"


def check_units(units: str, option: str = "--units") -> None:
    """Make sure that a BVH can be written in ``units``; raises ``RequestError``."""
    if units not in ("m", "cm"):
        raise RequestError(f"{option} takes m or cm; {units!r} was asked")


def check_is_other(source: Path, targets: Sequence[Path]) -> None:
    """Make sure that no target is the file that is read; raises ``FileError``."""
    for path in targets:
        if path.exists() and source.exists() and path.samefile(source):
            raise FileError(f"{path}: is the file that is read; choose another name for the result")


def finished(result: "Motion | Scene", request: "GenerateRequest", seed: int) -> "Motion | Scene":
    """Give a generated motion, or each person of a scene, the frame rate, the place and the labels that were asked for."""
    from motifmix.motion import Scene

    if isinstance(result, Scene):
        return Scene(tuple(_finished(person, request, seed) for person in result))
    return _finished(result, request, seed)


def _finished(motion: "Motion", request: "GenerateRequest", seed: int) -> "Motion":
    if request.in_place:
        motion = motion.in_place()
    labels = {"text": request.text, "style": request.style_label, "seed": seed}
    return motion.resampled(request.fps).with_labels(**{"credit": MADE_WITH, **motion.labels, **labels})
