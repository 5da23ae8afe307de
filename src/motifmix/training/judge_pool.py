"""The clips that judges learn from: joint positions at 20 fps, classes, captions, drawn in batches of similar length.

Only the training side of the split is drawn from; mirrored twins come as the prepared folder lists them, with their own
labels and words. Speed is changed and windows are cut here, bodies are varied in the objective.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from motifmix.data.captions import draw_caption, vary
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.evaluation.classes import content_class
from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import MIRROR
from motifmix.pretrained.judges import LONGEST_SECONDS
from motifmix.training.augmentation import changed_speed
from motifmix.training.objectives.recognition import UNKNOWN, JudgeBatch

FPS = 20.0
SHORTEST_FRAMES = 16


@dataclass(frozen=True)
class PoolClip:
    """A clip with its line, its joints ``[T, 22, 3]`` (metres, 20 fps, not mirrored) and its classes (-1 = none)."""

    clip: Clip
    joints: np.ndarray
    content: int
    style: int


class JudgePool:
    """Clips of prepared folders with a probability each."""

    def __init__(self, clips: Sequence[PoolClip], weights: np.ndarray) -> None:
        if not clips:
            raise ValueError("no clip to learn from")
        self.clips = list(clips)
        self.weights = weights / weights.sum()

    @classmethod
    def of(
        cls,
        folders: Iterable[Prepared],
        contents: Sequence[str],
        styles: Sequence[str],
        split: str = "train",
        keep: Callable[[Clip], bool] = lambda clip: True,
        source_shares: dict[str, float] | None = None,
    ) -> "JudgePool":
        """Gather the clips of one side.

        A clip's weight is one over the square root of the number of clips like it (source, content and style), and
        every source as a whole gets its share of the draws.
        """
        content_number, style_number = ({n: i for i, n in enumerate(names)} for names in (contents, styles))
        rows: dict[str, np.ndarray] = {}
        clips = []
        for folder in folders:
            for clip in folder.clips:
                if clip.split != split or not keep(clip):
                    continue
                key = clip.mirror_of or clip.id
                if key not in rows:
                    rows[key] = joint_positions(folder.motion(folder.by_id[key]))
                name = content_class(clip)
                clips.append(
                    PoolClip(
                        clip,
                        rows[key],
                        content_number.get(name, UNKNOWN) if name else UNKNOWN,
                        style_number.get(clip.style, UNKNOWN) if clip.style else UNKNOWN,
                    )
                )
        kinds = [(c.clip.source, c.content, c.style) for c in clips]
        counts = Counter(kinds)
        weights = np.array([counts[kind] ** -0.5 for kind in kinds])
        shares = source_shares or {}
        sources = np.array([c.clip.source for c in clips])
        for source in set(sources.tolist()):
            weights[sources == source] *= shares.get(source, 1.0) / weights[sources == source].sum()
        return cls(clips, weights)

    def batches(
        self, size: int, generator: np.random.Generator, *, vary_speed: bool = True, at_once: int = 4
    ) -> Iterator[JudgeBatch]:
        """Draw batches without end; the same generator gives the same batches.

        ``at_once`` batches are drawn together and sorted by length, so that little is padded.
        """
        while True:
            drawn = generator.choice(len(self.clips), size * at_once, p=self.weights)
            windows = [window(self.clips[i], generator, vary_speed) for i in drawn]
            for chosen in similar_lengths(windows, size, generator):
                yield as_batch([self.clips[drawn[i]] for i in chosen], [windows[i] for i in chosen])


class CaptionedPool:
    """Clips with sentences that are true of them, for the motion-text evaluator.

    Of the content set, clips whose text rule lets a caption reach a window; of the style set, clips with the training
    captions of their content, all of which name the same thing (one caption number a content).
    """

    def __init__(
        self,
        pool: JudgePool,
        encode: Callable[[Sequence[str]], torch.Tensor],
        generator: np.random.Generator,
        variations: int = 3,
        style_set_share: float = 0.3,
    ) -> None:
        texts: list[str] = []
        self.clips: list[PoolClip] = []
        self.texts_of: list[list[int]] = []
        self.caption_of: list[list[int]] = []
        numbers: dict[str, int] = {}
        for item in pool.clips:
            wordings = _wordings(item.clip, generator, variations)
            if not wordings:
                continue
            self.clips.append(item)
            self.texts_of.append(list(range(len(texts), len(texts) + len(wordings))))
            self.caption_of.append([numbers.setdefault(meaning, len(numbers)) for _, meaning in wordings])
            texts += [text for text, _ in wordings]
        self.sentences = encode(texts)
        is_style = np.array([item.clip.role == "style" for item in self.clips])
        counts = Counter(
            item.clip.captions if item.clip.role == "content" else item.clip.content for item in self.clips
        )
        weights = np.array(
            [counts[c.clip.captions if c.clip.role == "content" else c.clip.content] ** -0.5 for c in self.clips]
        )
        for side, share in ((is_style, style_set_share), (~is_style, 1.0 - style_set_share)):
            if side.any():
                weights[side] *= share / weights[side].sum()
        self.weights = weights / weights.sum()

    def batches(self, size: int, generator: np.random.Generator, at_once: int = 4) -> Iterator[JudgeBatch]:
        """Draw batches without end, ``at_once`` together."""
        while True:
            drawn = generator.choice(len(self.clips), size * at_once, p=self.weights)
            windows = [captioned_window(self.clips[i], generator) for i in drawn]
            picks = [int(generator.integers(len(self.texts_of[i]))) for i in drawn]
            for chosen in similar_lengths(windows, size, generator):
                batch = as_batch([self.clips[drawn[i]] for i in chosen], [windows[i] for i in chosen])
                yield replace(
                    batch,
                    sentences=self.sentences[[self.texts_of[drawn[i]][picks[i]] for i in chosen]],
                    caption=torch.tensor([self.caption_of[drawn[i]][picks[i]] for i in chosen]),
                )


def window(item: PoolClip, generator: np.random.Generator, vary_speed: bool = True) -> np.ndarray:
    """Cut a window as a recogniser may meet it: most of a style clip, two to seven seconds of a long take."""
    frames = len(item.joints)
    longest = int(LONGEST_SECONDS * FPS * 0.7)
    if item.clip.role == "style":
        wanted = int(frames * generator.uniform(0.75, 1.0))
    else:
        wanted = int(generator.uniform(min(frames, 40), min(frames, longest) + 1))
    wanted = min(max(wanted, min(frames, SHORTEST_FRAMES)), longest)
    return _cut(item, wanted, generator, vary_speed)


def captioned_window(item: PoolClip, generator: np.random.Generator) -> np.ndarray:
    """Cut a window of which the clip's captions are true."""
    frames, limit = len(item.joints), int(LONGEST_SECONDS * FPS)
    if item.clip.role == "style":
        return window(item, generator)
    if item.clip.text_rule == "whole":
        return _cut(item, min(frames, limit), generator, True)
    shortest = min(frames, max(int(item.clip.text_seconds * FPS), 40))
    return _cut(item, int(generator.integers(shortest, min(frames, limit) + 1)), generator, True)


