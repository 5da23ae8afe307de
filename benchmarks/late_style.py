"""When the style joins: what is done and how much of the style shows where training showed the content in hardly any style.

    python benchmarks/late_style.py                # writes docs/late_style.json and docs/late_style.md
    python benchmarks/late_style.py --page         # writes the page again from the JSON

Settings are chosen here, so nothing here scores: the wordings are others than those of benchmarks/actions.py, and the
judge has the role *select*. Geometry tells whether the action was done (evaluation/deeds.py). As that judge learned
styles on walks and waves, it hardly reads one in somebody who sits; so the posture is compared as well: how far trunk,
neck, head and shoulders turn away from the same seed without a style, along the way that the style turns them in
contents that training shows in it.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

import motifmix
from motifmix.data.captions import hard_captions, held_out_captions
from motifmix.data.labels import CONTENTS, find_style
from motifmix.evaluation.deeds import DEEDS, standing_joints
from motifmix.evaluation.metrics import share_bounds
from motifmix.evaluation.tables import percent_within
from motifmix.motion import Motion
from motifmix.motion import rotations as rot
from motifmix.pipelines.sampling import IN_STYLES, LATE, LATE_TEXT, STYLE_SCALE, TEXT_SCALE
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.pretrained.judges import Judge, load_judge
from motifmix.training.texts import content_texts

DOCS = Path(__file__).parents[1] / "docs"
STYLES = ("old", "exhausted", "feminine", "angry", "active", "childish")
ELSEWHERE = {
    "jump": ("a person leaps up", "someone does a jump"),
    "sit down": ("a person takes a seat on a stool", "someone sits on a bench"),
    "stand up": ("someone stands up from a chair", "a person gets up"),
    "kick": ("someone does a high kick", "a person kicks forward"),
    "punch": ("a person throws punches", "a person boxes"),
    "crouch": ("a person crouches", "a man squats low"),
    "pick up": ("a person bends down to grab something", "someone picks an object up"),
    "turn around": ("someone turns around", "a person turns in a circle"),
}
SHOWN = {
    "walk": "a person walks forward", "run": "a person runs", "dash": "a person dashes", "bow": "a person bows",
    "walk-back": "a person walks backwards", "wave-right-hand": "a person waves with the right hand",
    "wave-both-hands": "a person waves with both hands", "raise-up-both-hands": "a person raises both hands",
}  # fmt: skip
LOUDER = LATE_TEXT * TEXT_SCALE
RULE = f"from {LATE:g} on, twice the text's scale"
SETTINGS: dict[str, dict[str, Any]] = {
    "from the first step on": {"style_start": 1.0},
    "from 0.8 on": {"style_start": 0.8},
    "from 0.6 on": {"style_start": 0.6},
    "from 0.5 on": {"style_start": 0.5},
    "from 0.4 on": {"style_start": 0.4},
    "from the first step on, half the style's scale": {"style_start": 1.0, "style_scale": STYLE_SCALE / 2},
    "from the first step on, twice the text's scale": {"style_start": 1.0, "text_scale": LOUDER},
    RULE: {"style_start": LATE, "text_scale": LOUDER},
    "from 0.5 on, twice the text's scale": {"style_start": 0.5, "text_scale": LOUDER},
    "from 0.5 on, as long as the style asks": {"style_start": 0.5, "styled_length": True},
    f"{RULE}, as long as the style asks": {"style_start": LATE, "text_scale": LOUDER, "styled_length": True},
}
WHOSE = {
    "trained": "wordings of contents that training shows in styles",
    "never trained": "such wordings that no training saw",
    "elsewhere": "wordings of the first table below",
}
TURNED = ("spine", "neck", "head", "collar", "shoulder")


def posture(motion: Motion) -> np.ndarray:
    """Return how trunk, neck, head and shoulders are turned in the mean, as rotation vectors [joints * 3]."""
    names = motion.skeleton.names
    own = [place for place, name in enumerate(names) if any(part in name for part in TURNED) and "end" not in name]
    return rot.to_rotvec(motion.rotations[:, own]).mean(axis=0).ravel()


def measured(model: TextToMotion, judge: Judge, seeds: int) -> dict:
    """Ask for everything at every setting."""
    elsewhere = [
        (deed, text, style, seed)
        for deed, texts in ELSEWHERE.items() for text in texts for style in STYLES for seed in range(seeds)
    ]  # fmt: skip
    shown = [(name, text, style, seed) for name, text in SHOWN.items() for style in STYLES for seed in range(seeds)]
    plain = {
        side: _postures(model, asked, styled=False) for side, asked in (("elsewhere", elsewhere), ("shown", shown))
    }
    turned = _postures(model, shown) - plain["shown"]
    ways = {style: turned[[own[2] == style for own in shown]].mean(axis=0) for style in STYLES}
    rows = {}
    for name, setting in SETTINGS.items():
        motions = _made(model, elsewhere, setting)
        done = [
            DEEDS[deed].done(standing_joints(motion)) for (deed, *_), motion in zip(elsewhere, motions, strict=True)
        ]
        read = _styles_read(judge, motions, elsewhere)
        moved = np.stack([posture(motion) for motion in motions]) - plain["elsewhere"]
        shares = [
            own @ ways[style] / (ways[style] @ ways[style])
            for own, (_, _, style, _) in zip(moved, elsewhere, strict=True)
        ]
        near = _made(model, shown, setting)
        contents = judge.content_names(judge.read(near))
        right = [own == name for own, (name, *_) in zip(contents, shown, strict=True)]
        rows[name] = {
            "done": _share(done), "style": _share(read), "both": _share([a and b for a, b in zip(done, read, strict=True)]),
            "posture": float(np.median(shares)),
            "deeds": {deed: _share([hit for hit, own in zip(done, elsewhere, strict=True) if own[0] == deed]) for deed in ELSEWHERE},
            "shown": {"style": _share(_styles_read(judge, near, shown)), "content": _share(right)},
        }  # fmt: skip
        print(name, rows[name]["done"], rows[name]["posture"], flush=True)
    return {"clips": len(elsewhere), "shown_clips": len(shown), "rows": rows, "late": joining_late(model)}


def joining_late(model: TextToMotion) -> dict:
    """Return how many sentences of which kind a style joins late by the model's own rule."""
    own = [known.name for known in model.contents if known.name in CONTENTS and (known.styles or 0) >= IN_STYLES]
    trained = [text for name in own for text in content_texts(name, False)]
    untrained = [text for name in own for text in (*held_out_captions(name), *hard_captions(name))]
    elsewhere = [text for texts in ELSEWHERE.values() for text in texts]
    return {
        kind: {"late": int((~model.shown_in_styles(model.text_vectors(texts))).sum()), "sentences": len(texts)}
        for kind, texts in (("trained", trained), ("never trained", untrained), ("elsewhere", elsewhere))
    }  # fmt: skip


