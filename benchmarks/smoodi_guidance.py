"""Choose how strongly SMooDi's style network pulls, by the judge that selects (never the one that scores).

    python benchmarks/smoodi_guidance.py --scales 0 0.02 0.05 0.1 0.2 --forms paper code

Locomotion and gestures of set 2 in its six marked styles, each guided by a training clip of the style with another
content. Prints style and content recognised and foot skating for each setting. Needs weights-smoodi and the prepared set bandai.
"""

import argparse
from pathlib import Path

import numpy as np

from motifmix.data.captions import draw_caption
from motifmix.data.prepared import Prepared
from motifmix.evaluation.metrics import foot_skate_ratio
from motifmix.home import home
from motifmix.pipelines.baselines.smoodi import LatentSMooDi
from motifmix.pretrained.judges import load_judge
from motifmix.style.statistics_guidance import PullOptions

STYLES = ("active", "elderly", "exhausted", "feminine", "masculine", "youthful")
CONTENTS = ("walk", "run", "wave-both-hands", "raise-up-right-hand")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=home() / "weights-smoodi")
    parser.add_argument("--scales", type=float, nargs="+", default=[0.0, 0.02, 0.05, 0.1, 0.2])
    parser.add_argument("--forms", nargs="+", choices=["paper", "code"], default=["paper"])
    parser.add_argument("--style-scale", type=float, default=1.5)
    parser.add_argument("--contents", nargs="+", default=list(CONTENTS))
    options = parser.parse_args()
    prepared, judge, rng = Prepared(home() / "data" / "bandai"), load_judge("select"), np.random.default_rng(0)
    texts, contents, styles, clips = [], [], [], []
    for content in options.contents:
        for style in STYLES:
            others = [
                clip
                for clip in prepared.select(split="train", source="bandai-2", style=style, mirrored=False)
                if clip.content != content
            ]
            texts.append(draw_caption(content, False, rng))
            contents.append(content)
            styles.append(style)
            clips.append(prepared.motion(others[int(rng.integers(len(others)))]))
    print("| form | scale | style recognised | content recognised | foot skating | clips |\n|---|---|---|---|---|---|")
    for form in options.forms:
        for scale in options.scales:
            pull = PullOptions(scale=scale) if scale > 0 else None
            pipeline = LatentSMooDi(options.weights, guidance=pull, form=form)
            made = pipeline.generate(texts, clips, 4.0, 0, style_scale=options.style_scale)
            reading = judge.read(made)
            right = [
                np.mean([a == b for a, b in zip(named, wanted, strict=True)])
                for named, wanted in ((judge.style_names(reading), styles), (judge.content_names(reading), contents))
            ]
            skating = np.mean([foot_skate_ratio(motion.resampled(20.0).joints, 20.0) for motion in made])
            print(
                f"| {form} | {scale:g} | {100 * right[0]:.0f} % | {100 * right[1]:.0f} % | {100 * skating:.1f} % "
                f"| {len(made)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
