"""InterGen, in2IN and their discrete diffusion."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from golden import Case

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Clamped, sample_along
from motifmix.diffusion.discrete import BETAS, DiscreteSchedule
from motifmix.diffusion.predictions import noised, to_clean
from motifmix.diffusion.solvers import ancestral_step, ddim_step, posterior

Outputs = dict[str, np.ndarray]
NOBODY = Condition({})


def tensors(case: Case) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in case.inputs.items()}


def schedule_of(config: dict) -> DiscreteSchedule:
    betas = BETAS[config["beta_schedule"]](config["diffusion_steps"])
    return DiscreteSchedule.of(
        betas, config.get("timestep_respacing"), rescale_timesteps=config.get("rescale_timesteps", False)
    )


def everyone(x: torch.Tensor) -> torch.Tensor:
    return torch.ones(x.shape[:2], dtype=torch.bool)


def diffusion_tables(case: Case) -> Outputs:
    config, given = case.config, case.inputs
    betas = BETAS[config["beta_schedule"]](
        config["diffusion_steps"],
        **({"offset": config["cosine_s"], "most": config["max_beta"]} if config["beta_schedule"] == "cosine" else {}),
    )
    whole = DiscreteSchedule.of(betas)
    kept = DiscreteSchedule.of(betas, config["timestep_respacing"])
    rows: dict[str, list[np.ndarray]] = {"q": [], "mean": [], "log": [], "eps": [], "x": []}
    for index, clean, noisy, noise in zip(given["t"], given["x_start"], given["x_t"], given["noise"], strict=True):
        level = kept.level(index)
        following = kept.level(index - 1) if index else kept.clean_level
        rows["q"].append(noised(clean, noise, level.alpha, level.sigma))
        rows["mean"].append(posterior(noisy, clean, level, following)[0])
        rows["log"].append(np.full_like(clean, kept.posterior_log_variance_clipped[index]))
        rows["eps"].append((noisy - level.alpha * clean) / level.sigma)
        rows["x"].append(to_clean(noise, noisy, level.alpha, level.sigma, "epsilon"))
    return {
        "timestep_map": kept.steps,
        "full_betas": whole.betas,
        "full_alphas_cumprod": whole.alphas_cumprod,
        "respaced_betas": kept.betas,
        "respaced_alphas_cumprod": kept.alphas_cumprod,
        "respaced_alphas_cumprod_prev": kept.alphas_cumprod_prev,
        "respaced_sqrt_alphas_cumprod": kept.alphas,
        "respaced_sqrt_one_minus_alphas_cumprod": kept.sigmas,
        "respaced_sqrt_recip_alphas_cumprod": 1.0 / kept.alphas,
        "respaced_sqrt_recipm1_alphas_cumprod": kept.sigmas / kept.alphas,
        "respaced_posterior_variance": kept.posterior_variance,
        "respaced_posterior_log_variance_clipped": kept.posterior_log_variance_clipped,
        "respaced_posterior_mean_coef1": kept.posterior_mean_factors[0],
        "respaced_posterior_mean_coef2": kept.posterior_mean_factors[1],
        "q_sample": np.stack(rows["q"]),
        "posterior_mean": np.stack(rows["mean"]),
        "posterior_log_variance": np.stack(rows["log"]),
        "eps_from_x_start": np.stack(rows["eps"]),
        "x_start_from_eps": np.stack(rows["x"]),
    }


def diffusion_loop(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    kind = {"x_start": "sample", "epsilon": "epsilon"}[config["model_mean_type"]]
    told: list[float] = []

    def stub(noisy, level, condition, valid):
        told.append(level.step)
        prediction = torch.tanh(given["stub_gain"] * noisy + (level.step / 1000) * given["stub_bias"])
        return to_clean(prediction, noisy, level.alpha, level.sigma, kind)

    def controlled(noisy, level):
        noisy = noisy.clone()
        noisy[..., config["control_channels"]] = given["control"][..., config["control_channels"]]
        return noisy

    levels = schedule_of(config).levels()[config["skip_timesteps"] :]
    start = given["x_T"]
    if config["skip_timesteps"]:
        start = noised(given["init"], start, levels[0].alpha, levels[0].sigma)
    solver = partial(ddim_step, eta=config["eta"])
    if config["sampler"] == "ancestral":
        variance = {"fixed_small": "posterior", "fixed_large": "beta"}[config["model_var_type"]]
        solver = partial(ancestral_step, variance=variance)
    steps = list(
        sample_along(
            Clamped(stub) if config["clip_denoised"] else stub,
            levels,
            start,
            NOBODY,
            everyone(start),
            solver=solver,
            fresh_noise=given["step_noise"],
            prepare=controlled if config["control_channels"] else None,
        )
    )
    return {
        "samples": torch.stack([step.noisy for step in steps]).numpy(),
        "pred_x_start": torch.stack([step.clean for step in steps]).numpy(),
        "final": (steps[-1].noisy if config["sampler"] == "ancestral" else steps[-1].clean).numpy(),
        "model_timesteps": np.array(told),
    }


def diffusion(case: Case) -> Outputs:
    return diffusion_loop(case) if "sampler" in case.config else diffusion_tables(case)


RUNNERS: dict[str, Callable[[Case], Outputs]] = {"diffusion": diffusion}
