"""The sentences of pairs: of the interaction, and of each person in it; trained ones and such as no training sees."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from motifmix.data.captions import captions, expanded, held_out_captions
from motifmix.data.labels import CONTENTS, ContentLabel, words_in


@dataclass(frozen=True)
class Told:
    """Wordings of one thing; ``held_out`` ones are never trained."""

    trained: tuple[str, ...]
    held_out: tuple[str, ...]

    def drawn(self, rng: np.random.Generator, count: int, *, unseen: bool) -> list[str]:
        """Draw ``count`` distinct wordings; ``unseen`` puts one that was never trained behind a trained one."""
        chosen = [self.trained[int(i)] for i in rng.permutation(len(self.trained))[: 1 if unseen else count]]
        return [*chosen, self.held_out[int(rng.integers(len(self.held_out)))]] if unseen else chosen


@cache
def interaction_words(name: str) -> Told:
    """Return the wordings of an interaction type."""
    entry = _words()["interactions"][name]
    return Told(_all(entry["captions"]), _all(entry["held_out"]))


@cache
def content_words(label: ContentLabel) -> Told:
    """Return the wordings of what one person does."""
    if label.content in CONTENTS:
        unseen = held_out_captions(label.content, label.mirrored)
        return Told(tuple(captions(label.content, label.mirrored)), tuple(unseen))
    entry = _words()["parts"][label.content]
    return Told(_all(entry["captions"]), _all(entry["held_out"]))


def _all(wordings: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for wording in wordings for text in expanded(wording)))


def _words() -> dict[str, dict[str, dict[str, list[str]]]]:
    return words_in("duets.yaml")
