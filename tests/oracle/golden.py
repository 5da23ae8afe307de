"""Golden folders: numbers that published code computed, to which ours are compared, output by output."""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

DEFAULT_FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "golden"


def golden_folders() -> list[Path]:
    """The folders in ``MOTIFMIX_GOLDEN`` (separated as in PATH), or the one beside the repository, if any is there.

    Raises ``FileNotFoundError`` where one of several is missing, or a named one holds no case: a typing mistake must
    not look like success.
    """
    named = os.environ.get("MOTIFMIX_GOLDEN")
    folders = [Path(part) for part in named.split(os.pathsep) if part] if named else [DEFAULT_FOLDER]
    found = [folder for folder in folders if folder.is_dir()]
    if found and len(found) < len(folders):
        missing = next(folder for folder in folders if folder not in found)
        raise FileNotFoundError(f"MOTIFMIX_GOLDEN names {missing}, which is no folder")
    empty = [folder for folder in found if named and not cases(folder)]
    if empty:
        raise FileNotFoundError(f"MOTIFMIX_GOLDEN names {empty[0]}, which holds no <item>/<case>/meta.json")
    return found


@dataclass(frozen=True)
class Case:
    """One folder ``<item>/<case>`` with its ``meta.json`` and tensors."""

    folder: Path

    @cached_property
    def meta(self) -> dict:
        return json.loads((self.folder / "meta.json").read_text(encoding="utf-8"))

    @property
    def item(self) -> str:
        return self.meta["item"]

    @property
    def config(self) -> dict:
        return self.meta["config"]

    @cached_property
    def _tensors(self) -> dict[str, np.ndarray]:
        return load_file(self.folder / "tensors.safetensors")

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        return {name[3:]: value for name, value in self._tensors.items() if name.startswith("in.")}

    @property
    def outputs(self) -> dict[str, np.ndarray]:
        return {name[4:]: value for name, value in self._tensors.items() if name.startswith("out.")}

    def __str__(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"


def cases(folder: Path) -> list[Case]:
    return [Case(meta.parent) for meta in sorted(folder.glob("*/*/meta.json"))]


def differences(case: Case, ours: dict[str, np.ndarray]) -> list[str]:
    """One sentence for each output of a case that ours lacks or misses; outputs marked optional may lack."""
    complaints = []
    for name, described in case.meta["outputs"].items():
        if name not in ours:
            if not described.get("optional"):
                complaints.append(f"{name}: not computed")
            continue
        expected, got = case.outputs[name], np.asarray(ours[name])
        if got.shape != expected.shape:
            complaints.append(f"{name}: shape {got.shape}, expected {expected.shape}")
            continue
        atol, rtol = tolerance(case, name)
        got, expected = got.astype(np.float64), expected.astype(np.float64)
        close = np.isclose(got, expected, atol=atol, rtol=rtol, equal_nan=True)
        if described.get("compare") == "up_to_sign":
            other = np.isclose(-got, expected, atol=atol, rtol=rtol, equal_nan=True)
            close = close.all(-1, keepdims=True) | other.all(-1, keepdims=True)
        if not close.all():
            complaints.append(f"{name}: off by up to {np.abs(got - expected).max():.3g} (atol {atol}, rtol {rtol})")
    return complaints


def errors(case: Case, ours: dict[str, np.ndarray]) -> dict[str, tuple[float, float, float]]:
    """For each output that both have: (error, its tolerance, their ratio) of the element nearest to its tolerance."""
    found = {}
    for name, described in case.meta["outputs"].items():
        if name not in ours:
            continue
        expected, got = case.outputs[name].astype(np.float64), np.asarray(ours[name]).astype(np.float64)
        atol, rtol = tolerance(case, name)
        error = np.where((got == expected) | (np.isnan(got) & np.isnan(expected)), 0.0, np.abs(got - expected))
        if described.get("compare") == "up_to_sign":
            flipped = np.abs(got + expected)
            error = np.where(error.max(-1, keepdims=True) <= flipped.max(-1, keepdims=True), error, flipped)
        allowed = np.broadcast_to(atol + rtol * np.abs(expected), error.shape)
        share = np.where(error == 0, 0.0, error / np.maximum(allowed, 1e-300)).ravel()
        worst = int(share.argmax()) if share.size else 0
        found[name] = (
            (float(error.ravel()[worst]), float(allowed.ravel()[worst]), float(share[worst]))
            if share.size
            else (0.0, atol, 0.0)
        )
    return found


def tolerance(case: Case, output: str) -> tuple[float, float]:
    """Return (atol, rtol) of one output."""
    general = case.meta["tolerance"]
    own = general.get("per_output", {}).get(output, {})
    atol = own.get("atol", general.get("per_output_atol", {}).get(output, general["atol"]))
    return atol, own.get("rtol", general.get("rtol", 0.0))
