"""StyleMotif on a latent denoiser: one fusion after block m, and the denoiser protocol around it."""

import torch
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.predictions import PredictionType, to_clean
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.latent_denoiser import Hook, LatentDenoiser
from motifmix.style.cross_normalization import cross_normalize


class StyledDenoiser(nn.Module):
    """A latent denoiser with the style fused once; an absent style skips the fusion, so the base model is inside.

    Condition parts: ``text`` [B, text], ``style`` [B, style], ``strength`` [B] (a factor on gamma; 1 where missing).
    """

    def __init__(
        self,
        denoiser: LatentDenoiser,
        style: int = 128,
        block: int = 2,
        gamma: float = 0.6,
        prediction_type: PredictionType = "flow",
    ) -> None:
        super().__init__()
        if not 1 <= block <= len(denoiser.blocks):
            raise ValueError(f"block {block} is not one of the denoiser's {len(denoiser.blocks)}")
        self.denoiser = denoiser
        self.project = nn.Linear(style, denoiser.width)
        self.block, self.gamma = block, gamma
        self.prediction_type: PredictionType = prediction_type

    def predict(self, noisy: Tensor, time: Tensor, condition: Condition, valid: Tensor) -> Tensor:
        """Return the network's own prediction; ``time`` [B]."""
        text, style, strength = condition.parts["text"], condition.get("style"), condition.get("strength")
        hook: Hook | None = None
        if style is not None and bool(style.present.any()):
            gamma = self.gamma * style.present.to(noisy.dtype)
            if strength is not None:
                gamma = gamma * strength.value
            feature, gamma = self.project(style.value)[:, None], gamma[:, None, None]

            def fuse(number: int, hidden: Tensor) -> Tensor:
                return cross_normalize(hidden, feature, gamma) if number == self.block else hidden

            hook = fuse

        return self.denoiser(noisy, time, text.value, text.present, valid, hook)

    def forward(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Estimate the clean latents [B, L, latent]."""
        time = torch.full((len(noisy),), level.time, device=noisy.device, dtype=noisy.dtype)
        prediction = self.predict(noisy, time, condition, valid)
        return to_clean(prediction, noisy, level.alpha, level.sigma, self.prediction_type)
