"""MotionLCM at work (Dai et al., ECCV 2024): a text's features to a motion's latent in one, two or four calls."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.consistency import consistency_step, consistency_timesteps
from motifmix.diffusion.denoiser import Solver, Step, sample_along
from motifmix.diffusion.discrete import DiscreteSchedule, scaled_linear_betas
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.motionlcm import MotionLCMDenoiser, MotionLCMEstimator
from motifmix.pipelines.mld import precise

# By the number of calls, as published for each version.
FIRST_SCALES: Mapping[int, float] = {1: 7.5, 2: 7.5, 4: 7.5}
SECOND_SCALES: Mapping[int, float] = {1: 8.0, 2: 12.5, 4: 13.5}
FIRST_SOLVER_STEPS, SECOND_SOLVER_STEPS = 50, 10
SECOND_TIMESTEPS: Mapping[int, Sequence[int]] = {1: (799,), 2: (699, 299), 4: (699, 399, 299, 299)}


def first_timesteps(steps: int, total: int = 1000, solver_steps: int = FIRST_SOLVER_STEPS) -> list[int]:
    """Return the times that the first version visits: 999; 999, 499; 999, 759, 499, 259 of 1000."""
    return consistency_timesteps(total, solver_steps, steps)


@dataclass(frozen=True)
class MotionLCM:
    """The parts of MotionLCM put together; ``process`` is the whole discrete process of its training."""

    denoiser: MotionLCMDenoiser
    vae: MotionVAE | None = None
    process: DiscreteSchedule | None = None
    solver: Solver = consistency_step

    def sample(
        self,
        text: Tensor,
        noise: Tensor,
        timesteps: Sequence[int],
        guidance_scale: float,
        fresh_noise: Iterable[Tensor] = (),
    ) -> Iterator[Step]:
        """Go from ``noise`` [B, n, D] through ``timesteps``; the last ``noisy`` is the result.

        ``text`` [B, S, text_dim]; ``fresh_noise`` gives one tensor like ``noise`` for each step but the last.
        """
        process = DiscreteSchedule.of(scaled_linear_betas(1000)) if self.process is None else self.process
        levels = [*(process.level(step) for step in timesteps), process.clean_level]
        everyone = torch.ones(len(noise), dtype=torch.bool, device=noise.device)

        def drawn() -> Iterator[Tensor]:
            yield from fresh_noise
            yield noise  # the last step takes none

        return sample_along(
            MotionLCMEstimator(self.denoiser, guidance_scale),
            levels,
            precise(noise),
            Condition({"text": Part(text, everyone)}),
            everyone[:, None].expand(noise.shape[:2]),
            solver=self.solver,
            fresh_noise=drawn(),
        )

    @torch.no_grad()
    def decode(self, latents: Tensor, valid_mask: Tensor) -> Tensor:
        """Latents [B, n, D] to normalised features [B, T, F], zero where ``valid_mask`` [B, T] is False."""
        if self.vae is None:
            raise ValueError("decoding needs the VAE")
        return self.vae.decode(latents.to(self.vae.embed.weight.dtype), valid_mask)
