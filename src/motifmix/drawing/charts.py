"""Small charts drawn by Pillow alone: lines over steps (training curves), a table of shaded cells, bars with intervals."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from motifmix.atomic import replacing

INK, SOFT, GRID, PAPER = (52, 55, 62), (125, 129, 138), (228, 230, 234), (255, 255, 255)
LINES = ((54, 110, 160), (206, 106, 68), (88, 146, 104), (140, 100, 170), (190, 150, 50), (90, 160, 175))
HEAT = np.array([(247, 247, 244), (198, 222, 226), (120, 176, 192), (54, 116, 150), (24, 62, 98)], dtype=float)
_SCALE = 2  # drawn at twice the size and shrunk: Pillow's lines are not antialiased
_BETWEEN = 16 * _SCALE  # names


def line_chart(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    path: Path | str,
    *,
    title: str = "",
    x_label: str = "step",
    logarithmic: bool = False,
    size: tuple[int, int] = (720, 400),
) -> Path:
    """Draw named curves, each ``(x values, y values)``; not-a-number breaks a line. PNG."""
    width, height = (side * _SCALE for side in size)
    picture = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(picture)
    big, small = _font(15), _font(12)
    left, right, bottom = 70 * _SCALE, width - 18 * _SCALE, height - 44 * _SCALE
    names = list(curves)
    name_rows = _name_rows(pen, names, right, 18 * _SCALE + pen.textlength(title, font=big), small)
    top = (42 + 18 * (len(name_rows) - 1)) * _SCALE
    points = {name: (np.asarray(x, float), np.asarray(y, float)) for name, (x, y) in curves.items()}
    if logarithmic:
        points = {name: (x, np.log10(np.where(y > 0, y, np.nan))) for name, (x, y) in points.items()}
    x_ticks, y_ticks = _ticks([x for x, _ in points.values()]), _ticks([y for _, y in points.values()])
    pen.text((18 * _SCALE, 12 * _SCALE), title, fill=INK, font=big)

    def across(x: float) -> float:
        return left + (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0]) * (right - left)

    def up(y: float) -> float:
        return bottom - (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0]) * (bottom - top)

    for tick in y_ticks:
        pen.line((left, up(tick), right, up(tick)), fill=GRID, width=_SCALE)
        text = _number(10**tick if logarithmic else tick)
        pen.text((left - 8 * _SCALE, up(tick)), text, fill=SOFT, font=small, anchor="rm")
    for tick in x_ticks:
        pen.text((across(tick), bottom + 8 * _SCALE), _number(tick), fill=SOFT, font=small, anchor="mt")
    pen.text(((left + right) / 2, height - 8 * _SCALE), x_label, fill=SOFT, font=small, anchor="mb")
    for number, (x, y) in enumerate(points.values()):
        colour = LINES[number % len(LINES)]
        run: list[tuple[float, float]] = []
        for a, b in zip(x.tolist(), y.tolist(), strict=True):
            if np.isfinite(b):
                run.append((across(a), up(b)))
                continue
            _stroke(pen, run, colour)
            run = []
        _stroke(pen, run, colour)
    for line, row in enumerate(name_rows):
        at = right
        for number in reversed(row):
            pen.text((at, (16 + 18 * line) * _SCALE), names[number], LINES[number % len(LINES)], small, "ra")
            at -= pen.textlength(names[number], font=small) + _BETWEEN
    return _save(picture, path)


def _name_rows(
    pen: ImageDraw.ImageDraw,
    names: Sequence[str],
    right: float,
    beside: float,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> list[list[int]]:
    """Part names into rows: the first one stands ``beside`` the title, as many others as there need be below it."""
    rows: list[list[int]] = [[]]
    room = right - beside - _BETWEEN
    for number, name in enumerate(names):
        wide = pen.textlength(name, font=font) + _BETWEEN
        if wide > room:
            rows.append([])
            room = right
        rows[-1].append(number)
        room -= wide
    return rows


def heat_table(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    path: Path | str,
    *,
    title: str = "",
    form: str = "{:.0f}",
) -> Path:
    """Draw a table ``[rows, columns]`` whose cells darken with their value; not-a-number stays empty. PNG."""
    values = np.asarray(values, dtype=float)
    if values.shape != (len(rows), len(columns)):
        raise ValueError(f"{values.shape} values do not fit {len(rows)} rows and {len(columns)} columns")
    big, small = _font(15), _font(12)
    ruler = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    left = int(max(ruler.textlength(name, font=small) for name in rows)) + 24 * _SCALE
    head = int(max(ruler.textlength(name, font=small) for name in columns)) + 16 * _SCALE
    cell_width, cell_height = 46 * _SCALE, 24 * _SCALE
    top = 40 * _SCALE + head
    whole = (left + cell_width * len(columns) + 14 * _SCALE, top + cell_height * len(rows) + 14 * _SCALE)
    picture = Image.new("RGB", whole, PAPER)
    pen = ImageDraw.Draw(picture)
    pen.text((14 * _SCALE, 12 * _SCALE), title, fill=INK, font=big)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    for column, name in enumerate(columns):
        label = Image.new("L", (head, 18 * _SCALE), 0)
        ImageDraw.Draw(label).text((2, 9 * _SCALE), name, fill=255, font=small, anchor="lm")
        label = label.rotate(90, expand=True)
        spot = (left + column * cell_width + (cell_width - label.width) // 2, top - head - 2 * _SCALE)
        picture.paste(INK, spot, label)
    for row, name in enumerate(rows):
        y = top + row * cell_height
        pen.text((left - 10 * _SCALE, y + cell_height / 2), name, fill=INK, font=small, anchor="rm")
        for column, value in enumerate(values[row]):
            x = left + column * cell_width
            share = (value - low) / max(high - low, 1e-12) if np.isfinite(value) else 0.0
            colour = _heat(share) if np.isfinite(value) else PAPER
            pen.rectangle((x + 1, y + 1, x + cell_width - 2, y + cell_height - 2), fill=colour, outline=GRID)
            if np.isfinite(value):
                ink = PAPER if share > 0.55 else INK
                pen.text(
                    (x + cell_width / 2, y + cell_height / 2), form.format(value), fill=ink, font=small, anchor="mm"
                )
    return _save(picture, path)


def interval_chart(
    panels: Sequence[tuple[str, Mapping[str, tuple[float, float]]]], path: Path | str, *, width: int = 760
) -> Path:
    """Draw panels below each other: a title and named rows, each a bar ``(mean, half width)`` with its interval. PNG."""
    big, small = _font(14), _font(12)
    ruler = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    names = [name for _, rows in panels for name in rows]
    left = int(max((ruler.textlength(name, font=small) for name in names), default=0)) + 26 * _SCALE
    line, head, gap = 22 * _SCALE, 34 * _SCALE, 10 * _SCALE
    height = sum(head + line * len(rows) + gap for _, rows in panels) + gap
    picture = Image.new("RGB", (width * _SCALE, height), PAPER)
    pen = ImageDraw.Draw(picture)
    right, y = width * _SCALE - 80 * _SCALE, gap
    for title, rows in panels:
        pen.text((14 * _SCALE, y + 6 * _SCALE), title, fill=INK, font=big)
        y += head
        widest = max((mean + (half if np.isfinite(half) else 0.0) for mean, half in rows.values()), default=1.0)
        scale = (right - left) / max(widest, 1e-12)
        for number, (name, (mean, half)) in enumerate(rows.items()):
            middle, end = y + line / 2, left + max(mean, 0.0) * scale
            pen.text((left - 10 * _SCALE, middle), name, fill=INK, font=small, anchor="rm")
            pen.rectangle(
                (left, y + 4 * _SCALE, max(end, left + 1), y + line - 4 * _SCALE), fill=LINES[number % len(LINES)]
            )
            if np.isfinite(half):
                low, high = left + max(mean - half, 0.0) * scale, left + max(mean + half, 0.0) * scale
                pen.line((low, middle, high, middle), fill=INK, width=_SCALE)
                for edge in (low, high):
                    pen.line((edge, middle - 4 * _SCALE, edge, middle + 4 * _SCALE), fill=INK, width=_SCALE)
                end = max(end, high)
            pen.text((end + 8 * _SCALE, middle), _number(mean), fill=SOFT, font=small, anchor="lm")
            y += line
        y += gap
    return _save(picture, path)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * _SCALE)


def _stroke(pen: ImageDraw.ImageDraw, run: list[tuple[float, float]], colour: tuple[int, int, int]) -> None:
    if len(run) > 1:
        pen.line(run, fill=colour, width=2 * _SCALE, joint="curve")
    elif run:
        (x, y), radius = run[0], 2 * _SCALE
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _ticks(arrays: list[np.ndarray], wanted: int = 5) -> np.ndarray:
    """Return round numbers that enclose the data, about ``wanted`` of them."""
    values = np.concatenate([a[np.isfinite(a)] for a in arrays]) if arrays else np.zeros(0)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if high - low < 1e-12 * max(abs(high), 1.0):
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / wanted
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * min((m for m in (1, 2, 2.5, 5, 10) if m * power >= rough), default=10)
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return np.arange(first, last + 1) * step


def _number(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.3g}"


def _heat(share: float) -> tuple[int, int, int]:
    place = min(max(share, 0.0), 1.0) * (len(HEAT) - 1)
    low = min(int(place), len(HEAT) - 2)
    mixed = HEAT[low] * (1 - (place - low)) + HEAT[low + 1] * (place - low)
    return (int(mixed[0]), int(mixed[1]), int(mixed[2]))


def _save(picture: Image.Image, path: Path | str) -> Path:
    small = picture.resize((picture.width // _SCALE, picture.height // _SCALE), Image.Resampling.LANCZOS)
    with replacing(path, force=True) as beside:
        small.save(beside, format="PNG")
    return Path(path)
