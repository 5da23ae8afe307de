"""What a denoiser is told: named parts, each a tensor with its mask, or absent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Part:
    """One part of a condition: ``value`` [B, ...] and, item by item, whether it is ``present`` [B]."""

    value: Tensor
    present: Tensor


@dataclass(frozen=True)
class Condition:
    """Named parts (``text``, ``style``, ``length``, ...). What an absent part means is the model's business."""

    parts: Mapping[str, Part]

    def get(self, name: str) -> Part | None:
        """Return a part, or None where nobody has it."""
        return self.parts.get(name)

    def without(self, names: Iterable[str]) -> "Condition":
        """Mark the named parts absent for every item."""
        names = set(names)
        return Condition(
            {
                name: Part(part.value, torch.zeros_like(part.present)) if name in names else part
                for name, part in self.parts.items()
            }
        )

    @staticmethod
    def stacked(conditions: "list[Condition]") -> "Condition":
        """Put conditions with the same parts into one batch."""
        return Condition(
            {
                name: Part(
                    torch.cat([c.parts[name].value for c in conditions]),
                    torch.cat([c.parts[name].present for c in conditions]),
                )
                for name in conditions[0].parts
            }
        )
