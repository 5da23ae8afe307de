"""The evaluators of two-person motion: one of interactions, one of what each person in it does (`duet_evaluator`).

Both learn from training pairs alone, the foreign ones (``data/duets/foreign.py``) among them, so that an interaction is
known by where people go and stand, whatever they do there; the one of people also sees training clips of single people.
Nothing that makes motion is guided or trained by them; settings are chosen by others of the same kind, with another seed
and network, that score nothing (``size=select`` of the recipes), and a Mixer may learn from a third kind that does neither
(``size=guide``, which sees no foreign pairs: it may know no more than the models that are mixed).
"""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from motifmix.data.labels import PAIRED_CONTENTS
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.errors import DataError
from motifmix.features.interhuman import extract_person, mirror_person
from motifmix.home import home
from motifmix.models.duet_evaluator import DuetEvaluator
from motifmix.pretrained.cards import write_weights
from motifmix.pretrained.duet_evaluators import ALIKE, MEANINGS, PART
from motifmix.training.contrast import both_ways
from motifmix.training.objectives.duets.interaction import RememberedDuets, card_of_pairs
from motifmix.training.objectives.duets.people import People, PeopleOptions
from motifmix.training.objectives.papers.base import Drawn, PaperObjective
from motifmix.training.published_sets import padded
from motifmix.training.publishing import LICENCE
from motifmix.training.texts import caption_texts, content_texts, embedded

FRAMES = 121
WARMEST = 100.0  # the largest inverse temperature
FITTED_ON = 256


class DuetEvaluatorOptions(BaseModel):
    """Options of ``duet_evaluator`` recipes.

    ``people``: 2 for interactions, 1 for what each person does; ``single_share``: of a batch, clips of single people.
    ``role``: whoever chooses settings by one of them may not be scored by the same.
    """

    model_config = ConfigDict(extra="forbid")

    people: Literal[1, 2] = 2
    role: Literal["score", "select", "guide"] = "score"
    batch: int = Field(64, ge=2)
    single_share: float = Field(0.5, ge=0, le=1)
    noise: float = Field(0.1, ge=0)
    network: dict[str, Any] = {}


class Shown(NamedTuple):
    """A motion [T, P, 262], not normalised, a sentence about it, and what is the same in motions of one meaning."""

    motion: np.ndarray
    text: str
    label: str


class LabelledPairs:
    """A list of pairs of one folder, whole or of one person of them."""

    def __init__(self, folder: Path, split: str, people: int) -> None:
        if not (folder / "duets.jsonl").exists():
            raise DataError(f"{folder}: holds no pairs; run 'motifmix data prepare {folder.name} --out {folder}' first")
        self.split, self.people = split, people
        self.reader = RememberedDuets(folder)
        lines = map(json.loads, (folder / "duets.jsonl").read_text("utf-8").splitlines())
        self.lines = {line["id"]: line for line in lines}
        self.names = self.reader.ids(split)

    def draw(self, rng: np.random.Generator) -> Shown:
        """Draw a pair, or one person of it; in training half of the time as its mirror image."""
        name = self.names[int(rng.integers(len(self.names)))]
        mirrored = self.split == "train" and bool(rng.random() < 0.5)
        first = int(rng.integers(max(1, self.reader.frames(name) - FRAMES + 1)))
        return self._pair(name, first, mirrored, rng) if self.people == 2 else self._one(name, first, mirrored, rng)

    def texts(self) -> list[str]:
        """Return every sentence that can be drawn."""
        both = (self.reader.captions(name, mirrored=twin) for name in self.names for twin in (False, True))
        chosen = slice(0, 1) if self.people == 2 else slice(1, 3)
        return [caption.text for captions in both for own in captions[chosen] for caption in own]

    def _pair(self, name: str, first: int, mirrored: bool, rng: np.random.Generator) -> Shown:
        exchanged = bool(rng.random() < 0.5)
        sample = self.reader.sample(
            name, self.split, first=first, frames=FRAMES, mirrored=mirrored, exchanged=exchanged
        )
        text = _any([caption.text for caption in sample.captions], rng)
        kind = self.lines[name]["interaction"]
        return Shown(sample.features.transpose(1, 0, 2), text, text if kind == "recorded" else kind)

    def _one(self, name: str, first: int, mirrored: bool, rng: np.random.Generator) -> Shown:
        person = int(rng.integers(2))
        rows = self.reader.people(name)[person][first:][:FRAMES]
        features = extract_person(mirror_person(rows) if mirrored else rows).features
        text = _any([caption.text for caption in self.reader.captions(name, mirrored=mirrored)[1 + person]], rng)
        contents = self.lines[name].get("contents")
        label = contents[person] if contents else text
        return Shown(features[:, None], text, PAIRED_CONTENTS.get(label, label) if mirrored else label)


