"""What became of scenes in which one model or the other was believed: another teacher of a Mixer, past the paper.

Critics, clips and guides look at one denoising step, where a blurred prediction looks much like another; what a share does shows
when the motion is finished. So scenes of the training side's sentences are made twice from the same noise, each person's share
of the individual model held high in one and low in the other, by chance. Two guides (``likeness.py``), who choose and score
nothing, say how well the finished scene is told by its sentence and each person by his. What the high share gained is kept with
what both models had said at one step on the way, and a Mixer that reads this is taught to believe whom it paid to believe.

One pair of scenes says little: what the other person did and where chance led them changes more than one share does. What is to
be expected of a sentence is therefore what it gained in all trials of sentences like it (:func:`expected`), and that is taught.

In half of the people a single clip's sentence replaces the own one, so that contents come up that no pair shows. In such scenes the
pair's sentence counts for nothing: what it looks like with others nobody knows, the guide of scenes least of all.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motifmix.diffusion.chains import GuidedChains, sample_chains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Difference
from motifmix.diffusion.discrete import DiscreteSchedule
from motifmix.mix.placement import center, center_scene
from motifmix.mix.schedules import original_step
from motifmix.models.intergen import PEOPLE
from motifmix.pipelines.duet import MIXED_SCALE, STEPS, DuetModel, mixture_of
from motifmix.training.objectives.duets.kept_batches import Fields, Items
from motifmix.training.objectives.duets.likeness import Guides

LOW, HIGH = 0.15, 0.85
WHOLE = 1.0  # of log-probability: an expected gain from which more counts no more
HOPELESS = -10.0  # log-probability below which a scene is told wrongly, however far
NEARNESS = (3.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 30.0)  # how much nearer sentences count more, of which one is chosen
_TEXTS = ("text", "individual_text")
_SMALL = ("valid", "timesteps", "text", "individual_text", "scene_told", "own_told", "known")


@dataclass(frozen=True)
class Outcomes:
    """What both models said at one step on the way to a finished scene, and what believing the individual one gained.

    ``anchor`` and ``other`` [B, P, T, 262] in metres, ``valid`` [B, T], ``timesteps`` [B], ``text`` [B, D] and
    ``individual_text`` [B, P, D] as the models read them. ``gain`` [B, P]: what a high share of each person is expected to add,
    from -1 to 1.
    """

    anchor: Tensor
    other: Tensor
    valid: Tensor
    timesteps: Tensor
    text: Tensor
    individual_text: Tensor
    gain: Tensor

    @classmethod
    def of(cls, items: Items) -> "Outcomes":
        """Return what was kept, with the expected gain beside it."""
        return cls(**{name: items[name] for name in cls.__dataclass_fields__})

    @staticmethod
    def fields(frames: int) -> Fields:
        """Return how a batch of at most so many ``frames`` is kept.

        ``scene_told`` and ``own_told`` [B, P, 2]: the log-probabilities of the scene's sentence and of each person's own, with his
        share low and high. ``known`` [B]: whether all do what the pair shows.
        """
        return Fields(("anchor", "other"), _SMALL, frames)

    def condition(self) -> Condition:
        """Everything is told."""
        return _told(self.text, self.individual_text)

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
        self, text: Tensor, individual_text: Tensor, known: Tensor, rng: np.random.Generator, generator: torch.Generator
    ) -> Items:
        """Make each scene of ``text`` [B, D] and ``individual_text`` [B, P, D] twice; returns the fields of 2 B outcomes.

        ``known`` [B]: in which of them all do what the pair shows.
        """
        count = len(text)
        first = torch.from_numpy(rng.random((count, PEOPLE)) < 0.5)
        high = torch.cat([first, ~first])
        noise = torch.randn(count, PEOPLE, self.frames, self.individual.scaling.mean.numel(), generator=generator)
        text, individual_text, noise = (own.repeat(2, *[1] * (own.ndim - 1)) for own in (text, individual_text, noise))
        valid = torch.ones(2 * count, self.frames, dtype=torch.bool)
        condition = _told(text, individual_text)
        mixed = mixture_of(self.interaction, {"individual": self.individual}, None, Held(torch.where(high, HIGH, LOW)))
        guided = GuidedChains(mixed, [Difference(MIXED_SCALE, _TEXTS)])
        looked_at = torch.from_numpy(rng.integers(len(self.levels) - 1, size=2 * count))
        said = [torch.zeros_like(noise) for _ in mixed.chains]
        timesteps, states, finished = torch.zeros(2 * count), [noise, noise], noise
        walked = sample_chains(guided, mixed.chains, self.levels, states, condition, valid)
        for number, level in enumerate(self.levels[:-1]):
            here = looked_at == number
            timesteps[here] = float(original_step(level))
            told = _told(text[here], individual_text[here])
            for predicted, model, state in zip(said if here.any() else (), mixed.chains, states, strict=False):
                predicted[here] = model.estimate(state[here], level, told, valid[here])
            step = next(walked)
            states, finished = list(step.states), step.clean
        scene, person = self._told_by(finished, valid, text, individual_text)
        where = torch.where(high[:count], 1, 0)  # of each person, which of the two scenes has his share low

        def by_share(told: Tensor) -> Tensor:
            """Log-probabilities [2 B, P] as [B, P, 2], with the share low and high."""
            both = torch.stack(told.chunk(2), dim=-1)
            return torch.stack([both.gather(-1, which[..., None])[..., 0] for which in (where, 1 - where)], dim=-1)

        return {
            "anchor": said[0], "other": said[1], "valid": valid, "timesteps": timesteps, "text": text,
            "individual_text": individual_text,
            "scene_told": by_share(scene[:, None].expand(-1, PEOPLE)).repeat(2, 1, 1),
            "own_told": by_share(person).repeat(2, 1, 1), "known": known.repeat(2),
        }  # fmt: skip

    def _told_by(self, finished: Tensor, valid: Tensor, text: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities of the scenes' sentences [N] and of each person's [N, P]."""
        alone = center(finished, valid[:, None].expand(finished.shape[:3])).flatten(0, 1)[:, None]
        person = self.guides.person.told_by(alone, valid.repeat_interleave(PEOPLE, dim=0), own.flatten(0, 1))
        return self.guides.scene.told_by(center_scene(finished), valid, text), person.unflatten(0, (-1, PEOPLE))


