"""How even a sweep from one style to another is: along the arc between the style vectors and along the line,
each as it is and evened.

    python benchmarks/sweeps.py                            # all four ways; some minutes
    python benchmarks/sweeps.py --only "line, evened"      # one of them again
    python benchmarks/sweeps.py --page                     # the page again from the JSON

Seven figures a sweep; for each way the largest distance between neighbours over the mean of the sweep (1 is even, above
2 is a jump), mean and worst over pairs of styles, texts and seeds, and how many of the sweeps jump. Each run replaces its
rows in docs/sweeps.json and writes docs/sweeps.md.
"""

import argparse
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from motifmix.pipelines.sweep import sweep
from motifmix.pipelines.text_to_motion import TextToMotion, load

DOCS = Path(__file__).parents[1] / "docs"
WAYS = {  # title, along the arc, evened
    "arc": ("even, along the arc between the vectors (slerp)", True, False),
    "line": ("even, along the line (`--plain`)", False, False),
    "arc, evened": ("moved, along the arc", True, True),
    "line, evened": ("moved, along the line (the default)", False, True),
}
PAIRS = (("old", "happy"), ("angry", "sad"), ("proud", "tired"), ("childlike", "giant"))
TEXTS = ("a person walks", "a person waves", "a person runs")
SEEDS = (0, 1, 2)


class Arc(TextToMotion):
    """The default model with blends of two along the arc: directions by slerp, lengths by shares."""

    def vectors(self, texts, styles):
        text, straight, present = super().vectors(texts, styles)
        for place, style in enumerate(styles):
            if isinstance(style, list) and len(style) == 2:
                (a, first), (b, second) = style
                ends = super().vectors(["x", "x"], [a, b])[1]
                straight[place] = slerp(ends[0], ends[1], second / (first + second))
        return text, straight, present


def slerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    angle = torch.arccos(torch.cosine_similarity(a, b, dim=0).clamp(-1, 1))
    way = torch.sin((1 - share) * angle) * a / a.norm() + torch.sin(share * angle) * b / b.norm()
    return way / torch.sin(angle) * ((1 - share) * a.norm() + share * b.norm())


def measured(only: list[str]) -> dict[str, dict[str, float]]:
    """How even the sweeps of each way are."""
    arc, line = Arc(), load()
    rows = {}
    for name in only:
        _, along_arc, even = WAYS[name]
        model, found = arc if along_arc else line, []
        for pair in PAIRS:
            for text in TEXTS:
                with patch.object(model, "text_vectors", Remembered(model.text_vectors)):
                    found += [sweep(model, text, pair, 7, 4.0, seed, even=even).unevenness for seed in SEEDS]
        rows[name] = {
            "mean": float(np.mean(found)), "worst": float(np.max(found)), "jumps": sum(own > 2 for own in found),
            "sweeps": len(found),
        }  # fmt: skip
    return rows


def page(rows: dict[str, Any]) -> str:
    """Return the page."""
    lines = [
        "# How even a sweep is",
        "",
        "`python benchmarks/sweeps.py` wrote this page and says how; all figures are in [sweeps.json](sweeps.json). Seven figures "
        f"from one style to another by the default weights, {len(PAIRS)} pairs of styles, {len(TEXTS)} texts, {len(SEEDS)} seeds. "
        "The largest step between neighbours, in means of its own sweep: 1 is even, above 2 is a jump.",
        "",
        "| shares | mean | worst | sweeps with a step above 2 | sweeps |",
        "|---|---|---|---|---|",
    ]
    for name, (title, *_) in WAYS.items():
        if name in rows:
            own = rows[name]
            lines.append(
                f"| {title} | {own['mean']:.2f} | {own['worst']:.2f} | {own['jumps']:.0f} | {own['sweeps']:.0f} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    store = DOCS / "sweeps.json"
    rows = json.loads(store.read_text("utf-8")) if store.exists() else {}
    if not options.page:
        rows |= measured(options.only)
        store.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    (DOCS / "sweeps.md").write_text(page(rows), "utf-8")
    print(page(rows))


class Remembered:
    """Encode the same sentences once."""

    def __init__(self, encode) -> None:
        self.encode, self.known = encode, {}

    def __call__(self, texts) -> Tensor:
        key = tuple(texts)
        if key not in self.known:
            self.known[key] = self.encode(texts)
        return self.known[key]


if __name__ == "__main__":
    main()
