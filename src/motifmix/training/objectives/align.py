"""Contrastive alignment: the words of a style find their place among the motions of that style.

The style encoder is frozen, so each clip's style vector is computed once; the projection from MiniLM's embedding learns
by the symmetric contrastive loss of StyleMotif (its printed sign mended: both directions inside the bracket), with all
clips of a style as positives. The recipe also writes the *bank*: what is known by name, for messages and lists.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn.functional import normalize

from motifmix.data.captions import caption_groups, style_phrase_groups
from motifmix.data.feature_cache import CachedClip, FeatureCache
from motifmix.data.labels import CONTENTS, MORE_CONTENTS, content_synonyms, style_names, style_synonyms
from motifmix.data.sample import Clip
from motifmix.features.own import rested_to_multiple
from motifmix.features.space import Normaliser
from motifmix.models.style_encoder import TextToStyle
from motifmix.models.temporal_vae import STRIDE
from motifmix.pretrained.build import load_part
from motifmix.training.contrast import both_ways
from motifmix.training.pool import open_sets, weights_folder
from motifmix.training.publishing import complete, facts_of
from motifmix.training.texts import embedded, style_description_texts, style_texts


class AlignOptions(BaseModel):
    """Options of ``align`` recipes."""

    model_config = ConfigDict(extra="forbid")

    batch: int = 128
    noise: float = 0.3
    temperature: float = 0.1
    agreement: float = 1.0
    start: bool = True
    descriptions: float = 0.0
    """Share of phrases that are long descriptions, composed of the style's attributes."""
    phrases_a_style: int = 40
    captions_a_content: int = 10
    least_clips: int = 5
    weights: str | None = None
    without_styles: list[str] = []


