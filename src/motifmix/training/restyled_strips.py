"""What a restyling network does to held-out clips, as one picture."""

from collections.abc import Sequence
from pathlib import Path

from motifmix.data.feature_cache import FeatureCache
from motifmix.drawing.strips import sheet
from motifmix.features.own import MotifmixSpace
from motifmix.motion import Motion
from motifmix.pipelines.baselines.restyled import Restyler

CONTENTS, STYLES = ("walk", "run"), ("elderly", "proud", "youthful")
PLAIN = "normal"


def draw_restyled(caches: Sequence[FeatureCache], restyler: Restyler, path: Path) -> None:
    """Draw plain held-out walks and runs of the style set, then each in the styles of other held-out clips."""
    held_out = [
        (cache, entry)
        for cache in caches
        for entry in cache.entries(cache.prepared.select(split="test", mirrored=False))
        if entry.clip.style is not None and entry.frames >= 20
    ]

    def clip(content: str | None, style: str) -> Motion | None:
        for cache, entry in held_out:
            if entry.clip.style == style and content in (None, entry.clip.content):
                return MotifmixSpace().decode(cache.window(entry)).with_labels(style=style)
        return None

    rows: list[tuple[str | None, Motion]] = []
    for content in CONTENTS:
        plain = clip(content, PLAIN)
        if plain is None:
            continue
        rows.append((f"{content}, {PLAIN}: as recorded", plain))
        for name in STYLES:
            style = clip(None, name)
            if style is not None:
                rows.append((f"{content} as {name}", restyler.restyled(plain, style)))
    if rows:
        sheet(rows, path)
