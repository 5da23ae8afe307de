"""MixerMDM (Ruiz-Ponce et al., CVPR 2025): a mixture of models, each with a chain and a space of its own.

At every step each model predicts a clean motion; all are put into one place, a Mixer says for each person, frame and
joint how much of which model to take, and the mixture leads the next step of all of them. One model is the anchor: it
knows where people stand (in the paper the interaction model), and the others' people are put onto its paths.

    mixed = Mixed(interaction, [individual], LearnedWeights(mixer))
    guided = GuidedChains(mixed, [Difference(3.5, told=TEXTS)])
    steps = sample_chains(guided, mixed.chains, schedule.levels(50), [noise, noise], condition, valid)
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motifmix.diffusion.chains import Estimate
from motifmix.diffusion.condition import Condition
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.mix.agreement import settled
from motifmix.mix.ingredients import Ingredient
from motifmix.mix.placement import PUBLISHED_PLACEMENT, align, follow, orthonormal
from motifmix.mix.schedules import original_step
from motifmix.mix.sparing import Held
from motifmix.mix.weights import SHIFTED_ROTATION_WEIGHTS, Override, Weigher, over_features, shares
from motifmix.quirks import Quirk

PUBLISHED_MIXTURE = (*PUBLISHED_PLACEMENT, SHIFTED_ROTATION_WEIGHTS)


@dataclass(frozen=True)
class Mixture:
    """One mixed prediction, and all that led to it.

    ``clean`` [B, P, T, 262]; ``anchor`` [B, P, T, 262] and ``others`` [B, K - 1, P, T, 262], the models' predictions
    where they were mixed; ``weights`` [B, K - 1, P, T or 1, 23 or 1], the share of each model but the anchor;
    ``learned``: the same before an override, None where no Mixer was asked; ``feature_weights``
    [B, K - 1, P, T or 1, 262].
    """

    clean: Tensor
    anchor: Tensor
    others: Tensor
    weights: Tensor
    learned: Tensor | None
    feature_weights: Tensor


@dataclass(frozen=True)
class Mixed:
    """Denoisers mixed into one: a ``ChainDenoiser`` with a chain for each model, the anchor's first.

    ``weigh`` gives the weights, ``override`` may replace them (then there need be no ``weigh``). ``placed`` off mixes
    predictions where they stand. ``led``: down to this step of diffusion the anchor alone says where people are, and the
    others how they move there (``placement.follow``); None: weights are those of places too, as published. ``negligible``:
    see :class:`~motifmix.mix.sparing.Sparing`. ``agreement`` above 0 lets places follow velocities in the mixture too
    (``agreement.py``), as weights that change over frames and joints make both say different things. Raises ``ValueError``
    without other models, or with nobody who weighs them.
    """

    anchor: Ingredient
    others: Sequence[Ingredient]
    weigh: Weigher | None = None
    override: Override | None = None
    placed: bool = True
    led: float | None = None
    quirks: Collection[Quirk] = ()
    negligible: float = 0.0
    agreement: float = 0.0

    def __post_init__(self) -> None:
        if not self.others:
            raise ValueError(f"nothing to mix with {self.anchor.name!r}")
        if self.weigh is None and self.override is None:
            raise ValueError("a mixture needs a Mixer or forced weights")

    @property
    def chains(self) -> tuple[Ingredient, ...]:
        """All models, in the order of their states."""
        return (self.anchor, *self.others)

    def __call__(self, states: Sequence[Tensor], level: NoiseLevel, condition: Condition, valid: Tensor) -> Estimate:
        """Estimate the mixed clean motion [B, P, T, 262].

        Traces: ``mixing_weights`` and, where a Mixer was asked, ``learned_weights``; see :class:`Mixture`.
        """
        mixture = self.mixture(states, level, condition, valid)
        traces = {"mixing_weights": mixture.weights}
        if mixture.learned is not None:
            traces["learned_weights"] = mixture.learned
        return Estimate(mixture.clean, traces)

    def mixture(self, states: Sequence[Tensor], level: NoiseLevel, condition: Condition, valid: Tensor) -> Mixture:
        """Ask all models and mix what they say; ``states``: one a model."""
        timesteps = torch.full((len(valid),), original_step(level), device=valid.device)
        counts = self._counts(timesteps)
        anchor = self.anchor.estimate(states[0], level, condition, valid)
        others = [
            model.estimate(state, level, condition, valid) if own else anchor
            for model, state, own in zip(self.others, states[1:], counts, strict=True)
        ]
        return self.mix(anchor, others, timesteps, condition, valid)

    def _counts(self, timesteps: Tensor) -> list[bool]:
        """Say which models but the anchor are worth asking, as far as their shares are known before."""
        weights = None
        if self.negligible > 0.0 and self.weigh is None and self.override is not None:
            weights = self.override(None, timesteps)
        elif self.negligible > 0.0 and isinstance(self.weigh, Held) and self.override is None:
            held = self.weigh.known(timesteps, len(timesteps))
            weights = None if held is None else shares(held)
        if weights is None:
            return [True] * len(self.others)
        largest = weights.transpose(0, 1).flatten(1).amax(dim=1).expand(len(self.others))
        return (largest >= self.negligible).tolist()

    def mix(
        self, anchor: Tensor, others: Sequence[Tensor], timesteps: Tensor, condition: Condition, valid: Tensor
    ) -> Mixture:
        """Mix given predictions, [B, P, T, 262] each; ``timesteps`` [B] are original steps, ``valid`` [B, T]."""
        if self.placed:
            told, anchor = anchor, orthonormal(anchor, self.quirks)
            others = [
                anchor if other is told else align(other, anchor, valid[:, None], self.quirks) for other in others
            ]
        stacked = torch.stack(list(others), dim=1)  # [B, K - 1, P, T, 262]
        learned = weights = None
        if self.weigh is not None:
            learned = weights = shares(self.weigh(stacked, anchor, timesteps, condition, valid))
        if self.override is not None:
            weights = self.override(learned, timesteps).to(anchor.dtype)
            weights = weights.expand(*stacked.shape[:3], *weights.shape[-2:])
        assert weights is not None  # __post_init__
        by_feature = over_features(weights, self.quirks)
        put = stacked
        if self.led is not None and (timesteps >= self.led).any():
            led = (timesteps >= self.led)[:, None, None, None, None]
            put = torch.where(led, follow(stacked, anchor[:, None]), stacked)
        clean = anchor + (by_feature * (put - anchor[:, None])).sum(dim=1)
        if self.agreement > 0:
            clean = settled(clean, valid, self.agreement)
        return Mixture(clean, anchor, stacked, weights, learned, by_feature)
