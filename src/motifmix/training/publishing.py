"""What every card of our own weights says about data and licence."""

from collections.abc import Sequence
from typing import Any

from motifmix.features.own import MotifmixSpace

LICENCE = "research and non-commercial use (CC BY-NC 4.0 and the CMU terms of the training data); see LICENSE.md"


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
        "licence": LICENCE,
        "credit": credit,
        "data": [cache.prepared.folder.name for cache in caches],
        "recipe": facts["recipe"],
        "commit": facts["commit"],
        "numbers": facts.get("numbers", {}),
        "extra": facts.get("extra", {}),
    }
