"""How InterGen and in2IN score two-person motion (their ``utils/metrics.py`` and ``tools/eval.py``).

Embeddings are InterCLIP's. Retrieval and distances use them as they are, FID and diversity six times as long, and
diversity halves what it measures. Draws of indices are arguments, as in ``metrics.py``; in2IN's transport between sets is
in ``transport.py``.
"""

from dataclasses import dataclass

import numpy as np

from motifmix.evaluation import metrics

EMBEDDING_SCALE = 6.0
POOL = 96  # texts and motions among which one is retrieved; an incomplete last pool is dropped


@dataclass(frozen=True)
class InteractionScores:
    """``r_precision`` [top]: shares of texts whose motion is among the nearest 1 .. top; the others as in the papers."""

    r_precision: np.ndarray
    multimodal_distance: float
    frechet_distance: float
    diversity: float


def interaction_scores(
    texts: np.ndarray,
    motions: np.ndarray,
    real: np.ndarray,
    draws: tuple[np.ndarray, np.ndarray],
    *,
    pool: int = POOL,
    top: int = 3,
    scale: float = EMBEDDING_SCALE,
) -> InteractionScores:
    """Score paired ``texts`` and ``motions`` [N, E] against ``real`` motions [M, E].

    ``draws``: two index lists into ``motions``, for diversity. Raises ``ValueError`` for fewer pairs than a pool is wide.
    """
    pools = metrics.consecutive_pools(len(texts), pool)
    return InteractionScores(
        metrics.r_precision(texts, motions, pools, top),
        metrics.multimodal_distance(texts, motions, pools),
        metrics.frechet_distance(scaled_moments(real, scale), scaled_moments(motions, scale)),
        halved_diversity(motions, *draws, scale=scale),
    )


def scaled_moments(embeddings: np.ndarray, scale: float = EMBEDDING_SCALE) -> metrics.Moments:
    """Mean and covariance of the lengthened embeddings [N, E]."""
    return metrics.moments(np.asarray(embeddings, dtype=np.float64) * scale)


def halved_diversity(
    embeddings: np.ndarray, first: np.ndarray, second: np.ndarray, scale: float = EMBEDDING_SCALE
) -> float:
    """Mean over pairs of the length of half the difference of lengthened embeddings [N, E] (published: 300 pairs)."""
    return metrics.diversity(np.asarray(embeddings, dtype=np.float64) * scale, first, second) / 2.0


def published_order(lengths: np.ndarray) -> np.ndarray:
    """Return the order in which the published evaluator hands back its embeddings: the longest motion first.

    It permutes texts and motions alike, so it matters only to which pairs share a pool of retrieval.
    """
    return np.argsort(np.asarray(lengths))[::-1].copy()
