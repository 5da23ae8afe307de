"""Whether the restyling networks learned their task: a recorded clip is given its own style, and should come back.

    python benchmarks/restyled_as_itself.py           # writes docs/restyling.json, .md and .png; a minute
    python benchmarks/restyled_as_itself.py --only fit    # one part again
    python benchmarks/restyled_as_itself.py --page    # writes the page again from the JSON

Of Aberman et al. and of Motion Puzzle, on clips of the style set that were trained and on held-out ones: how far joints are
from the recorded ones, in the person's own frame. *Arrays alone* goes through everything but the network, so a mistake in how
motions are handed over would show there. Two motionless answers stand beside. And a fresh Motion Puzzle of the recipe's size
learns a single window, to tell whether this size can hold a walk at all. Needs the prepared set bandai and the weights of
recipes/stylemotif/aberman.yaml and motion_puzzle.yaml.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.drawing.strips import sheet
from motifmix.evaluation.styled_curves import timing
from motifmix.features import restyling
from motifmix.home import home
from motifmix.models.motion_puzzle import MotionPuzzle
from motifmix.motion import Motion
from motifmix.pipelines.baselines.restyled import AbermanRestyler, PuzzleRestyler, Restyler, load_restyler
from motifmix.pretrained.cards import read_card

DOCS = Path(__file__).parents[1] / "docs"
NETWORKS = {"Aberman et al.": "aberman", "Motion Puzzle": "motion-puzzle"}
SIDES = {"train": "trained", "test": "held out"}
LONGEST = 120  # frames at 30 fps
FIT_STEPS, FIT_RATE, FIT_WINDOW = 150, 2e-3, 40


def postures(motion: Motion) -> np.ndarray:
    """Joint positions ``[T, 22, 3]`` in the person's own frame, in centimetres."""
    return 100 * restyling.UNIT * restyling.puzzle_clip(motion).motion[..., :3]


def arrays_alone(restyler: Restyler, motion: Motion) -> Motion:
    """Return what comes of a motion that goes into a network's arrays and straight out again."""
    if isinstance(restyler, AbermanRestyler):
        arrays = restyling.aberman_arrays(motion)
        return restyling.aberman_motion(arrays.content[:, : -restyling.GLOBALS], arrays)
    clip = restyling.puzzle_clip(motion)
    return restyling.puzzle_motion(clip.motion, clip, motion)


def measured(count: int) -> dict:
    """Distances of every network, side by side with what a motionless answer gives."""
    prepared, rng = Prepared(home() / "data" / "bandai"), np.random.default_rng(0)

    def drawn(split: str) -> list[Motion]:
        clips: list[Clip] = prepared.select(split=split, mirrored=False)
        return [prepared.motion(clips[n]).cropped(0, LONGEST) for n in rng.choice(len(clips), count, replace=False)]

    motions = {split: drawn(split) for split in SIDES}
    recorded = {split: [postures(motion) for motion in own] for split, own in motions.items()}
    everybody = np.concatenate(recorded["train"]).mean(axis=0)
    found: dict = {"clips": count, "networks": {}, "motionless": {}}
    for split, own in recorded.items():
        found["motionless"][split] = {
            "own": _mean([_apart(clip, clip.mean(axis=0)) for clip in own]),
            "one": _mean([_apart(clip, everybody) for clip in own]),
        }
    for title, name in NETWORKS.items():
        restyler, length = load_restyler(home() / f"weights-{name}"), timing(home() / "runs" / name)
        rows = {}
        for split, own in motions.items():
            again = [postures(restyler.restyled(motion, motion, clean_feet=False)) for motion in own]
            through = [postures(arrays_alone(restyler, motion)) for motion in own]
            rows[split] = {
                "network": _mean([_apart(a, b) for a, b in zip(again, recorded[split], strict=True)]),
                "said": _said(restyler, own),
                "arrays": _mean([_apart(a, b) for a, b in zip(through, recorded[split], strict=True)]),
            }
        found["networks"][title] = {"steps": length.steps if length else None, "rows": rows}
    return found


@torch.no_grad()
def _said(restyler: Restyler, motions: list[Motion]) -> float | None:
    """How far the positions are that Motion Puzzle's network says, before a posture with bones of our lengths is made of its axes."""
    if not isinstance(restyler, PuzzleRestyler):
        return None
    apart = []
    for motion in motions:
        features = restyling.puzzle_clip(motion).motion
        given = restyler._normalised(features)
        made = (
            restyler.network(given, given)[0].permute(2, 1, 0)[: len(features)].numpy() * restyler.std + restyler.mean
        )
        apart.append(100 * restyling.UNIT * _apart(made[..., :3], features[..., :3]))
    return _mean(apart)


def fitted() -> dict[str, float]:
    """Losses on one window of a trained walk: of the trained network, of a fresh one that sees nothing else, of standing still."""
    trained = load_restyler(home() / "weights-motion-puzzle")
    assert isinstance(trained, PuzzleRestyler)
    prepared = Prepared(home() / "data" / "bandai")
    clips = prepared.select(split="train", source="bandai-2", style="normal", mirrored=False)
    walk = next(clip for clip in clips if clip.content == "walk")
    window = restyling.puzzle_clip(prepared.motion(walk)).motion[10 : 10 + FIT_WINDOW]
    normalised = ((window - trained.mean) / trained.std).astype(np.float32)
    x = torch.from_numpy(normalised).permute(2, 1, 0)[None]
    sizes = read_card(home() / "weights-motion-puzzle" / "restyler.yaml").sizes
    torch.manual_seed(0)
    fresh = MotionPuzzle(**sizes)
    optimizer = torch.optim.AdamW(fresh.parameters(), lr=FIT_RATE)
    for _ in range(FIT_STEPS):
        made = fresh(x, x)
        loss = (made - x).abs().mean() + (made.diff(dim=-1) - x.diff(dim=-1)).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(fresh.parameters(), 1.0)
        optimizer.step()
    with torch.no_grad():
        losses = {"trained": trained.network(x, x), "fresh": fresh(x, x), "still": x.mean(dim=-1, keepdim=True)}
        return {name: float((made - x).abs().mean()) for name, made in losses.items()}


