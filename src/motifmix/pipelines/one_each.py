"""Values that a caller gives one a text."""

from typing import Any

from motifmix.errors import RequestError


def one_each(values: Any, count: int, name: str) -> list[Any]:
    """Return a value, or None, for each of ``count`` texts; no ``values`` are as many Nones.

    Raises ``RequestError`` for another number of ``name`` than of texts.
    """
    if values is None:
        return [None] * count
    values = list(values)
    if len(values) != count:
        raise RequestError(f"{len(values)} {name} were given for {count} texts; give one a text")
    return values
