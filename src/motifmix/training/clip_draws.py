"""What a batch of the default model is drawn from: parts of clips, and other clips as references of their styles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from motifmix.training.latents import LatentStore, PatchStore
from motifmix.training.pool import LOCOMOTION, Pool, in_one_batch

MOST_TOKENS = 50  # 10 s


@dataclass(frozen=True)
class Item:
    """One drawn example: entry, first token, tokens, and whether its text may be said."""

    number: int
    first: int
    tokens: int
    says: bool


@dataclass(frozen=True)
class ClipDraws:
    """Draws from a pool whose latents are in ``store``; ``said`` are the texts of each clip, ``references`` the clips of a style.

    With ``own_reference`` a clip is its own style's reference, otherwise one of the same style and another content.
    """

    pool: Pool
    store: LatentStore | PatchStore
    said: Sequence[Sequence[int]]
    references: Mapping[str, Sequence[int]]
    own_reference: bool = False

    def items(self, count: int, rng: np.random.Generator) -> list[Item]:
        """Draw ``count`` parts of clips of like length."""
        items = [self._item(number, rng) for number in self.pool.draw(rng, 4 * count)]
        items.sort(key=lambda item: item.tokens)  # batches of like length: little is padded
        quarter = int(rng.integers(4))
        return items[quarter * count : (quarter + 1) * count]

    def _item(self, number: int, rng: np.random.Generator) -> Item:
        entry, whole = self.pool.list[number][1], len(self.store.latents[number])
        clip = entry.clip
        if clip.role == "style":
            tokens, says = min(whole, MOST_TOKENS), True
            if clip.content in LOCOMOTION and whole > 8 and rng.random() < 0.4:
                tokens = int(rng.integers(5, tokens + 1))
        elif clip.text_rule == "window":
            shortest = min(max(5, int(np.ceil(5 * clip.text_seconds))), whole, MOST_TOKENS)
            tokens, says = min(whole, MOST_TOKENS), True
            if tokens > shortest and rng.random() < 0.6:
                tokens = int(rng.integers(shortest, tokens + 1))
        else:
            tokens, says = min(whole, MOST_TOKENS), clip.text_rule == "whole" and whole <= MOST_TOKENS
        first = int(rng.integers(0, whole - tokens + 1))
        return Item(number, first, tokens, says and bool(self.said[number]))

    def reference(self, number: int, rng: np.random.Generator) -> int:
        """Draw the clip whose style stands for that of clip ``number``."""
        clip = self.pool.list[number][1].clip
        if self.own_reference or clip.style is None:
            return number
        candidates = self.references[clip.style]
        for _ in range(20):
            other = candidates[int(rng.integers(len(candidates)))]
            if self.pool.list[other][1].clip.content != clip.content:
                return other
        return number

    def style_batch(self, numbers: list[int], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return windows of clips, normalised features [B, T, 269], zero where padded, and which frames are real [B, T]."""
        windows = []
        for number in numbers:
            frames = self.pool.list[number][1].frames
            length = min(frames, int(rng.integers(32, 129)))
            first = int(rng.integers(0, frames - length + 1))
            windows.append(self.pool.window(number, first, length))
        return in_one_batch(windows, self.store.normaliser)
