"""Whether generated motions do what they are asked, in no style and in several: told by geometry, not by a recogniser.

    python benchmarks/actions.py            # the default weights; writes docs/actions.json and docs/actions.md
    python benchmarks/actions.py --page     # writes the page again from the JSON

Everyday wordings of actions, each with several seeds; the length is the model's own choice. Beside them stands how
many real clips that are said or labelled so pass the same check (the held-out side is the ceiling; on the training side
the limits were chosen), and how many real walks do. Needs the prepared sets `bandai` and `cmu`.
"""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path

import torch

from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.evaluation.deeds import DEEDS, does, standing_joints
from motifmix.evaluation.metrics import share_bounds
from motifmix.evaluation.tables import percent_within
from motifmix.home import PACKAGE_WEIGHTS, home
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.training.texts import caption_texts, content_texts

DOCS = Path(__file__).parents[1] / "docs"
STYLES = (None, "old", "exhausted", "feminine", "angry", "active", "childish")
MOST_REAL = 60  # clips of one label
LOW, LOSS = 0.5, 0.2  # shares below the one, and styles that take more than the other, are named in words
WORDINGS = {
    "jump": ("a person jumps", "a person jumps up", "someone jumps into the air"),
    "sit down": (
        "a person sits down",
        "someone sits down on a chair",
        "a man takes a seat",
        "someone sits on the couch",
        "the woman sits down slowly",
    ),
    "stand up": (
        "a person stands up",
        "someone gets up from a chair",
        "a woman rises from her seat",
        "he gets off the couch",
    ),
    "kick": ("a person kicks", "someone kicks a ball", "a person kicks with the right leg"),
    "punch": ("a person punches", "someone throws a punch", "a man is boxing"),
    "bow": ("a person bows", "someone takes a bow", "a person bows politely"),
    "walk": (
        "a person walks",
        "someone walks forward",
        "a man goes for a walk",
        "a woman walks in the park",
        "someone walks along the beach",
        "a person walks through a forest",
        "a man walks down the street",
        "an old lady walks to the shop",
        "a girl walks her dog",
    ),
    "walk backwards": ("a person walks backwards", "someone is walking backward", "a person moves backwards"),
    "run": ("a person runs", "someone is jogging", "a man runs fast", "a woman runs across a meadow"),
    "wave": ("a person waves", "someone waves hello", "a woman waves her hand", "a man waves at the airport"),
    "turn around": ("a person turns around", "someone spins around", "a person turns to face the other way"),
    "crouch": ("a person squats", "someone crouches down", "a person does a squat"),
    "raise both hands": ("a person raises both hands", "someone puts their hands up", "a person lifts both arms"),
    "pick up": ("a person picks something up", "someone picks up a box", "a person picks a thing up from the floor"),
}
# What a real clip's caption says, which labels of the style set are meant, and the tag of takes that train without text.
REAL = {
    "jump": (r"\bjump", (), "jump"),
    "sit down": (r"\bsits?\b|\bsitting", (), "sit"),
    "stand up": (r"\b(gets?|getting|stands?|standing|pulled) up\b", (), "stand up"),
    "kick": (r"\bkick", ("kick",), "kick"),
    "punch": (r"\bpunch|\bboxes\b|boxing", ("punch",), "punch"),
    "bow": (r"\bbows\b", ("bow",), "bow"),
    "walk": (r"\bwalk(s|ing)( forwards?)?\.?$", ("walk",), "walk"),
    "walk backwards": (r"\bwalk(s|ing) backwards?\b", ("walk-back",), "walk backwards"),
    "run": (r"\b(run(s|ning)?|jog(s|ging)?)\b", ("run", "dash"), "run"),
    "wave": (r"\bwav(es|ing)\b", ("wave-both-hands", "wave-left-hand", "wave-right-hand", "bye", "byebye"), "wave"),
    "turn around": (r"\bturn(s|ing) a?round|pirouette", (), "turn"),
    "crouch": (r"\bsquat|\bcrouch", (), "crouch"),
    "raise both hands": (r"\b(rais|lift)\w+ (both|the|their|his|her) (arms|hands)", ("raise-up-both-hands",), "lift"),
    "pick up": (r"\bpick(s|ing)\b", (), "pick up"),
}  # fmt: skip


def share(hits: Sequence[bool]) -> dict:
    """Return the count of hits, of all, and the share with its bounds."""
    own = {"hits": sum(hits), "clips": len(hits)}
    return (
        own if not hits else {**own, "share": sum(hits) / len(hits), "bounds": list(share_bounds(sum(hits), len(hits)))}
    )


