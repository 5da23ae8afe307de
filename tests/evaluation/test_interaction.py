"""Scores of two-person motion: what is six times as long, what is halved, and in which order pairs come back."""

import numpy as np
import pytest

from motifmix.evaluation import metrics
from motifmix.evaluation.interaction import interaction_scores, published_order

TEXTS, MOTIONS, REAL = np.random.default_rng(0).normal(size=(3, 40, 4))
DRAWS = np.arange(10), np.arange(10, 20)


def test_scores_are_those_of_the_plain_metrics_at_their_scales():
    scores = interaction_scores(TEXTS, MOTIONS, REAL, DRAWS, pool=12, top=2)
    assert np.isclose(scores.frechet_distance, 36 * metrics.frechet_distance(REAL, MOTIONS))
    assert np.isclose(scores.diversity, 3 * metrics.diversity(MOTIONS, *DRAWS))
    offsets = np.linalg.norm(TEXTS - MOTIONS, axis=1)[:36]
    assert np.isclose(scores.multimodal_distance, offsets.mean())
    assert scores.r_precision.shape == (2,)
    exact = interaction_scores(MOTIONS, MOTIONS, MOTIONS, DRAWS, pool=12)
    assert exact.r_precision.tolist() == [1.0] * 3 and abs(exact.frechet_distance) < 1e-6


def test_fewer_pairs_than_a_pool_are_refused():
    with pytest.raises(ValueError, match="at least one complete pool"):
        interaction_scores(TEXTS, MOTIONS, REAL, DRAWS)


def test_the_longest_comes_back_first():
    assert published_order(np.array([3, 9, 5])).tolist() == [1, 2, 0]
    assert published_order(np.array([4, 4])).tolist() == [1, 0]
