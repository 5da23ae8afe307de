"""Pairs of people who move in a style, each in one of his own: the interactions of which every part has clips in other styles.

A model of pairs never sees them. From their training side the judges of interactions learn to see what two people do together
in whatever style they do it; without, they find the sentences of real styled pairs less often than those of others, and a duet
with styles would be blamed for that. The test side is the real motion that such duets are compared with.
"""

from dataclasses import replace

from motifmix.data.duets.interactions import INTERACTIONS, Interaction
from motifmix.data.duets.parts import POOLS, Pool

FOLDER = "duets-styled"
PARTS = (
    "wave",
    "bye",
    "guide",
    "bow",
    "walk",
    "run",
    "walk-back",
)  # those that the style sets show in other styles too


def styled_interactions() -> tuple[Interaction, ...]:
    """Return every interaction of which both parts have clips in other styles, as variants of themselves."""
    return tuple(replace(one, type=one.name) for one in INTERACTIONS if one.first in PARTS and one.second in PARTS)


def styled_pools() -> dict[str, Pool]:
    """Return the pools of :func:`styled_interactions`: clips of every style but ``normal``."""
    return {name: replace(POOLS[name], styles="but-normal") for name in PARTS}
