"""The recordings of Xia et al. (2015) as Aberman et al. use them: eight styles of walking, running, jumping, kicking,
punching and going from one to another.

Layout: ``mocap_xia/<style>_<index>_<take>.bvh`` (``angry_13_000.bvh``); the index, 1 to 28, says the content. See
``styled_takes.py`` for the files. No source shows the folder in full: how many takes there are is not known (572 in the
literature), and the terms of the recordings are not stated by those who pass them on.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path

from motifmix.data import styled_takes
from motifmix.data.sample import Sample
from motifmix.errors import DataError
from motifmix.features.aberman import FPS, AbermanSpace
from motifmix.quirks import Quirk

WHAT = "the Xia recordings (Aberman et al.)"
FOLDER = "mocap_xia"
STYLES = ("angry", "childlike", "depressed", "neutral", "old", "proud", "sexy", "strutting")
CONTENTS = (
    "walk_s1", "walk_s2", "walk_lturn_s1", "walk_rturn_s1", "walk_lturn_l1", "walk_lturn_l2", "walk_l1", "walk_l2",
    "walk_rturn_s2", "walk_lturn_s2", "walk_rturn_l1", "walk_lturn_l3", "run", "run_lturn", "run_rturn", "jump_1",
    "jump_2", "punch_r", "punch_l", "punch_qr", "punch_ql", "kick_l", "kick_r", "trans_jump2walk", "trans_walk2jump",
    "trans_punch2kick", "trans_walk2punch", "trans_run2jump",
)  # fmt: skip
# Of each class of content and style, so many takes, the first by name, are the test side.
TEST_TAKES = {"walk": 3, "run": 1, "jump": 1, "kick": 1, "punch": 1, "trans": 0}


class Xia:
    """The folder ``mocap_xia``. Raises ``DataError`` when a style or a class of content has no take.

    ``samples("train")`` are windows of 32 frames, ``samples("trainfull")`` and ``samples("test")`` whole clips, all in
    ``aberman_128`` at 30 fps; ``content`` is the class of content (``walk``).
    """

    def __init__(self, folder: Path | str, *, quirks: Collection[Quirk] = ()) -> None:
        self.files = styled_takes.take_files(folder, WHAT, FOLDER)
        self.folder = Path(folder)
        self.quirks = quirks
        self.labels = {stem: take_labels(stem, str(path)) for stem, path in self.files.items()}
        styled_takes.refuse_gaps(self.folder, WHAT, "styles", STYLES, {style for style, _ in self.labels.values()})
        found = {content.split("_")[0] for _, content in self.labels.values()}
        styled_takes.refuse_gaps(self.folder, WHAT, "contents", TEST_TAKES, found)

    def ids(self, split: str) -> tuple[str, ...]:
        """Return the takes of a side, sorted by name: ``train`` (``trainfull`` is the same) or ``test``."""
        sides = ("train", "trainfull", "test")
        if split not in sides:
            raise DataError(f"{WHAT} have no side {split!r}; there are {', '.join(sides)}")
        seen: dict[tuple[str, str], int] = defaultdict(int)
        chosen = []
        for stem, (style, content) in sorted(self.labels.items()):
            group = content.split("_")[0]
            seen[style, group] += 1
            if (seen[style, group] <= TEST_TAKES[group]) == (split == "test"):
                chosen.append(stem)
        return tuple(chosen)

    def samples(self, split: str) -> Iterator[Sample]:
        """Yield the side's windows or whole clips, take after take."""
        for stem in self.ids(split):
            content = styled_takes.read_content(self.files[stem], self.quirks)
            pieces = list(styled_takes.xia_windows(content)) if split == "train" else [styled_takes.whole(content)]
            style, published_content = self.labels[stem]
            for number, piece in enumerate(pieces, 1):
                yield Sample(
                    f"{stem}.{number}" if split == "train" else stem, "xia", split, AbermanSpace.name, piece, FPS,
                    style=style, style_number=STYLES.index(style), content=published_content.split("_")[0],
                )  # fmt: skip


def take_labels(stem: str, where: str) -> tuple[str, str]:
    """Return style and content (``walk_lturn_s1``) of ``<style>_<index>_<take>``. Raises ``DataError`` for another name."""
    parts = stem.split("_")
    if len(parts) != 3 or parts[0] not in STYLES or not parts[1].isdecimal() or not 1 <= int(parts[1]) <= len(CONTENTS):
        raise DataError(
            f"{where}: is not named <style>_<index>_<take> with one of {', '.join(STYLES)} and an index from 1 to "
            f"{len(CONTENTS)}"
        )
    return parts[0], CONTENTS[int(parts[1]) - 1]
