"""Batches for what is trained between a model of pairs and models of one person: pairs, and pairs of foreign people.

A foreign item keeps a pair's text and paths, but its people are two single clips, each put onto the path of one of the pair
and told what that clip shows. So contents and styles that no pair has come before a Mixer, in a place where people stand.
Nobody pretends that this is what the interaction looks like with those contents: it makes noisy inputs, as data do in
MixerMDM, and is compared with each person alone.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition
from motifmix.features.interhuman import BLOCKS
from motifmix.mix.ingredients import scene_told
from motifmix.mix.placement import align
from motifmix.training.objectives.duets.individual import Sentences
from motifmix.training.objectives.duets.people import People
from motifmix.training.objectives.duets.texts import ScaledTexts
from motifmix.training.published_sets import Pairs

_HEIGHTS = slice(BLOCKS["joint_positions"].start + 1, BLOCKS["joint_positions"].stop, 3)


@dataclass(frozen=True)
class MixedBatch:
    """``motion`` [B, P, T, 262] (not normalised, people where they stand), zero where not ``valid`` [B, T].

    ``foreign`` [B]: items that keep the paths of a pair only; ``text`` [B, D] of the interaction, ``individual_text`` [B, P, D]
    of what each person of ``motion`` does.
    """

    motion: Tensor
    valid: Tensor
    foreign: Tensor
    text: Tensor
    individual_text: Tensor

    def condition(self, kept: Tensor) -> Condition:
        """Tell everybody all texts of the items that are ``kept`` [B], and the others nothing."""
        return scene_told(self.text, self.individual_text, kept > 0)

    def to(self, device: torch.device) -> "MixedBatch":
        """Return the same on a device."""
        return MixedBatch(*(value.to(device) for value in vars(self).values()))


class BothKinds:
    """Draws :class:`MixedBatch` es from ``pairs`` and, where there are any, ``people`` with their ``sentences``.

    ``texts``: the tables in which their sentences stand.
    """

    def __init__(
        self, pairs: Pairs, texts: list[ScaledTexts], people: People | None = None, sentences: Sentences | None = None
    ) -> None:
        self.pairs, self.texts, self.people, self.sentences = pairs, texts, people, sentences

    def draw(self, rng: np.random.Generator, count: int, foreign: float) -> MixedBatch:
        """Draw ``count`` items, each with the chance ``foreign`` of foreign people."""
        batch = self.pairs.draw(rng, count)
        motion = (batch.people * batch.valid_mask[..., None, None]).transpose(1, 2)  # [B, P, T, F]
        valid = batch.valid_mask.clone()
        alone = [list(texts) for texts in batch.individual_texts]
        chosen = torch.from_numpy(rng.random(count) < foreign)
        for item in chosen.nonzero().flatten().tolist():
            placed, alone[item] = self._foreign(motion[item, :, : int(valid[item].sum())], rng)
            frames = placed.shape[1]
            valid[item, frames:] = False
            motion[item] = 0.0
            motion[item, :, :frames] = placed
        said = self._vectors([*batch.texts, *(text for texts in alone for text in texts)])
        return MixedBatch(motion, valid, chosen, said[:count], said[count:].unflatten(0, (count, -1)))

    def _foreign(self, pair: Tensor, rng: np.random.Generator) -> tuple[Tensor, list[str]]:
        """Put two single clips onto the paths of ``pair`` [P, T, F]; returns [P, T or fewer, F], and their sentences."""
        assert self.people is not None and self.sentences is not None
        drawn = self.people.draw(rng, len(pair))
        frames = min(pair.shape[1], *(len(features) for _, features in drawn))
        clips = torch.stack([torch.from_numpy(features[:frames]) for _, features in drawn])
        placed = align(clips, pair[:, :frames])
        # On the path of a person who begins on his knees nobody hangs in the air: heights stay the clip's own.
        placed[..., _HEIGHTS] += clips[:, :1, 1:2] - placed[:, :1, 1:2]  # the root is joint 0
        return placed, [self.sentences.draw(clip, rng) for clip, _ in drawn]

    def _vectors(self, texts: list[str]) -> Tensor:
        rows = []
        for text in texts:
            table = next((table for table in self.texts if text in table.row), self.texts[0])
            rows.append(table([text], torch.device("cpu"))[0])
        return torch.stack(rows)
