"""Three people and more in one scene: who interacts with whom, what each pair is told, and all of them in one world."""

import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from motifmix.errors import RequestError
from motifmix.features.interhuman import InterHumanSpace
from motifmix.mix.groups import Pairs, agreed, places
from motifmix.motion import Motion
from motifmix.motion.arrangement import arranged, beside

MOST_PEOPLE = 8
_COUNTED = re.compile(
    r"\b(?:three|four|five|six|seven|eight|[3-8]|several|many|all(?: of)?(?: the)?)\s+"
    r"(people|persons|friends|strangers|men|women|children|dancers|fighters|players|walkers|runners)\b",
    re.I,
)
_OTHERS = re.compile(r"\bthe others\b", re.I)


def star(people: int) -> Pairs:
    """The first person with each other one."""
    return tuple((0, other) for other in range(1, people))


def checked_pairs(pairs: Sequence[tuple[int, int]] | None, people: int) -> Pairs:
    """Return who interacts with whom, persons counted from 0; the first one with everybody where nothing is said.

    Raises ``RequestError``, which counts from 1, for somebody who does not exist, who is his own partner, or whom no pair
    names, and for two people who are named twice.
    """
    if pairs is None:
        return star(people)
    seen: set[frozenset[int]] = set()
    for one, other in pairs:
        for person in (one, other):
            if not 0 <= person < people:
                raise RequestError(
                    f"pair {one + 1}-{other + 1}: person {person + 1} does not exist; this scene has persons 1 to {people}"
                )
        if one == other:
            raise RequestError(f"pair {one + 1}-{other + 1}: a pair is two different people")
        if frozenset((one, other)) in seen:
            raise RequestError(f"pair {one + 1}-{other + 1} is named twice; name everybody who interacts once")
        seen.add(frozenset((one, other)))
    alone = sorted(set(range(people)) - {person for pair in pairs for person in pair})
    if alone:
        raise RequestError(f"person {alone[0] + 1} interacts with nobody; name a pair with him, or leave him out")
    return tuple((min(pair), max(pair)) for pair in pairs)  # the model knows no first and second


def of_two(text: str) -> str:
    """Say of two people what is said of more: the model of two knows no other number."""
    said = _COUNTED.sub(lambda match: f"two {match[1]}", text)
    return _OTHERS.sub("the other", said)


def one_world(clean: Tensor, pairs: Pairs, people: int) -> tuple[list[Motion], list[np.ndarray]]:
    """Put the clean pairs [E, 2, T, 262] of ``people`` into one world: one motion a person, nobody inside anybody.

    Returns them and in which frames their toes rest, [T, 2] each.
    """
    valid = torch.ones(1, clean.shape[2], dtype=torch.bool)
    together = agreed(clean[None], pairs, people, valid)
    where = places(together, clean[None], pairs, valid)[0].double().numpy()
    space, features = InterHumanSpace(), together[0].double().numpy()
    wanted = [beside(*pair, *both) for pair, both in zip(pairs, where, strict=True)]
    people_there = arranged([space.decode(own) for own in features], wanted)
    return list(people_there), [space.resting(own) for own in features]
