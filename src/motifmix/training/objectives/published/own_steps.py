"""Models of a mixture in training: frozen, and asked at each item's own diffusion step instead of one for the batch."""

from collections.abc import Collection, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Denoiser
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.mix.ingredients import Ingredient, PersonModel, Scaling, SceneModel
from motifmix.quirks import Quirk

_NOBODYS = NoiseLevel(1.0, 0.0, 0.0)  # a mixture hands a level down, which those who have steps of their own ignore


class StepsOfItems(Protocol):
    """A network that can be asked at a step for each item."""

    def denoise_at(self, timesteps: Tensor, noisy: Tensor, condition: Condition, valid: Tensor) -> Tensor:
        """Estimate ``noisy`` [B, T, F] at ``timesteps`` [B]."""
        ...


def ingredients_at(
    timesteps: Tensor,
    scene: tuple[str, nn.Module, Scaling],
    people: Sequence[tuple[str, nn.Module, Scaling]],
    quirks: Collection[Quirk] = (),
) -> tuple[SceneModel, list[PersonModel]]:
    """Return a model of scenes and models of one person (name, network, scaling), asked at ``timesteps`` [B]."""
    anchor = SceneModel(scene[0], _asked_at(timesteps, scene[1]), scene[2])
    others = [
        PersonModel(name, _asked_at(timesteps, network), scaling, quirks=quirks) for name, network, scaling in people
    ]
    return anchor, others


@torch.no_grad()
def predictions(
    models: Sequence[Ingredient], states: Sequence[Tensor], condition: Condition, valid: Tensor
) -> list[Tensor]:
    """Ask all models of :func:`ingredients_at`; returns [B, P, T, 262] a model, not normalised."""
    return [model.estimate(state, _NOBODYS, condition, valid) for model, state in zip(models, states, strict=True)]


def _asked_at(timesteps: Tensor, network: nn.Module) -> Denoiser:
    def denoise(noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        known: StepsOfItems = network  # pyright: ignore[reportAssignmentType]
        steps = timesteps.repeat_interleave(len(noisy) // len(timesteps))  # people are neighbours in the batch
        return known.denoise_at(steps, noisy, condition, valid).float()

    return denoise
