"""SMooDi on a latent denoiser: a second, trainable branch that sees the style, and the denoiser protocol around both."""

import torch
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.predictions import PredictionType, to_clean
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.latent_denoiser import Hook, LatentDenoiser
from motifmix.models.style_branch import StyleBranch


class DualBranchDenoiser(nn.Module):
    """A frozen latent denoiser steered by a style branch; without a style it is the frozen one to the bit.

    Condition parts: ``text`` [B, text], ``style`` [B, style], ``strength`` [B] (a factor on what the branch adds; 1 where
    missing).
    """

    def __init__(self, denoiser: LatentDenoiser, branch: StyleBranch, prediction_type: PredictionType = "flow") -> None:
        super().__init__()
        if len(branch.zero_linears) > len(denoiser.blocks):
            raise ValueError(
                f"a branch of {len(branch.zero_linears)} blocks does not fit a denoiser of {len(denoiser.blocks)}"
            )
        self.denoiser, self.branch = denoiser, branch
        self.prediction_type: PredictionType = prediction_type

    def predict(self, noisy: Tensor, time: Tensor, condition: Condition, valid: Tensor) -> Tensor:
        """Return the network's own prediction; ``time`` [B]."""
        text, style, strength = condition.parts["text"], condition.get("style"), condition.get("strength")
        hook: Hook | None = None
        if style is not None and bool(style.present.any()):
            # Only those with a style go through the branch: of three branches of guidance, that is one.
            rows = style.present.nonzero()[:, 0]
            control = self.branch(
                noisy[rows], time[rows], text.value[rows], text.present[rows], valid[rows], style.value[rows]
            )
            if strength is not None:
                control = [strength.value[rows, None, None] * part for part in control]

            def add(number: int, hidden: Tensor) -> Tensor:
                return hidden.index_add(0, rows, control[number - 1]) if number <= len(control) else hidden

            hook = add
        return self.denoiser(noisy, time, text.value, text.present, valid, hook)

    def forward(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Estimate the clean latents [B, L, latent]."""
        time = torch.full((len(noisy),), level.time, device=noisy.device, dtype=noisy.dtype)
        prediction = self.predict(noisy, time, condition, valid)
        return to_clean(prediction, noisy, level.alpha, level.sigma, self.prediction_type)
