"""Strips: evenly spaced poses side by side in one picture, and sheets of several strips, one below the other."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from motifmix.atomic import replacing
from motifmix.drawing.painter import Painter, View
from motifmix.motion import Motion, Scene

PANEL = View(width=190, height=260)
CAPTION_HEIGHT = 22
INK, PAPER = (58, 60, 66), (250, 250, 250)


def strip(scene: Motion | Scene, path: Path | str, frames: int = 8, title: str | None = None) -> Path:
    """Write ``frames`` evenly spaced poses of a motion or a scene, first and last included, as one PNG."""
    return sheet([(title, scene)], path, frames)


def sheet(rows: Sequence[tuple[str | None, Motion | Scene]], path: Path | str, frames: int = 8) -> Path:
    """Write one strip a row, each below its title (``None`` takes text and style from the labels)."""
    drawn = [_row(scene, _title(scene) if title is None else title, frames) for title, scene in rows]
    picture = Image.new("RGB", (drawn[0].width, sum(row.height for row in drawn)), PAPER)
    top = 0
    for row in drawn:
        picture.paste(row, (0, top))
        top += row.height
    with replacing(path, force=True) as beside:
        picture.save(beside, format="PNG")
    return Path(path)


def _row(scene: Motion | Scene, title: str, frames: int) -> Image.Image:
    painter = Painter(scene, PANEL)
    numbers = np.rint(np.linspace(0, painter.frame_count - 1, frames)).astype(int)
    row = Image.new("RGB", (PANEL.width * frames, PANEL.height + CAPTION_HEIGHT), PAPER)
    pen = ImageDraw.Draw(row)
    font = ImageFont.load_default(13)
    pen.text((6, 3), title, fill=INK, font=font)
    for column, number in enumerate(numbers):
        left = column * PANEL.width
        row.paste(Image.fromarray(painter.frame(int(number))), (left, CAPTION_HEIGHT))
        pen.text(
            (left + 6, row.height - 18), f"{number / painter.fps:.2f} s", fill=INK, font=ImageFont.load_default(11)
        )
        if column:
            pen.line((left, CAPTION_HEIGHT, left, row.height), fill=PAPER, width=2)
    return row


def _title(scene: Motion | Scene) -> str:
    first = scene.people[0] if isinstance(scene, Scene) else scene
    known = [str(first.labels[name]) for name in ("text", "style") if first.labels.get(name)]
    return " · ".join([*known, f"{first.seconds:.1f} s"])
