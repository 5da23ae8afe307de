"""Contact and collision guidance: at some of the last steps the clean people are brought apart before the sampler goes on.

What is inside each other is decided on the mannequin, as people will see it: the features are decoded, capsules as thick as
its mesh are brought apart (``motion/keeping_apart.py``), and what moved there moves the joint positions here, and the
velocities with them. Rotations stay: decoding reads from them how bones turn about themselves, and positions decide
where bones point. The denoiser sees the new positions at its next step and makes a motion of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from motifmix.diffusion.chains import ChainDenoiser, Estimate
from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Denoiser
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.drawing.mannequin_capsules import mesh_radii
from motifmix.features.interhuman import BLOCKS, JOINTS, InterHumanSpace, joint_positions
from motifmix.mix.ingredients import Scaling
from motifmix.motion.keeping_apart import LIMBS, Apart, brought_apart, points_of
from motifmix.motion.retargeting import leg_length
from motifmix.motion.skeleton import MOTIFMIX

# Chosen on validation prompts by `benchmarks/collisions.py --choose`.
ROUNDS, BEGIN, AIR = 3, 0.7, -0.02
REACH = 0.8  # m between joints: from no joint does a body reach further to where somebody else's begins
_LEGS = ((1, 4, 7), (2, 5, 8))


@dataclass(frozen=True)
class CollisionGuidance:
    """Brings clean people apart at ``rounds`` steps, equally far apart from time ``begin`` (1 = noise) to the last one.

    ``air``: metres that shall be between capsules; less than 0 lets them in by so much. ``times``: those of the chosen
    steps; None: whenever it is asked.
    """

    rounds: int = ROUNDS
    begin: float = BEGIN
    air: float = AIR
    times: frozenset[float] | None = None

    def along(self, levels: Sequence[NoiseLevel]) -> "CollisionGuidance":
        """Choose the steps of a sampling from the first of ``levels`` to the last."""
        late = [level.time for level in levels[:-1] if level.time <= self.begin] or [levels[-2].time]
        spaced = np.linspace(len(late) - 1, 0, self.rounds).round().astype(int)
        return replace(self, times=frozenset(late[int(number)] for number in spaced))

    def __call__(self, clean: Tensor, level: NoiseLevel, valid: Tensor) -> Tensor:
        """Return people [B, P, T, 262] in metres, where they stand; ``valid`` [B, T].

        What it was given itself, bit for bit, at other steps and where nobody is inside anybody.
        """
        if self.times is not None and level.time not in self.times:
            return clean
        return self.apart(clean, valid)

    def apart(self, clean: Tensor, valid: Tensor) -> Tensor:
        """Do it at once; see :meth:`__call__`."""
        result = clean
        for number, frames in enumerate(valid.sum(dim=1).tolist()):
            people = clean[number, :, :frames].detach().double().cpu().numpy()
            changes = _changes(people, self.air)
            if changes is not None:
                result = result.clone() if result is clean else result
                result[number, :, :frames] += torch.from_numpy(changes).to(result)
        return result


@dataclass(frozen=True)
class SceneKeptApart:
    """A denoiser of scenes, side by side on the last axis and normalised by ``scaling``, with the guidance after it."""

    denoiser: Denoiser
    guidance: CollisionGuidance
    scaling: Scaling
    people: int = 2

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return [B, T, P F]."""
        clean = self.denoiser(noisy, level, condition, valid)
        people = self.scaling.restore(clean.unflatten(-1, (self.people, -1)).transpose(1, 2))
        apart = self.guidance(people, level, valid)
        if apart is people:
            return clean
        moved = self.scaling.normalise(apart).transpose(1, 2).flatten(2)
        same = (apart == people).flatten(1).all(dim=1)
        return torch.where(same[:, None, None], clean, moved)


