"""What all published models share at work: requests in, noise by seed, one loop, features back to motions.

Items are sampled together only where they have the same number of frames, so nothing is padded: some published weights
look at padding, and a motion must not depend on what else was asked for.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from motifmix.diffusion.chains import ChainStep
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Denoiser, Step, sample_along
from motifmix.diffusion.discrete import BETAS, DiscreteSchedule
from motifmix.diffusion.solvers import ancestral_step, ddim_step
from motifmix.encoders.published import text_encoder
from motifmix.encoders.text_features import TextEncoder
from motifmix.encoders.tiny import TINY, Kind, tiny_text_encoder
from motifmix.errors import RequestError, WeightsError
from motifmix.features.humanml3d import HumanML3DSpace
from motifmix.features.interhuman import InterHumanSpace
from motifmix.motion import Motion, Scene
from motifmix.motion.foot_cleanup import cleaned_feet
from motifmix.pipelines.one_each import one_each, seconds_each, seeds_each, sentences
from motifmix.pretrained.converted import PublishedNetworks
from motifmix.pretrained.published import Schedule
from motifmix.style.references import StyleLike, resolve

LARGEST = 1e6  # of a feature that is no longer one: metres, radians, or parts of a rotation
SPACES = {space.name: space for space in (HumanML3DSpace(), InterHumanSpace())}
LONGEST = {HumanML3DSpace.name: 196, InterHumanSpace.name: 299}
"""Frames of the longest clips that the published models were trained on."""
SHORTEST_SECONDS, DEFAULT_SECONDS = 1.0, 6.0
BATCH = 16
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Asked:
    """One checked request; ``individual_texts``: one a person; ``style``: a motion on the motifmix skeleton."""

    text: str
    individual_texts: tuple[str, ...]
    style: Motion | None
    frames: int
    seed: int


class PublishedGenerator(PublishedNetworks):
    """A converted model that makes motions. Families say how many ``people``, how they walk, and what comes out."""

    people: ClassVar[int] = 1
    styled: ClassVar[bool] = False
    tells_people: ClassVar[bool] = False
    batch: ClassVar[int] = BATCH

    def generate(
        self,
        texts: Sequence[str],
        styles: Sequence[StyleLike | None] | None = None,
        seconds: float | Sequence[float | None] | None = None,
        seeds: int | Sequence[int] | None = None,
        *,
        individual_texts: Sequence[Sequence[str]] | None = None,
        strength: float = 1.0,
        steps: int | None = None,
        clean_feet: bool = False,
        progress: Progress | None = None,
    ) -> list[Any]:
        """Return a `Motion` on the motifmix skeleton for each text, or a `Scene` where the model makes two people.

        ``styles``: a motion or motion file each, for models that take one; ``strength``, 0 to 2, is a factor on its
        guidance. ``seconds``: 1 to what the model was trained on, None for six. ``seeds`` as in ``TextToMotion``.
        ``individual_texts``: what each person does, for models that are told; without them each is told the whole text.
        ``steps`` other than the card's are quicker or finer, and no longer the published setting. Feet are left as they
        come unless ``clean_feet``. ``progress`` gets steps of the sampler, done and to do. Raises ``RequestError``, and
        ``WeightsError`` where the text encoder is absent or the weights make no motion.
        """
        asked = self._asked(texts, styles, seconds, seeds, individual_texts)
        if not 0.0 <= strength <= 2.0:
            raise RequestError(f"a style strength of {strength:g} is out of range; give 0 to 2, 1 is the published one")
        if strength != 1.0 and not self.styled:
            raise RequestError(f"{self.card.published} takes no style, so it has no strength; leave it at 1")
        groups, made = self._groups(asked), dict[int, Motion | Scene]()
        for number, group in enumerate(groups):
            own = [asked[place] for place in group]
            last = None
            with torch.no_grad():
                for last in self.walk(own, steps, strength):
                    if progress is not None:
                        progress(number * last.of + last.number, len(groups) * last.of)
                assert last is not None  # every schedule has a step
                features = self.features(last, own[0].frames).double().numpy()
            if not np.abs(features).max() < LARGEST:  # nor is one that is no number
                raise WeightsError(
                    f"{self.card.published} makes numbers that are no motion (not finite, or in millions): its weights, or its "
                    "mean and std, are spoilt; convert the published files again and run 'motifmix models verify'"
                )
            for place, item in zip(group, features, strict=True):
                made[place] = self._decoded(item, asked[place], clean_feet)
        return [made[place] for place in range(len(asked))]

    def describe(self, text: str, style: StyleLike | None = None) -> list[str]:
        """Return what to know before generating: whose model it is and what may be done with what it makes."""
        notes = [f"{self.card.title}: {self.licence}"]
        if self.styled and style is None:
            notes.append(f"no style was given, so {self.card.published} makes the motion without one")
        return notes

    @abstractmethod
    def walk(self, asked: Sequence[Asked], steps: int | None, strength: float) -> Iterator[Step | ChainStep]:
        """Sample items of the same number of frames, step by step; ``steps`` None is the card's number."""

    @abstractmethod
    def features(self, last: Any, frames: int) -> Tensor:
        """Return features [B, people, frames, F], not normalised, of the sampler's last step."""

    # -- what families are made of

    @property
    def schedule(self) -> Schedule:
        """The card's schedule. Raises ``WeightsError`` where it has none."""
        if self.card.schedule is None:
            raise WeightsError(f"the card of {self.card.published} names no schedule; convert the model again")
        return self.card.schedule

    @property
    def options(self) -> dict[str, Any]:
        """Further options of the schedule: steps, guidance scales."""
        return self.schedule.options

    @cached_property
    def text_encoder(self) -> TextEncoder:
        """The text encoder that the card names, loaded when the first text comes."""
        if self.card.text_encoder is None:
            raise WeightsError(f"the card of {self.card.published} names no text encoder; convert the model again")
        if self.card.text_encoder == TINY:  # of a recipe that was tried out
            return tiny_text_encoder(*self.text_form)
        return text_encoder(self.card.text_encoder)

    @property
    @abstractmethod
    def text_form(self) -> tuple[Kind, int]:
        """In which form and width the networks read a text."""

    @property
    def space(self) -> HumanML3DSpace | InterHumanSpace:
        """The feature space that the card names."""
        if self.card.space not in SPACES:
            raise WeightsError(
                f"no motion can be made from the feature space {self.card.space!r} of this model, only from "
                f"{' and '.join(SPACES)}; use its networks from Python (motifmix.load(FOLDER).parts)"
            )
        return SPACES[self.card.space]

    @property
    def longest(self) -> int:
        """Frames of the longest motion."""
        return LONGEST[self.space.name]

    def quirks(self, *known: Any) -> list[Any]:
        """Return those of the ``known`` quirks that the card asks for."""
        return [quirk for quirk in known if quirk.name in self.card.quirks]

    def restored(self, features: Tensor, statistics: str = "motion") -> Tensor:
        """Undo the normalisation of features [..., F]."""
        normaliser = self.statistics[statistics]
        mean, std = (torch.from_numpy(np.asarray(part)).to(features) for part in (normaliser.mean, normaliser.std))
        return features * std + mean

    def thinned(self, steps: int | None) -> DiscreteSchedule:
        """Return the card's schedule with ``steps`` steps. Raises ``RequestError`` for a number that does not fit."""
        schedule = self.schedule
        kept = self.options.get("respacing")
        if steps is not None:
            kept = f"ddim{steps}" if schedule.sampler == "ddim" else steps
        with fitting(steps):
            return DiscreteSchedule.of(BETAS[schedule.kind](schedule.steps), kept)

    def along(
        self, denoiser: Denoiser, steps: int | None, asked: Sequence[Asked], width: int, condition: Condition
    ) -> Iterator[Step]:
        """Sample frames [B, T, width] by the card's sampler; a seed's noise is the same for every length."""
        frames, eta = asked[0].frames, self.options.get("eta", 0.0)
        noise = (draw[:, :frames] for draw in drawn(asked, self.longest, width))
        ancestral = self.schedule.sampler == "ancestral"
        return sample_along(
            denoiser,
            self.thinned(steps).levels(),
            next(noise),
            condition,
            everyone(asked, frames),
            solver=ancestral_step if ancestral else partial(ddim_step, eta=eta),
            fresh_noise=noise if ancestral or eta else None,
        )

    # -- requests

    def _asked(
        self,
        texts: Sequence[str],
        styles: Sequence[StyleLike | None] | None,
        seconds: float | Sequence[float | None] | None,
        seeds: int | Sequence[int] | None,
        individual_texts: Sequence[Sequence[str]] | None,
    ) -> list[Asked]:
        texts = sentences(texts)
        count, name = len(texts), self.card.published
        if any(not text.strip() for text in texts):
            raise RequestError("the text is empty; say what happens, as in 'a person walks forward'")
        if individual_texts is not None and not self.tells_people:
            raise RequestError(f"{name} reads one text only; leave out what each person does")
        own = one_each(individual_texts, count, "lists of individual texts")
        if any(lines is not None and len(lines) != self.people for lines in own):
            raise RequestError(f"{name} makes {self.people} people; give a text for each of them")
        wanted = seeds_each(seeds, count)
        read: dict[int, Motion | None] = {}  # a style given for many texts is read once
        chosen = one_each(styles, count, "styles")
        for style in chosen:
            if id(style) not in read:
                read[id(style)] = self._style(style)
        return [
            Asked(
                text,
                (text,) * self.people if own[place] is None else tuple(own[place]),
                read[id(chosen[place])],
                frames,
                wanted[place],
            )
            for place, (text, frames) in enumerate(zip(texts, self._frames(seconds, count), strict=True))
        ]

    def _style(self, style: StyleLike | None) -> Motion | None:
        if style is None:
            return None
        if not self.styled:
            raise RequestError(f"{self.card.published} takes no style; leave it out, or say it in the text")
        parts = resolve(style)
        if len(parts) != 1 or parts[0].motion is None:
            raise RequestError(
                f"{self.card.published} takes the style of one motion; give a .bvh or .npz, no words and no blend"
            )
        return parts[0].motion

    def _frames(self, seconds: float | Sequence[float | None] | None, count: int) -> list[int]:
        most = self.longest / self.space.fps
        wanted = [DEFAULT_SECONDS if own is None else own for own in seconds_each(seconds, count)]
        for own in wanted:
            if not SHORTEST_SECONDS <= own <= most:
                raise RequestError(
                    f"{own:g} s is out of range; {self.card.published} makes {SHORTEST_SECONDS:g} to "
                    f"{int(10 * most) / 10:g} seconds, "
                    "choose a length in between"
                )
        return [round(own * self.space.fps) for own in wanted]

    def _groups(self, asked: Sequence[Asked]) -> list[list[int]]:
        """Return which items are sampled together: those of one length, ``batch`` of them at most."""
        groups: list[list[int]] = []
        for frames in sorted({one.frames for one in asked}):
            places = [place for place, one in enumerate(asked) if one.frames == frames]
            groups += [places[first : first + self.batch] for first in range(0, len(places), self.batch)]
        return groups

    def _decoded(self, features: np.ndarray, one: Asked, clean_feet: bool) -> Motion | Scene:
        labels = {"text": one.text, "seed": one.seed, "credit": self.card.title, "licence": self.licence}
        if one.style is not None:
            labels["style"] = str(one.style.labels.get("style") or "a motion")
        people = []
        for person in features:
            motion = self.space.decode(person)
            people.append((cleaned_feet(motion) if clean_feet else motion).with_labels(**labels))
        return people[0] if self.people == 1 else Scene(tuple(people))


