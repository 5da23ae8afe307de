"""HumanML3D (Guo et al., CVPR 2022) and KIT-ML in the same form: features, joints, captions with tagged words.

Layout: ``new_joint_vecs/<id>.npy`` ``[T, 263]``, ``new_joints/<id>.npy`` ``[T, 22, 3]``, ``texts/<id>.txt``, ``Mean.npy``,
``Std.npy``, ``{train,val,test}.txt``. KIT-ML has ``[T, 251]`` and ``[T, 21, 3]`` in millimetres at 12.5 fps; its folder is
described from the code that reads it, no source shows its files in full. Stored types vary between copies; all are read
as float32. A mirrored clip has the id of its twin behind an ``M`` and stands in the same list.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from motifmix.data.layout import Layout, check_files, guo_captions, read_array, read_ids
from motifmix.data.sample import Caption, Sample
from motifmix.errors import DataError
from motifmix.features.space import Normaliser
from motifmix.quirks import Quirk

WINDOWED_CAPTIONS_TWICE = Quirk(
    "windowed_captions_twice",
    "SMooDi's test reader puts every caption into the whole clip's list before it looks at the caption's window: captions "
    "of a part are used for the whole clip too, and captions without a window stand in the list twice.",
)
DAMAGED = {
    "007975": "is NaN when built with common library versions",
    "M007975": "is NaN when built with common library versions",
}


@dataclass(frozen=True)
class Form:
    """What tells HumanML3D and KIT-ML apart: ``shortest`` and ``below`` are frames, as the published readers keep them.

    ``window_fps`` is the factor of caption times, 20 in the published code for both (KIT-ML has no windows).
    ``tolerated`` is the share of ids without a file: published readers pass over KIT-ML's.
    """

    name: str
    what: str
    space: str
    dim: int
    joints: int
    fps: float
    shortest: int
    below: int = 200
    window_fps: float = 20.0
    tolerated: float = 0.0


HUMANML3D_FORM = Form("humanml3d", "HumanML3D", "humanml3d_263", 263, 22, 20.0, 40)
KIT_FORM = Form("kit-ml", "KIT-ML (Guo's form)", "kit_251", 251, 21, 12.5, 24, tolerated=0.02)


class HumanML3D:
    """A folder in Guo's form. ``left_out`` says why clips were passed over, as far as they were asked for.

    ``lists`` names the list files by split where they are not called ``train.txt``, ``val.txt``, ``test.txt``. Raises
    ``DataError`` when the folder is incomplete or not this dataset.
    """

    form = HUMANML3D_FORM

    def __init__(
        self, folder: Path | str, *, lists: Mapping[str, str] | None = None, quirks: Collection[Quirk] = ()
    ) -> None:
        self.lists = dict(lists or {"train": "train.txt", "test": "test.txt"})
        parts = ("new_joint_vecs/", "texts/", "Mean.npy", "Std.npy", *self.lists.values())
        self.folder = Layout(self.form.what, parts).checked(folder)
        self.quirks = quirks
        self.left_out: dict[str, str] = {}

    def ids(self, split: str) -> tuple[str, ...]:
        """Return the ids of a list (``train``, ``val``, ``test``); all must have a motion and a caption file."""
        ids = read_ids(self.folder / self.lists.get(split, f"{split}.txt"))
        tolerated = self.form.tolerated
        missing = check_files(self.folder, ids, self._motion_path, "motion", tolerated)
        missing += check_files(self.folder, ids, self._text_path, "caption file", tolerated)
        self.left_out |= dict.fromkeys(missing, "is named in a list and has no file")
        return tuple(name for name in ids if name not in set(missing))

    def features(self, name: str) -> np.ndarray:
        """Return a clip's features ``[T, dim]`` float32, not normalised."""
        return read_array(self._motion_path(name), (None, self.form.dim))

    def joints(self, name: str) -> np.ndarray:
        """Return a clip's joints ``[T, J, 3]`` in the dataset's unit (metres; KIT-ML millimetres)."""
        return read_array(self.folder / "new_joints" / f"{name}.npy", (None, self.form.joints, 3))

    def captions(self, name: str) -> tuple[Caption, ...]:
        """Return a clip's captions."""
        return guo_captions(self._text_path(name))

    def normaliser(self) -> Normaliser:
        """Return ``Mean.npy`` and ``Std.npy``. Raises ``DataError`` where they are no mean and deviation."""
        return read_normaliser(self.folder / "Mean.npy", self.folder / "Std.npy", self.form.dim)

    def samples(self, split: str) -> Iterator[Sample]:
        """Yield the clips that published readers keep, in the list's order; captions of a part as samples of their own.

        Clips and parts outside ``shortest <= frames < below``, clips with values that are no numbers, and clips without
        a caption for them or for a part that is long enough, are passed over (``left_out``).
        """
        for name in self.ids(split):
            features = self.features(name)
            if not self._keeps(name, features):
                continue
            sample = Sample(
                name, self.form.name, split, self.form.space, features, self.form.fps,
                mirror_of=name[1:] if name.startswith("M") else None,
            )  # fmt: skip
            pieces = [*self._with_captions(sample, captions := self.captions(name))]
            if not pieces:
                self.left_out[name] = "has captions of parts only, none long enough" if captions else "has no caption"
            yield from pieces

    def _with_captions(self, sample: Sample, captions: tuple[Caption, ...]) -> Iterator[Sample]:
        whole, parts = [], []
        for caption in captions:
            is_part = caption.start != 0.0 or caption.end != 0.0
            (parts if is_part else whole).append(caption)
        if WINDOWED_CAPTIONS_TWICE in self.quirks:
            whole = [c for caption in captions for c in ([caption] if caption in parts else [caption, caption])]
        if whole:
            yield replace(sample, captions=tuple(whole))
        for number, caption in enumerate(parts, 1):
            first, end = (int(seconds * self.form.window_fps) for seconds in (caption.start, caption.end))
            rows = sample.features[first:end]
            if self.form.shortest <= len(rows) < self.form.below:
                yield replace(sample, id=f"{sample.id}.{number}", features=rows, captions=(caption,))

    def _keeps(self, name: str, features: np.ndarray) -> bool:
        if not np.isfinite(features).all():
            self.left_out[name] = DAMAGED.get(name, "holds values that are no numbers")
        elif not self.form.shortest <= len(features) < self.form.below:
            self.left_out[name] = f"has {len(features)} frames"
        return name not in self.left_out

    def _motion_path(self, name: str) -> Path:
        return self.folder / "new_joint_vecs" / f"{name}.npy"

    def _text_path(self, name: str) -> Path:
        return self.folder / "texts" / f"{name}.txt"


class KITML(HumanML3D):
    """KIT-ML in Guo's form (Plappert et al., 2016; Guo et al., 2022)."""

    form = KIT_FORM


def read_normaliser(mean: Path, std: Path, dim: int) -> Normaliser:
    """Read a pair of statistics files ``[dim]``.

    Raises ``DataError`` for another size, values that are no numbers, and deviations that are not above 0.
    """
    values = Normaliser(read_array(mean, (dim,)), read_array(std, (dim,)))
    if not (np.isfinite(values.mean).all() and np.isfinite(values.std).all() and (values.std > 0.0).all()):
        raise DataError(f"{std}: mean and deviation must be finite, the deviation above 0; fetch both files again")
    return values
