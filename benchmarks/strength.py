"""A learned strength against the best fixed gamma.

    python benchmarks/strength.py --weights weights-strength

Asked for below the ceiling: contents that only set 1 shows, in styles of set 2 by their word, which no clip combines. Every
gamma of a grid, and the learned strength as it is and multiplied, are generated with the same seeds. The judge with the
role *select* chooses the fixed gamma: the one with the best style recognition among those whose content recognition is no
lower than the learned strength's (less one clip in a hundred). The judge that scores then reads both, once; FID is the
distance of its features to all held-out clips. Writes docs/strength.json and docs/strength.md.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from motifmix.data.captions import captions
from motifmix.data.labels import SET_1_CONTENTS, SET_2_CONTENTS, SET_2_STYLES
from motifmix.data.prepared import Prepared
from motifmix.errors import WeightsError
from motifmix.evaluation.metrics import frechet_distance, share_bounds
from motifmix.evaluation.tables import percent_within
from motifmix.home import home
from motifmix.motion import Motion
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.pretrained.judges import Judge, load_judge

DOCS = Path(__file__).parents[1] / "docs"
GAMMAS = (0.3, 0.45, 0.6, 0.8, 1.0, 1.3)
FACTORS = (0.75, 1.0, 1.5)
CONTENTS = tuple(name for name in SET_1_CONTENTS if name not in (*SET_2_CONTENTS, "dance-long"))
STYLES = tuple(style for style in SET_2_STYLES if style != "normal")
SLACK = 0.01  # of content recognition


def read(
    judge: Judge, motions: list[Motion], asked: list[tuple[str, str, int]], real: np.ndarray | None = None
) -> dict:
    """Shares of styles and contents that a judge reads, and the distance of its features from real ones."""
    reading = judge.read(motions)
    row = {}
    for key, named, place in (("content", judge.content_names(reading), 0), ("style", judge.style_names(reading), 1)):
        hits = sum(name == own[place] for name, own in zip(named, asked, strict=True))
        row[key] = [hits / len(asked), *share_bounds(hits, len(asked))]
    columns = [judge.card.styles.index(style) for _, style, _ in asked]
    row["probability"] = float(reading.style[np.arange(len(columns)), columns].mean())
    return row if real is None else {**row, "fid": frechet_distance(reading.features, real)}


def measured(model: TextToMotion, seeds: int) -> dict:
    """Generate all settings; choose with one judge, score with another."""
    asked = [(content, style, seed) for content in CONTENTS for style in STYLES for seed in range(seeds)]
    texts, styles = [captions(content)[0] for content, _, _ in asked], [style for _, style, _ in asked]

    def make(**setting: float) -> list[Motion]:
        return model.generate(texts, styles, None, [seed for *_, seed in asked], **setting)

    made = {f"fixed {gamma:g}": make(gamma=gamma) for gamma in GAMMAS}
    made |= {f"learned x {factor:g}": make(strength=factor) for factor in FACTORS}
    select, score = load_judge("select"), load_judge("score")
    chosen_by = {name: read(select, motions, asked) for name, motions in made.items()}
    enough = chosen_by["learned x 1"]["content"][0] - SLACK
    fixed = [name for name in made if name.startswith("fixed") and chosen_by[name]["content"][0] >= enough]
    best = max(fixed, key=lambda name: chosen_by[name]["style"][0]) if fixed else None
    prepared = Prepared(home() / "data" / "bandai")
    clips = prepared.select(split="test", mirrored=False)
    real = score.read([prepared.motion(clip) for clip in clips]).features
    scored = {name: read(score, made[name], asked, real) for name in (best, "learned x 1") if name}
    return {"n": len(asked), "select": chosen_by, "best": best, "score": scored}


def page(found: dict) -> str:
    """Return the page."""

    lines = [
        "# A learned strength",
        "",
        "`python benchmarks/strength.py` wrote this page and says how; all figures are in [strength.json](strength.json). "
        f"{found['n']} clips a row: contents that only set 1 shows, in styles of set 2.",
        "",
        "| chosen by the select judge | style recognised | its probability | content recognised |",
        "|---|---|---|---|",
        *(
            f"| {name} | {percent_within(*row['style'])} | {row['probability']:.2f} | {percent_within(*row['content'])} |"
            for name, row in found["select"].items()
        ),
        "",
    ]
    if found["best"] is None:
        return "\n".join([*lines, "No fixed gamma keeps the content as often as the learned strength does.", ""])
    best, learned = found["score"][found["best"]], found["score"]["learned x 1"]
    clear = learned["style"][1] > best["style"][2]
    verdict = (
        "beats it beyond the intervals" if clear
        else "is ahead within the intervals: not shown to be better" if learned["style"][0] > best["style"][0]
        else "does not beat it"
    )  # fmt: skip
    return "\n".join(
        [
            *lines,
            "| scored | style recognised | its probability | content recognised | FID |",
            "|---|---|---|---|---|",
            *(
                f"| {name} | {percent_within(*row['style'])} | {row['probability']:.2f} | {percent_within(*row['content'])} | "
                f"{row['fid']:.1f} |"
                for name, row in found["score"].items()
            ),
            "",
            f"Against the best fixed gamma of those that keep the content at least as often, the learned strength {verdict}; "
            f"that gamma keeps the content {100 * (best['content'][0] - learned['content'][0]):.0f} points more often when scored.",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="weights-strength", help="a folder, or one below MOTIFMIX_HOME")
    parser.add_argument("--seeds", type=int, default=4)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    model = TextToMotion(home() / chosen.weights)
    if model.denoiser.strengths is None:
        raise WeightsError(f"{chosen.weights}: holds no learned strength; train recipes/stylemotif/strength.yaml")
    found = measured(model, chosen.seeds)
    (DOCS / "strength.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (DOCS / "strength.md").write_text(page(found), "utf-8")
    print(page(found))


if __name__ == "__main__":
    main()