def real_clips(sets: Sequence[Prepared], deed: str, split: str) -> tuple[list[bool], list[bool]]:
    """Return which real clips said or labelled so do a deed, and which takes tagged so that train without text do."""
    said, contents, tag = REAL[deed]
    told, untold = [], []
    for folder in sets:
        for clip in _spread(folder.select(split=split, mirrored=False, where=lambda clip: clip.contacts)):
            if clip.content in contents or any(re.search(said, caption, re.I) for caption in clip.captions):
                told.append(does(deed, folder.motion(clip)))
            elif not clip.captions and tag in clip.actions:
                untold.append(does(deed, folder.motion(clip)))
    return told, untold


def trained(sets: Sequence[Prepared]) -> set[str]:
    """Return what the wordings share with the texts of training clips word for word; case and full stops count for nothing."""
    said = set()
    for folder in sets:
        for clip in folder.select(split="train"):
            told = content_texts(clip.content, clip.content_mirrored) if clip.content else []
            said.update(_bare(text) for caption in clip.captions for text in caption_texts(caption))
            said.update(map(_bare, told))
    return {text for texts in WORDINGS.values() for text in texts if _bare(text) in said}


def _bare(text: str) -> str:
    return text.lower().strip(" .!")


def _spread(clips: list[Clip]) -> list[Clip]:
    """Leave at most ``MOST_REAL`` clips of each label, evenly; clips with captions stay all."""
    kept, labelled = [], dict[str, list[Clip]]()
    for clip in clips:
        labelled.setdefault(clip.content or "", []).append(clip)
    for content, own in labelled.items():
        kept += own if not content else own[:: -(-len(own) // MOST_REAL)]
    return kept


def measured(model: TextToMotion, sets: Sequence[Prepared], seeds: int) -> dict:
    """Ask for everything, and read what was made and what is real."""
    asked = [
        (deed, text, style, seed)
        for deed, texts in WORDINGS.items()
        for text in texts
        for style in STYLES
        for seed in range(seeds)
    ]
    motions = model.generate(
        [text for _, text, _, _ in asked], [style for _, _, style, _ in asked], None, [seed for *_, seed in asked]
    )
    seen = [standing_joints(motion) for motion in motions]
    done = [DEEDS[deed].done(joints) for (deed, *_), joints in zip(asked, seen, strict=True)]
    opposite = [
        not hit and (other := DEEDS[deed].opposite) is not None and DEEDS[other].done(joints)
        for (deed, *_), joints, hit in zip(asked, seen, done, strict=True)
    ]
    walks = [
        standing_joints(folder.motion(clip))
        for folder in sets
        for clip in _spread(folder.select(split="test", mirrored=False, where=lambda clip: clip.contacts))
        if clip.content == "walk" or any(re.search(REAL["walk"][0], caption, re.I) for caption in clip.captions)
    ]
    rows = {}
    for deed, texts in WORDINGS.items():
        own = [place for place, (name, *_) in enumerate(asked) if name == deed]
        train, untold = real_clips(sets, deed, "train")
        rows[deed] = {
            "held out": share(real_clips(sets, deed, "test")[0]), "training": share(train),
            "training without text": share(untold), "real walks": share([DEEDS[deed].done(joints) for joints in walks]),
            "styles": {
                style or "no style": {
                    "done": share([done[i] for i in own if asked[i][2] == style]),
                    **({"opposite": share([opposite[i] for i in own if asked[i][2] == style])} if DEEDS[deed].opposite else {}),
                }
                for style in STYLES
            },
            "wordings": {
                text: {
                    style or "no style": share([done[i] for i in own if asked[i][1:3] == (text, style)]) for style in STYLES
                }
                for text in texts
            },
        }  # fmt: skip
    return {"seeds": seeds, "clips": len(asked), "rows": rows, "trained wordings": sorted(trained(sets))}


def page(found: dict) -> str:
    """Return the page."""
    known, rows, styles = set(found["trained wordings"]), found["rows"], [style or "no style" for style in STYLES]
    lines = [
        "# Does it do what it is asked?",
        "",
        "`python benchmarks/actions.py` wrote this page; all figures, with their intervals, are in "
        "[actions.json](actions.json).",
        "",
        f"Geometry tells, no recogniser (`evaluation/deeds.py`). Each action is asked in {min(map(len, WORDINGS.values()))} to "
        f"{max(map(len, WORDINGS.values()))} everyday wordings with {found['seeds']} seeds each ({found['clips']} clips in all), "
        "without a style and in "
        f"{len(STYLES) - 1} styles; brackets hold 95 % intervals. *Real, held out*: held-out clips whose caption or label names "
        "the action, many of which do something else as well: the ceiling. *Real walks* that pass tell how easily "
        "a check is passed by chance.",
        "",
        *(f"- {sentence}" for sentence in findings(found)),
        "",
        "| action | counts as done when | real, held out | real walks | " + " | ".join(styles) + " |",
        "|" + "---|" * (4 + len(styles)),
    ]
    for deed, row in rows.items():
        made = [_percent(row["styles"][style]["done"], style == "no style") for style in styles]
        real = [_count(row["held out"]), _count(row["real walks"])]
        lines.append(f"| {' | '.join([deed, DEEDS[deed].said, *real, *made])} |")
    lines += [
        "",
        "## What the models were shown",
        "",
        "Clips of the training side, mirror images not counted. *With text*: those whose caption or label names the action, "
        "and how many of them do it by the same check (its limits were chosen on them). *Without text*: takes that are "
        "tagged so and train without a caption, as they are longer than the caption rule allows ([data](data.md)), and how "
        "many of them do it.",
        "",
        "| action | with text | without text |",
        "|---|---|---|",
        *(
            f"| {deed} | {_count(row['training'])} | {_count(row['training without text'])} |"
            for deed, row in rows.items()
        ),
        "",
        "## Each wording",
        "",
        f"Wordings with a * are texts of training clips, word for word: {len(known)} of "
        f"{sum(map(len, WORDINGS.values()))}; others may differ from one by whom they speak of (`data/words/events.yaml` holds the "
        "sentences of sitting). The clips that they made are new all the same.",
        "",
        "| text | " + " | ".join(styles) + " |",
        "|" + "---|" * (1 + len(styles)),
    ]
    for row in rows.values():
        lines += [
            f"| {text}{' *' if text in known else ''} | "
            + " | ".join(_percent(own[style], False) for style in styles)
            + " |"
            for text, own in row["wordings"].items()
        ]
    return "\n".join([*lines, ""])


def findings(found: dict) -> list[str]:
    """Say in words what the figures say."""
    rows = found["rows"]
    plain = {deed: row["styles"]["no style"]["done"] for deed, row in rows.items()}
    said = []
    for deed, row in rows.items():
        asked = row["styles"]["no style"]
        if "opposite" in asked and asked["opposite"]["share"] > asked["done"]["share"]:
            said.append(
                f"Asked to {deed}, the person does the opposite ({DEEDS[deed].opposite}) in {_count(asked['opposite'])} "
                f"clips without a style, and does it in {_count(asked['done'])}; of the training clips whose text names "
                f"it {_count(row['training'])} do it."
            )
    low = [f"{deed} ({_count(own)})" for deed, own in plain.items() if own["share"] < LOW]
    if low:
        said.append(f"Less than half do as they are asked without a style: {', '.join(low)}.")
    lost = []
    for deed, row in rows.items():
        shares = {style: own["done"]["share"] for style, own in row["styles"].items() if style != "no style"}
        worse = sorted((value, style) for style, value in shares.items() if value < plain[deed]["share"] - LOSS)
        if worse:
            named = ", ".join(f"{style} {100 * value:.0f} %" for value, style in worse)
            lost.append(f"{deed} ({100 * plain[deed]['share']:.0f} % without a style; {named})")
    if lost:
        said.append(f"A style costs more than {100 * LOSS:.0f} points of the action: {'; '.join(lost)}.")
    uneven = []
    for row in rows.values():
        shares = {text: own["no style"]["share"] for text, own in row["wordings"].items()}
        best, worst = max(shares, key=shares.__getitem__), min(shares, key=shares.__getitem__)
        if shares[best] - shares[worst] > LOW:
            uneven.append(f"'{best}' {100 * shares[best]:.0f} %, '{worst}' {100 * shares[worst]:.0f} %")
    if uneven:
        said.append(f"The wording decides: {'; '.join(uneven)} (without a style).")
    return said


def _count(own: dict) -> str:
    return f"{own['hits']} of {own['clips']}" if own["clips"] else "none"


def _percent(own: dict, bounds: bool) -> str:
    return percent_within(own["share"], *own["bounds"]) if bounds else f"{100 * own['share']:.0f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--weights", help="a folder, or one below MOTIFMIX_HOME; then the page is printed and not written"
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--page", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    store = DOCS / "actions.json"
    if chosen.page:
        found = json.loads(store.read_text("utf-8"))
    else:
        model = TextToMotion(home() / chosen.weights if chosen.weights else PACKAGE_WEIGHTS / "default")
        found = measured(model, [Prepared(home() / "data" / name) for name in ("bandai", "cmu")], chosen.seeds)
    print(page(found))
    if chosen.weights is None:
        store.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        (DOCS / "actions.md").write_text(page(found), "utf-8")


if __name__ == "__main__":
    main()
