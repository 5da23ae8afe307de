"""The base alone: it takes styles like every row of the tables and pays no attention to them (the paper's "MLD")."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from motifmix.models.parameter_count import parameter_count
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
        return parameter_count(self.base.vae, self.base.denoiser.denoiser, self.base.length_predictor), 0
