"""Figures of two-person motion against cases whose answer is known."""

import numpy as np
import pytest

from motifmix.evaluation import duet_metrics as m
from motifmix.features.interhuman import BLOCKS, InterHumanSpace, extract_pair
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot

LABELS = [f"type {n % 30}" for n in range(60)]


def test_retrieval_is_whole_for_twins_and_chance_for_strangers() -> None:
    rng = np.random.default_rng(0)
    own = rng.standard_normal((60, 16))
    assert m.pooled_hits(own, own, LABELS, np.random.default_rng(1)).min() == 1.0
    hits = np.mean(
        [m.pooled_hits(rng.standard_normal((60, 16)), own, LABELS, np.random.default_rng(1)).mean() for _ in range(12)]
    )
    assert hits == pytest.approx(1 / 20, abs=0.025)


def test_a_pool_never_holds_a_second_motion_of_the_own_label() -> None:
    kinds = np.repeat(np.eye(30), 2, axis=0)
    labels = [f"type {n // 2}" for n in range(60)]
    assert m.pooled_hits(kinds, kinds, labels, np.random.default_rng(0)).min() == 1.0
    with pytest.raises(ValueError, match="two labels"):
        m.pooled_hits(kinds[:2], kinds[:2], labels[:2], np.random.default_rng(0))


def test_who_is_in_no_pool_is_not_counted() -> None:
    texts = np.eye(5)
    hits = m.hits_in(texts, texts, np.array([[0, 2]]))
    assert hits[[0, 2]].tolist() == [1.0, 1.0] and np.isnan(hits[[1, 3, 4]]).all()


def test_harmonic_mean() -> None:
    assert float(m.harmonic_mean(0.2, 0.6)) == pytest.approx(0.3)
    assert float(m.harmonic_mean(0.0, 0.0)) == 0.0 and np.isnan(m.harmonic_mean(float("nan"), 0.5))


def test_constants_and_schedules_do_not_adapt() -> None:
    constant = [np.full((5, 2, frames, 23), 0.3) for frames in (4, 7, 7)]
    schedule = [np.broadcast_to(np.linspace(1, 0, 5)[:, None, None, None], one.shape) for one in constant]
    assert m.adaptability(constant) == pytest.approx(0.0, abs=1e-7) == m.step_dependence(constant)
    assert m.adaptability(schedule) == pytest.approx(0.0, abs=1e-7) and m.step_dependence(schedule) > 0.3
    other = [np.full((5, 2, 1, 1), share) for share in (0.0, 1.0)]
    assert m.adaptability(other) == pytest.approx(0.5) and m.step_dependence(other) == pytest.approx(0.0)
    assert m.early_and_late(schedule) == pytest.approx((1.0, 0.0)) and m.early_and_late(other) == pytest.approx(
        (0.5, 0.5)
    )


def _facing(yaw: float, x: float, z: float) -> Motion:
    rotations = np.tile(rot.IDENTITY, (6, 22, 1))
    rotations[:, 0] = rot.about_y(yaw)
    return Motion(MOTIFMIX, rotations, np.tile([x, 0.94, z], (6, 1)), 30.0)


def test_who_looks_at_whom() -> None:
    def people(second: Motion) -> np.ndarray:
        space = InterHumanSpace()
        pair = extract_pair(space.loaded(_facing(0.0, 0.0, 0.0)), space.loaded(second), up_axis="y")
        return np.stack([pair.first.features, pair.placed])

    opposite = people(_facing(np.pi, 0.0, 1.5))
    np.testing.assert_allclose(m.turned_away(opposite), [0.0, 0.0], atol=2.0)
    behind = people(_facing(0.0, 0.0, 1.5))
    np.testing.assert_allclose(m.turned_away(behind), [0.0, 180.0], atol=2.0)
    assert m.pelvis_distance(opposite) == pytest.approx(1.5, rel=0.06)  # the published body is a little smaller
    assert m.skating(opposite) == 0.0 and opposite.shape[-1] == BLOCKS["foot_contacts"].stop
