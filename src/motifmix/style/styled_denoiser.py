"""StyleMotif on a latent denoiser: one fusion after block m, and the denoiser protocol around it."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.predictions import PredictionType, to_clean
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.errors import RequestError
from motifmix.models.adopted_style import AdoptedStyle
from motifmix.models.feature_denoiser import FeatureDenoiser
from motifmix.models.latent_denoiser import Hook, LatentDenoiser
from motifmix.models.style_strength import StyleStrength
from motifmix.style.fusions import FUSIONS, FusionName


class StyledDenoiser(nn.Module):
    """A denoiser with the style fused once, of whatever kind takes a hook; an absent style skips the fusion, so the base model is inside.

    Condition parts: ``text`` [B, text], ``style`` [B, style], ``strength`` [B] (a factor on gamma; 1 where missing).
    A style vector may go on with one share for each of ``adopted``, the changes that somebody's own styles bring.
    With ``strengths`` every item and time has its own factor on gamma.
    ``block`` counts from 1; several of them, or another ``fusion``, are for comparison.
    """

    def __init__(
        self,
        denoiser: LatentDenoiser | FeatureDenoiser,
        style: int = 128,
        block: int | Sequence[int] = 2,
        gamma: float = 0.6,
        prediction_type: PredictionType = "flow",
        fusion: FusionName = "cross_normalization",
    ) -> None:
        super().__init__()
        self.blocks = (block,) if isinstance(block, int) else tuple(block)
        for own in self.blocks:
            if not 1 <= own <= len(denoiser.blocks):
                raise ValueError(f"block {own} is not one of the denoiser's {len(denoiser.blocks)}")
        self.denoiser = denoiser
        self.fusion = FUSIONS[fusion]
        self.project = nn.Linear(style, denoiser.width * self.fusion.numbers * len(self.blocks))
        if self.fusion.from_zero:
            nn.init.zeros_(self.project.weight)
            nn.init.zeros_(self.project.bias)
        self.gamma = gamma
        self.adopted: list[AdoptedStyle] = []  # no part of these weights
        self.strengths: StyleStrength | None = None
        self.prediction_type: PredictionType = prediction_type

    def fused_after(self, block: int) -> "StyledDenoiser":
        """Return this denoiser, its weights shared, with the fusion after another block. Raises ``RequestError``."""
        count = len(self.denoiser.blocks)
        if len(self.blocks) != 1 or not 1 <= block <= count:
            raise RequestError(
                f"block {block} cannot hold the fusion; this denoiser fuses once, after one of 1 to {count}"
            )
        other = self._sharing()
        other.blocks = (block,)
        return other

    def of_one_strength(self) -> "StyledDenoiser":
        """Return this denoiser, its weights shared, with one gamma for all."""
        other = self._sharing()
        other.strengths = None
        return other

    def _sharing(self) -> "StyledDenoiser":
        other = copy.copy(self)
        other._modules = dict(self._modules)  # or a part taken out there would be missing here
        return other

    def predict(self, noisy: Tensor, time: Tensor, condition: Condition, valid: Tensor) -> Tensor:
        """Return the network's own prediction; ``time`` [B]."""
        text, style, strength = condition.parts["text"], condition.get("style"), condition.get("strength")
        hook: Hook | None = None
        if style is not None and bool(style.present.any()):
            gamma = self.gamma * style.present.to(noisy.dtype)
            if strength is not None:
                gamma = gamma * strength.value
            own, shares = style.value.tensor_split([self.project.in_features], dim=1)
            if self.strengths is not None:
                gamma = gamma * self.strengths(text.value, text.present, own, time)
            gamma = gamma[:, None, None]
            features = dict(zip(self.blocks, self.project(own)[:, None].chunk(len(self.blocks), dim=-1), strict=True))
            factor = gamma / self.gamma if self.gamma else gamma
            changes = [
                (adopted, factor * shares[:, place, None, None])
                for place, adopted in enumerate(self.adopted[: shares.shape[1]])
                if bool(shares[:, place].any())
            ]

            def fuse(number: int, hidden: Tensor) -> Tensor:
                if number in features:
                    hidden = self.fusion.fuse(hidden, features[number], gamma)
                for adopted, share in changes:
                    hidden = hidden + share * adopted(number, hidden)
                return hidden

            hook = fuse

        return self.denoiser(noisy, time, text.value, text.present, valid, hook)

    def forward(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Estimate the clean latents [B, L, latent]."""
        time = torch.full((len(noisy),), level.time, device=noisy.device, dtype=noisy.dtype)
        prediction = self.predict(noisy, time, condition, valid)
        return to_clean(prediction, noisy, level.alpha, level.sigma, self.prediction_type)
