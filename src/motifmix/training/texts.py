"""Every sentence that training may say, embedded once.

Captions of contents and phrases of styles are drawn many times with other subjects and spellings; captions of the
content set come as they are and mirrored. Some sentences of all contents say a place or a time besides, which changes no
movement. Held-out phrasings and people's prompts are never among them.
"""

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from motifmix.atomic import replacing
from motifmix.data.captions import draw_caption, draw_style_description, draw_style_phrase, style_phrases, vary
from motifmix.data.labels import words_in
from motifmix.data.reserved import is_reserved
from motifmix.home import home

VARIANTS = 120
PLACED, PLACED_CAPTIONS = 0.15, 0.25
"""How many of the draws of a content, and of the few ways of typing a written caption, say where or when."""
_SAYS_WHERE = re.compile(
    r"\b(in|on|at|by|from|into|onto|over|up|down|along|outside|outdoors|indoors|home) (a|an|the|his|her|their)\b|\bagain\b|\bnow\b"
)


class TextTable:
    """Unique strings and their MiniLM embeddings, standardised per dimension over the table or by given statistics."""

    def __init__(self, texts: Sequence[str], statistics: tuple[Tensor, Tensor] | None = None) -> None:
        self.texts = list(dict.fromkeys(texts))
        self.numbers = {text: number for number, text in enumerate(self.texts)}
        raw = embedded(self.texts)
        self.mean, self.std = statistics or (raw.mean(dim=0), raw.std(dim=0).clamp(min=1e-4))
        self.vectors = (raw - self.mean) / self.std

    def standardised(self, texts: Sequence[str]) -> Tensor:
        """Embeddings ``[N, 384]`` of strings that are in the table."""
        return self.vectors[[self.numbers[text] for text in texts]]


def embedded(texts: Sequence[str]) -> Tensor:
    """Return raw MiniLM embeddings ``[N, 384]``, kept in a cache below ``MOTIFMIX_HOME``."""
    from motifmix.encoders.text import MiniLM

    key = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:20]
    path = home() / "cache" / f"texts-{key}.npy"
    if path.exists():
        return torch.from_numpy(np.load(path))
    by_length = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    sorted_vectors = MiniLM().encode([texts[number] for number in by_length]).detach()
    vectors = torch.empty_like(sorted_vectors)
    vectors[by_length] = sorted_vectors
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, force=True) as beside:
        np.save(beside, vectors.numpy())
    return vectors


def content_texts(content: str, mirrored: bool, count: int = VARIANTS, *, placed: bool = True) -> list[str]:
    """Return ``count`` draws of a content's training captions, repeats removed; ``placed``: some say where or when."""
    seed = [int(mirrored), *content.encode()]
    rng, places = np.random.default_rng([len(content), *seed]), np.random.default_rng([17, *seed])
    drawn = [draw_caption(content, mirrored, rng) for _ in range(count)]
    return list(dict.fromkeys([somewhere(text, PLACED, places) for text in drawn] if placed else drawn))


def style_texts(style: str, count: int = VARIANTS) -> list[str]:
    """Return all training phrases of a style."""
    rng = np.random.default_rng([7, *style.encode()])
    drawn = [draw_style_phrase(style, rng) for _ in range(count)]
    return list(dict.fromkeys([*style_phrases(style), *drawn]))


def style_description_texts(style: str, count: int = 2 * VARIANTS) -> list[str]:
    """Return long descriptions of a style composed of its attributes; none for styles that have no attributes."""
    rng = np.random.default_rng([11, *style.encode()])
    return [text for text in dict.fromkeys(draw_style_description(style, rng) for _ in range(count)) if text]


def caption_texts(caption: str, count: int = 3, *, placed: bool = True) -> list[str]:
    """Return a written caption and a few ways in which another person may type it; ``placed``: some say where or when."""
    rng, places = (np.random.default_rng([first, *caption.encode()[:64]]) for first in (3, 19))
    varied = [vary(caption, rng) for _ in range(count)]
    if placed:
        varied = [somewhere(text, PLACED_CAPTIONS, places) for text in varied]
    return list(dict.fromkeys([caption, *varied]))


def somewhere(text: str, share: float, generator: np.random.Generator) -> str:
    """Return the text with a place or a time at its end in a ``share`` of the draws; the same generator state, the same text.

    A text that says where by itself stays, and none becomes a prompt that evaluation asks.
    """
    wanted, place = generator.random() < share, _places()[int(generator.integers(len(_places())))]
    if not wanted or _SAYS_WHERE.search(text.casefold()):
        return text
    bare = text.rstrip(".!")
    said = f"{bare} {place}{text[len(bare) :][:1]}"
    return text if is_reserved(None, said) else said


def _places() -> list[str]:
    return words_in("places.yaml")
