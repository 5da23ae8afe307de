"""The style network that guides SMooDi on the default features: a classifier of the style set's clips.

Trained with SMooDi's augmentation, so that it bears with half-made motions: a share of the frames hidden, noise in
proportion to the clip's range of values. Its card has the role ``guide``: no figure may be read off it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from motifmix.data.labels import style_names
from motifmix.features.own import MotifmixSpace
from motifmix.features.space import Normaliser
from motifmix.home import home
from motifmix.models.style_reader import StyleReader
from motifmix.models.temporal_vae import STRIDE
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import write_weights
from motifmix.training.pool import Pool, cell_weights, in_one_batch, open_sets
from motifmix.training.publishing import facts_of
from motifmix.training.spoiling import spoilt

SHORTEST, LONGEST = 32, 128  # frames of a window
HELD_OUT = 512  # clips looked at for the card


class StyleReaderOptions(BaseModel):
    """Options of ``style_reader`` recipes; the augmentation's are the published ones.

    With probability ``hiding`` up to ``most_hidden`` of the frames are set to zero, then with probability ``noising``
    noise of ``noise`` times the clip's range of values is added.
    """

    model_config = ConfigDict(extra="forbid")

    batch: int = Field(48, ge=1)
    width: int = 128
    hiding: float = 0.6
    most_hidden: float = 0.5
    noising: float = 0.8
    noise: float = 0.05
    weights: str = "weights"
    without_cells: list[tuple[str, str]] = []


class StyleReaderObjective:
    """Cross-entropy of windows of the style set's clips."""

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        self.options = o = StyleReaderOptions.model_validate(options)
        self.caches = open_sets(data)
        _, _, statistics = load_part(home() / o.weights, "vae")
        self.normaliser = Normaliser(statistics["mean"].numpy(), statistics["std"].numpy())
        self.pool = self._pool("train")
        self.styles = style_names(entry.clip.style for _, entry in self.pool.list)
        torch.manual_seed(seed)
        self.sizes = {"features": MotifmixSpace.dim, "width": o.width, "classes": len(self.styles)}
        self.modules = nn.ModuleDict({"style_network": StyleReader(**self.sizes)})

    def _pool(self, split: str) -> Pool:
        entries = [
            (number, entry)
            for number, cache in enumerate(self.caches)
            for entry in cache.entries(cache.prepared.select(split=split, without_cells=self.options.without_cells))
            if entry.clip.style is not None and entry.frames >= STRIDE
        ]
        return Pool(self.caches, entries, cell_weights([entry for _, entry in entries], set_one=0.5, locomotion=1.0))

    def _windows(self, pool: Pool, numbers: list[int], rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        windows = []
        for number in numbers:
            frames = pool.list[number][1].frames
            length = min(frames, int(rng.integers(SHORTEST, LONGEST + 1)))
            first = int(rng.integers(0, frames - length + 1))
            windows.append(pool.window(number, first, length))
        features, valid = in_one_batch(windows, self.normaliser)
        named = [pool.list[number][1].clip.style for number in numbers]
        labels = torch.tensor([self.styles.index(style) for style in named if style is not None])
        return features, valid, labels

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """One batch of spoilt windows."""
        features, valid, labels = self._windows(self.pool, self.pool.draw(rng, self.options.batch), rng)
        o = self.options
        features = spoilt(
            features, generator, hiding=o.hiding, most_hidden=o.most_hidden, noising=o.noising, noise=o.noise
        )
        logits = self.modules["style_network"](features * valid[..., None], valid)
        right = (logits.argmax(dim=-1) == labels).float().mean()
        return cross_entropy(logits, labels), {"right": float(right)}

    @torch.no_grad()
    def _held_out(self, network: nn.Module) -> float:
        """Share of held-out clips whose style is named."""
        pool, rng = self._pool("test"), np.random.default_rng(0)
        numbers = pool.draw(rng, min(HELD_OUT, len(pool.list)))
        hits = 0
        for start in range(0, len(numbers), 64):
            features, valid, labels = self._windows(pool, numbers[start : start + 64], rng)
            hits += int((network(features, valid).argmax(dim=-1) == labels).sum())
        return hits / len(numbers)

    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Nothing is drawn; the curve shows how many windows are named right."""

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the network as a guide."""
        network = modules["style_network"].eval()
        known = facts_of(
            "style_reader:StyleReader", self.sizes, self.caches, {**facts, "extra": {"styles": list(self.styles)}},
            name="style_network",
        )  # fmt: skip
        numbers = {"held_out_right": round(self._held_out(network), 4)}
        write_weights(folder, "style_network", network.state_dict(), **{**known, "role": "guide", "numbers": numbers})