def _told(text: Tensor, individual_text: Tensor) -> Condition:
    everyone = torch.ones(len(text), dtype=torch.bool)
    return Condition({"text": Part(text, everyone), "individual_text": Part(individual_text, everyone)})


def expected(items: Items, looked_at: range) -> Tensor:
    """What is to be expected of a high share of each person, [N, P] from -1 to 1, by what he is told.

    One half is what it gains his own sentence: a mean over all trials, those of sentences near it counting more (Nadaraya and
    Watson's estimator); how much more is chosen by what it predicts of the trials that are only ``looked_at``. The other half is
    what it costs the scene's, where all do what the pair shows; that does not follow from any sentence (correlation 0.1), and is
    one number for all.
    """
    scene, own = (items[name].clamp(min=HOPELESS).diff(dim=-1)[..., 0] for name in ("scene_told", "own_told"))
    taught = torch.ones(len(scene), dtype=torch.bool)
    taught[looked_at.start : looked_at.stop] = False
    shown = scene[items["known"] & taught]
    together = shown.mean() if shown.numel() else scene.new_zeros(())
    alone = _fitted(items["individual_text"].flatten(0, 1), own.flatten(), taught.repeat_interleave(PEOPLE))
    return ((together + alone.view_as(own)) / 2.0 / WHOLE).clamp(-1.0, 1.0)


def _fitted(told: Tensor, gained: Tensor, taught: Tensor) -> Tensor:
    """Return what is expected of ``told`` [M, D], [M], by what was ``gained`` [M] in those trials that are ``taught``."""
    told = torch.nn.functional.normalize(told, dim=-1)
    told = torch.nn.functional.normalize(
        told - told.mean(dim=0), dim=-1
    )  # what all sentences have in common says nothing
    alike = told @ told[taught].T - 1.0
    best, least = torch.full_like(gained, float(gained[taught].mean())), torch.inf
    for nearness in NEARNESS:
        near = (nearness * alike).exp()
        said = near @ gained[taught] / near.sum(dim=1)
        error = float((said - gained)[~taught].square().mean())
        if error < least:
            best, least = said, error
    return best
