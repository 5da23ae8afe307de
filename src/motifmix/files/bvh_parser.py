"""The text of a BVH file, parsed into joints and rows without interpreting them; every error names its line.

Tolerant where files differ (white space, braces, letter case, names with blanks, encodings, line ends, missing End
Sites), strict where a number would be lost: a row that is too short, a frame that is announced and missing, NaN.
"""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from motifmix.errors import ParseError

# Far beyond what a person's file holds, and small enough that a hostile file costs neither memory nor time.
MOST_JOINTS = 5_000
MOST_DEPTH = 500
MOST_HEAD = 16 << 20  # bytes in front of the rows
PIECE = 1 << 18  # bytes of rows that are parted into lines at once

COMMON_RATES = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 72.0, 90.0, 100.0, 120.0, 144.0, 200.0, 240.0, 1000.0)


@dataclass
class Joint:
    """A joint as the file describes it: ``channels`` are (``position`` or ``rotation``, ``X``, ``Y`` or ``Z``)."""

    name: str
    parent: int
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    channels: list[tuple[str, str]] = field(default_factory=list)
    end: tuple[float, float, float] | None = None
    first_column: int = 0


@dataclass
class Document:
    """What stands in a BVH file: its joints (parents first, a root has parent -1), seconds a frame, rows ``[T, C]``."""

    joints: list[Joint]
    fps: float
    rows: np.ndarray

    @property
    def roots(self) -> list[int]:
        """Numbers of the joints without a parent."""
        return [number for number, joint in enumerate(self.joints) if joint.parent < 0]


def parse_bvh(text: str | bytes, *, name: str = "BVH text") -> Document:
    """Parse a BVH file into joints and rows, without interpreting them. Raises ``ParseError`` with the line number."""
    data = text.encode() if isinstance(text, str) else text
    data = _plain(data, name)
    motion = re.search(rb"^[ \t]*MOTION\b", data, re.MULTILINE | re.IGNORECASE)
    head = data[: motion.start()] if motion else data
    if len(head) > MOST_HEAD:
        last = head[:MOST_HEAD].count(b"\n") + 1
        raise ParseError(
            f"{name} line {last}: more than {MOST_HEAD >> 20} MB stand in front of MOTION; this is no motion of a person"
        )
    joints = _parse_hierarchy(_decoded(head).split("\n"), name)
    if motion is None:
        last = head.count(b"\n") + 1
        raise ParseError(f"{name} line {last}: the file ends without a MOTION block; it is incomplete")
    frames, fps, start = _parse_motion_header(data, motion.end(), name)
    columns = sum(len(joint.channels) for joint in joints)
    return Document(joints, fps, _parse_rows(data, start, frames, columns, name))


