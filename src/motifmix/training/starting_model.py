"""The trained model that a denoiser's recipe goes on from: its base alone, or all its networks with their statistics."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motifmix.errors import DataError
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import Card
from motifmix.style.styled_denoiser import StyledDenoiser

BESIDE = ("style_encoder", "text_to_style", "length")


def base_in(folder: Path, recipe: str = "base.yaml") -> tuple[Card, Any, dict[str, Any]]:
    """Load the denoiser that a recipe begins with, as ``load_part`` does; says which recipe makes it where it lacks."""
    if not (folder / "denoiser.yaml").exists():
        raise DataError(f"{folder} has no denoiser to begin with; train recipes/stylemotif/{recipe} first")
    return load_part(folder, "denoiser")


@dataclass(frozen=True)
class StartingModel:
    """Denoiser, style encoder, text-to-style projection and length predictor of ``folder``.

    ``latents`` and ``texts`` are mean and deviation per dimension of what they read: a training that goes on with other
    clips keeps them, or its first batch would look like another language.
    """

    folder: Path
    networks: dict[str, nn.Module]
    latents: tuple[Tensor, Tensor]
    texts: tuple[Tensor, Tensor]
    project: dict[str, Tensor]

    @classmethod
    def read(cls, folder: Path, weights: Path) -> "StartingModel":
        """Read a folder's model. Raises ``DataError`` where it has none, or was made with another VAE than ``weights``."""
        _, denoiser, rest = base_in(folder, "unseen_start.yaml")
        own, other = (_makes_latents(each) for each in (folder, weights))
        if own.keys() != other.keys() or not all(torch.equal(value, other[name]) for name, value in own.items()):
            raise DataError(
                f"the denoiser in {folder} reads the latents of another autoencoder than the one in {weights}; train it again"
            )
        networks = {"denoiser": denoiser, **{part: load_part(folder, part)[1] for part in BESIDE}}
        latents, texts = ((rest[f"{kind}_mean"].float(), rest[f"{kind}_std"].float()) for kind in ("latent", "text"))
        project = {name: rest[f"project_{name}"] for name in ("weight", "bias")}
        return cls(folder, networks, latents, texts, project)

    def hand_over(self, modules: nn.ModuleDict) -> None:
        """Copy all networks into a recipe's own. Raises ``DataError`` where their sizes differ."""
        try:
            for network, state in self._pairs(modules):
                network.load_state_dict(state)
        except RuntimeError as error:
            raise DataError(
                f"the model in {self.folder} has other sizes than this recipe; go on with the sizes of its cards"
            ) from error

    def between(self, modules: nn.ModuleDict, way: float) -> nn.ModuleDict:
        """Return copies of a recipe's networks that went only a share of the ``way`` from this model's to where they are.

        The mean of the weights keeps what few clips taught the starting model and gains what was learned since
        (Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022).
        """
        between = copy.deepcopy(modules)
        with torch.no_grad():
            for network, state in self._pairs(between):
                for name, value in network.state_dict().items():
                    if value.is_floating_point():
                        value.copy_(torch.lerp(state[name].to(value), value, way))
        return between

    def _pairs(self, modules: nn.ModuleDict) -> list[tuple[nn.Module, dict[str, Tensor]]]:
        """Return a recipe's networks, each with what it is called here."""
        styled = modules["denoiser"]
        assert isinstance(styled, StyledDenoiser)
        own = [(modules[part], self.networks[part].state_dict()) for part in BESIDE]
        return [*own, (styled.denoiser, self.networks["denoiser"].state_dict()), (styled.project, self.project)]


def _makes_latents(folder: Path) -> dict[str, Tensor]:
    """Return what of a folder's autoencoder latents depend on: not the decoder, which ``vae_decoder.yaml`` trains on alone."""
    _, network, statistics = load_part(folder, "vae")
    own = {n: v for n, v in network.state_dict().items() if n.startswith(("encoder", "posterior"))}
    return own | {name: value for name, value in statistics.items() if isinstance(value, Tensor)}
