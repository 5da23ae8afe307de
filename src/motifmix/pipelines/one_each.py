"""Values that a caller gives one a text: sentences, seconds, seeds, and whatever else comes as a list."""

from collections.abc import Mapping, Set
from numbers import Integral, Real
from typing import Any

from motifmix.errors import RequestError

MOST_SEED = 2**63 - 1


def sentences(texts: Any) -> list[str]:
    """Return the texts. Raises ``RequestError`` where they are no list, or one is no string."""
    if isinstance(texts, str):
        raise RequestError("texts is a list of sentences; put the one sentence into a list")
    listed = _listed(texts)
    if listed is None:
        raise RequestError(f"texts is a list of sentences, not {_kind(texts)}; give a list of strings")
    for place, text in enumerate(listed, 1):
        if not isinstance(text, str):
            raise RequestError(f"text {place} is {_kind(text)}; a text is a string, as in 'a person walks forward'")
    return listed


def one_each(values: Any, count: int, name: str) -> list[Any]:
    """Return a value, or None, for each of ``count`` texts; no ``values`` are as many Nones.

    Raises ``RequestError`` for another number of ``name`` than of texts, and for a single value outside a list.
    """
    if values is None:
        return [None] * count
    listed = _listed(values)
    if listed is None:
        raise RequestError(
            f"{name} is a list with one value a text, not {_kind(values)}; put the one value into a list"
        )
    if len(listed) != count:
        raise RequestError(f"{len(listed)} {name} were given for {count} texts; give one a text")
    return listed


def seconds_each(seconds: Any, count: int) -> list[float | None]:
    """Return the seconds of each of ``count`` texts, None where they are open; one number holds for all.

    Raises ``RequestError`` for what is no number.
    """
    values = [seconds] * count if _is_number(seconds) else one_each(seconds, count, "seconds")
    for value in values:
        if value is not None and not _is_number(value):
            raise RequestError(f"seconds holds {_kind(value)}; give numbers, or None for the length that suits")
    return [None if value is None else _as_float(value) for value in values]


def seeds_each(seeds: Any, count: int) -> list[int]:
    """Return the seed of each of ``count`` texts: one number counts up, None stands for the text's place.

    Raises ``RequestError`` for what is no whole number from 0 to ``MOST_SEED``.
    """
    single = isinstance(seeds, Integral) and not isinstance(seeds, bool)
    values = [int(seeds) + place for place in range(count)] if single else one_each(seeds, count, "seeds")
    for value in values:
        if value is not None and (isinstance(value, bool) or not isinstance(value, Integral)):
            raise RequestError(f"seeds holds {_said(value)}; a seed is a whole number")
        if value is not None and not 0 <= int(value) <= MOST_SEED:
            raise RequestError(f"seeds holds {value}; a seed is a whole number from 0 to {MOST_SEED}")
    return [place if value is None else int(value) for place, value in enumerate(values)]


def number(value: Any, name: str) -> float:
    """Return a number. Raises ``RequestError`` for anything else."""
    if not _is_number(value):
        raise RequestError(f"{name} is a number, not {_kind(value)}")
    return _as_float(value)


def _as_float(value: Real) -> float:
    """Integers have no largest; one beyond all floats is out of any range."""
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _listed(values: Any) -> list[Any] | None:
    """Return what stands in a list, or None: letters and keys are no values, and not all that says so can be walked."""
    if isinstance(values, str | bytes | Mapping | Set):
        return None
    try:
        return list(values)
    except TypeError:
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _said(value: Any) -> str:
    return str(value) if isinstance(value, bool) or _is_number(value) else _kind(value)


def _kind(value: Any) -> str:
    return "None" if value is None else f"a value of the type {type(value).__name__}"
