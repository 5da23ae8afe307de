"""Whether adopting a style from one clip helps beyond handing the clip over as the style.

    python benchmarks/adopt.py --judge select --styles elderly giant                 # to choose settings: other questions
    python benchmarks/adopt.py --weights weights-seen                                # styles that are known: the score judge
    python benchmarks/adopt.py --weights weights-unseen-elderly --styles elderly     # a style that these weights never saw

One held-out clip of the style is taken (walking where there is one); set 2's other contents are asked for, by their caption,
in that style: given the clip itself (``--style clip.bvh``), and by the name that ``motifmix adopt`` learned from the same
clip. Each run replaces its weights' rows in docs/adopt.json and writes docs/adopt.md; runs with the select judge only print.
They ask nothing that is scored: their clip is one of the training side, the wording of each content another, as far as it
has several, and so are all seeds. ``--page`` writes the page again from the JSON. Seconds are processor time of the learning
on one thread. Needs the prepared set bandai.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from motifmix.data.captions import captions
from motifmix.data.labels import SET_2_CONTENTS, SET_2_STYLES
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.evaluation.metrics import foot_skate_ratio, share_bounds
from motifmix.evaluation.tables import percent_within
from motifmix.home import PACKAGE_WEIGHTS, home
from motifmix.motion import Motion
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.pretrained.judges import Judge, load_judge
from motifmix.training.adoption import AdoptOptions, adopt

DOCS = Path(__file__).parents[1] / "docs"
FEW = 4  # rows are drawn for this many seeds a content
SELECTING_SEEDS = 1000  # seeds to choose by begin here, those that are scored at 0


def reference(prepared: Prepared, style: str, number: int, *, selecting: bool) -> Clip:
    """One clip of a style, walking where there is one, of set 2 before set 1: held out, or of the training side to choose by."""
    clips = prepared.select(split="train" if selecting else "test", style=style, mirrored=False)
    clips.sort(key=lambda clip: (clip.content != "walk", clip.source != "bandai-2", clip.id))
    return clips[number % max(1, sum(clip.content == clips[0].content for clip in clips))]


def asked(content: str, seeds: int, *, selecting: bool) -> list[tuple[str, str, int]]:
    """Captions of set 2's contents but one, with seeds."""
    wording, first = (1, SELECTING_SEEDS) if selecting else (0, 0)
    return [
        (own, captions(own)[wording % len(captions(own))], seed)
        for own in SET_2_CONTENTS
        if own != content
        for seed in range(first, first + seeds)
    ]


def read(judge: Judge, motions: list[Motion], style: str, contents: list[str]) -> dict:
    """What the judge makes of motions that should have a style and contents."""
    reading = judge.read(motions)
    names, said = judge.style_names(reading), judge.content_names(reading)
    return {
        "style": [name == style for name in names],
        "probability": reading.style[:, judge.card.styles.index(style)].tolist(),
        "content": [name == content for name, content in zip(said, contents, strict=True)],
        "skating": [foot_skate_ratio(motion.joints, motion.fps) for motion in motions],
    }


def measured(
    model: TextToMotion,
    judge: Judge,
    styles: list[str],
    options: AdoptOptions,
    seeds: int,
    clips: int,
    *,
    selecting: bool,
) -> dict:
    """All styles and clips, given and adopted."""
    prepared = Prepared(home() / "data" / "bandai")
    found: dict[str, dict[str, list]] = {}
    seconds = []
    for style in styles:
        for number in range(clips):
            clip = reference(prepared, style, number, selecting=selecting)
            motion = prepared.motion(clip).grounded()
            questions = asked(str(clip.content), seeds, selecting=selecting)
            contents, texts, numbers = (list(column) for column in zip(*questions, strict=True))
            begun = time.process_time()
            learned = adopt(model, [motion], [captions(str(clip.content))[0]], options)
            seconds.append(time.process_time() - begun)
            given = [motion] * len(texts)
            made = {
                "given": model.generate(texts, given, None, numbers),
                "given, style scale 3": model.generate(texts, given, None, numbers, style_scale=3.0),
            }
            model.denoiser.adopted.append(learned)
            vector = torch.cat([learned.vector, torch.ones(1)])
            made["adopted"] = with_vector(model, vector, texts, numbers)
            model.denoiser.adopted.pop()
            for way, motions in made.items():
                for key, values in read(judge, motions, style, contents).items():
                    found.setdefault(way, {}).setdefault(key, []).extend(values)
    rows = {way: summary(values) for way, values in found.items()}
    return {"styles": styles, "clips_a_style": clips, "seconds": float(np.mean(seconds)), "rows": rows}


