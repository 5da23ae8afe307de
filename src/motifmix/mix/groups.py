"""Three people and more from a model of two: it is asked for everybody who interacts, two by two, and people agree.

Each pair is a scene of its own, as the model of two knows them: its own chain, its own frame. What one person does in one
pair is mixed with what the models of one person say about him, as for two people, and the mixtures of all his pairs are
averaged: so his clean motion is a mixture of all that any model says about him, with weights that add up to 1. He has one
motion then, and every pair goes on from it, on the path where the pair has him. Where all of them stand in one world is
found in the end (``motion/arrangement.py``): no model is shown a place that it would not choose.

    group = Group(mixed, pairs=((0, 1), (0, 2)), people=3)
    steps = sample_chains(GuidedChains(group, terms), group.chains, levels, group.states(noise), condition, valid)
    people, places = agreed(steps[-1].clean, group.pairs, 3, valid)

Of two people this is the mixture that it is made of. Not in the paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motifmix.diffusion.chains import Estimate
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.mix.ingredients import PERSONAL, Ingredient, SceneModel
from motifmix.mix.mixed import Mixed
from motifmix.mix.placement import align, center, orthonormal, path_turn
from motifmix.mix.schedules import original_step

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Group:
    """A ``ChainDenoiser`` of ``people`` of whom ``pairs`` interact.

    ``mixture``: a mixture of two people, or the model of two alone. The shared clean motion is [B, E, 2, T, 262], pair
    by pair. Raises ``ValueError`` for a pair that cannot be, or somebody who is in none.
    """

    mixture: Mixed | SceneModel
    pairs: Pairs
    people: int

    def __post_init__(self) -> None:
        for first, second in self.pairs:
            if first == second or not all(0 <= person < self.people for person in (first, second)):
                raise ValueError(f"{self.people} people have no pair ({first}, {second})")
        if {person for pair in self.pairs for person in pair} != set(range(self.people)):
            raise ValueError(f"somebody of {self.people} people is in none of the pairs {self.pairs}")

    @property
    def models(self) -> tuple[Ingredient, ...]:
        """All models, the anchor first."""
        return self.mixture.chains if isinstance(self.mixture, Mixed) else (self.mixture,)

    @property
    def chains(self) -> "tuple[GroupChain, ...]":
        """One chain a model: of two people pair by pair, of one person by person."""
        return tuple(GroupChain(model, self.pairs, self.people) for model in self.models)

    def states(self, noise: Tensor) -> list[Tensor]:
        """Noise [B, P, T, F], a person's own everywhere, as the states of all chains."""
        return [
            noise[:, torch.tensor(self.pairs)] if chain.in_pairs else chain.model.start(noise) for chain in self.chains
        ]

    def __call__(self, states: Sequence[Tensor], level: NoiseLevel, condition: Condition, valid: Tensor) -> Estimate:
        """Estimate the mixed clean motion of every pair, [B, E, 2, T, 262].

        Traces: ``mixing_weights`` [B, K - 1, P, T or 1, 23 or 1], the mean over each person's pairs, if mixed.
        """
        count = len(self.pairs)
        told, real = of_pairs(condition, self.pairs), valid.repeat_interleave(count, dim=0)
        predictions = []
        for chain, state in zip(self.chains, states, strict=True):
            if chain.in_pairs:
                predictions.append(chain.model.estimate(state.flatten(0, 1), level, told, real))
            else:
                alone = chain.model.estimate(state, level, condition, valid)  # each person once, whatever his pairs
                predictions.append(alone[:, torch.tensor(self.pairs)].flatten(0, 1))
        if not isinstance(self.mixture, Mixed):
            return Estimate(orthonormal(predictions[0]).unflatten(0, (-1, count)))
        timesteps = torch.full((len(real),), original_step(level), device=valid.device)
        mixture = self.mixture.mix(predictions[0], predictions[1:], timesteps, told, real)
        by_pair = mixture.weights.unflatten(0, (-1, count))  # [B, E, K - 1, 2, T or 1, 23 or 1]
        own = [torch.stack([by_pair[:, pair, :, side] for pair, side in self.roles(person)]).mean(dim=0)
               for person in range(self.people)]  # fmt: skip
        return Estimate(mixture.clean.unflatten(0, (-1, count)), {"mixing_weights": torch.stack(own, dim=2)})

    def roles(self, person: int) -> list[tuple[int, int]]:
        """In which pairs somebody is, and which of the two he is there."""
        return roles(self.pairs, person)


