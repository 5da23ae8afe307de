"""Style as a second step: a base says what happens, a restyling network then gives the motion a style.

Aberman et al. and Motion Puzzle as the paper's tables use them, on our 22 joints at 20 fps. Both keep the content's root path
and both clean feet with the content's contacts, so a style cannot change how far or how fast somebody goes; and both read
a style from a motion only.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from motifmix.errors import RequestError, WeightsError
from motifmix.features import restyling
from motifmix.features.aberman import CLEANUP_DAMPING as ABERMAN_DAMPING
from motifmix.features.motion_puzzle import CLEANUP_DAMPING as PUZZLE_DAMPING
from motifmix.models.aberman import AbermanGenerator
from motifmix.models.motion_puzzle import MotionPuzzle
from motifmix.models.parameter_count import parameter_count
from motifmix.motion import Motion
from motifmix.motion.foot_cleanup import cleaned_feet
from motifmix.pipelines.baselines.unstyled import Unstyled
from motifmix.pipelines.one_each import one_each
from motifmix.pretrained.build import load_part
from motifmix.style.references import StyleLike, on_training_skeleton, resolve

SHORTEST = 16  # frames; shorter clips go to and fro, because both networks reflect their ends


class Restyler(Protocol):
    """Gives a motion the style of another, both on the motifmix skeleton."""

    @property
    def network(self) -> torch.nn.Module:
        """What was trained."""
        ...

    def restyled(self, content: Motion, style: Motion, *, clean_feet: bool = True) -> Motion:
        """Return ``content`` at 20 fps in the style of ``style``; raises ``ValueError`` for other skeletons."""
        ...


class AbermanRestyler:
    """Aberman et al.: one style code from the whole style motion; quaternions out, root and heading the content's."""

    def __init__(self, network: AbermanGenerator, statistics: dict[str, Tensor]) -> None:
        self.network = network.eval()
        self._statistics = {name: value.numpy() for name, value in statistics.items()}

    @torch.no_grad()
    def restyled(self, content: Motion, style: Motion, *, clean_feet: bool = True) -> Motion:
        """Return ``content`` in the style of ``style``."""
        arrays, of_style = restyling.aberman_arrays(content), restyling.aberman_arrays(style)
        given = self._normalised("content", arrays.content)
        read = self._normalised("style3d", of_style.style3d)
        rotations = self.network(given, read)[0, :, : len(arrays.content)].T.double().numpy()
        made = restyling.aberman_motion(rotations, arrays)
        return restyling.planted(made, arrays.foot_contacts, ABERMAN_DAMPING) if clean_feet else made

    def _normalised(self, name: str, clip: np.ndarray) -> Tensor:
        mean, std = self._statistics[f"{name}_mean"], self._statistics[f"{name}_std"]
        normalised = (restyling.from_origin(clip) - mean) / std
        return torch.from_numpy(_lengthened(normalised, 2).astype(np.float32)).T[None]


class PuzzleRestyler:
    """Motion Puzzle, the whole body taking one style: postures out, along the content's root."""

    def __init__(self, network: MotionPuzzle, statistics: dict[str, Tensor]) -> None:
        self.network = network.eval()
        self.mean, self.std = statistics["mean"].numpy(), statistics["std"].numpy()

    @torch.no_grad()
    def restyled(self, content: Motion, style: Motion, *, clean_feet: bool = True) -> Motion:
        """Return ``content`` in the style of ``style``."""
        clip, of_style = restyling.puzzle_clip(content), restyling.puzzle_clip(style)
        made = self.network(self._normalised(clip.motion), self._normalised(of_style.motion))
        features = made[0].permute(2, 1, 0)[: len(clip)].double().numpy() * self.std + self.mean
        motion = restyling.puzzle_motion(features, clip, content)
        return restyling.planted(motion, clip.foot_contacts, PUZZLE_DAMPING) if clean_feet else motion

    def _normalised(self, motion: np.ndarray) -> Tensor:
        normalised = (_lengthened(motion, 4) - self.mean) / self.std
        return torch.from_numpy(normalised.astype(np.float32)).permute(2, 1, 0)[None]


