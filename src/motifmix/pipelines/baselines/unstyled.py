"""The base alone: it takes styles like every row of the tables and pays no attention to them (the paper's "MLD")."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from motifmix.errors import RequestError
from motifmix.motion import Motion
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.style.references import StyleLike


class Unstyled:
    """A base, given as an object or as a folder of weights, whose styles are ignored."""

    def __init__(self, base: Any) -> None:
        self.base: Any = TextToMotion(base) if isinstance(base, str | Path) else base

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
        """Return one motion a text; ``options`` are the base's. ``styles`` are not even read."""
        return self.base.generate(texts, styles=None, seconds=seconds, seeds=seeds, clean_feet=clean_feet, **options)

    def reconstruct(self, motions: Sequence[Motion]) -> list[Motion]:
        """Return what the base keeps of motions."""
        return self.base.reconstruct(motions)

    def parameters(self) -> tuple[int, int]:
        """Return the parameters in all, without the sentence encoder, and those trained for style: none."""
        parts = (self.base.vae, self.base.denoiser.denoiser, self.base.length_predictor)
        return sum(p.numel() for part in parts for p in part.parameters()), 0


def one_a_text(styles: Sequence[StyleLike | None] | None, texts: Sequence[str]) -> list[StyleLike | None]:
    """Return a style or None for each text. Raises ``RequestError`` for another number of styles."""
    wanted: list[StyleLike | None] = [None] * len(texts) if styles is None else list(styles)
    if len(wanted) != len(texts):
        raise RequestError(f"{len(wanted)} styles were given for {len(texts)} texts; give one a text")
    return wanted
