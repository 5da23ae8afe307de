"""What is said about a folder of pairs: its card, its report, and a sheet of pictures."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from motifmix.data.duets.choreography import LEAST_AIR, PACE, Choreographer
from motifmix.data.duets.interactions import Interaction
from motifmix.data.duets.parts import WAITING
from motifmix.data.duets.words import interaction_words
from motifmix.data.labels import CONTENTS, PAIRED_CONTENTS, STYLES
from motifmix.data.prepared import Prepared
from motifmix.data.sample import FPS
from motifmix.drawing.strips import sheet
from motifmix.motion import Scene

SHOWN_FRAMES = 6
FOREIGN_NOTE = (
    " In every one of them somebody does what no pair of the training set shows. They are for measuring mixtures and for "
    "the judges of it; a model that makes motion must never be trained on them."
)
STYLED_NOTE = (
    " In every one of them both people move in a style other than normal. They are for measuring duets in which people have "
    "styles, and for the judges of them; a model that makes motion must never be trained on them."
)
ABOUT = (
    "These are choreographed pairs: two real single-person clips put into one world by rules, which say who, where, "
    "facing what, how far apart and when. Nobody in them reacted to anybody. Each clip is turned, shifted and mirrored "
    f"as a whole, cropped, played {PACE[0]} to {PACE[1]} times as fast as a whole, and held in its first or last pose "
    f"for at most {WAITING / FPS:.1f} s where somebody waits; no pose is changed, so feet rest where they were captured. "
    "Ids that begin with recorded_ are takes of two people who were recorded together. Body only: what the layout "
    "stores of hands lies in the wrist."
)


def card_of(
    prepared: Sequence[Prepared], lines: Sequence[dict[str, Any]], seed: int, layout: int, note: str = ""
) -> dict[str, Any]:
    """Return what ``card.yaml`` says; ``note``: of pairs for measuring, what is special in them."""
    seldom = {} if note else {
        "contents_never_in_pairs": sorted(never_seen(lines, prepared)[0]),
        "styles_never_in_pairs": [style for style in STYLES if style != "normal"],
    }  # fmt: skip
    return {
        "name": "Pairs choreographed out of single clips, and pairs recorded together",
        "dataset": "duets",
        "about": ABOUT + note,
        "layout": layout,
        "published_layout": "InterHuman, with in2IN's sentences for each person",
        "seed": seed,
        "pairs": dict(Counter(f"{line['kind']}, {line['split']}" for line in lines)),
        "licence": "those of the clips: " + "; ".join(str(p.card.get("licence")) for p in prepared),
        "credit": [p.card.get("credit") for p in prepared],
        "fingerprints": {p.folder.name: p.card.get("fingerprint") for p in prepared},
        **seldom,
    }


def never_seen(lines: Sequence[dict[str, Any]], prepared: Sequence[Prepared]) -> tuple[set[str], set[str]]:
    """Return the individual contents that no training pair shows, and those that one does.

    Individual contents are the style set's labels and the content set's action tags, as far as training clips have
    them; a content that is shown counts for its mirror image too.
    """
    known = {name for p in prepared for name in p.content_counts("train")}
    clips = {clip for line in lines if line["split"] == "train" for clip in line.get("clips", ())}
    shown = {name for line in lines if line["split"] == "train" for name in line.get("contents", ())}
    shown |= {"dance-short"} & known if "dance" in shown else set()
    for p in prepared:
        for name in clips & p.by_id.keys():
            clip = p.by_id[name]
            shown |= {clip.content} if clip.content else set(clip.actions)
    shown |= {PAIRED_CONTENTS.get(name, name) for name in shown}
    return known - shown, known & shown


def report_of(
    lines: Sequence[dict[str, Any]],
    choreographer: Choreographer,
    interactions: Sequence[Interaction],
    prepared: Sequence[Prepared],
    seconds: float,
    note: str = "",
) -> str:
    """Return ``report.md``: how much, the types, what is held out, what was thrown away, whether anybody is inside."""
    made = [line for line in lines if line["kind"] == "choreographed"]
    text = [
        "# Pairs of two people",
        "",
        ABOUT + note,
        "",
        "| pairs | train | val | test |",
        "|---|---|---|---|",
    ]
    for kind in ("choreographed", "recorded"):
        cells = []
        for side in ("train", "val", "test"):
            those = [line for line in lines if line["kind"] == kind and line["split"] == side]
            cells.append(f"{len(those)} ({sum(line['frames'] for line in those) / FPS:.0f} s)")
        text.append(f"| {kind} | {' | '.join(cells)} |")
    air = np.array([line["least_air_m"] for line in made])
    text += [
        "", f"Intersection check, capsules of both people in every frame: least distance {air.min():.3f} m over "
        f"{len(made)} choreographed pairs (a draft below {LEAST_AIR} m is thrown away), median {np.median(air):.2f} m.",
    ]  # fmt: skip
    recorded = [line["least_air_m"] for line in lines if line["kind"] == "recorded"]
    if recorded:
        deep = sum(value < 0 for value in recorded)
        text.append(f"Recorded pairs are left as they are: {deep} of {len(recorded)} touch or are inside each other.")
    absent, shown = never_seen(lines, prepared)
    labels = [name for name in CONTENTS if name in absent]
    text += [
        "", f"Individual contents that no training pair shows: {len(absent)} of {len(absent) + len(shown)}; of the style "
        f"set's {len([n for n in CONTENTS if n in absent | shown])} labels {len(labels)}: {', '.join(labels)}."
        + ("" if note == STYLED_NOTE else " No style but normal occurs."), "", "## Types", "",
        "| interaction | parts | layout | train | val | test | test side holds out | wordings (unseen) | clips |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for interaction in interactions:
        those = [line for line in made if line["id"].startswith(f"{interaction.name}_")]
        words = interaction_words(interaction.told_as)
        held_out = choreographer.sides(interaction)[0]
        sides = Counter(line["split"] for line in those)
        text.append(
            f"| {interaction.name} | {interaction.first}, {interaction.second} | {interaction.layout} | {sides['train']} | "
            f"{sides['val']} | {sides['test']} | {'clips' if held_out == 'clips' else 'combinations only'} | "
            f"{len(words.trained)} ({len(words.held_out)}) | {len({clip for line in those for clip in line['clips']})} |"
        )
    text += [
        "", "Where a part has fewer than four clips on the test side of its dataset, the test side holds out "
        "combinations of clips only: the clips themselves may be known, not together.", "",
        "Drafts thrown away: " + (", ".join(f"{why} {n}" for why, n in choreographer.rejected.items()) or "none") + ".",
        f"Made in {seconds:.0f} s.", "",
    ]  # fmt: skip
    return "\n".join(text)


def draw_sheet(shown: Sequence[tuple[str, Scene]], path: Path) -> None:
    """Draw pairs, a row each."""
    if shown:
        sheet(list(shown), path, SHOWN_FRAMES)
