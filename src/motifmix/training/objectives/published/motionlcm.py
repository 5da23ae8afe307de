"""Consistency distillation of MotionLCM (Dai et al., ECCV 2024; section 3.2).

The student's answer at one time of the teacher's solver should equal that of a slow copy of itself (the target) one
solver step nearer to the clean end, where the teacher, guided, has brought the same sample. The recipe: AdamW at 2e-4
without decay, cosine with 1000 steps of warm-up, batch 256 (second version 128), guidance drawn from 5 to 15.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from motifmix.diffusion.consistency import boundary_scalings
from motifmix.diffusion.discrete import DiscreteSchedule
from motifmix.models.motionlcm import MotionLCMDenoiser
from motifmix.training.objectives.published.mld import noised_latents, strengths

WEAKEST, STRONGEST = 5.0, 15.0  # drawn guidance scales, less one
EMA_DECAY, MOST_GRADIENT = 0.95, 1.0


@dataclass(frozen=True)
class DistillationOptions:
    """The defaults are the first version's; the second has 10 solver steps and a Huber constant of 0.5."""

    solver_steps: int = 50
    loss: Literal["huber", "l2"] = "huber"
    huber_constant: float = 0.001
    sigma_data: float = 0.5
    time_scaling: float = 10.0


@dataclass(frozen=True)
class Estimated:
    """What a network said at ``timesteps`` [B] of ``noisy``: its ``noise``, and the ``answer`` mixed of both by
    the scalings ``skip`` and ``out`` [B].
    """

    timesteps: Tensor
    noisy: Tensor
    noise: Tensor
    answer: Tensor
    skip: Tensor
    out: Tensor


@dataclass(frozen=True)
class Distillation:
    """One step's loss and what led to it; ``teacher`` is its noise with and without the text."""

    loss: Tensor
    student: Estimated
    target: Estimated
    teacher: tuple[Tensor, Tensor]
    guided_clean: Tensor


def pseudo_huber(made: Tensor, wanted: Tensor, constant: float) -> Tensor:
    """Return the mean of sqrt(d^2 + c^2) - c."""
    return ((made - wanted).square() + constant**2).sqrt().sub(constant).mean()


def distillation(
    student: MotionLCMDenoiser,
    teacher: MotionLCMDenoiser,
    target: MotionLCMDenoiser,
    latents: Tensor,
    noise: Tensor,
    index: Tensor,
    strength: Tensor,
    text: Tensor,
    null_text: Tensor,
    process: DiscreteSchedule,
    options: DistillationOptions = DistillationOptions(),
) -> Distillation:
    """Return the loss for ``latents`` [B, n, D] noised to the solver's time ``index`` [B] (0 is the cleanest).

    ``strength`` [B] is the guidance scale less one; ``text`` [B, S, C], ``null_text`` [1, S, C]. Gradients flow into the
    student only.
    """
    stride = process.total // options.solver_steps
    start = (index + 1) * stride - 1
    end = (start - stride).clamp(min=0)
    noisy = noised_latents(latents, noise, start, process)

    def estimated(network: MotionLCMDenoiser, state: Tensor, timesteps: Tensor) -> Estimated:
        predicted = network(state.to(latents.dtype), timesteps, text, strength)
        skip, out = boundary_scalings(timesteps.to(latents.dtype), options.sigma_data, options.time_scaling)
        alpha, sigma = strengths(process, timesteps, state)
        clean = (state - sigma * predicted) / alpha
        return Estimated(
            timesteps, state, predicted, skip[:, None, None] * state + out[:, None, None] * clean, skip, out
        )

    own = estimated(student, noisy, start)
    with torch.no_grad():
        both = teacher(noisy.repeat(2, 1, 1), start.repeat(2), torch.cat([text, null_text.expand_as(text)]))
        told, untold = both.chunk(2)
        alpha, sigma = strengths(process, start, noisy)
        weight = strength[:, None, None]
        guided = told + weight * (told - untold)
        clean = [(noisy - sigma * part) / alpha for part in (told, untold)]
        guided_clean = clean[0] + weight * (clean[0] - clean[1])
        # The published solver works in double precision.
        alpha, sigma = strengths(process, end, guided_clean.double())
        nearer = estimated(target, alpha * guided_clean + sigma * guided, end)
    wanted = nearer.answer.to(own.answer.dtype)
    if options.loss == "huber":
        loss = pseudo_huber(own.answer, wanted, options.huber_constant)
    else:
        loss = functional.mse_loss(own.answer, wanted)
    return Distillation(loss, own, nearer, (told, untold), guided_clean)


def update(
    loss: Tensor,
    student: MotionLCMDenoiser,
    target: MotionLCMDenoiser,
    step: Callable[[], object] | None = None,
    most_gradient: float = MOST_GRADIENT,
    ema_decay: float = EMA_DECAY,
) -> Tensor:
    """Go back through ``loss``, clip the student's gradient, take the optimiser's ``step``, let the target follow.

    Returns the norm of the gradient before clipping.
    """
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(student.parameters(), most_gradient)
    if step is not None:
        step()
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), student.parameters(), strict=True):
            slow.lerp_(fast, 1.0 - ema_decay)
    return norm
