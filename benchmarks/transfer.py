"""How well a style is carried onto recorded motions, and how well what happens in them is kept.

    python benchmarks/transfer.py --judge select --depth 0.65 --scale 1.5     # to choose settings
    python benchmarks/transfer.py                                              # the figure: the judge that scores, once

Held-out clips of set 2 in the style *normal*, one for each of its ten contents, are given each of the six other styles
by its word. The judge names style (chance 7 %) and content of the results; the sources stand beside as the ceiling of
content and the floor of style. Settings are chosen on the first clip of each content, figures are from the last one.
Prints a markdown table; `--strip FILE.png` draws the first walk before and after. Needs the prepared set bandai.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import motifmix
from motifmix.data.prepared import Prepared
from motifmix.drawing.strips import strip
from motifmix.evaluation.judges import Judge, load_judge
from motifmix.evaluation.metrics import foot_skate_ratio, share_bounds
from motifmix.evaluation.tables import percent_within
from motifmix.home import home
from motifmix.motion import Motion
from motifmix.pipelines.style_transfer import DEPTH, STYLE_SCALE, Kept, StyleTransfer

STYLES = ("active", "elderly", "exhausted", "feminine", "masculine", "youthful")


def row(name: str, judge: Judge, motions: list[Motion], styles: list[str], contents: list[str]) -> str:
    """One line of the table: shares with 95 % bounds, and the share of steps that skate."""
    reading = judge.read(motions)
    shares = []
    for named, wanted in ((judge.style_names(reading), styles), (judge.content_names(reading), contents)):
        hits = sum(a == b for a, b in zip(named, wanted, strict=True))
        shares.append(percent_within(hits / len(motions), *share_bounds(hits, len(motions))))
    skating = np.mean([foot_skate_ratio(motion.resampled(20.0).joints, 20.0) for motion in motions])
    return f"| {name} | {shares[0]} | {shares[1]} | {100 * skating:.1f} % | {len(motions)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", choices=["select", "score"], default="score")
    parser.add_argument("--depth", type=float, default=DEPTH)
    parser.add_argument("--scale", type=float, default=STYLE_SCALE)
    parser.add_argument("--kept", action="store_true", help="a row with the path and the contacts kept, too")
    parser.add_argument("--strip", type=Path)
    options = parser.parse_args()
    prepared = Prepared(home() / "data" / "bandai")
    by_content: dict[str, list[Motion]] = {}
    for clip in prepared.select(split="test", source="bandai-2", style="normal", mirrored=False):
        by_content.setdefault(str(clip.content), []).append(prepared.motion(clip))
    place = 0 if options.judge == "select" else -1
    asked = [(clips[place], content, style) for content, clips in by_content.items() for style in STYLES]
    sources, contents, styles = (list(column) for column in zip(*asked, strict=True))
    judge, transfer = load_judge(options.judge), StyleTransfer(motifmix.load())
    print("| | style recognised | content recognised | foot skating | clips |\n|---|---|---|---|---|")
    print(row("source", judge, sources, styles, contents))
    ways = [Kept(), *([Kept(path=True, contacts=True)] if options.kept else [])]
    for kept in ways:
        begun = time.process_time()
        results = transfer.transfer(sources, styles, keep=kept, depth=options.depth, style_scale=options.scale)
        took = (time.process_time() - begun) / sum(motion.seconds for motion in sources)
        name = "transferred, path and contacts kept" if kept.path else "transferred"
        print(row(name, judge, results, styles, contents), f"<!-- {took:.2f} s of processor a second of motion -->")
    if options.strip:
        walk = next(place for place, (_, content, style) in enumerate(asked) if (content, style) == ("walk", "elderly"))
        before = sources[walk].cropped(0, 120)
        (after,) = transfer.transfer([before], ["old"])
        for name, motion in (("before", before), ("after", after)):
            strip(motion, options.strip.with_stem(f"{options.strip.stem}_{name}"), frames=6)


if __name__ == "__main__":
    main()
