"""A strength of its own for every item and step, in place of one gamma for all (``models/style_strength.py``).

Everything else is frozen. Clips of the style set are noised, the denoiser says what they were, guided by the clip's
sentence and by *another* style, and the judge with the role *guide* reads the estimate: the style should be the one that was
asked for, the content still the clip's. ``content`` says what the one is worth against the other, so there is no best
strength without it; the judges that select and score have no part in this.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from motifmix.data.captions import captions
from motifmix.data.labels import SET_2_CONTENTS, SET_2_STYLES
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Guided
from motifmix.diffusion.predictions import noised
from motifmix.models.layers.feature_joints import feature_joints
from motifmix.models.style_strength import StyleStrength
from motifmix.models.temporal_vae import STRIDE
from motifmix.pipelines.sampling import STYLE_SCALE, TEXT_SCALE
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.pretrained.judges import appoint, load_judge
from motifmix.training.latents import LatentStore
from motifmix.training.pool import open_sets, weights_folder
from motifmix.training.publishing import complete, facts_of
from motifmix.training.texts import embedded, style_texts

PARTS = ("vae", "denoiser", "style_encoder", "text_to_style", "length", "bank")
LEAST_TOKENS, MOST_TOKENS = 8, 30


class StrengthOptions(BaseModel):
    """Options of ``strength`` recipes."""

    model_config = ConfigDict(extra="forbid")

    batch: int = 16
    width: int = 64
    content: float = 1.0
    near_one: float = 0.01
    least_time: float = 0.2
    most_time: float = 0.9
    weights: str | None = None


class StrengthObjective:
    """Draws (clip, sentence, another style); see the module's text."""

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        self.options = o = StrengthOptions.model_validate(options)
        self.weights = weights_folder(o.weights)
        self.model = TextToMotion(self.weights)
        judge = load_judge("guide")
        appoint(guide=judge)
        self.judge = judge.model.requires_grad_(False)
        self.judged = (judge.card.contents, judge.card.styles)
        self.caches = open_sets(data)
        self.entries = [
            (number, entry)
            for number, cache in enumerate(self.caches)
            for entry in cache.entries(cache.prepared.select(split="train", source="bandai-2"))
            if entry.frames >= STRIDE * LEAST_TOKENS
        ]
        self.store = LatentStore(self.weights, self.caches, self.entries)
        mean, std = self.model.latent_mean, self.model.latent_std
        self.latents = [(own * self.store.std + self.store.mean - mean) / std for own in self.store.latents]
        self.said = {content: self._standardised(captions(content)) for content in SET_2_CONTENTS}
        self.styles = [style for style in SET_2_STYLES if style != "normal"]
        with torch.no_grad():
            self.spoken = {
                style: self.model.text_to_style(self._standardised(style_texts(style))) for style in self.styles
            }
        torch.manual_seed(seed)
        network = StyleStrength(self.model.text_mean.numel(), self.model.denoiser.project.in_features, o.width)
        self.model.denoiser.strengths = network
        self.modules = nn.ModuleDict({"strength": network})

    def _standardised(self, texts: list[str]) -> Tensor:
        return (embedded(texts) - self.model.text_mean) / self.model.text_std

    def _drawn(self, rng: np.random.Generator) -> tuple[list[Tensor], Tensor, Tensor, list[str], list[str]]:
        clean, text, style, contents, styles = [], [], [], [], []
        for number in rng.integers(len(self.entries), size=self.options.batch).tolist():
            clip, own = self.entries[number][1].clip, self.latents[number]
            length = int(rng.integers(LEAST_TOKENS, min(len(own), MOST_TOKENS) + 1))
            first = int(rng.integers(len(own) - length + 1))
            wanted = [style for style in self.styles if style != clip.style]
            styles.append(wanted[int(rng.integers(len(wanted)))])
            contents.append(str(clip.content))
            clean.append(own[first : first + length])
            for rows, known in ((text, self.said[contents[-1]]), (style, self.spoken[styles[-1]])):
                rows.append(known[int(rng.integers(len(known)))])
        return clean, torch.stack(text), torch.stack(style), contents, styles

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """One batch; one time for all of it, as the sampler has."""
        o, model = self.options, self.model
        network = self.modules["strength"]
        assert isinstance(network, StyleStrength)
        model.denoiser.strengths = network
        clean, text, style, contents, styles = self._drawn(rng)
        valid = torch.arange(max(map(len, clean)))[None] < torch.tensor([len(own) for own in clean])[:, None]
        padded = torch.nn.utils.rnn.pad_sequence(clean, batch_first=True)
        level = model.schedule.level(float(rng.uniform(o.least_time, o.most_time)))
        noise = torch.randn(padded.shape, generator=generator)
        noisy = noised(padded, noise, level.alpha, level.sigma) * valid[..., None]
        here = torch.ones(len(clean), dtype=torch.bool)
        told = Condition({"text": Part(text, here), "style": Part(style, here)})
        guided = Guided(model.denoiser, [("text", TEXT_SCALE), ("style", STYLE_SCALE)])
        estimate = guided(noisy, level, told, valid)
        features = model.vae.decode(estimate * model.latent_std + model.latent_mean, valid)
        mean, std = (torch.from_numpy(own) for own in (model.normaliser.mean, model.normaliser.std))
        seen = self.judge(feature_joints(features * std + mean), valid.repeat_interleave(STRIDE, dim=1))
        wanted_content = torch.tensor([self.judged[0].index(own) for own in contents])
        wanted_style = torch.tensor([self.judged[1].index(own) for own in styles])
        as_style, as_content = cross_entropy(seen.style, wanted_style), cross_entropy(seen.content, wanted_content)
        factor = network(text, here, style, torch.full((len(clean),), level.time))
        loss = as_style + o.content * as_content + o.near_one * (factor.log() ** 2).mean()
        figures = {"style": as_style, "content": as_content, "factor": factor.mean(), "spread": factor.std()}
        return loss, {name: float(value.detach()) for name, value in figures.items()}

    @torch.no_grad()
    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Write the mean factor of each content at three times."""
        network = modules["strength"]
        assert isinstance(network, StyleStrength)
        lines = []
        for content, said in self.said.items():
            style = torch.stack([own[0] for own in self.spoken.values()])
            here = torch.ones(len(style), dtype=torch.bool)
            factors = [
                float(network(said[:1].expand(len(style), -1), here, style, torch.full((len(style),), time)).mean())
                for time in (0.8, 0.5, 0.2)
            ]
            lines.append(f"{content} {' '.join(f'{factor:.2f}' for factor in factors)}\n")
        (folder / "factors.txt").write_text("".join(lines), "utf-8")

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the network beside copies of the parts that it goes with."""
        from motifmix.pretrained.cards import write_weights

        complete(folder, self.weights, PARTS)
        own = {"text": self.model.text_mean.numel(), "style": self.model.denoiser.project.in_features}
        sizes = {**own, "width": self.options.width}
        known = facts_of("style_strength:StyleStrength", sizes, self.caches, facts, name="strength")
        write_weights(folder, "strength", modules["strength"].state_dict(), **known)