@dataclass(frozen=True)
class MixtureKeptApart:
    """A denoiser of chains whose clean motion is the shared one, [B, ..., P, T, 262], with the guidance after it.

    Of a group (``groups.py``) each pair is brought apart in its own frame, [B, E, 2, T, 262].
    """

    denoiser: ChainDenoiser
    guidance: CollisionGuidance

    def __call__(self, states: Sequence[Tensor], level: NoiseLevel, condition: Condition, valid: Tensor) -> Estimate:
        """Return the estimate, its traces untouched."""
        estimate = self.denoiser(states, level, condition, valid)
        scenes = estimate.clean.flatten(0, -4)
        apart = self.guidance(scenes, level, valid.repeat_interleave(len(scenes) // len(valid), dim=0))
        return estimate if apart is scenes else replace(estimate, clean=apart.view_as(estimate.clean))


def _changes(people: np.ndarray, air: float) -> np.ndarray | None:
    """What to add to people [P, T, 262] so that they are apart; None where they are."""
    if not np.isfinite(people).all():
        return None
    joints = joint_positions(people)
    scales = [_scale(own) for own in joints]
    if not _near([scale * own for scale, own in zip(scales, joints, strict=True)]):
        return None
    points = [points_of(InterHumanSpace().decode(own)) for own in people]
    apart = brought_apart(points, mesh_radii(), air)
    if apart is None:
        return None
    changes = np.zeros_like(people)
    for change, own, before, new, scale in zip(changes, joints, points, apart, scales, strict=True):
        moves = _moves(own, before, new, scale)
        change[:, BLOCKS["joint_positions"]] = moves.reshape(len(moves), -1)
        steps = np.diff(moves, axis=0, append=moves[-1:])
        change[:, BLOCKS["joint_velocities"]] = steps.reshape(len(moves), -1)
    return changes


def _scale(joints: np.ndarray) -> float:
    """How much larger the mannequin is than a body [T, 22, 3], as decoding scales its path: by the length of its legs."""
    bones = [(hip, knee) for hip, knee, _ in _LEGS] + [(knee, ankle) for _, knee, ankle in _LEGS]
    lengths = [np.median(np.linalg.norm(joints[:, b] - joints[:, a], axis=-1)) for a, b in bones]
    return leg_length(MOTIFMIX) / max(0.5 * float(np.sum(lengths)), 1e-6)


def _near(people: Sequence[np.ndarray]) -> bool:
    """Tell whether anybody comes so near to somebody that bodies could meet; people are joints [T, 22, 3]."""
    for first in range(len(people)):
        for second in range(first + 1, len(people)):
            one, other = people[first], people[second]
            pelvis = np.linalg.norm((one[:, 0] - other[:, 0])[:, [0, 2]], axis=-1)
            close = pelvis < 2.6
            if close.any():
                way = one[close][:, :, None] - other[close][:, None]
                if (way**2).sum(axis=-1).min() < REACH**2:
                    return True
    return False


def _moves(joints: np.ndarray, before: np.ndarray, new: Apart, scale: float) -> np.ndarray:
    """How far joints of the features [T, 22, 3] must move so that the decoded body does what ``new`` says.

    Decoding carries paths by ``scale``, and turns bones as they point here whatever their length.
    """
    moves = np.repeat(new.shift[:, None] / scale, JOINTS, axis=1)
    if not new.bent:
        return moves
    for first, middle, last, carried in LIMBS:
        for start, end in ((first, middle), (middle, last)):
            bone = joints[:, end] - joints[:, start]
            length = np.linalg.norm(bone, axis=-1, keepdims=True)
            turned = _unit(new.points[:, end] - new.points[:, start]) - _unit(before[:, end] - before[:, start])
            goal = length * _unit(bone + length * turned)
            moved = (turned != 0).any(axis=-1, keepdims=True)
            moves[:, end] = moves[:, start] + np.where(moved, goal - bone, 0.0)
        for point in carried:
            if point < JOINTS:
                moves[:, point] = moves[:, last]
    return moves


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
