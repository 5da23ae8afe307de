"""in2IN (Ruiz-Ponce et al., CVPR workshops 2024; published symbol ``in2INDenoiser``): InterGen's network, told more.

:class:`In2INInteraction` is told the interaction and each person's own part of it: self-attention and feed-forward
follow the person's text, cross-attention the interaction's. :class:`In2INIndividual` is the same network for one person;
its cross-attention is skipped, but its weights are stored in published files. Both make DualMDM (``mix/``).
"""

from collections.abc import Collection

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Difference
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.intergen import (
    PEOPLE,
    Hook,
    InterGenNetwork,
    people_in_batch,
    people_side_by_side,
    steps_of,
    zeroed_part,
)
from motifmix.quirks import Quirk

SECOND_PERSON_NOT_CARRIED = Quirk(
    "second_person_not_carried",
    "inside DualMDM the individual network passes the second person through its last block only; published DualMDM "
    "numbers were made so",
)


def multi_condition_guidance(full: float = 3.0, interaction: float = 3.0, individual: float = 1.0) -> list[Difference]:
    """Return the terms of in2IN's guidance: u + full (all texts - u) + interaction (its text alone - u) + individual
    (the people's texts alone - u), where u knows none. The defaults are the published scales.
    """
    return [
        Difference(full, ("text", "individual_text")),
        Difference(interaction, ("text",)),
        Difference(individual, ("individual_text",)),
    ]


class In2INInteraction(InterGenNetwork):
    """Two people, three texts."""

    def forward(
        self,
        noisy: Tensor,
        timesteps: Tensor,
        text: Tensor,
        individual_text: Tensor,
        valid_mask: Tensor | None = None,
        hook: Hook | None = None,
    ) -> Tensor:
        """``noisy`` [B, T, 2 F], ``timesteps`` [B], ``text`` of the interaction [B, text], ``individual_text``
        [B, 2, text], ``valid_mask`` [B, T]; returns [B, T, 2 F]. ``hook`` as in InterGen.
        """
        together = self.embedding(timesteps, text).repeat_interleave(PEOPLE, dim=0)  # [B 2, D]
        alone = self.embedding(timesteps, individual_text).flatten(0, 1)  # [B 2, D]
        return self.denoise_pair(noisy, alone, together, valid_mask, hook)

    def denoise(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Speak the protocol of denoisers: parts ``text`` [B, text] and ``individual_text`` [B, 2, text]; absent ones
        are zeros. Raises ``ValueError`` for a level without a step.
        """
        return self.denoise_at(steps_of(level, noisy), noisy, condition, valid)

    def denoise_at(self, timesteps: Tensor, noisy: Tensor, condition: Condition, valid: Tensor) -> Tensor:
        """Do the same at each item's own step [B], as in training."""
        texts = zeroed_part(condition, "text"), zeroed_part(condition, "individual_text")
        return self(noisy, timesteps, *texts, valid)


class In2INIndividual(InterGenNetwork):
    """One person, one text."""

    def forward(
        self,
        noisy: Tensor,
        timesteps: Tensor,
        text: Tensor,
        valid_mask: Tensor | None = None,
        hook: Hook | None = None,
    ) -> Tensor:
        """``noisy`` [B, T, F], ``timesteps`` [B], ``text`` [B, text], ``valid_mask`` [B, T]; returns [B, T, F].

        ``hook(number, tokens)`` may change what block ``number`` (from 1) hands on, [B, T, D].
        """
        (x, valid), condition = self.tokens(noisy, valid_mask), self.embedding(timesteps, text)
        for number, block in enumerate(self.blocks, start=1):
            x = block(self.seeing_neighbours(number, x, valid), condition, valid_mask=valid)
            x = x if hook is None else hook(number, x)
        return self.frames(x, noisy.shape[1])

    def denoise(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Speak the protocol of denoisers: the part ``text`` [B, text]; absent, it is a vector of zeros.

        Raises ``ValueError`` for a level without a step.
        """
        return self.denoise_at(steps_of(level, noisy), noisy, condition, valid)

    def denoise_at(self, timesteps: Tensor, noisy: Tensor, condition: Condition, valid: Tensor) -> Tensor:
        """Do the same at each item's own step [B], as in training."""
        return self(noisy, timesteps, zeroed_part(condition, "text"), valid)

    def denoise_pairwise(
        self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor, quirks: Collection[Quirk] = ()
    ) -> Tensor:
        """Speak the protocol for two people [B, T, 2 F]: the part ``individual_text`` [B, 2, text]; absent, zeros."""
        texts = zeroed_part(condition, "individual_text")
        return self.forward_pair(noisy, steps_of(level, noisy), texts, valid, quirks=quirks)

    def forward_pair(
        self,
        noisy: Tensor,
        timesteps: Tensor,
        texts: Tensor,
        valid_mask: Tensor | None = None,
        hook: Hook | None = None,
        quirks: Collection[Quirk] = (),
    ) -> Tensor:
        """Denoise two people who do not know of each other, as DualMDM does: ``noisy`` [B, T, 2 F], ``texts``
        [B, 2, text], a text a person; returns [B, T, 2 F]. ``hook`` is given tokens [B, 2, T, D].
        """
        everyone = None if valid_mask is None else valid_mask.repeat_interleave(PEOPLE, dim=0)
        x, valid = self.tokens(people_in_batch(noisy), everyone)  # [B 2, L, D]
        condition = self.embedding(timesteps, texts).flatten(0, 1)
        if SECOND_PERSON_NOT_CARRIED in quirks:
            x = self._first_carried(x, condition, valid, hook)
        else:
            for number, block in enumerate(self.blocks, start=1):
                x = block(self.seeing_neighbours(number, x, valid), condition, valid_mask=valid)
                x = x if hook is None else hook(number, x.unflatten(0, (-1, PEOPLE))).flatten(0, 1)
        return people_side_by_side(self.frames(x, noisy.shape[1]))

    def _first_carried(self, x: Tensor, condition: Tensor, valid: Tensor | None, hook: Hook | None) -> Tensor:
        """Run the blocks over [B 2, T, D] as published: only the first person's tokens go from block to block.

        What the second one's give before the last block is lost, so it is computed only where a hook looks at it.
        """
        carried, unmoved = x[::PEOPLE], x[1::PEOPLE]
        for number, block in enumerate(self.blocks, start=1):
            if hook is None and number < len(self.blocks):
                own = None if valid is None else valid[::PEOPLE]
                carried = block(self.seeing_neighbours(number, carried, own), condition[::PEOPLE], valid_mask=own)
                continue
            both = torch.stack([carried, unmoved], dim=1).flatten(0, 1)
            x = block(self.seeing_neighbours(number, both, valid), condition, valid_mask=valid)
            x = x if hook is None else hook(number, x.unflatten(0, (-1, PEOPLE))).flatten(0, 1)
            carried = x[::PEOPLE]
        return x
