"""Whatever a network predicts, the clean sample comes out; and a step with the truth lands on the truth."""

from itertools import pairwise

import numpy as np
import pytest

from motifmix.diffusion.predictions import target, to_clean
from motifmix.diffusion.schedule import SCHEDULES, CosineSchedule, FlowSchedule
from motifmix.diffusion.solvers import ddim_step

CLEAN, NOISE = np.random.default_rng(0).normal(size=(2, 3, 5, 4))
PAIRS = [("sample", "flow"), ("sample", "cosine"), ("epsilon", "flow"), ("epsilon", "cosine"), ("v", "cosine"),
         ("flow", "flow"), ("flow", "cosine")]  # fmt: skip


@pytest.mark.parametrize(("kind", "schedule"), PAIRS)
@pytest.mark.parametrize("time", [0.02, 0.5, 0.98])
def test_the_target_of_a_network_turns_back_into_the_clean_sample(kind, schedule, time):
    level = SCHEDULES[schedule].level(time)
    noisy = level.alpha * CLEAN + level.sigma * NOISE
    predicted = target(CLEAN, NOISE, level.alpha, level.sigma, kind)
    np.testing.assert_allclose(to_clean(predicted, noisy, level.alpha, level.sigma, kind), CLEAN, atol=1e-9)


def test_a_flow_points_from_clean_to_noise_and_v_turns_clean_into_noise():
    level = CosineSchedule.level(0.3)
    np.testing.assert_allclose(target(CLEAN, NOISE, 0.7, 0.3, "flow"), NOISE - CLEAN)
    noisy = level.alpha * CLEAN + level.sigma * NOISE
    step = 1e-6
    further = CosineSchedule.level(0.3 + step)
    slope = (further.alpha * CLEAN + further.sigma * NOISE - noisy) / (step * np.pi / 2)
    np.testing.assert_allclose(target(CLEAN, NOISE, level.alpha, level.sigma, "v"), slope, atol=1e-5)


@pytest.mark.parametrize("function", [to_clean, target])
def test_an_unknown_prediction_type_is_named(function):
    with pytest.raises(ValueError, match="'score'"):
        function(CLEAN, NOISE, 0.5, 0.5, "score")


@pytest.mark.parametrize("schedule", [FlowSchedule(), CosineSchedule()])
def test_levels_go_from_noise_to_clean_evenly(schedule):
    levels = schedule.levels(7)
    assert len(levels) == 8
    assert (levels[0].alpha, levels[0].sigma) == (pytest.approx(0.0, abs=1e-12), pytest.approx(1.0))
    assert (levels[-1].alpha, levels[-1].sigma) == (1.0, 0.0)
    np.testing.assert_allclose(np.diff([level.time for level in levels]), -1 / 7)


def test_the_cosine_schedule_preserves_variance_and_the_flow_is_straight():
    for time in np.linspace(0, 1, 11):
        cosine, flow = CosineSchedule.level(time), FlowSchedule.level(time)
        assert cosine.alpha**2 + cosine.sigma**2 == pytest.approx(1.0)
        assert (flow.alpha, flow.sigma) == (1.0 - time, time)


@pytest.mark.parametrize("schedule", [FlowSchedule(), CosineSchedule()])
def test_a_step_with_the_true_clean_sample_lands_on_the_next_level(schedule):
    for level, following in pairwise(schedule.levels(5)):
        noisy = level.alpha * CLEAN + level.sigma * NOISE
        expected = following.alpha * CLEAN + following.sigma * NOISE
        np.testing.assert_allclose(ddim_step(noisy, CLEAN, level, following), expected, atol=1e-9)


def test_on_a_straight_path_the_step_is_eulers():
    level, following = FlowSchedule.level(0.8), FlowSchedule.level(0.6)
    noisy, guess = CLEAN + 0.3, NOISE
    velocity = (noisy - guess) / level.sigma
    np.testing.assert_allclose(ddim_step(noisy, guess, level, following), noisy - 0.2 * velocity, atol=1e-12)
