"""MLD's two stages (Chen et al., CVPR 2023): the motion VAE, then the denoiser over its latents.

The VAE's recipe also gives StyleMotif's encoder its start: on styles, from a VAE that was trained on contents.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from motifmix.diffusion.discrete import DiscreteSchedule, scaled_linear_betas
from motifmix.models.mld_denoiser import MLDDenoiser
from motifmix.models.mld_vae import MotionVAE
from motifmix.training.encoded_texts import EncodedTexts
from motifmix.training.objectives.papers.base import (
    ClipObjective,
    Drawn,
    KeptPart,
    begun,
    copied,
    quirks_named,
)
from motifmix.training.objectives.published.mld import (
    PROMPT_DROPOUT,
    VAEWeights,
    denoising_loss,
    noised_latents,
    vae_losses,
    with_prompts_dropped,
)
from motifmix.training.recipe import Recipe

VAE_FIRST = "train it first (motifmix train recipes/papers/mld_vae.yaml) or name a converted MLD with options.base"
TRAINING_STEPS = 1000


class VAEOptions(BaseModel):
    """Options of ``mld_vae`` recipes. ``vae``: sizes that differ from the paper's. ``start_from``: a folder with a VAE."""

    model_config = ConfigDict(extra="forbid")

    batch: int = 128
    longest: int = 196
    vae: dict[str, Any] = {}
    features: float = 1.0
    joints: float = 1.0
    kl: float = 1e-4
    start_from: str | None = None
    quirks: list[str] = []


class MotionVAEObjective(ClipObjective):
    """Clips of HumanML3D, or of 100STYLE in its form, through the VAE."""

    model = "mld"

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self.options = o = VAEOptions.model_validate(recipe.options)
        self.quirks = quirks_named(o.quirks, "training.objectives.published.mld")
        self.read(recipe, o.longest)
        sizes = o.vae
        if o.start_from is not None:
            _, vae, kept = begun(o.start_from, "", "vae", VAE_FIRST)
            vae.train().requires_grad_(True)
            sizes = dict(kept.sizes)
        else:
            vae = MotionVAE(**sizes)
        self.modules["vae"] = vae
        self.kept["vae"] = KeptPart("mld_vae:MotionVAE", sizes)
        self.weights = VAEWeights(o.features, o.joints, o.kl)

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """Reconstruct a batch through one draw of the latents."""
        clips, count = self.chosen(self.options.batch, held_out)
        batch = clips.draw(rng, count).to(self.device)
        vae = modules["vae"]
        assert isinstance(vae, MotionVAE)
        posterior = vae.encode(batch.features, batch.valid_mask)
        noise = torch.randn(posterior.mean.shape, generator=generator).to(self.device)
        made = vae.decode(posterior.sample(noise), batch.valid_mask)
        mean, std = (torch.from_numpy(v).to(self.device) for v in (self.normaliser.mean, self.normaliser.std))
        found = vae_losses(
            made.float(), batch.features, posterior, batch.valid_mask, mean, std, self.weights, self.quirks
        )
        figures = {name: float(getattr(found, name).detach()) for name in ("features", "joints", "kl")}
        return found.total, figures


class MLDOptions(BaseModel):
    """Options of ``mld`` recipes. ``base``: the folder of the VAE, by default where its recipe puts it."""

    model_config = ConfigDict(extra="forbid")

    batch: int = 64
    longest: int = 196
    base: str | None = None
    denoiser: dict[str, Any] = {}
    prompt_dropout: float = PROMPT_DROPOUT
    text_encoder: str = "clip-vit-large-patch14"
    text_folder: str | None = None


class MLDObjective(ClipObjective):
    """The noise in the latents of HumanML3D's clips, told their captions."""

    model = "mld"

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self.options = o = MLDOptions.model_validate(recipe.options)
        self.base, vae, _ = begun(o.base, recipe.weights, "vae", VAE_FIRST)
        self.frozen["vae"] = vae
        self.read(recipe, o.longest)
        self.modules["denoiser"] = denoiser = MLDDenoiser(**o.denoiser)
        self.kept["denoiser"] = KeptPart("mld_denoiser:MLDDenoiser", o.denoiser)
        self.text_encoder = o.text_encoder
        texts = self.clips.texts() + self.held_out.texts()
        self.texts = EncodedTexts(texts, o.text_encoder, "embedding", denoiser.text_dim, o.text_folder)
        self.schedule = DiscreteSchedule.of(scaled_linear_betas(TRAINING_STEPS))

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """Noise a batch of latents and ask for the noise."""
        o, device, vae = self.options, self.device, self.frozen["vae"]
        clips, count = self.chosen(o.batch, held_out)
        batch = clips.draw(rng, count).to(device)
        assert isinstance(vae, MotionVAE)
        with torch.no_grad():
            posterior = vae.encode(batch.features, batch.valid_mask)
            latents = posterior.sample(torch.randn(posterior.mean.shape, generator=generator).to(device)).float()
        noise = torch.randn(latents.shape, generator=generator).to(device)
        timesteps = torch.randint(TRAINING_STEPS, (count,), generator=generator).to(device)
        dropped = (torch.rand(count, generator=generator) < o.prompt_dropout).to(device)
        text = with_prompts_dropped(self.texts(batch.texts, device), self.texts([""], device), dropped)
        noisy = noised_latents(latents, noise, timesteps, self.schedule)
        return denoising_loss(modules["denoiser"](noisy, timesteps, text).float(), noise), {}

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the denoiser beside the VAE."""
        copied("vae", self.base, folder)
        super().save(modules, folder, facts)
