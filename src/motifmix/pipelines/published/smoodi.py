"""SMooDi, converted: texts and style motions in, motions out; without a style it is MLD."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from motifmix.diffusion.denoiser import Step
from motifmix.errors import WeightsError
from motifmix.models.smoodi import SMooDiDenoiser
from motifmix.models.style_network import StyleNetwork
from motifmix.motion import Motion
from motifmix.pipelines.published.generator import Asked, everyone
from motifmix.pipelines.published.mld import LatentGenerator
from motifmix.pipelines.smoodi import (
    LAST_MOTION_ONLY,
    PULLED_TOWARDS_NOTHING,
    REFERENCE_ALWAYS_SHUFFLED,
    STYLE_TERM_TWICE,
    Scales,
    SMooDi,
)
from motifmix.style.classifier_guidance import GRADIENT_CHANNEL_ZEROED, GuidanceOptions

QUIRKS = (
    GRADIENT_CHANNEL_ZEROED,
    REFERENCE_ALWAYS_SHUFFLED,
    STYLE_TERM_TWICE,
    LAST_MOTION_ONLY,
    PULLED_TOWARDS_NOTHING,
)


class SMooDiGenerator(LatentGenerator):
    """One text, one person, the style of a motion; item by item, as the authors evaluate it."""

    styled = True
    batch = 1

    @cached_property
    def pipeline(self) -> SMooDi:
        """The parts put together."""
        denoiser, network = self.parts["denoiser"], self.parts.get("style_network")
        assert isinstance(denoiser, SMooDiDenoiser)
        if not isinstance(network, StyleNetwork):
            raise WeightsError("these weights hold no style network, which SMooDi's guidance needs; convert them again")
        return SMooDi(self.vae, denoiser, self.null_text, network, self.quirks(*QUIRKS))

    def reference(self, style: Motion) -> Tensor:
        """Return a style motion as normalised features [1, T, F]."""
        features = self.statistics["motion"].normalise(self.space.encode(style))
        return torch.from_numpy(np.asarray(features, np.float32))[None]

    def walk(self, asked: Sequence[Asked], steps: int | None, strength: float) -> Iterator[Step]:
        """Denoise latents as in ``pipelines/smoodi.py``, in the released mode (v4)."""
        (one,) = asked
        guidance, options = GuidanceOptions(), self.options
        return self.pipeline.sample(
            self.read([one.text]),
            None if one.style is None else self.reference(one.style),
            everyone(asked, one.frames),
            next(self.latent_noise(asked)),
            scales=Scales(options["guidance_scale_text"], strength * options["guidance_scale_style"]),
            guidance=replace(guidance, scale=strength * guidance.scale),
            schedule=self.latent_schedule(steps),
            generator=torch.Generator().manual_seed(one.seed),
        )

    def features(self, last: Step, frames: int) -> Tensor:
        """Decode the last state."""
        valid = torch.ones(len(last.noisy), frames, dtype=torch.bool)
        return self.decoded(self.pipeline.decode(last.noisy, valid))
