"""What a Mixer learns from texts: its mixture should be found by the sentences that it was told (past the paper).

Two evaluators with the role ``guide`` embed the mixture as a scene and each person in it alone. They learnt from what the
mixed models learnt from too, no foreign pairs, and neither choose nor score anything. A sentence is told from every other
sentence of the training side; those that mean about the same to the guide count as right as well.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from motifmix.mix.placement import center, center_scene
from motifmix.models.duet_evaluator import DuetEvaluator
from motifmix.pretrained.duet_evaluators import ALIKE, load_evaluator
from motifmix.training.objectives.duets.both_kinds import MixedBatch
from motifmix.training.objectives.duets.texts import TEXT_SCALE

SHARPNESS = 10.0  # inverse temperature; with the guides' own, a blurred prediction at much noise outweighs all others


@dataclass(frozen=True)
class Guide:
    """An evaluator that is learnt from, and sentences of the training side, embedded by it [N, E]."""

    network: DuetEvaluator
    sentences: Tensor

    @classmethod
    def read(cls, folder: Path, people: int, said: Tensor) -> "Guide":
        """Read a guide of scenes of ``people``; ``said`` [N, 384], scaled as the objectives' texts are.

        Raises ``WeightsError`` where there is none, or where the card gives it another role.
        """
        network = load_evaluator(folder, "guide", people).eval().requires_grad_(False)
        with torch.no_grad():
            return cls(network, network.embed_texts(said / TEXT_SCALE))

    def loss(self, people: Tensor, valid: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """How badly scenes [N, P, T, 262] (in metres) with ``valid`` [N, T] are told by ``told`` [N, 384].

        Returns the loss of each [N], and whether a right sentence came first [N].
        """
        own = self.network.embed_texts(told / TEXT_SCALE)
        candidates = torch.cat([own, self.sentences.to(own.device)])
        right = (own @ candidates.T > ALIKE).float()
        right[:, : len(own)].fill_diagonal_(1.0)
        logits = SHARPNESS * (self.network.embed_motions(people, valid) @ candidates.T)
        # What means the same adds up to one answer, however often somebody put it into words.
        among = logits.masked_fill(right == 0, -torch.inf).logsumexp(dim=1)
        found = right.gather(1, logits.argmax(dim=1, keepdim=True))[:, 0]
        return logits.logsumexp(dim=1) - among, found.detach()


@dataclass(frozen=True)
class Guides:
    """A guide of scenes and one of single people."""

    scene: Guide
    person: Guide

    def loss(self, clean: Tensor, batch: MixedBatch, told: Tensor) -> tuple[Tensor, Tensor, dict[str, float]]:
        """The losses of mixtures [B, P, T, 262] by scene and by person, of items that were ``told`` [B] their texts alone.

        A scene counts where the pair's own people are in it: what its sentence looks like with others nobody knows.
        """
        people, valid = clean.shape[1], batch.valid
        own = batch.individual_text.flatten(0, 1)
        counted = told.bool() & ~batch.foreign
        each = told.bool().repeat_interleave(people) & (own.abs().sum(dim=-1) > 0)
        long = valid.repeat_interleave(people, dim=0)
        scene, found = self.scene.loss(center_scene(clean), valid, batch.text)
        alone = center(clean, valid[:, None].expand(clean.shape[:3])).flatten(0, 1)[:, None]  # [B P, 1, T, 262]
        person, own_found = self.person.loss(alone, long, own)
        figures = {"interaction_found": _mean(found, counted), "individual_found": _mean(own_found, each)}
        return _mean(scene, counted), _mean(person, each), {name: float(value) for name, value in figures.items()}


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    return (values * counted).sum() / counted.sum().clamp(min=1)
