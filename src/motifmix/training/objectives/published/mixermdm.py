"""Adversarial losses of MixerMDM (Ruiz-Ponce et al., CVPR 2025; published symbol ``MixerMDMLoss``).

There is no ground truth for "this interaction with those individual motions". So the Mixer is trained as a generator
against one critic a pre-trained model, each of which takes that model's own predictions (at the same noisy input) for
real. Motions of data serve to make noisy inputs only. Hinge losses, and a penalty that keeps the critics' losses close
to each other, so that no model wins everywhere.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.discrete import DiscreteSchedule
from motifmix.diffusion.predictions import noised
from motifmix.mix.ingredients import Ingredient, scoped
from motifmix.mix.mixed import Mixed, Mixture
from motifmix.mix.placement import center
from motifmix.models.discriminators import Discriminator
from motifmix.models.intergen import zeroed_part
from motifmix.quirks import Quirk

LOSS_MASK_INVERTED = Quirk(
    "loss_mask_inverted",
    "the adversarial losses average over the padding instead of the real frames, and are 0 for a batch without padding; "
    "the published Mixer was trained so",
)
INTERACTION_NOT_NORMALISED = Quirk(
    "interaction_not_normalised",
    "in training the interaction model is given noise on motions that nobody normalised, so that its predictions, the "
    "discriminator's real samples, came from inputs that it had never seen",
)
CRITIC_TEXT_NOT_DETACHED = Quirk(
    "critic_text_not_detached",
    "in generator steps gradients flow through the discriminators' text input: the Mixer's text encoder is also trained "
    "to fool them by changing the text",
)
BALANCE_UNSCALED = Quirk(
    "balance_unscaled",
    "the balance term compares losses that were multiplied by their factor with a mean that was not; with the published "
    "factor 1 of individual losses nobody sees it",
)
FROZEN_DROPOUT = Quirk(
    "dropout_in_frozen_models",
    "in generator steps the frozen base models run with dropout, because they are switched to training with the Mixer; "
    "the published Mixer was trained so",
)
PUBLISHED_LOSSES = (
    LOSS_MASK_INVERTED,
    INTERACTION_NOT_NORMALISED,
    CRITIC_TEXT_NOT_DETACHED,
    BALANCE_UNSCALED,
    FROZEN_DROPOUT,
)

# The models' clean predictions in the shared space, the anchor's first, for their noisy inputs at steps [B].
Predict = Callable[[Sequence[Tensor], Tensor], Sequence[Tensor]]

_EPSILON = 1e-8  # of the masked mean, published


@dataclass(frozen=True)
class LossSettings:
    """What each loss counts (published values by default) and the discriminators' margin."""

    individual: float = 1.0
    interaction: float = 2.0
    balance: float = 0.1
    margin: float = 1.0
    quirks: Collection[Quirk] = ()


@dataclass(frozen=True)
class Critics:
    """The two discriminators: of one person at the canonical start, and of the scene side by side."""

    individual: Discriminator
    interaction: Discriminator
    centred: bool = True
    quirks: Collection[Quirk] = ()  # of placement

    def scores(
        self, people: Tensor, scene: Tensor, timesteps: Tensor, individual_text: Tensor, text: Tensor, valid: Tensor
    ) -> "Scores":
        """Score ``people`` one by one and ``scene`` as a whole, both [B, P, T, 262], not normalised.

        ``timesteps`` [B], ``individual_text`` [B, P, text], ``text`` [B, text], ``valid`` [B, T].
        """
        count = people.shape[1]
        alone = center(people, valid[:, None], self.quirks) if self.centred else people
        of_people = self.individual(
            alone.flatten(0, 1),
            timesteps.repeat_interleave(count),
            individual_text.flatten(0, 1),
            valid.repeat_interleave(count, dim=0),
        )
        side_by_side = scene.transpose(1, 2).flatten(2)  # [B, T, P 262]
        of_scene = self.interaction(side_by_side, timesteps, text, valid)
        return Scores(of_people.unflatten(0, (-1, count))[..., 0], of_scene[..., 0])


