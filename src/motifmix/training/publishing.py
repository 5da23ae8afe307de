"""What every card of our own weights says about data and licence."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from motifmix.features.own import MotifmixSpace

OF_THE_DEFAULT_SETS = {"bandai", "cmu"}
LICENCE = "research and non-commercial use (CC BY-NC 4.0 and the CMU terms of the training data); see LICENSE.md"


def licence_of(cards: Sequence[dict[str, Any]]) -> str:
    """Return the licence of weights that were trained on prepared sets with these cards."""
    if {card.get("dataset", "bandai") for card in cards} <= OF_THE_DEFAULT_SETS:
        return LICENCE
    return "that of the training data: " + "; ".join(f"{card.get('name')}: {card.get('licence')}" for card in cards)


def facts_of(
    architecture: str, sizes: dict[str, Any], caches: Sequence[Any], facts: dict[str, Any], name: str
) -> dict[str, Any]:
    """Return the fields of a card but its checksum."""
    credit: list[str] = []
    for cache in caches:
        line = cache.prepared.card.get("credit")
        credit += [line] if isinstance(line, str) else list(line or [])
    return {
        "name": name,
        "role": "generate",
        "architecture": architecture,
        "sizes": sizes,
        "space": MotifmixSpace.name,
        "licence": licence_of([cache.prepared.card for cache in caches]),
        "credit": credit,
        "data": [cache.prepared.folder.name for cache in caches],
        "recipe": facts["recipe"],
        "commit": facts["commit"],
        "numbers": facts.get("numbers", {}),
        "extra": facts.get("extra", {}),
    }


def complete(folder: Path, other: Path, parts: Sequence[str] = ("vae", "bank")) -> None:
    """Copy the parts that a run did not write itself from the folder of those that it was trained with.

    What a former run left there is replaced: a denoiser beside another autoencoder would read other latents.
    """
    if folder.resolve() == other.resolve():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        for name in (f"{part}.safetensors", f"{part}.yaml"):
            if (other / name).exists():
                shutil.copyfile(other / name, folder / name)
