"""Write docs/style_compared.md: what the tables of stylisation say about each other, pair by pair.

    python scripts/compare_styled.py [FOLDER]      # FOLDER holds stylization.json and ablation.json; docs by default
    python scripts/compare_styled.py --check       # says whether the page is of these tables; writes nothing

Rows of one table answer the same questions with the same seeds in each repeat, so what two of them differ by is told more
surely by the differences within repeats than by two intervals side by side. Nothing is measured here: figures are those of
the tables' JSON files, and style_compared.json beside the page holds the differences.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from motifmix.evaluation.metrics import Interval, over_repeats
from motifmix.pipelines.sampling import STYLE_SCALE

DOCS = Path(__file__).parents[1] / "docs"
POINTS, PLAIN = 100.0, 1.0
FIGURES = {
    "sra": ("style recognised, points", POINTS),
    "content": ("content, points", POINTS),
    "leak": ("leak, points", POINTS),
    "fid": ("FID", PLAIN),
    "r_precision": ("R-precision, points", POINTS),
    "skate": ("foot skating, points", POINTS),
}
PAIRS = (
    ("stylemotif-hybrid", "stylemotif"),
    ("stylemotif", "smoodi"),
    ("stylemotif-hybrid", "smoodi"),
    ("stylemotif", "stylemotif-own-reference"),
    ("smoodi", "smoodi-own-reference"),
    ("stylemotif", "aberman"),
)
SETTINGS = ("gamma", "guidance scale of the style", "gradient of the style distance")
CEILING = 0.9
USUAL = ("ablation-ablation-", "stylemotif-0")
"""Keys of the rows of the ablation that were trained as StyleMotif is."""
HEAD = """\
# What the tables say of each other

