"""Encoders that nobody has trained: small and random, for trying recipes and evaluations out without any file."""

from typing import Literal

import torch

from motifmix.encoders.clip_text import ClipText
from motifmix.encoders.published import text_encoder
from motifmix.encoders.text_features import TextEncoder
from motifmix.models.clip_text import ClipTextTower
from motifmix.models.imagebind import ImageBind

TINY = "tiny"
Kind = Literal["embedding", "tokens"]


def tiny_text_encoder(kind: Kind, width: int) -> TextEncoder:
    """Return an encoder in the form of CLIP's: one vector a text (``embedding``) or one a token, the same every time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        projection = width if kind == "embedding" else None
        tower = ClipTextTower(width=width, layers=1, heads=2, projection_dim=projection)
    return ClipText(tower, kind)


def published_or_tiny(name: str, kind: Kind, width: int, folder: str | None = None) -> TextEncoder:
    """Return a published text encoder, or the tiny one in its form where ``name`` is ``tiny``."""
    return tiny_text_encoder(kind, width) if name == TINY else text_encoder(name, folder)


def tiny_imagebind() -> ImageBind:
    """Return ImageBind with its published ways in and heads, and next to nothing behind them, the same every time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ImageBind(
            output_dim=24, image_size=28, vision_width=32, vision_layers=1, text_width=32, text_layers=1,
            audio_width=24, audio_layers=1,
        ).eval()  # fmt: skip
