"""Evaluators of scenes of two people and of one, by the role that each has: where they lie, and how they are read."""

from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from motifmix.errors import WeightsError
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.models.duet_evaluator import DuetEvaluator
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import read_weights

PART, MEANINGS = "evaluator", "meanings"
ALIKE = 0.9  # cosine of two sentences in an evaluator's space from which they mean the same
Role = Literal["guide", "select", "score"]
_CALLED = {1: "individual", 2: "interaction"}
_FOLDERS = {"score": "weights-duets-evaluator-{}", "select": "weights-duets-evaluator-{}-select"}


def evaluator_folder(role: Role, people: int, home: Path, *, shipped_first: bool = False) -> Path:
    """Return where an evaluator of scenes of ``people`` lies: trained here, or else with the package; or the other way round."""
    what = _CALLED[people]
    trained = home / _FOLDERS[role].format(what)
    shipped = PACKAGE_WEIGHTS / "duet" / (f"evaluator_{what}" + ("_select" if role == "select" else ""))
    for folder in (shipped, trained) if shipped_first else (trained, shipped):
        if (folder / f"{PART}.yaml").is_file():
            return folder
    return trained


def load_evaluator(folder: Path, role: Role, people: int) -> DuetEvaluator:
    """Read the evaluator of scenes of ``people`` that has a role.

    Raises ``WeightsError`` where there is none, or where its card says another role or another number of people.
    """
    if not (folder / f"{PART}.yaml").is_file():
        what = _CALLED[people]
        size = "" if role == "score" else f" --set size={role}"
        raise WeightsError(
            f"{folder}: there is no evaluator to {role} with; train it with 'motifmix train "
            f"recipes/duets/evaluator_{what}.yaml{size}'"
        )
    card, network, _ = load_part(folder, PART)
    checked: Any = network
    if card.role != role or not isinstance(network, DuetEvaluator) or checked.people != people:
        raise WeightsError(
            f"{folder}: its card says role {card.role} ({card.name}), so it may not {role} here; train one"
        )
    return network


def load_meanings(folder: Path) -> Tensor:
    """Read the sentences that an evaluator learned, one of each meaning, in its space [M, E].

    Raises ``WeightsError`` where there are none.
    """
    return read_weights(folder, MEANINGS)[1]["embeddings"].float()
