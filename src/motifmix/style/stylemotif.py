"""StyleMotif at the paper's size (Guo et al., ICCV 2025): a frozen MLD denoiser with one fusion, no trainable copy.

The authors have published no code. What the paper says is built as said (fusion once, gamma 0.6, the style encoder a copy
of the VAE's encoder, sizes of 462 M in all and 7.8 M trained); what it leaves open is an option, and its default a choice
of ours: the block (the middle one), which tokens take the style (all), what an absent style is (no fusion), eta.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.predictions import to_clean
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.mld_denoiser import MLDDenoiser, MLDEstimator, step_of
from motifmix.models.motion_style_encoder import MotionStyleEncoder
from motifmix.models.parameter_count import parameter_count
from motifmix.style.cross_normalization import cross_normalize

GAMMA = 0.6
IMAGEBIND_DIM = 1024
# The paper counts CLIP ViT-L/14 with its image tower, which nothing here uses and nothing builds.
CLIP_IMAGE_TOWER_PARAMETERS = 303_966_208


class StyleMotifDenoiser(nn.Module):
    """Predicts the noise in latents [B, n, D] from time, text and a style feature fused after one block.

    ``block`` counts from 1 (9 blocks: 1-4 before, 5 the middle, 6-9 after). A fusion in the first half also goes into the
    block's skip. ``fused_tokens``: all of [latents, time, text], or the latents only.
    """

    def __init__(
        self,
        base: MLDDenoiser,
        block: int = 5,
        gamma: float = GAMMA,
        fused_tokens: Literal["all", "latents"] = "all",
    ) -> None:
        super().__init__()
        count = 2 * len(base.encoder.input_blocks) + 1
        if not 1 <= block <= count:
            raise ValueError(f"block {block} is not one of the denoiser's {count}")
        if fused_tokens not in ("all", "latents"):
            raise ValueError(f"fused_tokens is {fused_tokens!r}; known are 'all' and 'latents'")
        self.base, self.block, self.gamma, self.fused_tokens = base, block, gamma, fused_tokens

    def forward(
        self,
        noisy: Tensor,
        timesteps: Tensor,
        text: Tensor,
        style: Tensor | None = None,
        strength: Tensor | None = None,
    ) -> Tensor:
        """``noisy`` [B, n, D], ``timesteps`` [B] or one for all, ``text`` [B, S, text_dim], ``style`` [B, D] or None.

        ``strength`` [B] is a factor on gamma; at 0 an item is the frozen denoiser's.
        """
        if style is None:
            return self.base(noisy, timesteps, text)
        gamma = self.gamma if strength is None else self.gamma * strength[:, None, None]
        latents = noisy.shape[1]

        def fuse(number: int, tokens: Tensor) -> Tensor:
            if number != self.block:
                return tokens
            if self.fused_tokens == "all":
                return cross_normalize(tokens, style[:, None], gamma)
            return torch.cat([cross_normalize(tokens[:, :latents], style[:, None], gamma), tokens[:, latents:]], dim=1)

        return self.base(noisy, timesteps, text, fuse)


class StyleMotifEstimator(nn.Module):
    """StyleMotif's denoiser as one that speaks of clean latents.

    Condition parts: ``text`` [B, S, text_dim] (absent: the encoded empty sentence), ``style`` [B, D] (absent: no fusion, or
    ``no_style`` [1, D], for example the feature of a motion of zeros), ``strength`` [B] (1 where missing).
    """

    def __init__(self, denoiser: StyleMotifDenoiser, null_text: Tensor, no_style: Tensor | None = None) -> None:
        super().__init__()
        self.denoiser, self.no_style = denoiser, no_style
        self.plain = MLDEstimator(denoiser.base, null_text)

    def forward(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Estimate the clean latents [B, n, D]."""
        style, strength = condition.get("style"), condition.get("strength")
        if style is None:
            return self.plain(noisy, level, condition, valid)
        text, feature, factor = self.plain.told(condition), style.value, None
        if self.no_style is not None:
            feature = torch.where(style.present[:, None], feature, self.no_style)
        elif not bool(style.present.all()):
            factor = style.present.to(feature.dtype)
        if strength is not None:
            factor = strength.value if factor is None else factor * strength.value
        noise = self.denoiser(noisy.to(text.dtype), step_of(level, noisy), text, feature, factor)
        return to_clean(noise.to(noisy.dtype), noisy, level.alpha, level.sigma, "epsilon")


class StyleProjection(nn.Linear):
    """ImageBind's feature [B, 1024] to the space of style features [B, width]; trained by a stage of its own."""

    def __init__(self, inputs: int = IMAGEBIND_DIM, width: int = 256) -> None:
        super().__init__(inputs, width)


def most_similar(features: Tensor, bank: Tensor) -> Tensor:
    """Return, for each of ``features`` [B, D], the number of the nearest row of ``bank`` [N, D] by cosine, [B]."""
    return (nn.functional.normalize(features, dim=-1) @ nn.functional.normalize(bank, dim=-1).T).argmax(dim=-1)


def blended_styles(features: Tensor, weights: Tensor) -> Tensor:
    """Mix style ``features`` [K, D] by ``weights`` [K], which are brought to a sum of one; returns [1, D]."""
    return ((weights / weights.sum())[:, None] * features).sum(dim=0, keepdim=True)


def stylemotif_sizes(
    denoiser: nn.Module, vae: nn.Module, text_tower: nn.Module, style: MotionStyleEncoder
) -> tuple[int, int]:
    """Return the parameters in all, as the paper counts them, and those that are trained."""
    built = parameter_count(denoiser, vae, text_tower, style)
    return built + CLIP_IMAGE_TOWER_PARAMETERS, parameter_count(style)