@dataclass(frozen=True)
class Scores:
    """One score a frame: of each person [B, P, T], of the scene [B, T]."""

    people: Tensor
    scene: Tensor


@dataclass(frozen=True)
class MixerLosses:
    """The losses times their factors: one a person [P], the scene's, and the ``total`` with the balance term."""

    people: Tensor
    scene: Tensor
    total: Tensor


def noised_states(
    models: Sequence[Ingredient],
    motion: Tensor,
    noise: Tensor,
    alpha: Tensor,
    sigma: Tensor,
    valid: Tensor,
    quirks: Collection[Quirk] = (),
) -> list[Tensor]:
    """Noisy inputs of all models, the anchor first, from one data ``motion`` and one ``noise`` [B, P, T, 262].

    ``alpha`` and ``sigma`` [B]; ``valid`` [B, T]. For models whose states look like the motion.
    """
    alpha, sigma = (strength.view(-1, 1, 1, 1) for strength in (alpha, sigma))
    own = [model.project(motion, valid) for model in models]
    if INTERACTION_NOT_NORMALISED in quirks:
        own[0] = motion
    return [noised(clean, noise, alpha, sigma) for clean in own]


def states_at(
    models: Sequence[Ingredient],
    schedule: DiscreteSchedule,
    motion: Tensor,
    noise: Tensor,
    timesteps: Tensor,
    valid: Tensor,
    quirks: Collection[Quirk] = (),
) -> list[Tensor]:
    """Noisy inputs as :func:`noised_states` gives them, at ``timesteps`` [B] of a schedule."""
    alpha, sigma = (
        torch.as_tensor(table, dtype=motion.dtype, device=motion.device)[timesteps]
        for table in (schedule.alphas, schedule.sigmas)
    )
    return noised_states(models, motion, noise, alpha, sigma, valid, quirks)


def generator_losses(mixed: Scores, valid: Tensor, settings: LossSettings = LossSettings()) -> MixerLosses:
    """How little the critics take the mixture for their models' own, ``valid`` [B, T]."""
    return _weighed({"people": -mixed.people, "scene": -mixed.scene}, valid, settings)


def discriminator_losses(
    real: Scores, mixed: Scores, valid: Tensor, settings: LossSettings = LossSettings()
) -> MixerLosses:
    """How badly the critics tell their models' own predictions (``real``) from the mixture, ``valid`` [B, T]."""
    margin = settings.margin
    terms = {
        "people": (relu(margin - real.people) + relu(margin + mixed.people)) / 2,
        "scene": (relu(margin - real.scene) + relu(margin + mixed.scene)) / 2,
    }
    return _weighed(terms, valid, settings)


def prepare_half(
    half: Literal["generator", "discriminator"],
    learning: Sequence[nn.Module],
    critics: Critics,
    base_models: Sequence[nn.Module],
    quirks: Collection[Quirk] = (),
) -> None:
    """Set who learns in this half (the Mixer and its text head, or the critics) and who runs with dropout.

    Base models never learn. ``FROZEN_DROPOUT`` lets them run with dropout in the generator's half.
    """
    judges = (critics.individual, critics.interaction)
    for modules, learns in ((learning, half == "generator"), (judges, half == "discriminator"), (base_models, False)):
        for module in modules:
            module.requires_grad_(learns)
    for module in (*learning, *judges):
        module.train()
    for module in base_models:
        module.train(half == "generator" and FROZEN_DROPOUT in quirks)


def critic_text(text: Tensor, quirks: Collection[Quirk] = ()) -> Tensor:
    """The text as critics are told it: in generator steps no gradient flows back through it."""
    return text if CRITIC_TEXT_NOT_DETACHED in quirks else text.detach()


