"""Loss curves of the rows that were trained, drawn from what their runs left below ``MOTIFMIX_HOME``."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from motifmix.drawing.charts import line_chart

_NOT_DRAWN = ("step", "seconds", "processor", "gradient")
MOST = 6  # curves in a picture


def draw_curves(
    home: Path,
    runs: Iterable[str],
    folder: Path,
    prefix: str,
    *,
    logarithmic: bool = True,
    earlier: Path | None = None,
) -> dict[str, Path]:
    """Draw ``PREFIX_curve_RUN.png`` for every run that left a curve; returns the paths by what they show.

    Where the curve is gone, the picture that was drawn of it into the folder ``earlier`` stands.
    """
    drawn: dict[str, Path] = {}
    for run in dict.fromkeys(runs):
        path = home / "runs" / run / "curve.jsonl"
        lines = _lines(path)
        words, picture = f"training of {run}", folder / f"{prefix}_curve_{run}.png"
        names = [name for name in (lines[-1] if lines else {}) if name not in _NOT_DRAWN][:MOST]
        curves = {n: ([row["step"] for row in lines if n in row], [row[n] for row in lines if n in row]) for n in names}
        if len(lines) > 1 and curves:
            drawn[words] = line_chart(curves, picture, title=words, logarithmic=logarithmic)
        elif earlier is not None and (former := earlier / picture.name).is_file():
            if former.resolve() != picture.resolve():
                shutil.copyfile(former, picture)
            drawn[words] = picture
    return drawn


@dataclass(frozen=True)
class Timing:
    """How long a run was, in seconds but for its steps.

    ``clock`` is that of all parts where it went on after an interruption; ``fastest`` as if all steps had gone like the
    fastest stretch between two lines; ``processor`` None where it was not counted.
    """

    steps: int
    clock: float
    fastest: float
    processor: float | None


def timing(run: Path) -> Timing | None:
    """Return what a run's curve says of its length, or None without a curve."""
    lines = _lines(run / "curve.jsonl")
    if not lines:
        return None
    before = [{"step": 0.0, "seconds": 0.0}, *lines[:-1]]
    stretches = [(b["step"] - a["step"], b["seconds"] - a["seconds"]) for a, b in zip(before, lines, strict=True)]
    fastest = min(seconds / steps for steps, seconds in stretches if seconds > 0)
    processor = [line["processor"] for line in lines if "processor" in line]
    return Timing(
        int(lines[-1]["step"]),
        _parts(line["seconds"] for line in lines),
        fastest * lines[-1]["step"],
        _parts(processor) if len(processor) == len(lines) else None,
    )


def _parts(seconds: Iterable[float]) -> float:
    """Add up a count that begins again wherever a run went on."""
    whole, last = 0.0, 0.0
    for now in seconds:
        whole += now - last if now >= last else now
        last = now
    return whole


def _lines(path: Path) -> list[dict[str, float]]:
    """The whole lines of a curve; a run may be writing the last one."""
    if not path.is_file():
        return []
    whole = [line for line in path.read_text("utf-8").splitlines(keepends=True) if line.endswith("}\n")]
    return [json.loads(line) for line in whole]
