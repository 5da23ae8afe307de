"""Statistics in an ``.npz`` of others: the header is judged before a number is unpacked."""

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from motifmix.errors import WeightsError

_MOST_NUMBERS = 65_536  # a mean has some hundreds
_MOST_BYTES = 16 * _MOST_NUMBERS
_MOST_MEMBERS = 1_000


def archived_array(path: Path, kind: str) -> np.ndarray:
    """Return the array ``kind`` of an ``.npz`` of statistics.

    Raises ``WeightsError`` where it is missing or damaged, no plain numbers, or far larger than statistics are.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > _MOST_MEMBERS:
                raise ValueError("it holds far more arrays than statistics have")
            with archive.open(f"{kind}.npy") as member:
                return _array(member)
    except (
        OSError, ValueError, KeyError, EOFError, RuntimeError, SyntaxError, TypeError, MemoryError, OverflowError,
        zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip  # RuntimeError: encrypted, NotImplementedError: another packing
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(f"{path}: no array {kind!r} can be read from it ({reason}); fetch it again") from error


def _array(member: IO[bytes]) -> np.ndarray:
    version = npy.read_magic(member)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"its version {version} is not known")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, by_columns, dtype = read(member)
    count = math.prod(shape)
    if dtype.hasobject or dtype.kind not in "fiu":
        raise ValueError(f"it holds {dtype}, not numbers")
    if len(shape) > 4 or not all(size >= 0 for size in shape) or count > _MOST_NUMBERS:
        raise ValueError(f"its shape {str(shape)[:60]} is far larger than statistics are")
    size = count * dtype.itemsize
    data = member.read(min(size, _MOST_BYTES))
    while len(data) < size and (more := member.read(size - len(data))):
        data += more
    if len(data) != size:
        raise EOFError("it ends in the middle")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if by_columns else "C").copy()
