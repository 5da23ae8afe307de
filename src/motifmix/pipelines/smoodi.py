"""SMooDi at work (Zhong et al., ECCV 2024): a text and a style motion in, a motion out; or a motion restyled.

Two scales of classifier-free guidance, classifier guidance between them, fifty DDIM steps over one latent token. Style
transfer inverts the content's latent first and denoises it again from the middle.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Difference, GuidanceTerm, Guided, Step, invert_along, sample_along
from motifmix.diffusion.discrete import DiscreteSchedule
from motifmix.models.mld_denoiser import MLDEstimator
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.smoodi import SMooDiDenoiser, SMooDiEstimator, endless_permutations
from motifmix.models.style_network import StyleNetwork
from motifmix.pipelines.mld import mld_schedule, precise
from motifmix.quirks import Quirk
from motifmix.style.classifier_guidance import GuidanceIteration, GuidanceOptions, StyleGuidance

Mode = Literal["v0", "v2", "v4", "v4_first_release"]
LONGEST_REFERENCE = 480  # frames
TRANSFER_START = 20  # of 50 steps
TRANSFER_OPTIONS = {"v2": GuidanceOptions(10, 0.4, 150), "v0": GuidanceOptions(5, 0.4, 200)}
REFERENCE_ALWAYS_SHUFFLED = Quirk(
    "reference_always_shuffled",
    "SMooDi: the frames of the reference are shuffled anew in windows of 16 before every step, also after training, so "
    "results differ from run to run; its figures were made so",
)
STYLE_TERM_TWICE = Quirk(
    "style_term_twice",
    "SMooDi's first release: the style term of mode v4 is added two times, so its scale counts double",
)
LAST_MOTION_ONLY = Quirk(
    "last_motion_only", "SMooDi's first release: of a batch sampled in mode v4 only the last motion is handed out"
)
PULLED_TOWARDS_NOTHING = Quirk(
    "pulled_towards_nothing",
    "SMooDi: in style transfer of mode v2 the classifier guidance pulls towards two motions of zeros and the reference; "
    "its transfer figures were made so",
)


@dataclass(frozen=True)
class Scales:
    """Scales of classifier-free guidance; the defaults are the published ones."""

    text: float = 7.5
    style: float = 1.5


@dataclass(frozen=True)
class Transfer:
    """A restyled motion and how it came about: latents after each step of the inversion and of the denoising."""

    content_latent: Tensor
    inverted: list[Step]
    start: Tensor
    steps: list[Step]
    motion: Tensor


def guidance_terms(
    mode: Mode, scales: Scales, correction: StyleGuidance | None, quirks: Collection[Quirk] = ()
) -> list[GuidanceTerm]:
    """Return the terms of a published mode, in its order.

    v2, v4: style without text, then the correction, then text without style. v0: the style is always told. The first
    release of v4: style on top of the text.
    """
    between: list[GuidanceTerm] = [] if correction is None else [correction]
    text = Difference(scales.text, ("text",))
    if mode == "v0":
        return [text, *between]
    if mode == "v4_first_release":
        count = 2.0 if STYLE_TERM_TWICE in quirks else 1.0
        return [Difference(count * scales.style, ("text", "style"), ("text",)), *between, text]
    if mode in ("v2", "v4"):
        return [Difference(scales.style, ("style",)), *between, text]
    raise ValueError(f"unknown mode {mode!r}; known: v0, v2, v4, v4_first_release")


@dataclass(frozen=True)
class SMooDi:
    """The parts of SMooDi put together. Motions are normalised features [B, T, F]; ``style_network`` guides."""

    vae: MotionVAE
    denoiser: SMooDiDenoiser
    null_text: Tensor  # [1, S, text_dim]
    style_network: StyleNetwork | None = None
    quirks: Collection[Quirk] = ()

    def sample(
        self,
        text: Tensor,
        reference: Tensor | None,
        valid_mask: Tensor,
        noise: Tensor,
        *,
        mode: Mode = "v4",
        scales: Scales = Scales(),
        guidance: GuidanceOptions | None = GuidanceOptions(),
        adapter: bool = True,
        schedule: DiscreteSchedule | None = None,
        start: int = 0,
        permutations: Iterator[Tensor] | None = None,
        generator: torch.Generator | None = None,
        targets: Tensor | None = None,
        watch: Callable[[GuidanceIteration], None] | None = None,
    ) -> Iterator[Step]:
        """Denoise ``noise`` [B, n, D] from step ``start`` on; the last ``noisy`` is the result, for :meth:`decode`.

        ``text`` [B, S, text_dim], ``reference`` [1 or B, T', F] or None for MLD alone, ``valid_mask`` [B, T] of the frames
        to be made. ``guidance`` None leaves the classifier out, ``adapter`` False the denoiser's own sight of the style.
        ``targets`` are pulled towards instead of the reference. Where a quirk asks for
        ``permutations``, they are drawn with ``generator``.
        """
        batch = len(noise)
        everyone = torch.ones(batch, dtype=torch.bool, device=noise.device)
        parts = {"text": Part(text, everyone)}
        levels = (mld_schedule() if schedule is None else schedule).levels()[start:]
        latents_valid = everyone[:, None].expand(noise.shape[:2])
        if reference is None:
            guided = Guided(MLDEstimator(self.denoiser.base, self.null_text), [("text", scales.text)])
            return sample_along(guided, levels, precise(noise), Condition(parts), latents_valid)
        reference = reference[:, :LONGEST_REFERENCE]
        if adapter:
            rows = torch.arange(len(reference), device=noise.device)
            parts["style"] = Part(rows.expand(batch) if len(rows) == 1 else rows, everyone)
        correction = None
        if guidance is not None:
            correction = self._correction(reference if targets is None else targets, valid_mask, guidance, watch)
        if permutations is None and REFERENCE_ALWAYS_SHUFFLED in self.quirks:
            permutations = endless_permutations(reference.shape[1], generator)
        estimator = SMooDiEstimator(self.denoiser, self.null_text, reference, permutations)
        guided = Guided(estimator, guidance_terms(mode, scales, correction, self.quirks))
        return sample_along(guided, levels, precise(noise), Condition(parts), latents_valid)

    @torch.no_grad()
    def decode(self, latents: Tensor, valid_mask: Tensor, mode: Mode = "v4") -> Tensor:
        """Latents [B, n, D] to features [B, T, F], zero behind each length."""
        motion = self.vae.decode(latents.to(self.null_text.dtype), valid_mask)
        return motion[-1] if mode == "v4_first_release" and LAST_MOTION_ONLY in self.quirks else motion

    def transfer(
        self,
        content: Tensor,
        valid_mask: Tensor,
        text: Tensor,
        reference: Tensor,
        noise: Tensor,
        *,
        mode: Literal["v0", "v2"] = "v2",
        scales: Scales = Scales(),
        guidance: GuidanceOptions | None = None,
        schedule: DiscreteSchedule | None = None,
        start: int = TRANSFER_START,
        adapter: bool = True,
        classifier: bool = True,
        permutations: Iterator[Tensor] | None = None,
        generator: torch.Generator | None = None,
        watch: Callable[[GuidanceIteration], None] | None = None,
    ) -> Transfer:
        """Restyle ``content`` [B, T, F], described by ``text`` [B, S, text_dim]; ``noise`` [B, n, D] for the VAE's draw.

        ``start``: how many of the sampling steps are skipped; more keeps more of the content.
        """
        schedule = mld_schedule() if schedule is None else schedule
        levels = schedule.levels()
        everyone = torch.ones(len(content), dtype=torch.bool, device=content.device)
        with torch.no_grad():
            latent = self.vae.encode(content, valid_mask).sample(noise)
        plain = Guided(MLDEstimator(self.denoiser.base, self.null_text), [("text", scales.text)])
        latents_valid = everyone[:, None].expand(latent.shape[:2])
        condition = Condition({"text": Part(text, everyone)})
        inverted = list(invert_along(plain, levels, precise(latent), condition, latents_valid))
        middle = inverted[len(levels) - 2 - start].noisy
        targets = None
        if mode == "v2" and PULLED_TOWARDS_NOTHING in self.quirks:
            targets = torch.cat([torch.zeros_like(reference).repeat(2, 1, 1), reference])[:, :LONGEST_REFERENCE]
        options = TRANSFER_OPTIONS[mode] if guidance is None else guidance
        steps = list(
            self.sample(
                text, reference, valid_mask, middle, mode=mode, scales=scales, adapter=adapter,
                guidance=options if classifier else None, schedule=schedule, start=start,
                permutations=permutations, generator=generator, targets=targets, watch=watch,
            )
        )  # fmt: skip
        return Transfer(latent, inverted, middle, steps, self.decode(steps[-1].noisy, valid_mask))

    def _correction(
        self,
        references: Tensor,
        valid_mask: Tensor,
        options: GuidanceOptions,
        watch: Callable[[GuidanceIteration], None] | None,
    ) -> StyleGuidance:
        if self.style_network is None:
            raise ValueError("classifier guidance needs a style network; give one, or leave the guidance out")
        return StyleGuidance(
            self.vae, self.style_network, references, valid_mask, options=options, quirks=self.quirks, watch=watch
        )
