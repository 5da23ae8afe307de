"""Prompts that nobody may train on: a clip whose KIT id or caption is among them trains nothing.

``reserved_prompts.txt`` holds the ids of KIT Motion-Language captions that serve as public test prompts, and hashes of
their texts (folded to lower-case words; and as one phrasing, "a human" being "a person"), so that the texts themselves
are in no training code.
"""

import hashlib
import re
from functools import cache
from importlib import resources

from motifmix.data.captions import surface_free


def text_hash(text: str) -> str:
    """Return 16 hex digits that stand for a sentence, whatever its case, punctuation and blanks."""
    words = " ".join(re.findall(r"[^\W_]+", text.casefold()))
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def is_reserved(kit_id: str | None, text: str) -> bool:
    """Tell whether a caption is a public test prompt, by its id, its words or its phrasing."""
    ids, hashes = _reserved()
    return (kit_id is not None and kit_id in ids) or bool({text_hash(text), text_hash(surface_free(text))} & hashes)


@cache
def _reserved() -> tuple[frozenset[str], frozenset[str]]:
    lines = resources.files("motifmix.data").joinpath("words", "reserved_prompts.txt").read_text("utf-8").splitlines()
    entries = [line.split() for line in lines if line and not line.startswith("#")]
    return frozenset(entry[0] for entry in entries), frozenset(h for entry in entries for h in entry[1:])
