"""The small models of two people: in2IN's interaction network, and InterGen, trained on prepared duets.

The losses are InterGen's. Texts are dropped together, and the interaction's or the people's alone as well, because
in2IN's guidance asks the network what it makes of each.
"""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import yaml
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from motifmix.data.interhuman import InterHuman
from motifmix.data.sample import Sample
from motifmix.errors import DataError
from motifmix.home import home
from motifmix.models.in2in import In2INInteraction
from motifmix.models.intergen import InterGenDenoiser
from motifmix.training.objectives.duets.base import FRAMES, DuetObjective
from motifmix.training.objectives.duets.texts import ScaledTexts, kept
from motifmix.training.objectives.papers.base import Drawn
from motifmix.training.objectives.published.interaction import WEIGHTS, InteractionLoss, LossWeights, training_losses
from motifmix.training.published_sets import PairBatch, Pairs

NETWORKS: dict[str, tuple[type[nn.Module], str]] = {
    "in2in": (In2INInteraction, "in2in:In2INInteraction"),
    "intergen": (InterGenDenoiser, "intergen:InterGenDenoiser"),
}
_SHOWN = ("simple", "velocity_first", "foot_contact_first", "distance_map", "relative_orientation")


class DuetInteractionOptions(BaseModel):
    """Options of ``duet_interaction`` recipes.

    ``text_dropout`` drops all texts, ``part_dropout`` either kind alone; ``weights`` of losses other than InterGen's.
    """

    model_config = ConfigDict(extra="forbid")

    network: Literal["in2in", "intergen"] = "in2in"
    batch: int = 16
    text_dropout: float = 0.1
    part_dropout: float = 0.1
    last_step: int = 700
    weights: LossWeights = {}
    frames: int = FRAMES
    denoiser: dict[str, Any] = {}


class RememberedDuets(InterHuman):
    """A folder of pairs whose arrays stay in memory once they were read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, individual_captions=True)
        self._people: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._captions: dict[tuple[str, bool], list[Any]] = {}

    def people(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return both people's arrays ``[T, 192]``, to be read only."""
        if name not in self._people:
            self._people[name] = super().people(name)
        return self._people[name]

    def captions(self, name: str, *, mirrored: bool = False) -> list[Any]:
        """Return captions as the reader does."""
        key = name, mirrored
        if key not in self._captions:
            self._captions[key] = super().captions(name, mirrored=mirrored)
        return list(self._captions[key])


class DuetPairs(Pairs):
    """Pairs cropped to ``longest`` frames of the source."""

    def __init__(self, reader: InterHuman, split: str, longest: int, mirrored: bool = True) -> None:
        super().__init__(reader, split, mirrored)
        self.longest = longest

    def _sample(self, number: int, rng: np.random.Generator) -> Sample:
        name, mirrored = self.entries[number]
        first = int(rng.integers(max(1, self.frames[name] - self.longest + 1)))
        exchanged = bool(rng.random() < 0.5)
        return self.reader.sample(
            name, self.split, first=first, frames=self.longest, mirrored=mirrored, exchanged=exchanged
        )


class DuetInteractionObjective(DuetObjective):
    """Noises pairs and compares what the network makes of them."""

    model = "duet-interaction"

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        super().__init__(data, seed)
        self.options = o = DuetInteractionOptions.model_validate(options)
        folder = home() / "data" / data[0]
        if not (folder / "duets.jsonl").exists():
            raise DataError(f"{folder}: holds no pairs; run 'motifmix data prepare duets --out {folder}' first")
        self.reader = RememberedDuets(folder)
        self.clips = DuetPairs(self.reader, "train", o.frames)
        self.credit = [line for line in card_of_pairs(folder).get("credit", []) if line]
        self.normaliser = self.reader.normaliser()
        self.texts = ScaledTexts(self.clips.texts() + self.held_out.texts())
        network, architecture = NETWORKS[o.network]
        self.chosen(network, architecture, {"text": 384, **o.denoiser})

    @cached_property
    def held_out(self) -> DuetPairs:
        """The validation list."""
        return DuetPairs(self.reader, "val", self.options.frames, mirrored=False)

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """One batch of the training or of the validation list."""
        o = self.options
        batch = (self.held_out if held_out else self.clips).draw(rng, o.batch).to(self.device)
        mean, std = self.mean.to(self.device), self.std.to(self.device)
        clean = ((batch.people - mean) / std * batch.valid_mask[..., None, None]).flatten(2)  # [B, T, 2 F]
        timesteps, noise = self.drawn_noise(clean, generator)
        texts = self._told(batch, generator)
        loss = InteractionLoss(mean, std, {**WEIGHTS, **o.weights}, last_step=o.last_step)
        terms, _ = training_losses(
            lambda noisy: modules["denoiser"](noisy, timesteps, *texts, batch.valid_mask).float(),
            lambda made, true: loss(made, true, timesteps, batch.valid_mask),
            clean, noise, timesteps, self.schedule,
        )  # fmt: skip
        return terms["total"], {name: float(terms[name].detach()) for name in _SHOWN}

    def _told(self, batch: PairBatch, generator: torch.Generator) -> tuple[Tensor, ...]:
        flat = [text for people in batch.individual_texts for text in people]
        vectors, count = self.texts([*batch.texts, *flat], self.device), len(batch.texts)
        return self.dropped(vectors[:count], vectors[count:].unflatten(0, (count, -1)), generator)

    def dropped(self, shared: Tensor, alone: Tensor, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Return what the network hears of an interaction's vectors [B, D] and people's [B, P, D]: all, some or none."""
        o, count = self.options, len(shared)
        any_text = kept(count, o.text_dropout, generator).to(self.device)
        own = kept(count, o.part_dropout, generator).to(self.device)
        if o.network == "intergen":
            return (shared * any_text[:, None],)
        together = kept(count, o.part_dropout, generator).to(self.device)
        return shared * (any_text * together)[:, None], alone * (any_text * own)[:, None, None]


def card_of_pairs(folder: Path) -> dict[str, Any]:
    """Return what ``card.yaml`` of a folder of pairs says."""
    return yaml.safe_load((folder / "card.yaml").read_text("utf-8")) or {}
