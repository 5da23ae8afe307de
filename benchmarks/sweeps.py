"""How even a sweep from one style to another is: along the arc between the style vectors and along the line,
each as it is and evened.

    python benchmarks/sweeps.py

Seven figures a sweep; for each way the largest distance between neighbours over the mean of the sweep (1 is even, above
2 is a jump), mean and worst over pairs of styles, texts and seeds, and how many of the sweeps jump.
"""

from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from motifmix.pipelines.sweep import sweep
from motifmix.pipelines.text_to_motion import TextToMotion, load

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


def main() -> None:
    arc, line = Arc(), load()
    ways = {"arc": (arc, False), "line": (line, False), "arc, evened": (arc, True), "line, evened": (line, True)}
    print("way            mean  worst  jumps of", len(PAIRS) * len(TEXTS) * len(SEEDS))
    for name, (model, even) in ways.items():
        found = []
        for pair in PAIRS:
            for text in TEXTS:
                with patch.object(model, "text_vectors", Remembered(model.text_vectors)):
                    found += [sweep(model, text, pair, 7, 4.0, seed, even=even).unevenness for seed in SEEDS]
        jumps = sum(own > 2 for own in found)
        print(f"{name:<13} {np.mean(found):5.2f} {np.max(found):6.2f}  {jumps}", flush=True)


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
