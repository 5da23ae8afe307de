"""StyleMotif at work, at the paper's size: a text and a style feature in, a motion out.

Guidance is hybrid as in SMooDi: classifier-free scales for text and style, and the style network's pull between them.
Two forms of the classifier-free part: SMooDi's code takes the style without the text, its paper on top of the text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Correction, Difference, GuidanceTerm, Guided, Step, sample_along
from motifmix.diffusion.discrete import DiscreteSchedule
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.motion_style_encoder import MotionStyleEncoder
from motifmix.pipelines.mld import mld_schedule, precise
from motifmix.pipelines.smoodi import Scales
from motifmix.style.stylemotif import StyleMotifDenoiser, StyleMotifEstimator

Form = Literal["code", "paper"]


@dataclass(frozen=True)
class StyleMotif:
    """The parts of StyleMotif put together; motions are normalised features [B, T, F]."""

    vae: MotionVAE
    denoiser: StyleMotifDenoiser
    style_encoder: MotionStyleEncoder
    null_text: Tensor  # [1, S, text_dim]

    @torch.no_grad()
    def style_of(self, motion: Tensor, valid_mask: Tensor | None = None) -> Tensor:
        """Return the style feature [B, D] of reference motions."""
        return self.style_encoder(motion, valid_mask)

    def sample(
        self,
        text: Tensor,
        style: Tensor | None,
        noise: Tensor,
        *,
        scales: Scales = Scales(),
        form: Form = "code",
        strength: float = 1.0,
        correction: Correction | None = None,
        schedule: DiscreteSchedule | None = None,
    ) -> Iterator[Step]:
        """Denoise ``noise`` [B, n, D]; the last ``noisy`` is the result, for :meth:`decode`.

        ``text`` [B, S, text_dim], ``style`` [1 or B, D] or None for MLD alone; ``strength`` is a factor on gamma;
        ``correction`` is a pull towards a reference motion (:class:`motifmix.style.classifier_guidance.StyleGuidance`).
        """
        batch = len(noise)
        everyone = torch.ones(batch, dtype=torch.bool, device=noise.device)
        parts = {"text": Part(text, everyone)}
        if style is not None:
            parts["style"] = Part(style.expand(batch, -1), everyone)
            parts["strength"] = Part(torch.full((batch,), strength, device=noise.device), everyone)
        between: list[GuidanceTerm] = [] if correction is None else [correction]
        if form == "code":
            terms = [Difference(scales.style, ("style",)), *between, Difference(scales.text, ("text",))]
        elif form == "paper":
            terms = [("text", scales.text), ("style", scales.style), *between]
        else:
            raise ValueError(f"unknown form {form!r}; known: code, paper")
        guided = Guided(StyleMotifEstimator(self.denoiser, self.null_text), terms)
        levels = (mld_schedule() if schedule is None else schedule).levels()
        valid = everyone[:, None].expand(noise.shape[:2])
        return sample_along(guided, levels, precise(noise), Condition(parts), valid)

    @torch.no_grad()
    def decode(self, latents: Tensor, valid_mask: Tensor) -> Tensor:
        """Latents [B, n, D] to features [B, T, F], zero where ``valid_mask`` [B, T] is False."""
        return self.vae.decode(latents.to(self.null_text.dtype), valid_mask)
