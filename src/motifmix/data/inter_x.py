"""Inter-X (Xu et al., CVPR 2024): two people, body-model rotations with hands, three captions a clip.

Two forms, told apart by what is in ``motions/``. As downloaded: ``motions/<id>/P{1,2}.npz`` at 120 fps, ``texts/<id>.txt``
(a sentence a line), ``splits/{train,val,test}.txt``. As the authors' scripts leave it: ``motions/{train,val,test}.h5``
(a data set an id, ``[T, 56, 6]`` at 30 fps) and ``texts_processed/<id>.txt`` in HumanML3D's line format. The HDF5 files
were seen by no source; what is in them is told by the code that writes them. Reading them needs h5py. Pickles that come with
the dataset (``interaction_order.pkl``) are not read.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from motifmix.data.layout import (
    Layout,
    as_float,
    check_files,
    guo_captions,
    plain_captions,
    plain_name,
    read_ids,
    read_text,
    refuse_missing,
)
from motifmix.data.sample import Caption, Sample
from motifmix.errors import DataError
from motifmix.features.inter_x import DIM, FPS, NAME, PARTS, ROWS, network_rows, stored_pair

SHORTEST_FRAMES = 24
LONGEST_FRAMES = 150
MOST_SOURCE_FRAMES = 999
MOST_RECORDED = 256 << 20  # bytes of one recording, unpacked
_ID = re.compile(r"G\d{3}T\d{3}A(\d{3})R\d{3}")
_JOINTS = {"root_orient": None, "pose_body": 21, "pose_lhand": 15, "pose_rhand": 15, "trans": None}


class InterX:
    """A folder of Inter-X, raw or processed. ``left_out`` says why clips were passed over, as far as asked for.

    Raises ``DataError`` when the folder is incomplete or not this dataset.
    """

    def __init__(self, folder: Path | str) -> None:
        folder = Path(folder)
        motions = folder / "motions"
        self.is_processed = motions.is_dir() and any(motions.glob("*.h5"))
        texts = "texts_processed/" if self.is_processed else "texts/"
        lists = () if self.is_processed else ("splits/",)
        self.folder = Layout("Inter-X", ("motions/", texts, *lists)).checked(folder)
        self._texts = self.folder / texts
        self.left_out: dict[str, str] = {}

    def ids(self, split: str) -> tuple[str, ...]:
        """Return the ids of a split: of its list, or of its HDF5 file where there is no list."""
        path = self.folder / "splits" / f"{split}.txt"
        if path.is_file() or not self.is_processed:
            ids = read_ids(path)
        else:
            with self._file(split) as file:
                ids = tuple(plain_name(name, f"{self.folder}, {split}.h5") for name in file)
        if self.is_processed:
            with self._file(split) as file:
                refuse_missing(self.folder, ids, [name for name in ids if name not in file], "motion")
        else:
            for person in ("P1", "P2"):
                check_files(self.folder, ids, lambda n, p=person: self._raw_path(n, p), f"{person} motion")
        check_files(self.folder, ids, lambda name: self._texts / f"{name}.txt", "caption file")
        return ids

    def stored(self, name: str, split: str) -> np.ndarray:
        """Return a clip's ``[T, 56, 6]`` at 30 fps: axis and angle, both people, the path in the last row."""
        if not self.is_processed:
            return stored_pair(*(self._recording(self._raw_path(name, person)) for person in ("P1", "P2")))
        import h5py

        with self._file(split) as file:
            where = f"{self.folder}, {split}.h5, {name}"
            # Looked at before it is read: compressed data may claim any size, and links may lead to other files.
            is_here = isinstance(file.get(name, getlink=True), h5py.HardLink)
            data = file[name] if is_here else None
            if not isinstance(data, h5py.Dataset) or data.is_virtual or data.external:
                raise DataError(f"{where}: is no array in this file; fetch the file again")
            if data.ndim != 3 or data.shape[0] > MOST_SOURCE_FRAMES or data.shape[1:] != (ROWS, 6):
                raise DataError(
                    f"{where}: is no [T, {ROWS}, 6] with T up to {MOST_SOURCE_FRAMES}; fetch the file again"
                )
            return as_float(data[()], (None, ROWS, 6), where)

    def captions(self, name: str) -> tuple[Caption, ...]:
        """Return a clip's captions."""
        path = self._texts / f"{name}.txt"
        return guo_captions(path) if self.is_processed else plain_captions(path)

    def action(self, name: str) -> str | None:
        """Return the action that an id's number names, from ``annots/action_setting.txt``; None without that file."""
        path, match = self.folder / "annots" / "action_setting.txt", _ID.fullmatch(name)
        if match is None or not path.is_file():
            return None
        names = [line.strip() for line in read_text(path).splitlines() if line.strip()]
        return names[int(match[1])] if int(match[1]) < len(names) else None

    def samples(self, split: str) -> Iterator[Sample]:
        """Yield the clips that the published readers keep (24 to 999 frames), their first 150 frames as ``[T, 672]``."""
        for name in self.ids(split):
            stored = self.stored(name, split)
            if not SHORTEST_FRAMES <= len(stored) <= MOST_SOURCE_FRAMES:
                self.left_out[name] = f"has {len(stored)} frames"
                continue
            if not np.isfinite(stored).all():
                self.left_out[name] = "holds values that are no numbers"
                continue
            captions = self.captions(name)
            if not captions:
                self.left_out[name] = "has no caption"
                continue
            rows = network_rows(stored[:LONGEST_FRAMES])
            assert rows.shape[1] == DIM
            yield Sample(name, "inter-x", split, NAME, rows, FPS, captions, content=self.action(name))

    def _raw_path(self, name: str, person: str) -> Path:
        return self.folder / "motions" / name / f"{person}.npz"

    def _recording(self, path: Path) -> dict[str, np.ndarray]:
        import zipfile

        try:
            with zipfile.ZipFile(path) as archive:
                if sum(member.file_size for member in archive.infolist()) > MOST_RECORDED:
                    raise ValueError(
                        f"it holds more than {MOST_RECORDED >> 20} MB"
                    )  # unpacked; a small file may say so
            with np.load(path, allow_pickle=False) as file:
                parts = {part: file[part] for part in PARTS}
        except (
            OSError,
            ValueError,
            KeyError,
            EOFError,
            TypeError,
            MemoryError,
            AttributeError,
            zipfile.BadZipFile,
        ) as error:
            raise DataError(f"{path}: is no recording with {', '.join(PARTS)} ({error}); fetch it again") from error
        for part, joints in _JOINTS.items():
            parts[part] = as_float(parts[part], (None, 3) if joints is None else (None, joints, 3), f"{path}, {part}")
        lengths = {len(values) for values in parts.values()}
        if len(lengths) != 1:
            raise DataError(f"{path}: its parts have {sorted(lengths)} frames; fetch it again")
        return parts

    def _file(self, split: str) -> Any:
        try:
            import h5py
        except ImportError as error:
            raise DataError("reading Inter-X's .h5 files needs h5py: pip install 'motifmix[data]'") from error
        path = self.folder / "motions" / f"{split}.h5"
        if not path.is_file():
            raise DataError(f"{self.folder}: Inter-X is not complete, missing: motions/{split}.h5; fetch the rest")
        try:
            return h5py.File(path, "r")
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error}); fetch it again") from error
