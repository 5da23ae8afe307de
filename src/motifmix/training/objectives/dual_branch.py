"""SMooDi on the default latents: a style branch beside the frozen base (Zhong et al., ECCV 2024, section 3.5).

Each clip is told its own motion as the style. On the style set that teaches the branch to follow; on the content set,
whose styles have no name, it is the prior preservation: the base's motions must stay. Both terms count alike, as
published. Differs from the published training: because a quarter of an hour is all that a row of the comparison gets, the
style encoder begins where StyleMotif's does (pre-trained, ``style_from``) instead of from nothing, and there is no cycle
term, which would cost two steps of three.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition, Part
from motifmix.errors import DataError
from motifmix.features.own import MotifmixSpace
from motifmix.home import home
from motifmix.models.latent_denoiser import LatentDenoiser
from motifmix.models.style_branch import StyleBranch
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import write_weights
from motifmix.style.dual_branch import DualBranchDenoiser
from motifmix.training.noising import NoisyBatch, mean_over
from motifmix.training.objectives.denoiser import DenoiserObjective
from motifmix.training.publishing import facts_of
from motifmix.training.starting_model import base_in


class DualBranchOptions(BaseModel):
    """Options of ``dual_branch`` recipes; folders are below MOTIFMIX_HOME.

    ``base`` holds the frozen denoiser, ``guide`` the style network that will guide (copied beside the result),
    ``weights`` the VAE with its statistics and the pre-trained style encoder.
    """

    model_config = ConfigDict(extra="forbid")

    batch: int = Field(32, ge=2)
    base: str = "weights-base"
    guide: str | None = "weights-style-network"
    weights: str = "weights"
    blocks: int = Field(2, ge=1)
    dropout: float = 0.0
    style: int = 128
    style_width: int = 256
    style_from: str | None = "style_pretrained"
    content_share: float = Field(0.5, gt=0, lt=1)
    prior: float = Field(1.0, ge=0)
    style_drop: float = 0.1
    text_drop: float = 0.1
    text_noise: float = 0.25
    own_reference: bool = True
    without_cells: list[tuple[str, str]] = []


class DualBranchObjective(DenoiserObjective):
    """Draws as the default model's objective does; trains the branch and its style encoder alone."""

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        self.dual = d = DualBranchOptions.model_validate(options)
        if len(data) < 2:
            raise DataError("a dual_branch recipe needs a style set and a content set, as in data: [bandai, cmu]")
        self.base_folder = home() / d.base
        self.base_card, _, _ = base_in(self.base_folder)
        sizes = self.base_card.sizes
        super().__init__(
            data,
            {
                "batch": d.batch, "width": sizes["width"], "blocks": sizes["blocks"], "heads": sizes["heads"],
                "style": d.style, "style_width": d.style_width, "style_from": d.style_from,
                "base": str(self.base_folder), "frozen": True, "weights": str(home() / d.weights),
                "content_share": d.content_share, "style_drop": d.style_drop, "text_drop": d.text_drop,
                "text_noise": d.text_noise, "own_reference": d.own_reference, "without_cells": d.without_cells,
                "prediction_type": self.base_card.extra["prediction_type"],
                "schedule": self.base_card.extra["schedule"],
            },
            seed,
        )  # fmt: skip
        if d.guide is not None:
            load_part(home() / d.guide, "style_network")  # says now what is missing
        self.branch_sizes = {
            "latent": sizes["latent"], "width": sizes["width"], "blocks": d.blocks, "heads": sizes["heads"],
            "style": d.style,
        }  # fmt: skip
        branch = StyleBranch(**self.branch_sizes, dropout=d.dropout)
        frozen = self._styled.denoiser
        if not isinstance(frozen, LatentDenoiser):
            raise DataError(f"SMooDi's branch stands beside a denoiser of latents, not {type(frozen).__name__}")
        branch.begin_from(frozen)
        steered = DualBranchDenoiser(frozen, branch, self._styled.prediction_type)
        self.modules = nn.ModuleDict({"denoiser": steered, "style_encoder": self.modules["style_encoder"]})

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """Noise of both sets, each with its own mean."""
        items = self.draws.items(self.options.batch, rng)
        clean, valid = self._latents_of(items)
        text = self._said_text(items, rng, generator)
        numbers = [self.draws.reference(item.number, rng) for item in items]
        style = self.modules["style_encoder"](*self.draws.style_batch(numbers, rng))
        has_text, has_style = self._dropped(items, list(range(len(items))), generator)
        condition = Condition({"text": Part(text, has_text), "style": Part(style, has_style)})
        batch = NoisyBatch.drawn(clean, valid, self.schedule, generator)
        steered = self.modules["denoiser"]
        assert isinstance(steered, DualBranchDenoiser)
        predicted = steered.predict(batch.noisy, batch.time, condition, valid)
        error = batch.squared_error(predicted, steered.prediction_type)
        of_style = torch.tensor([self.pool.list[item.number][1].clip.style is not None for item in items])
        followed = mean_over(error, valid & of_style[:, None])
        preserved = mean_over(error, valid & ~of_style[:, None])
        figures = {"style": float(followed.detach()), "prior": float(preserved.detach())}
        return followed + self.dual.prior * preserved, figures

    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Nothing is drawn: the fixed prompts name their styles in words, which this network does not read."""

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the branch and its style encoder beside the parts that they belong to."""
        steered = modules["denoiser"]
        assert isinstance(steered, DualBranchDenoiser)

        def write(part: str, architecture: str, sizes: dict[str, Any], tensors: dict[str, Any]) -> None:
            known = facts_of(architecture, sizes, self.caches, facts, name=part)
            write_weights(folder, part, tensors, **known)

        write("branch", "style_branch:StyleBranch", self.branch_sizes, steered.branch.state_dict())
        encoder_sizes = {"features": MotifmixSpace.dim, "width": self.dual.style_width, "style": self.dual.style}
        write("style_encoder", "StyleEncoder", encoder_sizes, modules["style_encoder"].state_dict())
        for part in ("denoiser", "length", "text_to_style", "vae", "bank"):
            _copy(part, self.base_folder, folder)
        if self.dual.guide is not None:
            _copy("style_network", home() / self.dual.guide, folder)


def _copy(part: str, source: Path, folder: Path) -> None:
    for name in (f"{part}.safetensors", f"{part}.yaml"):
        if (source / name).exists() and source.resolve() != folder.resolve():
            shutil.copyfile(source / name, folder / name)
