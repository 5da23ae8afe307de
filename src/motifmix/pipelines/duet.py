"""`Duet`: a sentence for two people or more and one for each in, a scene out; with one of the small models, or several mixed.

>>> duet = motifmix.load_duet()
>>> greeting = duet.generate("two people greet each other", ["a person bows", "a person waves"], styles=[None, "old"])
>>> motifmix.write("greeting.glb", greeting)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from motifmix.credits import together
from motifmix.diffusion.chains import ChainDenoiser, GuidedChains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Denoiser, Difference, Guided, sample_along
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.diffusion.windows import Windowed
from motifmix.drawing.mannequin_capsules import mesh_radii
from motifmix.encoders.text import MiniLM
from motifmix.errors import RequestError, WeightsError
from motifmix.features.humanml3d import HumanML3DSpace
from motifmix.features.interhuman import InterHumanSpace
from motifmix.features.space import FeatureSpace
from motifmix.mix.agreement import WEIGHT, Agreeing
from motifmix.mix.collision_guidance import AIR, CollisionGuidance, MixtureKeptApart, SceneKeptApart
from motifmix.mix.groups import Group, Pairs
from motifmix.mix.ingredients import EachPerson, Ingredient, PersonModel, Scaling, SceneModel, scene_told
from motifmix.mix.long_scene import LongScene, OneModel
from motifmix.mix.mixed import Mixed
from motifmix.mix.other_space import OtherSpaceModel
from motifmix.mix.schedules import original_step
from motifmix.mix.sparing import Sparing
from motifmix.mix.weights import Override, Weigher, WholePeople
from motifmix.models.in2in import In2INInteraction, multi_condition_guidance
from motifmix.models.intergen import PEOPLE, InterGenDenoiser
from motifmix.models.mdm import MDM
from motifmix.motion import Scene
from motifmix.motion.keeping_apart import kept_apart
from motifmix.pipelines.drafts import FINISHED, MOST_DRAFTS, Reader, culled, drafts_for
from motifmix.pipelines.group_scene import MOST_PEOPLE, checked_pairs, of_two, one_world
from motifmix.pipelines.settling import all_held, on_floor
from motifmix.pipelines.walks import Walk, Walked, chains_along, pair_along
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import read_weights
from motifmix.pretrained.converted import STATISTICS

if TYPE_CHECKING:  # what gives people styles is loaded when the first style comes
    from motifmix.pipelines.style_transfer import StyleTransfer
    from motifmix.pipelines.styled_drafts import StyledReader
    from motifmix.style.references import StyleLike

STEPS = 10  # what the tables of compositions are measured at
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 4.0  # what the models saw
MOST_SECONDS = 12.0  # in windows of what they saw
WINDOW = round(LONGEST_SECONDS * InterHumanSpace.fps)  # frames, of those windows
OVERLAP = WINDOW // 2  # what neighbours share is averaged at every step
MIXED_SCALE = 3.5
MIXED_BRANCHES = 2  # of guidance: one is told nothing, the other everything
# What it spares: docs/duet_speed.md; that branches with one branch's weights are better, docs/guided_weights.md.
SPARING = Sparing(every=2, one_branch=True)
ALONE_SCALE = 2.5
BESIDE = 1.0  # metres: where a second person stands of whom nobody knows where he should
ADAPTED: dict[str, FeatureSpace] = {HumanML3DSpace.name: HumanML3DSpace()}
"""Features of one person that a mixture takes beside InterHuman's, each model with a chain in its own (mix/other_space.py)."""
Using = Literal["interaction", "individual", "mixed"]
# Of guidance, times the published scales: chosen on validation pairs, docs/composition_scores/guidance.json.
STRENGTHS = {"mixed": 1.0, "interaction": 1.0, "individual": 2.0}


