"""The default model: denoiser, style encoder, text-to-style projection and length predictor, trained jointly.

The style reference of a clip is another clip of the same style and *another content*, so that nothing but style can
pass (the paper's own recipe, a frozen denoiser and each clip its own reference, is the option ``own_reference`` with
``frozen``). Sometimes the words of a style take the motion's place. Content-set clips have no style label: their
fusion is skipped, which is also what trains the base model.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from motifmix.data.feature_cache import CachedClip
from motifmix.data.labels import STYLES, style_names
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.predictions import PredictionType
from motifmix.diffusion.schedule import SCHEDULES
from motifmix.errors import DataError
from motifmix.features.own import MotifmixSpace
from motifmix.home import home
from motifmix.models.feature_denoiser import FeatureDenoiser
from motifmix.models.latent_denoiser import LatentDenoiser
from motifmix.models.style_encoder import LengthPredictor, StyleEncoder, TextToStyle
from motifmix.style.fusions import FusionName
from motifmix.style.styled_denoiser import StyledDenoiser
from motifmix.training.clip_draws import MOST_TOKENS, ClipDraws, Item
from motifmix.training.contrast import both_ways
from motifmix.training.latents import LatentStore, PatchStore
from motifmix.training.noising import NoisyBatch, mean_over
from motifmix.training.pool import Pool, cell_weights, open_sets, weights_folder
from motifmix.training.publishing import complete, facts_of
from motifmix.training.starting_model import StartingModel, base_in
from motifmix.training.texts import TextTable, caption_texts, content_texts, style_texts


class DenoiserOptions(BaseModel):
    """Options of ``denoiser`` recipes."""

    model_config = ConfigDict(extra="forbid")

    batch: int = 32
    width: int = 160
    blocks: int = 5
    heads: int = 5
    dropout: float = 0.0
    network: Literal["latents", "features"] = "latents"
    """A denoiser of the autoencoder's latents, or MDM's kind on patches of features, which needs no autoencoder."""
    style: int = 128
    style_width: int = 256
    block: int | list[int] = 2
    gamma: float = 0.6
    fusion: FusionName = "cross_normalization"
    prediction_type: PredictionType = "flow"
    schedule: str = "flow"
    content_share: float = 0.4
    set_one: float = 0.5
    locomotion: float = 2.0
    text_noise: float = 0.25
    text_mix: float = 0.3
    text_drop: float = 0.10
    style_drop: float = 0.15
    text_style: float = 0.3
    contrast: float = 0.1
    classes: float = 0.05
    agreement: float = 0.2
    encoder_aligned: bool = True
    length: float = 0.02
    places: bool = True
    """Whether some sentences of every content say a place or a time (``texts.somewhere``)."""
    own_reference: bool = False
    frozen: bool = False
    without_cells: list[tuple[str, str]] = []
    without_styles: list[str] = []
    style_from: str | None = "style_pretrained"
    base: str | None = None
    """Folder below MOTIFMIX_HOME of the denoiser to begin with (``base.yaml`` of the same data makes one)."""
    start: str | None = None
    """Folder of a whole model to go on from, with its statistics (``unseen_start.yaml`` makes one)."""
    way: float = Field(default=1.0, gt=0, le=1)
    """Of a training that goes on (``start``): how far on the way to the trained weights those lie that are written."""
    weights: str | None = None


class DenoiserObjective:
    """Draws clips with texts and references; see the module's text."""

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        self.options = o = DenoiserOptions.model_validate(options)
        self.caches = open_sets(data)
        self.weights = weights_folder(o.weights)
        self.start = None if o.start is None else StartingModel.read(home() / o.start, self.weights)
        self.pool = self._pool()
        self.styles = style_names(entry.clip.style for _, entry in self.pool.list)
        store = LatentStore if o.network == "latents" else PatchStore
        self.store = store(self.weights, self.caches, self.pool.list, self.start and self.start.latents)
        self.table, self.said = self._texts()
        self.style_phrases = {style: self._numbers(style_texts(style)) for style in self.styles}
        self.draws = ClipDraws(self.pool, self.store, self.said, self._references(), o.own_reference)
        torch.manual_seed(seed)
        latent = self.store.mean.shape[0]
        kind = LatentDenoiser if o.network == "latents" else FeatureDenoiser
        denoiser = kind(latent, width=o.width, blocks=o.blocks, heads=o.heads, dropout=o.dropout)
        self.modules = nn.ModuleDict(
            {
                "denoiser": StyledDenoiser(denoiser, o.style, o.block, o.gamma, o.prediction_type, o.fusion),
                "style_encoder": StyleEncoder(MotifmixSpace.dim, o.style_width, o.style),
                "text_to_style": TextToStyle(style=o.style),
                "length": LengthPredictor(style=o.style),
                "classes": nn.Linear(o.style, len(self.styles)),
            }
        )
        self.log_temperature = nn.Parameter(torch.tensor(np.log(1 / 0.1), dtype=torch.float32))
        self.modules["classes"].register_parameter("log_temperature", self.log_temperature)
        self._start_from()
        self.schedule = SCHEDULES[o.schedule]()

    @property
    def _styled(self) -> StyledDenoiser:
        styled = self.modules["denoiser"]
        assert isinstance(styled, StyledDenoiser)
        return styled

    def _pool(self) -> Pool:
        o = self.options
        entries: list[tuple[int, CachedClip]] = []
        weights: list[np.ndarray] = []
        for number, cache in enumerate(self.caches):
            clips = cache.prepared.select(split="train", without_cells=o.without_cells, without_styles=o.without_styles)
            own = [e for e in cache.entries(clips) if e.frames >= 20]
            is_style = bool(own) and own[0].clip.role == "style"
            if is_style:
                weight = cell_weights(own, set_one=o.set_one, locomotion=o.locomotion)
            else:
                weight = np.array(
                    [(1.0 if e.clip.text_rule != "none" else 0.4) * min(e.frames / 100, 3.0) ** 0.5 for e in own]
                )
            share = ((1.0 - o.content_share) if is_style else o.content_share) if len(self.caches) > 1 else 1.0
            entries += [(number, e) for e in own]
            weights.append(share * weight / weight.sum())
        return Pool(self.caches, entries, np.concatenate(weights))

    def _texts(self) -> tuple[TextTable, list[list[int]]]:
        texts: list[str] = []
        by_entry: list[list[str]] = []
        kinds: dict[tuple[str, bool], list[str]] = {}
        for _, entry in self.pool.list:
            clip = entry.clip
            if clip.content is not None:
                kind = (clip.content, clip.content_mirrored)
                if kind not in kinds:
                    kinds[kind] = content_texts(*kind, placed=self.options.places)
                by_entry.append(kinds[kind])
            else:
                by_entry.append(
                    [text for caption in clip.captions for text in caption_texts(caption, placed=self.options.places)]
                )
        for own in by_entry:
            texts += own
        for style in dict.fromkeys((*STYLES, *self.styles)):  # previews speak of ours whatever the data have
            texts += style_texts(style) if style not in self.options.without_styles else []
        table = TextTable(texts, self.start and self.start.texts)
        return table, [[table.numbers[text] for text in own] for own in by_entry]

    def _numbers(self, texts: list[str]) -> list[int]:
        return [self.table.numbers[text] for text in texts]

    def _references(self) -> dict[str, list[int]]:
        by_style: dict[str, list[int]] = defaultdict(list)
        for number, (_, entry) in enumerate(self.pool.list):
            if entry.clip.style is not None:
                by_style[entry.clip.style].append(number)
        if not by_style:
            raise DataError("no clip has a style; the denoiser recipe needs a style set (bandai or 100style)")
        return dict(by_style)

    def _start_from(self) -> None:
        from motifmix.pretrained.build import load_part

        o = self.options
        if o.style_from is not None:
            _, encoder, _ = load_part(self.weights, o.style_from)
            style = self.modules["style_encoder"]
            assert isinstance(style, StyleEncoder)
            style.encoder.load_state_dict(encoder.encoder.state_dict())
        if o.base is not None:
            _, base, statistics = base_in(home() / o.base)
            own = {"latent_mean": self.store.mean, "latent_std": self.store.std, "text_mean": self.table.mean}
            # Kept with half the precision; other data are further off.
            if any((statistics[name] - v).abs().max() > 2e-3 * v.abs().max() for name, v in own.items()):
                raise DataError(f"the denoiser in {home() / o.base} was trained on other data; train it again")
            self._styled.denoiser.load_state_dict(base.state_dict())
        if self.start is not None:
            self.start.hand_over(self.modules)
        if o.frozen:
            self._styled.denoiser.requires_grad_(False)
            for module in self._styled.denoiser.modules():
                if isinstance(module, nn.Dropout):
                    module.p = 0.0  # what is frozen answers the same each time

    def _said_text(self, items: list[Item], rng: np.random.Generator, generator: torch.Generator) -> Tensor:
        o = self.options
        rows = []
        for item in items:
            own = self.said[item.number] or [0]
            vector = self.table.vectors[own[int(rng.integers(len(own)))]]
            if len(own) > 1 and rng.random() < o.text_mix:
                vector = torch.lerp(vector, self.table.vectors[own[int(rng.integers(len(own)))]], float(rng.random()))
            rows.append(vector)
        text = torch.stack(rows)
        return text + o.text_noise * torch.randn(text.shape, generator=generator)

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """One batch."""
        o = self.options
        items = self.draws.items(o.batch, rng)
        clean, valid = self._latents_of(items)
        text = self._said_text(items, rng, generator)
        styles = [self.pool.list[item.number][1].clip.style for item in items]
        styled = [place for place, style in enumerate(styles) if style is not None]
        numbers = [self.draws.reference(items[place].number, rng) for place in styled]
        loss = clean.new_zeros(())
        figures: dict[str, float] = {}
        style_vectors = torch.zeros(len(items), o.style)
        if styled:
            labels = torch.tensor([self.styles.index(styles[place]) for place in styled])  # type: ignore[arg-type]
            features, frames = self.draws.style_batch(numbers, rng)
            motion_style = self.modules["style_encoder"](features, frames)
            phrases = [self._phrase(styles[place], rng) for place in styled]  # type: ignore[arg-type]
            spoken = torch.stack(phrases)
            spoken = spoken + 0.3 * torch.randn(spoken.shape, generator=generator)
            text_style = self.modules["text_to_style"](spoken)
            aligned = motion_style if o.encoder_aligned else motion_style.detach()
            alignment, figures = self._alignment(aligned, text_style, labels)
            loss = loss + alignment
            take_text = torch.rand(len(styled), 1, generator=generator) < o.text_style
            chosen = torch.where(take_text, text_style, motion_style)
            style_vectors = style_vectors.index_copy(0, torch.tensor(styled), chosen.float())
        has_text, has_style = self._dropped(items, styled, generator)
        length_loss = self._length_loss(items, text, style_vectors.detach(), has_style)
        condition = Condition({"text": Part(text, has_text), "style": Part(style_vectors, has_style)})
        batch = NoisyBatch.drawn(clean, valid, self.schedule, generator)
        predicted = self._styled.predict(batch.noisy, batch.time, condition, valid)
        denoising = mean_over(batch.squared_error(predicted, o.prediction_type), valid)
        loss = loss + denoising + o.length * length_loss
        return loss, {"denoising": float(denoising.detach()), "length": float(length_loss.detach()), **figures}

    def _latents_of(self, items: list[Item]) -> tuple[Tensor, Tensor]:
        """Return the latents of a batch [B, L, latent], zero where padded, and which tokens are real [B, L]."""
        longest = max(item.tokens for item in items)
        clean = torch.zeros(len(items), longest, self.store.mean.shape[0])
        valid = torch.zeros(len(items), longest, dtype=torch.bool)
        for place, item in enumerate(items):
            clean[place, : item.tokens] = self.store.latents[item.number][item.first : item.first + item.tokens]
            valid[place, : item.tokens] = True
        return clean, valid

    def _phrase(self, style: str, rng: np.random.Generator) -> Tensor:
        own = self.style_phrases[style]
        vector = self.table.vectors[own[int(rng.integers(len(own)))]]
        if rng.random() < self.options.text_mix:
            return torch.lerp(vector, self.table.vectors[own[int(rng.integers(len(own)))]], float(rng.random()))
        return vector

    def _alignment(self, motion: Tensor, text: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, float]]:
        o, head = self.options, self.modules["classes"]
        a, b = normalize(motion.float(), dim=-1), normalize(text.float(), dim=-1)
        logits = a @ b.T * self.log_temperature.clamp(0.0, 4.0).exp()
        contrast = both_ways(logits, labels)
        named = cross_entropy(head(motion.float()), labels) + cross_entropy(head(text.float()), labels)
        agreement = (1.0 - (a * b).sum(dim=-1)).mean()
        total = o.contrast * contrast + o.classes * named + o.agreement * agreement
        figures = {"contrast": float(contrast.detach()), "agreement": float(agreement.detach())}
        return total, figures

    def _dropped(self, items: list[Item], styled: list[int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        o = self.options
        chance = torch.rand(len(items), generator=generator)
        both = chance < o.text_drop / 2
        no_text = both | ((chance >= o.text_drop / 2) & (chance < o.text_drop))
        no_style = both | ((chance >= o.text_drop) & (chance < o.text_drop + o.style_drop))
        says = torch.tensor([item.says for item in items])
        has_style = torch.zeros(len(items), dtype=torch.bool)
        has_style[styled] = True
        return says & ~no_text, has_style & ~no_style

    def _length_loss(self, items: list[Item], text: Tensor, style: Tensor, has_style: Tensor) -> Tensor:
        mean, log_variance = self.modules["length"](text, style, has_style)
        whole = torch.tensor([float(min(len(self.store.latents[item.number]), MOST_TOKENS)) for item in items]).log()
        says = torch.tensor([item.says for item in items]).float()
        likelihood = 0.5 * ((whole - mean) ** 2 * torch.exp(-log_variance) + log_variance)
        return (likelihood * says).sum() / says.sum().clamp(min=1.0)

    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Draw a walk, a wave and a sit-down as the averaged networks make them now."""
        from motifmix.drawing.strips import sheet
        from motifmix.training.previews import preview_motions

        rows = preview_motions(self, modules)
        sheet(rows, folder / f"samples-{step:06d}.png")

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the parts, each with its card."""
        from motifmix.pretrained.cards import write_weights

        o = self.options
        latent = self.store.mean.shape[0]
        if self.start is not None and o.way < 1:
            modules = self.start.between(modules, o.way)
        styled = modules["denoiser"]
        assert isinstance(styled, StyledDenoiser)
        extra = {
            "block": o.block, "gamma": o.gamma, "fusion": o.fusion,
            "prediction_type": o.prediction_type, "schedule": o.schedule,
            "without_cells": [list(cell) for cell in o.without_cells], "without_styles": o.without_styles,
        }  # fmt: skip
        shared = {
            "latent_mean": self.store.mean, "latent_std": self.store.std,
            "text_mean": self.table.mean, "text_std": self.table.std,
            "project_weight": styled.project.weight, "project_bias": styled.project.bias,
        }  # fmt: skip
        sizes = {"latent": latent, "width": o.width, "blocks": o.blocks, "heads": o.heads}
        architecture = "LatentDenoiser"
        if o.network == "features":
            sizes, architecture = {"patch": sizes.pop("latent"), **sizes}, "feature_denoiser:FeatureDenoiser"

        def write(
            part: str, architecture: str, sizes: dict[str, Any], tensors: dict[str, Any], extra: dict[str, Any]
        ) -> None:
            known = facts_of(architecture, sizes, self.caches, {**facts, "extra": extra}, name=part)
            write_weights(folder, part, tensors, **known)

        write("denoiser", architecture, sizes, {**styled.denoiser.state_dict(), **shared}, extra)
        if o.network == "features":  # an autoencoder's place is filled, so that pipelines need not ask
            statistics = {name: torch.from_numpy(getattr(self.store.normaliser, name)) for name in ("mean", "std")}
            write("vae", "feature_denoiser:FramePatches", {"features": MotifmixSpace.dim}, statistics, {})
        encoder_sizes = {"features": MotifmixSpace.dim, "width": o.style_width, "style": o.style}
        write("style_encoder", "StyleEncoder", encoder_sizes, modules["style_encoder"].state_dict(), {})
        write("text_to_style", "TextToStyle", {"style": o.style}, modules["text_to_style"].state_dict(), {})
        write("length", "LengthPredictor", {"style": o.style}, modules["length"].state_dict(), {})
        complete(folder, home() / "weights", ("bank",))  # where the model's own folder has none
        complete(folder, self.weights)
