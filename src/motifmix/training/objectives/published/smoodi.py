"""Losses of SMooDi (Zhong et al., ECCV 2024, section 3.5; published symbol ``train_cycle_diffusion_forward``).

Two sets side by side: one of styles (100STYLE), one of contents (HumanML3D), at the same diffusion times. Each set's own
noise is predicted with its own motion as the style. In the cycle each content is told the other set's style, the clean
motion that comes out is decoded and serves as the style of the way back. Everything but MLD's own denoiser is trained,
AdamW at 1e-4, batch 64.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from motifmix.diffusion.discrete import DiscreteSchedule
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.smoodi import SMooDiDenoiser
from motifmix.quirks import Quirk
from motifmix.training.objectives.published.mld import denoising_loss, noised_latents, strengths

STYLE_DROPOUT = 0.1
STYLE_KEPT_INSTEAD_OF_DROPPED = Quirk(
    "style_kept_instead_of_dropped",
    "SMooDi: training in mode v4 keeps one reference in ten where one in ten should be dropped; the authors advise v0",
)


@dataclass(frozen=True)
class SMooDiWeights:
    """How much each loss counts; the defaults are the published values."""

    own: float = 1.0
    cycle: float = 0.1


@dataclass(frozen=True)
class StyledBatch:
    """A batch of one set: ``latents`` [B, n, D] and the ``noise`` in them, ``text`` [B, S, C] after prompt dropout,
    ``style`` [B, T, F], the normalised motion that serves as the style, and ``valid_mask`` [B, T] of the motion.
    """

    latents: Tensor
    noise: Tensor
    text: Tensor
    style: Tensor
    valid_mask: Tensor


@dataclass(frozen=True)
class SMooDiLosses:
    """Weighted sum, the sums of both kinds (not weighted), and the predictions by set."""

    total: Tensor
    own: Tensor
    cycle: Tensor | None
    own_predictions: tuple[Tensor, Tensor]
    cycle_predictions: tuple[Tensor, Tensor] | None


def styles_kept(batch: int, generator: torch.Generator | None = None, quirks: Collection[Quirk] = ()) -> Tensor:
    """Draw which references stay, [B, 1, 1] of ones and zeros: to multiply motions by."""
    share = STYLE_DROPOUT if STYLE_KEPT_INSTEAD_OF_DROPPED in quirks else 1.0 - STYLE_DROPOUT
    return (torch.rand(batch, 1, 1, generator=generator) < share).float()


def smoodi_losses(
    denoiser: SMooDiDenoiser,
    vae: MotionVAE,
    first: StyledBatch,
    second: StyledBatch,
    timesteps: Tensor,
    schedule: DiscreteSchedule,
    permutations: Iterator[Tensor],
    cycle_noises: tuple[Tensor, Tensor] | None,
    weights: SMooDiWeights = SMooDiWeights(),
) -> SMooDiLosses:
    """Return the losses of a pair of batches; ``timesteps`` [B] are shared.

    ``permutations`` shuffle the reference of each call of the network, in order: own 1, own 2, crossed 1, crossed 2, back
    1, back 2. ``cycle_noises`` [B, n, D] are added to the crossed latents; without them there is no cycle. A call leaves
    its style in the latent that it was given, where the denoiser has that quirk, and gradients flow through that.
    """
    batches = (first, second)

    def predict(noisy: Tensor, text: Tensor, motion: Tensor) -> tuple[Tensor, Tensor]:
        style = denoiser.embed_style(motion, next(permutations))
        return denoiser(noisy, timesteps, text, style), denoiser.left_behind(noisy, style)

    noisy = [noised_latents(own.latents, own.noise, timesteps, schedule) for own in batches]
    own = []
    for k, batch in enumerate(batches):
        prediction, noisy[k] = predict(noisy[k], batch.text, batch.style)
        own.append(prediction)
    own_loss = denoising_loss(own[0], first.noise) + denoising_loss(own[1], second.noise)
    if cycle_noises is None:
        return SMooDiLosses(weights.own * own_loss, own_loss, None, (own[0], own[1]), None)

    crossed = []
    for k, batch in enumerate(batches):
        prediction, noisy[k] = predict(noisy[k], batch.text, batches[1 - k].style)
        crossed.append(prediction)
    alpha, sigma = strengths(schedule, timesteps, first.latents)
    clean = [(state - sigma * noise) / alpha for state, noise in zip(noisy, crossed, strict=True)]
    made = [vae.decode(latents, batch.valid_mask) for latents, batch in zip(clean, batches, strict=True)]
    back = []
    for k, batch in enumerate(batches):
        again = noised_latents(clean[k].detach(), cycle_noises[k], timesteps, schedule)
        prediction, _ = predict(again, batch.text, made[1 - k])
        back.append(prediction + crossed[k].detach())
    cycle = denoising_loss(back[0], first.noise) + denoising_loss(back[1], second.noise)
    total = weights.own * own_loss + weights.cycle * cycle
    return SMooDiLosses(total, own_loss, cycle, (own[0], own[1]), (back[0], back[1]))
