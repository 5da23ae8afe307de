"""Draw the pictures of docs/mixermdm.md, and the README's film of pairs, with the weights that `motifmix duet` takes.

python scripts/draw_duets.py          # docs/media/duets.gif, duet_greet.png, duet_weights.png
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import motifmix
from motifmix.apps.duet import plotted
from motifmix.drawing.painter import View
from motifmix.drawing.strips import sheet

sys.path.insert(0, str(Path(__file__).parent))
import make_media


@dataclass(frozen=True)
class Pair:
    """What is asked of two people, and the words below the film."""

    text: str
    people: tuple[str, str]
    styles: tuple[str | None, str | None]
    seed: int
    caption: str


GREET = Pair(
    "two people greet each other", ("a person waves with both hands", "a person waves with the right hand"), (None, None),
    1, "they greet: two hands, one hand",
)  # fmt: skip
FOLLOW = Pair(
    "one person follows the other", ("a person walks forward", "a person walks forward"), ("old", "feminine"), 7,
    "one follows · old, feminine",
)  # fmt: skip
PUNCH = Pair(
    "one person punches, the other steps back", ("a person punches", "a person steps back"), (None, None), 1,
    "one boxes, one steps back",
)  # fmt: skip
PAIRS = (GREET, FOLLOW, PUNCH)
TILE = View(width=320, height=240, azimuth=np.radians(38.0))


def main(out: Path) -> None:
    """Write the pictures."""
    out.mkdir(parents=True, exist_ok=True)
    duet = motifmix.load_duet()
    composed = duet.compose(GREET.text, GREET.people, seed=GREET.seed)
    others = [duet.generate(p.text, p.people, styles=p.styles, seed=p.seed) for p in PAIRS[1:]]
    scenes = [composed.scene, *others]
    make_media.film(out / "duets.gif", scenes, [p.caption for p in PAIRS], TILE)
    sheet(
        [(f"{p.text} · {p.caption}", scene) for p, scene in zip(PAIRS[:2], scenes, strict=False)],
        out / "duet_greet.png",
    )
    draw = plotted(composed, GREET.text)
    if draw is None:
        raise SystemExit("there is no individual model to mix; train recipes/duets/individual.yaml")
    draw(out / "duet_weights.png")
    for name in ("duets.gif", "duet_greet.png", "duet_weights.png"):
        print(f"{name}: {(out / name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=make_media.MEDIA)
    main(parser.parse_args().out)
