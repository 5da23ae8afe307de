"""What frozen models say of noisy inputs.

They take a quarter of a Mixer's step, and the rows of a table differ in the Mixer alone; so they are asked once for all rows.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from motifmix.training.objectives.duets.both_kinds import MixedBatch
from motifmix.training.objectives.duets.kept_batches import Fields, Items


@dataclass(frozen=True)
class Asked:
    """Noisy inputs and what two models made of them.

    ``batch``: what was noised; ``told`` [B], whether its texts were said; ``timesteps`` [B]; ``anchor`` [B, P, T, 262] and
    ``other`` [B, P, T, 262], the predictions in metres.
    """

    batch: MixedBatch
    told: Tensor
    timesteps: Tensor
    anchor: Tensor
    other: Tensor

    def to(self, device: torch.device) -> "Asked":
        """Return the same on a device."""
        rest = (value.to(device) for value in (self.told, self.timesteps, self.anchor, self.other))
        return Asked(self.batch.to(device), *rest)

    @staticmethod
    def fields(frames: int) -> Fields:
        """Return how a batch of at most so many ``frames`` is kept."""
        small = ("valid", "foreign", "text", "individual_text", "told", "timesteps")
        return Fields(("motion", "anchor", "other"), small, frames)

    def items(self) -> Items:
        """Return it as it is kept."""
        return {**vars(self.batch), **{name: value for name, value in vars(self).items() if name != "batch"}}

    @classmethod
    def of(cls, items: Items) -> "Asked":
        """Return what was kept."""
        batch = MixedBatch(*(items[name] for name in MixedBatch.__dataclass_fields__))
        return cls(batch, *(items[name] for name in ("told", "timesteps", "anchor", "other")))
