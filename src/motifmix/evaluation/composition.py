"""How MixerMDM scores a composition: its two alignments, and both in one number (its ``evaluate`` scripts)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motifmix.evaluation.metrics import over_repeats
from motifmix.mix.placement import center
from motifmix.quirks import Quirk


@dataclass(frozen=True)
class Overall:
    """One metric of a composition, [...]: of the ``interaction``, of the ``individual`` people, and ``both``."""

    interaction: np.ndarray
    interaction_half_width: np.ndarray
    individual: np.ndarray
    individual_half_width: np.ndarray

    @property
    def both(self) -> np.ndarray:
        """Harmonic mean of the two, which is 0 where one of them is."""
        total = self.interaction + self.individual
        product = 2 * self.interaction * self.individual
        return np.divide(product, total, out=np.zeros_like(total), where=total != 0)

    @property
    def both_half_width(self) -> np.ndarray:
        """The published interval of ``both``: the plain mean of the two half widths, which is no real interval."""
        return (self.interaction_half_width + self.individual_half_width) / 2


def overall(interaction: np.ndarray, individual: np.ndarray) -> Overall:
    """Join a metric's values over replications, [R] or [R, K] each, as published.

    The same for every metric, also for those of which less is better, where a harmonic mean says little.
    """
    sides = [
        [over_repeats(column.tolist(), published=True) for column in np.asarray(values).reshape(len(values), -1).T]
        for values in (interaction, individual)
    ]
    means = [np.array([interval.mean for interval in side]) for side in sides]
    halves = [np.array([interval.half_width for interval in side]) for side in sides]
    return Overall(means[0], halves[0], means[1], halves[1])


def individual_view(people: Sequence[Tensor], lengths: Tensor, quirks: Collection[Quirk] = ()) -> tuple[Tensor, Tensor]:
    """Turn scenes into single people for an evaluator of individual motion, each at the canonical start.

    ``people``: one tensor [B, T, 262] a person (not normalised); ``lengths`` [B] frames. Returns motions
    [B * people, longest, 262] in the order first person, second person, ... of the first scene, then of the next, and
    their lengths.
    """
    longest = int(lengths.max())
    motions = torch.stack(list(people), dim=1)[:, :, :longest]  # [B, P, T, 262]
    valid = (torch.arange(longest, device=lengths.device) < lengths[:, None])[:, None].expand(motions.shape[:-1])
    return center(motions, valid, quirks).flatten(0, 1), lengths.repeat_interleave(len(people))
