"""The same fusion on two bases: how often styles and contents are recognised, with a style and without.

    python benchmarks/second_base.py              # the default weights and weights-second-base below MOTIFMIX_HOME

Set 2's contents in its styles by their word, and without any; the judge that scores reads. Writes docs/second_base.json and
docs/second_base.md. Seconds are processor time a clip on one thread.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from motifmix.data.captions import captions
from motifmix.data.labels import SET_2_CONTENTS, SET_2_STYLES
from motifmix.evaluation.metrics import foot_skate_ratio, share_bounds
from motifmix.evaluation.tables import percent_within
from motifmix.home import PACKAGE_WEIGHTS, home
from motifmix.models.parameter_count import parameter_count
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.pretrained.judges import load_judge

DOCS = Path(__file__).parents[1] / "docs"
STYLES = tuple(style for style in SET_2_STYLES if style != "normal")


def measured(model: TextToMotion, seeds: int) -> dict:
    """Rows with and without a style."""
    judge, rows = load_judge("score"), {}
    asked = [(content, style, seed) for content in SET_2_CONTENTS for style in STYLES for seed in range(seeds)]
    for name, with_style in (("without a style", False), ("with a style", True)):
        begun = time.process_time()
        motions = model.generate(
            [captions(content)[0] for content, _, _ in asked],
            [style if with_style else None for _, style, _ in asked],
            None,
            [seed for *_, seed in asked],
        )
        seconds = (time.process_time() - begun) / len(asked)
        reading = judge.read(motions)
        style = [own == wanted for own, (_, wanted, _) in zip(judge.style_names(reading), asked, strict=True)]
        content = [own == wanted for own, (wanted, *_) in zip(judge.content_names(reading), asked, strict=True)]
        rows[name] = {
            "style": [float(np.mean(style)), *share_bounds(sum(style), len(style))],
            "content": [float(np.mean(content)), *share_bounds(sum(content), len(content))],
            "skating": float(np.mean([foot_skate_ratio(motion.joints, motion.fps) for motion in motions])),
            "seconds": seconds, "n": len(asked),
        }  # fmt: skip
    size = parameter_count(model.denoiser)
    return {"denoiser": type(model.denoiser.denoiser).__name__, "parameters": size, "rows": rows}


def page(found: dict) -> str:
    """Return the page."""
    lines = [
        "# Two bases, one fusion",
        "",
        "`python benchmarks/second_base.py` wrote this page and says how; all figures are in "
        "[second_base.json](second_base.json). The style asked for is recognised by chance in 7 % of clips.",
        "",
        "| base | parameters | | style recognised | content recognised | foot skating | ms a clip | clips |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for weights, own in found.items():
        for name, row in own["rows"].items():
            shares = [percent_within(*row[key]) for key in ("style", "content")]
            lines.append(
                f"| {weights} ({own['denoiser']}) | {own['parameters']:,} | {name} | {shares[0]} | {shares[1]} | "
                f"{100 * row['skating']:.1f} % | {1000 * row['seconds']:.0f} | {row['n']} |"
            )
    lines += ["", *(f"- {weights}: {costs(own['rows'])}" for weights, own in found.items())]
    return "\n".join([*lines, ""])


def costs(rows: dict) -> str:
    """Say what the style changes besides itself."""
    without, with_ = (
        {"content": 100 * row["content"][0], "foot skating": 100 * row["skating"]}
        for row in (rows["without a style"], rows["with a style"])
    )
    said = [
        f"{name} {'rises' if after > without[name] else 'falls'} from {without[name]:.0f} to {after:.0f} %"
        for name, after in with_.items()
        if round(after) != round(without[name])
    ]
    return f"with a style {' and '.join(said)}." if said else "a style changes neither content nor foot skating."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="weights-second-base", help="a folder, or one below MOTIFMIX_HOME")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--page", action="store_true", help="write the page again from the JSON")
    chosen = parser.parse_args()
    if chosen.page:
        (DOCS / "second_base.md").write_text(page(json.loads((DOCS / "second_base.json").read_text("utf-8"))), "utf-8")
        return
    torch.set_num_threads(1)
    folders = {"default": PACKAGE_WEIGHTS / "default", "second base": home() / chosen.weights}
    found = {name: measured(TextToMotion(folder), chosen.seeds) for name, folder in folders.items()}
    (DOCS / "second_base.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (DOCS / "second_base.md").write_text(page(found), "utf-8")
    print(page(found))


if __name__ == "__main__":
    main()
