"""InterHuman (Liang et al., IJCV 2024) and HumanML3D in its 262 numbers, the two sets behind InterGen, in2IN and MixerMDM.

Layout: ``motions_processed/person{1,2}/<id>.npy`` ``[T, 492]``, ``annots/<id>.txt`` (a sentence a line),
``split/{train,val,test}.txt`` (in2IN) or the lists beside ``motions_processed`` (InterGen), ``ignore_list.txt`` if there is
one, and ``annots_individual/person{1,2}/<id>.txt`` with in2IN's extension. The type of the stored numbers is shown by no
source; they are read as float32. Statistics (``global_mean.npy``, ``global_std.npy``) come with the models, not the data.

Texts of mirrored clips are mirrored word by word. The published readers replace substrings instead, turn
"counterclockwise" into no word, and (in2IN's) give individual captions to the wrong clip of a mirrored pair; none of
that is followed.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from motifmix.data.captions import mirror_words
from motifmix.data.humanml3d import read_normaliser
from motifmix.data.layout import Layout, check_files, guo_captions, plain_captions, read_array, read_ids
from motifmix.data.sample import MIRRORED_SUFFIX, Caption, Sample
from motifmix.errors import DataError
from motifmix.features.interhuman import InterHumanSpace, extract_pair, load_person, mirror_person
from motifmix.features.space import Normaliser

SHORTEST_FRAMES = 15
LONGEST_FRAMES = 300  # of the source; features have one frame less
STORED_NUMBERS = 492
_PEOPLE = ("person1", "person2")


class UnusableClipError(DataError):
    """A clip of which nothing can be made, though its files can be read; ``reason`` says why."""

    def __init__(self, path: Path, reason: str, name: str) -> None:
        super().__init__(f"{path}: {reason}; fetch it again, or name {name} in ignore_list.txt")
        self.reason = reason


class InterHuman:
    """A folder of InterHuman. ``left_out`` says why clips were passed over, as far as they were asked for.

    ``individual_captions``: whether in2IN's sentences for each person are wanted; then they must be there. Raises
    ``DataError`` when the folder is incomplete or not this dataset.
    """

    def __init__(self, folder: Path | str, *, individual_captions: bool = False) -> None:
        parts = [f"motions_processed/{person}/" for person in _PEOPLE] + ["annots/"]
        if individual_captions:
            parts += [f"annots_individual/{person}/" for person in _PEOPLE]
        self.folder = Layout("InterHuman", tuple(parts)).checked(folder)
        self.individual_captions = individual_captions
        self.left_out: dict[str, str] = {}

    def ids(self, split: str) -> tuple[str, ...]:
        """Return the ids of a list (``train``, ``val``, ``test``) without those of ``ignore_list.txt``."""
        ids = read_ids(self._list(f"{split}.txt"))
        ignored = [place / "ignore_list.txt" for place in (self.folder / "split", self.folder)]
        for path in ignored:
            if path.is_file() and path.stat().st_size:
                unwanted = set(read_ids(path))
                self.left_out |= dict.fromkeys((n for n in ids if n in unwanted), "stands in ignore_list.txt")
                ids = tuple(name for name in ids if name not in unwanted)
        for person in _PEOPLE:
            check_files(self.folder, ids, lambda n, p=person: self._motion_path(n, p), f"{person} motion")
        check_files(self.folder, ids, self._text_path, "caption file")
        return ids

    def frames(self, name: str) -> int:
        """Return how many frames a clip's arrays have, reading no more than their heads where they are sound."""
        try:
            return len(np.load(self._motion_path(name, _PEOPLE[0]), mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError, EOFError, SyntaxError, TypeError):
            return len(self.people(name)[0])  # which says what is wrong

    def people(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return what is used of both people's arrays, ``[T, 192]`` each: 22 joints (Z up, metres) and 21 rotations.

        Raises ``DataError`` where the two differ in length, ``UnusableClipError`` where they hold values that are no numbers.
        """
        first, second = (read_array(self._motion_path(name, person), (None, STORED_NUMBERS)) for person in _PEOPLE)
        if len(first) != len(second):
            raise DataError(
                f"{self._motion_path(name, 'person2')}: has {len(second)} frames, person1 has {len(first)}; fetch both again"
            )
        first, second = load_person(first), load_person(second)
        for person, array in zip(_PEOPLE, (first, second), strict=True):
            if not np.isfinite(array).all():
                raise UnusableClipError(self._motion_path(name, person), "holds values that are no numbers", name)
        return first, second

    def sample(
        self, name: str, split: str = "train", *, first: int = 0, frames: int | None = None, mirrored: bool = False,
        exchanged: bool = False,
    ) -> Sample:  # fmt: skip
        """Return a clip, or ``frames`` of its source from ``first``, as ``[2, frames - 1, 262]`` float32.

        The person who comes first defines the frame of both: ``exchanged`` makes it the other one. Individual captions
        go with their people; with ``mirrored``, texts are mirrored like the motion.
        """
        people = [person[first:][:frames] for person in self.people(name)]
        captions = self.captions(name, mirrored=mirrored)
        if mirrored:
            people = [mirror_person(person) for person in people]
        if exchanged:
            people, captions = people[::-1], [captions[0], *captions[:0:-1]]
        pair = extract_pair(*people)
        return Sample(
            name + MIRRORED_SUFFIX if mirrored else name, "interhuman", split, InterHumanSpace.name,
            np.stack([pair.first.features, pair.placed]).astype(np.float32), InterHumanSpace.fps, captions[0],
            tuple(captions[1:]), mirror_of=name if mirrored else None,
        )  # fmt: skip

    def captions(self, name: str, *, mirrored: bool = False) -> list[tuple[Caption, ...]]:
        """Return a clip's captions and, where they are wanted, those of its first and of its second person.

        Raises ``UnusableClipError`` for a file without a sentence.
        """
        paths = [self._text_path(name)]
        if self.individual_captions:
            paths += [self._individual_path(name, person) for person in _PEOPLE]
        captions = [plain_captions(path) for path in paths]
        if not all(captions):
            raise UnusableClipError(paths[captions.index(())], "holds no sentence", name)
        if mirrored:
            captions = [tuple(replace(c, text=mirror_words(c.text)) for c in own) for own in captions]
        return captions

    def samples(self, split: str, *, mirrored: bool = False) -> Iterator[Sample]:
        """Yield a list's clips of 15 frames or more, cut to the first 300; with ``mirrored`` each one's twin after it.

        Clips without a sentence, or with values that are no numbers, are passed over (``left_out``).
        """
        for name in self.ids(split):
            try:
                frames = len(self.people(name)[0])
                if frames < SHORTEST_FRAMES:
                    self.left_out[name] = f"has {frames} frames"
                    continue
                sample = self.sample(name, split, frames=LONGEST_FRAMES)
            except UnusableClipError as error:
                self.left_out[name] = error.reason
                continue
            yield sample
            if mirrored:
                yield self.sample(name, split, frames=LONGEST_FRAMES, mirrored=True)

    def normaliser(self, folder: Path | str | None = None) -> Normaliser:
        """Return ``global_mean.npy`` and ``global_std.npy`` of a folder (this one): they come with the models."""
        folder = Path(folder) if folder else self.folder
        return read_normaliser(folder / "global_mean.npy", folder / "global_std.npy", InterHumanSpace.dim)

    def _list(self, name: str) -> Path:
        places = (self.folder / "split" / name, self.folder / name)
        found = next((path for path in places if path.is_file()), None)
        if found is None:
            raise DataError(f"{self.folder}: InterHuman is not complete, missing: split/{name}; fetch the rest")
        return found

    def _motion_path(self, name: str, person: str) -> Path:
        return self.folder / "motions_processed" / person / f"{name}.npy"

    def _text_path(self, name: str) -> Path:
        return self.folder / "annots" / f"{name}.txt"

    def _individual_path(self, name: str, person: str) -> Path:
        return self.folder / "annots_individual" / person / f"{name}.txt"


class HumanML3DIn262:
    """HumanML3D converted to InterHuman's numbers, for individual models: a folder ``HumanML3D``.

    ``interhuman/<id>.npy`` (in2IN) or ``joints_vec/<id>.npy`` (MixerMDM) ``[T, 262]``, finished features; ``texts/<id>.txt``
    and lists as in HumanML3D. Nobody gives the converted files out, so the layout is that of the code which reads them;
    whether they are at 20 or 30 fps no source says, 30 is taken.
    """

    def __init__(self, folder: Path | str) -> None:
        folder = Path(folder)
        vectors = "joints_vec" if (folder / "joints_vec").is_dir() else "interhuman"
        self.folder = Layout("HumanML3D in 262 numbers", (f"{vectors}/", "texts/", "train.txt")).checked(folder)
        self._vectors = self.folder / vectors
        self.left_out: dict[str, str] = {}

    def ids(self, split: str) -> tuple[str, ...]:
        """Return the ids of a list."""
        ids = read_ids(self.folder / f"{split}.txt")
        check_files(self.folder, ids, lambda name: self._vectors / f"{name}.npy", "motion")
        check_files(self.folder, ids, lambda name: self.folder / "texts" / f"{name}.txt", "caption file")
        return ids

    def samples(self, split: str) -> Iterator[Sample]:
        """Yield a list's clips of 15 frames or more, whole, with captions (``[T, 262]``)."""
        for name in self.ids(split):
            features = read_array(self._vectors / f"{name}.npy", (None, InterHumanSpace.dim))
            if len(features) < SHORTEST_FRAMES or not np.isfinite(features).all():
                short = len(features) < SHORTEST_FRAMES
                self.left_out[name] = f"has {len(features)} frames" if short else "holds values that are no numbers"
                continue
            captions: tuple[Caption, ...] = guo_captions(self.folder / "texts" / f"{name}.txt", fields=False)
            yield Sample(
                name, "humanml3d-262", split, InterHumanSpace.name, features, InterHumanSpace.fps, captions,
                mirror_of=name[1:] if name.startswith("M") else None,
            )  # fmt: skip
