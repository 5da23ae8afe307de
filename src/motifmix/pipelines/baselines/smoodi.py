"""SMooDi on the default latents (Zhong et al., ECCV 2024): a frozen base, a style branch beside it, hybrid guidance.

Classifier-free guidance for text and for style, and the pull of a style network's statistics between or after them. It
reads a style from motions; words have no part in it. How long a motion becomes is the base's choice, which knows no style.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Denoiser, Difference, GuidanceTerm, Guided
from motifmix.diffusion.windows import Windowed
from motifmix.errors import RequestError, WeightsError
from motifmix.models.latent_denoiser import LatentDenoiser
from motifmix.models.parameter_count import parameter_count
from motifmix.models.temporal_vae import STRIDE
from motifmix.motion import Motion
from motifmix.pipelines.sampling import Sampling
from motifmix.pipelines.style_transfer import OVERLAP, WINDOW, Between, Guidance, StyleTransfer
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.pretrained.build import load_part
from motifmix.style.dual_branch import DualBranchDenoiser
from motifmix.style.references import StyleLike, resolve
from motifmix.style.statistics_guidance import PullOptions, StatisticsGuidance

Form = Literal["paper", "code"]


class LatentSMooDi(TextToMotion):
    """SMooDi from a folder of weights; ``generate`` is :meth:`TextToMotion.generate` with motions as styles.

    ``guidance`` None leaves the style network out. ``form``: how the classifier-free terms stand to each other, the style
    on top of the text and the pull last (the paper's formula), or the style without the text, the pull, then the text
    (the published code). ``strength`` is a factor on what the branch adds.
    """

    def __init__(
        self,
        weights: Path | str,
        *,
        guidance: PullOptions | None = PullOptions(),
        form: Form = "paper",
    ) -> None:
        if form not in ("paper", "code"):
            raise ValueError(f"unknown form {form!r}; known: paper, code")
        self.guidance, self.form = guidance, form
        super().__init__(weights)

    def _put_together(self, folder: Path) -> None:
        super()._put_together(folder)
        _, branch, _ = load_part(folder, "branch")
        base = self.denoiser.denoiser
        if not isinstance(base, LatentDenoiser):
            raise WeightsError(
                f"{folder}: SMooDi's branch stands beside a denoiser of latents, not {type(base).__name__}"
            )
        self.steered = DualBranchDenoiser(base, branch, self.denoiser.prediction_type).eval()
        self.steered.requires_grad_(False)
        self.style_network = load_part(folder, "style_network")[1] if self.guidance is not None else None

    def parameters(self) -> tuple[int, int]:
        """Return the parameters in all, without the sentence encoder, and those trained for style: branch and encoder.

        The style network that guides is counted among the first only, as in the published sizes.
        """
        trained = parameter_count(self.steered.branch, self.style_encoder)
        frozen = (self.vae, self.steered.denoiser, self.length_predictor, self.style_network)
        return trained + parameter_count(*frozen), trained

    def vectors(self, texts: Sequence[str], styles: Sequence[StyleLike | None]) -> tuple[Tensor, Tensor, Tensor]:
        """Encode sentences and references; a row of the styles holds the vector and, behind it, the statistics."""
        seen: dict[int, Tensor] = {}
        for style in styles:
            if style is not None and id(style) not in seen:
                seen[id(style)] = self._read_style(style)
        width = next(iter(seen.values())).numel() if seen else 1
        rows = [torch.zeros(width) if style is None else seen[id(style)] for style in styles]
        present = torch.tensor([style is not None for style in styles], dtype=torch.bool)
        return self.text_vectors(texts), torch.stack(rows), present

    def _read_style(self, style: StyleLike) -> Tensor:
        parts = resolve(style)
        mixed = []
        for part in parts:
            if part.motion is None:
                what = f'the words "{part.words}"' if part.words is not None else "this file"
                raise RequestError(f"SMooDi reads a style from motions, not from {what}; give a motion or its file")
            features, valid, _ = self.network_features(part.motion)
            read = [self.style_encoder(features, valid)[0]]
            if self.style_network is not None:
                read.append(self.style_network.statistics(features, valid)[0])
            mixed.append(part.weight * torch.cat(read))
        return torch.stack(mixed).sum(dim=0)

    def _lengths(
        self, text: Tensor, style: Tensor, has_style: Tensor, strength: float, seconds: list[float | None]
    ) -> tuple[list[int], list[int]]:
        unknown = style.new_zeros(len(style), self.denoiser.project.in_features)
        return super()._lengths(text, unknown, torch.zeros_like(has_style), strength, seconds)

    def sample(
        self,
        text: Tensor,
        style: Tensor,
        has_style: Tensor,
        tokens: list[int],
        seeds: list[int],
        strength: float,
        how: Sampling,
    ) -> Tensor:
        """As in the base; raises ``RequestError`` for settings of the fusion, which SMooDi does not have."""
        if how.gamma is not None or how.block is not None or how.gradient:
            raise RequestError("SMooDi has no gamma, block or gradient to set; its guidance is given when it is loaded")
        noise, valid = self._noise(tokens, seeds)
        everyone = torch.ones(len(tokens), dtype=torch.bool)
        parts = {"text": Part(text, everyone)}
        terms: list[GuidanceTerm] = [("text", how.text_guidance)]
        if bool(has_style.any()):
            size = self.steered.branch.style.in_features
            parts["style"] = Part(style[:, :size], has_style)
            parts["strength"] = Part(torch.full((len(tokens),), strength), everyone)
            pull = self.pull(style[:, size:], has_style, valid)
            if self.form == "paper":
                terms = [("text", how.text_guidance), ("style", how.style_scale), *pull]
            else:
                terms = [Difference(how.style_scale, ("style",)), *pull, Difference(how.text_guidance, ("text",))]
        return self._denoised(Guided(self.steered, terms), how, noise, Condition(parts), valid)

    def pull(self, targets: Tensor, present: Tensor, valid: Tensor) -> list[GuidanceTerm]:
        """Return the classifier's term, [] without one: ``targets`` [B, statistics], ``present`` [B], ``valid`` [B, L]."""
        if self.guidance is None or self.style_network is None:
            return []

        def decode(latents: Tensor) -> Tensor:
            return self.vae.decode(latents * self.latent_std + self.latent_mean, valid)

        frames = valid.repeat_interleave(STRIDE, dim=1)
        return [StatisticsGuidance(decode, self.style_network, targets, present, frames, self.guidance)]


class LatentSMooDiTransfer(StyleTransfer):
    """SMooDi's style transfer: the content is taken back by the base, and brought forth with branch and pull."""

    model: LatentSMooDi

    def _ways(
        self, style: Tensor, spoken: Part, guidance: Guidance, tokens: Tensor
    ) -> tuple[Denoiser, Condition, Denoiser, Condition]:
        if guidance.gamma is not None or guidance.gradient:
            raise RequestError("SMooDi has no gamma and no gradient to set; its guidance is given when it is loaded")
        size, here = self.model.steered.branch.style.in_features, torch.ones(1, dtype=torch.bool)
        plain = Condition({"text": spoken, "style": Part(style[:, :size], ~here)})
        goal = Condition({"text": spoken, "style": Part(style[:, :size], here)})
        steered = Windowed(self.model.steered, WINDOW, OVERLAP)
        pull = self.model.pull(style[:, size:], here, tokens) if guidance.scale > 0 else []
        return steered, plain, Guided(Between(steered, goal, guidance.scale), pull), goal

    def variants(
        self, motion: Motion, style: StyleLike, text: str | None = None, *, depths: Sequence[float],
        scales: Sequence[float], **options: Any,
    ) -> list[Motion]:  # fmt: skip
        """As in the base, one after the other: the pull is of one target and acts beside every scale."""
        return [
            self.transfer([motion], [style], [text], depth=depth, style_scale=scale, **options)[0]
            for depth in depths
            for scale in scales
        ]
