"""Scores of compositions, kept where they outlive the weights: rows of one table can be trained and measured one by one.

A folder with ``guidance.json`` (what tuning chose) and a file a composition: what :class:`~motifmix.evaluation.duet_bench.Scored`
holds, prompt by prompt, so that rows that were measured months apart are still resampled together.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from motifmix.atomic import replacing
from motifmix.errors import FileError
from motifmix.pipelines.baselines.compositions import Composition

_SAID = ("key", "title", "block", "way", "interaction", "individual", "mixer", "recipe", "tuned_as", "led")


@dataclass(frozen=True)
class Kept:
    """Arrays of a composition on the questions with these ``facts``, figures ``of_all`` of them, and its ``version``."""

    method: Composition
    version: str
    facts: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    of_all: Mapping[str, float]


class ScoreStore:
    """A folder of scores. ``kind``: prompts or recorded takes, which are kept apart."""

    def __init__(self, folder: Path, kind: str = "prompts") -> None:
        self.folder, self.kind = folder, kind

    def methods(self) -> list[Composition]:
        """Return every composition that has scores here."""
        return [self._read(path).method for path in sorted(self.folder.glob(f"*.{self.kind}.npz"))]

    def keys(self, questions: str, judges: str) -> set[str]:
        """Return the keys of compositions with scores on these questions by these judges."""
        kept = (self._read(path) for path in sorted(self.folder.glob(f"*.{self.kind}.npz")))
        return {
            own.method.key
            for own in kept
            if (own.facts.get("questions"), own.facts.get("judges")) == (questions, judges)
        }

    def read(self, key: str, facts: Mapping[str, Any]) -> Kept | None:
        """Return what is kept of a composition, or None where it was asked something else or in another way."""
        path = self._path(key)
        if not path.is_file():
            return None
        kept = self._read(path)
        return kept if dict(kept.facts) == json.loads(json.dumps(dict(facts))) else None

    def write(self, kept: Kept) -> Path:
        """Write or replace a composition's file; arrays in single precision."""
        path = self._path(kept.method.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        said = {
            "method": {name: getattr(kept.method, name) for name in _SAID},
            "version": kept.version, "facts": dict(kept.facts), "of_all": dict(kept.of_all),
        }  # fmt: skip
        arrays = {name: np.asarray(values, np.float32) for name, values in kept.arrays.items()}
        with replacing(path, force=True) as beside, beside.open("wb") as file:
            np.savez_compressed(file, said=np.array(json.dumps(said, ensure_ascii=False)), **arrays)  # pyright: ignore[reportArgumentType]
        return path

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.{self.kind}.npz"

    def _read(self, path: Path) -> Kept:
        try:
            with np.load(path, allow_pickle=False) as file:
                said = json.loads(str(file["said"]))
                arrays = {name: file[name] for name in file.files if name != "said"}
            return Kept(Composition(**said["method"]), said["version"], said["facts"], arrays, said["of_all"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FileError(
                f"{path}: these are no scores of a composition; delete the file, or fetch it again"
            ) from error


def arrays_of(scored: Any) -> dict[str, np.ndarray]:
    """Return a score's arrays by name."""
    return {name: value for name, value in asdict(scored).items() if isinstance(value, np.ndarray)}


def scored_of(kept: Kept, kind: type) -> Any:
    """Return a score of a ``kind`` from what was kept of it. Raises ``FileError`` where arrays are missing."""
    names = [field.name for field in fields(kind) if field.name != "of_all"]
    if absent := [name for name in names if name not in kept.arrays]:
        raise FileError(f"the kept scores of {kept.method.key} have no {absent[0]!r}; measure them again")
    return kind(**{name: kept.arrays[name] for name in names}, of_all=dict(kept.of_all))
