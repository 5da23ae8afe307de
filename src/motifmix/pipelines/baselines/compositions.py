"""The ways of composing a model of pairs and a model of one person, by name, all asked by one protocol.

Three blocks. ``alone``: one model, nothing composed. ``one chain``: as published, one noisy state in the interaction
model's normalised space, nobody placed. ``two chains``: MixerMDM's sampler with a chain and a space for each model,
alignment and centring, the weights forced or given by a Mixer.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from motifmix.diffusion.chains import ChainDenoiser, GuidedChains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Denoiser, Difference, Guided, sample_along
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.encoders.text import MiniLM
from motifmix.errors import WeightsError
from motifmix.features.interhuman import BLOCKS, JOINTS
from motifmix.mix.blended import Blended, Dual
from motifmix.mix.collision_guidance import CollisionGuidance, MixtureKeptApart, SceneKeptApart
from motifmix.mix.ingredients import scene_told
from motifmix.mix.mixed import Mixed
from motifmix.mix.path_ensemble import PathEnsemble
from motifmix.mix.placement import align, orthonormal
from motifmix.mix.schedules import Constant, Exponential, Linear, ReversedExponential, Share
from motifmix.mix.sparing import Sparing
from motifmix.mix.weights import Forced, Override
from motifmix.models.intergen import PEOPLE
from motifmix.pipelines.drafts import culled
from motifmix.pipelines.duet import (
    ALONE_SCALE,
    BESIDE,
    MIXED_SCALE,
    SPARING,
    DuetModel,
    mixture_of,
    people_guided,
    scene_guidance,
)
from motifmix.pipelines.duet_mixer import load_duet_mixer
from motifmix.pipelines.walks import Walk, chains_along, pair_along
from motifmix.pretrained.cards import read_card, weights_version

Block = Literal["alone", "one chain", "two chains", "mixer"]
Way = Literal["interaction", "individual", "blended", "dual", "average", "paths", "mixed"]
INTERACTION, INDIVIDUAL, FINETUNED = "weights-duets-interaction", "weights-duets-individual", "weights-duets-finetuned"
MIXERS = "weights-duets-mixer"
FAMILIAR = f"{MIXERS}-familiar"  # knows what the model of pairs was told
LED_MIXER = f"{MIXERS}-led"  # knows that too, and the model of pairs leads the way
SHIPPED = LED_MIXER  # comes with the package
LED = 600.0  # of the schedule's 1000 steps: `led` of Mixers that learn so (recipes/duets/mixer.yaml)
WINDOW, OVERLAP = 80, 40  # frames, of path ensembling
ONE_BY_ONE = ("individual", "average")  # ways whose people, or models, finish alone: nothing mixed is there before
_SEED = re.compile(r"-(?:seed-?)?\d+$")
_TEXTS = ("text", "individual_text")


@dataclass(frozen=True)
class Wanted:
    """A pair that is asked for: a sentence for both, one for each, frames at 30 fps."""

    text: str
    individual_texts: tuple[str, ...]
    frames: int


@dataclass(frozen=True)
class Made:
    """``people`` [P, T, 262] in metres; ``weights`` [steps, P, T or 1, 23 or 1], the individual model's share, if mixed."""

    people: np.ndarray
    weights: np.ndarray | None = None


