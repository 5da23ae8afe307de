"""Mistakes and peculiarities of published code that its weights depend on, each a named object.

A network that can behave in a published, peculiar way takes ``quirks`` (a collection of these); published checkpoints
name theirs in their cards, our own models have none. Definitions stand in the file of the model that they concern.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quirk:
    """``name`` as cards write it; ``why``: one line on what it does and who depends on it."""

    name: str
    why: str
