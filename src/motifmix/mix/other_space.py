"""A model of one person in a mixture whose features, or frame rate, are others than the shared ones.

Its chain lives in its own space and on its own clock; noise is never converted. Clean motions are, through a
:class:`~motifmix.motion.Motion`: what it predicts is decoded, brought to 30 frames a second and encoded in the shared 262
features, and the mixture goes the other way. So HumanML3D's 263 numbers at 20 frames a second can be mixed with InterHuman's
262 at 30. What a space does not hold (of HumanML3D's turns of bones about themselves) is lost at each step, for this model
alone. No gradient flows through a conversion.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Denoiser
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.features.interhuman import InterHumanSpace
from motifmix.features.space import FeatureSpace
from motifmix.mix.ingredients import Scaling, each_person, scoped
from motifmix.motion import Motion

FARTHEST = 5.0


@dataclass(frozen=True)
class OtherSpaceModel:
    """An ingredient: a ``denoiser`` of one person in ``space``, with the ``scaling`` of its features.

    Its states are [B, P, T', F'], as :meth:`start` makes them. A mixture whose joints follow several models is no body, and what a
    conversion makes of it (a turn by half a circle in one frame) can lie anywhere; further than ``farthest`` deviations from
    the mean it is taken for that far, or each step would drive the next one further.
    """

    name: str
    denoiser: Denoiser
    scaling: Scaling
    space: FeatureSpace
    shared: FeatureSpace = field(default_factory=InterHumanSpace)
    farthest: float = FARTHEST

    def frames(self, shared_frames: int) -> int:
        """How many of its own frames last as long as so many of the shared clock."""
        return max(2, round(shared_frames * self.space.fps / self.shared.fps))

    def start(self, noise: Tensor) -> Tensor:
        """Draw a state [B, P, T', F'] for a mixture whose shared noise is [B, P, T, 262].

        Each scene's is drawn by what its own noise begins with, so that it is the same alone as in a batch.
        """
        people, frames = noise.shape[1:3]
        seeds = noise[:, 0, 0, 0].float().contiguous().view(torch.int32).tolist()
        drawn = [
            torch.randn(people, self.frames(frames), self.space.dim, generator=torch.Generator().manual_seed(seed))
            for seed in seeds
        ]
        return torch.stack(drawn).to(noise)

    def estimate(self, state: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return [B, P, T, 262] of ``state`` [B, P, T', F'], each person where the model sees it."""
        people = state.shape[1]
        own = self._valid(valid, state.shape[2])
        told = each_person(scoped(condition, self.name), people)
        clean = self.denoiser(state.flatten(0, 1), level, told, own.repeat_interleave(people, dim=0))
        features = self.scaling.restore(clean).unflatten(0, (-1, people))
        return _converted(self.space, self.shared, features, own.sum(1), valid)

    def project(self, clean: Tensor, valid: Tensor) -> Tensor:
        """Return the shared ``clean`` motion [B, P, T, 262] as [B, P, T', F'], normalised."""
        own = self._valid(valid, self.frames(clean.shape[2]))
        features = _converted(self.shared, self.space, clean, valid.sum(1), own)
        near = self.scaling.normalise(features).clamp(-self.farthest, self.farthest)
        return near * own[:, None, :, None]

    def _valid(self, valid: Tensor, frames: int) -> Tensor:
        lengths = [min(frames, self.frames(int(length))) for length in valid.sum(1)]
        return torch.arange(frames, device=valid.device) < torch.tensor(lengths, device=valid.device)[:, None]


def _converted(source: FeatureSpace, goal: FeatureSpace, features: Tensor, lengths: Tensor, valid: Tensor) -> Tensor:
    """Convert [B, P, T, F], of which ``lengths`` [B] frames are real, to [B, P, T', F'] with ``valid`` [B, T'] ones."""
    batch, people = features.shape[:2]
    found = features.new_zeros(batch, people, valid.shape[1], goal.dim)
    arrays = features.detach().double().cpu().numpy()
    for item, length in enumerate(lengths.tolist()):
        wanted = int(valid[item].sum())
        for person in range(people):
            motion = source.decode(arrays[item, person, :length])
            lasting = _lasting(motion, wanted / goal.fps + 1.0 / motion.fps)
            rows = goal.encode(lasting)[:wanted]
            found[item, person, :wanted] = torch.from_numpy(rows).to(found)
    return found


def _lasting(motion: Motion, seconds: float) -> Motion:
    """Let a motion that is too short glide on in its last pose: a space's rows are one less than frames, and round."""
    missing = int(np.ceil(seconds * motion.fps)) + 1 - motion.frames
    if missing <= 0:
        return motion
    last = motion.root[-1] - motion.root[-2] if motion.frames > 1 else np.zeros(3)
    return replace(
        motion,
        rotations=np.concatenate([motion.rotations, np.repeat(motion.rotations[-1:], missing, axis=0)]),
        root=np.concatenate([motion.root, motion.root[-1] + np.arange(1, missing + 1)[:, None] * last]),
        joint_translations=_held(motion, lambda t: np.concatenate([t, np.repeat(t[-1:], missing, axis=0)])),
    )


def _held(motion: Motion, longer: Callable[[np.ndarray], np.ndarray]) -> dict[int, np.ndarray]:
    return {joint: longer(translations) for joint, translations in motion.joint_translations.items()}