@dataclass(frozen=True)
class Composition:
    """One row. ``interaction``, ``individual`` and ``mixer`` name folders below ``MOTIFMIX_HOME``.

    ``share`` is forced where there is no Mixer; ``recipe`` says what makes weights that are missing; ``tuned_as`` is the
    row whose tuned guidance it takes where it has none of its own; ``led`` of a mixture without a Mixer: see ``Mixed``, a Mixer's
    card says its own.
    """

    key: str
    title: str
    block: Block
    way: Way
    interaction: str = INTERACTION
    individual: str = INDIVIDUAL
    share: Share | None = None
    mixer: str = ""
    recipe: str = ""
    tuned_as: str = ""
    led: float | None = None

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that it needs."""
        models = {"interaction": (self.interaction,), "individual": (self.individual,)}
        return models.get(self.way, (self.interaction, self.individual)) + ((self.mixer,) if self.mixer else ())

    def missing(self, home: Path) -> str | None:
        """Return which weights are missing, or None."""
        absent = [name for name in self.folders if not any((home / name).glob("*.safetensors"))]
        return f"{', '.join(absent)} missing; train {self.recipe or 'recipes/duets'}" if absent else None

    def version(self, home: Path) -> str:
        """Return what tells its weights from others."""
        return "-".join(weights_version(home / name) for name in self.folders)


_PAIR = "recipes/duets/interaction.yaml and recipes/duets/individual.yaml"
_SHARES: tuple[tuple[str, str, Share], ...] = (
    ("exp", "exponential", Exponential()),
    ("exp-inv", "reversed exponential", ReversedExponential()),
    ("lin", "linear", Linear()),
)


def _row(key: str, title: str, block: Block, way: Way, share: Share | None = None) -> Composition:
    return Composition(key, title, block, way, share=share, recipe=_PAIR)


_ALL = (
    _row("interaction", "interaction model alone", "alone", "interaction"),
    _row("individual", "individual model alone", "alone", "individual"),
    replace(
        _row("finetuned", "finetuned model", "alone", "interaction"), interaction=FINETUNED,
        recipe="recipes/duets/finetuned.yaml",
    ),
    _row("blending", "DiffusionBlending", "one chain", "blended"),
    *(_row(f"dual-{key}", f"DualMDM, {words}", "one chain", "dual", share) for key, words, share in _SHARES),
    _row("paths", "MultiDiffusion's paths", "one chain", "paths"),
    _row("average", "plain average of finished motions", "one chain", "average", Constant(0.5)),
    _row("placed-blending", "DiffusionBlending, two chains", "two chains", "mixed", Constant(0.5)),
    *(
        _row(f"placed-dual-{key}", f"DualMDM, {words}, two chains", "two chains", "mixed", share)
        for key, words, share in _SHARES
    ),
    _row("placed-individual", "individual model on the interaction's paths", "two chains", "mixed", Constant(1.0)),
    replace(
        _row("led-blending", "DiffusionBlending, two chains, led", "two chains", "mixed", Constant(0.5)), led=LED
    ),
    _row("placed-average", "plain average, aligned", "two chains", "average", Constant(0.5)),
)  # fmt: skip
COMPOSITIONS: dict[str, Composition] = {method.key: method for method in _ALL}
"""All but the Mixers, which are found where they lie (:func:`mixers`)."""


def mixers(home: Path, kept: Iterable[Composition] = ()) -> dict[str, list[Composition]]:
    """Return the Mixers below ``home``, those of one recipe and other seeds together: ``weights-duets-mixer-NAME-SEED``.

    ``kept``: compositions of which only scores are left; the Mixers among them count as well. A Mixer is asked between the
    models that its card names. Raises ``WeightsError`` for a folder without a sound card.
    """
    there: dict[str, Composition] = {method.mixer: method for method in kept if method.key == _mixer_key(method.mixer)}
    for path in sorted(home.glob(f"{MIXERS}*/mixer.yaml")):
        folder, card = path.parent.name, read_card(path)
        name = _SEED.sub("", folder).removeprefix(MIXERS).strip("-")
        kind = str(card.extra.get("granularity", card.sizes.get("granularity", "spatio_temporal")))
        title = f"Mixer [{GRANULARITIES.get(kind, kind)}]" + (f", {name}" if name else "")
        there[folder] = Composition(
            _mixer_key(folder), title, "mixer", "mixed", str(card.extra["interaction"]), str(card.extra["individual"]),
            mixer=folder, recipe=card.recipe,
        )  # fmt: skip
    found: dict[str, list[Composition]] = {}
    for folder in sorted(there):
        found.setdefault(_mixer_key(_SEED.sub("", folder)), []).append(there[folder])
    return found


def shipped(home: Path, mixer: str = SHIPPED) -> list[Composition]:
    """Return the Mixer that comes with the package, as it lies below ``home``, and behind it those of its other training seeds.

    ``mixer``: the folder of another one. Raises ``WeightsError`` where it is not there.
    """
    for group in mixers(home).values():
        if any(own.mixer == mixer for own in group):
            return sorted(group, key=lambda own: own.mixer != mixer)
    raise WeightsError(f"{home / mixer}: this Mixer is not here; train it (recipes/duets/mixer.yaml)")


def _mixer_key(folder: str) -> str:
    return folder.removeprefix("weights-duets-")


def grid(home: Path, kept: Iterable[Composition] = ()) -> dict[str, Composition]:
    """Return what a Mixer between other models than the main pair's is compared with, between the same models.

    These are the main pair's own Mixers, which were never trained with them (modular transfer), and ``IN_GRID``; of models that
    stand in several pairs, each alone once.
    """
    found: dict[str, Composition] = {}

    def add(key: str, method: Composition, own: Composition) -> None:
        found[key] = replace(method, key=key, interaction=own.interaction, individual=own.individual)

    for name, (own, *_) in mixers(home, kept).items():
        if (own.interaction, own.individual) == (INTERACTION, INDIVIDUAL):
            continue
        short = name.removeprefix("mixer-")
        add(f"{short}.mixer", replace(own, title="the main pair's Mixer, transferred", mixer=MIXERS), own)
        comes = replace(own, title="the main pair's Mixer, led, transferred", mixer=SHIPPED)
        add(f"{short}.{_mixer_key(SHIPPED)}", comes, own)
        for key in IN_GRID:
            add(f"{short}.{key}", replace(COMPOSITIONS[key], tuned_as=key), own)
        for way, model, main in (
            ("interaction", own.interaction, INTERACTION),
            ("individual", own.individual, INDIVIDUAL),
        ):
            if model != main:
                alone = replace(COMPOSITIONS[way], tuned_as=way)
                add(model.removeprefix("weights-duets-"), alone, own)
    return found


IN_GRID = ("blending", "placed-blending", "placed-average")
GRANULARITIES = {"global": "G", "temporal": "T", "spatial": "S", "spatio_temporal": "ST"}


class Composer:
    """A composition with its weights; a Mixer is asked as often as in duets (``sparing``, which may be replaced).

    ``further`` models, by name, are mixed in beside the two. ``override`` replaces the weights of a mixture, whatever the method's
    own are. Raises ``WeightsError`` where weights are missing.
    """

    sparing: Sparing = SPARING
    further: Mapping[str, DuetModel] = MappingProxyType({})
    override: Override | None = None

    def __init__(
        self, method: Composition, home: Path, encoder: MiniLM | None = None, override: Override | None = None
    ) -> None:
        missing = method.missing(home)
        if missing:
            raise WeightsError(f"{method.title}: {missing}")
        self.method, self.encoder, self.override = method, encoder or MiniLM(), override
        used = set(method.folders)
        self._interaction = DuetModel.load(home / method.interaction) if method.interaction in used else None
        self._individual = DuetModel.load(home / method.individual) if method.individual in used else None
        self.weigh, self.led = None, method.led
        if method.mixer:
            mixer = load_duet_mixer(home / method.mixer)
            self.weigh, self.led = mixer.weigh, mixer.led

    @classmethod
    def of(cls, method: Composition, interaction: DuetModel, individual: DuetModel, encoder: MiniLM) -> "Composer":
        """Return one of models that are loaded already, for a method without a Mixer."""
        self = cls.__new__(cls)
        self.method, self.encoder, self.weigh, self.led = method, encoder, None, method.led
        self._interaction, self._individual = interaction, individual
        return self

    def make(
        self, wanted: Sequence[Wanted], seeds: Sequence[int], *, steps: int, strength: float = 1.0,
        apart: CollisionGuidance | None = None,
    ) -> list[Made]:  # fmt: skip
        """Make pairs, in one batch where that can be; each has its own seed, so that it is the same alone.

        ``strength`` multiplies the published guidance scales. ``apart`` keeps people out of each other at its steps; where
        they are made one by one (``individual``, ``average``), at the end.
        """
        if self.method.way == "paths" and len(wanted) > 1:  # where windows begin depends on the length
            return [self.make([one], [seed], steps=steps, strength=strength, apart=apart)[0]
                    for one, seed in zip(wanted, seeds, strict=True)]  # fmt: skip
        longest = max(one.frames for one in wanted)
        noise = torch.stack([_noise(seed, longest) for seed in seeds])
        valid = torch.arange(longest) < torch.tensor([one.frames for one in wanted])[:, None]
        condition, levels = self._told(wanted), self._schedule.early(steps).levels()
        apart = apart and apart.along(levels)
        if self.method.way in ONE_BY_ONE:
            clean, weights = self._one_by_one(condition, noise, valid, levels, strength), []
            clean = clean if apart is None else apart.apart(clean, valid)
        else:
            walk, clean, weights = self._walk(condition, noise, valid, strength, apart), noise, []
            for step in walk.taken(levels):
                clean = step.clean
                weights += [] if step.weights is None else [step.weights]
        return [_made(clean[number], weights, number, one.frames) for number, one in enumerate(wanted)]

    def drafted(
        self,
        wanted: Wanted,
        seeds: Sequence[int],
        scores: Callable[[Tensor], Tensor],
        *,
        steps: int,
        strength: float = 1.0,
    ) -> Made:
        """Make one pair as ``motifmix duet`` does: a draft of every seed, of which ``scores`` of clean pairs [D, P, T, 262] choose.

        Most are left where they are read early (``pipelines/drafts.py``); where people are made one by one all are finished.
        """
        count = len(seeds)
        if self.method.way in ONE_BY_ONE:
            made = self.make([wanted] * count, seeds, steps=steps, strength=strength)
            return made[int(scores(torch.from_numpy(np.stack([one.people for one in made]))).argmax())]
        walk, levels = self.begun(wanted, seeds, steps=steps, strength=strength)
        *_, last = culled(walk, levels, scores)
        return _made(last.clean[int(scores(last.clean).argmax())], [], 0, wanted.frames)

    def begun(
        self, wanted: Wanted, seeds: Sequence[int], *, steps: int, strength: float = 1.0
    ) -> tuple[Walk, list[NoiseLevel]]:
        """Return drafts of one pair, one a seed, at their noise, and the levels of so many steps from there."""
        noise = torch.stack([_noise(seed, wanted.frames) for seed in seeds])
        valid = torch.ones(len(seeds), wanted.frames, dtype=torch.bool)
        walk = self._walk(self._told([wanted] * len(seeds)), noise, valid, strength)
        return walk, self._schedule.early(steps).levels()

    @property
    def interaction(self) -> DuetModel:
        """The model of pairs."""
        assert self._interaction is not None
        return self._interaction

    @property
    def individual(self) -> DuetModel:
        """The model of one person."""
        assert self._individual is not None
        return self._individual

    @cached_property
    def _schedule(self) -> DiscreteSchedule:
        return DiscreteSchedule.of(cosine_betas(int(self._any.extra["steps"])))

    @property
    def _any(self) -> DuetModel:
        return self._interaction or self.individual

    def _told(self, wanted: Sequence[Wanted]) -> Condition:
        texts = [text for one in wanted for text in (one.text, *one.individual_texts)]
        said = torch.tensor([[float(bool(text))] for text in texts])
        vectors = (float(self._any.extra["text_scale"]) * self.encoder.encode(texts) * said).unflatten(
            0, (len(wanted), -1)
        )
        return scene_told(vectors[:, 0], vectors[:, 1:])

    def _one_by_one(
        self, condition: Condition, noise: Tensor, valid: Tensor, levels: Sequence, strength: float
    ) -> Tensor:
        """Return people [B, P, T, F] of finished motions."""
        if self.method.way == "average":
            return self._averaged(condition, noise, valid, levels, strength)
        people = self._people(condition, noise, valid, levels, strength)
        people[:, 1, :, BLOCKS["joint_positions"]] += _beside()
        return people

    def _walk(
        self,
        condition: Condition,
        noise: Tensor,
        valid: Tensor,
        strength: float,
        apart: CollisionGuidance | None = None,
    ) -> Walk:
        """Return pairs at their ``noise`` [B, P, T, F]."""
        way = self.method.way
        if way == "mixed":
            mixture = self._mixture()
            guided: ChainDenoiser = GuidedChains(mixture, [Difference(MIXED_SCALE * strength, _TEXTS)])
            guided, chains = guided if apart is None else MixtureKeptApart(guided, apart), mixture.chains
            states = tuple(chain.start(noise) for chain in chains)
            return Walk(partial(chains_along, guided, chains), states, condition, valid, self.sparing.every)
        scene = self._scene_guided(strength)
        if way != "interaction":
            alone = people_guided(self.individual, strength)
            if way == "blended":
                scene = Blended([scene, alone])
            elif way == "paths":
                scene = PathEnsemble([scene, alone], WINDOW, OVERLAP)
            else:
                scene = Dual(scene, alone, self.method.share or Exponential())
        if apart is not None:
            scene = SceneKeptApart(scene, apart, self.interaction.scaling)
        return self._pair(scene, condition, noise, valid)

    def _pair(self, denoiser: Denoiser, condition: Condition, noise: Tensor, valid: Tensor) -> Walk:
        along = partial(pair_along, denoiser, self.interaction.scaling)
        return Walk(along, (noise.transpose(1, 2).flatten(2),), condition, valid)

    def _scene_guided(self, strength: float) -> Denoiser:
        return Guided(self.interaction.denoise, scene_guidance(self.interaction, strength))

    def _people(self, condition: Condition, noise: Tensor, valid: Tensor, levels: Sequence, strength: float) -> Tensor:
        own = condition.parts["individual_text"].value.flatten(0, 1)
        told = Condition({"text": Part(own, own.abs().sum(dim=-1) > 0)})
        guided = Guided(self.individual.denoise, [Difference(ALONE_SCALE * strength, ("text",))])
        *_, last = sample_along(guided, levels, noise.flatten(0, 1), told, valid.repeat_interleave(PEOPLE, dim=0))
        return self.individual.scaling.restore(last.clean).unflatten(0, (-1, PEOPLE))

    def _averaged(
        self, condition: Condition, noise: Tensor, valid: Tensor, levels: Sequence, strength: float
    ) -> Tensor:
        pair = self._pair(self._scene_guided(strength), condition, noise, valid)
        *_, last = pair.taken(levels)
        together = last.clean
        alone = self._people(condition, noise, valid, levels, strength)
        if self.method.block == "two chains":
            together = orthonormal(together)
            alone = align(alone, together, valid[:, None])
        return 0.5 * (together + alone)

    def _mixture(self) -> Mixed:
        share = self.method.share
        override = self.override or (None if share is None else Forced(share))
        others = {"individual": self.individual, **self.further}
        return mixture_of(self.interaction, others, self.weigh, override, self.sparing, self.led)


def _made(clean: Tensor, weights: Sequence[Tensor], number: int, frames: int) -> Made:
    """Cut one pair [P, T, F] of a batch, and its weights of every step [B, K - 1, P, T or 1, 23 or 1], to its frames."""
    people = clean[:, :frames].numpy()
    if not weights:
        return Made(people)
    own = torch.stack([step[number, 0] for step in weights])
    return Made(people, (own[:, :, :frames] if own.shape[2] > 1 else own).half().numpy())


def batches(count: int, size: int) -> Iterator[slice]:
    """Yield slices of ``size`` and a shorter last one."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def _noise(seed: int, frames: int) -> Tensor:
    """Draw [P, T, F]; frame by frame, so that a longer batch does not change it.

    The generator draws sixteen at a time and mends what is left over, which four frames are not.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(-(-frames // 4) * 4, PEOPLE, BLOCKS["foot_contacts"].stop, generator=generator)
    return drawn[:frames].transpose(0, 1)


def _beside() -> Tensor:
    return torch.tensor([BESIDE, 0.0, 0.0]).repeat(JOINTS)