class AlignObjective:
    """Pairs of (style phrase, style motion)."""

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        self.options = o = AlignOptions.model_validate(options)
        self.caches = open_sets(data)
        self.weights = weights_folder(o.weights)
        _, self.encoder, _ = load_part(self.weights, "style_encoder")
        _, _, vae_rest = load_part(self.weights, "vae")
        _, _, base_rest = load_part(self.weights, "denoiser")
        self.normaliser = Normaliser(vae_rest["mean"].numpy(), vae_rest["std"].numpy())
        self.text_mean, self.text_std = base_rest["text_mean"], base_rest["text_std"]
        self.styles = style_names(clip.style for cache in self.caches for clip in self._clips(cache))
        self.vectors, self.labels = self._style_vectors()
        self.weight = self._weights()
        self.phrases = {style: self._standardised(style_texts(style)) for style in self.styles}
        self.long = {
            style: self._standardised(texts)
            for style in self.styles
            if o.descriptions > 0 and (texts := style_description_texts(style))
        }
        torch.manual_seed(seed)
        network = TextToStyle(style=self.vectors.shape[1])
        if o.start:
            network.load_state_dict(load_part(self.weights, "text_to_style")[1].state_dict())
        self.modules = nn.ModuleDict({"text_to_style": network})

    def _clips(self, cache: FeatureCache, mirrored: bool | None = None) -> list[Clip]:
        return cache.prepared.select(split="train", mirrored=mirrored, without_styles=self.options.without_styles)

    def _standardised(self, texts: list[str]) -> Tensor:
        return (embedded(texts) - self.text_mean) / self.text_std

    @torch.no_grad()
    def _style_vectors(self) -> tuple[Tensor, Tensor]:
        vectors, labels = [], []
        for cache in self.caches:
            entries = [e for e in cache.entries(self._clips(cache)) if e.clip.style is not None]
            for entry in entries:
                vectors.append(self._vector(cache.window(entry, 0, min(entry.frames, 200))))
                labels.append(self.styles.index(entry.clip.style))  # type: ignore[arg-type]
        return torch.stack(vectors), torch.tensor(labels)

    def _vector(self, features: np.ndarray) -> Tensor:
        padded = self.normaliser.normalise(rested_to_multiple(features, STRIDE)).astype(np.float32)
        return self.encoder(torch.from_numpy(padded)[None], torch.ones(1, len(padded), dtype=torch.bool))[0]

    def _weights(self) -> np.ndarray:
        counts = Counter(self.labels.tolist())
        weight = np.array([1.0 / counts[label] for label in self.labels.tolist()])
        return weight / weight.sum()

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """One batch, every style equally often."""
        o = self.options
        numbers = torch.from_numpy(rng.choice(len(self.labels), size=o.batch, p=self.weight))
        labels, motion = self.labels[numbers], self.vectors[numbers]
        spoken = []
        for label in labels.tolist():
            own = self.phrases[self.styles[label]]
            if o.descriptions > 0 and rng.random() < o.descriptions:
                own = self.long.get(self.styles[label], own)
            one, two = own[int(rng.integers(len(own)))], own[int(rng.integers(len(own)))]
            spoken.append(torch.lerp(one, two, float(rng.random())) if rng.random() < 0.3 else one)
        text = torch.stack(spoken)
        text = self.modules["text_to_style"](text + o.noise * torch.randn(text.shape, generator=generator))
        a, b = normalize(motion, dim=-1), normalize(text, dim=-1)
        logits = a @ b.T / o.temperature
        contrast = both_ways(logits, labels)
        agreement = (1.0 - (a * b).sum(dim=-1)).mean()
        return contrast + o.agreement * agreement, {
            "contrast": float(contrast.detach()),
            "agreement": float(agreement.detach()),
        }

    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Write how often a trained phrase lies nearest to motions of its own style."""
        prototypes = self._prototypes()
        with torch.no_grad():
            hits = {
                style: float((modules["text_to_style"](own) @ prototypes.T).argmax(dim=1).eq(number).float().mean())
                for number, (style, own) in enumerate(self.phrases.items())
            }
        (folder / "retrieval.txt").write_text(
            "".join(f"{style} {share:.3f}\n" for style, share in hits.items()), "utf-8"
        )

    def _prototypes(self) -> Tensor:
        return torch.stack([self.vectors[self.labels == number].mean(dim=0) for number in range(len(self.styles))])

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the projection and the bank."""
        from motifmix.pretrained.cards import write_weights

        sizes = {"style": self.vectors.shape[1]}
        known = facts_of("TextToStyle", sizes, self.caches, facts, name="text_to_style")
        write_weights(folder, "text_to_style", modules["text_to_style"].state_dict(), **known)
        tensors, extra = self._bank()
        known = facts_of("Bank", {}, self.caches, {**facts, "extra": extra}, name="bank")
        write_weights(folder, "bank", tensors, **known)
        complete(folder, self.weights, ("vae", "denoiser", "style_encoder", "length"))

    def _bank(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        o = self.options
        clips: Counter[str] = Counter()
        styles: Counter[str] = Counter()
        said: dict[str, list[str]] = {}
        shown: dict[str, set[str]] = {}
        for cache in self.caches:
            for entry in cache.entries(self._clips(cache, mirrored=False)):
                clip: CachedClip = entry
                names = [clip.clip.content] if clip.clip.content else list(clip.clip.actions)
                clips.update(name for name in names if name)
                if clip.clip.style:
                    styles.update([clip.clip.style])
                    for name in filter(None, names):
                        shown.setdefault(name, set()).add(clip.clip.style)
                for name in names[:1] if not clip.clip.content else []:
                    said.setdefault(name, []).extend(clip.clip.captions)
        labels = (*CONTENTS, *MORE_CONTENTS)
        contents = [name for name in labels if clips[name]]
        contents += [
            n for n, count in clips.most_common() if n not in labels and count >= o.least_clips and said.get(n)
        ]
        texts, owners = [], []
        for number, name in enumerate(contents):
            spoken = [group[0] for group in caption_groups(name)] if name in labels else list(dict.fromkeys(said[name]))
            chosen = spoken[: o.captions_a_content]
            texts += chosen
            owners += [number] * len(chosen)
        phrases, phrase_owners = [], []
        for number, style in enumerate(self.styles):
            chosen = [group[0] for group in style_phrase_groups(style)][: o.phrases_a_style]
            phrases += chosen
            phrase_owners += [number] * len(chosen)
        tensors = {
            "content_texts": embedded(texts), "content_owners": torch.tensor(owners, dtype=torch.int16),
            "style_texts": embedded(phrases), "style_owners": torch.tensor(phrase_owners, dtype=torch.int16),
            "style_prototypes": self._prototypes(),
        }  # fmt: skip
        extra = {
            "styles": [{"name": s, "clips": styles[s], "synonyms": list(style_synonyms(s))} for s in self.styles],
            "contents": [
                {
                    "name": c,
                    "clips": clips[c],
                    "styles": len(shown.get(c, ())),
                    "synonyms": list(content_synonyms(c)) if c in labels else [],
                }
                for c in contents
            ],
        }
        return tensors, extra
