"""Aberman et al. on our training skeleton and sets: the published losses, windows of 22 joints at 20 fps.

Steps take turns: an even one teaches the discriminator, an odd one the generator, each on a batch of its own, so that two
of our steps are one iteration of the paper; iterations take turns between 3D and 2D styles. Clips without a style
label are a class of their own for the discriminator: it has to see real ones, or it would learn that all are made.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from motifmix.features import restyling
from motifmix.features.aberman import AUGMENTED_SCALE, AUGMENTED_YAW
from motifmix.features.restyling import ABERMAN, GLOBALS, AbermanArrays
from motifmix.models.aberman import AbermanDiscriminator, AbermanGenerator
from motifmix.models.parameter_count import parameter_count
from motifmix.pipelines.baselines.restyled import AbermanRestyler
from motifmix.training.objectives.published.aberman import (
    AbermanObjective,
    AbermanSettings,
    ContentBatch,
    StyleBatch,
    StyleClips,
)
from motifmix.training.publishing import facts_of
from motifmix.training.restyled_strips import draw_restyled
from motifmix.training.styled_clips import StyledClips, window_of

STATISTICS_CLIPS = 600
SMALLEST_STD = 0.02  # of a channel, in units and parts of a quaternion: joints that hardly turn must not shout


class AbermanOptions(BaseModel):
    """Options of ``aberman`` recipes; ``content_share`` and ``style_share`` are those of the content set in the batches
    that give the content and the style.
    """

    model_config = ConfigDict(extra="forbid")

    batch: int = 24
    window: int = 32
    content_share: float = 0.5
    style_share: float = 0.25
    generator: dict[str, Any] = {}
    discriminator: dict[str, Any] = {}


@dataclass(frozen=True)
class _Clips:
    """Windows [B, T, channels] with their labels, from the origin."""

    content: np.ndarray
    style3d: np.ndarray
    label: np.ndarray


class AbermanTraining:
    """Draws windows and asks for the published losses."""

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        self.options = o = AbermanOptions.model_validate(options)
        self.clips = StyledClips[AbermanArrays](data, o.window, restyling.aberman_arrays)
        self.statistics = self._fitted()
        torch.manual_seed(seed)
        self.sizes = {
            "content_channels": restyling.CONTENT_CHANNELS, "style3d_channels": restyling.STYLE3D_CHANNELS,
            "style2d_channels": restyling.STYLE2D_CHANNELS, **o.generator, "parents": list(ABERMAN.skeleton.parents),
            "offsets": ABERMAN.skeleton.offsets.tolist(), "kept_joints": list(ABERMAN.kept),
        }  # fmt: skip
        generator = AbermanGenerator(**self.sizes)
        self._at_mean_pose(generator)
        discriminator = AbermanDiscriminator(
            restyling.STYLE3D_CHANNELS, num_classes=len(self.clips.labels), **o.discriminator
        )
        self.modules = nn.ModuleDict({"generator": generator, "discriminator": discriminator})
        self.iteration, self.teaches_generator = 0, True

    def _fitted(self) -> dict[str, Tensor]:
        """Mean and deviation of every channel over windows of training clips, of all three arrays."""
        rng = np.random.default_rng(0)
        clips = self._windows(rng, self.clips.drawn(rng, STATISTICS_CLIPS, self.options.content_share))
        arrays = {"content": clips.content, "style3d": clips.style3d, "style2d": _pictured(rng, clips.style3d)}
        found = {}
        for name, array in arrays.items():
            flat = array.reshape(-1, array.shape[-1]).astype(np.float64)
            found[f"{name}_mean"] = torch.from_numpy(flat.mean(axis=0).astype(np.float32))
            found[f"{name}_std"] = torch.from_numpy(np.maximum(flat.std(axis=0), SMALLEST_STD).astype(np.float32))
        return found

    def _at_mean_pose(self, generator: AbermanGenerator) -> None:
        """Begin at the mean pose: a few minutes are too short to walk there from quaternions of no length."""
        last = generator.decoder.levels[-1]
        assert isinstance(last, nn.Sequential)
        convolution = last[-1]
        assert isinstance(convolution, nn.Conv1d) and convolution.bias is not None
        with torch.no_grad():
            convolution.bias.copy_(self.statistics["content_mean"][:-GLOBALS])

    def begin_step(self, step: int) -> None:
        """Teach the discriminator in even steps, the generator in odd ones."""
        self.iteration, self.teaches_generator = step // 2, step % 2 == 1
        self.modules["generator"].requires_grad_(self.teaches_generator)
        self.modules["discriminator"].requires_grad_(not self.teaches_generator)

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """The losses of this step's half."""
        content, style = self.batches(rng)
        made, judge = self.modules["generator"], self.modules["discriminator"]
        assert isinstance(made, AbermanGenerator) and isinstance(judge, AbermanDiscriminator)
        objective = AbermanObjective(made, judge, AbermanSettings())
        half = objective.generator_step if self.teaches_generator else objective.discriminator_step
        losses = half(content, style, self.iteration)
        shown = (
            ("reconstruction", "rotation_reconstruction", "feature_matching", "triplet", "twist", "accuracy_translated")
            if self.teaches_generator
            else ("accuracy_real", "accuracy_fake", "gradient_penalty")
        )
        name = "generator" if self.teaches_generator else "discriminator"
        figures = {each: float(losses[each].detach()) for each in shown}
        return losses["total"], {name: float(losses["total"].detach()), **figures}

    def batches(self, rng: np.random.Generator) -> tuple[ContentBatch, StyleBatch]:
        """Draw a batch that gives the content and one that gives the style."""
        o = self.options
        numbers = self.clips.drawn(rng, o.batch, o.content_share)
        content = self._windows(rng, numbers)
        same, other = (
            self._styles(rng, self._windows(rng, drawn(rng, numbers)).style3d)
            for drawn in (self.clips.alike, self.clips.unlike)
        )
        style = self._windows(rng, self.clips.drawn(rng, o.batch, o.style_share))
        return (
            ContentBatch(
                clips=self._styles(rng, content.style3d), raw3d=self._raw(content.style3d),
                label=self._on_device(content.label), content=self._normalised("content", content.content),
                content_raw=self._raw(content.content), same=same, other=other,
            ),
            StyleBatch(self._styles(rng, style.style3d), self._raw(style.style3d), self._on_device(style.label)),
        )  # fmt: skip

    def _windows(self, rng: np.random.Generator, numbers: np.ndarray) -> _Clips:
        contents, styles = [], []
        for number in numbers:
            arrays = self.clips.arrays(number)
            frames = window_of(rng, len(arrays.content), self.options.window)
            contents.append(arrays.content[frames])
            styles.append(arrays.style3d[frames])
        content, style3d = (restyling.from_origin(np.stack(clips)).astype(np.float32) for clips in (contents, styles))
        return _Clips(content, style3d, self.clips.label[numbers])

    def _styles(self, rng: np.random.Generator, style3d: np.ndarray) -> StyleClips:
        seen = _pictured(rng, style3d)
        return StyleClips(self._normalised("style3d", style3d), self._normalised("style2d", seen))

    def _normalised(self, name: str, clips: np.ndarray) -> Tensor:
        mean, std = (self.statistics[f"{name}_{part}"].numpy() for part in ("mean", "std"))
        return self._raw((clips - mean) / std)

    def _raw(self, clips: np.ndarray) -> Tensor:
        return self._on_device(np.ascontiguousarray(clips.swapaxes(1, 2)))

    def _on_device(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(next(self.modules.parameters()).device)

    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Draw held-out plain walks and runs before and after they take another style."""
        generator = modules["generator"]
        assert isinstance(generator, AbermanGenerator)
        restyler = AbermanRestyler(generator.cpu(), self.statistics)
        draw_restyled(self.clips.caches, restyler, folder / f"restyled-{step:06d}.png")

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the generator with the statistics of its arrays; the discriminator stays in the checkpoint."""
        from motifmix.pretrained.cards import write_weights

        judge = parameter_count(modules["discriminator"])
        extra = {"labels": list(self.clips.labels), "discriminator_parameters": judge}
        card = facts_of(
            "aberman:AbermanGenerator", self.sizes, self.clips.caches, {**facts, "extra": extra}, name="restyler"
        )
        tensors = {**modules["generator"].state_dict(), **self.statistics}
        write_weights(folder, "restyler", tensors, exact=True, **{**card, "space": "aberman_92"})


def _pictured(rng: np.random.Generator, style3d: np.ndarray) -> np.ndarray:
    """Pictures of clips [B, T, 67] from random sides at random scales, as published: [B, T, 44]."""
    angles = np.zeros((len(style3d), 3))
    angles[:, 1] = rng.uniform(-AUGMENTED_YAW, AUGMENTED_YAW, len(style3d))
    return restyling.pictures(style3d, angles, rng.uniform(*AUGMENTED_SCALE, len(style3d)))
