"""Several drafts of one scene, of which the one is kept that is told best by its sentences.

A small model often makes what was asked for, and often something else; a reader of motion tells which is which at little cost.
The readers are the two evaluators with the role ``select``, which choose settings too; those that score have no say.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from motifmix.home import home
from motifmix.mix.groups import Pairs
from motifmix.mix.placement import center, center_scene
from motifmix.models.duet_evaluator import DuetEvaluator
from motifmix.pretrained.duet_evaluators import PART, evaluator_folder, load_evaluator

DRAFTS = 4  # benchmarks/drafts.py
MOST_DRAFTS = 32


@dataclass(frozen=True)
class Reader:
    """Tells how well drafts show what was said; ``longest`` frames at once, as the evaluators learnt, longer ones in windows.

    Texts are sentence embeddings (MiniLM): ``text`` [384] of the scene and ``own`` [P, 384] of each person, zero where nothing
    was said, which then counts nothing. What a scene's sentence says counts as much as all people's together, as in the
    alignment of compositions.
    """

    pair: DuetEvaluator
    person: DuetEvaluator
    longest: int

    @classmethod
    def load(cls, longest: int, folder: Path | None = None) -> "Reader | None":
        """Return the evaluators trained below ``folder`` (``MOTIFMIX_HOME``) or with the package; None where there are none.

        Raises ``WeightsError`` for one that has another role.
        """
        folders = {people: evaluator_folder("select", people, folder or home()) for people in (2, 1)}
        if not all((own / f"{PART}.yaml").is_file() for own in folders.values()):
            return None
        pair, person = (load_evaluator(own, "select", people).eval() for people, own in folders.items())
        return cls(pair, person, longest)

    @torch.inference_mode()
    def of_pairs(self, clean: Tensor, pairs: Pairs, text: Tensor, own: Tensor) -> Tensor:
        """Return the score [D] of drafts of ``pairs`` [D, E, 2, T, 262] in metres."""
        roles = own[[person for pair in pairs for person in pair]]  # [2 E, 384]
        told = (roles != 0).any(dim=-1)
        people = self.of_people(clean.flatten(1, 2), roles).sum(dim=1) / told.sum().clamp(min=1)
        scenes = center_scene(clean.flatten(0, 1).double()).float()
        said = self._read(self.pair, scenes) @ _told(self.pair, text[None])[0]
        return said.unflatten(0, (len(clean), -1)).mean(dim=1) + people

    @torch.inference_mode()
    def of_people(self, clean: Tensor, own: Tensor) -> Tensor:
        """Return the score [D, P] of each person of drafts [D, P, T, 262], 0 for who was told nothing."""
        valid = torch.ones(clean.shape[:3], dtype=torch.bool)
        alone = center(clean.double(), valid).float().flatten(0, 1)[:, None]
        seen = self._read(self.person, alone).unflatten(0, (len(clean), -1))
        return (seen * _told(self.person, own)).sum(dim=-1)

    def _read(self, evaluator: DuetEvaluator, people: Tensor) -> Tensor:
        """Embed [N, P, T, 262] to [N, E]; of long ones the mean over windows, neighbours of which share half."""
        beyond = max(people.shape[2] - self.longest, 0)
        starts = sorted({*range(0, beyond, max(self.longest // 2, 1)), beyond})
        windows = [people[:, :, start : start + self.longest] for start in starts]
        valid = torch.ones(len(people), windows[0].shape[2], dtype=torch.bool)
        return torch.stack([evaluator.embed_motions(window, valid) for window in windows]).mean(dim=0)


def _told(evaluator: DuetEvaluator, vectors: Tensor) -> Tensor:
    """Embed sentences [N, 384]; what is zero stays so."""
    said = (vectors != 0).any(dim=-1, keepdim=True)
    return evaluator.embed_texts(vectors) * said
