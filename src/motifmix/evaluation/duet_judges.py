"""The trained evaluators of pairs and of the people in them, and what they say about scenes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from motifmix.encoders.text import MiniLM
from motifmix.evaluation.composition import individual_view
from motifmix.mix.placement import center_scene
from motifmix.pretrained.cards import weights_version
from motifmix.pretrained.duet_evaluators import evaluator_folder, load_evaluator
from motifmix.pretrained.judges import Role

BATCH = 32


@dataclass(frozen=True)
class Embedded:
    """Embeddings of N scenes: of the pair [N, E], and of each person in it [N, P, E]."""

    pairs: np.ndarray
    people: np.ndarray


class DuetJudges:
    """The two evaluators of one role. Raises ``WeightsError`` where a card says another role or another number of people."""

    def __init__(self, role: Role, home: Path, encoder: MiniLM | None = None) -> None:
        self.role, self.encoder = role, encoder or MiniLM()
        folders = [evaluator_folder(role, people, home) for people in (2, 1)]
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
