"""Measure every stage of the main job and draw it: seconds against clip length, batch and steps.

    python benchmarks/latency.py [FOLDER]

Writes latency.json, latency.md and three pictures to FOLDER (by default build/latency). `motifmix bench` prints the same
table. Figures belong to the machine that they were measured on, so no test reads them.
"""

import json
import sys
from pathlib import Path

from motifmix.apps import latency
from motifmix.drawing.charts import line_chart


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    report = latency.measure()
    (folder / "latency.json").write_text(json.dumps(report.as_json(), indent=1), encoding="utf-8")
    (folder / "latency.md").write_text(report.as_markdown() + "\n", encoding="utf-8")
    print(report.as_markdown())
    whole = [figure for figure in report.figures if figure.stage == "prompt to motion"]
    lengths = [(f.facts["clip s"], f.seconds) for f in whole if f.facts.keys() == {"clip s", "batch"}]
    batches = [(f.facts["batch"], f.facts["each"]) for f in whole if "each" in f.facts]
    steps = [
        (f.facts["steps"], f.seconds)
        for f in report.figures
        if f.stage == "denoising" and f.facts["steps"] != "default"
    ]
    for name, points, x_label in (
        ("length", lengths, "seconds of motion"),
        ("batch", batches, "motions at once (seconds each)"),
        ("steps", steps, "denoising steps"),
    ):
        x, y = zip(*sorted(points), strict=True)
        line_chart({"seconds": (x, y)}, folder / f"{name}.png", title=f"seconds against {x_label}", x_label=x_label)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/latency"))
