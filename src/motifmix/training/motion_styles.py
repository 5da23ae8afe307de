"""Style vectors of training motions, which a bank is made of: of prepared sets, or of the prototypes that ship."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motifmix.atomic import replacing
from motifmix.data.labels import style_names
from motifmix.data.prepared import Prepared
from motifmix.errors import DataError
from motifmix.features.own import rested_to_multiple
from motifmix.features.space import Normaliser
from motifmix.home import home
from motifmix.models.temporal_vae import STRIDE
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import Card, read_card, read_weights
from motifmix.training.pool import open_sets

LONGEST = 200  # frames that are read of a clip

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class MotionStyles:
    """``vectors`` ``[N, style]``, whose style each is (``owners`` ``[N]``, numbers in ``styles``), and their origin.

    ``data``: the sets with their fingerprints; empty where the vectors are the means that ship with the weights.
    """

    vectors: Tensor
    owners: Tensor
    styles: tuple[str, ...]
    data: dict[str, str]
    card: Card

    @property
    def prototypes(self) -> Tensor:
        """The mean of each style's vectors ``[styles, style]``."""
        return torch.stack([self.vectors[self.owners == number].mean(dim=0) for number in range(len(self.styles))])


def styled_sets(model: Path) -> list[str]:
    """Return the prepared sets that a model was trained on and whose clips have styles."""
    folder = home() / "data"
    names = [name for name in read_card(model / "style_encoder.yaml").data if (folder / name / "clips.jsonl").exists()]
    return [name for name in names if any(clip.style for clip in Prepared(folder / name).select())]


def motion_styles(model: Path, sets: Sequence[str], progress: Progress = lambda done, total: None) -> MotionStyles:
    """Encode every training clip of ``sets`` that has a style, or take the model's prototypes where none is named.

    Vectors are kept in the cache. Raises ``DataError`` for a set that is not prepared or has no styles.
    """
    card, encoder, _ = load_part(model, "style_encoder")
    if not sets:
        bank, tensors = read_weights(model, "bank")
        styles = tuple(style["name"] for style in bank.extra["styles"])
        return MotionStyles(tensors["style_prototypes"], torch.arange(len(styles)), styles, {}, card)
    caches = open_sets(sets)
    entries = [
        (cache, entry)
        for cache in caches
        for entry in cache.entries(cache.prepared.select(split="train"))
        if entry.clip.style is not None
    ]
    if not entries:
        raise DataError(f"the clips of {', '.join(sets)} have no styles; name a set that has some, such as bandai")
    styles = tuple(style_names(entry.clip.style for _, entry in entries))
    owners = torch.tensor([styles.index(entry.clip.style) for _, entry in entries if entry.clip.style is not None])
    data = {name: cache.prepared.fingerprint for name, cache in zip(sets, caches, strict=True)}
    key = hashlib.sha256(f"{card.sha256} {sorted(data.items())} {list(sets)}".encode()).hexdigest()[:20]
    path = home() / "cache" / f"style-vectors-{key}.npy"
    if path.exists() and len(kept := np.load(path)) == len(entries):
        return MotionStyles(torch.from_numpy(kept), owners, styles, data, card)
    _, _, statistics = load_part(model, "vae")
    normaliser = Normaliser(statistics["mean"].numpy(), statistics["std"].numpy())
    vectors = []
    for number, (cache, entry) in enumerate(entries):
        features = cache.window(entry, 0, min(entry.frames, LONGEST))
        padded = normaliser.normalise(rested_to_multiple(features, STRIDE)).astype(np.float32)
        with torch.no_grad():
            vectors.append(encoder(torch.from_numpy(padded)[None], torch.ones(1, len(padded), dtype=torch.bool))[0])
        progress(number + 1, len(entries))
    made = torch.stack(vectors)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, force=True) as beside:
        np.save(beside, made.numpy())
    return MotionStyles(made, owners, styles, data, card)
