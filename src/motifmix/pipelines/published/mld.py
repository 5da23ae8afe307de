"""MLD, MLD-7 and the MLDs that MotionLCM was distilled from, converted: texts in, motions out."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from motifmix.diffusion.denoiser import Step
from motifmix.diffusion.discrete import DiscreteSchedule
from motifmix.encoders.tiny import Kind
from motifmix.models.mld_vae import MotionVAE
from motifmix.pipelines.mld import MLD, mld_schedule
from motifmix.pipelines.published.generator import Asked, PublishedGenerator, drawn, fitting


class LatentGenerator(PublishedGenerator):
    """What models in the latent space of MLD's VAE share."""

    @property
    def vae(self) -> MotionVAE:
        """The motion VAE."""
        vae = self.parts["vae"]
        assert isinstance(vae, MotionVAE)
        return vae

    @property
    def text_form(self) -> tuple[Kind, int]:
        """One vector a text."""
        denoiser: Any = self.parts["denoiser"]
        return "embedding", getattr(denoiser, "base", denoiser).text_dim

    @cached_property
    def null_text(self) -> Tensor:
        """The features of the empty sentence, [1, S, text_dim]."""
        return self.read([""])

    def read(self, texts: Sequence[str]) -> Tensor:
        """Return text features [B, S, text_dim]."""
        return self.text_encoder.encode(texts).values

    def latent_noise(self, asked: Sequence[Asked]) -> Iterator[Tensor]:
        """Yield noise [B, n, D] again and again."""
        vae = self.vae
        return drawn(asked, vae.latent_tokens, getattr(vae.to_latent, "out_features", vae.width))

    def latent_schedule(self, steps: int | None) -> DiscreteSchedule:
        """Return the steps of the card's schedule, or another number of them."""
        options = self.options
        with fitting(steps):
            return mld_schedule(
                steps or options["num_inference_steps"],
                betas=(self.schedule.steps, options["beta_start"], options["beta_end"]),
                offset=options.get("steps_offset", 0),
                ends_clean=options.get("set_alpha_to_one", False),
            )

    def decoded(self, features: Tensor) -> Tensor:
        """Normalised features [B, T, F] to those of one person, [B, 1, T, F], not normalised."""
        return self.restored(features)[:, None]


class MLDGenerator(LatentGenerator):
    """One text, one person."""

    @cached_property
    def pipeline(self) -> MLD:
        """The parts put together."""
        motion = self.statistics["motion"]
        denoiser: Any = self.parts["denoiser"]
        mean, std = (torch.from_numpy(part) for part in (motion.mean, motion.std))
        return MLD(self.vae, denoiser, self.null_text, mean, std)

    def walk(self, asked: Sequence[Asked], steps: int | None, strength: float) -> Iterator[Step]:
        """Denoise latents as in ``pipelines/mld.py``."""
        return self.pipeline.sample(
            self.read([one.text for one in asked]),
            next(self.latent_noise(asked)),
            guidance_scale=self.options["guidance_scale"],
            schedule=self.latent_schedule(steps),
        )

    def features(self, last: Step, frames: int) -> Tensor:
        """Decode the last state."""
        valid = torch.ones(len(last.noisy), frames, dtype=torch.bool)
        return self.decoded(self.pipeline.decode(last.noisy, valid))
