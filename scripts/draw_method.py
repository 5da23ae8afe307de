"""Draw the pictures of docs/stylemotif.md with the default weights: the fusion in one diagram, strength, blends.

python scripts/draw_method.py          # docs/media/stylemotif.svg, stylemotif_strength.png, stylemotif_blend.png
"""

from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

import motifmix
from motifmix.atomic import replacing
from motifmix.drawing.strips import sheet
from motifmix.motion import MOTIFMIX, Motion
from motifmix.pipelines.text_to_motion import TextToMotion

MEDIA = Path(__file__).resolve().parents[1] / "docs" / "media"
TEXT, SEED, SECONDS = "a person walks forward", 7, 3.2
STRENGTHS = (0.0, 0.5, 1.0, 1.5)
BLEND = ("exhausted", "active")
SHARES = (0.0, 0.35, 0.65, 1.0)
INK, LINE, BOX, STYLE, PLAIN = "#343a42", "#7b8794", "#eef1f4", "#f6c9b3", "#cfe0ee"


def strength_rows(model: TextToMotion) -> list[tuple[str, Motion]]:
    """One seed, one style, more and more of it."""
    return [
        (f"{TEXT} · old · strength {s:g}", model.generate([TEXT], ["old"], SECONDS, [SEED], strength=s)[0])
        for s in STRENGTHS
    ]


def blend_rows(model: TextToMotion) -> list[tuple[str, Motion]]:
    """One seed between two styles."""
    first, second = BLEND
    rows = []
    for share in SHARES:
        style = [(name, weight) for name, weight in ((first, 1.0 - share), (second, share)) if weight > 0]
        title = " + ".join(f"{weight:g} {name}" for name, weight in style)
        rows.append((f"{TEXT} · {title}", model.generate([TEXT], [style], SECONDS, [SEED])[0]))
    return rows


def diagram(blocks: int, block: int) -> str:
    """The denoiser's blocks from left to right, and where the style enters."""
    parts: list[str] = []

    def box(x: float, y: float, w: float, h: float, words: str, fill: str = BOX) -> None:
        parts.append(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="7" fill="{fill}" stroke="{LINE}"/>')
        lines = words.split("\n")
        for number, line in enumerate(lines):
            top = y + h / 2 + 5 + (number - (len(lines) - 1) / 2) * 17
            parts.append(f'<text x="{x + w / 2}" y="{top}" text-anchor="middle">{escape(line)}</text>')

    def arrow(*points: tuple[float, float]) -> None:
        path = " ".join(f"{x},{y}" for x, y in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="1.6" marker-end="url(#tip)"/>'
        )

    top, left, wide, gap = 60, 176, 74, 24
    box(16, top, 128, 54, "noisy latents\ntime, text, length", PLAIN)
    arrow((144, top + 27), (left, top + 27))
    x = fused = float(left)
    for number in range(1, blocks + 1):
        box(x, top, wide, 54, f"block {number}")
        x += wide
        if number == block:
            arrow((x, top + 27), (x + gap, top + 27))
            box(x + gap, top, 112, 54, "cross\nnormalisation", STYLE)
            fused = x + gap + 56
            x += gap + 112
        arrow((x, top + 27), (x + gap, top + 27))
        x += gap
    box(x, top, 92, 54, "estimate", PLAIN)
    box(16, 190, 128, 54, "style motion\n(clip or film)", STYLE)
    box(16, 268, 128, 54, "style in words", STYLE)
    box(176, 190, 150, 54, "style encoder")
    box(176, 268, 150, 54, "sentence encoder,\nprojection")
    box(fused - 62, 229, 124, 54, "style feature\nF_s", STYLE)
    arrow((144, 217), (176, 217))
    arrow((144, 295), (176, 295))
    arrow((326, 217), (358, 217), (358, 246), (fused - 62, 246))
    arrow((326, 295), (358, 295), (358, 266), (fused - 62, 266))
    arrow((fused, 229), (fused, top + 56))
    parts.append(f'<text x="{fused + 10}" y="160">gamma x strength</text>')
    width = x + 108
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} 340" font-family="sans-serif" font-size="13" '
        f'fill="{INK}"><defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="{LINE}"/></marker></defs>'
        f'<rect width="100%" height="100%" fill="#fafafa"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _small(path: Path) -> None:
    """Keep a picture small: as many colours as the painter's shades need."""
    with Image.open(path) as picture:
        fewer = picture.convert("RGB").quantize(96)
    with replacing(path, force=True) as beside:
        fewer.save(beside, format="PNG", optimize=True)


def main() -> None:
    """Write the pictures."""
    model = motifmix.load()
    MEDIA.mkdir(parents=True, exist_ok=True)
    blocks = len(model.denoiser.denoiser.blocks)
    (MEDIA / "stylemotif.svg").write_text(diagram(blocks, model.denoiser.blocks[0]), "utf-8")
    for name, rows in (("strength", strength_rows(model)), ("blend", blend_rows(model))):
        path = sheet(rows, MEDIA / f"stylemotif_{name}.png", frames=7)
        _small(path)
        hips = [float(np.median(motion.joints[:, MOTIFMIX.names.index("head"), 1])) for _, motion in rows]
        print(path, "median height of the head:", " ".join(f"{height:.2f} m" for height in hips))


if __name__ == "__main__":
    main()
