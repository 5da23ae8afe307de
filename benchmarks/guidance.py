"""What the guidance of the default model costs and gives: scales, gamma, block, steps, and the classifier's gradient.

    python benchmarks/guidance.py                  # writes docs/guidance.json and docs/guidance.md
    python benchmarks/guidance.py --page           # writes the page again from the JSON

Texts of the content set's kind that no clip of the style set shows, so that the style is not at its ceiling; each style of
set 2 by its word. The judge with the role *select* names the style and reads its probability: the judge that scores is
not asked, as settings may be chosen here. Seconds are processor time of the whole call on one thread, the fastest of
several rounds, each setting's beside the default's of the same round.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cosine_similarity

import motifmix
from motifmix.data.labels import SET_2_STYLES
from motifmix.evaluation.metrics import foot_skate_ratio, share_bounds
from motifmix.evaluation.tables import percent_within
from motifmix.pretrained.judges import load_judge

DOCS = Path(__file__).parents[1] / "docs"
TEXTS = (
    "a person jumps", "a person sits down on a chair", "a person picks something up from the floor",
    "a person climbs a ladder", "a person throws a ball",
)  # fmt: skip
STYLES = tuple(style for style in SET_2_STYLES if style != "normal")
SECONDS = 4.0
SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "gradient 0.05": {"gradient": 0.05},
    "gradient 0.1": {"gradient": 0.1},
    "gradient 0.2": {"gradient": 0.2},
    "style scale 0.75": {"style_scale": 0.75},
    "style scale 0.75, gradient 0.1": {"style_scale": 0.75, "gradient": 0.1},
    "style scale 3": {"style_scale": 3.0},
    "gamma 0.3": {"gamma": 0.3},
    "block 3": {"block": 3},
    "steps 16": {"steps": 16},
}


def measured(seeds: int, rounds: int) -> dict:
    """Generate every text in every style at every setting, and read the results."""
    model, judge = motifmix.load(), load_judge("select")
    asked = [(text, style) for text in TEXTS for style in STYLES for _ in range(seeds)]
    texts, styles = ([pair[side] for pair in asked] for side in (0, 1))
    wanted = model.vectors(texts, styles)[1]

    def make(setting: dict[str, Any]) -> list:
        return model.generate(texts, styles, SECONDS, 0, style_start=1.0, **setting)

    seconds: dict[str, list[float]] = {name: [] for name in SETTINGS}
    rows, motions = {}, {}
    for _ in range(rounds):
        for name, setting in SETTINGS.items():
            begun = time.process_time()
            motions[name] = make(setting)
            seconds[name].append(time.process_time() - begun)
    for name in SETTINGS:
        reading = judge.read(motions[name])
        hits = [own == style for own, style in zip(judge.style_names(reading), styles, strict=True)]
        columns = [judge.card.styles.index(style) for style in styles]
        likeness = [
            float(cosine_similarity(model.style_vector(motion), own, dim=0))
            for motion, own in zip(motions[name], wanted, strict=True)
        ]
        rows[name] = {
            "recognised": float(np.mean(hits)),
            "bounds": share_bounds(sum(hits), len(hits)),
            "probability": float(reading.style[np.arange(len(columns)), columns].mean()),
            "distance": float(1 - np.mean(likeness)),
            "skating": float(np.mean([foot_skate_ratio(motion.joints, motion.fps) for motion in motions[name]])),
            "seconds": min(seconds[name]) / len(asked),
            "times": min(seconds[name]) / min(seconds["default"]),
        }
    return {"clips": len(asked), "seconds_of_motion": SECONDS, "texts": TEXTS, "styles": STYLES, "rows": rows}


def page(found: dict) -> str:
    """Return the page."""
    lines = [
        "# Guidance",
        "",
        "`python benchmarks/guidance.py` wrote this page; all figures are in [guidance.json](guidance.json).",
        "",
        f"{found['clips']} clips of {found['seconds_of_motion']:g} s a row: {len(found['texts'])} texts that the style set does "
        f"not show, {len(found['styles'])} styles by their word. *Recognised* and *probability* are the judge's with the role "
        "*select* (chance 7 %), *distance* is 1 - cosine between the style that the model's own encoder reads of the result "
        "and the one that was asked; the style guides from the first step on in every row ([late](late_style.md) is what suits such "
        "texts); *time* is processor time of the whole call over the default's.",
        "",
        "| setting | style recognised | probability | style distance | foot skating | ms a clip | time |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in found["rows"].items():
        lines.append(
            f"| {name} | {percent_within(row['recognised'], *row['bounds'])} | {row['probability']:.2f} | "
            f"{row['distance']:.3f} | {100 * row['skating']:.1f} % | {1000 * row['seconds']:.0f} | {row['times']:.2f} |"
        )
    lines += [
        "",
        "With so few clips the shares are rough, and what a setting costs of what is done is not asked here: "
        "[the ablation](ablation.md) has content, FID and R-precision of scales, gamma and stronger gradients, and "
        "[the comparisons](style_compared.md#what-a-setting-changes) say which of the differences are shown.",
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.page:
        found = measured(options.seeds, options.rounds)
        (DOCS / "guidance.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (DOCS / "guidance.md").write_text(page(json.loads((DOCS / "guidance.json").read_text("utf-8"))), "utf-8")
    print(page(json.loads((DOCS / "guidance.json").read_text("utf-8"))))


if __name__ == "__main__":
    main()
