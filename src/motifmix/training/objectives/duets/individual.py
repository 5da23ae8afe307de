"""The small models of one person: in2IN's individual network, and MDM, trained on all single clips, styles included.

They never see a pair. A clip's text is a caption of its content, and in most draws a phrase of its style behind it, so
that a style is something that words ask for.
"""

from collections import defaultdict
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import nn

from motifmix.data.captions import draw_style_phrase
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.features.humanml3d import HumanML3DSpace
from motifmix.features.interhuman import InterHumanSpace
from motifmix.features.space import Normaliser
from motifmix.home import home
from motifmix.models.in2in import In2INIndividual
from motifmix.models.mdm import MDM, IndividualMDM
from motifmix.training.objectives.duets.base import DuetObjective
from motifmix.training.objectives.duets.people import Features, People, PeopleOptions
from motifmix.training.objectives.duets.texts import ScaledTexts, kept
from motifmix.training.objectives.papers.base import Drawn
from motifmix.training.objectives.published.interaction import (
    WEIGHTS,
    InteractionLoss,
    LossWeights,
    simple_loss,
    training_losses,
)
from motifmix.training.published_sets import fitted_normaliser, padded
from motifmix.training.texts import caption_texts, content_texts

STYLE_WORDS = 0.8  # how often a style is named
STYLED_TEXTS = 10  # sentences with a phrase of the style, for each content and style
Network = Literal["in2in", "mdm"]
NETWORKS: dict[tuple[Network, Features], tuple[type[nn.Module], str, str]] = {
    ("in2in", "interhuman"): (In2INIndividual, "in2in:In2INIndividual", InterHumanSpace.name),
    ("mdm", "interhuman"): (IndividualMDM, "mdm:IndividualMDM", InterHumanSpace.name),
    ("mdm", "humanml3d"): (MDM, "mdm:MDM", HumanML3DSpace.name),
}


class DuetIndividualOptions(PeopleOptions):
    """Options of ``duet_individual`` recipes, with those of the clips.

    ``style_words``: how often a style is named; ``geometric``: InterGen's losses of a person beside the simple one, whose
    ``weights`` may be others than InterGen's; they are of InterHuman's features.
    """

    network: Network = "in2in"
    batch: int = 32
    style_words: float = STYLE_WORDS
    text_dropout: float = 0.1
    geometric: bool = True
    last_step: int = 700
    weights: LossWeights = Field(default_factory=dict)
    denoiser: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_features(self) -> "DuetIndividualOptions":
        if (self.network, self.features) not in NETWORKS:
            raise ValueError(f"the network {self.network} has no form for the features {self.features}; choose mdm")
        if self.geometric and self.features != "interhuman":
            raise ValueError(
                f"geometric losses are of InterHuman's features, not of {self.features}; set geometric: false"
            )
        return self


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
        seen = [features for _, features in self.clips.draw(rng, 400)]
        if o.features == "humanml3d":
            # As published, one deviation a block: some numbers of a rotation hardly ever change, and what is mixed has others.
            self.normaliser = Normaliser.fitted(np.concatenate(seen), HumanML3DSpace.blocks)
        else:
            self.normaliser = fitted_normaliser(seen)
        self.sentences = Sentences([*self.clips.clips, *self.held_out.clips], o.style_words)
        self.texts = ScaledTexts(self.sentences.all())
        network, architecture, self.space = NETWORKS[o.network, o.features]
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

        def compared(made: torch.Tensor, true: torch.Tensor) -> dict[str, torch.Tensor]:
            if not o.geometric:
                simple = simple_loss(made, true, valid)
                return {"simple": simple, "total": simple}
            mean, std = self.mean.to(self.device), self.std.to(self.device)
            loss = InteractionLoss(mean, std, {**WEIGHTS, **o.weights}, last_step=o.last_step)
            return loss.of_person(made, true, timesteps, valid)

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
