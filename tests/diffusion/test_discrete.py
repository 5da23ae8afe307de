"""Discrete processes: which steps are kept, that noise levels survive thinning out, and what the steps do."""

from functools import partial

import numpy as np
import pytest
import torch

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Clamped, sample, sample_along
from motifmix.diffusion.discrete import BETAS, DiscreteSchedule, leading_steps, respaced_steps
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.diffusion.solvers import ancestral_step, ddim_inversion_step, ddim_step

CLEAN, NOISE, OTHER = np.random.default_rng(0).normal(size=(3, 2, 5, 4))
WHOLE = DiscreteSchedule.of(BETAS["cosine"](1000))


def test_respacing_as_published():
    assert respaced_steps(1000, "ddim50") == list(range(0, 1000, 20))
    assert respaced_steps(10, "2,3") == [0, 4, 5, 7, 9]
    assert respaced_steps(11, [1, 1]) == [0, 6]
    assert respaced_steps(10, 10) == respaced_steps(10, None) == respaced_steps(10, "") == list(range(10))
    assert leading_steps(1000, 50, offset=1)[-1] == 981
    with pytest.raises(ValueError, match="no integer stride"):
        respaced_steps(1000, "ddim600")
    with pytest.raises(ValueError, match="cannot give 6"):
        respaced_steps(10, "6,2")


@pytest.mark.parametrize("kind", BETAS)
def test_noise_levels_survive_thinning_out(kind):
    whole = DiscreteSchedule.of(BETAS[kind](200))
    kept = whole.keeping([0, 7, 100, 199])
    np.testing.assert_allclose(kept.alphas_cumprod, whole.alphas_cumprod[[0, 7, 100, 199]], rtol=1e-8)
    assert [level.step for level in kept.levels()] == [199, 100, 7, 0, None]
    assert kept.levels()[-1] == NoiseLevel(1.0, 0.0, 0.0)
    assert all(a.sigma > b.sigma and a.time > b.time for a, b in kept.transitions())


def test_networks_of_a_rescaled_process_are_told_thousandths():
    kept = DiscreteSchedule.of(BETAS["linear"](100), "ddim10", rescale_timesteps=True)
    assert [level.step for level in kept.levels()[:2]] == [900.0, 800.0]


def test_wrong_choices_are_refused():
    with pytest.raises(ValueError, match="steps must lie in"):
        WHOLE.keeping([0, 1000])
    with pytest.raises(ValueError, match="whole process"):
        WHOLE.keeping([0, 10]).keeping([0])


def test_a_step_with_full_eta_is_the_ancestral_step():
    for level, following in WHOLE.keeping(range(0, 1000, 50)).transitions():
        noisy = level.alpha * CLEAN + level.sigma * NOISE
        one = ddim_step(noisy, CLEAN, level, following, OTHER, eta=1.0)
        np.testing.assert_allclose(one, ancestral_step(noisy, CLEAN, level, following, OTHER), atol=1e-7)
    with pytest.raises(ValueError, match="needs noise"):
        ddim_step(CLEAN, CLEAN, WHOLE.level(9), WHOLE.level(5), eta=0.5)
    with pytest.raises(ValueError, match="needs noise"):
        ancestral_step(CLEAN, CLEAN, WHOLE.level(9), WHOLE.level(5))


def test_inversion_undoes_a_step():
    level, noisier = WHOLE.level(100), WHOLE.level(300)
    noisy = level.alpha * CLEAN + level.sigma * NOISE
    there = ddim_inversion_step(noisy, NOISE, level, noisier)
    np.testing.assert_allclose(ddim_step(there, CLEAN, noisier, level), noisy, atol=1e-10)
    np.testing.assert_allclose(ddim_inversion_step(CLEAN, NOISE, WHOLE.clean_level, level), noisy, atol=1e-10)


def test_early_steps_are_closer_where_there_is_more_noise_and_begin_with_the_noisiest():
    for wanted in (1, 4, WHOLE.total // 2, WHOLE.total):
        steps = [level.step for level in WHOLE.early(wanted).levels()[:-1]]
        gaps = -np.diff(steps)
        assert len(steps) == wanted and steps[0] == WHOLE.total - 1 and steps[-1] >= 0
        assert (gaps > 0).all() and (np.diff(gaps) >= -1).all()  # rounding
    with pytest.raises(ValueError, match="cannot give"):
        WHOLE.early(WHOLE.total + 1)


def test_sampling_draws_prepares_and_bounds():
    noise, fresh = torch.randn(2, 1, 3, 2, generator=torch.Generator().manual_seed(0)).unbind(0)
    valid, seen = torch.ones(1, 3, dtype=torch.bool), []

    def network(noisy, level, condition, valid):
        seen.append((level.step, noisy[0, 0, 0].item()))
        return 5.0 * noisy

    def hold(noisy, level):
        return torch.cat([torch.full_like(noisy[..., :1], 0.25), noisy[..., 1:]], dim=-1)

    levels = WHOLE.levels(4)
    steps = list(
        sample_along(
            Clamped(network), levels, noise, Condition({}), valid,
            solver=partial(ddim_step, eta=0.5), fresh_noise=[fresh] * 4, prepare=hold,
        )
    )  # fmt: skip
    assert seen == [(750, 0.25), (500, 0.25), (250, 0.25), (0, 0.25)]
    assert all(step.clean.abs().max() <= 1.0 for step in steps)
    assert torch.equal(steps[-1].noisy, steps[-1].clean)
    assert len(list(sample(network, WHOLE, noise, Condition({}), valid, steps=3))) == 3