@dataclass(frozen=True)
class GroupChain:
    """The chain of one ``model``: [B, E, 2, T, F] of a model of two people, [B, P, ...] of a model of one."""

    model: Ingredient
    pairs: Pairs
    people: int

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.name

    @property
    def in_pairs(self) -> bool:
        """Whether the model sees people two by two."""
        return isinstance(self.model, SceneModel)

    def project(self, clean: Tensor, valid: Tensor) -> Tensor:
        """What all agree on of ``clean`` [B, E, 2, T, 262], in the model's own space."""
        together = agreed(clean, self.pairs, self.people, valid)
        if not self.in_pairs:
            return self.model.project(together, valid)
        placed = align(together[:, torch.tensor(self.pairs)], clean, valid[:, None, None])
        # Who is in one pair only stays as it has him, to the bit: two people are mixed as ever.
        several = [[len(roles(self.pairs, person)) > 1 for person in pair] for pair in self.pairs]
        placed = torch.where(torch.tensor(several)[:, :, None, None], placed, clean)
        real = valid.repeat_interleave(len(self.pairs), dim=0)
        return self.model.project(placed.flatten(0, 1), real).unflatten(0, (-1, len(self.pairs)))


def roles(pairs: Pairs, person: int) -> list[tuple[int, int]]:
    """In which of ``pairs`` a person is, and which of the two he is there."""
    return [(number, side) for number, pair in enumerate(pairs) for side in (0, 1) if pair[side] == person]


def agreed(clean: Tensor, pairs: Pairs, people: int, valid: Tensor) -> Tensor:
    """One motion a person, [B, P, T, 262] at the canonical start: the mean of what he does in all his pairs.

    ``clean`` [B, E, 2, T, 262]. They are put on the path that he has in the first of them, so that the mean is one of
    motions and not of places.
    """
    result = []
    for person in range(people):
        (pair, side), *others = roles(pairs, person)
        own = center(clean[:, pair, side], valid)
        put = [align(clean[:, number, place], own, valid) for number, place in others]
        result.append(center(torch.stack([own, *put]).mean(dim=0), valid) if put else own)
    return torch.stack(result, dim=1)


def places(together: Tensor, clean: Tensor, pairs: Pairs, valid: Tensor) -> Tensor:
    """Where pairs have each of the two, [B, E, 2, 3]: x, z of his root in frame 0 in metres, and by what yaw he is turned
    from how :func:`agreed` has him.
    """
    turn = path_turn(together[:, torch.tensor(pairs)], clean, valid[:, None, None])
    yaw = 2 * torch.atan2(turn[..., 1], turn[..., 3])
    return torch.stack([clean[..., 0, 0], clean[..., 0, 2], yaw], dim=-1)


def of_pairs(condition: Condition, pairs: Pairs) -> Condition:
    """What each pair is told of a scene's condition, the pairs of a scene one after the other in the batch.

    Parts of people, [B, P, ...], become those of the two, [B E, 2, ...]; all others are every pair's.
    """
    index = torch.tensor(pairs)

    def spread(values: Tensor, personal: bool) -> Tensor:
        return values[:, index].flatten(0, 1) if personal else values.repeat_interleave(len(pairs), dim=0)

    parts = {}
    for name, part in condition.parts.items():
        personal = name.rpartition(".")[2].startswith(PERSONAL)
        parts[name] = Part(spread(part.value, personal), spread(part.present, personal and part.present.ndim == 2))
    return Condition(parts)
