"""What became of scenes in which one model or the other was believed: another teacher of a Mixer, past the paper.

Critics, clips and guides look at one denoising step, where a blurred prediction looks much like another; what a share does shows
when the motion is finished. So scenes of the training side's sentences are made twice from the same noise, each person's share
of the individual model held high in one and low in the other, by chance. Two guides (``likeness.py``), who choose and score
nothing, say how well the finished scene is told by its sentence and each person by his. What the high share gained is kept with
what both models had said at one step on the way, and a Mixer that reads this is taught to believe whom it paid to believe.

In half of the people a single clip's sentence replaces the own one, so that contents come up that no pair shows.

One pair of scenes is mostly chance. Still each is taught as it went: what was to be seen of it in both models' predictions is seen
by the Mixer too. What a sentence gains on average (ridge regression on sentences' vectors; a mean over trials of like sentences)
tells better who is foreign, and taught worse on validation pairs.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motifmix.diffusion.chains import GuidedChains, sample_chains
from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Difference
from motifmix.diffusion.discrete import DiscreteSchedule
from motifmix.mix.ingredients import scene_told
from motifmix.mix.schedules import original_step
from motifmix.models.intergen import PEOPLE
from motifmix.pipelines.duet import MIXED_SCALE, STEPS, DuetModel, mixture_of
from motifmix.training.objectives.duets.kept_batches import Fields, Items
from motifmix.training.objectives.duets.likeness import Guides

LOW, HIGH = 0.15, 0.85
WHOLE = 4.0  # of log-probability: a gain from which more counts no more
_TEXTS = ("text", "individual_text")
_SMALL = ("valid", "timesteps", "text", "individual_text", "scene_gain", "own_gain")


@dataclass(frozen=True)
class Outcomes:
    """What both models said at one step on the way to a finished scene, and what believing the individual one gained.

    ``anchor`` and ``other`` [B, P, T, 262] in metres, ``valid`` [B, T], ``timesteps`` [B], ``text`` [B, D] and
    ``individual_text`` [B, P, D] as the models read them. ``scene_gain`` and ``own_gain`` [B, P]: what a high share of each person
    added to the log-probability of the scene's sentence and of his own.
    """

    anchor: Tensor
    other: Tensor
    valid: Tensor
    timesteps: Tensor
    text: Tensor
    individual_text: Tensor
    scene_gain: Tensor
    own_gain: Tensor

    @property
    def gain(self) -> Tensor:
        """Both together, [B, P], from -1 to 1.

        A scene's sentence counts as much as both people's, as in the alignment of compositions. It counts for both of them: who
        made the difference shows over many scenes, as the other's share is high as often as low.
        """
        return ((self.scene_gain + self.own_gain / PEOPLE) / WHOLE).clamp(-1.0, 1.0)

    @staticmethod
    def fields(frames: int) -> Fields:
        """Return how a batch of at most so many ``frames`` is kept."""
        return Fields(("anchor", "other"), _SMALL, frames)

    def condition(self) -> Condition:
        """Everything is told."""
        return scene_told(self.text, self.individual_text)

    def to(self, device: torch.device) -> "Outcomes":
        """Return the same on a device."""
        return Outcomes(*(value.to(device) for value in vars(self).values()))


@dataclass(frozen=True)
class Held:
    """Everybody's share is given, [B, P], whatever the step, frame or joint."""

    shares: Tensor

    def __call__(self, learned: Tensor | None, timesteps: Tensor) -> Tensor:
        """Return weights [B, 1, P, 1, 1]; guidance asks about every scene several times in one batch, one after the other."""
        return self.shares.repeat(len(timesteps) // len(self.shares), 1)[:, None, :, None, None]


class Trial:
    """Makes scenes by two models, as they are made from texts, and has guides say what became of them."""

    def __init__(
        self, interaction: DuetModel, individual: DuetModel, guides: Guides, schedule: DiscreteSchedule, frames: int
    ) -> None:
        self.interaction, self.individual, self.guides, self.frames = interaction, individual, guides, frames
        self.levels = schedule.early(STEPS).levels()

    @torch.no_grad()
    def make(
        self, text: Tensor, individual_text: Tensor, rng: np.random.Generator, generator: torch.Generator
    ) -> Items:
        """Make each scene of ``text`` [B, D] and ``individual_text`` [B, P, D] twice; returns the fields of 2 B outcomes."""
        count = len(text)
        first = torch.from_numpy(rng.random((count, PEOPLE)) < 0.5)
        high = torch.cat([first, ~first])
        noise = torch.randn(count, PEOPLE, self.frames, self.individual.scaling.mean.numel(), generator=generator)
        text, individual_text, noise = (own.repeat(2, *[1] * (own.ndim - 1)) for own in (text, individual_text, noise))
        valid = torch.ones(2 * count, self.frames, dtype=torch.bool)
        condition = scene_told(text, individual_text)
        mixed = mixture_of(self.interaction, {"individual": self.individual}, None, Held(torch.where(high, HIGH, LOW)))
        guided = GuidedChains(mixed, [Difference(MIXED_SCALE, _TEXTS)])
        looked_at = torch.from_numpy(rng.integers(len(self.levels) - 1, size=2 * count))
        said = [torch.zeros_like(noise) for _ in mixed.chains]
        timesteps, states, finished = torch.zeros(2 * count), [noise, noise], noise
        walked = sample_chains(guided, mixed.chains, self.levels, states, condition, valid)
        for number, level in enumerate(self.levels[:-1]):
            here = looked_at == number
            timesteps[here] = float(original_step(level))
            if here.any():
                told = scene_told(text[here], individual_text[here])
                for predicted, model, state in zip(said, mixed.chains, states, strict=True):
                    predicted[here] = model.estimate(state[here], level, told, valid[here])
            step = next(walked)
            states, finished = list(step.states), step.clean
        scene, person = self.guides.told_by(finished, valid, text, individual_text)
        sign = torch.where(high[:count], 1.0, -1.0)
        return {
            "anchor": said[0], "other": said[1], "valid": valid, "timesteps": timesteps, "text": text,
            "individual_text": individual_text,
            "scene_gain": (sign * (scene[:count] - scene[count:])[:, None]).repeat(2, 1),
            "own_gain": (sign * (person[:count] - person[count:])).repeat(2, 1),
        }  # fmt: skip
