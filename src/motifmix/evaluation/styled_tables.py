"""Tables of the stylisation studies as a page, as JSON and as a picture; commands write them, nobody types them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from motifmix.atomic import replacing
from motifmix.evaluation.metrics import Interval
from motifmix.evaluation.tables import percent, plain


@dataclass(frozen=True)
class Column:
    """A figure's name, its words, its form, and which way is better: "up", "down" or "" (no direction)."""

    key: str
    words: str
    form: Callable[[float], str] = plain
    better: str = ""


@dataclass(frozen=True)
class StudyRow:
    """A line of a table; ``lack`` says what is missing where there are no figures."""

    key: str
    title: str
    figures: Mapping[str, Interval] = field(default_factory=dict)
    lack: str = ""
    reference: bool = False  # real clips, floors: never the best of a column
    earlier: bool = False  # measured by an earlier run, whose weights are no longer at hand

    @property
    def words(self) -> str:
        """The title as a page has it."""
        return f"{self.title} ¹" if self.earlier else self.title


@dataclass(frozen=True)
class StudyTable:
    """Rows that may be compared with each other, and only with each other."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[StudyRow, ...]
    note: str = ""
    drawn: tuple[str, ...] = ()  # columns that the picture shows


@dataclass(frozen=True)
class Study:
    """Everything that one command prints."""

    name: str
    title: str
    command: str
    intro: str
    tables: tuple[StudyTable, ...]
    facts: Mapping[str, Any]
    closing: str = ""
    how: str = ""  # how the figures came about, where it was not by repeats


SRA = Column("sra", "SRA", percent, "up")
SRA_SET_1 = Column("sra_set_1", "SRA, set 1", percent, "up")
MARGIN = Column("margin", "margin", plain, "up")
CONTENT = Column("content", "content", percent, "up")
FID = Column("fid", "FID", lambda v: f"{v:.3f}" if v < 1 else f"{v:.2f}", "down")
MM_DIST = Column("mm_dist", "MM-Dist", plain, "down")
R_PRECISION = Column("r_precision", "R-precision", percent, "up")
R_RATIO = Column("r_ratio", "over real", plain, "up")
DIVERSITY = Column("diversity", "diversity")
SKATE = Column("skate", "foot skating", percent, "down")
LEAK = Column("leak", "leak", percent, "down")
SECONDS = Column("seconds", "s a clip", lambda v: f"{v:.3f}", "down")
_ARROWS = {"up": " ↑", "down": " ↓", "": ""}


def as_markdown(study: Study, pictures: Sequence[tuple[str, str]] = ()) -> str:
    """Return the page; ``pictures`` are words and paths as the page sees them."""
    facts = study.facts
    how = study.how or (
        f"{facts['repeats']} repeats, score judge `{facts['judge']}`; means with the half width of the 95 % confidence "
        "interval over the repeats (Student's t). The best of the rows that were measured here and may be compared is "
        "**bold**."
    )
    parts = [f"# {study.title}", f"Written by `{study.command}`; do not edit. {how}", study.intro]
    for table in study.tables:
        if not table.rows:
            continue
        parts += [f"## {table.title}", table.note, _markdown_table(table)]
    parts += [f"![{words}]({path})" for words, path in pictures]
    parts.append(study.closing)
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(study: Study) -> str:
    """Return everything that was measured."""
    tables = [
        {
            "title": table.title,
            "columns": [column.key for column in table.columns],
            "rows": [asdict(row) for row in table.rows],
        }
        for table in study.tables
    ]
    data = {"name": study.name, "command": study.command, "facts": dict(study.facts), "tables": tables}
    return json.dumps(_rounded(data), indent=1, ensure_ascii=False)


def draw(study: Study, path: Path) -> Path | None:
    """Draw the columns of the tables that have some to draw. PNG."""
    from motifmix.drawing.charts import interval_chart

    panels = [
        (
            f"{table.title}: {column.words}",
            {
                row.title: (row.figures[key].mean, row.figures[key].half_width)
                for row in table.rows
                if key in row.figures
            },
        )
        for table in study.tables
        for key in table.drawn
        for column in table.columns
        if column.key == key and any(key in row.figures for row in table.rows if not row.reference)
    ]
    return interval_chart(panels, path) if panels else None


def write(study: Study, folder: Path, more_pictures: Mapping[str, Path] | None = None) -> list[Path]:
    """Write ``NAME.md``, ``NAME.json`` and ``NAME.png`` into a folder; returns the paths. Each is renamed into place."""
    page, data = folder / f"{study.name}.md", folder / f"{study.name}.json"
    picture = draw(study, folder / f"{study.name}.png")
    shown = [(study.title, picture.name)] if picture else []
    shown += [(words, path.name) for words, path in (more_pictures or {}).items()]
    for path, text in ((page, as_markdown(study, shown)), (data, as_json(study) + "\n")):
        with replacing(path, force=True) as beside:
            beside.write_text(text, "utf-8")
    return [page, data, *([picture] if picture else []), *(more_pictures or {}).values()]


def _markdown_table(table: StudyTable) -> str:
    known = [c for c in table.columns if any(c.key in row.figures for row in table.rows)]
    known = known or list(table.columns[:1])  # where nothing was measured, what is missing has a column to stand in
    best = {column.key: _best(column, table.rows) for column in known}
    lines = [
        "| | " + " | ".join(f"{column.words}{_ARROWS[column.better]}" for column in known) + " |",
        "|---" * (len(known) + 1) + "|",
    ]
    for row in table.rows:
        if row.lack:
            lines.append(f"| {row.words} | {row.lack} |" + " |" * max(0, len(known) - 1))
            continue
        cells = [_cell(column, row, best[column.key]) for column in known]
        lines.append(f"| {row.words} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(column: Column, row: StudyRow, best: str | None) -> str:
    figure = row.figures.get(column.key)
    if figure is None:
        return "–"
    text = column.form(figure.mean)
    if not np.isnan(figure.half_width):
        text += f" ± {column.form(figure.half_width)}"
    return f"**{text}**" if row.key == best else text


def _best(column: Column, rows: Sequence[StudyRow]) -> str | None:
    measured = [row for row in rows if not row.reference and column.key in row.figures]
    if not column.better or len(measured) < 2:
        return None
    pick = max if column.better == "up" else min
    return pick(measured, key=lambda row: row.figures[column.key].mean).key


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    if isinstance(value, float):
        return None if np.isnan(value) else float(f"{value:.6g}")
    return value
