"""100STYLE in HumanML3D's features, as SMooDi (Zhong et al., ECCV 2024) merges it into HumanML3D's folder.

Layout: HumanML3D's folders with ids 030001 to 038050 (and ``M...``) added, ``{train,test}_humanml.txt``,
``{train,test}_100STYLE_{Full,Filter}.txt``, ``100STYLE_name_dict.txt`` (100 styles) and ``100STYLE_name_dict_Filter.txt`` (the
47 styles that are no content of their own, numbered anew). A dictionary line is ``<id> <Style>_<content>_<part>.bvh
<label>``. The lists are known as they are, the files of the package that goes with them are shown by no source.

``warnings`` says what is known to be wrong with the lists that were read. Nothing of it is mended, because figures in papers
depend on the lists; a repeated id is read once.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from motifmix.data.humanml3d import HUMANML3D_FORM, HumanML3D
from motifmix.data.labels import mirrored_style
from motifmix.data.layout import Layout, guo_captions, listed, plain_name, read_array, read_ids, read_text
from motifmix.data.sample import Caption, Sample
from motifmix.data.style100 import style_label
from motifmix.errors import DataError

Lists = Literal["full", "filter"]
CLASSES = {"full": 100, "filter": 47}
_FORM = replace(HUMANML3D_FORM, name="100style-humanml3d")
_BVH_NAME = re.compile(r"([A-Za-z]+)_([A-Z]{2}\d?)_(\d+)\.(.*)")


@dataclass(frozen=True)
class Entry:
    """A dictionary line: published style name, content code (``FW``), part of the recording, class number."""

    style: str
    content: str
    part: int
    label: int


class Style100HumanML3D(HumanML3D):
    """The style clips of SMooDi's folder. ``lists``: ``full`` (100 classes) or ``filter`` (47).

    ``dictionary`` gives the class numbers, by default those of the same lists; SMooDi's style network takes the full
    dictionary for both. ``below`` is the number of frames from which clips are passed over, None for SMooDi's style
    network, which keeps them. Raises ``DataError`` when the folder is incomplete.
    """

    form = _FORM

    def __init__(
        self, folder: Path | str, *, lists: Lists = "full", dictionary: Lists | None = None, below: int | None = 200
    ) -> None:
        self.dictionary = dictionary or lists
        kinds = {"full": "Full", "filter": "Filter"}
        if lists not in kinds or self.dictionary not in kinds:
            raise DataError(f"100STYLE in HumanML3D has the lists full and filter, not {lists!r}")
        self.lists = {side: f"{side}_100STYLE_{kinds[lists]}.txt" for side in ("train", "test")}
        names = "100STYLE_name_dict.txt" if self.dictionary == "full" else "100STYLE_name_dict_Filter.txt"
        parts = ("new_joint_vecs/", "texts/", "Mean.npy", "Std.npy", *self.lists.values(), names)
        self.folder = Layout("100STYLE in HumanML3D's form", parts).checked(folder)
        self.quirks, self.below = (), below
        self.left_out = {}
        self.entries, self._damaged = _read_dictionary(self.folder / names, CLASSES[self.dictionary])

    def ids(self, split: str) -> tuple[str, ...]:
        """Return the ids of a list; all must have a motion, a caption file and a line in the dictionary."""
        ids = super().ids(split)
        unknown = [name for name in ids if name not in self.entries]
        if unknown:
            raise DataError(
                f"{self.folder}: {len(unknown)} ids of {self.lists[split]} are not in the dictionary: {listed(unknown)}; "
                f"fetch both again"
            )
        return ids

    def contents(self) -> HumanML3D:
        """Return HumanML3D's own clips in the same folder (``train_humanml.txt``, ``test_humanml.txt``)."""
        return HumanML3D(self.folder, lists={"train": "train_humanml.txt", "test": "test_humanml.txt"})

    def captions(self, name: str) -> tuple[Caption, ...]:
        """Return a clip's captions: what stands before the first ``#`` of each line."""
        return guo_captions(self._text_path(name), fields=False)

    def samples(self, split: str) -> Iterator[Sample]:
        """Yield the clips of a list with style, class number and content code."""
        for name in self.ids(split):
            features, entry = self.features(name), self.entries[name]
            if not np.isfinite(features).all():
                self.left_out[name] = "holds values that are no numbers"
            elif len(features) < self.form.shortest or (self.below is not None and len(features) >= self.below):
                self.left_out[name] = f"has {len(features)} frames"
            else:
                yield Sample(
                    name, self.form.name, split, self.form.space, features, self.form.fps, self.captions(name),
                    style=entry.style, style_number=entry.label, content=entry.content,
                    mirror_of=name[1:] if name.startswith("M") else None,
                )  # fmt: skip

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the lists and the dictionary, a sentence each."""
        said = ["The captions were written by a program from the motions; some contradict each other."]
        sides = {side: read_ids(self.folder / path) for side, path in self.lists.items()}
        for path in self.lists.values():
            counts = Counter(read_text(self.folder / path).split())
            twice = [name for name, count in counts.items() if count > 1]
            if twice:
                said.append(f"{path} names clips twice: {listed(twice)}; each is read once.")
        both = set(sides["train"]) & set(sides["test"])
        if both:
            said.append(f"{len(both)} clips stand in both lists: {listed(sorted(both))}.")
        train = {name.removeprefix("M") for name in sides["train"]}
        tests = {name.removeprefix("M") for name in sides["test"]}
        if tests & train:
            said.append(
                f"{len(tests & train)} of {len(tests)} test clips have their mirror image among the training clips; figures on "
                f"this test side are too good."
            )
        neither = sorted(set(self.entries) - set(sides["train"]) - set(sides["test"]))
        if neither and self.dictionary == self.lists["train"].removesuffix(".txt").rpartition("_")[2].lower():
            said.append(f"{len(neither)} clips of the dictionary are in neither list: {listed(neither)}.")
        if self._damaged:
            said.append(
                f"The dictionary has damaged file names, from which style and content can be read: {self._damaged}."
            )
        wrong = [
            n
            for n, e in self.entries.items()
            if n.startswith("M") and mirrored_style(_label(e.style)) != _label(e.style)
        ]
        if wrong:
            styles = sorted({self.entries[name].style for name in wrong})
            said.append(
                f"{len(wrong)} mirrored clips of styles with a side carry the unmirrored style: {listed(styles)} (a mirrored "
                f"limp on the left is a limp on the right)."
            )
        return tuple(said)


def read_demo_reference(path: Path | str) -> Sample:
    """Read a style reference of SMooDi's demo, ``test_motion/<Style>_<content>_<part>_feat.npy`` ``[T, 263]``."""
    path = Path(path)
    style, _, rest = path.stem.partition("_")
    features = read_array(path, (None, _FORM.dim))
    return Sample(
        path.stem, _FORM.name, "demo", _FORM.space, features, _FORM.fps, style=style, content=rest.split("_")[0]
    )


def _label(style: str) -> str:
    try:
        return style_label(style)
    except DataError:
        return style


def _read_dictionary(path: Path, classes: int) -> tuple[dict[str, Entry], str]:
    """Return the entries by id, and the damaged file names for a sentence."""
    entries, damaged = {}, []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        parts = line.split()
        match = _BVH_NAME.fullmatch(parts[1]) if len(parts) == 3 else None
        if match is None or not parts[2].isdecimal() or int(parts[2]) >= classes:
            raise DataError(
                f"{where}: is not '<id> <Style>_<content>_<part>.bvh <number below {classes}>'; fetch it again"
            )
        if match[4] != "bvh":
            damaged.append(parts[1])
        entries[plain_name(parts[0], where)] = Entry(match[1], match[2], int(match[3]), int(parts[2]))
    if not entries:
        raise DataError(f"{path}: is empty; fetch it again")
    return entries, listed(damaged)