def _plain(data: bytes, name: str) -> bytes:
    """Take byte order marks and foreign line ends away."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise ParseError(f"{name} line 1: the text is cut off in the middle of a character") from error
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\x00" in data[:100_000] or b"\x00" in data:
        line = data[: data.index(b"\x00")].count(b"\n") + 1
        raise ParseError(f"{name} line {line}: this is no text; a BVH file is plain text that begins with HIERARCHY")
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def _decoded(head: bytes) -> str:
    for encoding in ("utf-8", "cp932"):
        try:
            return head.decode(encoding)
        except UnicodeDecodeError:
            continue
    return head.decode("latin-1")


def _parse_hierarchy(lines: list[str], name: str) -> list[Joint]:
    """Read the HIERARCHY block with an explicit stack; ``End Site`` blocks become the ``end`` of their joint."""
    joints: list[Joint] = []
    stack: list[int | None] = []  # numbers of open joints, None for an open End Site
    pending: int | None = None  # a joint or End Site whose brace has not opened yet
    placed: list[bool] = []  # of all that are open, whether its OFFSET stood already
    is_pending = seen = False
    columns = 0

    def refuse(number: int, what: str) -> ParseError:
        return ParseError(f"{name} line {number}: {what}")

    for number, line in enumerate(lines, 1):
        if not line or line.isspace():
            continue
        for piece in re.split(r"([{}])", line):
            words = piece.split()
            at = 0  # words are passed over, never cut off the front: a line may hold a million
            while at < len(words):
                keyword = words[at].upper()
                if not seen:
                    if keyword != "HIERARCHY":
                        raise refuse(number, f"expected HIERARCHY, found '{piece.strip()[:40]}'; this is no BVH file")
                    seen, at = True, at + 1
                elif keyword == "{":
                    if not is_pending:
                        raise refuse(number, "an opening brace without a joint before it")
                    stack.append(pending)
                    placed.append(False)
                    is_pending, at = False, at + 1
                elif is_pending:
                    raise refuse(number, f"expected an opening brace, found '{words[at][:40]}'")
                elif keyword == "}":
                    if not stack:
                        raise refuse(number, "a closing brace too many")
                    stack.pop()
                    placed.pop()
                    at += 1
                elif keyword in ("ROOT", "JOINT"):
                    parent = stack[-1] if stack else -1
                    if parent is None or (keyword == "ROOT") == bool(stack):
                        raise refuse(
                            number, f"{keyword} '{' '.join(words[at + 1 :])[:40]}' stands where none can stand"
                        )
                    if len(joints) >= MOST_JOINTS or len(stack) >= MOST_DEPTH:
                        raise refuse(
                            number,
                            f"more than {MOST_JOINTS} joints or {MOST_DEPTH} levels; this is no motion of a person",
                        )
                    joints.append(Joint(" ".join(words[at + 1 :]) or f"joint {len(joints)}", parent))
                    pending, is_pending, at = len(joints) - 1, True, len(words)
                elif keyword == "END":
                    if not stack or stack[-1] is None:
                        raise refuse(number, "an End Site outside a joint")
                    pending, is_pending, at = None, True, len(words)
                elif keyword == "OFFSET":
                    offset = _three(words[at + 1 : at + 4], number, name)
                    if not stack or placed[-1]:
                        raise refuse(number, "an OFFSET without a joint, or twice in one joint")
                    placed[-1] = True
                    if stack[-1] is not None:
                        joints[stack[-1]].offset = offset
                    elif joints[stack[-2] or 0].end is None:
                        joints[stack[-2] or 0].end = offset
                    at += 4
                elif keyword == "CHANNELS":
                    owner = stack[-1] if stack else None
                    if owner is None or joints[owner].channels:
                        raise refuse(number, "CHANNELS without a joint, or twice in one joint")
                    joints[owner].channels, used = _channels(words[at + 1 : at + 8], joints[owner].name, number, name)
                    joints[owner].first_column = columns
                    columns += len(joints[owner].channels)
                    at += 1 + used
                else:
                    raise refuse(number, f"'{words[at][:40]}' is not known in a HIERARCHY")
    if not seen:
        raise refuse(1, "the file is empty; this is no BVH file")
    if stack or is_pending:
        raise refuse(len(lines), f"the HIERARCHY ends with {len(stack) or 1} open braces; the file is incomplete")
    if not joints or columns == 0:
        raise refuse(len(lines), "the HIERARCHY has no joint with channels")
    return joints


def _three(words: list[str], number: int, name: str) -> tuple[float, float, float]:
    values = [_number(word) for word in words]
    if len(values) != 3 or not np.isfinite(values).all() or max(map(abs, values)) > 1e9:
        comma = next(filter(None, map(_comma, words)), "")
        raise ParseError(f"{name} line {number}: OFFSET needs three numbers, found '{' '.join(words)[:60]}'{comma}")
    return values[0], values[1], values[2]


def _number(word: str) -> float:
    """Read a number as every program does; NaN for what only Python takes for one (``1_000``) and for all else."""
    try:
        return np.nan if "_" in word else float(word)
    except ValueError:
        return np.nan


def _comma(word: str) -> str:
    """What an error adds about a number that is written the way of half of the world."""
    is_one = re.fullmatch(r"[-+]?\d*,\d+(e[-+]?\d+)?", word, re.IGNORECASE)
    return " with a decimal comma; write decimal points" if is_one else ""


def _channels(words: list[str], joint: str, number: int, name: str) -> tuple[list[tuple[str, str]], int]:
    def refuse(what: str) -> ParseError:
        return ParseError(f"{name} line {number}: {what} (joint '{joint[:40]}')")

    if not words or not words[0].isascii() or not words[0].isdigit() or int(words[0][:9]) > 6:
        raise refuse("CHANNELS needs a count from 0 to 6")
    count = int(words[0])
    if len(words) < 1 + count:
        raise refuse(f"CHANNELS announces {count} channels and names {len(words) - 1}")
    found: list[tuple[str, str]] = []
    for word in words[1 : 1 + count]:
        match = re.fullmatch(r"([XYZ])(position|rotation)", word, re.IGNORECASE)
        if match is None:
            raise refuse(f"'{word[:40]}' is no channel; there are Xposition ... Zrotation")
        channel = (match[2].lower(), match[1].upper())
        if channel in found:
            raise refuse(f"the channel {word} stands twice")
        found.append(channel)
    return found, 1 + count


def _parse_motion_header(data: bytes, start: int, name: str) -> tuple[int, float, int]:
    """Return the announced number of frames, the frame rate, and where the rows begin."""
    frames = re.compile(rb"\s*Frames[ \t]*:?[ \t]*([^\s]*)", re.IGNORECASE).match(data, start)
    line = data[:start].count(b"\n") + 1
    if frames is None:
        raise ParseError(f"{name} line {line}: MOTION is not followed by 'Frames:'")
    line = data[: frames.end()].count(b"\n") + 1
    digits = frames[1]
    if re.fullmatch(rb"\d{10,}", digits):
        raise ParseError(
            f"{name} line {line}: 'Frames:' announces {_shown(digits)} frames; that number of frames is too large (the "
            "limit is 999,999,999)"
        )
    if not re.fullmatch(rb"\d{1,9}", digits) or int(digits) == 0:
        raise ParseError(
            f"{name} line {line}: 'Frames:' needs a whole number of frames from 1 on, found '{_shown(digits)}'"
        )
    time = re.compile(rb"\s*Frame[ \t]*Time[ \t]*:?[ \t]*([^\s]*)", re.IGNORECASE).match(data, frames.end())
    if time is None:
        raise ParseError(f"{name} line {line}: 'Frames:' is not followed by 'Frame Time:'")
    line = data[: time.end()].count(b"\n") + 1
    seconds = _number(_shown(time[1]))
    if not 1e-5 <= seconds <= 10.0:
        hint = _comma(_shown(time[1]))
        if 10.0 < seconds <= 1000.0:
            hint = f"; if those are frames per second, write {1.0 / seconds:.6f}"
        raise ParseError(f"{name} line {line}: 'Frame Time:' needs seconds per frame, found '{_shown(time[1])}'{hint}")
    return int(digits), frame_rate(time[1].decode("ascii", "replace")), time.end()


def frame_rate(seconds_per_frame: str) -> float:
    """Frame rate that a rounded ``Frame Time`` stands for: ``0.0333333`` and ``.03333`` are 30, ``0.016667`` is 60."""
    seconds = float(seconds_per_frame)
    mantissa, _, exponent = seconds_per_frame.lower().partition("e")
    digits = len(mantissa.partition(".")[2]) - int(exponent or 0)
    unit = 10.0**-digits if abs(digits) < 300 else 0.0
    rate = 1.0 / seconds
    near = [common for common in COMMON_RATES if abs(1.0 / common - seconds) <= unit and abs(common / rate - 1) < 0.011]
    if near:
        return min(near, key=lambda common: abs(common - rate))
    whole = float(round(rate))
    if whole > 0 and abs(1.0 / whole - seconds) <= unit and abs(whole / rate - 1) < 1e-3:
        return whole
    return rate


def _parse_rows(data: bytes, start: int, frames: int, columns: int, name: str) -> np.ndarray:
    end_of_line = data.find(b"\n", start)
    head = data[start:] if end_of_line < 0 else data[start:end_of_line]
    block = b"" if end_of_line < 0 else data[end_of_line + 1 :]
    first_line = data[:start].count(b"\n") + 2
    if head.strip():
        raise ParseError(f"{name} line {first_line - 1}: '{_shown(head.strip())}' after the frame time")
    rows = 0
    last = extra = first_line  # the line of the last row, and of the first one that was not announced
    wrong: tuple[int, int] | None = None
    number = first_line
    for piece in _pieces(block):
        if not piece or piece.isspace():
            number += piece.count(b"\n") + 1
            continue
        lines = piece.split(b"\n")
        counts = np.fromiter((len(line.split()) for line in lines), dtype=np.int64, count=len(lines))
        full = np.flatnonzero(counts)
        odd = full[counts[full] != columns]
        if wrong is None and len(odd):
            wrong = number + int(odd[0]), int(counts[odd[0]])
        if rows <= frames < rows + len(full):
            extra = number + int(full[frames - rows])
        if len(full):
            last = number + int(full[-1])
        rows += len(full)
        number += len(lines)
    if wrong is not None:
        is_last = " and is the last one: the file is cut off" if wrong[0] == last and rows <= frames else ""
        raise ParseError(f"{name} line {wrong[0]}: the row has {wrong[1]} numbers for {columns} channels{is_last}")
    if rows != frames:
        raise ParseError(
            f"{name} line {extra if rows > frames else number - 1}: 'Frames:' announces {frames} frames and {rows} rows "
            "follow; the file is cut off, or its header is wrong"
        )
    values = _numbers(block, rows * columns)
    if values is None or not np.isfinite(values).all() or np.abs(values).max(initial=0.0) > 1e9:
        _refuse_number(block, first_line, name)
    assert values is not None
    words = block[block.rfind(b"\n") + 1 :].split()
    if _ends_in_a_number(words):
        raise ParseError(
            f"{name} line {number - 1}: the last number, '{_shown(words[-1])}', is shorter than all others of its "
            "row and no line end follows; the file is cut off"
        )
    return values.reshape(rows, columns)


def _pieces(block: bytes) -> Iterator[bytes]:
    """Cut a block at ends of lines: parted into lines as a whole, a file of empty ones would cost ten times its size."""
    start = 0
    while start <= len(block):
        end = block.find(b"\n", start + PIECE)
        end = len(block) if end < 0 else end
        yield block[start:end]
        start = end + 1


def _numbers(block: bytes, count: int) -> np.ndarray | None:
    """Parse all numbers at once; ``None`` when something among them is no number."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # numpy's way to say that it stopped early
        try:
            values = np.fromstring(block, sep=" ")
        except (ValueError, DeprecationWarning):
            return None
    return values if values.size == count else None


def _ends_in_a_number(words: list[bytes]) -> bool:
    """Tell whether a last line without a line end stops within a number.

    It does where all others have the same number of decimals, noughts at their end among them, and the last has fewer.
    Shorter numbers of free form (``0.5 -1 12.25``) cannot be told from whole ones.
    """
    decimals = [word.partition(b".")[2] for word in words]
    others = {len(digits) for digits in decimals[:-1]}
    is_padded = any(digits.endswith(b"0") for digits in decimals[:-1])
    return len(others) == 1 and is_padded and len(decimals[-1]) < min(others)


def _refuse_number(block: bytes, first_line: int, name: str) -> None:
    lines = (line for piece in _pieces(block) for line in piece.split(b"\n"))
    for number, line in enumerate(lines, first_line):
        for word in line.split():
            if not abs(_number(word.decode("ascii", "replace"))) <= 1e9:
                comma = _comma(_shown(word))
                raise ParseError(
                    f"{name} line {number}: '{_shown(word)}' is "
                    + (f"a number{comma}" if comma else "no usable number; mend or cut out this frame")
                )
    raise ParseError(f"{name} line {first_line}: the rows hold something that is no number")


def _shown(word: bytes) -> str:
    return word[:40].decode("utf-8", "replace")
