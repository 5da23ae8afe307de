"""Measure every stage of the main job and draw it: seconds against clip length, batch and steps.

    python benchmarks/latency.py [FOLDER] [--docs] [--repeats N]

Writes latency.json, latency.md and three pictures to FOLDER (by default build/latency); ``--docs`` puts the table into
docs/performance.md too, the figures beside it. `motifmix bench` prints the same table. Figures belong to the machine that
they were measured on, so no test reads them: leave the machine alone while it runs.
"""

import argparse
import json
import os
from pathlib import Path

from published_page import between

from motifmix.apps import latency
from motifmix.drawing.charts import line_chart

DOCS = Path(__file__).parents[1] / "docs"
COMMAND = "python benchmarks/latency.py --docs"
BEGIN, END = "<!-- latency: written by benchmarks/latency.py -->", "<!-- end of latency -->"
ASKED = "prompt to features"
TARGET = 0.08  # seconds for a clip of four seconds on two cores, once all is loaded


def main(folder: Path, repeats: int, docs: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    before = os.getloadavg()[0]
    report = latency.measure(repeats)
    report.machine["load before"] = round(before, 1)
    figures = json.dumps(report.as_json(), indent=1) + "\n"
    (folder / "latency.json").write_text(figures, encoding="utf-8")
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
    if docs:
        page = DOCS / "performance.md"
        page.write_text(between(page.read_text("utf-8"), BEGIN, section(report, repeats), END), encoding="utf-8")
        (DOCS / "performance_latency.json").write_text(figures, encoding="utf-8")


def section(report: latency.Report, repeats: int) -> str:
    """What docs/performance.md says of the main job."""
    (asked,) = [figure for figure in report.figures if figure.stage == ASKED]
    against = "reached" if asked.seconds <= TARGET else "missed"
    return (
        "## The main job\n\n"
        f"`{COMMAND}` measured this; all figures are in [performance_latency.json](performance_latency.json). A figure is "
        f"the median of {repeats} calls with a text and a style that were never asked before, after one to warm up; of the "
        "files MP4 and GIF are written once. "
        f"From prompt to features it took {asked.seconds:.3f} s (target {TARGET} s: {against}).\n\n"
        f"{report.as_markdown()}\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Seconds and memory of every stage of the main job.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/latency"))
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--docs", action="store_true", help="write docs/performance.md too")
    options = parser.parse_args()
    main(options.folder, options.repeats, options.docs)
