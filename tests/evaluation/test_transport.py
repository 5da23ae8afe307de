import numpy as np
import pytest

from motifmix.evaluation.transport import sinkhorn


def test_each_point_goes_to_its_nearest_at_little_entropy():
    generator = np.random.default_rng(0)
    points, order = generator.normal(size=(6, 4)), generator.permutation(6)
    found = sinkhorn(points, points[order] + 0.01, entropy=1e-3)
    assert np.array_equal(order[found.match_of_first], np.arange(6))
    assert np.array_equal(found.match_of_second, order)
    assert found.distance == pytest.approx(0.02, rel=1e-3)
    assert found.plan.sum() == pytest.approx(1.0, abs=1e-3)


def test_sets_of_different_sizes_have_the_same_mass():
    found = sinkhorn(np.zeros((2, 3)), np.ones((5, 3)), entropy=0.05)
    assert found.plan.shape == (2, 5)
    assert found.distance == pytest.approx(3**0.5, rel=1e-6)
    with pytest.raises(ValueError, match="got 0 and 2 embeddings"):
        sinkhorn(np.zeros((0, 3)), np.ones((2, 3)))
