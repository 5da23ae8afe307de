"""The trained evaluators of pairs and of the people in them, and what they say about scenes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motifmix.encoders.text import MiniLM
from motifmix.errors import WeightsError
from motifmix.evaluation.composition import individual_view
from motifmix.evaluation.judges import Role
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.mix.placement import center_scene
from motifmix.models.duet_evaluator import DuetEvaluator
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import weights_version

PART = "evaluator"
BATCH = 32
_FOLDERS = {"score": "weights-duets-evaluator-{}", "select": "weights-duets-evaluator-{}-select"}


@dataclass(frozen=True)
class Embedded:
    """Embeddings of N scenes: of the pair [N, E], and of each person in it [N, P, E]."""

    pairs: np.ndarray
    people: np.ndarray


class DuetJudges:
    """The two evaluators of one role. Raises ``WeightsError`` where a card says another role or another number of people."""

    def __init__(self, role: Role, home: Path, encoder: MiniLM | None = None) -> None:
        self.role, self.encoder = role, encoder or MiniLM()
        folders = [_folder(role, what, home) for what in ("interaction", "individual")]
        self.pair, self.person = (
            load_evaluator(folder, role, people) for folder, people in zip(folders, (2, 1), strict=True)
        )
        self.version = "-".join(weights_version(folder) for folder in folders)

    @torch.inference_mode()
    def scenes(self, people: Sequence[np.ndarray]) -> Embedded:
        """Embed scenes, features [P, T, 262] in metres each, wherever they stand."""
        pairs, persons = [], []
        for start in range(0, len(people), BATCH):
            part = people[start : start + BATCH]
            lengths = torch.tensor([one.shape[1] for one in part])
            stacked = torch.zeros(len(part), 2, int(lengths.max()), part[0].shape[-1])
            for row, one in enumerate(part):
                stacked[row, :, : one.shape[1]] = center_scene(torch.from_numpy(one).double())
            valid = torch.arange(stacked.shape[2]) < lengths[:, None]
            pairs.append(self.pair.embed_motions(stacked, valid).numpy())
            alone, long = individual_view([stacked[:, 0], stacked[:, 1]], lengths)
            own = torch.arange(alone.shape[1]) < long[:, None]
            persons.append(self.person.embed_motions(alone[:, None], own).unflatten(0, (-1, 2)).numpy())
        return Embedded(np.concatenate(pairs), np.concatenate(persons))

    @torch.inference_mode()
    def texts(self, shared: Sequence[str], own: Sequence[Sequence[str]]) -> Embedded:
        """Embed the sentences of N scenes, and those of each person in them."""
        flat = [text for texts in own for text in texts]
        people = self.person.embed_texts(self.encoder.encode(flat)).unflatten(0, (len(own), -1))
        return Embedded(self.pair.embed_texts(self.encoder.encode(list(shared))).numpy(), people.numpy())


def _folder(role: Role, what: str, home: Path) -> Path:
    """Return where an evaluator lies: trained here, or with the package."""
    trained = home / _FOLDERS[role].format(what)
    shipped = PACKAGE_WEIGHTS / "duet" / (f"evaluator_{what}" + ("_select" if role == "select" else ""))
    is_shipped = (shipped / f"{PART}.yaml").is_file()
    return shipped if is_shipped and not (trained / f"{PART}.yaml").is_file() else trained


def load_evaluator(folder: Path, role: Role, people: int) -> DuetEvaluator:
    """Read the evaluator of scenes of ``people`` that has a role.

    Raises ``WeightsError`` where there is none, or where its card says another role or another number of people.
    """
    if not (folder / f"{PART}.yaml").is_file():
        what = "interaction" if people == 2 else "individual"
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
