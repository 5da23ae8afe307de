"""Losses of InterGen and in2IN (Liang et al., IJCV 2024, section 4.4; published ``InterLoss``, ``GeometricLoss``).

All compare a predicted clean sample with the true one. The simple term looks at normalised features of every item; the
others at joints in metres, and only where little noise is left (``last_step``), because a guess from noise alone is an
average that has no feet. in2IN's individual network has the simple term alone.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated

import torch
from pydantic import AfterValidator
from torch import Tensor
from torch.nn import functional

from motifmix.diffusion.discrete import DiscreteSchedule
from motifmix.diffusion.predictions import noised
from motifmix.features.interhuman import BLOCKS, CONTACT_HEIGHTS, CONTACT_STEP, JOINTS
from motifmix.motion.skeleton import JOINT_NAMES, LEFT_ANKLE, LEFT_TOE, RIGHT_ANKLE, RIGHT_TOE
from motifmix.quirks import Quirk

STEPS_INTO_PADDING = Quirk(
    "steps_into_padding",
    "velocity and contact losses of InterGen and in2IN count the step from the last real frame into the padding",
)
ORIENTATION_NOT_GATED = Quirk(
    "orientation_not_gated",
    "the relative orientation loss of InterGen and in2IN counts items of any noise as soon as one has little",
)
PUBLISHED_LOSSES = (STEPS_INTO_PADDING, ORIENTATION_NOT_GATED)

EPSILON = 1e-7  # in every masked mean
FEET = (LEFT_ANKLE, LEFT_TOE, RIGHT_ANKLE, RIGHT_TOE)
CHAINS = ((0, 2, 5, 8, 11), (0, 1, 4, 7, 10), (0, 3, 6, 9, 12, 15), (9, 14, 17, 19, 21), (9, 13, 16, 18, 20))
BONES = tuple(pair for chain in CHAINS for pair in pairwise(chain))
_LEFT_HIP, _RIGHT_HIP = JOINT_NAMES.index("left_hip"), JOINT_NAMES.index("right_hip")

WEIGHTS: Mapping[str, float] = {
    "simple": 1.0,
    "velocity": 30.0,
    "foot_contact": 30.0,
    "bone_length": 10.0,
    "distance_map": 3.0,
    "joint_affinity": 3.0,
    "relative_orientation": 0.01,
    "pose": 0.0,
}


def _known(weights: dict[str, float]) -> dict[str, float]:
    if unknown := sorted(set(weights) - set(WEIGHTS)):
        raise ValueError(f"no loss is called {unknown[0]!r}; there are {', '.join(WEIGHTS)}")
    return weights


LossWeights = Annotated[dict[str, float], AfterValidator(_known)]  # of a recipe, for those that are others


@dataclass(frozen=True)
class InteractionLoss:
    """``mean`` and ``std`` [F] of one person's features; thresholds in metres (squared metres a frame for a step)."""

    mean: Tensor
    std: Tensor
    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    last_step: int = 700
    near: float = 1.0
    touching: float = 0.1
    contact_step: float = CONTACT_STEP
    contact_heights: tuple[float, ...] = (*CONTACT_HEIGHTS, *CONTACT_HEIGHTS)
    quirks: Collection[Quirk] = ()

    def __call__(self, prediction: Tensor, target: Tensor, timesteps: Tensor, valid_mask: Tensor) -> dict[str, Tensor]:
        """Compare normalised ``prediction`` and ``target`` [B, T, 2 F] at ``timesteps`` [B]; ``valid_mask`` [B, T].

        Returns weighted terms by name (those of one person end in ``_first`` or ``_second``), their sums a person
        (``first``, ``second``) and over all (``total``).
        """
        guess, truth = (x.unflatten(-1, (2, -1)) for x in (prediction, target))  # [B, T, 2, F]
        own = valid_mask[..., None].expand(guess.shape[:3])
        terms = {"simple": self.weights["simple"] * masked_mean((guess - truth).square().mean(dim=-1), own)}
        gate = (timesteps <= self.last_step).to(guess.dtype)
        predicted, true = self._joints(guess), self._joints(truth)  # [B, T, 2, J, 3]
        for person, name in enumerate(("first", "second")):
            found = self._of_person(predicted[:, :, person], true[:, :, person], gate, valid_mask)
            terms |= {f"{term}_{name}": self.weights[term] * value for term, value in found.items()}
            terms[name] = sum((terms[f"{term}_{name}"] for term in found), torch.zeros_like(terms["simple"]))
        between = self._of_pair(predicted, true, gate, valid_mask)
        terms |= {term: self.weights[term] * value for term, value in between.items()}
        terms["total"] = terms["first"] + terms["second"] + terms["simple"] + sum(terms[name] for name in between)
        return terms

    def of_person(self, prediction: Tensor, target: Tensor, timesteps: Tensor, valid_mask: Tensor) -> dict[str, Tensor]:
        """Compare one person's normalised features [B, T, F]: the simple term and those of a person, weighted.

        InterGen's terms for a model of one person; in2IN's has the simple one alone.
        """
        gate = (timesteps <= self.last_step).to(prediction.dtype)
        terms = {"simple": self.weights["simple"] * simple_loss(prediction, target, valid_mask)}
        found = self._of_person(self._joints(prediction), self._joints(target), gate, valid_mask)
        terms |= {name: self.weights[name] * value for name, value in found.items()}
        return {**terms, "total": torch.stack(list(terms.values())).sum()}

    def _of_person(self, predicted: Tensor, true: Tensor, gate: Tensor, valid: Tensor) -> dict[str, Tensor]:
        """Terms of one person's joints [B, T, J, 3]."""
        steps, true_steps = predicted.diff(dim=1), true.diff(dim=1)
        whole_steps = valid[:, :-1] if STEPS_INTO_PADDING in self.quirks else valid[:, 1:]
        lengths, true_lengths = _bone_lengths(predicted), _bone_lengths(true)
        squared = steps[:, :, FEET].square()  # [B, T - 1, 4, 3]
        low = predicted[:, :-1, FEET, 1] < predicted.new_tensor(self.contact_heights)
        down = (low & (squared.sum(dim=-1) < self.contact_step)).to(predicted.dtype)
        return {
            **self._pose(predicted, true, valid),
            "velocity": gated_mean((steps - true_steps).square().mean(dim=(-1, -2)), whole_steps, gate),
            "bone_length": gated_mean((lengths - true_lengths).square().mean(dim=-1), valid, gate),
            "foot_contact": gated_mean(_mean_over(squared.mean(dim=-1), down), whole_steps, gate),
        }

    def _pose(self, predicted: Tensor, true: Tensor, valid: Tensor) -> dict[str, Tensor]:
        """Ours, for small networks, and only where it weighs something: where joints are as seen from the root.

        Features say where joints are in the world, normalised by some metres, so that the simple term hardly sees a body.
        """
        if not self.weights.get("pose"):
            return {}
        error = (predicted - predicted[:, :, :1]) - (true - true[:, :, :1])
        return {"pose": masked_mean(error.square().mean(dim=(-1, -2)), valid)}

    def _of_pair(self, predicted: Tensor, true: Tensor, gate: Tensor, valid: Tensor) -> dict[str, Tensor]:
        """Terms between two people's joints [B, T, 2, J, 3]."""
        distances, true_distances = _distances(predicted), _distances(true)  # [B, T, J J]
        near, touching = (distances < self.near).to(gate.dtype), (true_distances < self.touching).to(gate.dtype)
        turned = (_between_people(predicted, valid) - _between_people(true, valid)).square().mean(dim=-1)
        if ORIENTATION_NOT_GATED in self.quirks:
            orientation = masked_mean(turned, valid) * (gate.sum() / (gate.sum() + EPSILON))
        else:
            orientation = gated_mean(turned, valid, gate)
        return {
            "distance_map": gated_mean(_mean_over((distances - true_distances).square(), near), valid, gate),
            "joint_affinity": gated_mean(_mean_over(distances.square(), touching), valid, gate),
            "relative_orientation": orientation,
        }

    def _joints(self, features: Tensor) -> Tensor:
        part = BLOCKS["joint_positions"]
        return (features[..., part] * self.std[part] + self.mean[part]).unflatten(-1, (JOINTS, 3))