def similar_lengths(windows: Sequence[np.ndarray], size: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Return the indices of batches of similar length, in random order."""
    order = np.argsort([len(w) for w in windows], kind="stable")
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    return [parts[i] for i in generator.permutation(len(parts))]


def _cut(item: PoolClip, wanted: int, generator: np.random.Generator, vary_speed: bool) -> np.ndarray:
    start = int(generator.integers(0, len(item.joints) - wanted + 1))
    joints = item.joints[start : start + wanted]
    if item.clip.mirror_of:
        joints = mirrored_joints(joints)
    return changed_speed(joints, float(generator.uniform(0.9, 1.1))) if vary_speed else joints


def _wordings(clip: Clip, generator: np.random.Generator, variations: int) -> list[tuple[str, str]]:
    """Return (text, what it means) of a clip; texts of one meaning are all right answers for each other."""
    if clip.role == "content":
        if clip.text_rule == "none":
            return []
        return [
            (text, caption)
            for caption in clip.captions
            for text in (caption, *(vary(caption, generator) for _ in range(variations)))
        ]
    if not clip.content:
        return []
    meaning = f"{clip.content} {clip.content_mirrored}"
    return [(draw_caption(clip.content, clip.content_mirrored, generator), meaning) for _ in range(variations)]


def joint_positions(motion: Motion) -> np.ndarray:
    """Return a motion's joints ``[T, 22, 3]`` at 20 fps, whole."""
    return motion.resampled(FPS).joints.astype(np.float32)


def mirrored_joints(joints: np.ndarray) -> np.ndarray:
    """Swap left and right, ``[..., 22, 3]``."""
    return joints[..., list(MIRROR), :] * np.array([-1.0, 1.0, 1.0], dtype=joints.dtype)


def as_batch(items: Sequence[PoolClip], windows: Sequence[np.ndarray]) -> JudgeBatch:
    """Pad windows to one length."""
    longest = max(len(w) for w in windows)
    joints = np.zeros((len(windows), longest, 22, 3), dtype=np.float32)
    mask = np.zeros((len(windows), longest), dtype=bool)
    for row, window in enumerate(windows):
        joints[row, : len(window)], mask[row, : len(window)] = window, True
    return JudgeBatch(
        torch.from_numpy(joints),
        torch.from_numpy(mask),
        torch.tensor([item.content for item in items]),
        torch.tensor([item.style for item in items]),
    )
