"""Published folders: is everything there, where does it lie instead, and what do its files really hold.

Files of a dataset come from strangers. Arrays are read without pickles and never larger than the file itself, lists may
not point outside their folder, and whatever else is wrong with a file is one sentence that names it.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motifmix.data.sample import Caption
from motifmix.errors import DataError

MOST_TEXT = 1 << 24  # bytes of a list or a caption file
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_SHOWN = 6


@dataclass(frozen=True)
class Layout:
    """What every copy of a dataset has in its top folder: ``parts`` are files, or folders (ending in ``/``)."""

    what: str
    parts: tuple[str, ...]

    def checked(self, folder: Path | str) -> Path:
        """Return the folder if it is complete.

        Raises ``DataError`` that says which parts are missing or, when the dataset lies a level above or below, where.
        """
        folder = Path(folder)
        if not folder.exists():
            raise DataError(f"{folder}: there is no such folder; give the folder of {self.what}")
        if not folder.is_dir():
            raise DataError(f"{folder}: is a file; unpack it and give the folder of {self.what}")
        missing = self.missing(folder)
        if not missing:
            return folder
        elsewhere = self._elsewhere(folder, len(missing))
        if elsewhere is not None:
            raise DataError(f"{folder}: {self.what} seems to lie in {elsewhere}; give that folder")
        if len(missing) == len(self.parts):
            raise DataError(f"{folder}: this is not {self.what}: none of {listed(self.parts)} is there")
        raise DataError(f"{folder}: {self.what} is not complete, missing: {listed(missing)}; fetch the rest")

    def missing(self, folder: Path) -> list[str]:
        """Return the parts that are not there; an empty folder counts as missing."""
        return [part for part in self.parts if not _is_there(folder, part)]

    def _elsewhere(self, folder: Path, missing: int) -> Path | None:
        below = sorted(path for path in folder.iterdir() if path.is_dir())
        above = folder.resolve().parent
        for other in (*below, *(p for b in below[:50] for p in sorted(b.iterdir()) if p.is_dir()), above):
            if len(self.missing(other)) < min(missing, len(self.parts) / 2):
                return other
        return None


def listed(names: Iterable[str]) -> str:
    """Join names for a sentence; of many, the first few and how many more."""
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def read_array(path: Path, shape: Sequence[int | None]) -> np.ndarray:
    """Read a ``.npy`` of real numbers as float32; ``shape`` has None where any size will do.

    Raises ``DataError`` for a missing or cut file, another shape, and a file that holds Python objects, which are never
    loaded. Values may be NaN: who reads the array decides.
    """
    try:
        # Mapped, because a forged header may claim any size; a map larger than the file fails.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path} is missing; fetch it again") from None
    except (OSError, ValueError, EOFError, SyntaxError, TypeError, MemoryError, OverflowError) as error:
        why = "holds Python objects, which are not loaded" if "pickle" in str(error) else f"cannot be read ({error})"
        raise DataError(f"{path}: {why}; fetch it again") from error
    if not isinstance(array, np.ndarray):
        raise DataError(f"{path}: is an archive of arrays, not one array; fetch it again")
    return as_float(array, shape, str(path))


def as_float(array: np.ndarray, shape: Sequence[int | None], name: str) -> np.ndarray:
    """Return float32 numbers of the expected shape, or raise ``DataError``."""
    fits = array.ndim == len(shape) and all(b is None or a == b for a, b in zip(array.shape, shape, strict=True))
    if not fits or array.dtype.kind not in "fiu":
        wanted = ", ".join("T" if size is None else str(size) for size in shape)
        raise DataError(f"{name}: holds {array.dtype} {list(array.shape)} instead of numbers [{wanted}]")
    return np.array(array, dtype=np.float32)


def read_text(path: Path) -> str:
    """Read a small text file; raises ``DataError`` when it is missing, too large, or no UTF-8."""
    try:
        if path.stat().st_size > MOST_TEXT:
            raise DataError(f"{path}: is larger than {MOST_TEXT >> 20} MB, no list or caption file is; fetch it again")
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path} is missing; fetch it again") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text ({error}); fetch it again") from error


def read_ids(path: Path) -> tuple[str, ...]:
    """Read a list of ids, one a line, with or without a last line break; blank lines do not count.

    Raises ``DataError`` for an id that is no plain file name and for an empty list. Repeated ids are returned once.
    """
    ids: dict[str, None] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        name = line.strip()
        if name:
            ids[plain_name(name, f"{path}, line {number}")] = None
    if not ids:
        raise DataError(f"{path}: is empty; fetch it again")
    return tuple(ids)


def plain_name(name: str, where: str) -> str:
    """Return a name that can be part of a path; raises ``DataError`` for one with separators or leading dots."""
    if not _NAME.fullmatch(name):
        raise DataError(f"{where}: {name[:60]!r} is no id; fetch the list again")
    return name


def check_files(
    folder: Path, ids: Iterable[str], path_of: Callable[[str], Path], what: str, tolerated: float = 0.0
) -> list[str]:
    """Return the ids without a file; raises ``DataError`` that lists them where they are more than ``tolerated``."""
    ids = list(ids)
    missing = [name for name in ids if not path_of(name).is_file()]
    refuse_missing(folder, ids, missing, what, tolerated)
    return missing


def refuse_missing(folder: Path, ids: Sequence[str], missing: Sequence[str], what: str, tolerated: float = 0.0) -> None:
    """Raise ``DataError`` that lists ``missing`` where they are more than the ``tolerated`` share of ``ids``."""
    if len(missing) > tolerated * len(ids):
        raise DataError(
            f"{folder}: {what}s are missing, {len(missing)} of the {len(ids)} that its lists name: {listed(missing)}; "
            f"fetch the rest"
        )


def guo_captions(path: Path, *, fields: bool = True) -> tuple[Caption, ...]:
    """Read a caption file in HumanML3D's format: ``sentence#word/TAG word/TAG#from#to`` a line, times in seconds.

    ``nan`` is read as 0, as the published readers do. Without ``fields`` only the sentence is read, whatever follows.
    Raises ``DataError`` with the line.
    """
    captions = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        parts = line.strip().split("#")
        if not fields:
            captions.append(Caption(parts[0].strip()))
            continue
        try:
            text, tokens, start, end = parts
            times = [0.0 if math.isnan(value) else value for value in (float(start), float(end))]
        except ValueError as error:
            raise DataError(f"{path}, line {number}: is not 'sentence#tokens#from#to' ({error})") from error
        if not (0.0 <= times[0] < 1e4 and 0.0 <= times[1] < 1e4):
            raise DataError(f"{path}, line {number}: speaks of {start} s to {end} s, which is no part of a clip")
        captions.append(Caption(text.strip(), tuple(tokens.split()), *times))
    return tuple(captions)


def plain_captions(path: Path) -> tuple[Caption, ...]:
    """Read a file with one sentence a line; blank lines do not count."""
    return tuple(Caption(line.strip()) for line in read_text(path).splitlines() if line.strip())


def _is_there(folder: Path, part: str) -> bool:
    path = folder / part
    if part.endswith("/"):
        return path.is_dir() and any(path.iterdir())
    return path.is_file()
