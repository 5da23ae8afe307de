"""MotionLCM, converted: texts in, motions out, in one, two or four calls of the network."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import torch
from torch import Tensor

from motifmix.diffusion.denoiser import Step
from motifmix.diffusion.discrete import DiscreteSchedule, scaled_linear_betas
from motifmix.errors import RequestError
from motifmix.models.motionlcm import MotionLCMDenoiser
from motifmix.pipelines.motionlcm import FIRST_SCALES, MotionLCM, first_timesteps
from motifmix.pipelines.published.generator import Asked
from motifmix.pipelines.published.mld import LatentGenerator


class MotionLCMGenerator(LatentGenerator):
    """One text, one person; the fewest published steps unless others are asked for."""

    @cached_property
    def pipeline(self) -> MotionLCM:
        """The parts put together."""
        denoiser, schedule = self.parts["denoiser"], self.schedule
        assert isinstance(denoiser, MotionLCMDenoiser)
        betas = scaled_linear_betas(schedule.steps, self.options["beta_start"], self.options["beta_end"])
        return MotionLCM(denoiser, self.vae, DiscreteSchedule.of(betas))

    def walk(self, asked: Sequence[Asked], steps: int | None, strength: float) -> Iterator[Step]:
        """Go through the published timesteps for this number of steps. Raises ``RequestError`` for another number."""
        scales = self._scales()
        count = min(scales) if steps is None else steps
        if count not in scales:
            known = ", ".join(str(one) for one in sorted(scales))
            raise RequestError(f"{self.card.published} takes {known} denoising steps, not {count}")
        given = {int(count): own for count, own in self.options.get("timesteps", {}).items()}
        timesteps = given.get(count) or first_timesteps(count, self.schedule.steps, self.options["solver_steps"])
        noise = self.latent_noise(asked)
        return self.pipeline.sample(
            self.read([one.text for one in asked]), next(noise), timesteps, scales[count], noise
        )

    def _scales(self) -> dict[int, float]:
        """The guidance scale by the number of steps; the first version has one for all."""
        if "guidance_scales" in self.options:
            return {int(count): scale for count, scale in self.options["guidance_scales"].items()}
        return {count: self.options["guidance_scale"] for count in FIRST_SCALES}

    def features(self, last: Step, frames: int) -> Tensor:
        """Decode the last state."""
        valid = torch.ones(len(last.noisy), frames, dtype=torch.bool)
        return self.decoded(self.pipeline.decode(last.noisy, valid))
