"""Features of prepared clips, computed once: what training reads.

One row of ``features.npy`` a frame at the space's rate, clips one after another; mirrored twins are mirrored when they
are read, which costs less than their disk space. The cache is named after the space and lies beside the clips.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motifmix.atomic import replacing
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.features.own import MotifmixSpace, mirror_features


@dataclass(frozen=True)
class CachedClip:
    """A clip and its rows of features."""

    clip: Clip
    start: int
    frames: int


class FeatureCache:
    """Features of all clips of a prepared folder that were not dropped."""

    def __init__(self, prepared: Prepared, progress: Callable[[int, int], None] | None = None) -> None:
        self.prepared = prepared
        space = MotifmixSpace()
        path = prepared.folder / f"features-{space.name}.npy"
        index_path = path.with_suffix(".json")
        stamp = str(prepared.card.get("layout")) + str((prepared.folder / "rotations.npy").stat().st_mtime_ns)
        index = json.loads(index_path.read_text()) if index_path.exists() and path.exists() else {}
        if index.get("stamp") != stamp:
            index = _compute(prepared, space, path, stamp, progress)
            with replacing(index_path, force=True) as beside:
                beside.write_text(json.dumps(index))
        self.rows: dict[str, tuple[int, int]] = {k: (v[0], v[1]) for k, v in index["rows"].items()}
        self.features = np.load(path, mmap_mode="r")

    def entries(self, clips: list[Clip]) -> list[CachedClip]:
        """Return where the rows of clips lie; a mirrored clip shares its twin's."""
        return [CachedClip(clip, *self.rows[clip.mirror_of or clip.id]) for clip in clips]

    def window(self, entry: CachedClip, first: int = 0, frames: int | None = None) -> np.ndarray:
        """Return features ``[frames, dim]`` of a window, mirrored where the clip is."""
        frames = entry.frames - first if frames is None else frames
        rows = np.array(self.features[entry.start + first : entry.start + first + frames])
        return mirror_features(rows) if entry.clip.mirror_of else rows


def _compute(
    prepared: Prepared, space: MotifmixSpace, path: Path, stamp: str, progress: Callable[[int, int], None] | None
) -> dict[str, Any]:
    clips = [c for c in prepared.clips if c.mirror_of is None and c.split != "dropped"]
    rows: dict[str, tuple[int, int]] = {}
    parts: list[np.ndarray] = []
    start = 0
    for number, clip in enumerate(clips):
        features = space.encode(prepared.motion(clip))
        rows[clip.id] = (start, len(features))
        start += len(features)
        parts.append(features)
        if progress is not None and number % 50 == 0:
            progress(number, len(clips))
    temporary = path.with_name("." + path.name)
    np.save(temporary, np.concatenate(parts))
    temporary.replace(path)
    return {"stamp": stamp, "rows": rows}
