"""The small models of one person: in2IN's individual network, and MDM, trained on all single clips, styles included.

They never see a pair. A clip's text is a caption of its content, and in most draws a phrase of its style behind it, so
that a style is something that words ask for.
"""

import hashlib
from collections import defaultdict
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from motifmix.atomic import replacing
from motifmix.data.captions import draw_style_phrase
from motifmix.data.feature_cache import CachedClip
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.errors import DataError
from motifmix.features.interhuman import extract_person, load_person, mirror_person, stored_person
from motifmix.home import home
from motifmix.models.in2in import In2INIndividual
from motifmix.models.mdm import IndividualMDM
from motifmix.training.objectives.duets.base import FRAMES, DuetObjective
from motifmix.training.objectives.duets.texts import ScaledTexts, kept
from motifmix.training.objectives.papers.base import Drawn
from motifmix.training.objectives.published.interaction import WEIGHTS, InteractionLoss, LossWeights, training_losses
from motifmix.training.pool import LOCOMOTION, cell_weights
from motifmix.training.published_sets import fitted_normaliser, padded
from motifmix.training.texts import caption_texts, content_texts

WHOLE = 1.25  # a clip whose caption speaks of all of it may be this much longer than what is seen of it
SHORTEST = 31
STYLED_TEXTS = 10  # sentences with a phrase of the style, for each content and style
NETWORKS: dict[str, tuple[type[nn.Module], str]] = {
    "in2in": (In2INIndividual, "in2in:In2INIndividual"),
    "mdm": (IndividualMDM, "mdm:IndividualMDM"),
}


class DuetIndividualOptions(BaseModel):
    """Options of ``duet_individual`` recipes.

    ``style_words``: how often a style is named; ``geometric``: InterGen's losses of a person beside the simple one, whose
    ``weights`` may be others than InterGen's.
    """

    model_config = ConfigDict(extra="forbid")

    network: Literal["in2in", "mdm"] = "in2in"
    batch: int = 32
    content_share: float = 0.4
    set_one: float = 0.5
    locomotion: float = 2.0
    style_words: float = 0.8
    text_dropout: float = 0.1
    geometric: bool = True
    last_step: int = 700
    weights: LossWeights = {}
    frames: int = FRAMES
    denoiser: dict[str, Any] = {}


class People:
    """Clips of prepared sets as InterHuman's arrays hold one person, ``[T, 192]``, computed once and kept on disk."""

    def __init__(self, sets: list[Prepared], split: str, options: DuetIndividualOptions) -> None:
        self.longest = options.frames
        clips = [(number, clip) for number, p in enumerate(sets) for clip in p.select(split=split) if self._fits(clip)]
        if not clips:
            raise DataError("no clip of the prepared sets fits this recipe; check its data and options")
        self.clips = [clip for _, clip in clips]
        self.rows, self.arrays = _arrays(sets, clips)
        self.weights = self._weights([number for number, _ in clips], options)

    def _fits(self, clip: Clip) -> bool:
        if clip.frames < SHORTEST:
            return False
        if clip.role == "style" or clip.text_rule == "window":
            return True
        return clip.text_rule == "whole" and clip.frames <= WHOLE * self.longest

    def _weights(self, numbers: list[int], o: DuetIndividualOptions) -> np.ndarray:
        """Return the chance of each clip: sets by their role's share, cells of the style set evened out."""
        role = np.array([clip.role == "style" for clip in self.clips])
        result = np.zeros(len(numbers))
        entries = [CachedClip(clip, 0, clip.frames) for clip in self.clips if clip.role == "style"]
        result[role] = cell_weights(entries, o.set_one, o.locomotion) if entries else 0.0
        result[~role] = [min(clip.frames / 100, 3.0) ** 0.5 for clip in self.clips if clip.role != "style"]
        for chosen, share in ((role, 1 - o.content_share), (~role, o.content_share)):
            if chosen.any() and not chosen.all():
                result[chosen] *= share / result[chosen].sum()
        return result / result.sum()

    def draw(self, rng: np.random.Generator, count: int) -> list[tuple[Clip, np.ndarray]]:
        """Draw clips with the features of a window of each, ``[T, 262]``, at its own start and not normalised."""
        numbers = rng.choice(len(self.clips), size=count, p=self.weights)
        return [self._window(self.clips[int(number)], rng) for number in numbers]

    def _window(self, clip: Clip, rng: np.random.Generator) -> tuple[Clip, np.ndarray]:
        start, frames = self.rows[clip.mirror_of or clip.id]
        length = min(frames, self.longest)
        shortest = length
        if clip.content in LOCOMOTION:
            shortest = min(45, length)
        elif clip.text_rule == "window":
            shortest = min(max(45, int(np.ceil(clip.text_seconds * clip.fps))), length)
        if shortest < length and rng.random() < 0.4:
            length = int(rng.integers(shortest, length + 1))
        first = start + int(rng.integers(frames - length + 1))
        rows = np.array(self.arrays[first : first + length])
        return clip, extract_person(mirror_person(rows) if clip.mirror_of else rows).features.astype(np.float32)


