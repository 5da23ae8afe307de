"""How much of the individual model a composition takes at each step, where nobody learns it: DualMDM's schedules.

Each maps the original step t, from ``total`` at pure noise to 0, to a share in [0, 1]. The published ones always count
from 1000, whatever the number of steps of the process; on continuous schedules the time stands for the step.
"""

import math
from dataclasses import dataclass
from typing import Protocol

from motifmix.diffusion.schedule import NoiseLevel

PUBLISHED_TOTAL = 1000
PUBLISHED_RATE = 0.0085


class Share(Protocol):
    """The individual model's share at a step."""

    def __call__(self, step: float) -> float:
        """Return the share, 0 to 1."""
        ...


@dataclass(frozen=True)
class Constant:
    """The same share at every step; 0.5 is DiffusionBlending of two models."""

    share: float = 0.5

    def __call__(self, step: float) -> float:
        """Return the share."""
        return self.share


@dataclass(frozen=True)
class Linear:
    """The individual model alone at pure noise, the interaction model alone at the end."""

    total: int = PUBLISHED_TOTAL

    def __call__(self, step: float) -> float:
        """Return t / total."""
        return step / self.total


@dataclass(frozen=True)
class Exponential:
    """The individual model early, then quickly the interaction model (in2IN, section 3.3)."""

    rate: float = PUBLISHED_RATE
    total: int = PUBLISHED_TOTAL

    def __call__(self, step: float) -> float:
        """Return exp(-rate (total - t))."""
        return math.exp(-self.rate * (self.total - step))


@dataclass(frozen=True)
class ReversedExponential:
    """The interaction model early, then quickly the individual model."""

    rate: float = PUBLISHED_RATE
    total: int = PUBLISHED_TOTAL

    def __call__(self, step: float) -> float:
        """Return 1 - exp(-rate (total - t))."""
        return 1.0 - Exponential(self.rate, self.total)(step)


def published_schedule(name: str, value: float = PUBLISHED_RATE) -> Share:
    """Return a schedule by its published name (``exp``, ``exp-inv``, ``lin``, ``const``) and value.

    Raises ``ValueError`` for another name.
    """
    if name == "lin":
        return Linear()
    makers = {"exp": Exponential, "exp-inv": ReversedExponential, "const": Constant}
    if name not in makers:
        raise ValueError(f"no schedule {name!r}; known are {', '.join(sorted([*makers, 'lin']))}")
    return makers[name](value)


def original_step(level: NoiseLevel, total: int = PUBLISHED_TOTAL) -> float:
    """The step in a process of ``total`` that a level stands for."""
    return level.time * total if level.step is None else level.step