class SinglePeople:
    """Training clips of prepared sets, each with sentences about its content."""

    def __init__(self, sets: list[Prepared]) -> None:
        self.clips = People(sets, "train", PeopleOptions())
        self._said: dict[tuple[str, ...], list[str]] = {}
        for clip in self.clips.clips:
            self._sentences(clip)

    def draw(self, rng: np.random.Generator) -> Shown:
        """Draw a clip."""
        ((clip, features),) = self.clips.draw(rng, 1)
        single = clip.actions[0] if len(clip.actions) == 1 else clip.captions[0] if clip.captions else clip.id
        return Shown(features[:, None], _any(self._sentences(clip), rng), clip.content or single)

    def texts(self) -> list[str]:
        """Return every sentence that can be drawn."""
        return [text for texts in self._said.values() for text in texts]

    def _sentences(self, clip: Clip) -> list[str]:
        kind = (clip.content, str(clip.content_mirrored)) if clip.content else (clip.id,)
        if kind not in self._said:
            if clip.content:
                self._said[kind] = content_texts(clip.content, clip.content_mirrored)
            else:
                self._said[kind] = [text for caption in clip.captions for text in caption_texts(caption, 1)]
        return self._said[kind]


class DuetEvaluatorObjective(PaperObjective):
    """Brings sentences and motions of one meaning together, and pushes the others of a batch apart."""

    model = "duet-evaluator"

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        self.options = o = DuetEvaluatorOptions.model_validate(options)
        self.data, folders = data, [home() / "data" / name for name in data]
        pairs = [folder for folder in folders if folder.name.startswith("duets")]
        self.pairs = [LabelledPairs(folder, "train", o.people) for folder in pairs]
        if not pairs or (o.people == 2 and len(pairs) < len(folders)):
            raise DataError("an evaluator of interactions learns from prepared pairs alone; name duets among the data")
        self.folders = pairs
        sets = [Prepared(folder) for folder in folders if folder not in pairs]
        self.singles = SinglePeople(sets) if sets else None
        cards = [card_of_pairs(folder) for folder in pairs]
        self.credit = list(dict.fromkeys(line for card in cards for line in card.get("credit", []) if line))
        torch.manual_seed(seed)
        sources = [*self.pairs, *self.held_out, *([self.singles] if self.singles else [])]
        said = sorted({text for source in sources for text in source.texts()})
        self.row, self.vectors = {text: number for number, text in enumerate(said)}, embedded(said)
        self.modules, self.frozen = nn.ModuleDict({PART: self._network(seed)}), nn.ModuleDict()

    @cached_property
    def held_out(self) -> list[LabelledPairs]:
        """The validation lists, which are looked at and steer nothing."""
        return [LabelledPairs(folder, "val", self.options.people) for folder in self.folders]

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """One batch of the training or of the validation lists, and how many find a sentence of their own meaning."""
        shown = [self._draw(rng, held_out) for _ in range(self.options.batch)]
        people, valid = padded([one.motion for one in shown])
        network: Any = modules[PART]
        people = people.transpose(1, 2)  # [B, P, T, F]
        if not held_out and self.options.noise:
            spread = self.options.noise * torch.randn(people.shape, generator=generator)
            people = torch.cat([people[..., : len(network.std)] + network.std.cpu() * spread[..., : len(network.std)],
                                people[..., len(network.std) :]], dim=-1)  # fmt: skip
        texts = self.vectors[[self.row[one.text] for one in shown]].to(self.device)
        motions, sentences = network(people.to(self.device), valid.to(self.device), texts)
        logits = network.log_temperature.exp().clamp(max=WARMEST) * motions @ sentences.T
        numbers = {label: number for number, label in enumerate(dict.fromkeys(one.label for one in shown))}
        labels = torch.tensor([numbers[one.label] for one in shown], device=self.device)
        right = (labels[logits.argmax(dim=1)] == labels).float().mean()
        return both_ways(logits, labels), {"recognised": float(right)}

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the evaluator (fp16) with its card, which names its role, and what it can tell apart."""
        network: Any = modules[PART]
        network.eval()
        with torch.no_grad():
            draws = [self.losses(modules, torch.Generator(), np.random.default_rng(n), held_out=True) for n in range(4)]
        recognised = float(np.mean([figures["recognised"] for _, figures in draws]))
        what = "interactions" if self.options.people == 2 else "individuals"
        write_weights(
            folder, PART, network.state_dict(), name=f"evaluator of {what}", architecture="duet_evaluator:DuetEvaluator",
            sizes=self._sizes(), extra={"text_encoder": "minilm"},
            numbers={"validation_recognised_in_a_batch": round(recognised, 4), "batch": self.options.batch},
            **self._about(facts),
        )  # fmt: skip
        self.save_meanings(network, folder, facts)

    def save_meanings(self, network: DuetEvaluator, folder: Path, facts: dict[str, Any]) -> None:
        """Write the sentences of the training lists, one of each meaning, as the evaluator embeds them."""
        sources = [*self.pairs, *([self.singles] if self.singles else [])]
        said = sorted({self.row[text] for source in sources for text in source.texts()})
        write_weights(
            folder, MEANINGS, {"embeddings": told_apart(network.cpu(), self.vectors[said])}, name=MEANINGS,
            architecture="none", sizes={}, extra={}, **self._about(facts),
        )  # fmt: skip

    def _about(self, facts: dict[str, Any]) -> dict[str, Any]:
        return {
            "role": self.options.role, "space": "interhuman_262", "licence": LICENCE, "credit": self.credit,
            "data": self.data, "recipe": facts["recipe"], "commit": facts["commit"],
        }  # fmt: skip

    def _draw(self, rng: np.random.Generator, held_out: bool) -> Shown:
        if self.singles is not None and not held_out and rng.random() < self.options.single_share:
            return self.singles.draw(rng)
        sources: Sequence[LabelledPairs] = self.held_out if held_out else self.pairs
        return sources[int(rng.integers(len(sources)))].draw(rng)

    def _sizes(self) -> dict[str, Any]:
        return {"people": self.options.people, **self.options.network}

    def _network(self, seed: int) -> DuetEvaluator:
        network = DuetEvaluator(**self._sizes())
        rng = np.random.default_rng([seed, 3])
        shown = [self._draw(rng, False) for _ in range(FITTED_ON)]
        frames = np.concatenate([one.motion.reshape(-1, one.motion.shape[-1]) for one in shown])
        network.fit(torch.from_numpy(frames.astype(np.float32)), self._said(shown))
        return network

    def _said(self, shown: Sequence[Shown]) -> Tensor:
        return self.vectors[sorted({self.row[one.text] for one in shown})]


@torch.no_grad()
def told_apart(network: DuetEvaluator, vectors: Tensor) -> Tensor:
    """Embed sentences [N, text] and leave out who means the same as one before, [M, E]."""
    kept: list[Tensor] = []
    for one in network.eval().embed_texts(vectors):
        if not kept or float((torch.stack(kept) @ one).max()) <= ALIKE:
            kept.append(one)
    return torch.stack(kept)


def _any(texts: Sequence[str], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]