@dataclass(frozen=True)
class MixerObjective:
    """Both halves of a training step of a mixture of two: the Mixer's, and then the critics'.

    Each half draws its own noise and steps (published), after :func:`prepare_half` has said who learns.
    """

    mixed: Mixed
    critics: Critics
    schedule: DiscreteSchedule
    settings: LossSettings = field(default_factory=LossSettings)
    name: str = "mixer"  # of the parts that Mixer and critics are told

    def states(self, motion: Tensor, noise: Tensor, timesteps: Tensor, valid: Tensor) -> list[Tensor]:
        """Noisy inputs of all models from data [B, P, T, 262] at ``timesteps`` [B]; see :func:`noised_states`."""
        return states_at(self.mixed.chains, self.schedule, motion, noise, timesteps, valid, self.settings.quirks)

    def mixture(
        self, predict: Predict, motion: Tensor, noise: Tensor, timesteps: Tensor, condition: Condition, valid: Tensor
    ) -> Mixture:
        """Noise the data, ask the frozen models (``predict``) and mix what they say; gradients reach the Mixer only."""
        states = self.states(motion, noise, timesteps, valid)
        with torch.no_grad():
            anchor, *others = predict(states, timesteps)
        return self.mixed.mix(anchor, others, timesteps, condition, valid)

    def generator(self, mixture: Mixture, timesteps: Tensor, condition: Condition, valid: Tensor) -> MixerLosses:
        """The Mixer's losses; the critics' parameters should be frozen meanwhile."""
        return generator_losses(self.scores_of_mixture(mixture, timesteps, condition, valid), valid, self.settings)

    def discriminator(self, mixture: Mixture, timesteps: Tensor, condition: Condition, valid: Tensor) -> MixerLosses:
        """The critics' losses; nothing flows back into the mixture."""
        mixture = replace(mixture, clean=mixture.clean.detach())
        real = self.scores_of_models(mixture, timesteps, condition, valid)
        fake = self.scores_of_mixture(mixture, timesteps, condition, valid)
        return discriminator_losses(real, fake, valid, self.settings)

    def scores_of_mixture(self, mixture: Mixture, timesteps: Tensor, condition: Condition, valid: Tensor) -> Scores:
        """What both critics say of the mixture."""
        return self.critics.scores(mixture.clean, mixture.clean, timesteps, *self._texts(condition), valid)

    def scores_of_models(self, mixture: Mixture, timesteps: Tensor, condition: Condition, valid: Tensor) -> Scores:
        """What each critic says of its own model's prediction."""
        return self.critics.scores(mixture.others[:, 0], mixture.anchor, timesteps, *self._texts(condition), valid)

    def _texts(self, condition: Condition) -> tuple[Tensor, Tensor]:
        told = scoped(condition, self.name)
        texts = zeroed_part(told, "individual_text"), zeroed_part(told, "text")
        return (critic_text(texts[0], self.settings.quirks), critic_text(texts[1], self.settings.quirks))


def _weighed(terms: Mapping[str, Tensor], valid: Tensor, settings: LossSettings) -> MixerLosses:
    """Average terms [B, P, T] and [B, T] over frames, weigh them and keep them in balance."""
    counted = (~valid if LOSS_MASK_INVERTED in settings.quirks else valid).to(terms["scene"].dtype)
    frames = counted.sum() + _EPSILON
    people = settings.individual * (terms["people"] * counted[:, None]).sum((0, 2)) / frames  # [P]
    scene = settings.interaction * (terms["scene"] * counted).sum() / frames
    factors = len(people) * settings.individual + settings.interaction
    mean = (people.sum() + scene) / factors
    if BALANCE_UNSCALED in settings.quirks:
        apart = ((people - mean) ** 2).sum()
    else:
        apart = _apart(people, settings.individual, mean)
    balance = apart + _apart(scene[None], settings.interaction, mean)
    return MixerLosses(people, scene, mean + settings.balance * balance)


def _apart(losses: Tensor, factor: float, mean: Tensor) -> Tensor:
    """Squared deviations of the losses [N] before their factor, which weighs them; nothing where the factor is 0."""
    if factor == 0.0:
        return torch.zeros_like(mean)
    return factor * ((losses / factor - mean) ** 2).sum()
