"""Mixing weights: from a Mixer's logits to shares that add up, from joints to features, read or overridden.

Everywhere ``[batch, others, persons, frames or 1, parts or 1]``: the share of each model but the anchor, which has what
is left. Parts are the 22 joints and, last, the foot contacts.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition
from motifmix.features.interhuman import BLOCKS, JOINTS
from motifmix.mix.ingredients import scoped
from motifmix.mix.schedules import Share
from motifmix.models.intergen import zeroed_part
from motifmix.models.mixer import Mixer
from motifmix.quirks import Quirk

SHIFTED_ROTATION_WEIGHTS = Quirk(
    "shifted_rotation_weights",
    "the rotation of joint j + 1 is mixed with the weight of joint j, so that joint 21's drives none; published Mixers "
    "with spatial weights were trained so",
)

PARTS = JOINTS + 1


class Weigher(Protocol):
    """Gives the logits of models against an anchor."""

    def __call__(
        self, others: Tensor, anchor: Tensor, timesteps: Tensor, condition: Condition, valid: Tensor
    ) -> Tensor:
        """``others`` [B, K - 1, P, T, F], ``anchor`` [B, P, T, F], ``timesteps`` [B], ``valid`` [B, T] to logits."""
        ...


class Override(Protocol):
    """Puts other weights in place of the learned ones."""

    def __call__(self, learned: Tensor | None, timesteps: Tensor) -> Tensor:
        """``learned`` as above, None where nothing was learned; ``timesteps`` [B]; must broadcast to weights."""
        ...


@dataclass(frozen=True)
class LearnedWeights:
    """A :class:`~motifmix.models.mixer.Mixer` asked for each person and each model, all in one batch.

    It is told ``text`` [B, text] and ``individual_text`` [B, P, text]; ``name`` picks its own encodings of them.
    """

    mixer: Mixer
    name: str = "mixer"

    def __call__(
        self, others: Tensor, anchor: Tensor, timesteps: Tensor, condition: Condition, valid: Tensor
    ) -> Tensor:
        """Return logits [B, K - 1, P, T or 1, parts or 1]."""
        own = scoped(condition, self.name)
        shared_text, own_text = zeroed_part(own, "text"), zeroed_part(own, "individual_text")
        shape = others.shape[:3]  # [B, K - 1, P]

        def spread(value: Tensor, axes: tuple[int, ...]) -> Tensor:
            """Repeat what misses the given axes of ``shape`` and make one batch of all."""
            for axis in axes:
                value = value.unsqueeze(axis)
            return value.expand(*shape, *value.shape[3:]).flatten(0, 2)

        logits = self.mixer(
            others.flatten(0, 2),
            spread(anchor, (1,)),
            spread(timesteps, (1, 2)),
            spread(own_text, (1,)),
            spread(shared_text, (1, 2)),
            spread(valid, (1, 2)),
        )
        return logits.unflatten(0, shape)


@dataclass(frozen=True)
class WholePeople:
    """One logit for all frames and joints of a person, the mean of what ``weigh`` says.

    For models of unlike features: whose joints follow several models is no body, and no conversion makes one of him.
    """

    weigh: Weigher

    def __call__(
        self, others: Tensor, anchor: Tensor, timesteps: Tensor, condition: Condition, valid: Tensor
    ) -> Tensor:
        """Return logits [B, K - 1, P, 1, 1]."""
        logits = self.weigh(others, anchor, timesteps, condition, valid)
        if logits.shape[-2] > 1:
            logits = (logits * valid[:, None, None, :, None]).sum(-2, keepdim=True) / valid.sum(1)[
                :, None, None, None, None
            ]
        return logits.mean(dim=-1, keepdim=True)


@dataclass(frozen=True)
class Forced:
    """The same share for each model but the anchor, by a schedule of the step; constant or DualMDM's, for instance."""

    share: Share

    def __call__(self, learned: Tensor | None, timesteps: Tensor) -> Tensor:
        """Return weights [B, 1, 1, 1, 1]."""
        given = [self.share(step) for step in timesteps.tolist()]
        return torch.tensor(given, device=timesteps.device).view(-1, 1, 1, 1, 1)


@dataclass(frozen=True)
class Divided:
    """A schedule for any number of models: ``share`` says how much the models of one person have, the rest is theirs of two.

    Those of a kind have equal parts of it, the anchor, a model of two, among its own. ``in_pairs``: for each model but the
    anchor, whether it is one of two. For two models of either kind this is :class:`Forced`. Raises ``ValueError`` where no
    model of one person is among them.
    """

    share: Share
    in_pairs: tuple[bool, ...]

    def __post_init__(self) -> None:
        if all(self.in_pairs):
            raise ValueError("a schedule between models of one person and of two needs one of each")

    def __call__(self, learned: Tensor | None, timesteps: Tensor) -> Tensor:
        """Return weights [B, K - 1, 1, 1, 1]."""
        given = torch.tensor([self.share(step) for step in timesteps.tolist()], device=timesteps.device)
        scenes = 1 + sum(self.in_pairs)
        alone = given / (1 + len(self.in_pairs) - scenes)
        own = [(1.0 - given) / scenes if pair else alone for pair in self.in_pairs]
        return torch.stack(own, dim=1)[:, :, None, None, None]


def shares(logits: Tensor) -> Tensor:
    """Logits of the models but the anchor, [B, K - 1, ...], to shares: softmax with the anchor at 0.

    For two models this is the published sigmoid.
    """
    if logits.shape[1] == 1:
        return logits.sigmoid()
    return torch.cat([torch.zeros_like(logits[:, :1]), logits], dim=1).softmax(dim=1)[:, 1:]


def over_features(weights: Tensor, quirks: Collection[Quirk] = ()) -> Tensor:
    """Weights of parts [..., 23] (or of all, [..., 1]) to weights of InterHuman's 262 features, [..., 262].

    A joint's weight holds for its position, velocity and rotation; the pelvis has no rotation there.
    """
    if weights.shape[-1] == 1:
        return weights.expand(*weights.shape[:-1], BLOCKS["foot_contacts"].stop)
    first = 0 if SHIFTED_ROTATION_WEIGHTS in quirks else 1
    vectors = [joint for joint in range(JOINTS) for _ in range(3)]
    rotations = [joint for joint in range(first, first + JOINTS - 1) for _ in range(6)]
    index = torch.tensor([*vectors, *vectors, *rotations, *[JOINTS] * 4], device=weights.device)
    return weights[..., index]