def page(found: dict) -> str:
    """Return the page."""
    rows = found["rows"]
    lines = [
        "# When the style joins",
        "",
        "`python benchmarks/late_style.py` wrote this page; all figures are in [late_style.json](late_style.json).",
        "",
        "Training shows some contents in several styles (walks, runs, waves, bows, …) and all others in none or in one. Of such a pair as "
        "*sits down, old* the model never saw anything; what it knows of *old* is how one walks and waves, and told from the "
        "first step on, it makes somebody who should sit walk off. Where a motion goes is settled while there is much "
        "noise, how it is carried while there is less. So where the sentences nearest to a text are mostly of contents that "
        f"training showed in fewer than {IN_STYLES} styles, the style joins when the noise has sunk to {LATE:g} (1 is noise "
        f"only), and has its scale divided by that, so that it says as much in fewer steps; the text's scale is {LATE_TEXT:g} times "
        "what it is elsewhere; and the clip is as long as without a style, as who has sat down gets up again where the length is "
        f"an old man's walk's. The row *{RULE}* is that rule. `--style-start` overrules the first two, `--seconds` the last. "
        + "; ".join(f"{own['late']} of {own['sentences']} {WHOSE[kind]}" for kind, own in found["late"].items())
        + " would join late by that rule.",
        "",
        f"**Contents that training shows in hardly any style**: {len(ELSEWHERE)} actions in two wordings each, in {len(STYLES)} styles, "
        f"{found['clips']} clips a row. *Done*: told by geometry ([actions](actions.md) asks in other words and is the measure). "
        "*Style*: named by the judge that selects, which learned styles on walks and waves and hardly reads one in who sits. "
        "*Posture*: how far trunk, neck, head and shoulders turn away from the same seed without a style, along the way in which the "
        "style turns them where training shows it; 1 is as far (median). Brackets hold 95 % intervals.",
        f"Of the rows in which four of five are done, *{_keeps_most(rows)}* keeps most of the posture; "
        "both at once tells no row from another.",
        "",
        "| style joins | done | style | both | posture | " + " | ".join(ELSEWHERE) + " |",
        "|" + "---|" * (5 + len(ELSEWHERE)),
    ]
    for name, row in rows.items():
        shares = [percent_within(row[key]["share"], *row[key]["bounds"]) for key in ("done", "style", "both")]
        deeds = [f"{100 * row['deeds'][deed]['share']:.0f} %" for deed in ELSEWHERE]
        lines.append(f"| {' | '.join([name, *shares, format(row['posture'], '.2f'), *deeds])} |")
    lines += [
        "",
        f"**Contents that training shows in styles**: {len(SHOWN)} contents, {found['shown_clips']} clips a row, both read by the "
        "judge that selects. Here a style that joins late gains nothing, so it does not.",
        "",
        "| style joins | style | content |",
        "|---|---|---|",
        *(
            f"| {name} | "
            + " | ".join(
                percent_within(row["shown"][key]["share"], *row["shown"][key]["bounds"]) for key in ("style", "content")
            )
            + " |"
            for name, row in rows.items()
        ),
    ]
    return "\n".join([*lines, ""])


