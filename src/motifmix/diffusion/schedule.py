"""Noise levels: a noisy sample is ``alpha * clean + sigma * noise``."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class NoiseLevel:
    """Strength of signal and noise at ``time`` (0 = clean, 1 = noise only).

    ``step`` is the original step of a discrete process, as its network was told in training; None on continuous ones.
    """

    alpha: float
    sigma: float
    time: float
    step: float | None = None


class FlowSchedule:
    """The straight path of rectified flow: alpha = 1 - t, sigma = t (Liu et al. 2022)."""

    name = "flow"

    @staticmethod
    def level(time: float) -> NoiseLevel:
        """Return the level at ``time`` in [0, 1]."""
        return NoiseLevel(1.0 - time, time, time)

    def levels(self, steps: int, shift: float = 1.0) -> list[NoiseLevel]:
        """``steps + 1`` levels from noise to clean, equally far apart in time where ``shift`` is 1.

        A greater shift spends more of them near the noise (Esser et al. 2024, section 5.3.2).
        """
        times = [1.0 - k / steps for k in range(steps + 1)]
        return [self.level(shift * time / (1.0 + (shift - 1.0) * time)) for time in times]


class CosineSchedule(FlowSchedule):
    """alpha = cos(pi t / 2), sigma = sin(pi t / 2): variance is preserved (Nichol & Dhariwal 2021, without offset)."""

    name = "cosine"

    @staticmethod
    def level(time: float) -> NoiseLevel:
        """Return the level at ``time`` in [0, 1]."""
        return NoiseLevel(math.cos(math.pi * time / 2), math.sin(math.pi * time / 2), time)


SCHEDULES = {"flow": FlowSchedule, "cosine": CosineSchedule}
