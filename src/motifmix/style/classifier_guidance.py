"""Classifier guidance by style statistics (SMooDi, ECCV 2024, section 3.4): a correction between two guidance terms.

The noise estimate is moved a few times against the gradient of a loss: the clean latents that it implies are decoded,
a style network reads the motion, and the means and deviations of its last layers over time should be the reference's.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from motifmix.diffusion.predictions import to_clean
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.style_network import STATISTICS_OVER_EVERYTHING, LayerStatistics, StyleNetwork
from motifmix.quirks import Quirk

GRADIENT_CHANNEL_ZEROED = Quirk(
    "gradient_channel_zeroed",
    "SMooDi: the first channel of the latent never takes part in the guidance, left over from another layout; its figures "
    "were made so",
)


@dataclass(frozen=True)
class GuidanceOptions:
    """How strong the pull is; the defaults are those published for generation.

    It acts at steps whose number, less one, is ``below`` a bound. ``layer_weights`` count the style network's last
    layers, the very last one at the end.
    """

    iterations: int = 5
    scale: float = 0.2
    below: int = 300
    layer_weights: tuple[float, ...] = (0.0, 2.0)


@dataclass(frozen=True)
class GuidanceIteration:
    """One iteration, for people who watch: before it the ``noise`` estimate and what follows from it, then its gradient."""

    noise: Tensor
    clean: Tensor
    motion: Tensor
    loss: Tensor
    gradient: Tensor


def style_loss(
    made: Sequence[LayerStatistics], wanted: Sequence[LayerStatistics], weights: Sequence[float], items: int
) -> Tensor:
    """Return the weighted L1 distance of statistics, summed over channels and batch, divided by the ``items`` made.

    A single reference stands for all items; several references for one item add up.
    """
    terms = [
        weight * ((own.mean - other.mean).abs().sum() + (own.std - other.std).abs().sum())
        for own, other, weight in zip(made, wanted, weights, strict=True)
        if weight
    ]
    return torch.stack(terms).sum() / items


@dataclass(frozen=True)
class StyleGuidance:
    """A guidance term that pulls the decoded motion towards references; see :class:`diffusion.denoiser.Correction`.

    ``references`` [R, T, F] (normalised, R is 1 or the batch) with ``reference_mask`` [R, T]; ``valid_mask`` [B, T] are
    the frames to be made. Masks do not reach a style network that reads everything.
    """

    vae: MotionVAE
    network: StyleNetwork
    references: Tensor
    valid_mask: Tensor
    reference_mask: Tensor | None = None
    options: GuidanceOptions = GuidanceOptions()
    quirks: Collection[Quirk] = ()
    watch: Callable[[GuidanceIteration], None] | None = None
    _wanted: list[LayerStatistics] = field(default_factory=list)

    def __call__(self, clean: Tensor, noisy: Tensor, level: NoiseLevel) -> Tensor:
        """Return the corrected estimate of the clean latents [B, n, D]."""
        if level.step is None or level.step - 1 >= self.options.below:
            return clean
        noise = (noisy - level.alpha * clean) / level.sigma
        for _ in range(self.options.iterations):
            noise = self._nearer(noise, noisy, level)
        return to_clean(noise, noisy, level.alpha, level.sigma, "epsilon")

    def _nearer(self, noise: Tensor, noisy: Tensor, level: NoiseLevel) -> Tensor:
        with torch.enable_grad():
            noise = noise.detach().requires_grad_()
            clean = to_clean(noise, noisy, level.alpha, level.sigma, "epsilon")
            motion = self.vae.decode(clean.to(self.references.dtype), self.valid_mask)
            made = self._statistics(motion, self.valid_mask)
            loss = style_loss(made, self._targets(), self.options.layer_weights, len(motion))
            (gradient,) = torch.autograd.grad(loss, noise)
        if GRADIENT_CHANNEL_ZEROED in self.quirks:
            gradient[..., 0] = 0.0
        if self.watch is not None:
            self.watch(GuidanceIteration(noise.detach(), clean.detach(), motion.detach(), loss.detach(), gradient))
        return noise.detach() - self.options.scale * gradient

    def _statistics(self, motion: Tensor, mask: Tensor | None) -> list[LayerStatistics]:
        seen = None if STATISTICS_OVER_EVERYTHING in self.network.quirks else mask
        return self.network.statistics(motion, seen, last=len(self.options.layer_weights))

    @torch.no_grad()
    def _targets(self) -> list[LayerStatistics]:
        if not self._wanted:  # the same in all iterations of all steps
            self._wanted.extend(self._statistics(self.references, self.reference_mask))
        return self._wanted
