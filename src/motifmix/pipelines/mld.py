"""MLD at work (Chen et al., CVPR 2023): text features in, HumanML3D features and joints out.

Fifty DDIM steps over one latent token with guidance 7.5, then the VAE's decoder for as many frames as are asked for.
Whoever has a published checkpoint gives its VAE, denoiser, the text features of the empty sentence and the data's mean
and standard deviation.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Guided, Step, sample_along
from motifmix.diffusion.discrete import DiscreteSchedule, scaled_linear_betas
from motifmix.models.layers.humanml3d_joints import joint_positions
from motifmix.models.mld_denoiser import MLDDenoiser, MLDEstimator
from motifmix.models.mld_vae import MotionVAE

STEPS, GUIDANCE_SCALE = 50, 7.5


def mld_schedule(
    steps: int = STEPS,
    *,
    betas: tuple[int, float, float] = (1000, 0.00085, 0.012),
    offset: int = 1,
    ends_clean: bool = False,
) -> DiscreteSchedule:
    """Return the steps that MLD visits: 981, 961, ..., 21, 1 of 1000; the last one stops at the level of step 0.

    ``betas``: how many, the first and the last, of a scaled linear table. ``offset`` and ``ends_clean`` are diffusers'
    ``steps_offset`` and ``set_alpha_to_one``.
    """
    return DiscreteSchedule.of(scaled_linear_betas(*betas)).leading(steps, offset, ends_clean=ends_clean)


def precise(state: Tensor) -> Tensor:
    """Return a sampler's state in double precision, where the device knows it.

    A state is small beside the networks, and clean estimates and the noise that they imply are turned into one another
    at every step: in single precision that costs two digits of the noise where little of it is left.
    """
    return state if state.device.type == "mps" else state.double()


@dataclass(frozen=True)
class MLD:
    """The parts of MLD put together; ``mean`` and ``std`` [features] are those of its training data."""

    vae: MotionVAE
    denoiser: MLDDenoiser
    null_text: Tensor  # [1, S, text_dim]
    mean: Tensor
    std: Tensor

    def sample(
        self,
        text: Tensor,
        noise: Tensor,
        *,
        guidance_scale: float = GUIDANCE_SCALE,
        schedule: DiscreteSchedule | None = None,
    ) -> Iterator[Step]:
        """Denoise ``noise`` [B, n, D] to what ``text`` [B, S, text_dim] says; the last ``noisy`` is the result.

        (Not the last ``clean``: the published schedule stops a little short of the clean end, and so do we.)
        """
        everyone = torch.ones(len(noise), dtype=torch.bool, device=noise.device)
        condition = Condition({"text": Part(text, everyone)})
        guided = Guided(MLDEstimator(self.denoiser, self.null_text), [("text", guidance_scale)])
        levels = (mld_schedule() if schedule is None else schedule).levels()
        return sample_along(guided, levels, precise(noise), condition, everyone[:, None].expand(noise.shape[:2]))

    @torch.no_grad()
    def decode(self, latents: Tensor, valid_mask: Tensor) -> Tensor:
        """Latents [B, n, D] to normalised features [B, T, F] of the frames in ``valid_mask`` [B, T], zero elsewhere."""
        return self.vae.decode(latents.to(self.null_text.dtype), valid_mask)

    def joints(self, features: Tensor) -> Tensor:
        """Normalised features [B, T, F] to joints [B, T, J, 3] in metres; those of padded frames mean nothing."""
        return joint_positions(features * self.std + self.mean)
