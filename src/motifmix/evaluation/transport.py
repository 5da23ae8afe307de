"""Entropic optimal transport between two sets of embeddings: DualMDM's extrinsic individual diversity.

How far are motions of the interaction model alone from those that a composition makes with foreign individual texts?
Log-domain Sinkhorn iterations (Cuturi 2013; Peyre & Cuturi 2019, section 4.4) with the Euclidean distance as cost.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from motifmix.evaluation.metrics import euclidean_distances


@dataclass(frozen=True)
class Transport:
    """``distance``: what the plan costs; ``plan`` [N, M]; ``rounds`` that it took."""

    distance: float
    plan: np.ndarray
    rounds: int

    @property
    def match_of_first(self) -> np.ndarray:
        """For each row the column to which most of it goes, [N]."""
        return self.plan.argmax(axis=1)

    @property
    def match_of_second(self) -> np.ndarray:
        """For each column the row from which most of it comes, [M]."""
        return self.plan.argmax(axis=0)


def sinkhorn(
    first: np.ndarray, second: np.ndarray, entropy: float = 1e-3, most_rounds: int = 500, stop: float = 1e-5
) -> Transport:
    """Transport ``first`` [N, D] to ``second`` [M, D], both of total mass 1, equally spread.

    The rounds end when neither potential moves by more than ``stop`` (distance units), or after ``most_rounds``.
    Raises ``ValueError`` for an empty set.
    """
    if len(first) == 0 or len(second) == 0:
        raise ValueError(f"transport needs two sets, got {len(first)} and {len(second)} embeddings")
    cost = euclidean_distances(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64))
    rows, columns = -np.log(len(first)), -np.log(len(second))  # log weights
    u, v = np.zeros(len(first)), np.full(len(second), entropy * columns)
    rounds = 0
    while rounds < most_rounds:
        before_u, before_v = u, v
        u = entropy * (rows - logsumexp((v[None, :] - cost) / entropy, axis=1))
        v = entropy * (columns - logsumexp((u[:, None] - cost) / entropy, axis=0))
        rounds += 1
        if np.abs(u - before_u).max() < stop and np.abs(v - before_v).max() < stop:
            break
    plan = np.exp((u[:, None] + v[None, :] - cost) / entropy)
    return Transport(float((plan * cost).sum()), plan, rounds)