@dataclass(frozen=True, eq=False)
class DuetModel:
    """One small model: its network, its scaling, and what its card says; ``space``: its features, if not InterHuman's."""

    network: Any
    scaling: Scaling
    extra: dict[str, Any]
    credit: tuple[str, ...] = ()
    licence: str = ""
    space: FeatureSpace | None = None

    @property
    def in_pairs(self) -> bool:
        """Whether it makes two people at once."""
        return isinstance(self.network, (In2INInteraction, InterGenDenoiser))

    @property
    def denoise(self) -> Denoiser:
        """The network; its predictions in InterHuman's features agree with themselves (``mix/agreement.py``)."""
        return self.network.denoise if self.space is not None else Agreeing(self.network.denoise, self.scaling)

    def ingredient(self, name: str) -> Ingredient:
        """Return it as a mixture sees it."""
        if self.space is not None:
            return OtherSpaceModel(name, self.denoise, self.scaling, self.space)
        kind = SceneModel if self.in_pairs else PersonModel
        return kind(name, self.denoise, self.scaling)

    @classmethod
    def load(cls, folder: Path | str) -> "DuetModel":
        """Read a folder that a recipe of ``recipes/duets`` wrote.

        Raises ``WeightsError`` where it is none, or where the model has other features than the scene has.
        """
        card, network, _ = load_part(Path(folder), "denoiser")
        space = ADAPTED.get(card.space)
        if card.space != InterHumanSpace.name and (space is None or not isinstance(network, MDM)):
            raise WeightsError(
                f"{folder}: this model has the features {card.space}, people in a scene have {InterHumanSpace.name}, and "
                "there is no adapter between the two; name a model that recipes/duets trains"
            )
        tensors = read_weights(Path(folder), STATISTICS)[1]
        scaling = Scaling(tensors["motion.mean"].float(), tensors["motion.std"].float())
        return cls(network, scaling, dict(card.extra), tuple(card.credit), card.licence, space)


@dataclass(frozen=True, eq=False)
class Composed:
    """A ``scene``, and how it was mixed: ``weights`` [steps, P, T or 1, 23 or 1], the individual model's share.

    ``loose`` are its people before their feet were held (None: nobody's were), ``resting`` [T, 2] one a person in which frames
    that is (empty where feet are left as they are): who gets a style gets it before. ``others`` are further drafts that went on to
    the end, which may take a style better (``drafts``).
    ``steps``: the diffusion step that each of them belongs to. Both are empty (None) where nothing was mixed. ``further``:
    the shares of models that were mixed in beside the two, by name; the interaction model has what is left.
    """

    scene: Scene
    weights: np.ndarray | None = None
    steps: tuple[float, ...] = ()
    further: Mapping[str, np.ndarray] = field(default_factory=dict)
    loose: Scene | None = None
    resting: tuple[np.ndarray, ...] = ()
    others: "tuple[Composed, ...]" = ()

    @property
    def drafts(self) -> "list[tuple[Scene, tuple[np.ndarray, ...]]]":
        """This draft and the others, as ``styled_scene.py`` takes them."""
        return [(own.loose or own.scene, own.resting) for own in (self, *self.others)]

    @property
    def shares(self) -> dict[str, np.ndarray]:
        """The share of every model by its name; they add up to 1. Nothing where nothing was mixed."""
        if self.weights is None:
            return {}
        left = 1.0 - self.weights
        for share in self.further.values():
            left = left - share
        return {"interaction": left, "individual": self.weights, **self.further}


def mixture_of(
    interaction: DuetModel,
    others: Mapping[str, DuetModel],
    weigh: Weigher | None,
    override: Override | None,
    sparing: Sparing = SPARING,
    led: float | None = None,
) -> Mixed:
    """Return small models as they are mixed everywhere: ``others`` by name, each against the interaction model.

    Where one of them has features of its own, a Mixer's weights are those of whole people.
    """
    if weigh is not None and any(model.space is not None for model in others.values()):
        weigh = WholePeople(weigh)
    return Mixed(
        interaction.ingredient("interaction"),
        [model.ingredient(name) for name, model in others.items()],
        sparing.applied(weigh, MIXED_BRANCHES),
        override,
        led=led,
        negligible=sparing.negligible,
        agreement=WEIGHT,
    )


