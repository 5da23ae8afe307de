"""BFA, the long takes that Aberman et al. recorded: one performer in 16 styles, without labels of content.

Layout: ``mocap_bfa/<Style>_<number>.bvh`` (``Angry_01.bvh``). See ``styled_takes.py`` for the files. A take is cut into
groups of ten double windows of 64 frames; the last of each whole group is the test side, and where the last group is not
whole, what lies where its last would is on no side. No source shows the folder in full; that training windows lie within
one group's share, with no frame added, is our reading.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from motifmix.data import styled_takes
from motifmix.data.sample import Sample
from motifmix.errors import DataError
from motifmix.features.aberman import FPS, AbermanSpace
from motifmix.quirks import Quirk

WHAT = "BFA (Aberman et al.)"
FOLDER = "mocap_bfa"
STYLES = (
    "Angry", "Depressed", "Drunk", "FemaleModel", "Happy", "Heavy", "Hurried", "Lazy", "Neutral", "Old", "Proud",
    "Robot", "Sneaky", "Soldier", "Strutting", "Zombie",
)  # fmt: skip
DOUBLE_WINDOW = 2 * styled_takes.WINDOW
GROUP = 10 * DOUBLE_WINDOW
TRAINED = GROUP - DOUBLE_WINDOW


class BFA:
    """The folder ``mocap_bfa``. Raises ``DataError`` when a style has no take.

    ``samples("train")`` are windows of 32 frames, ``samples("trainfull")`` and ``samples("test")`` whole stretches of a
    side, all in ``aberman_128`` at 30 fps.
    """

    def __init__(self, folder: Path | str, *, quirks: Collection[Quirk] = ()) -> None:
        self.files = styled_takes.take_files(folder, WHAT, FOLDER)
        self.folder = Path(folder)
        self.quirks = quirks
        self.styles = {stem: take_style(stem, str(path)) for stem, path in self.files.items()}
        styled_takes.refuse_gaps(self.folder, WHAT, "styles", STYLES, set(self.styles.values()))

    def ids(self, split: str) -> tuple[str, ...]:
        """Return the takes, sorted by name: each has frames on both sides, if it is long enough."""
        sides = ("train", "trainfull", "test")
        if split not in sides:
            raise DataError(f"{WHAT} has no side {split!r}; there are {', '.join(sides)}")
        return tuple(sorted(self.files))

    def samples(self, split: str) -> Iterator[Sample]:
        """Yield the side's windows or stretches, take after take."""
        for stem in self.ids(split):
            content = styled_takes.read_content(self.files[stem], self.quirks)
            pieces = [piece for stretch in stretches(content, split) for piece in _pieces(stretch, split)]
            for number, piece in enumerate(pieces, 1):
                yield Sample(
                    f"{stem}.{number}", "bfa", split, AbermanSpace.name, piece, FPS,
                    style=self.styles[stem], style_number=STYLES.index(self.styles[stem]),
                )  # fmt: skip


def stretches(content: np.ndarray, split: str) -> Iterator[np.ndarray]:
    """Yield the frames of a take ``[T, ...]`` that stand on a side, group by group."""
    for start in range(0, len(content), GROUP):
        group = content[start : start + GROUP]
        if split != "test":
            yield group[:TRAINED]
        elif len(group) == GROUP:
            yield group[TRAINED:]


def _pieces(stretch: np.ndarray, split: str) -> Iterator[np.ndarray]:
    if split == "train":
        yield from styled_takes.inner_windows(stretch)
    else:
        yield styled_takes.whole(stretch)


def take_style(stem: str, where: str) -> str:
    """Return the style of ``<Style>_<number>``. Raises ``DataError`` for another name."""
    style, _, number = stem.partition("_")
    if style not in STYLES or not number or "_" in number:
        raise DataError(f"{where}: is not named <Style>_<number> with one of {', '.join(STYLES)}")
    return style