def _lengthened(clip: np.ndarray, multiple: int) -> np.ndarray:
    """Lengthen ``[T, ...]`` to and fro to the next multiple of frames, and to the least that the networks read."""
    frames = max(-(-len(clip) // multiple) * multiple, SHORTEST)
    return clip[restyling.reflected_frames(len(clip), frames)]


def load_restyler(folder: Path | str) -> Restyler:
    """Return the network in a folder of weights. Raises ``WeightsError`` where there is none."""
    card, network, statistics = load_part(Path(folder), "restyler")
    if isinstance(network, AbermanGenerator):
        return AbermanRestyler(network, statistics)
    if isinstance(network, MotionPuzzle):
        return PuzzleRestyler(network, statistics)
    raise WeightsError(f"{folder}: {card.architecture} is no network that restyles a motion")


class Restyled(Unstyled):
    """A base with a restyling network behind it; both are given as objects or as folders of weights."""

    def __init__(self, base: Any, restyler: Restyler | Path | str) -> None:
        super().__init__(base)
        self.restyler = load_restyler(restyler) if isinstance(restyler, str | Path) else restyler

    def generate(
        self,
        texts: Sequence[str],
        styles: Sequence[StyleLike | None] | None = None,
        seconds: float | Sequence[float | None] | None = None,
        seeds: int | Sequence[int] | None = None,
        *,
        clean_feet: bool = True,
        **options: Any,
    ) -> list[Motion]:
        """Return one motion (20 fps, motifmix skeleton) a text; ``options`` are the base's.

        A style of None leaves what the base made. Feet are cleaned thrice: the base's own way before (contacts are read
        there), the papers' after, and the way of every pipeline here last. Raises ``RequestError`` as :meth:`restyle`.
        """
        references = _references(one_each(styles, len(texts), "styles"))  # before the base works
        made = self.base.generate(texts, styles=None, seconds=seconds, seeds=seeds, clean_feet=clean_feet, **options)
        return [
            motion if style is None else self._one(motion, style, clean_feet)
            for motion, style in zip(made, references, strict=True)
        ]

    def restyle(
        self, motions: Sequence[Motion], styles: Sequence[StyleLike], *, clean_feet: bool = True
    ) -> list[Motion]:
        """Return motions of any skeleton that can be retargeted, at 20 fps on the motifmix skeleton, each in its style.

        Raises ``RequestError`` for words and blends, which these networks cannot read, and as ``style.references``.
        """
        if len(motions) != len(styles):
            raise RequestError(f"{len(styles)} styles were given for {len(motions)} motions; give one a motion")
        contents = [on_training_skeleton(motion) for motion in motions]
        return [
            self._one(content, style, clean_feet)
            for content, style in zip(contents, _references(styles), strict=True)
            if style is not None
        ]

    def parameters(self) -> tuple[int, int]:
        """Return the parameters in all, and those trained for style: the restyling network's (no discriminator)."""
        below, _ = self.base.parameters() if hasattr(self.base, "parameters") else super().parameters()
        own = parameter_count(self.restyler.network)
        return below + own, own

    def _one(self, content: Motion, style: Motion, clean_feet: bool) -> Motion:
        made = self.restyler.restyled(content, style, clean_feet=clean_feet)
        made = cleaned_feet(made) if clean_feet else made
        labels = {**content.labels, "style": str(style.labels.get("style") or "a motion")}
        return made.with_labels(**labels)


def _references(styles: Sequence[StyleLike | None]) -> list[Motion | None]:
    """Read each style once. Words are refused: an example put in their place would make a text's row a motion's."""
    read: dict[int, Motion] = {}
    for style in styles:
        if style is None or id(style) in read:
            continue
        parts = resolve(style)
        if len(parts) != 1 or parts[0].motion is None:
            what = "several styles at once" if len(parts) != 1 else f'words ("{parts[0].words}")'
            raise RequestError(f"this method reads a style from one motion, not from {what}; give a motion or its file")
        read[id(style)] = parts[0].motion
    return [None if style is None else read[id(style)] for style in styles]
