"""Make the README's moving pictures with the default weights, and put their links between the README's media markers.

python scripts/make_media.py                                   # docs/media and the README, in about a minute
python scripts/make_media.py --weights FOLDER --out FOLDER     # a look at other weights; the README stays as it is
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import motifmix
from motifmix.atomic import replacing
from motifmix.credits import MADE_WITH
from motifmix.drawing.painter import Painter, View
from motifmix.drawing.strips import strip
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.motion import Motion, Scene
from motifmix.pretrained.cards import read_card

HOUSE = Path(__file__).resolve().parents[1]
MEDIA, README = HOUSE / "docs" / "media", HOUSE / "README.md"
BEGIN, END = "<!-- media: begin; written by scripts/make_media.py -->", "<!-- media: end -->"
COMMAND = "python scripts/make_media.py"

FPS = 12.5  # a GIF counts hundredths of a second: 8 of them
TILE = View(width=192, height=240, azimuth=np.radians(38.0))
CAPTION, INK, PAPER = 24, (52, 58, 66), (250, 250, 250)
COLOURS = 72
LONGEST = 4.2  # seconds of a film; what goes on longer is cut, what ends earlier holds its last pose
HOLD = 5  # frames that the end stands still before a film begins again
LARGEST = 1_350_000  # bytes of one file
FEWEST_COLOURS = 24
SATURATED = 28  # of 255, between a pixel's largest and smallest channel


@dataclass(frozen=True)
class Take:
    """One motion of a picture: what is asked, and the words below it."""

    text: str
    style: str | None
    seed: int
    seconds: float | None = None

    @property
    def caption(self) -> str:
        """What stands below the tile."""
        return self.text.removeprefix("a person ") + (f" · {self.style}" if self.style else "")


WALKS = tuple(Take("a person walks forward", s, 7, 3.6) for s in ("old", "exhausted", "active", "feminine", "youthful"))
CONTENTS = (
    Take("a person waves with both hands", "masculine", 3),
    Take("a person runs", "exhausted", 3, 3.5),
    Take("a person jumps forward", None, 5),
    Take("a person kicks with the right leg", None, 3),
    Take("a person dances", "feminine", 4, 4.5),
)
COMMAND_WALK = Take("a person walks forward", "old", 1)


def film(path: Path, motions: Sequence[Motion | Scene], captions: Sequence[str], tile: View = TILE) -> None:
    """Write motions or scenes side by side as one looping GIF, with fewer colours where it would grow too large."""
    pictures = _pictures(motions, captions, tile)
    colours = COLOURS
    while True:
        palette = _palette(pictures, colours)
        frames = [Image.fromarray(p).quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures]
        with replacing(path, force=True) as temporary:
            frames[0].save(
                temporary, format="GIF", save_all=True, append_images=frames[1:], loop=0, disposal=1,
                duration=round(100 / FPS) * 10, comment=MADE_WITH.encode(),
            )  # fmt: skip
        if path.stat().st_size <= LARGEST or colours <= FEWEST_COLOURS:
            return
        colours = colours * 3 // 4


def _pictures(motions: Sequence[Motion | Scene], captions: Sequence[str], tile: View) -> list[np.ndarray]:
    painters = [Painter(_shown(motion), tile) for motion in motions]
    foot = np.concatenate([_caption(words, tile.width) for words in captions], axis=1)
    count = max(painter.frame_count for painter in painters)
    pictures = []
    for number in range(count):
        tiles = [painter.frame(min(number, painter.frame_count - 1)) for painter in painters]
        pictures.append(np.concatenate([np.concatenate(tiles, axis=1), foot]))
    return pictures + [pictures[-1]] * HOLD


def _shown(motion: Motion | Scene) -> Motion | Scene:
    """What a film shows of a motion, or of each person in a scene."""
    if isinstance(motion, Scene):
        return Scene(tuple(_one_shown(person) for person in motion.people))
    return _one_shown(motion)


def _one_shown(motion: Motion) -> Motion:
    return motion.cropped(0, min(motion.frames, round(LONGEST * motion.fps))).resampled(FPS)


def _palette(pictures: Sequence[np.ndarray], colours: int) -> Image.Image:
    """Choose the colours of a film: a third of them for blue and terracotta, which cover little and say left and right."""
    some = np.concatenate([p.reshape(-1, 3) for p in pictures[:: max(len(pictures) // 6, 1)]])
    bright = np.ptp(some.astype(int), axis=1) > SATURATED
    chosen: list[int] = []
    for pixels, count in ((some[~bright], colours - colours // 3), (some[bright], colours // 3)):
        if len(pixels):
            row = Image.fromarray(pixels[None, :: max(len(pixels) // 60_000, 1)].copy())
            chosen += (row.quantize(count, method=Image.Quantize.MEDIANCUT, kmeans=2).getpalette() or [])[: 3 * count]
    palette = Image.new("P", (1, 1))
    palette.putpalette(chosen)
    return palette


def _caption(words: str, width: int) -> np.ndarray:
    picture = Image.new("RGB", (width, CAPTION), PAPER)
    pen = ImageDraw.Draw(picture)
    size = 14.0
    while size > 9 and pen.textlength(words, font=ImageFont.load_default(size)) > width - 8:
        size -= 0.5
    pen.text((width / 2, CAPTION / 2), words, fill=INK, font=ImageFont.load_default(size), anchor="mm")
    return np.asarray(picture)


def _page(version: str) -> str:
    def rows(file: str, takes: Sequence[Take]) -> list[str]:
        return [
            f"| {file} | {t.text} | {t.style or '–'} | {t.seed} | {f'{t.seconds:g}' if t.seconds else 'chosen'} |"
            for t in takes
        ]

    return "\n".join(
        [
            "# Pictures",
            "",
            f"Made by `{COMMAND}` from the default weights (denoiser {version}); do not edit.",
            "",
            "| file | text | style | seed | seconds |",
            "|---|---|---|---|---|",
            *rows("styles.gif", WALKS),
            *rows("contents.gif", CONTENTS),
            *rows("command.png", (COMMAND_WALK,)),
            "",
            f"These pictures are {MADE_WITH}.",
            "",
        ]
    )


def _links() -> str:
    def picture(file: str, words: str) -> str:
        return f'<img src="docs/media/{file}" alt="{escape(words)}" width="100%">'

    walks = ", ".join(t.style or "" for t in WALKS)
    others = "; ".join(t.caption.replace(" · ", ", ") for t in CONTENTS)
    return "\n\n".join(
        [
            picture("styles.gif", f"One sentence, five styles: a person walks forward, {walks}"),
            picture("contents.gif", f"Other contents: {others}"),
            picture("duets.gif", "Pairs, each person told what to do, and in a style of its own"),
            picture("command.png", "The walk of the first command below, as a strip"),
        ]
    )


def with_links(page: str) -> str:
    """Return the README's text with the pictures' links between its markers."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{README}: the markers '{BEGIN}' and '{END}' are missing; put them below the title")
    return f"{head}{BEGIN}\n{_links()}\n{END}{tail}"


def main() -> None:
    """Make everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="a folder of weights instead of the package's")
    parser.add_argument("--out", type=Path, default=MEDIA)
    chosen = parser.parse_args()
    folder = chosen.weights or PACKAGE_WEIGHTS / "default"
    out: Path = chosen.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    takes = (*WALKS, *CONTENTS, COMMAND_WALK)
    motions = motifmix.load(folder).generate(
        [t.text for t in takes],
        [t.style for t in takes],
        [t.seconds for t in takes],
        [t.seed for t in takes],
    )
    split = len(WALKS)
    film(out / "styles.gif", motions[:split], [t.style or "" for t in WALKS])
    film(out / "contents.gif", motions[split:-1], [t.caption for t in CONTENTS])
    strip(motions[-1], out / "command.png", frames=8, title=f"{COMMAND_WALK.text} · {COMMAND_WALK.style}")
    (out / "README.md").write_text(_page(read_card(folder / "denoiser.yaml").sha256[:12]), encoding="utf-8")
    for path in sorted(out.iterdir()):
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    if out == MEDIA.resolve():
        README.write_text(with_links(README.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"{README.name}: links to the pictures")


if __name__ == "__main__":
    main()
