"""`Duet`: a sentence for two people and one for each in, a scene out; with one of the small models, or both mixed.

>>> duet = motifmix.load_duet()
>>> greeting = duet.generate("two people greet each other", ["a person bows", "a person waves"], styles=[None, "old"])
>>> motifmix.write("greeting.glb", greeting)
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from motifmix.diffusion.chains import ChainStep, GuidedChains, sample_chains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Difference, GuidanceTerm, Guided, sample_along
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.encoders.text import MiniLM
from motifmix.errors import RequestError, WeightsError
from motifmix.features.interhuman import InterHumanSpace
from motifmix.mix.ingredients import PersonModel, Scaling, SceneModel
from motifmix.mix.mixed import Mixed
from motifmix.mix.schedules import original_step
from motifmix.mix.sparing import Sparing
from motifmix.mix.weights import Override, Weigher
from motifmix.models.in2in import In2INInteraction, multi_condition_guidance
from motifmix.models.intergen import PEOPLE
from motifmix.motion import Motion, Scene
from motifmix.motion.contacts import floor_height, foot_contacts
from motifmix.motion.foot_cleanup import LARGEST_FLOOR_SHIFT
from motifmix.motion.leg_reach import planted
from motifmix.pipelines.style_transfer import StyleTransfer
from motifmix.pipelines.styled_scene import styled_scene
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import read_weights
from motifmix.pretrained.converted import STATISTICS
from motifmix.style.references import StyleLike

STEPS = 10  # what the tables of compositions are measured at
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 4.0  # what the models saw
MIXED_SCALE = 3.5
MIXED_BRANCHES = 2  # of guidance: one is told nothing, the other everything
SPARING = Sparing(every=2)  # what it changes, and what other choices would: docs/duet_speed.md
ALONE_SCALE = 2.5
BESIDE = 1.0  # metres: where a second person stands of whom nobody knows where he should
Using = Literal["interaction", "individual", "mixed"]


@dataclass(frozen=True, eq=False)
class DuetModel:
    """One small model: its network, its scaling, and what its card says."""

    network: Any
    scaling: Scaling
    extra: dict[str, Any]
    credit: tuple[str, ...] = ()
    licence: str = ""

    @classmethod
    def load(cls, folder: Path | str) -> "DuetModel":
        """Read a folder that a recipe of ``recipes/duets`` wrote.

        Raises ``WeightsError`` where it is none, or where the model has other features than the scene has.
        """
        card, network, _ = load_part(Path(folder), "denoiser")
        if card.space != InterHumanSpace.name:
            raise WeightsError(
                f"{folder}: this model has the features {card.space}, people in a scene have {InterHumanSpace.name}, and "
                "there is no adapter between the two; name a model that recipes/duets trains"
            )
        tensors = read_weights(Path(folder), STATISTICS)[1]
        scaling = Scaling(tensors["motion.mean"].float(), tensors["motion.std"].float())
        return cls(network, scaling, dict(card.extra), tuple(card.credit), card.licence)


@dataclass(frozen=True, eq=False)
class Composed:
    """A ``scene``, and how it was mixed: ``weights`` [steps, P, T or 1, 23 or 1], the individual model's share.

    ``steps``: the diffusion step that each of them belongs to. Both are empty (None) where nothing was mixed.
    """

    scene: Scene
    weights: np.ndarray | None = None
    steps: tuple[float, ...] = ()


class Duet:
    """Two people by an ``interaction`` model, by an ``individual`` one for each, or by both in a mixture.

    A mixture needs a Mixer (``weigh``) or forced weights (``override``); see ``mix/weights.py``. ``sparing``: how often it
    is asked.
    """

    def __init__(
        self,
        interaction: DuetModel,
        individual: DuetModel | None = None,
        weigh: Weigher | None = None,
        override: Override | None = None,
        sparing: Sparing = SPARING,
    ) -> None:
        self.interaction, self.individual = interaction, individual
        self.weigh, self.override, self.sparing = weigh, override, sparing
        self.encoder = MiniLM()
        extra = interaction.extra
        self.schedule = DiscreteSchedule.of(cosine_betas(int(extra["steps"])))
        self.scale = float(extra["text_scale"])

    def generate(
        self, text: str, person_texts: Sequence[str], *, seconds: float = 4.0, seed: int = 0, steps: int = STEPS,
        using: Using = "mixed", styles: Sequence[StyleLike | None] | None = None,
        strengths: Sequence[float] | float = 1.0, clean_feet: bool = True,
    ) -> Scene:  # fmt: skip
        """Return a scene of two people at 30 fps; the same seed gives the same scene.

        An empty sentence says nothing. ``individual`` alone knows no partner: the second stands beside the first.
        ``styles``: one a person or None, as the default model takes them (``strengths`` 0 to 2, for all or one a person);
        it restyles each on his own path. ``clean_feet`` holds resting feet still, by the legs: nobody's path changes.
        Raises ``RequestError`` for another number of people than two, a length that the models never saw, nothing to
        mix with, or nothing said at all.
        """
        composed = self.compose(
            text, person_texts, seconds=seconds, seed=seed, steps=steps, using=using, clean_feet=clean_feet
        )
        if styles is None:
            return composed.scene
        return styled_scene(self.stylist, composed.scene, styles, strengths, clean_feet=clean_feet)

    def compose(
        self, text: str, person_texts: Sequence[str], *, seconds: float = 4.0, seed: int = 0, steps: int = STEPS,
        using: Using = "mixed", clean_feet: bool = True, progress: Callable[[int, int], None] | None = None,
    ) -> Composed:  # fmt: skip
        """Return what :meth:`generate` does before it comes to styles, with the mixing weights of every step."""
        self._check(text, person_texts, seconds, steps, using)
        frames = round(seconds * InterHumanSpace.fps)
        noise = torch.randn(1, PEOPLE, frames, InterHumanSpace.dim, generator=torch.Generator().manual_seed(seed))
        condition, levels = self._condition(text, person_texts), self.schedule.trailing(steps).levels()
        features, weights = noise[0], []
        for number, (clean, mixing) in enumerate(self._walked(condition, noise, levels, using), start=1):
            features = clean
            weights += [] if mixing is None else [mixing[0, 0].double().numpy()]
            if progress is not None:
                progress(number, steps)
        people = [InterHumanSpace().decode(each) for each in features.double().numpy()]
        if using == "individual":
            people[1] = people[1].moved(np.array([BESIDE, 0.0, 0.0]))
        people = [_settled(person) for person in people] if clean_feet else people
        used = [model for model in (self.interaction, self.individual) if model is not None]
        credit = "; ".join(dict.fromkeys(line for model in used for line in model.credit))
        terms = {name: line for name, line in (("credit", credit), ("licence", used[0].licence)) if line}
        labelled: list[Motion] = [
            person.with_labels(text=own or text, interaction=text, seed=seed, **terms)
            for person, own in zip(people, person_texts, strict=True)
        ]
        known = tuple(original_step(level) for level in levels[:-1]) if weights else ()
        return Composed(Scene(tuple(labelled)), np.stack(weights) if weights else None, known)

    @cached_property
    def stylist(self) -> StyleTransfer:
        """Who gives people styles: the default model, loaded when the first style comes."""
        return StyleTransfer(TextToMotion())

    def _walked(
        self, condition: Condition, noise: Tensor, levels: Any, using: Using
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield the clean people [P, T, F] of every step and, of a mixture, its weights [B, 1, P, T or 1, 23 or 1]."""
        valid = torch.ones(1, noise.shape[2], dtype=torch.bool)
        if using == "mixed":
            for mixed in self.walk(condition, noise, levels, valid):
                yield mixed.clean[0], mixed.traces["mixing_weights"]
            return
        if using == "interaction":
            model = self.interaction
            told = isinstance(model.network, In2INInteraction)
            terms: Sequence[GuidanceTerm] = multi_condition_guidance() if told else [("text", MIXED_SCALE)]
            noisy = noise.transpose(1, 2).flatten(2)
        else:
            model, terms, noisy = self._alone(), [("text", ALONE_SCALE)], noise[0]
            own = condition.parts["individual_text"]
            said = own.value[0].abs().sum(dim=-1) > 0
            condition, valid = Condition({"text": Part(own.value[0], said)}), valid.expand(PEOPLE, -1)
        for step in sample_along(Guided(model.network.denoise, terms), levels, noisy, condition, valid):
            together = using == "interaction"
            clean = step.clean[0].unflatten(-1, (PEOPLE, -1)).transpose(0, 1) if together else step.clean
            yield model.scaling.restore(clean), None

    def walk(self, condition: Condition, noise: Tensor, levels: Any, valid: Tensor) -> Iterator[ChainStep]:
        """Denoise both chains from one ``noise`` [1, P, T, F]; each step has its mixing weights among its traces."""
        alone = self._alone()
        mixed = Mixed(
            SceneModel("interaction", self.interaction.network.denoise, self.interaction.scaling),
            [PersonModel("individual", alone.network.denoise, alone.scaling)],
            self.sparing.applied(self.weigh, MIXED_BRANCHES),
            self.override,
            negligible=self.sparing.negligible,
        )
        guided = GuidedChains(mixed, [Difference(MIXED_SCALE, ("text", "individual_text"))])
        return sample_chains(guided, mixed.chains, levels, [noise, noise], condition, valid)

    def _condition(self, text: str, person_texts: Sequence[str]) -> Condition:
        texts = [text, *person_texts]
        vectors = self.scale * self.encoder.encode(texts) * torch.tensor([[float(bool(each))] for each in texts])
        everyone = torch.ones(1, dtype=torch.bool)
        return Condition({"text": Part(vectors[:1], everyone), "individual_text": Part(vectors[None, 1:], everyone)})

    def _alone(self) -> DuetModel:
        if self.individual is None:
            raise RequestError("there is no model of one person here; name one, or ask the interaction model alone")
        return self.individual

    def _check(self, text: str, person_texts: Sequence[str], seconds: float, steps: int, using: Using) -> None:
        if len(person_texts) != PEOPLE:
            raise RequestError(
                f"two people need two sentences, {len(person_texts)} are here; an empty one says nothing"
            )
        if not any([text.strip(), *(own.strip() for own in person_texts)]):
            raise RequestError("nothing is said about anybody; say what the two people do")
        if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
            raise RequestError(f"{seconds} s: these models make {SHORTEST_SECONDS:.0f} to {LONGEST_SECONDS:.0f} s")
        try:
            self.schedule.trailing(steps)
        except ValueError as error:
            raise RequestError(f"{steps} denoising steps: {error}; choose 5 to 50") from error
        if using != "interaction":
            self._alone()
        if using == "mixed" and self.weigh is None and self.override is None:
            raise RequestError("a mixture needs a Mixer or forced weights; or ask one of the models alone")


def _settled(person: Motion) -> Motion:
    """Put a person on the floor, where he is near it, and let feet that rest stand still."""
    floor = floor_height(person)
    if abs(floor) < LARGEST_FLOOR_SHIFT:
        person = person.moved(np.array([0.0, -floor, 0.0]))
    return planted(person, foot_contacts(person)[:, [1, 3]] > 0.5)
