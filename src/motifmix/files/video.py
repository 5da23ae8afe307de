"""Reading moving pictures: the frames of a video one by one, never more than asked, through PyAV.

A video comes from anywhere, so everything is bounded: how long is read, how many frames, how large a picture may be.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motifmix.errors import FileError, ParseError

VIDEO_SUFFIXES = (".mp4", ".webm", ".mov", ".avi", ".mkv", ".gif")
LONGEST_SIDE = 8192  # pixels; a larger picture is not decoded


@dataclass(frozen=True, eq=False)
class VideoFrame:
    """A picture ``[height, width, 3]`` (bytes, RGB) and when it is shown (seconds from the first one)."""

    time: float
    picture: np.ndarray


def video_frames(
    path: Path | str, *, seconds: float = 20.0, fps: float = 30.0, side: int = 720
) -> Iterator[VideoFrame]:
    """Yield the frames of the first ``seconds`` of a video, at most about ``fps`` of them a second.

    Pictures are turned as their file says, and made smaller until their longer side has ``side`` pixels.
    Raises ``FileError`` for a file that is not there or cannot be opened, ``ParseError`` for one that is no video, holds no frame, or
    breaks before the first one. A video that breaks later ends there.
    """
    import av
    from av.error import FFmpegError

    path = Path(path)
    if not path.is_file():
        raise FileError(f"{path}: there is no such file")
    shown = 0
    try:
        with av.open(str(path), "r", metadata_errors="ignore") as container:
            if not container.streams.video:
                raise ParseError(f"{path}: there is no moving picture in this file")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise ParseError(f"{path}: this video is coded in a way that cannot be read")
            _check_size(path, stream.codec_context.width, stream.codec_context.height)
            for frame in _thinned(container.decode(stream), seconds, fps):
                _check_size(path, frame.width, frame.height)
                yield VideoFrame(frame.time_from_start, _upright(frame.frame, side))
                shown += 1
    except PermissionError:
        raise FileError(f"{path}: this file may not be read") from None
    except (FFmpegError, ValueError, OverflowError) as error:
        if not shown:
            raise ParseError(f"{path}: this is no video that can be read ({_reason(error)})") from None
    if not shown:
        raise ParseError(f"{path}: this video holds no frames")


@dataclass(frozen=True, eq=False)
class _Timed:
    frame: "object"
    time_from_start: float

    @property
    def width(self) -> int:
        return self.frame.width  # type: ignore[attr-defined]

    @property
    def height(self) -> int:
        return self.frame.height  # type: ignore[attr-defined]


def _thinned(frames: Iterator, seconds: float, fps: float) -> Iterator[_Timed]:
    """Leave out frames that come too close after the last one, or go back in time; stop after ``seconds``."""
    first, last = None, -np.inf
    for number, frame in enumerate(frames):
        time = frame.time if frame.time is not None else number / 30.0
        first = time if first is None else first
        time -= first
        if time > seconds or number > 40 * seconds * fps:  # a file may claim ten thousand frames a second
            return
        if time - last >= 0.75 / fps:
            yield _Timed(frame, time)
            last = time


def _check_size(path: Path, width: int, height: int) -> None:
    if width < 1 or height < 1 or max(width, height) > LONGEST_SIDE:
        raise ParseError(
            f"{path}: a picture of {width} x {height} pixels cannot be read; {LONGEST_SIDE} a side are the most"
        )


def _upright(frame, side: int) -> np.ndarray:
    scale = min(1.0, side / max(frame.width, frame.height))
    width, height = max(round(frame.width * scale), 1), max(round(frame.height * scale), 1)
    picture = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")
    turns = round(getattr(frame, "rotation", 0) / 90) % 4  # degrees counter-clockwise that set it upright
    return np.ascontiguousarray(np.rot90(picture, turns))


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
