"""`Duet`: a sentence for two people and one for each in, a scene out; with one of the small models, or both mixed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from motifmix.errors import RequestError
from motifmix.features.interhuman import InterHumanSpace
from motifmix.mix.ingredients import PersonModel, Scaling, SceneModel
from motifmix.mix.mixed import Mixed
from motifmix.mix.weights import Override, Weigher
from motifmix.models.in2in import In2INInteraction, multi_condition_guidance
from motifmix.models.intergen import PEOPLE
from motifmix.motion import Motion, Scene
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import read_weights
from motifmix.pretrained.converted import STATISTICS

STEPS = 50
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 4.0  # what the models saw
MIXED_SCALE = 3.5
ALONE_SCALE = 2.5
BESIDE = 1.0  # metres: where a second person stands of whom nobody knows where he should
Using = Literal["interaction", "individual", "mixed"]


@dataclass(frozen=True, eq=False)
class DuetModel:
    """One small model: its network, its scaling, and what its card says."""

    network: Any
    scaling: Scaling
    extra: dict[str, Any]

    @classmethod
    def load(cls, folder: Path | str) -> "DuetModel":
        """Read a folder that a recipe of ``recipes/duets`` wrote. Raises ``WeightsError`` where it is none."""
        card, network, _ = load_part(Path(folder), "denoiser")
        tensors = read_weights(Path(folder), STATISTICS)[1]
        scaling = Scaling(tensors["motion.mean"].float(), tensors["motion.std"].float())
        return cls(network, scaling, dict(card.extra))


class Duet:
    """Two people by an ``interaction`` model, by an ``individual`` one for each, or by both in a mixture.

    A mixture needs a Mixer (``weigh``) or forced weights (``override``); see ``mix/weights.py``.
    """

    def __init__(
        self,
        interaction: DuetModel,
        individual: DuetModel | None = None,
        weigh: Weigher | None = None,
        override: Override | None = None,
    ) -> None:
        self.interaction, self.individual = interaction, individual
        self.weigh, self.override = weigh, override
        self.encoder = MiniLM()
        extra = interaction.extra
        self.schedule = DiscreteSchedule.of(cosine_betas(int(extra["steps"])))
        self.scale = float(extra["text_scale"])

    def generate(
        self, text: str, person_texts: Sequence[str], *, seconds: float = 4.0, seed: int = 0, steps: int = STEPS,
        using: Using = "mixed",
    ) -> Scene:  # fmt: skip
        """Return a scene of two people at 30 fps; the same seed gives the same scene.

        An empty sentence says nothing. ``individual`` alone knows no partner: the second stands beside the first.
        Raises ``RequestError`` for another number of people than two, a length that the models never saw, nothing to
        mix with, or nothing said at all.
        """
        self._check(text, person_texts, seconds, steps, using)
        frames = round(seconds * InterHumanSpace.fps)
        features = self._features(self._condition(text, person_texts), frames, seed, steps, using)  # [P, T, F]
        people = [InterHumanSpace().decode(each) for each in features.double().numpy()]
        if using == "individual":
            people[1] = people[1].moved(np.array([BESIDE, 0.0, 0.0]))
        labelled: list[Motion] = [
            person.with_labels(text=own or text, interaction=text, seed=seed)
            for person, own in zip(people, person_texts, strict=True)
        ]
        return Scene(tuple(labelled))

    def _features(self, condition: Condition, frames: int, seed: int, steps: int, using: Using) -> Tensor:
        noise = torch.randn(1, PEOPLE, frames, InterHumanSpace.dim, generator=torch.Generator().manual_seed(seed))
        levels, valid = self.schedule.levels(steps), torch.ones(1, frames, dtype=torch.bool)
        if using == "mixed":
            return list(self.walk(condition, noise, levels, valid))[-1].clean[0]
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
        *_, last = sample_along(Guided(model.network.denoise, terms), levels, noisy, condition, valid)
        clean = last.clean[0].unflatten(-1, (PEOPLE, -1)).transpose(0, 1) if using == "interaction" else last.clean
        return model.scaling.restore(clean)

    def walk(self, condition: Condition, noise: Tensor, levels: Any, valid: Tensor) -> Iterator[ChainStep]:
        """Denoise both chains from one ``noise`` [1, P, T, F]; each step has its mixing weights among its traces."""
        alone = self._alone()
        mixed = Mixed(
            SceneModel("interaction", self.interaction.network.denoise, self.interaction.scaling),
            [PersonModel("individual", alone.network.denoise, alone.scaling)],
            self.weigh,
            self.override,
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
            self.schedule.levels(steps)
        except ValueError as error:
            raise RequestError(f"{steps} steps: {error}; choose 10, 20 or 50") from error
        if using != "interaction":
            self._alone()
        if using == "mixed" and self.weigh is None and self.override is None:
            raise RequestError("a mixture needs a Mixer or forced weights; or ask one of the models alone")
