"""Loss curves of the rows that were trained, drawn from what their runs left below ``MOTIFMIX_HOME``."""

import json
from collections.abc import Iterable
from pathlib import Path

from motifmix.drawing.charts import line_chart

_NOT_DRAWN = ("step", "seconds", "gradient")
MOST = 6  # curves in a picture


def draw_curves(
    home: Path, runs: Iterable[str], folder: Path, prefix: str, *, logarithmic: bool = True
) -> dict[str, Path]:
    """Draw ``PREFIX_curve_RUN.png`` for every run that left a curve; returns the paths by what they show."""
    drawn: dict[str, Path] = {}
    for run in dict.fromkeys(runs):
        path = home / "runs" / run / "curve.jsonl"
        lines = _lines(path)
        names = [name for name in (lines[-1] if lines else {}) if name not in _NOT_DRAWN][:MOST]
        curves = {n: ([row["step"] for row in lines if n in row], [row[n] for row in lines if n in row]) for n in names}
        if len(lines) > 1 and curves:
            words = f"training of {run}"
            drawn[words] = line_chart(
                curves, folder / f"{prefix}_curve_{run}.png", title=words, logarithmic=logarithmic
            )
    return drawn


def _lines(path: Path) -> list[dict[str, float]]:
    """The whole lines of a curve; a run may be writing the last one."""
    if not path.is_file():
        return []
    whole = [line for line in path.read_text("utf-8").splitlines(keepends=True) if line.endswith("}\n")]
    return [json.loads(line) for line in whole]
