"""Styles that a model never saw, given by one clip of them: how often they are recognised, beside a model that saw them.

    python benchmarks/unseen_styles.py                      # weights-unseen-STYLE and weights-seen below MOTIFMIX_HOME
    python benchmarks/unseen_styles.py --styles elderly     # one of them

Made by the recipes recipes/stylemotif/unseen_*.yaml ('make further' runs all): each style is left out, in both sets, with
its synonyms, mirrored clips and the content set's clips whose text names it, from every stage of one model; weights-seen is
a model of the same length that left none out. Asked are set 2's contents, by their captions, guided by held-out clips of
the style that show another content; the judge that scores, which alone knows the style, names one of fifteen. The same
questions without a style are the floor. Writes docs/unseen_styles.json and docs/unseen_styles.md.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import yaml

from motifmix.data.labels import SET_2_CONTENTS
from motifmix.data.prepared import Prepared
from motifmix.errors import WeightsError
from motifmix.evaluation.metrics import share_bounds
from motifmix.evaluation.questions import Question, StyleSet, motion_guided
from motifmix.evaluation.tables import percent, percent_within
from motifmix.home import home
from motifmix.motion import Motion
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.pretrained.cards import read_card
from motifmix.pretrained.judges import Judge, load_judge

HOUSE = Path(__file__).parents[1]
RECIPE = HOUSE / "recipes" / "stylemotif" / "unseen_denoiser.yaml"
DOCS = HOUSE / "docs"
SEEN = "weights-seen"


def left_out() -> list[str]:
    """The styles that the recipe leaves out, one at a time."""
    return list(yaml.safe_load(RECIPE.read_text("utf-8"))["sizes"])


def model_without(styles: list[str], name: str) -> TextToMotion:
    """Load weights. Raises ``WeightsError`` unless their card says that exactly ``styles`` were left out."""
    said = list(read_card(home() / name / "denoiser.yaml").extra.get("without_styles", []))
    if said != styles:
        raise WeightsError(f"{name}: the card says that {said or 'no style'} was left out, not {styles or 'none'}")
    return TextToMotion(home() / name)


def answered(model: TextToMotion, judge: Judge, asked: list[Question], styled: bool) -> dict:
    """What the judge makes of one model's answers."""
    motions = model.generate(
        [q.text for q in asked],
        [q.guide for q in asked] if styled else None,
        [q.seconds for q in asked],
        [q.seed for q in asked],
    )
    reading = judge.read(motions)
    style = [name == q.style for name, q in zip(judge.style_names(reading), asked, strict=True)]
    content = [name in q.contents for name, q in zip(judge.content_names(reading), asked, strict=True)]
    columns = [judge.card.styles.index(q.style or "") for q in asked]
    probability = reading.style[np.arange(len(columns)), columns]
    return {"style": style, "content": content, "probability": probability.tolist()}


def summary(answers: dict[str, list]) -> dict:
    """Shares with their bounds, and the mean probability."""
    shares = {
        key: [float(np.mean(answers[key])), *share_bounds(sum(answers[key]), len(answers[key]))]
        for key in ("style", "content")
    }
    return {**shares, "probability": float(np.mean(answers["probability"])), "n": len(answers["style"])}


def measured(styles: list[str], seeds: int) -> dict:
    """Rows of every style, and of all together."""
    judge, style_set = load_judge("score"), StyleSet(Prepared(home() / "data" / "bandai"))
    seen = model_without([], SEEN)
    answers: dict[str, dict[str, dict[str, list]]] = {}
    for style in styles:
        cells = [(content, style) for content in SET_2_CONTENTS]
        asked = [q for repeat in range(seeds) for q in motion_guided(style_set, repeat, "natural", 1, cells)]
        never = model_without([style], f"weights-unseen-{style}")
        clips = [q.guide for q in asked if isinstance(q.guide, Motion)]
        own = judge.style_names(judge.read(clips))
        answers[style] = {
            "never seen": answered(never, judge, asked, True),
            "seen": answered(seen, judge, asked, True),
            "no style": answered(never, judge, asked, False),
        }
        answers[style]["references"] = {**answers[style]["seen"], "style": [name == style for name in own]}
    together: dict[str, dict[str, list]] = {}
    for own in answers.values():
        for row, values in own.items():
            for key, more in values.items():
                together.setdefault(row, {}).setdefault(key, []).extend(more)
    found = {
        style: {row: summary(values) for row, values in own.items()}
        for style, own in {**answers, "all": together}.items()
    }
    return {"k": 1, "chance": 1 / len(judge.card.styles), "seeds": seeds, "rows": found}


def half_way(found: dict, style: str) -> float:
    """The rate half-way between chance and the seen style's."""
    return (found["chance"] + found["rows"][style]["seen"]["style"][0]) / 2


def page(found: dict) -> str:
    """Return the page."""
    rows, chance = found["rows"], found["chance"]
    met = {style: own["never seen"]["style"][0] >= half_way(found, style) for style, own in rows.items()}
    lines = [
        "# Styles never seen",
        "",
        "`python benchmarks/unseen_styles.py` wrote this page and says how; all figures are in "
        f"[unseen_styles.json](unseen_styles.json). One held-out clip of the style guides each motion (k = {found['k']}); "
        f"the judge names one of {round(1 / chance)} styles, chance {percent(chance)}. A style that a model never saw is to "
        "be recognised at least half-way between chance and the rate of a model that saw it, trained as long.",
        "",
        "| style | never seen | seen | half-way | | no style | the clips themselves | content, never seen | content, seen "
        "| clips |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for style, own in rows.items():
        cells = [
            percent_within(*own["never seen"]["style"]),
            percent_within(*own["seen"]["style"]),
            percent(half_way(found, style)),
            "reached" if met[style] else "missed",
            percent_within(*own["no style"]["style"]),
            percent(own["references"]["style"][0]),
            percent(own["never seen"]["content"][0]),
            percent(own["seen"]["content"][0]),
            str(own["seen"]["n"]),
        ]
        lines.append(f"| {style} | " + " | ".join(cells) + " |")
    reached = [style for style in rows if style != "all" and met[style]]
    lines += [
        "",
        f"{len(reached)} of {len(rows) - 1} styles reach half-way{': ' + ', '.join(reached) if reached else ''}; all "
        f"together {'do' if met['all'] else 'do not'}.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--styles", nargs="+", choices=left_out(), default=left_out())
    parser.add_argument("--seeds", type=int, default=6, help="motions of each content in each style")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    found = measured(chosen.styles, chosen.seeds)
    (DOCS / "unseen_styles.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (DOCS / "unseen_styles.md").write_text(page(found), "utf-8")
    print(page(found))


if __name__ == "__main__":
    main()
