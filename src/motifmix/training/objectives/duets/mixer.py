"""A Mixer between our own small models: MixerMDM's adversarial losses, or clean motion as the teacher.

As published (``published/mixermdm.py``), without its mistakes: a critic a model, whose real samples are that model's own
predictions at the same noisy input; hinge losses, and the penalty that keeps the critics' losses together; nobody knows
what the mixture should look like. What differs, and why:

- A step teaches the Mixer and the critics on the same predictions (published: a batch for each), and with ``asked_once`` the
  predictions are kept, so that the frozen models, who take a quarter of the time, are asked once for all rows of a table.
- Half of the noisy inputs are made of single clips on a pair's paths (``both_kinds.py``; published: pairs only). Otherwise
  nothing that pairs do not show would ever be mixed in training.
- What the Mixer says is restrained: a small penalty on its squared logits, towards the plain average. Without it the critics'
  constant pull drives each joint's weight to 0 or 1 for good within a hundred steps, whatever the step, frame or text.
- Mixer and critics see standardised features; what is written has that folded into its first layer and takes metres, as
  published ones do.

``learns_from: clips`` needs no critics: the mixture is compared with the clean motion that was noised, pairs as a scene, and
single clips person by person at the canonical start. So the Mixer learns whose denoising is right, at each step, joint and
frame, on clean data of each model's own kind.

``learns_from: texts`` needs no critics either: the mixture should be found by its sentences (``likeness.py``). With
``likeness`` above 0 that is added to what the others say.

With ``familiarity`` the Mixer knows the sentences that the model of pairs was told about people, and hears how near a sentence
is to them (``models/mixer.py``). What a model never saw it denoises as confidently as all else, so without that nobody can teach
a Mixer whom not to believe. Clean clips do then: those of single people are the ones whose sentences are far. Critics do not ask
about it; with ``origins`` above 0 shares are to tell where a sentence is from, high for single clips, beside what they say.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from motifmix.data.prepared import Prepared
from motifmix.diffusion.condition import Condition
from motifmix.errors import DataError, WeightsError
from motifmix.home import home
from motifmix.mix.agreement import WEIGHT as AGREEMENT
from motifmix.mix.agreement import Agreeing
from motifmix.mix.ingredients import Ingredient, Scaling
from motifmix.mix.mixed import Mixed, Mixture
from motifmix.mix.placement import center
from motifmix.mix.weights import LearnedWeights
from motifmix.models.discriminators import PERSON_FEATURES, Discriminator
from motifmix.models.intergen import PEOPLE
from motifmix.models.mixer import Granularity, Mixer
from motifmix.pipelines.duet_mixer import KNOWN
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import read_weights, weights_version, write_weights
from motifmix.pretrained.converted import STATISTICS
from motifmix.training.loop import Preparation
from motifmix.training.objectives.duets.asked import Asked
from motifmix.training.objectives.duets.base import FRAMES, SCHEDULE, STEPS, DuetObjective
from motifmix.training.objectives.duets.both_kinds import BothKinds, MixedBatch
from motifmix.training.objectives.duets.individual import STYLE_WORDS, Sentences
from motifmix.training.objectives.duets.interaction import DuetPairs, RememberedDuets
from motifmix.training.objectives.duets.kept_batches import Items, KeptBatches, place_of
from motifmix.training.objectives.duets.likeness import Guide, Guides
from motifmix.training.objectives.duets.people import People, PeopleOptions
from motifmix.training.objectives.duets.standardised import StandardisedLinear
from motifmix.training.objectives.duets.texts import TEXT_SCALE, ScaledTexts, kept
from motifmix.training.objectives.papers.base import Drawn, KeptPart
from motifmix.training.objectives.published.mixermdm import (
    Critics,
    LossSettings,
    MixerObjective,
    states_at,
)
from motifmix.training.objectives.published.own_steps import ingredients_at, predictions
from motifmix.training.publishing import LICENCE

CRITICS = ("individual_critic", "interaction_critic")
LOW, HIGH = 0.15, 0.85  # shares by which it is told where a sentence is from
_TEXT = 384
_DECIDED = 1e-6  # shares nearer to 0 or 1 than this count as this far


class DuetMixerOptions(BaseModel):
    """Options of ``duet_mixer`` recipes.

    ``interaction``, ``individual``, ``guides``: folders below MOTIFMIX_HOME, of guides the interactions' first. ``foreign``:
    share of inputs made of single clips, for which the recipe names their sets behind the pairs'. ``individual_factor`` to
    ``balance``: as published. ``restraint``: of the logits. ``likeness``: weight of how well guides tell the mixture by its texts.
    ``familiarity``: the Mixer is told how near a person's sentence is to those of the pairs; ``origins``: weight of how well its
    shares tell whether a sentence is a pair's or a single clip's. ``led``: see ``Mixed``; a mixture takes it from the card.
    ``asked_once``: how many noisy inputs the frozen models are asked about once, from which batches are drawn then; 0 asks
    about new ones at every step.
    """

    model_config = ConfigDict(extra="forbid")

    interaction: str = "weights-duets-interaction"
    individual: str = "weights-duets-individual"
    granularity: Granularity = "spatio_temporal"
    learns_from: Literal["critics", "clips", "texts"] = "critics"
    batch: int = Field(default=8, gt=0)
    asked_once: int = Field(default=0, ge=0)
    frames: int = Field(default=FRAMES, gt=1)
    foreign: float = Field(default=0.5, ge=0, le=1)
    text_dropout: float = 0.1
    individual_factor: float = 1.0
    interaction_factor: float = 2.0
    balance: float = 0.1
    restraint: float = Field(default=0.05, ge=0)
    likeness: float = Field(default=0.0, ge=0)
    familiarity: bool = False
    led: float | None = Field(default=None, ge=0, le=STEPS)
    origins: float = Field(default=0.0, ge=0)
    guides: tuple[str, str] = ("weights-duets-guide-interaction", "weights-duets-guide-individual")
    mixer: dict[str, Any] = {}
    critic: dict[str, Any] = {}

    @model_validator(mode="after")
    def _something_teaches(self) -> "DuetMixerOptions":
        if self.learns_from == "texts" and self.likeness == 0:
            raise ValueError("learns_from: texts needs a likeness above 0")
        if 0 < self.asked_once < self.batch:
            raise ValueError("asked_once must be 0 or at least the batch")
        return self


class DuetMixerObjective(DuetObjective):
    """Noises both kinds of motion, asks the frozen models, and lets a Mixer learn whom to believe."""

    model = "duet-mixer"
    _progress: Preparation | None = None

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        super().__init__(data, seed)
        self.options = o = DuetMixerOptions.model_validate(options)
        self.scalings = {role: self._base(role, getattr(o, role)) for role in ("interaction", "individual")}
        self.reader = RememberedDuets(_pairs(data[0]))
        self.people = PeopleOptions(frames=o.frames)
        self.sets = [Prepared(home() / "data" / name) for name in data[1:]]
        if o.foreign > 0 and not self.sets:
            raise DataError(
                "options.foreign needs sets of single clips in the recipe's data, behind the pairs; or set it to 0"
            )
        pairs = DuetPairs(self.reader, "train", o.frames)
        people = People(self.sets, "train", self.people) if o.foreign > 0 else None
        self._read_texts(pairs, people)
        self.clips = BothKinds(pairs, self.texts, people, self.sentences)
        self.guides = self._guides(pairs, people) if o.likeness > 0 else None
        self._networks(pairs)

    def _base(self, role: str, folder: str) -> Scaling:
        place = home() / folder
        if not (place / "denoiser.yaml").is_file():
            raise WeightsError(f"{place}: holds no denoiser; train the models that are mixed first (recipes/duets)")
        card, network, _ = load_part(place, "denoiser")
        tensors = read_weights(place, STATISTICS)[1]
        self.credit = list(dict.fromkeys([*self.credit, *card.credit]))
        self.frozen[role] = network
        self.frozen[f"{role}_scaling"] = scaling = Scaling(tensors["motion.mean"], tensors["motion.std"])
        return scaling

    def _read_texts(self, pairs: DuetPairs, people: People | None) -> None:
        """Read the tables of the two models' own recipes, so that nothing is encoded twice."""
        self.texts = [ScaledTexts(pairs.texts() + self.held_out_pairs.texts())]
        self.sentences = None
        if people is not None:
            clips = [*people.clips, *People(self.sets, "test", self.people).clips]
            self.sentences = Sentences(clips, STYLE_WORDS)
            self.texts.append(ScaledTexts(self.sentences.all()))

    def _told_of_people(self, pairs: DuetPairs) -> Tensor:
        """What the model of ``pairs`` was told about people, [N, D]."""
        captions = [self.reader.captions(name, mirrored=twin) for name, twin in pairs.entries]
        said = [caption.text for _, *own in captions for each in own for caption in each]
        return self.texts[0].vectors[_rows(self.texts[0], said)]

    def _guides(self, pairs: DuetPairs, people: People | None) -> Guides:
        """Read the guides, and tell them every sentence of the training side."""
        captions = [self.reader.captions(name, mirrored=twin) for name, twin in pairs.entries]
        shared = [caption.text for both, *_ in captions for caption in both]
        said = [self._told_of_people(pairs)]
        if people is not None:
            assert self.sentences is not None
            alone = [text for clip in people.clips for text in self.sentences.of(clip)]
            said.append(self.texts[1].vectors[_rows(self.texts[1], alone)])
        scene = self.texts[0].vectors[_rows(self.texts[0], shared)]
        folders = [home() / name for name in self.options.guides]
        return Guides(Guide.read(folders[0], PEOPLE, scene), Guide.read(folders[1], 1, torch.cat(said)))

    def _networks(self, pairs: DuetPairs) -> None:
        o = self.options
        sizes = {"text": _TEXT, **o.mixer, "granularity": o.granularity}
        if o.familiarity:
            sizes["familiar"] = True
        mixer = Mixer(**sizes)
        if mixer.familiarity is not None:
            mixer.familiarity.remember(self._told_of_people(pairs))
        mixer.input = StandardisedLinear.of(mixer.input, self.scalings["interaction"])
        self.modules["mixer"] = mixer
        self.kept["mixer"] = KeptPart("mixer:Mixer", sizes)
        if o.learns_from != "critics":
            return
        for name, people in zip(CRITICS, (1, PEOPLE), strict=True):
            critic = Discriminator(**{"text": _TEXT, **o.critic, "features": PERSON_FEATURES * people})
            critic.input = StandardisedLinear.of(critic.input, self.scalings[name.removesuffix("_critic")])
            self.modules[name] = critic

    @cached_property
    def held_out_pairs(self) -> DuetPairs:
        """The validation list."""
        return DuetPairs(self.reader, "val", self.options.frames, mirrored=False)

    @cached_property
    def held_out(self) -> BothKinds:
        """Validation pairs, and single clips of the test side, whose losses are looked at and steer nothing."""
        people = People(self.sets, "test", self.people) if self.options.foreign > 0 else None
        return BothKinds(self.held_out_pairs, self.texts, people, self.sentences)

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """The Mixer's and the critics' losses on one batch, whose gradients do not meet."""
        o = self.options
        remembered = o.asked_once > 0 and not held_out
        asked = Asked.of(self.inputs.draw(rng, o.batch)) if remembered else self._ask(generator, rng, held_out)
        asked = asked.to(self.device)
        batch, timesteps, condition = asked.batch, asked.timesteps, asked.batch.condition(asked.told)
        mixed = self._mixed(modules, timesteps)
        mixture = mixed.mix(asked.anchor, [asked.other], timesteps, condition, batch.valid)
        weights = mixture.weights.detach()
        early = timesteps >= STEPS // 2
        shares, told = mixture.weights[:, 0].mean(dim=(-1, -2)), asked.told > 0  # [B, P], [B]
        # How much weights differ between items, the adaptability of this batch.
        figures = {"weight_spread": float(weights.std(dim=0, correction=0).mean())}
        figures |= {
            f"individual_share_{name}": float(weights[which].mean())
            for name, which in (("early", early), ("late", ~early))
            if which.any()
        }
        if o.learns_from == "critics":
            loss, learnt = self._judged(modules, mixed, mixture, batch, timesteps, condition)
        elif o.learns_from == "clips":
            loss, learnt = self._compared(mixture, batch)
        else:
            loss, learnt = o.restraint * _decided(mixture), {}
        if o.origins > 0:
            wanted = LOW + (HIGH - LOW) * batch.foreign[:, None].expand_as(shares).to(shares.dtype)
            missed = functional.binary_cross_entropy(shares, wanted, reduction="none")
            missed = (missed * asked.told[:, None]).sum() / (PEOPLE * asked.told.sum()).clamp(min=1)
            loss, learnt = loss + o.origins * missed, {**learnt, "origin": float(missed.detach())}
        for name, which in (("of_pairs", ~batch.foreign), ("of_single_clips", batch.foreign)):
            if (which & told).any():
                figures[f"individual_share_{name}"] = float(shares.detach()[which & told].mean())
        if self.guides is not None:
            scene, person, found = self.guides.loss(mixture.clean, batch, asked.told)
            loss = loss + o.likeness * (scene + person)
            learnt |= {"interaction_likeness": float(scene.detach()), "individual_likeness": float(person.detach())}
            learnt |= found
        return loss, {**learnt, **figures}

    def prepare(self, progress: Preparation) -> None:
        """Make what is asked of the frozen models once, or go on with it."""
        if self.options.asked_once > 0:
            self._progress, _ = progress, self.inputs

    @cached_property
    def inputs(self) -> KeptBatches:
        """Noisy inputs of the training side, of which the frozen models are asked once."""
        o = self.options
        fields = Asked.fields(o.frames - 1)

        def asked(number: int) -> Items:
            rng = np.random.default_rng([o.asked_once, 43, number])
            return self._ask(torch.Generator().manual_seed(int(rng.integers(2**31))), rng, False).items()

        stamps = [
            *(weights_version(home() / getattr(o, role)) for role in self.scalings),
            hashlib.sha256((self.reader.folder / "duets.jsonl").read_bytes()).hexdigest(),
            *(each.fingerprint for each in self.sets),
            repr((o.frames, o.foreign, o.text_dropout, AGREEMENT)),
            str(o.asked_once),
            f"by {o.batch}",
            repr(fields),
        ]
        place = place_of(home() / "cache", "predictions", stamps)
        return KeptBatches.of(place, fields, o.asked_once, asked, self._progress)

    @torch.no_grad()
    def _ask(self, generator: torch.Generator, rng: np.random.Generator, held_out: bool) -> Asked:
        """Noise one batch and ask the frozen models."""
        o = self.options
        batch = (self.held_out if held_out else self.clips).draw(rng, o.batch, o.foreign).to(self.device)
        timesteps, noise = self.drawn_noise(batch.motion, generator)
        told = kept(o.batch, o.text_dropout, generator).to(self.device)
        chains = self._chains(timesteps)
        states = states_at(chains, self.schedule, batch.motion, noise, timesteps, batch.valid)
        anchor, other = predictions(chains, states, batch.condition(told), batch.valid)
        return Asked(batch, told, timesteps, anchor, other).to(torch.device("cpu"))

    def _judged(
        self, modules: nn.ModuleDict, mixed: Mixed, mixture: Mixture, batch: MixedBatch, timesteps: Tensor,
        condition: Condition,
    ) -> tuple[Tensor, dict[str, float]]:  # fmt: skip
        """Both halves of the adversarial step; neither teaches whom the other does."""
        o = self.options
        person, scene = (modules[name] for name in CRITICS)
        assert isinstance(person, Discriminator) and isinstance(scene, Discriminator)
        settings = LossSettings(o.individual_factor, o.interaction_factor, o.balance)
        objective = MixerObjective(mixed, Critics(person, scene), self.schedule, settings)
        for critic in (person, scene):
            critic.requires_grad_(False)
        made = objective.generator(mixture, timesteps, condition, batch.valid)
        for critic in (person, scene):
            critic.requires_grad_(True)
        judged = objective.discriminator(mixture, timesteps, condition, batch.valid)
        return made.total + o.restraint * _decided(mixture) + judged.total, {
            "mixer": float(made.total.detach()),
            "individual_critic": float(judged.people.detach().mean()) / max(o.individual_factor, 1e-9),
            "interaction_critic": float(judged.scene.detach()) / max(o.interaction_factor, 1e-9),
        }

    def _compared(self, mixture: Mixture, batch: MixedBatch) -> tuple[Tensor, dict[str, float]]:
        """Mean squared errors in the models' own standardised features: pairs as they stand, foreign people centred."""
        o, valid = self.options, batch.valid[:, None].expand(-1, PEOPLE, -1)
        scene = self._error(
            self.scalings["interaction"], mixture.clean, batch.motion, valid & ~batch.foreign[:, None, None]
        )
        made, true = center(mixture.clean, valid), center(batch.motion, valid)
        people = self._error(self.scalings["individual"], made, true, valid & batch.foreign[:, None, None])
        total = (o.interaction_factor * scene + o.individual_factor * people) / (
            o.interaction_factor + o.individual_factor
        )
        return total, {"interaction_error": float(scene.detach()), "individual_error": float(people.detach())}

    @staticmethod
    def _error(scaling: Scaling, made: Tensor, true: Tensor, counted: Tensor) -> Tensor:
        squares = ((made - true) / scaling.std).square().mean(-1)
        return (squares * counted).sum() / counted.sum().clamp(min=1)

    def _mixed(self, modules: nn.ModuleDict, timesteps: Tensor) -> Mixed:
        mixer = modules["mixer"]
        assert isinstance(mixer, Mixer)
        anchor, *others = self._chains(timesteps)
        return Mixed(anchor, others, LearnedWeights(mixer), led=self.options.led, agreement=AGREEMENT)  # as in sampling

    def _chains(self, timesteps: Tensor) -> list[Ingredient]:
        """The frozen models, the anchor first."""
        scene, person = ((role, self.frozen[role], self.scalings[role]) for role in ("interaction", "individual"))
        anchor, others = ingredients_at(timesteps, scene, [person])
        return [replace(model, denoiser=Agreeing(model.denoiser, model.scaling)) for model in (anchor, *others)]

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the Mixer (fp16); the card names the folders of the models between which it was trained."""
        o, part = self.options, self.kept["mixer"]
        tensors = {
            name: value for name, value in modules["mixer"].state_dict().items() if not name.startswith("input.")
        }
        first = modules["mixer"].get_submodule("input")
        assert isinstance(first, StandardisedLinear)
        tensors |= {f"input.{name}": value for name, value in first.folded().items()}
        if o.familiarity:
            tensors[KNOWN] = modules["mixer"].get_submodule("familiarity").get_buffer("known")
        write_weights(
            folder, "mixer", tensors, name=f"{folder.name}: mixer", role="generate", space=self.space, licence=LICENCE,
            credit=self.credit, data=self.data, recipe=facts["recipe"], commit=facts["commit"],
            architecture=part.architecture, sizes=dict(part.sizes),
            extra={
                "interaction": o.interaction, "individual": o.individual, "granularity": o.granularity,
                "trained_between": {role: weights_version(home() / getattr(o, role)) for role in self.scalings},
                "learns_from": o.learns_from, "schedule": SCHEDULE, "steps": STEPS, "text_encoder": "minilm",
                "text_scale": TEXT_SCALE, **({} if o.led is None else {"led": o.led}),
            },
        )  # fmt: skip


def _decided(mixture: Mixture) -> Tensor:
    """How far the weights are from the plain average: their mean squared logits."""
    return mixture.weights.logit(eps=_DECIDED).square().mean()


def _rows(table: ScaledTexts, texts: Iterable[str]) -> list[int]:
    return sorted({table.row[text] for text in texts if text})


def _pairs(name: str) -> Path:
    folder = home() / "data" / name
    if not (folder / "duets.jsonl").exists():
        raise DataError(f"{folder}: holds no pairs; run 'motifmix data prepare duets --out {folder}' first")
    return folder
