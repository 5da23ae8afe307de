"""Compositions without learning, in one chain: DiffusionBlending and DualMDM.

All models see the same noisy state in one space; each is guided by itself before its estimate is mixed. Nothing is
placed or converted: models with other statistics are mixed as if they had the same (published DualMDM does that). For
fixed shares *with* a chain, a space and a place for each model see ``Mixed`` with ``Forced`` weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Denoiser
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.mix.schedules import Exponential, Share, original_step


@dataclass(frozen=True)
class Blended:
    """DiffusionBlending (Shafir et al. 2024): a weighted sum of the (guided) estimates of any number of models.

    ``weights``: one a model, each a number, a tensor that broadcasts over [B, T, D], or a function of the step; used as
    they are, and 1 / N each where there are none. Raises ``ValueError`` where their number is wrong.
    """

    denoisers: Sequence[Denoiser]
    weights: Sequence[float | Tensor | Share] | None = None

    def __post_init__(self) -> None:
        if not self.denoisers:
            raise ValueError("nothing to blend: no denoiser")
        if self.weights is not None and len(self.weights) != len(self.denoisers):
            raise ValueError(f"{len(self.denoisers)} denoisers have {len(self.weights)} weights")

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return the blended estimate."""
        weights = self.weights or [1.0 / len(self.denoisers)] * len(self.denoisers)
        terms = [
            (weight(original_step(level)) if callable(weight) else weight) * denoiser(noisy, level, condition, valid)
            for weight, denoiser in zip(weights, self.denoisers, strict=True)
        ]
        return sum(terms[1:], start=terms[0])


@dataclass(frozen=True)
class Dual:
    """DualMDM (in2IN, Ruiz-Ponce et al. 2024): interaction + share (individual - interaction), share by a schedule.

    ``individual`` is a denoiser of the whole scene too: in2IN's ``denoise_pairwise``, or an
    :class:`~motifmix.mix.ingredients.EachPerson`.
    """

    interaction: Denoiser
    individual: Denoiser
    share: Share = field(default_factory=Exponential)

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return the composed estimate."""
        together = self.interaction(noisy, level, condition, valid)
        alone = self.individual(noisy, level, condition, valid)
        return together + self.share(original_step(level)) * (alone - together)