def simple_loss(prediction: Tensor, target: Tensor, valid_mask: Tensor) -> Tensor:
    """The individual network's only term: mean squared error of the features [B, T, F] over all real frames [B, T]."""
    return masked_mean((prediction - target).square().mean(dim=-1), valid_mask)


def training_losses(
    predict: Callable[[Tensor], Tensor],
    loss: Callable[[Tensor, Tensor], dict[str, Tensor]],
    clean: Tensor,
    noise: Tensor,
    timesteps: Tensor,
    schedule: DiscreteSchedule,
) -> tuple[dict[str, Tensor], Tensor]:
    """One training step: noise the normalised ``clean`` [B, T, D] at ``timesteps`` [B] (indices of the schedule), ask
    the network (``predict``) and compare (``loss`` of prediction and clean). Returns the terms and the noisy sample.
    """
    alphas, sigmas = (torch.as_tensor(table, dtype=clean.dtype, device=clean.device)[timesteps]
                      for table in (schedule.alphas, schedule.sigmas))  # fmt: skip
    each = (-1, *[1] * (clean.dim() - 1))
    noisy = noised(clean, noise, alphas.view(each), sigmas.view(each))
    return loss(predict(noisy), clean), noisy


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``values`` where ``mask`` is True (same shape), over everything."""
    return torch.where(mask, values, 0.0).sum() / (mask.sum() + EPSILON)


def gated_mean(values: Tensor, mask: Tensor, gate: Tensor) -> Tensor:
    """Mean over real frames of each item (both [B, T]), then over the items whose ``gate`` [B] is 1."""
    each = torch.where(mask, values, 0.0).sum(dim=1) / (mask.sum(dim=1) + EPSILON)
    return (gate * each).sum() / (gate.sum() + EPSILON)


def _mean_over(values: Tensor, chosen: Tensor) -> Tensor:
    return (values * chosen).sum(dim=-1) / (chosen.sum(dim=-1) + EPSILON)


def _bone_lengths(joints: Tensor) -> Tensor:
    """Joints [..., J, 3] to lengths [..., 21]."""
    start, end = (list(column) for column in zip(*BONES, strict=True))
    return (joints[..., end, :] - joints[..., start, :]).norm(dim=-1)


def _distances(joints: Tensor) -> Tensor:
    """Joints of two people [B, T, 2, J, 3] to the distances between every two, [B, T, J J]."""
    first, second = joints.unbind(2)
    return (first[..., :, None, :] - second[..., None, :, :]).norm(dim=-1).flatten(2)


def _between_people(joints: Tensor, valid: Tensor) -> Tensor:
    """The turn from the first person's heading to the second's, [B, T, 2]: w and y of its quaternion.

    Padded frames have no heading to divide by, so a fixed one stands in for them.
    """
    across = joints[..., _RIGHT_HIP, :] - joints[..., _LEFT_HIP, :]  # [B, T, 2, 3]
    across = torch.where(valid[..., None, None], across, across.new_tensor([-1.0, 0.0, 0.0]))
    across = functional.normalize(across, dim=-1)
    # (0, 1, 0) x across, without its y of zero
    ahead = functional.normalize(torch.stack([across[..., 2], -across[..., 0]], dim=-1), dim=-1)  # x, z
    first, second = ahead.unbind(2)
    w = first.norm(dim=-1) * second.norm(dim=-1) + (first * second).sum(dim=-1)
    y = first[..., 1] * second[..., 0] - first[..., 0] * second[..., 1]
    return functional.normalize(torch.stack([w, y], dim=-1), dim=-1)
