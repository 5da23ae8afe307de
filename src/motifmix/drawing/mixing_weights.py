"""Whom a mixture believed, as a picture: the share of the individual model over steps and joints, and steps and frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from motifmix.atomic import replacing
from motifmix.drawing.charts import HEAT, INK, PAPER, SOFT
from motifmix.motion.skeleton import JOINT_NAMES

PARTS = (*(name.replace("_", " ") for name in JOINT_NAMES), "foot contacts")
_CELL, _LEFT, _GAP, _MAP_WIDTH = 16, 130, 46, 800
_SCALE = 2  # letters are drawn at twice the size and shrunk, as in charts


def draw_mixing_weights(
    weights: np.ndarray, path: Path | str, *, steps: Sequence[float] | None = None, fps: float = 30.0, title: str = ""
) -> Path:
    """Draw weights ``[steps, people, frames or 1, 23 or 1]`` (0: the anchor, 1: the other model), mean over people. PNG.

    Sampling goes from left (noise) to right; above the 22 joints and the foot contacts (mean over frames), below the
    frames (mean over parts). ``steps`` are written below the columns, the diffusion step of each. Raises ``ValueError``
    for another shape.
    """
    return _written(_picture(weights, steps, fps, title or "share of the individual model"), path)


def draw_shares(
    shares: Mapping[str, np.ndarray],
    path: Path | str,
    *,
    steps: Sequence[float] | None = None,
    fps: float = 30.0,
    title: str = "",
) -> Path:
    """Draw the share of each of several models by its name, one below the other, each as :func:`draw_mixing_weights`."""
    pictures = [
        _picture(weights, steps, fps, f"share of {name}: {title}" if title else f"share of {name}")
        for name, weights in shares.items()
    ]
    sheet = Image.new("RGB", (pictures[0].width, sum(picture.height for picture in pictures)), PAPER)
    top = 0
    for picture in pictures:
        sheet.paste(picture, (0, top))
        top += picture.height
    return _written(sheet, path)


def _written(picture: Image.Image, path: Path | str) -> Path:
    with replacing(path, force=True) as beside:
        picture.save(beside, format="PNG")
    return Path(path)


def _picture(weights: np.ndarray, steps: Sequence[float] | None, fps: float, title: str) -> Image.Image:
    weights = np.asarray(weights, dtype=float)
    if weights.ndim != 4 or weights.shape[-1] not in (1, len(PARTS)) or 0 in weights.shape:
        raise ValueError(f"mixing weights of shape {weights.shape} are not [steps, people, frames, {len(PARTS)} or 1]")
    shares = weights.mean(axis=1)  # [S, T, J]
    by_part, by_frame = shares.mean(axis=1).T, shares.mean(axis=2).T  # [J, S], [T, S]
    upper = _CELL * len(PARTS) * _SCALE
    lower = upper if by_frame.shape[0] > 1 else 2 * _CELL * _SCALE
    width, height = (_LEFT + _MAP_WIDTH + 110) * _SCALE, 44 * _SCALE + upper + _GAP * _SCALE + lower + 40 * _SCALE
    picture = Image.new("RGB", (width, height), PAPER)
    pen, small = ImageDraw.Draw(picture), _font(11)
    pen.text((14 * _SCALE, 12 * _SCALE), title, fill=INK, font=_font(15))
    left, top = _LEFT * _SCALE, 44 * _SCALE
    _paste(picture, by_part, (left, top, _MAP_WIDTH * _SCALE, upper))
    for number, name in enumerate(PARTS if by_part.shape[0] > 1 else ("all parts",)):
        middle = top + (number + 0.5) * upper / by_part.shape[0]
        pen.text((left - 8 * _SCALE, middle), name, fill=INK, font=small, anchor="rm")
    below = top + upper + _GAP * _SCALE
    _paste(picture, by_frame, (left, below, _MAP_WIDTH * _SCALE, lower))
    for name, at in _seconds(by_frame.shape[0], fps):
        pen.text((left - 8 * _SCALE, below + at * lower), name, fill=INK, font=small, anchor="rm")
    for foot in (top + upper, below + lower):
        _write_steps(pen, steps, len(weights), left, foot)
    _key(picture, (left + (_MAP_WIDTH + 24) * _SCALE, top, 14 * _SCALE, upper))
    return picture.resize((width // _SCALE, height // _SCALE), Image.Resampling.LANCZOS)


def _paste(picture: Image.Image, values: np.ndarray, box: tuple[int, int, int, int]) -> None:
    left, top, width, height = box
    tile = Image.fromarray(_colours(values)).resize((width, height), Image.Resampling.NEAREST)
    picture.paste(tile, (left, top))


def _colours(values: np.ndarray) -> np.ndarray:
    """Shares [rows, columns] to RGB, the same colour for the same share in every picture."""
    place = np.clip(values, 0.0, 1.0) * (len(HEAT) - 1)
    mixed = [np.interp(place, np.arange(len(HEAT)), HEAT[:, channel]) for channel in range(3)]
    return np.stack(mixed, axis=-1).round().astype(np.uint8)


def _seconds(frames: int, fps: float) -> list[tuple[str, float]]:
    if frames == 1:
        return [("all frames", 0.5)]
    return [(f"{second} s", second * fps / frames) for second in range(int(frames / fps) + 1)]


def _write_steps(pen: ImageDraw.ImageDraw, steps: Sequence[float] | None, count: int, left: float, foot: float) -> None:
    names = list(range(1, count + 1)) if steps is None else [round(step) for step in steps]
    for number in sorted({*range(0, count, max(1, count // 10)), count - 1}):
        at = left + (number + 0.5) * _MAP_WIDTH * _SCALE / count
        pen.text((at, foot + 5 * _SCALE), str(names[number]), fill=SOFT, font=_font(11), anchor="mt")
    word = "step of sampling" if steps is None else "diffusion step"
    pen.text((left - 8 * _SCALE, foot + 5 * _SCALE), word, fill=SOFT, font=_font(11), anchor="rt")


def _key(picture: Image.Image, box: tuple[int, int, int, int]) -> None:
    left, top, width, height = box
    _paste(picture, np.linspace(1.0, 0.0, 64)[:, None], box)
    pen = ImageDraw.Draw(picture)
    for share in (0.0, 0.5, 1.0):
        at = top + (1 - share) * height
        pen.text((left + width + 6 * _SCALE, at), f"{share:g}", fill=INK, font=_font(11), anchor="lm")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * _SCALE)
