"""MotionLCM: one step of distillation, and sampling in few steps."""

from functools import partial
from typing import Any

import numpy as np
import torch
from golden import Case
from torch import Tensor

from motifmix.diffusion.consistency import consistency_step
from motifmix.diffusion.discrete import DiscreteSchedule, scaled_linear_betas
from motifmix.models.motionlcm import MotionLCMDenoiser
from motifmix.pipelines.motionlcm import MotionLCM, first_timesteps
from motifmix.pretrained.maps import motionlcm as maps
from motifmix.pretrained.maps.key_map import load_published
from motifmix.training.objectives.published import motionlcm as objective
from runners.mld import arrays, as_published, given, our_name, transformer_options, weights


def build(config: dict[str, Any], state: dict[str, Tensor], *, guided: bool) -> MotionLCMDenoiser:
    denoiser = MotionLCMDenoiser(
        latent_dim=config["latent_dim"],
        width=config["hidden_dim"] or config["latent_dim"],
        projected=config["latent_projections"],
        text_dim=config["text_dim"],
        time_dim=config["time_dim"],
        guidance_dim=config["guidance_embedding_dim"] if guided else None,
        text_activation=config["text_activation"],
        positions=config["max_positions"],
        cosine_first=config["flip_sin_to_cos"],
        frequency_shift=config["freq_shift"],
        **transformer_options(config),
    ).eval()
    load_published(denoiser, state, maps.DENOISER)
    return denoiser


def motionlcm_distillation(case: Case) -> dict[str, np.ndarray]:
    x, config = given(case), case.config
    student, target = (build(config["denoiser"], weights(case, f"{n}."), guided=True) for n in ("student", "target"))
    teacher = build(config["denoiser"], weights(case, "teacher."), guided=False)
    chosen, scheduler = config["distillation"], config["scheduler"]
    process = DiscreteSchedule.of(
        scaled_linear_betas(scheduler["num_train_timesteps"], scheduler["beta_start"], scheduler["beta_end"])
    )
    options = objective.DistillationOptions(
        chosen["num_ddim_timesteps"],
        chosen["loss_type"],
        chosen["huber_c"],
        scheduler["sigma_data"],
        scheduler["timestep_scaling"],
    )
    done = objective.distillation(
        student, teacher, target, x["latents"], x["noise"], x["ddim_index"], x["guidance_w"], x["text"],
        x["text_uncond"], process, options,
    )  # fmt: skip
    outputs = {
        "loss": done.loss,
        "noisy_latents": done.student.noisy,
        "start_timesteps": done.student.timesteps,
        "end_timesteps": done.target.timesteps,
        "c_skip_start": done.student.skip,
        "c_out_start": done.student.out,
        "c_skip_end": done.target.skip,
        "c_out_end": done.target.out,
        "guidance_embedding": student.guidance_waves(x["guidance_w"]),
        "student_noise": done.student.noise,
        "student_prediction": done.student.answer,
        "teacher_noise_cond": done.teacher[0],
        "teacher_noise_uncond": done.teacher[1],
        "solver_x0": done.guided_clean,
        "solver_previous": done.target.noisy,
        "target_noise": done.target.noise,
        "target": done.target.answer,
    }
    solver = partial(consistency_step, sigma_data=options.sigma_data, time_scaling=options.time_scaling)
    model = MotionLCM(student, process=process, solver=solver)
    for count in config["sampling"]["steps"]:
        named = config["sampling"]["timesteps"]
        if named is None:
            timesteps = first_timesteps(count, scheduler["num_train_timesteps"], chosen["num_ddim_timesteps"])
        else:
            timesteps = named[str(count)]
        scale = config["sampling"]["guidance_scale"][str(count)]
        fresh = x["step_noise"][: count - 1]
        walk = model.sample(x["text"], x["initial_latents"], timesteps, scale, fresh)
        outputs[f"sample_{count}.timesteps"] = torch.tensor(timesteps)
        outputs[f"sample_{count}.latents"] = torch.stack([step.noisy for step in walk])
    outputs["grad_norm"] = objective.update(
        done.loss, student, target, most_gradient=chosen["max_grad_norm"], ema_decay=chosen["ema_decay"]
    )
    changed: dict[str, np.ndarray] = {}
    for name in config["gradient_of"]:
        ours, shape = our_name(name, maps.DENOISER), weights(case, "student.")[name].shape
        gradient = dict(student.named_parameters())[ours].grad
        assert gradient is not None
        after = dict(target.named_parameters())[ours]
        changed[f"clipped_gradient.{name}"] = as_published(name, gradient, shape, maps.DENOISER)
        changed[f"target_after_ema.{name}"] = as_published(name, after, shape, maps.DENOISER)
    return {**arrays(outputs), **changed}


RUNNERS = {"motionlcm_distillation": motionlcm_distillation}
