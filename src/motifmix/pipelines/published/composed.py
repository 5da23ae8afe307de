"""DualMDM and MixerMDM, converted: a text for the interaction and one a person in, scenes of two people out."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from torch import Tensor

from motifmix.diffusion.chains import ChainStep, GuidedChains, sample_chains
from motifmix.diffusion.condition import Condition
from motifmix.diffusion.denoiser import Difference, Guided, Step
from motifmix.encoders.tiny import Kind
from motifmix.mix.blended import Dual
from motifmix.mix.ingredients import PersonModel, Scaling, SceneModel, Told
from motifmix.mix.mixed import PUBLISHED_MIXTURE, Mixed
from motifmix.mix.schedules import published_schedule
from motifmix.mix.weights import LearnedWeights
from motifmix.models.in2in import SECOND_PERSON_NOT_CARRIED, In2INIndividual, In2INInteraction
from motifmix.models.intergen import PEOPLE
from motifmix.models.mdm import MDM
from motifmix.models.mixer import Mixer
from motifmix.pipelines.published.generator import Asked, drawn, everyone, told
from motifmix.pipelines.published.interhuman import InterHumanGenerator

MIXED_TEXTS = (
    "interaction.text",
    "interaction.individual_text",
    "individual.individual_text",
    "mixer.text",
    "mixer.individual_text",
)


class ComposedGenerator(InterHumanGenerator):
    """What compositions share: two base models with text heads of their own."""

    people = PEOPLE
    tells_people = True

    @property
    def text_form(self) -> tuple[Kind, int]:
        """One vector a token."""
        return "tokens", self.head("interaction_text_head").norm.weight.numel()

    @property
    def interaction(self) -> In2INInteraction:
        """The model of two people."""
        network = self.parts["interaction"]
        assert isinstance(network, In2INInteraction)
        return network

    def base_texts(self, asked: Sequence[Asked]) -> dict[str, Tensor]:
        """Return what the two base models are told, by the names of ``generator.told``."""
        interaction = "interaction_text_head", "interaction_clip"
        return {
            "interaction__text": self.read([one.text for one in asked], *interaction),
            "interaction__individual_text": self.read_people(asked, *interaction),
            "individual__individual_text": self.read_people(asked, "individual_text_head", "individual_clip"),
        }


class DualMDMGenerator(ComposedGenerator):
    """in2IN's two models, composed by the card's schedule."""

    def walk(self, asked: Sequence[Asked], steps: int | None, strength: float) -> Iterator[Step]:
        """Denoise both people's frames in one chain; each model is guided by itself."""
        options, individual = self.options, self.parts["individual"]
        assert isinstance(individual, In2INIndividual)
        alone = partial(individual.denoise_pairwise, quirks=self.quirks(SECOND_PERSON_NOT_CARRIED))
        both = ("text", "individual_text")
        composed = Dual(
            Told(
                "interaction",
                Guided(self.interaction.denoise, [Difference(options["guidance_scale_interaction"], both)]),
            ),
            Told("individual", Guided(alone, [Difference(options["guidance_scale_individual"], ("individual_text",))])),
            published_schedule(options["share"], options["share_value"]),
        )
        width = PEOPLE * self.interaction.features
        return self.along(composed, steps, asked, width, told(**self.base_texts(asked)))


class MixerMDMGenerator(ComposedGenerator):
    """An individual and an interaction model, mixed by a learned Mixer."""

    def walk(self, asked: Sequence[Asked], steps: int | None, strength: float) -> Iterator[ChainStep]:
        """Denoise both people's frames in two chains that start in the same noise."""
        individual, mixer = self.parts["individual"], self.parts["mixer"]
        assert isinstance(individual, In2INIndividual | MDM) and isinstance(mixer, Mixer)
        quirks, frames = self.quirks(*PUBLISHED_MIXTURE), asked[0].frames
        mixed = Mixed(
            SceneModel("interaction", self.interaction.denoise, Scaling.of(self.statistics["interaction"])),
            [PersonModel("individual", individual.denoise, Scaling.of(self.statistics["individual"]), quirks=quirks)],
            LearnedWeights(mixer),
            quirks=quirks,
        )
        guided = GuidedChains(mixed, [Difference(self.options["guidance_scale"], MIXED_TEXTS)])
        noise = next(drawn(asked, self.longest, PEOPLE * self.interaction.features))[:, :frames]
        start = noise.unflatten(-1, (PEOPLE, -1)).transpose(1, 2)
        levels = self.thinned(steps).levels()
        return sample_chains(
            guided, mixed.chains, levels, [start, start], self._condition(asked), everyone(asked, frames)
        )

    def _condition(self, asked: Sequence[Asked]) -> Condition:
        return told(
            **self.base_texts(asked),
            mixer__text=self.read([one.text for one in asked]),
            mixer__individual_text=self.read_people(asked),
        )

    def features(self, last: Any, frames: int) -> Tensor:
        """Return the mixed clean motion, which is in metres already."""
        return last.clean
