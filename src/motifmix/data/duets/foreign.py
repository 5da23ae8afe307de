"""Pairs in which people do what no training pair shows: the same interactions with other individual contents.

A model of pairs never sees them. They are made for those who measure mixtures: their test side asks for interactions whose
people do foreign things and is the real motion to compare with; from their training side the judges of interactions learn
to look at where two people go and stand whatever they do there.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

from motifmix.data.duets.interactions import INTERACTIONS, Interaction
from motifmix.data.duets.parts import POOLS, WRISTS, Pool, gestures, on_the_spot, straight, strikes

FOLDER = "duets-foreign"
SECOND_ALONE = 2  # variants in which the second person alone does something foreign

FOREIGN_POOLS: dict[str, Pool] = {
    "wave-both-hands": Pool(("wave-both-hands",), (), gestures, waits=True),
    "raise-up-both-hands": Pool(("raise-up-both-hands",), (), gestures, waits=True),
    "raise-up-left-hand": Pool(("raise-up-left-hand",), (), gestures, waits=True),
    "raise-up-right-hand": Pool(("raise-up-right-hand",), (), gestures, waits=True),
    "call": Pool(("call",), (), gestures, waits=True),
    "dash": Pool(("dash",), (), straight(2.0, 6.0, 45), styles="all"),
    "slash": Pool(("slash",), (), strikes(WRISTS)),
    "jump": Pool((), ("jump",), on_the_spot, says="jump", alone=True),
    "march": Pool((), ("march",), straight(0.5, 2.5), says="march", alone=True),
    "hop": Pool((), ("hop",), straight(0.5, 4.0), says="hop", alone=True),
}  # fmt: skip
_GESTURES = ("wave-both-hands", "raise-up-left-hand", "call", "raise-up-right-hand", "raise-up-both-hands")
INSTEAD: dict[str, tuple[str, ...]] = {
    "wave": _GESTURES,
    "bye": _GESTURES[2:],
    "guide": _GESTURES[1:],
    "respond": _GESTURES[:3],
    "walk": ("march", "hop"),
    "run": ("dash",),
    "punch": ("slash",),
    "box": ("slash",),
    "dance": ("jump",),
}  # fmt: skip
"""Which foreign contents can be done in the place of a part: with the same events, or along the same ways."""


def foreign_interactions() -> tuple[Interaction, ...]:
    """Return every interaction of which a part can be foreign, as variants with one or both parts replaced."""
    return tuple(variant for interaction in INTERACTIONS for variant in _variants(interaction))


def foreign_pools() -> dict[str, Pool]:
    """Return the pools of :func:`foreign_interactions`: the foreign ones and those that stay."""
    used = {part for one in foreign_interactions() for part in (one.first, one.second)}
    return {name: pool for name, pool in {**POOLS, **FOREIGN_POOLS}.items() if name in used}


def _variants(interaction: Interaction) -> Iterator[Interaction]:
    firsts, seconds = (INSTEAD.get(part, ()) for part in (interaction.first, interaction.second))
    if interaction.together:
        pairs = [(part, part) for part in firsts]
    else:
        others = cycle(seconds or (interaction.second,))
        pairs = [(part, next(others) if number % 2 else interaction.second) for number, part in enumerate(firsts)]
        if seconds:
            pairs += [(interaction.first, part) for part in seconds[:SECOND_ALONE]]
    for first, second in pairs:
        yield replace(
            interaction, name=f"{interaction.name}.{first}.{second}", first=first, second=second, type=interaction.name
        )