@contextmanager
def fitting(steps: int | None) -> Iterator[None]:
    """Turn a ``ValueError`` about a number of steps that a person chose into a ``RequestError``."""
    if steps is not None and not 1 <= steps <= 1000:
        raise RequestError(f"{steps} denoising steps are out of range; give 1 to 1000")
    try:
        yield
    except ValueError as error:
        if steps is None:
            raise
        raise RequestError(f"{steps} denoising steps do not fit this model ({error})") from error


def drawn(asked: Sequence[Asked], *shape: int) -> Iterator[Tensor]:
    """Yield noise [B, *shape], again and again; each item's depends on its own seed alone."""
    generators = [torch.Generator().manual_seed(one.seed) for one in asked]
    while True:
        yield torch.stack([torch.randn(shape, generator=generator) for generator in generators])


def everyone(asked: Sequence[Asked], frames: int | None = None) -> Tensor:
    """Return that all items are present [B], or that all their frames are valid [B, T]."""
    return torch.ones(len(asked), *[] if frames is None else [frames], dtype=torch.bool)


def told(**values: Tensor) -> Condition:
    """Return a condition of parts that all items have; ``a__b`` in a name stands for ``a.b``."""
    return Condition(
        {
            name.replace("__", "."): Part(value, torch.ones(len(value), dtype=torch.bool))
            for name, value in values.items()
        }
    )