def _apart(made: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.linalg.norm(made - wanted, axis=-1).mean())


def _mean(values: list[float]) -> float:
    return float(np.mean(values))


def draw(path: Path) -> None:
    """Draw a held-out walk, as it is, in its own style and in another, by both networks."""
    prepared = Prepared(home() / "data" / "bandai")

    def clip(style: str, walks: bool) -> Motion:
        of_style = prepared.select(split="test", source="bandai-2", style=style, mirrored=False)
        return prepared.motion(next(own for own in of_style if (own.content == "walk") == walks)).cropped(0, LONGEST)

    walk, other = clip("normal", True), clip("elderly", False)
    rows: list[tuple[str | None, Motion]] = [("as recorded", walk)]
    for title, name in NETWORKS.items():
        restyler = load_restyler(home() / f"weights-{name}")
        rows += [
            (f"{title}, its own style", restyler.restyled(walk, walk)),
            (f"{title}, elderly", restyler.restyled(walk, other)),
        ]
    sheet(rows, path)


def page(found: dict) -> str:
    """Return the page."""
    lines = [
        "# What the restyling networks learned",
        "",
        "`python benchmarks/restyled_as_itself.py` wrote this page and says how; all figures are in "
        "[restyling.json](restyling.json).",
        "",
        "In the [tables](stylization.md) Aberman et al. and Motion Puzzle do badly. Before that is laid to the methods: did our "
        f"networks learn their task at all? {found['clips']} recorded clips of the style set a row are given *their own* style, "
        "which should return them. Distances of joints in the person's own frame, in centimetres; *arrays alone* leaves the "
        "network out, *positions said* are those of Motion Puzzle's own output, of whose axes the posture is made; *motionless* "
        "is each clip's mean posture held still, *one posture* that of all trained clips.",
        "",
        "| network | steps | clips | its own style | positions said | arrays alone | motionless | one posture |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for title, own in found["networks"].items():
        for split, row in own["rows"].items():
            still = found["motionless"][split]
            lines.append(
                f"| {title} | {own['steps'] or 'unknown'} | {SIDES[split]} | {row['network']:.1f} | "
                f"{'–' if row['said'] is None else format(row['said'], '.1f')} | {row['arrays']:.1f} | "
                f"{still['own']:.1f} | {still['one']:.1f} |"
            )
    lines += ["", *(verdict(title, own, found["motionless"]) for title, own in found["networks"].items()), ""]
    lines += [
        "Architecture, losses and arrays give the authors' numbers on their own body ([fidelity](fidelity.md): "
        "`aberman_*`, `motion_puzzle_*`); the networks here are variants of a fraction of the published width for 22 joints at "
        "20 fps, trained for the minutes that [every row got](style_training.md).",
        "",
    ]
    if "fit" in found:
        lines += [fit_said(found["fit"]), ""]
    lines += ["![A recorded walk in its own style and in an elderly person's](restyling.png)"]
    return "\n".join(lines) + "\n"


def fit_said(fit: dict[str, float]) -> str:
    """Say whether the network's size is what is too small."""
    sooner = fit["fresh"] < min(fit["trained"], fit["still"])
    return (
        f"Is Motion Puzzle's size here too small? A fresh network of it that sees one window of a walk alone, for {FIT_STEPS} "
        f"steps, reaches a mean error of {fit['fresh']:.2f} (normalised features) there; the trained network has "
        f"{fit['trained']:.2f} on it, its mean posture {fit['still']:.2f}. "
        + (
            "So it can follow a motion at all, and sooner than the trained one came to; whether it is large enough for all clips, "
            "with more steps, was not tried."
            if sooner
            else "So it is not shown that this size can follow a motion at all."
        )
    )


def verdict(title: str, own: dict, motionless: dict) -> str:
    """Say where a network's mistakes come from."""
    rows = own["rows"]
    arrays = max(row["arrays"] for row in rows.values())
    short = {
        name: [split for split, row in rows.items() if row["network"] > motionless[split][name]]
        for name in ("own", "one")
    }
    said = f"- **{title}**: "
    if len(short["one"]) == len(rows):
        said += "one posture for all clips would be nearer than what the network returns, on trained clips as on held-out ones: "
        said += "it has not learned its task. Its rows say what this training gives, and nothing of the method"
    elif len(short["own"]) == len(rows):
        said += "on average no nearer than each clip's mean posture held still, on trained clips as on held-out ones: it knows "
        said += "who stands how and hardly how he moves. Its rows say more of this training than of the method"
    elif short["own"]:
        said += f"holding still would be nearer on clips that are {SIDES[short['own'][0]]}"
    else:
        said += "nearer than holding each clip's mean posture still"
    return said + f". Handing motions over costs {arrays:.1f} cm at most, so the distance is the network's."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--only", nargs="+", choices=["networks", "fit", "strip"], default=["networks", "fit", "strip"])
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    store = DOCS / "restyling.json"
    found = json.loads(store.read_text("utf-8")) if store.exists() else {}
    parts = [] if options.page else options.only
    if "networks" in parts:
        found |= measured(options.clips)
    if "fit" in parts:
        found["fit"] = fitted()
    if "strip" in parts:
        draw(DOCS / "restyling.png")
    store.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    said = page(found)
    (DOCS / "restyling.md").write_text(said, "utf-8")
    print(said)


if __name__ == "__main__":
    main()