def _arrays(sets: list[Prepared], clips: list[tuple[int, Clip]]) -> tuple[dict[str, tuple[int, int]], np.ndarray]:
    """Return where each clip's rows lie, and the rows; twins share them."""
    own = {clip.mirror_of or clip.id: number for number, clip in clips}
    stamps = "".join(p.fingerprint for p in sets)
    key = hashlib.sha256("\n".join([stamps, *sorted(own)]).encode()).hexdigest()[:20]
    path = home() / "cache" / f"people-{key}.npy"
    rows: dict[str, tuple[int, int]] = {}
    end = 0
    for name in sorted(own):
        frames = sets[own[name]].by_id[name].frames
        rows[name] = (end, frames)
        end += frames
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, force=True) as beside:
            array = np.lib.format.open_memmap(beside, "w+", np.float32, (end, 192))
            for name in sorted(own):
                prepared = sets[own[name]]
                start, frames = rows[name]
                array[start : start + frames] = load_person(stored_person(prepared.motion(prepared.by_id[name])))
            array.flush()
    return rows, np.load(path, mmap_mode="r")


class Sentences:
    """What is said of clips: plain sentences of a kind of clip, and with a chance those that name its style."""

    def __init__(self, clips: list[Clip], style_words: float) -> None:
        self.style_words = style_words
        self.plain, self.styled = _sentences(clips)

    def all(self) -> list[str]:
        """Return every sentence that can be drawn."""
        return [text for texts in (*self.plain.values(), *self.styled.values()) for text in texts]

    def of(self, clip: Clip) -> list[str]:
        """Return every sentence of a clip, of which some may name its style."""
        return [*self.plain.get(_kind(clip), []), *self.styled.get(_kind(clip), [])]

    def draw(self, clip: Clip, rng: np.random.Generator) -> str:
        """Draw a sentence for a clip, an empty one where nobody says anything of it."""
        styled = self.styled.get(_kind(clip), [])
        if styled and rng.random() < self.style_words:
            return styled[int(rng.integers(len(styled)))]
        plain = self.plain[_kind(clip)]
        return plain[int(rng.integers(len(plain)))] if plain else ""


class DuetIndividualObjective(DuetObjective):
    """Noises single people and compares what the network makes of them."""

    model = "duet-individual"

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        super().__init__(data, seed)
        self.options = o = DuetIndividualOptions.model_validate(options)
        self.sets = [Prepared(home() / "data" / name) for name in data]
        self.credit = [str(p.card["credit"]) for p in self.sets if p.card.get("credit")]
        self.clips = People(self.sets, "train", o)
        rng = np.random.default_rng([seed, 5])
        self.normaliser = fitted_normaliser(features for _, features in self.clips.draw(rng, 400))
        self.sentences = Sentences([*self.clips.clips, *self.held_out.clips], o.style_words)
        self.texts = ScaledTexts(self.sentences.all())
        network, architecture = NETWORKS[o.network]
        self.chosen(network, architecture, {"text": 384, **o.denoiser})

    @cached_property
    def held_out(self) -> People:
        """The test side of the prepared sets, whose losses are looked at and steer nothing."""
        return People(self.sets, "test", self.options)

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """One batch of the training or of the test side."""
        o = self.options
        drawn = (self.held_out if held_out else self.clips).draw(rng, o.batch)
        features, valid = padded([self.normaliser.normalise(each) for _, each in drawn])
        clean, valid = features.to(self.device), valid.to(self.device)
        timesteps, noise = self.drawn_noise(clean, generator)
        said = kept(len(drawn), o.text_dropout, generator).to(self.device)
        text = self.texts([self.sentences.draw(clip, rng) for clip, _ in drawn], self.device) * said[:, None]
        loss = InteractionLoss(
            self.mean.to(self.device), self.std.to(self.device), {**WEIGHTS, **o.weights}, last_step=o.last_step
        )

        def compared(made: torch.Tensor, true: torch.Tensor) -> dict[str, torch.Tensor]:
            terms = loss.of_person(made, true, timesteps, valid)
            return terms if o.geometric else {"simple": terms["simple"], "total": terms["simple"]}

        told = {"present": said > 0} if o.network == "mdm" else {}
        terms, _ = training_losses(
            lambda noisy: modules["denoiser"](noisy, timesteps, text, valid_mask=valid, **told).float(),
            compared, clean, noise, timesteps, self.schedule,
        )  # fmt: skip
        return terms["total"], {name: float(value.detach()) for name, value in terms.items() if name != "total"}


def _kind(clip: Clip) -> tuple[str, ...]:
    """Return what clips with the same sentences have in common."""
    if clip.content is None:
        return (clip.id,)
    return clip.content, str(clip.content_mirrored), clip.style or ""


def _sentences(clips: list[Clip]) -> tuple[dict[tuple[str, ...], list[str]], dict[tuple[str, ...], list[str]]]:
    """Return for every kind of clip its plain sentences, and those that name the style."""
    plain: dict[tuple[str, ...], list[str]] = {}
    styled: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for clip in clips:
        kind = _kind(clip)
        if kind in plain:
            continue
        if clip.content is None:
            plain[kind] = [text for caption in clip.captions for text in caption_texts(caption, 2)]
            continue
        plain[kind] = content_texts(clip.content, clip.content_mirrored)
        if clip.style and clip.style != "normal":
            rng = np.random.default_rng([11, *"".join(kind).encode()])
            picked = rng.integers(len(plain[kind]), size=STYLED_TEXTS)
            styled[kind] = [f"{plain[kind][int(i)].rstrip('.!')}, {draw_style_phrase(clip.style, rng)}" for i in picked]
    return plain, dict(styled)