def _keeps_most(rows: dict) -> str:
    done = {name: row["posture"] for name, row in rows.items() if row["done"]["share"] >= 0.8}
    return max(done, key=lambda name: done[name])


def _made(model: TextToMotion, asked: list, setting: Mapping[str, Any], styled: bool = True) -> list[Motion]:
    given = dict(setting)
    styles = [style for _, _, style, _ in asked] if styled else None
    known = (lambda text: text.new_ones(len(text), dtype=torch.bool)) if given.pop("styled_length", False) else None
    with patch.object(model, "shown_in_styles", known or model.shown_in_styles):  # scale and start are given anyway
        return model.generate([text for _, text, _, _ in asked], styles, None, [seed for *_, seed in asked], **given)


def _postures(model: TextToMotion, asked: list, styled: bool = True) -> np.ndarray:
    made = _made(model, asked, {"style_start": 1.0}, styled)
    return np.stack([posture(motion) for motion in made])


def _styles_read(judge: Judge, motions: list[Motion], asked: list) -> list[bool]:
    names = judge.style_names(judge.read(motions))
    return [name == find_style(style) for name, (_, _, style, _) in zip(names, asked, strict=True)]


def _share(hits: list[bool]) -> dict:
    return {
        "hits": sum(map(bool, hits)),
        "share": float(np.mean(hits)),
        "bounds": list(share_bounds(sum(hits), len(hits))),
    }


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", action="store_true", help="write the page from docs/late_style.json")
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    path = DOCS / "late_style.json"
    if not given.page:
        found = measured(motifmix.load(), load_judge("select"), given.seeds)
        path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (DOCS / "late_style.md").write_text(page(json.loads(path.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
