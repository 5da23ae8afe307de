"""Published models at work: a folder that ``motifmix models convert`` wrote, texts in, motions out.

One file a family; ``generator.py`` holds what they share. Each family only reads its card and calls the samplers of
``pipelines``, ``mix`` and ``diffusion`` that are measured against the authors' code.
"""

from typing import Any

from torch import nn

from motifmix.errors import RequestError
from motifmix.pipelines.published.generator import PublishedGenerator
from motifmix.pretrained.converted import PublishedNetworks


class MakesNoMotions(PublishedNetworks):
    """A converted evaluator, encoder or translator of style: networks to call, but no text becomes a motion."""

    def generate(self, *_: Any, **__: Any) -> Any:
        """Raise ``RequestError``."""
        name = self.card.published
        raise RequestError(f"{name} makes no motions from texts; 'motifmix models info {name}' says what it does")

    describe = generate


def at_work(networks: PublishedNetworks) -> PublishedNetworks:
    """Return a converted model as one that generates, chosen by the networks that it holds."""
    kind = _family(networks.parts)
    return (kind or MakesNoMotions)(networks.card, networks.parts, networks.statistics)


def _family(parts: dict[str, nn.Module]) -> type[PublishedGenerator] | None:
    from motifmix.models.in2in import In2INIndividual, In2INInteraction
    from motifmix.models.intergen import InterGenDenoiser
    from motifmix.models.mdm import MDM
    from motifmix.models.mld_denoiser import MLDDenoiser
    from motifmix.models.motionlcm import MotionLCMDenoiser
    from motifmix.models.smoodi import SMooDiDenoiser
    from motifmix.pipelines.published.composed import DualMDMGenerator, MixerMDMGenerator
    from motifmix.pipelines.published.interhuman import In2INGenerator, IndividualGenerator, InterGenGenerator
    from motifmix.pipelines.published.mdm import MDMGenerator
    from motifmix.pipelines.published.mld import MLDGenerator
    from motifmix.pipelines.published.motionlcm import MotionLCMGenerator
    from motifmix.pipelines.published.smoodi import SMooDiGenerator

    if {"individual", "interaction"} <= parts.keys():
        return MixerMDMGenerator if "mixer" in parts else DualMDMGenerator
    denoiser = parts.get("denoiser")
    if isinstance(denoiser, InterGenDenoiser):
        return InterGenGenerator
    if isinstance(denoiser, In2INInteraction):
        return In2INGenerator
    if isinstance(denoiser, In2INIndividual):
        return IndividualGenerator
    if isinstance(denoiser, MDM):
        return MDMGenerator
    if "vae" not in parts or "style_encoder" in parts:
        return None
    if isinstance(denoiser, SMooDiDenoiser):
        return SMooDiGenerator
    if isinstance(denoiser, MotionLCMDenoiser):
        return MotionLCMGenerator if denoiser.guidance_dim is not None else MLDGenerator
    return MLDGenerator if isinstance(denoiser, MLDDenoiser) else None
