"""Losses of MLD (Chen et al., CVPR 2023, equations 2 and 4): one stage for the VAE, one for the denoiser.

The recipe: AdamW at 1e-4, batch 128 for the VAE and 64 for the denoiser, thousands of epochs; the second stage draws its
latents from the frozen VAE and replaces one prompt in ten by the empty sentence.
"""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from motifmix.diffusion.discrete import DiscreteSchedule
from motifmix.diffusion.predictions import noised
from motifmix.models.layers.humanml3d_joints import joint_positions
from motifmix.models.mld_vae import Posterior
from motifmix.quirks import Quirk

LOSSES_WITHOUT_MASKS = Quirk(
    "losses_without_masks",
    "MLD: padded frames take part in the VAE's losses; they dilute the feature loss, and root motion that is summed up "
    "into them adds joint loss",
)
PROMPT_DROPOUT = 0.1


@dataclass(frozen=True)
class VAEWeights:
    """How much each loss of the VAE counts; the defaults are those published for HumanML3D."""

    features: float = 1.0
    joints: float = 1.0
    kl: float = 1e-4


@dataclass(frozen=True)
class VAELosses:
    """The losses, not weighted, their weighted sum, and the joints [B, T, J, 3] that were compared."""

    features: Tensor
    joints: Tensor
    kl: Tensor
    total: Tensor
    joints_made: Tensor
    joints_given: Tensor


def vae_losses(
    made: Tensor,
    given: Tensor,
    posterior: Posterior,
    valid_mask: Tensor,
    mean: Tensor,
    std: Tensor,
    weights: VAEWeights = VAEWeights(),
    quirks: Collection[Quirk] = (),
) -> VAELosses:
    """Compare normalised features ``made`` with ``given``, [B, T, F] each, zero where ``valid_mask`` [B, T] is False.

    ``mean`` and ``std`` [F] restore metres. Smooth L1 on features and on joints, and the divergence of the posterior
    from a standard normal distribution, each a mean over its elements.
    """
    frames = torch.ones_like(valid_mask) if LOSSES_WITHOUT_MASKS in quirks else valid_mask
    joints_made, joints_given = joint_positions(made * std + mean), joint_positions(given * std + mean)
    features = functional.smooth_l1_loss(made[frames], given[frames])
    joints = functional.smooth_l1_loss(joints_made[frames], joints_given[frames])
    variance = posterior.log_variance.exp()
    kl = 0.5 * (posterior.mean.square() + variance - 1.0 - posterior.log_variance).mean()
    total = weights.features * features + weights.joints * joints + weights.kl * kl
    return VAELosses(features, joints, kl, total, joints_made, joints_given)


def with_prompts_dropped(text: Tensor, null_text: Tensor, dropped: Tensor) -> Tensor:
    """Put ``null_text`` [1, S, C] in place of ``text`` [B, S, C] where ``dropped`` [B]."""
    return torch.where(dropped[:, None, None], null_text, text)


def noised_latents(clean: Tensor, noise: Tensor, timesteps: Tensor, schedule: DiscreteSchedule) -> Tensor:
    """Bring ``clean`` [B, n, D] to ``timesteps`` [B] of a whole discrete process."""
    alphas, sigmas = strengths(schedule, timesteps, clean)
    return noised(clean, noise, alphas, sigmas)


def strengths(schedule: DiscreteSchedule, timesteps: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return alpha and sigma at ``timesteps`` [B] as [B, 1, 1], as ``like``'s kind of number."""
    alphas = torch.as_tensor(schedule.alphas, dtype=like.dtype, device=like.device)
    sigmas = torch.as_tensor(schedule.sigmas, dtype=like.dtype, device=like.device)
    return alphas[timesteps][:, None, None], sigmas[timesteps][:, None, None]


def denoising_loss(predicted: Tensor, noise: Tensor) -> Tensor:
    """Mean squared error of the predicted noise, over all elements."""
    return functional.mse_loss(predicted, noise)
