"""StyleMotif's diffusion stage at the paper's size (Guo et al., ICCV 2025): all is frozen but the style encoder.

The encoder begins as that of a VAE that went on from contents to styles (recipes/papers/stylemotif_style_vae.yaml).
"""

from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from motifmix.models.mld_denoiser import MLDDenoiser
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.motion_style_encoder import MotionStyleEncoder
from motifmix.style.stylemotif import GAMMA, StyleMotifDenoiser
from motifmix.training.objectives.papers.base import Drawn, KeptPart, begun, copied
from motifmix.training.objectives.papers.smoodi import StyledClips
from motifmix.training.objectives.published.mld import PROMPT_DROPOUT
from motifmix.training.objectives.published.stylemotif import STYLE_DROPOUT, styled_denoising_loss
from motifmix.training.recipe import Recipe

STYLE_VAE_FIRST = (
    "train it first (motifmix train recipes/papers/stylemotif_style_vae.yaml) or name its folder with options.style_vae"
)


class StyleMotifOptions(BaseModel):
    """Options of ``stylemotif`` recipes.

    ``base``: the folder of MLD; ``style_vae``: that of the VAE whose encoder becomes the style encoder.
    """

    model_config = ConfigDict(extra="forbid")

    batch: int = 64
    longest: int = 196
    base: str | None = None
    style_vae: str | None = None
    block: int = 5
    gamma: float = GAMMA
    fused_tokens: Literal["all", "latents"] = "all"
    prompt_dropout: float = PROMPT_DROPOUT
    style_dropout: float = STYLE_DROPOUT
    text_encoder: str = "clip-vit-large-patch14"
    text_folder: str | None = None


class StyleMotifObjective(StyledClips):
    """Noise of the style set and of the content set, each clip its own style."""

    model = "stylemotif"

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self.options = o = StyleMotifOptions.model_validate(recipe.options)
        _, style_vae, kept = begun(o.style_vae, "stylemotif-style-vae", "vae", STYLE_VAE_FIRST)
        base = self._open(recipe, o.longest, o.base)
        assert isinstance(style_vae, MotionVAE)
        unknown = ("latent_tokens", "latent_dim", "arch")
        sizes = {name: value for name, value in kept.sizes.items() if name not in unknown}
        encoder = MotionStyleEncoder(**sizes)
        encoder.begin_as(style_vae)
        self.modules["style_encoder"] = encoder
        self.frozen["denoiser"] = base
        self.fusion = {"block": o.block, "gamma": o.gamma, "fused_tokens": o.fused_tokens}
        self._denoiser()  # says at once where the block is none of the base's
        self.kept["style_encoder"] = KeptPart("motion_style_encoder:MotionStyleEncoder", sizes, (), self.fusion)
        self._encode(o, base.text_dim)

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """Both sets' noise at shared times."""
        o, encoder = self.options, modules["style_encoder"]
        assert isinstance(encoder, MotionStyleEncoder)
        count = min(o.batch, 16) if held_out else o.batch
        batches, timesteps = self.drawn(generator, rng, count, held_out)
        found = []
        for batch in batches:
            kept = (torch.rand(count, generator=generator) >= o.style_dropout).to(self.device)
            found.append(
                styled_denoising_loss(self._denoiser(), encoder, batch, timesteps, self.schedule, kept).float()
            )
        return found[0] + found[1], {
            "styles": float(found[0].detach()),
            "contents": float(found[1].detach()),
        }

    def save(self, modules: nn.ModuleDict, folder: Any, facts: dict[str, Any]) -> None:
        """Write the style encoder beside the MLD that it belongs to."""
        copied("denoiser", self.base, folder)
        super().save(modules, folder, facts)

    def _denoiser(self) -> StyleMotifDenoiser:
        base = self.frozen["denoiser"]
        assert isinstance(base, MLDDenoiser)
        return StyleMotifDenoiser(base, **self.fusion)
