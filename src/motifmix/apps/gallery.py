"""A film in which several motions run side by side, each with its name: what `motifmix styles --out` shows."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from motifmix.drawing.painter import Painter, View
from motifmix.files.media import encode_mp4
from motifmix.motion import Motion

TILE = 256  # pixels, square
FPS = 20.0  # what the network makes; a film of all styles costs minutes, and more frames would cost more
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
    credit = "; ".join(dict.fromkeys(str(m.labels["credit"]) for m in motions if m.labels.get("credit")))
    encode_mp4(path, _pictures(painters, names, progress), FPS, credit=credit, force=force)


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


def _grid(count: int) -> tuple[int, int]:
    """Columns and rows: few empty tiles first, then a shape near that of a screen."""

    def cost(columns: int) -> tuple[int, float]:
        rows = ceil(count / columns)
        shape = columns / rows
        return (columns * rows - count if 1.2 < shape < 3.1 else count, abs(shape - 16 / 9))

    columns = min(range(1, count + 1), key=cost)
    return columns, ceil(count / columns)


def _label(name: str) -> np.ndarray:
    """Where a tile is covered by its name, ``[TILE, TILE]``."""
    picture = Image.new("1", (TILE, TILE))
    ImageDraw.Draw(picture).text((12, 8), name, fill=1, font=ImageFont.load_default(18))
    return np.asarray(picture)