class Duet:
    """Two people by an ``interaction`` model, by an ``individual`` one for each, or by both in a mixture; and more people.

    A mixture needs a Mixer (``weigh``) or forced weights (``override``); see ``mix/weights.py``. ``sparing``: how often it
    is asked; ``led``: see ``Mixed``. ``further`` models, by name, are mixed in beside the two, each against the interaction
    model. Three people and more are asked for two by two (``mix/groups.py``). Raises ``WeightsError`` for a further model
    of another process.
    """

    def __init__(
        self,
        interaction: DuetModel,
        individual: DuetModel | None = None,
        weigh: Weigher | None = None,
        override: Override | None = None,
        sparing: Sparing = SPARING,
        further: Mapping[str, DuetModel] | None = None,
        led: float | None = None,
    ) -> None:
        self.interaction, self.individual, self.further = interaction, individual, dict(further or {})
        for name, model in self.further.items():
            for what in ("steps", "text_scale"):
                if model.extra.get(what) != interaction.extra[what]:
                    raise WeightsError(
                        f"{name}: this model was trained with {what} {model.extra.get(what)}, the interaction model with "
                        f"{interaction.extra[what]}; mix models that recipes/duets trains"
                    )
            read, has = (own.network.text.in_features for own in (model, interaction))
            if read != has:
                raise WeightsError(
                    f"{name}: this model reads {read} numbers of text, the interaction model {has}; mix models that "
                    "recipes/duets trains"
                )
        self.weigh, self.override, self.sparing, self.led = weigh, override, sparing, led
        self.encoder = MiniLM()
        extra = interaction.extra
        self.schedule = DiscreteSchedule.of(cosine_betas(int(extra["steps"])))
        self.scale = float(extra["text_scale"])

    def generate(
        self, text: str, person_texts: Sequence[str], *, seconds: float = 4.0, seed: int = 0, steps: int = STEPS,
        using: Using = "mixed", styles: "Sequence[StyleLike | None] | None" = None,
        strengths: Sequence[float] | float = 1.0, clean_feet: bool = True, pairs: Sequence[tuple[int, int]] | None = None,
        keep_apart: bool = True, drafts: int | None = None,
    ) -> Scene:  # fmt: skip
        """Return a scene of a person for each of ``person_texts`` at 30 fps; the same seed gives the same scene.

        Of several ``drafts`` that one is kept which is told best by its sentences (``drafts.py``): twelve where the package has
        who reads them, fewer of longer scenes and more people, and otherwise one.
        Beyond 4 s, up to 12, it is made in overlapping windows that are laid end to end (``mix/long_scene.py``); by the
        individual model alone they are averaged where they stand (``diffusion/windows.py``), and nobody gets far.
        An empty sentence says nothing. ``individual`` alone knows no partner: each stands beside the one before. ``pairs``
        says who of three and more interacts with whom, persons counted from 0; the first one with each other otherwise.
        ``styles``: one a person or None, as the default model takes them (``strengths`` 0 to 2, for all or one a person);
        it restyles each on his own path, in several ways and drafts of which readers choose unless one draft is asked for.
        ``clean_feet`` holds resting feet still, by the legs: nobody's path changes.
        ``keep_apart`` keeps people out of each other (``mix/collision_guidance.py``).
        Raises ``RequestError`` for fewer people than two or too many, a pair that cannot be, a length that the models never
        saw, nothing to mix with, nothing said at all, or drafts that nobody can make or choose from.
        """
        composed = self.compose(
            text, person_texts, seconds=seconds, seed=seed, steps=steps, using=using, clean_feet=clean_feet, pairs=pairs,
            keep_apart=keep_apart, drafts=drafts, alternatives=styles is not None,
        )  # fmt: skip
        if styles is None:
            return composed.scene
        from motifmix.pipelines.styled_scene import styled_draft

        return styled_draft(
            self.stylist, composed.drafts, styles, strengths, person_texts, text=text, pairs=pairs,
            reader=self.styled_reader(drafts), clean_feet=clean_feet,
        )[0]  # fmt: skip

    def compose(
        self, text: str, person_texts: Sequence[str], *, seconds: float = 4.0, seed: int = 0, steps: int = STEPS,
        using: Using = "mixed", clean_feet: bool = True, progress: Callable[[int, int], None] | None = None,
        pairs: Sequence[tuple[int, int]] | None = None, keep_apart: bool = True, drafts: int | None = None,
        alternatives: bool = False,
    ) -> Composed:  # fmt: skip
        """Return what :meth:`generate` does before it comes to styles, with the mixing weights of every step.

        ``alternatives``: with the ``others`` of the drafts that went on to the end.
        """
        count, met = len(person_texts), checked_pairs(pairs, len(person_texts))
        # The model of two knows one pair as it stands; all else is put together of pairs.
        grouped = using != "individual" and met != ((0, 1),)
        self._check(text, person_texts, seconds, steps, using, grouped)
        frames = round(seconds * InterHumanSpace.fps)
        drafts = self._checked_drafts(drafts, len(met) * frames / WINDOW)
        generator, shape = torch.Generator().manual_seed(seed), (1, count, frames, InterHumanSpace.dim)
        noise = torch.cat(
            [torch.randn(shape, generator=generator) for _ in range(drafts)]
        )  # the first as if it were alone
        vectors = self._vectors(of_two(text) if count > PEOPLE else text, person_texts)
        condition = self._condition(vectors, drafts)
        levels = self.schedule.early(steps).levels()
        apart = CollisionGuidance().along(levels) if keep_apart else None
        walk = self._walk(condition, noise, using, met if grouped else None, apart)
        features, weights, left = noise, [], tuple(range(drafts))
        for number, step in enumerate(culled(walk, levels, partial(self._told, met, vectors, using, grouped)), start=1):
            if len(step.numbers) < len(left):
                weights = [own[list(step.numbers)] for own in weights]
            features, left = step.clean, step.numbers
            weights += [] if step.weights is None else [step.weights]
            if progress is not None:
                progress(number, steps)
        best = self._best(features, met, vectors, using, grouped)
        further = self.further if using == "mixed" else {}
        used = [model for model in (self.interaction, self.individual, *further.values()) if model is not None]
        credit = together(line for model in used for line in model.credit)
        terms = {name: line for name, line in (("credit", credit), ("licence", used[0].licence)) if line}
        labels = [
            {"text": own or text, "interaction": text, "seed": seed, "drafts": drafts, **terms} for own in person_texts
        ]
        known = tuple(original_step(level) for level in levels[:-1])

        def finished(best: list[int]) -> Composed:
            if grouped:
                people, resting = one_world(features[best[0]], met, count)
            else:
                space, drafted = InterHumanSpace(), features.double().numpy()
                kept = [drafted[own, number] for number, own in enumerate(best)]
                people, resting = [space.decode(own) for own in kept], [space.resting(own) for own in kept]
            if using == "individual":
                beside = np.array([BESIDE, 0.0, 0.0])
                people[1:] = [person.moved(number * beside) for number, person in enumerate(people[1:], start=1)]
            if keep_apart and (grouped or using == "individual"):  # who stands where was decided just now
                people = kept_apart(people, mesh_radii(), AIR)
            people = [on_floor(person) for person in people] if clean_feet else people
            loose = Scene(tuple(person.with_labels(**own) for person, own in zip(people, labels, strict=True)))
            rests = tuple(resting) if clean_feet else ()
            scene = all_held(loose, rests)
            if not weights:
                return Composed(scene, loose=loose, resting=rests)
            mixing = torch.stack([own[best[0]] for own in weights], dim=1).double().numpy()
            individual, *others = mixing  # [K - 1, S, P, T or 1, 23 or 1]
            return Composed(scene, individual, known, dict(zip(further, others, strict=True)), loose, rests)

        composed = finished(best)
        if not alternatives or using == "individual":  # each of whom has a draft of his own
            return composed
        left_over = [number for number in range(len(features)) if number != best[0]][: FINISHED - 1]
        return replace(composed, others=tuple(finished([number] * count) for number in left_over))

    @cached_property
    def stylist(self) -> "StyleTransfer":
        """Who gives people styles: the default model, loaded when the first style comes."""
        from motifmix.pipelines.style_transfer import StyleTransfer
        from motifmix.pipelines.text_to_motion import TextToMotion

        return StyleTransfer(TextToMotion())

    def styled_reader(self, drafts: int | None = None) -> "StyledReader | None":
        """Who chooses from ways to restyle people; nobody where a single draft is asked for."""
        return None if drafts == 1 else self._styled_reader

    @cached_property
    def _styled_reader(self) -> "StyledReader":
        from motifmix.pipelines.styled_drafts import StyledReader, StyleReader

        return StyledReader(StyleReader.load(), self.reader, self.encoder)

    @cached_property
    def reader(self) -> Reader | None:
        """Who chooses from drafts, loaded when the first are made; None where nobody is here."""
        return Reader.load(WINDOW)

    def _checked_drafts(self, drafts: int | None, size: float) -> int:
        if drafts is None:
            return 1 if self.reader is None else drafts_for(size)
        if not 1 <= drafts <= MOST_DRAFTS:
            raise RequestError(f"{drafts} drafts: choose 1 to {MOST_DRAFTS}")
        if drafts > 1 and self.reader is None:
            raise RequestError(
                "nobody here can choose from drafts: the evaluators with the role select are missing; ask for one draft"
            )
        return drafts

    def _best(self, drafts: Tensor, pairs: Pairs, vectors: Tensor, using: Using, grouped: bool) -> list[int]:
        """Return the place of the draft that is kept, for each person: people who were made alone are chosen alone.

        ``drafts``: [D, P, T, F], of groups [D, E, 2, T, F]; ``vectors`` of the scene's sentence and each person's.
        """
        count = len(vectors) - 1
        if len(drafts) == 1 or self.reader is None:
            return [0] * count
        best = self._told(pairs, vectors, using, grouped, drafts).argmax(dim=0)
        return best.expand(count).tolist()

    def _told(self, pairs: Pairs, vectors: Tensor, using: Using, grouped: bool, drafts: Tensor) -> Tensor:
        """Return how well drafts are told, [D], or [D, P] where people are made alone; see :meth:`_best`."""
        assert self.reader is not None  # _checked_drafts
        if using == "individual":
            return self.reader.of_people(drafts, vectors[1:])
        return self.reader.of_pairs(drafts if grouped else drafts[:, None], pairs, vectors[0], vectors[1:])

    def _walk(
        self, condition: Condition, noise: Tensor, using: Using, pairs: Pairs | None = None,
        apart: CollisionGuidance | None = None,
    ) -> Walk:  # fmt: skip
        """Return drafts at the ``noise`` [D, P, T, F] where their walk begins.

        Clean ones are people [D, P, T, F], with ``pairs`` the pairs [D, E, 2, T, F]; weights are [D, K - 1, P, T or 1, 23 or 1].
        """
        long = noise.shape[2] > WINDOW
        valid = torch.ones(len(noise), noise.shape[2], dtype=torch.bool)
        if pairs is None and using == "individual":
            return Walk(partial(self._people_along, long), (noise,), condition, valid)
        if pairs is None and using == "interaction" and not long:
            scaling = self.interaction.scaling
            pair: Denoiser = Guided(self.interaction.denoise, scene_guidance(self.interaction, STRENGTHS[using]))
            pair = pair if apart is None else SceneKeptApart(pair, apart, scaling)
            return Walk(partial(pair_along, pair, scaling), (noise.transpose(1, 2).flatten(2),), condition, valid)
        mixed = using == "mixed"
        terms = [_whole_guidance()] if mixed else scene_guidance(self.interaction, STRENGTHS["interaction"])
        if pairs is not None:
            anchor = SceneModel("interaction", self.interaction.denoise, self.interaction.scaling)
            group = Group(self._mixture() if mixed else anchor, pairs, noise.shape[1])
            guided, chains, states = GuidedChains(group, terms), group.chains, group.states(noise)
        else:
            mixture = self._mixture() if mixed else OneModel(self.interaction.ingredient("interaction"))
            guided, chains = GuidedChains(mixture, terms), mixture.chains
            states = [chain.start(noise) for chain in chains]
            if long:
                guided = LongScene(guided, chains, noise.shape[2], WINDOW, OVERLAP)
                chains, states = guided.chains, guided.states(noise)
        kept: ChainDenoiser = guided if apart is None else MixtureKeptApart(guided, apart)
        every = self.sparing.every if mixed else 1
        return Walk(partial(chains_along, kept, chains), tuple(states), condition, valid, every)

    def _people_along(
        self, long: bool, states: tuple[Tensor, ...], condition: Condition, valid: Tensor, levels: Sequence[NoiseLevel]
    ) -> Iterator[Walked]:
        """Take people by the individual model alone along ``levels``."""
        model, (noisy,) = self._alone(), states
        own = condition.parts["individual_text"].value.flatten(0, 1)
        told = Condition({"text": Part(own, own.abs().sum(dim=-1) > 0)})
        guided: Denoiser = Guided(model.denoise, [Difference(ALONE_SCALE * STRENGTHS["individual"], ("text",))])
        if long:  # laid end to end, what it says of people alone climbs without end
            guided = Windowed(guided, WINDOW, OVERLAP)
        real = valid.repeat_interleave(noisy.shape[1], dim=0)
        for step in sample_along(guided, levels, noisy.flatten(0, 1), told, real):
            yield Walked((step.noisy.view_as(noisy),), model.scaling.restore(step.clean).view_as(noisy))

    def _mixture(self) -> Mixed:
        others = {"individual": self._alone(), **self.further}
        return mixture_of(self.interaction, others, self.weigh, self.override, self.sparing, self.led)

    def _condition(self, vectors: Tensor, scenes: int = 1) -> Condition:
        return Condition.stacked([scene_told(self.scale * vectors[:1], self.scale * vectors[None, 1:])] * scenes)

    def _vectors(self, text: str, person_texts: Sequence[str]) -> Tensor:
        """Embed the scene's sentence and each person's, [1 + P, 384]; zero where nothing is said."""
        texts = [text, *person_texts]
        return self.encoder.encode(texts) * torch.tensor([[float(bool(each.strip()))] for each in texts])

    def _alone(self) -> DuetModel:
        if self.individual is None:
            raise RequestError("there is no model of one person here; name one, or ask the interaction model alone")
        return self.individual

    def _check(
        self, text: str, person_texts: Sequence[str], seconds: float, steps: int, using: Using, grouped: bool
    ) -> None:
        if not PEOPLE <= len(person_texts) <= MOST_PEOPLE:
            raise RequestError(
                f"two people need two sentences, and up to {MOST_PEOPLE} people one each; {len(person_texts)} "
                "are here; an empty one says nothing"
            )
        if not any([text.strip(), *(own.strip() for own in person_texts)]):
            raise RequestError("nothing is said about anybody; say what the people do")
        most = MOST_SECONDS if not grouped else LONGEST_SECONDS
        if not SHORTEST_SECONDS <= seconds <= most:
            of_whom = "scenes of pairs" if grouped else "two people"
            raise RequestError(f"{seconds} s: {of_whom} last {SHORTEST_SECONDS:.0f} to {most:.0f} s")
        try:
            self.schedule.early(steps)
        except ValueError as error:
            raise RequestError(f"{steps} denoising steps: {error}; choose 5 to 50, or more for a study") from error
        if using != "interaction":
            alone = self._alone()
            if alone.space is not None and using == "individual":
                raise RequestError(
                    f"the individual model here has the features {alone.space.name}: it is mixed with others, and not asked alone"
                )
        if using == "mixed" and self.weigh is None and self.override is None:
            raise RequestError("a mixture needs a Mixer or forced weights; or ask one of the models alone")


def scene_guidance(model: DuetModel, strength: float) -> list[Difference]:
    """How a model of two people is guided by itself, ``strength`` times as published: in2IN's with three terms, another with one."""
    several = isinstance(model.network, In2INInteraction)
    terms = multi_condition_guidance() if several else [Difference(MIXED_SCALE, ("text",))]
    return [replace(term, scale=term.scale * strength) for term in terms]


def people_guided(model: DuetModel, strength: float) -> Denoiser:
    """A guided model of one person, asked for everybody in the scene's one chain; ``strength`` times the published scale."""
    return Guided(EachPerson(model.denoise), [Difference(ALONE_SCALE * strength, ("individual_text",))])


def _whole_guidance() -> Difference:
    """How a mixture is guided: told everything, or nothing."""
    return Difference(MIXED_SCALE * STRENGTHS["mixed"], ("text", "individual_text"))
