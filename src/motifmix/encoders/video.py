"""Videos, read and prepared as ImageBind was evaluated on them: a few clips of a few frames, each cut to three squares."""

import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from motifmix.encoders.clip_times import clip_times
from motifmix.encoders.image import PIXEL_MEAN, PIXEL_STD, Colour, check_size
from motifmix.errors import FileError

CLIPS = 5
CLIP_SECONDS = 2
MOST_POINTS = 7680 * 4320  # of a frame; ten of them are kept at once
FRAMES_PER_CLIP = 2  # published code uses one number for the seconds and for the frames of a clip


def frame_numbers(
    total: int, fps: float, clips: int = CLIPS, seconds: float = CLIP_SECONDS, frames_per_clip: int = FRAMES_PER_CLIP
) -> list[list[int]]:
    """Return which frames of ``total`` each clip takes: evenly from its first to its last, rounded down.

    A whole number as ``fps`` is multiplied with the exact times, as published: rounding first would shift clips by one
    frame where they begin between two.
    """
    chosen = []
    for start, end in clip_times(total / fps, clips, seconds):
        first = math.ceil(fps * start)
        last = max(min(math.ceil(fps * end), total) - 1, first)
        within = torch.linspace(0, last - first, frames_per_clip).long()  # float32, as published
        chosen.append([min(first + int(i), total - 1) for i in within])
    return chosen


def prepared_video(
    frames: Mapping[int, np.ndarray] | np.ndarray,
    total: int,
    fps: float,
    size: int = 224,
    clips: int = CLIPS,
    seconds: float = CLIP_SECONDS,
    frames_per_clip: int = FRAMES_PER_CLIP,
    crops: int = 3,
    mean: Colour = PIXEL_MEAN,
    std: Colour = PIXEL_STD,
) -> Tensor:
    """Return ``[clips * crops, 3, frames_per_clip, size, size]``, normalised; the crops of a clip stand together.

    ``frames[i]`` is frame i as bytes ``[height, width, 3]``; only those of ``frame_numbers`` are looked at. The shorter
    side becomes ``size`` (bilinear). ``crops``: 3 (left or top, middle, right or bottom) or 1 (middle).
    """
    if crops not in (1, 3):
        raise ValueError(f"{crops} crops; there are 1 or 3")
    offset, scale = torch.tensor(mean)[:, None, None, None], torch.tensor(std)[:, None, None, None]
    made = []
    for numbers in frame_numbers(total, fps, clips, seconds, frames_per_clip):
        clip = (
            torch.from_numpy(np.stack([frames[i] for i in numbers])).permute(3, 0, 1, 2).float() / 255
        )  # [3, k, H, W]
        height, width = clip.shape[-2:]
        if width < height:
            target = (math.floor(height / width * size), size)
        else:
            target = (size, math.floor(width / height * size))
        clip = (functional.interpolate(clip, target, mode="bilinear", align_corners=False) - offset) / scale
        free = (target[0] - size, target[1] - size)  # one of them is 0
        for share in (0, 1, 2) if crops == 3 else (1,):
            top, left = ((0, math.ceil(side / 2), side)[share] for side in free)
            made.append(clip[..., top : top + size, left : left + size])
    return torch.stack(made)


def read_video(path: Path | str) -> tuple[dict[int, np.ndarray], int, float]:
    """Return the frames that ``frame_numbers`` names (bytes ``[height, width, 3]``), how many there are, and the rate.

    Frames are counted and then decoded one by one, so a long video needs little memory. Raises ``FileError``.
    """
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.video:
                raise FileError(f"{path}: there are no pictures in this file")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise FileError(f"{path}: this video is coded in a way that cannot be read")
            if stream.codec_context.width:  # before a frame of it is unpacked
                check_size(path, stream.codec_context.width, stream.codec_context.height, MOST_POINTS)
            rate = stream.average_rate or stream.guessed_rate or Fraction(25)
            total = sum(1 for packet in container.demux(stream) if packet.size)
        wanted = {i for numbers in frame_numbers(max(total, 1), float(rate)) for i in numbers}
        frames: dict[int, np.ndarray] = {}
        last: np.ndarray | None = None
        with av.open(str(path), metadata_errors="ignore") as container:
            for i, frame in enumerate(container.decode(video=0)):
                check_size(path, frame.width, frame.height, MOST_POINTS)
                if i in wanted or i + 1 >= total:
                    turns = round(frame.rotation / 90) % 4  # counter-clockwise, as its camera noted
                    last = np.rot90(frame.to_ndarray(format="rgb24"), turns)
                    frames[i] = last
                if i >= max(wanted):
                    break
    except (FFmpegError, OSError, ValueError) as error:
        raise FileError(f"{path}: this video cannot be read ({error})") from error
    if last is None:
        raise FileError(f"{path}: no picture of this video can be decoded")
    for i in wanted - frames.keys():  # packets at the end that hold no picture of their own
        frames[i] = last
    return frames, total, float(rate)