Written by `python scripts/compare_styled.py` from [stylization.json](stylization.json) and [ablation.json](ablation.json); all
differences are in [style_compared.json](style_compared.json). Two rows that answered the same questions are compared repeat by
repeat: the mean difference with the half width of its 95 % interval (Student's t). **Bold** where the interval leaves out
nought; everything else is *no difference shown*, which is not *no difference*; and where nothing differed, one figure in
twenty would be bold all the same. FID, foot skating and leak are better when lower, the rest when higher; a point is a hundredth.
"""
CAVEAT = """\
The base of the first tables is frozen and was never shown a style; the default model learned contents and styles together,
much longer ([how long](style_training.md)). No table isolates which of the two makes the difference between them.
"""


def rows_of(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Rows with figures, by key."""
    return {row["key"]: row for row in table["rows"] if row["figures"]}


def difference(row: dict[str, Any], other: dict[str, Any]) -> dict[str, Interval]:
    """Return every figure of a row less the other's, repeat by repeat."""
    found = {}
    for name in FIGURES:
        own, others = (which["figures"].get(name, {}).get("values") or [] for which in (row, other))
        if len(own) == len(others) > 1:
            found[name] = over_repeats([a - b for a, b in zip(own, others, strict=True)])
    return found


def between_methods(tables: list[dict[str, Any]]) -> Iterator[tuple[str, list[tuple[str, dict[str, Interval]]]]]:
    """Yield titles and lines of what the methods of one table differ by."""
    for table in tables:
        rows = rows_of(table)
        lines = [
            (f"{rows[a]['title']} − {rows[b]['title']}", difference(rows[a], rows[b]))
            for a, b in PAIRS
            if a in rows and b in rows
        ]
        if lines and not table["title"].endswith(", raw"):
            yield table["title"], lines


def between_trained(tables: list[dict[str, Any]]) -> Iterator[tuple[str, list[tuple[str, dict[str, Interval]]]]]:
    """Yield titles and lines of what rows differ by that were trained otherwise, against the one trained as the method is."""
    for table in tables:
        rows = [row for row in rows_of(table).values() if not row["reference"]]
        usual = next((row for row in rows if row["key"].startswith(USUAL)), None)
        if usual is None or not table["title"].startswith("The ") or table["title"].endswith(", raw"):
            continue
        lines = [(f"{row['title']} − {usual['title']}", difference(row, usual)) for row in rows if row is not usual]
        if lines:
            yield table["title"], lines


def between_settings(tables: list[dict[str, Any]]) -> Iterator[tuple[str, list[tuple[str, dict[str, Interval]]]]]:
    """Yield titles and lines of what a setting changes, against the same model as it is when nothing is set."""
    by_title = {table["title"]: table for table in tables}
    for name in dict.fromkeys(title.split(":")[0] for title in by_title if title.endswith("set when it is used")):
        scales = by_title.get(f"{name}: guidance scale of the style, set when it is used")
        unset = [row for row in (scales or {"rows": []})["rows"] if row["title"].endswith(f"= {STYLE_SCALE:g}")]
        if not unset:
            continue
        lines = []
        for setting in SETTINGS:
            table = by_title.get(f"{name}: {setting}, set when it is used", {"rows": []})
            for row in table["rows"]:
                changed = difference(row, unset[0])
                if not row["reference"] and any(any(own.values) for own in changed.values()):
                    lines.append((row["title"], changed))
        yield f"{name}: a setting against none", lines


def table_of(lines: list[tuple[str, dict[str, Interval]]]) -> list[str]:
    """Lay differences out."""
    known = [name for name in FIGURES if any(name in found for _, found in lines)]
    laid = ["| | " + " | ".join(FIGURES[name][0] for name in known) + " |", "|---" * (len(known) + 1) + "|"]
    for title, found in lines:
        laid.append(f"| {title} | " + " | ".join(_cell(name, found.get(name)) for name in known) + " |")
    return laid


def _cell(name: str, own: Interval | None) -> str:
    if own is None:
        return "–"
    scale, form = FIGURES[name][1], "{:+.1f} ± {:.1f}" if FIGURES[name][1] == POINTS else "{:+.3f} ± {:.3f}"
    said = form.format(scale * own.mean, scale * own.half_width)
    return f"**{said}**" if abs(own.mean) > own.half_width else said


def told_nothing(tables: list[dict[str, Any]]) -> list[str]:
    """Say which tables or rows cannot tell what they compare."""
    said = []
    for table in tables:
        rows = [row for row in rows_of(table).values() if not row["reference"] and row["figures"]["sra"].get("values")]
        if len(rows) < 2 or table["title"].endswith(", raw"):
            continue
        if min(row["figures"]["sra"]["mean"] for row in rows) > CEILING:
            said.append(
                f"- *{table['title']}*: style is recognised in more than {CEILING:.0%} of every row, which is the ceiling: "
                "the rows cannot be told apart by it, and the table shows nothing of what it asks."
            )
        alike: dict[tuple[float, ...], list[str]] = {}
        for row in rows:
            alike.setdefault(tuple(row["figures"]["sra"]["values"]), []).append(row["title"])
        for titles in (group for group in alike.values() if len(group) > 1):
            said.append(
                f"- *{table['title']}*: {'; '.join(titles)}: the same share of styles in every repeat. The judge cannot tell "
                "these rows; that what they vary does not matter is not shown by that."
            )
    return said


def main() -> None:
    """Write the page and its figures."""
    check = "--check" in sys.argv[1:]
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 and not check else DOCS
    methods, ablations = (
        json.loads((folder / f"{name}.json").read_text("utf-8"))["tables"] for name in ("stylization", "ablation")
    )
    parts, kept = [HEAD, CAVEAT, "## Between methods", ""], {}
    for heading, groups in (
        ("", between_methods(methods)),
        ("## What training otherwise changes", between_trained(ablations)),
        ("## What a setting changes", between_settings(ablations)),
    ):
        parts += [heading, ""] if heading else []
        for title, lines in groups:
            parts += [f"### {title}", "", *table_of(lines), ""]
            kept[title] = {
                row: {name: {"mean": own.mean, "half_width": own.half_width} for name, own in found.items()}
                for row, found in lines
            }
    silent = told_nothing([*methods, *ablations])
    parts += ["## What cannot be told", "", *(silent or ["No table stands at its ceiling, and no two rows are alike."])]
    said = "\n".join(parts) + "\n"
    if check:
        if (folder / "style_compared.md").read_text("utf-8") != said:
            sys.exit("docs/style_compared.md is not of these tables; run 'python scripts/compare_styled.py'")
        return
    (folder / "style_compared.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "style_compared.md").write_text(said, "utf-8")


if __name__ == "__main__":
    main()
