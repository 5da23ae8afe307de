"""How InterGen, in2IN and MixerMDM are measured on InterHuman, with InterCLIP (``evaluation/interaction.py``).

Every test clip's captions and length are given to the model: 50 DDIM steps, the papers' guidance. Of MixerMDM's two
alignments this is the interaction's; for the individual one nobody has published an evaluator.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from motifmix.data.interhuman import LONGEST_FRAMES, SHORTEST_FRAMES, InterHuman
from motifmix.diffusion.chains import GuidedChains, sample_chains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Difference, GuidanceTerm, Guided, sample_along
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.encoders.clip_tokenizer import ClipTokenizer
from motifmix.errors import DataError, WeightsError
from motifmix.evaluation import metrics
from motifmix.evaluation.interaction import POOL, InteractionScores, interaction_scores
from motifmix.evaluation.paper_tables import (
    Figures,
    PaperResults,
    Plan,
    array,
    batches,
    device,
    encode_with,
    pool_size,
    repeated,
)
from motifmix.mix.ingredients import PersonModel, Scaling, SceneModel
from motifmix.mix.mixed import PUBLISHED_MIXTURE, Mixed
from motifmix.mix.weights import LearnedWeights
from motifmix.models.in2in import multi_condition_guidance
from motifmix.models.interclip import InterCLIP
from motifmix.models.intergen import PEOPLE, TextHead
from motifmix.pretrained.converted import load_model
from motifmix.pretrained.published import published, published_names

TwoPeopleProtocol = Literal["intergen", "in2in", "mixermdm"]
STEPS, BATCH, PAIRS = 50, 16, 300
INTERGEN_SCALE, MIXER_SCALE = 3.5, 3.5


@dataclass(frozen=True)
class AskedPair:
    """A test clip [2, T, F] (not normalised), its caption and, where the model reads them, one a person."""

    people: np.ndarray
    text: str
    individual_texts: tuple[str, ...] = ()


class TwoPeople:
    """One model on InterHuman's folder."""

    def __init__(
        self,
        protocol: TwoPeopleProtocol,
        weights: Path,
        data: Path,
        evaluator: Path,
        plan: Plan,
        text_folder: str | None = None,
    ) -> None:
        self.protocol: TwoPeopleProtocol = protocol
        self.weights, self.plan, self.text_folder = weights, plan, text_folder
        self.model = load_model(weights)
        judge = load_model(evaluator).parts.get("evaluator")
        if not isinstance(judge, InterCLIP):
            raise WeightsError(
                f"{evaluator}: holds no InterCLIP; name a folder of 'motifmix models convert --as interclip'"
            )
        self.judge = judge.to(device())
        self.reader = InterHuman(data, individual_captions=protocol != "intergen")
        names = (name for name in self.reader.ids("test") if self.reader.frames(name) >= SHORTEST_FRAMES)
        self.names = list(islice(names, plan.limit))
        if not self.names:
            raise DataError(f"{data}: its test list has no clip of {SHORTEST_FRAMES} frames or more")
        self.batch = plan.batch or BATCH
        self.pool = pool_size(len(self.names), plan.pool or POOL)
        self.schedule = DiscreteSchedule.of(cosine_betas(1000))

    def run(self, progress: Callable[[int, int], None] = lambda done, of: None) -> PaperResults:
        """Generate and measure as often as planned."""
        done, of = 0, self.plan.repeats * len(self.names)

        def once(repeat: int) -> dict[str, Figures]:
            rng = np.random.default_rng([self.plan.seed, repeat])
            generator = torch.Generator().manual_seed(self.plan.seed + 7919 * repeat)
            asked = [self._asked(self.names[int(i)], rng) for i in rng.permutation(len(self.names))]
            made: list[np.ndarray] = []
            for part in batches(len(asked), self.batch):
                made += self._made(asked[part], generator)
                nonlocal done
                done += len(asked[part])
                progress(done, of)
            texts = self._embedded_texts([one.text for one in asked])
            real, generated = self._embedded([one.people for one in asked]), self._embedded(made)
            rows = {}
            for title, motions in (("real", real), ("model", generated)):
                draws = metrics.random_pairs(len(motions), self.plan.pairs or PAIRS, rng)
                rows[title] = _figures(interaction_scores(texts, motions, real, draws, pool=self.pool))
            if self.plan.prompts:
                rows["model"]["multimodality"] = self._multimodality(asked, generator, rng)
            return rows

        rows = repeated(self.plan, once)
        name = self.model.card.published
        figures = published(name).figures if name in published_names() else {}
        return PaperResults(self.protocol, rows, figures)

    def _asked(self, name: str, rng: np.random.Generator) -> AskedPair:
        exchanged = bool(rng.random() < 0.5)
        first = int(rng.integers(max(1, self.reader.frames(name) - LONGEST_FRAMES)))
        sample = self.reader.sample(name, "test", first=first, frames=LONGEST_FRAMES, exchanged=exchanged)
        own = tuple(lines[int(rng.integers(len(lines)))].text for lines in sample.individual_captions)
        return AskedPair(sample.features, sample.captions[int(rng.integers(len(sample.captions)))].text, own)

    def _made(self, asked: list[AskedPair], generator: torch.Generator) -> list[np.ndarray]:
        """Return what the model makes of each, [2, T, F] not normalised."""
        lengths = [one.people.shape[1] for one in asked]
        valid = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).to(device())
        features = asked[0].people.shape[-1]
        noise = torch.randn(len(asked), max(lengths), PEOPLE * features, generator=generator).to(device())
        with torch.no_grad():
            people = (
                self._mixed(asked, noise, valid) if self.protocol == "mixermdm" else self._sampled(asked, noise, valid)
            )
        return [row[:, :frames] for row, frames in zip(array(people), lengths, strict=True)]

    def _sampled(self, asked: list[AskedPair], noise: Tensor, valid: Tensor) -> Tensor:
        denoiser: Any = self.model.parts["denoiser"].to(device())
        condition = Condition(self._told(asked, "text_head"))
        terms: list[GuidanceTerm] = [("text", INTERGEN_SCALE)]
        if self.protocol == "in2in":
            terms = list(multi_condition_guidance())
        guided = Guided(denoiser.denoise, terms)
        clean = noise
        for step in sample_along(guided, self.schedule.levels(STEPS), noise, condition, valid):
            clean = step.clean
        return self._scaling("motion").restore(clean.unflatten(-1, (PEOPLE, -1)).transpose(1, 2))

    def _mixed(self, asked: list[AskedPair], noise: Tensor, valid: Tensor) -> Tensor:
        parts: Any = {name: part.to(device()) for name, part in self.model.parts.items()}
        quirks = [quirk for quirk in PUBLISHED_MIXTURE if quirk.name in self.model.card.quirks]
        told = {}
        for role in ("mixer", "individual", "interaction"):
            head = "text_head" if role == "mixer" else f"{role}_text_head"
            told |= {f"{role}.{name}": part for name, part in self._told(asked, head).items()}
        mixed = Mixed(
            SceneModel("interaction", parts["interaction"].denoise, self._scaling("interaction")),
            [PersonModel("individual", parts["individual"].denoise, self._scaling("individual"), quirks=quirks)],
            LearnedWeights(parts["mixer"]),
            quirks=quirks,
        )
        names = tuple(told)
        guided = GuidedChains(mixed, [Difference(MIXER_SCALE, told=names)])
        state = noise.unflatten(-1, (PEOPLE, -1)).transpose(1, 2)
        clean = state
        for step in sample_chains(
            guided, mixed.chains, self.schedule.levels(STEPS), [state, state], Condition(told), valid
        ):
            clean = step.clean
        return clean

    def _told(self, asked: list[AskedPair], head: str) -> dict[str, Part]:
        network = self.model.parts[head].to(device())
        assert isinstance(network, TextHead)
        everyone = torch.ones(len(asked), dtype=torch.bool, device=device())

        def read(texts: list[str]) -> Tensor:
            found = self._encoder(texts)
            return network(found.values.to(device()), found.ids.to(device()))

        parts = {"text": Part(read([one.text for one in asked]), everyone)}
        if self.protocol != "intergen":
            flat = [text for one in asked for text in one.individual_texts]
            parts["individual_text"] = Part(read(flat).unflatten(0, (len(asked), -1)), everyone)
        return parts

    @cached_property
    def _encoder(self) -> Any:
        head = self.model.parts["text_head"]
        assert isinstance(head, TextHead)
        name = self.model.card.text_encoder or "clip-vit-large-patch14-336"
        return encode_with(name, "tokens", head.norm.weight.numel(), self.text_folder)

    def _scaling(self, name: str) -> Scaling:
        return Scaling.of(self.model.statistics[name]).to(device())

    @torch.no_grad()
    def _embedded(self, pairs: list[np.ndarray]) -> np.ndarray:
        rows = []
        for part in batches(len(pairs), self.batch):
            own = pairs[part]
            lengths = torch.tensor([one.shape[1] for one in own])
            people = torch.zeros(len(own), PEOPLE, int(lengths.max()), own[0].shape[-1])
            for row, one in enumerate(own):
                people[row, :, : one.shape[1]] = torch.from_numpy(np.asarray(one, np.float32))
            valid = (torch.arange(people.shape[2]) < lengths[:, None]).to(device())
            first, second = people.to(device()).unbind(1)
            rows.append(array(self.judge.embed_motions(first, second, valid)))
        return np.concatenate(rows)

    @torch.no_grad()
    def _embedded_texts(self, texts: list[str]) -> np.ndarray:
        tokenizer, length = ClipTokenizer(), len(self.judge.token_positions)
        parts = (tokenizer.encode(texts[part], length) for part in batches(len(texts), self.batch))
        return np.concatenate([array(self.judge.embed_texts(ids.to(device()))) for ids in parts])

    def _multimodality(self, asked: list[AskedPair], generator: torch.Generator, rng: np.random.Generator) -> float:
        chosen = [asked[int(i)] for i in rng.choice(len(asked), min(self.plan.prompts, len(asked)), replace=False)]
        takes = self.plan.takes
        made = [
            [m for part in batches(takes, self.batch) for m in self._made([one] * (part.stop - part.start), generator)]
            for one in chosen
        ]
        embedded = np.stack([self._embedded(own) for own in made])
        return metrics.multimodality(embedded, *metrics.random_pairs(takes, 10, rng))


def _figures(scores: InteractionScores) -> Figures:
    found = {f"R-precision {k}": float(value) for k, value in enumerate(scores.r_precision, 1)}
    return {
        "FID": scores.frechet_distance, **found, "MM-Dist": scores.multimodal_distance, "diversity": scores.diversity,
    }  # fmt: skip
