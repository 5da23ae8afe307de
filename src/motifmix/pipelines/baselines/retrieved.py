"""Words by retrieval, as the paper uses them: the nearest *motion's* style takes the place of what the words project to.

The bank holds the style vectors of training clips, as many of every style; nearness is the cosine to the projection of
the words. The direct projection is ``TextToMotion`` itself.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from motifmix.data.prepared import Prepared
from motifmix.motion import Motion
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.style.references import StyleLike

CLIPS_A_STYLE = 24


class Retrieved:
    """A model whose style words stand for the most similar of ``motions`` (on the motifmix skeleton)."""

    def __init__(self, model: TextToMotion, motions: Sequence[Motion]) -> None:
        self.model, self.motions = model, list(motions)
        self.bank: Tensor = normalize(torch.stack([model.style_vector(motion) for motion in self.motions]), dim=-1)

    @classmethod
    def of(cls, weights: Path | str, prepared: Path) -> "Retrieved":
        """Put it together from a folder of weights and the prepared style set, whose training clips make the bank."""
        folder = Prepared(prepared)
        by_style: dict[str, list[Any]] = {}
        for clip in folder.select(split="train", mirrored=False):
            if clip.style is not None:
                by_style.setdefault(clip.style, []).append(clip)
        rng = np.random.default_rng(0)
        chosen = [
            clips[i] for _, clips in sorted(by_style.items()) for i in rng.permutation(len(clips))[:CLIPS_A_STYLE]
        ]
        return cls(TextToMotion(weights), [folder.motion(clip) for clip in chosen])

    def generate(self, texts: Sequence[str], styles: Sequence[StyleLike | None] | None = None, **options: Any) -> Any:
        """Return one motion a text; styles that are no words are handed on as they are."""
        found = [self.nearest(style) if isinstance(style, str) else style for style in styles or [None] * len(texts)]
        return self.model.generate(texts, styles=found, **options)

    def nearest(self, words: str) -> Motion:
        """Return the motion of the bank whose style is the most similar to what the words project to."""
        with torch.no_grad():
            spoken = self.model.text_to_style(self.model.text_vectors([words]))
        return self.motions[int((normalize(spoken, dim=-1) @ self.bank.T).argmax())]
