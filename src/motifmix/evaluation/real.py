"""Real clips of the style set: what the judge reads on them, and the mix in which generated clips are compared to them."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.evaluation.classes import CONTENT_CLASSES
from motifmix.evaluation.measuring import Measured, digest, measure
from motifmix.evaluation.questions import set_2_cells
from motifmix.motion.motion import Motion
from motifmix.pretrained.judges import Judge, RetrievalJudge

FID_PER_CELL = 4
DRAWN_FROM = 3 * FID_PER_CELL  # training clips a cell that are measured; the mixes are drawn from them


class RealClips:
    """Measured real clips; each group is measured once and its figures are kept in the cache folder."""

    def __init__(self, bandai: Prepared, judge: Judge, retrieval: RetrievalJudge, cache: Path) -> None:
        self.bandai, self.judge, self.retrieval, self.cache = bandai, judge, retrieval, cache

    def clips(self, source: str, split: str = "test") -> list[Clip]:
        """Return the original clips of one side: all held-out ones; of the training side some of every cell."""
        clips = self.bandai.select(split=split, source=source, mirrored=False)
        if split != "train":
            return clips
        rng = np.random.default_rng(0)
        cells: dict[tuple[str | None, str | None], list[Clip]] = defaultdict(list)
        for clip in clips:
            cells[clip.content, clip.style].append(clip)
        return [cell[i] for cell in cells.values() for i in rng.permutation(len(cell))[:DRAWN_FROM]]

    def measured(self, source: str, split: str = "test") -> Measured:
        """Return the figures of :meth:`clips`."""
        clips = self.clips(source, split)
        key = ([c.id for c in clips], fingerprint(self.bandai))
        return self.remembered(f"{source}-{split}", key, lambda: [self.bandai.motion(c) for c in clips])

    def share(self, source: str, kind: str) -> np.ndarray | None:
        """Return for every held-out clip whether ``content``, ``style`` or ``both`` were read; None without clips."""
        clips = self.clips(source)
        if not clips:
            return None
        measured, styles = self.measured(source), self.judge.card.styles
        content = np.array([CONTENT_CLASSES[i] == c.content for i, c in zip(measured.content, clips, strict=True)])
        style = np.array([styles[i] == c.style for i, c in zip(measured.style, clips, strict=True)])
        return {"content": content, "style": style, "both": content & style}[kind]

    def mix(self, at_most: int) -> dict[tuple[str, str], int]:
        """Return how many clips of each cell of set 2 stand in the mix: its held-out ones, four or ``at_most``."""
        held_out = [(c.content, c.style) for c in self.clips("bandai-2")]
        return {
            cell: min(FID_PER_CELL, at_most, held_out.count(cell)) for cell in set_2_cells() if held_out.count(cell)
        }

    def in_mix(self, split: str, counts: dict[tuple[str, str], int], seed: int) -> Measured:
        """Draw the mix from one side of set 2."""
        rng = np.random.default_rng(seed)
        cells = [(c.content, c.style) for c in self.clips("bandai-2", split)]
        chosen: list[int] = []
        for cell, count in counts.items():
            chosen += rng.permutation([i for i, own in enumerate(cells) if own == cell])[:count].tolist()
        return self.measured("bandai-2", split).only(chosen)

    def remembered(self, name: str, key: object, motions: Callable[[], list[Motion]]) -> Measured:
        """Measure motions once; ``key`` says what the figures depend on besides the judges."""
        judges = (self.judge.card.sha256, self.retrieval.card.sha256)
        path = self.cache / "real" / f"{name}-{digest(key, judges)}.npz"
        if not path.exists():
            measure(motions(), self.judge, self.retrieval).save(path)
        return Measured.load(path)


def fingerprint(folder: Prepared) -> str:
    """Return what tells two preparations apart."""
    return str(folder.card.get("fingerprint", ""))
