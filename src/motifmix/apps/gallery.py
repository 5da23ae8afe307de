"""Motions side by side, each with its name: the film of `motifmix styles --out` and the row of `motifmix sweep`."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from motifmix.atomic import replacing
from motifmix.drawing.painter import Painter, View
from motifmix.files.media import encode_gif, encode_mp4
from motifmix.motion import Motion, credit_line

TILE = 256  # pixels, square
GIF_FPS = 12.5  # eight hundredths of a second a picture
FPS = 20.0  # what the network makes; a film of all styles costs minutes, and more frames would cost more
ROW_TILE, ROW_WIDTH = (192, 256), 1920  # pixels; figures of a longer row are narrower
MOMENTS = 4  # rows of a still picture, from the first frame to the last
_INK = (52, 58, 66)


def write_gallery(
    path: Path,
    motions: Sequence[Motion],
    names: Sequence[str],
    *,
    force: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Film motions in a grid as MP4; one that ends early holds its last pose. Raises ``FileError``."""
    painters = [Painter(motion.resampled(FPS), View(TILE, TILE)) for motion in motions]
    encode_mp4(path, _pictures(painters, names, progress), FPS, credit=credit_line(motions), force=force)


def _pictures(
    painters: Sequence[Painter], names: Sequence[str], progress: Callable[[int, int], None]
) -> Iterator[np.ndarray]:
    columns, rows = _grid(len(painters))
    frames = max(painter.frame_count for painter in painters)
    labels = [_label(name) for name in names]
    for frame in range(frames):
        sheet = np.full((rows * TILE, columns * TILE, 3), 235, dtype=np.uint8)
        for place, (painter, label) in enumerate(zip(painters, labels, strict=True)):
            top, left = place // columns * TILE, place % columns * TILE
            tile = painter.frame(min(frame, painter.frame_count - 1))
            sheet[top : top + TILE, left : left + TILE] = np.where(label[..., None], _INK, tile)
        progress(frame + 1, frames)
        yield sheet


def write_row(
    path: Path,
    motions: Sequence[Motion],
    names: Sequence[str],
    *,
    force: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Show motions of one length in one row, as a film (.mp4, .gif) or at a few moments (.png). Raises ``FileError``."""
    suffix = path.suffix.lower()
    fps = {".gif": GIF_FPS, ".mp4": FPS}.get(suffix, motions[0].fps)
    width = min(ROW_TILE[0], ROW_WIDTH // len(motions) // 2 * 2)
    view = View(width, ROW_TILE[1])
    resampled = [motion.resampled(fps) for motion in motions]
    farthest = max(Painter(motion, view).distance for motion in resampled)  # one size for all
    painters = [Painter(motion, view, least_distance=farthest) for motion in resampled]
    labels = [_label(name, (width, ROW_TILE[1]), 14) for name in names]
    count = max(painter.frame_count for painter in painters)

    def picture(frame: int) -> np.ndarray:
        tiles = [painter.frame(min(frame, painter.frame_count - 1)) for painter in painters]
        named = [np.where(label[..., None], _INK, tile) for label, tile in zip(labels, tiles, strict=True)]
        progress(frame + 1, count)
        return np.concatenate(named, axis=1).astype(np.uint8)

    if suffix == ".mp4":
        encode_mp4(path, map(picture, range(count)), fps, credit=credit_line(motions), force=force)
    elif suffix == ".gif":
        encode_gif(path, picture, count, fps, credit=credit_line(motions), force=force)
    else:
        moments = np.rint(np.linspace(0, count - 1, MOMENTS)).astype(int)
        sheet = Image.fromarray(np.concatenate([picture(int(moment)) for moment in moments]))
        about = PngInfo()
        about.add_text("Comment", credit_line(motions))
        with replacing(path, force=force) as temporary:
            sheet.save(temporary, format="PNG", pnginfo=about)


def _grid(count: int) -> tuple[int, int]:
    """Columns and rows: few empty tiles first, then a shape near that of a screen."""

    def cost(columns: int) -> tuple[int, float]:
        rows = ceil(count / columns)
        shape = columns / rows
        return (columns * rows - count if 1.2 < shape < 3.1 else count, abs(shape - 16 / 9))

    columns = min(range(1, count + 1), key=cost)
    return columns, ceil(count / columns)


def _label(name: str, size: tuple[int, int] = (TILE, TILE), height: int = 18) -> np.ndarray:
    """Where a tile of ``size`` (width, height) is covered by its name, ``[height, width]``."""
    picture = Image.new("1", size)
    ImageDraw.Draw(picture).text((12, 8), name, fill=1, font=ImageFont.load_default(height))
    return np.asarray(picture)
