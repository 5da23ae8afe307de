"""How well a style is carried onto recorded motions, and how well what happens in them is kept.

    python benchmarks/transfer.py --judge select --depth 0.65 --scale 1.5     # to choose settings
    python benchmarks/transfer.py                                              # the figure: the judge that scores, once
    python benchmarks/transfer.py --only kept                                  # one row again
    python benchmarks/transfer.py --page                                       # the page again from the JSON

Held-out clips of set 2 in the style *normal*, one for each of its ten contents, are given each of the six other styles
by its word. The judge names style (chance 7 %) and content of the results; the sources stand beside as the ceiling of
content and the floor of style. Settings are chosen on the first clip of each content, figures are from the last one. Each run
replaces its rows in docs/transfer_by_word.json and writes docs/transfer_by_word.md; runs with the select judge only print.
`--strip FILE.png` draws the first walk before and after. Needs the prepared set bandai.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

import motifmix
from motifmix.data.prepared import Prepared
from motifmix.drawing.strips import strip
from motifmix.evaluation.metrics import foot_skate_ratio, share_bounds
from motifmix.evaluation.tables import percent_within
from motifmix.home import home
from motifmix.motion import Motion
from motifmix.pipelines.style_transfer import DEPTH, STYLE_SCALE, Kept, StyleTransfer
from motifmix.pretrained.judges import Judge, load_judge

DOCS = Path(__file__).parents[1] / "docs"
STYLES = ("active", "elderly", "exhausted", "feminine", "masculine", "youthful")


ROWS = {
    "recordings": "recordings",
    "plain": "transferred",
    "kept": "transferred, path and contacts kept",
    "strength 0": "given no style at all (strength 0)",
}


def row(judge: Judge, motions: list[Motion], styles: list[str], contents: list[str]) -> dict[str, Any]:
    """Shares with 95 % bounds, and the share of steps that skate."""
    reading = judge.read(motions)
    shares = []
    for named, wanted in ((judge.style_names(reading), styles), (judge.content_names(reading), contents)):
        hits = sum(a == b for a, b in zip(named, wanted, strict=True))
        shares.append([hits / len(motions), *share_bounds(hits, len(motions))])
    skating = float(np.mean([foot_skate_ratio(motion.resampled(20.0).joints, 20.0) for motion in motions]))
    return {"style": shares[0], "content": shares[1], "skating": skating, "n": len(motions)}


def table(rows: dict[str, Any]) -> list[str]:
    """Lay rows out, in their order."""
    lines = ["| | style recognised | content recognised | foot skating | clips |", "|---|---|---|---|---|"]
    for key, title in ROWS.items():
        if key in rows and "style" in rows[key]:
            own = rows[key]
            lines.append(
                f"| {title} | {percent_within(*own['style'])} | {percent_within(*own['content'])} | "
                f"{100 * own['skating']:.1f} % | {own['n']} |"
            )
    return lines


def page(rows: dict[str, Any]) -> str:
    """Return the page."""
    lines = [
        "# Another style for a recording",
        "",
        "`python benchmarks/transfer.py` wrote this page and says how; all figures are in "
        "[transfer_by_word.json](transfer_by_word.json). Ten held-out recordings in the style *normal*, one a content, are "
        "given six styles each by a word, by the default weights; the judge that scores names both (95 % bounds). How far back "
        "and how strongly was chosen by another judge on other clips. These contents and styles are in the training set; "
        "[the paper's table](transfer.md) has recordings of other contents, and the other methods.",
        "",
        *table(rows),
        "",
    ]
    timed = [rows[key] for key in ("plain", "kept") if key in rows]
    if timed:
        lines.append(
            f"A style takes {max(own['seconds'] for own in timed):.2f} s of processor time a second of motion at most."
        )
    if "strength 0" in rows:
        own = rows["strength 0"]
        lines.append(
            f"At strength 0 and raw, {own['n']} recording{'s' * (own['n'] > 1)} returned within {own['mean_mm']:.1f} mm on average and "
            f"{own['worst_mm']:.0f} mm at most, of which {own['resampling_mean_mm']:.1f} and {own['resampling_worst_mm']:.0f} mm "
            "are lost on the network's 20 frames a second."
        )
    return "\n".join(lines) + "\n"


def returned(transfer: StyleTransfer, sources: list[Motion]) -> dict[str, Any]:
    """How far joints are from the recorded ones at strength 0, and after nothing but the network's frame rate, in mm."""
    distances: dict[str, list[np.ndarray]] = {"": [], "resampling_": []}
    made = transfer.transfer(sources, ["old"] * len(sources), strength=0.0, clean_feet=False)
    for source, own in zip(sources, made, strict=True):
        for name, result in (
            ("", own.resampled(source.fps)),
            ("resampling_", source.resampled(20.0).resampled(source.fps)),
        ):
            frames = min(len(result.joints), len(source.joints))
            apart = np.linalg.norm(result.joints[:frames] - source.joints[:frames], axis=-1)
            distances[name].append(1000 * apart)
    found: dict[str, Any] = {"n": len(sources)}
    for name, each in distances.items():
        found[f"{name}mean_mm"] = float(np.mean([own.mean() for own in each]))
        found[f"{name}worst_mm"] = float(max(own.max() for own in each))
    return found


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", choices=["select", "score"], default="score")
    parser.add_argument("--depth", type=float, default=DEPTH)
    parser.add_argument("--scale", type=float, default=STYLE_SCALE)
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--strip", type=Path)
    options = parser.parse_args()
    store = DOCS / "transfer_by_word.json"
    rows = json.loads(store.read_text("utf-8")) if store.exists() and options.judge == "score" else {}
    if not options.page:
        rows |= measured(options)
        print("\n".join(table(rows)))
        if options.judge == "select":
            return
        store.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    (DOCS / "transfer_by_word.md").write_text(page(rows), "utf-8")


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """The rows that are asked for."""
    prepared = Prepared(home() / "data" / "bandai")
    by_content: dict[str, list[Motion]] = {}
    for clip in prepared.select(split="test", source="bandai-2", style="normal", mirrored=False):
        by_content.setdefault(str(clip.content), []).append(prepared.motion(clip))
    place = 0 if options.judge == "select" else -1
    asked = [(clips[place], content, style) for content, clips in by_content.items() for style in STYLES]
    sources, contents, styles = (list(column) for column in zip(*asked, strict=True))
    judge, transfer = load_judge(options.judge), StyleTransfer(motifmix.load())
    rows: dict[str, Any] = {}
    if "recordings" in options.only:
        rows["recordings"] = row(judge, sources, styles, contents)
    for key, kept in (("plain", Kept()), ("kept", Kept(path=True, contacts=True))):
        if key not in options.only:
            continue
        begun = time.process_time()
        results = transfer.transfer(sources, styles, keep=kept, depth=options.depth, style_scale=options.scale)
        took = (time.process_time() - begun) / sum(motion.seconds for motion in sources)
        rows[key] = {**row(judge, results, styles, contents), "seconds": took}
    if "strength 0" in options.only:
        rows["strength 0"] = returned(transfer, [clips[place] for clips in by_content.values()])
    if options.strip:
        walk = next(place for place, (_, content, style) in enumerate(asked) if (content, style) == ("walk", "elderly"))
        before = sources[walk].cropped(0, 120)
        (after,) = transfer.transfer([before], ["old"])
        for name, motion in (("before", before), ("after", after)):
            strip(motion, options.strip.with_stem(f"{options.strip.stem}_{name}"), frames=6)
    return rows


if __name__ == "__main__":
    main()
