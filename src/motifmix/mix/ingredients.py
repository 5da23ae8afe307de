"""What is mixed: a denoiser in a space of its own, which gives clean motions in the shared space and takes them back.

The shared space is InterHuman's 262 features in metres, ``[batch, persons, frames, 262]``, people where they stand. An
ingredient's state may look as it likes; anything with ``estimate`` and ``project`` is one, so a model of another
representation or frame rate brings its own conversion. The two here have the shared features, normalised in their way:
their states are ``[batch, persons, frames, 262]`` too.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from motifmix.diffusion.chains import Chain
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Denoiser
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.features.space import Normaliser
from motifmix.mix.placement import center
from motifmix.quirks import Quirk

PERSONAL = "individual_"  # how the names of parts begin that have an axis of people


class Ingredient(Chain, Protocol):
    """A model as a mixture sees it."""

    def start(self, noise: Tensor) -> Tensor:
        """Return the state from which its chain begins, where the shared one would from ``noise`` [B, P, T, 262]."""
        ...

    def estimate(self, state: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return the clean motion in the shared space, [B, P, T, 262]; ``valid`` [B, T]."""
        ...


class Scaling(nn.Module):
    """A normaliser that moves with the network: ``mean`` and ``std`` [D]."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    @classmethod
    def of(cls, normaliser: Normaliser) -> "Scaling":
        """Return the same as tensors."""
        return cls(torch.from_numpy(normaliser.mean).float(), torch.from_numpy(normaliser.std).float())

    def normalise(self, features: Tensor) -> Tensor:
        """Shift and scale [..., D]."""
        return (features - self.mean) / self.std

    def restore(self, features: Tensor) -> Tensor:
        """Undo :meth:`normalise`."""
        return torch.addcmul(self.mean, features, self.std)


@dataclass(frozen=True)
class SceneModel:
    """A model of all people at once, side by side on its last axis; ``name`` also picks what it is told."""

    name: str
    denoiser: Denoiser
    scaling: Scaling

    def start(self, noise: Tensor) -> Tensor:
        """Begin from the noise itself."""
        return noise

    def estimate(self, state: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return [B, P, T, F] of ``state`` [B, P, T, F]."""
        noisy = state.transpose(1, 2).flatten(2)  # [B, T, P F]
        clean = self.denoiser(noisy, level, scoped(condition, self.name), valid)
        return self.scaling.restore(clean.unflatten(-1, (state.shape[1], -1)).transpose(1, 2))

    def project(self, clean: Tensor, valid: Tensor) -> Tensor:
        """Normalise; people stay where they stand."""
        return self.scaling.normalise(clean)


@dataclass(frozen=True)
class PersonModel:
    """A model of one person, asked for each, all in one batch; it knows people at the canonical start only.

    It is told each person's own parts of the condition (see :func:`each_person`). ``centred`` off leaves people where
    they stand.
    """

    name: str
    denoiser: Denoiser
    scaling: Scaling
    centred: bool = True
    quirks: Collection[Quirk] = ()

    def start(self, noise: Tensor) -> Tensor:
        """Begin from the noise itself."""
        return noise

    def estimate(self, state: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return [B, P, T, F] of ``state`` [B, P, T, F], each person where the model sees it."""
        people = state.shape[1]
        told = each_person(scoped(condition, self.name), people)
        clean = self.denoiser(state.flatten(0, 1), level, told, valid.repeat_interleave(people, dim=0))
        return self.scaling.restore(clean.unflatten(0, (-1, people)))

    def project(self, clean: Tensor, valid: Tensor) -> Tensor:
        """Put each person at the canonical start, and normalise."""
        placed = center(clean, valid[:, None], self.quirks) if self.centred else clean
        return self.scaling.normalise(placed)


@dataclass(frozen=True)
class EachPerson:
    """A denoiser of scenes [B, T, P F] made of a denoiser of one person: everybody by himself, in the scene's space.

    What :class:`PersonModel` is to a mixture this is to the compositions of one chain (``blended.py``).
    """

    denoiser: Denoiser
    people: int = 2

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return [B, T, P F]."""
        alone = noisy.unflatten(-1, (self.people, -1)).transpose(1, 2).flatten(0, 1)
        told = each_person(condition, self.people)
        clean = self.denoiser(alone, level, told, valid.repeat_interleave(self.people, dim=0))
        return clean.unflatten(0, (-1, self.people)).transpose(1, 2).flatten(2)


@dataclass(frozen=True)
class Told:
    """A denoiser that is told what :func:`scoped` picks for ``name``."""

    name: str
    denoiser: Denoiser

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return its estimate."""
        return self.denoiser(noisy, level, scoped(condition, self.name), valid)


def scene_told(text: Tensor, individual_text: Tensor, present: Tensor | None = None) -> Condition:
    """What scenes are told: ``text`` [B, D] and each person's [B, P, D], to those ``present`` [B], or to all."""
    if present is None:
        present = torch.ones(len(text), dtype=torch.bool, device=text.device)
    return Condition({"text": Part(text, present), f"{PERSONAL}text": Part(individual_text, present)})


def scoped(condition: Condition, name: str) -> Condition:
    """What somebody called ``name`` is told: parts that everybody is told, and ``<name>.<part>`` as ``<part>``.

    Models with text encoders of their own read their own encodings; where both stand, the own one counts.
    """
    prefix = f"{name}."
    shared = {key: part for key, part in condition.parts.items() if "." not in key}
    own = {key[len(prefix) :]: part for key, part in condition.parts.items() if key.startswith(prefix)}
    return Condition({**shared, **own})


def each_person(condition: Condition, people: int) -> Condition:
    """What each person is told of a scene's condition, people one after the other in the batch.

    Parts ``individual_<part>`` [B, P, ...], present [B] or [B, P], become ``<part>`` [B P, ...]; others are about the
    scene, and nobody's. Raises ``ValueError`` for a part of another number of people.
    """
    parts = {}
    for name, part in condition.parts.items():
        if not name.startswith(PERSONAL):
            continue
        if part.value.ndim < 2 or part.value.shape[1] != people:
            raise ValueError(f"the part {name!r} has shape {list(part.value.shape)}, not [batch, {people} people, ...]")
        present = part.present if part.present.ndim == 2 else part.present[:, None].expand(-1, people)
        parts[name.removeprefix(PERSONAL)] = Part(part.value.flatten(0, 1), present.flatten())
    return Condition(parts)