def with_vector(model: TextToMotion, vector: torch.Tensor, texts: list[str], seeds: list[int]) -> list[Motion]:
    """Generate with a style vector as it is, which no reference gives."""
    vectors = model.vectors

    def given(said, styles):
        text, _, _ = vectors(said, [None] * len(said))
        return text, vector.expand(len(said), -1).clone(), torch.ones(len(said), dtype=torch.bool)

    model.vectors = given  # type: ignore[method-assign]
    try:
        return model.generate(texts, None, None, seeds)
    finally:
        model.vectors = vectors  # type: ignore[method-assign]


def summary(values: dict[str, list]) -> dict:
    """Shares with their bounds, and means."""
    shares = {key: [float(np.mean(values[key])), *share_bounds(sum(values[key]), len(values[key]))]
              for key in ("style", "content")}  # fmt: skip
    return {
        **shares,
        **{key: float(np.mean(values[key])) for key in ("probability", "skating")},
        "n": len(values["style"]),
    }


def verdict(found: dict) -> str:
    """Say what the rows of all weights come to: whether adopting helps, and whether it reaches what was aimed at."""
    rows = [own["rows"] for own in found.values()]
    given, scaled, adopted = (
        [row[way]["style"] for row in rows] for way in ("given", "given, style scale 3", "adopted")
    )
    surely = sum(own[1] > max(one[2], other[2]) for own, one, other in zip(adopted, given, scaled, strict=True))
    mostly = sum(own[0] > 0.5 for own in adopted)
    kept = sum(row["adopted"]["content"][2] >= row["given"]["content"][0] for row in rows)
    return (
        f"**What it comes to.** Adopted, the style is recognised in {_range(adopted)} of clips; given as a clip, in "
        f"{_range(given)}, and with twice the guidance in {_range(scaled)}. In {surely} of {len(rows)} sets of weights adopting "
        f"is ahead of both beyond the intervals, in {mostly} the style is recognised in more than half of the clips. In {kept} "
        "of them no content is shown to be lost. These are contents that the judge reads easily; what is lost on harder ones "
        "is not measured. Beside it: [styles never seen](unseen_styles.md), where half-way to a seen style is the aim."
    )


def _range(shares: list[list[float]]) -> str:
    low, high = (100 * pick(own[0] for own in shares) for pick in (min, max))
    return f"{low:.0f} %" if round(low) == round(high) else f"{low:.0f} to {high:.0f} %"


def page(found: dict) -> str:
    """Return the page."""
    lines = [
        "# Adopted styles",
        "",
        "`python benchmarks/adopt.py` wrote this page (its text says with which options); all figures are in "
        "[adopt.json](adopt.json). Set 2's contents but the clip's own, asked for by their caption in a style of which there "
        "is one clip: *given* hands the clip over as the style (also with more guidance), *adopted* is what `motifmix adopt` "
        "learned from it. The judge that scores names the style (chance 7 %) and the content.",
        "",
        verdict(found),
        "",
        "| weights | styles | | style recognised | its probability | content recognised | foot skating | clips made |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for weights, own in found.items():
        for way, row in own["rows"].items():
            shares = [percent_within(*row[key]) for key in ("style", "content")]
            lines.append(
                f"| {weights} | {', '.join(own['styles'])} | {way} | {shares[0]} | {row['probability']:.2f} | {shares[1]} | "
                f"{100 * row['skating']:.1f} % | {row['n']} |"
            )
    slowest = max((own["seconds"] for own in found.values()), default=0.0)
    closing = (
        f"Learning takes {slowest:.0f} s of processor time on one thread. Its settings were chosen by the judge that selects, "
        "but before its questions were parted from those of this table: on the same clip, captions and seeds. To that extent "
        "*adopted* is shown kindly."
    )
    return "\n".join([*lines, "", closing, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", choices=["select", "score"], default="score")
    parser.add_argument("--weights", help="a folder, or one below MOTIFMIX_HOME; the default weights")
    parser.add_argument("--styles", nargs="+", default=[style for style in SET_2_STYLES if style != "normal"])
    parser.add_argument("--seeds", type=int, default=FEW)
    parser.add_argument("--clips", type=int, default=1)
    parser.add_argument("--set", nargs="*", default=[], help="options of the learning, as in keep=0.2")
    parser.add_argument("--page", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    store = DOCS / "adopt.json"
    found = json.loads(store.read_text("utf-8")) if store.exists() else {}
    if not chosen.page:
        changes = {
            name: type(getattr(AdoptOptions(), name))(value) for name, value in (own.split("=") for own in chosen.set)
        }
        model = TextToMotion(home() / chosen.weights if chosen.weights else PACKAGE_WEIGHTS / "default")
        options = replace(AdoptOptions(), **changes)
        selecting = chosen.judge == "select"
        own = measured(
            model, load_judge(chosen.judge), chosen.styles, options, chosen.seeds, chosen.clips, selecting=selecting
        )
        if selecting:
            print(json.dumps({**changes, **own}))
            return
        found[chosen.weights or "default"] = own
        store.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (DOCS / "adopt.md").write_text(page(found), "utf-8")
    print(page(found))


if __name__ == "__main__":
    main()
