"""A scene in which each person has a style of his own: each is restyled alone and put back where he was.

What makes two motions a scene stays as it was: each one's way over the floor with its timing, where he faces, when his
feet rest, how high they swing at least and how near he comes to the floor, and where his hands are while they touch
somebody. How he moves otherwise is the style's. So a style that shows in where people go, or how fast, cannot show here.
Where readers are here, everybody is restyled in several ways, of which they choose (``styled_drafts.py``): in some of them some
limbs move as before (``motion/limbs_kept.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from motifmix.errors import RequestError
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion.contacts import foot_contacts
from motifmix.motion.hand_contacts import touches, with_hands_of
from motifmix.motion.leg_reach import grounded, lifted, planted
from motifmix.motion.limbs_kept import deeds, ways_to_keep, with_limbs_of
from motifmix.motion.retargeting import retarget
from motifmix.pipelines.group_scene import of_two, star
from motifmix.pipelines.settling import all_held
from motifmix.pipelines.style_transfer import Kept, StyleTransfer
from motifmix.pipelines.styled_drafts import DEPTHS, DIVES, JUMPS, SCALES, StyledReader, dive, jump
from motifmix.style.references import StyleLike

KEPT = Kept(path=True, contacts=True)
# Chosen by `benchmarks/stylised_duets.py --judge select`; more than for one person: on an old path a style shows less.
DEPTH, STYLE_SCALE, TEXT_SCALE = 0.76, 5.0, 2.0
UNREAD_DEEDS_KEPT = 0.5  # in a style that readers cannot tell, so that they cannot choose which limbs are kept
FEW_DEPTHS, FEW_SCALES = (0.65, 0.8), (2.5, 4.0, 6.5)  # of every one of several drafts
UNTOLD_STYLE_SCALE = 2.25  # of people of whom nothing is said: no text holds against the style

Draft = tuple[Scene, Sequence[np.ndarray]]  # a scene, and in which frames toes rest, [T, 2] a person, or nothing


def styled_scene(
    transfer: StyleTransfer,
    scene: Scene,
    styles: Sequence[StyleLike | None],
    strengths: Sequence[float] | float = 1.0,
    texts: Sequence[str | None] | None = None,
    *,
    text: str = "",
    pairs: Sequence[tuple[int, int]] | None = None,
    reader: StyledReader | None = None,
    keep: Kept = KEPT,
    depth: float = DEPTH,
    style_scale: float | Sequence[float] | None = None,
    text_scale: float = TEXT_SCALE,
    clean_feet: bool = True,
) -> Scene:
    """Return the scene with each person in his style; who has none stays as he is.

    ``styles``: one a person, as ``StyleTransfer`` takes them; ``strengths`` 0 to 2, for everybody or one a person, 0 leaves him
    as he is; ``texts`` say what each does, or None, and keep it recognisable. With a ``reader`` everybody is restyled in
    several ways, and those are kept that show the styles and what is told: ``texts``, and ``text`` of all of them; ``pairs``
    say who interacts, the first one with everybody by default. Who has no text, or a style that the reader cannot tell, has one
    way: ``depth`` and ``style_scale`` (None: as suits who has a text, and who has none); these and ``text_scale``: see
    ``StyleTransfer.transfer``.
    Frame rate and number of frames stay; restyled people are on the motifmix skeleton. Raises ``RequestError`` for another
    number of styles, strengths or texts than people, and for what ``StyleTransfer`` cannot meet.
    """
    return styled_draft(
        transfer, [(scene, ())], styles, strengths, texts, text=text, pairs=pairs, reader=reader, keep=keep, depth=depth,
        style_scale=style_scale, text_scale=text_scale, clean_feet=clean_feet,
    )[0]  # fmt: skip


def styled_draft(
    transfer: StyleTransfer,
    drafts: Sequence[Draft],
    styles: Sequence[StyleLike | None],
    strengths: Sequence[float] | float = 1.0,
    texts: Sequence[str | None] | None = None,
    *,
    text: str = "",
    pairs: Sequence[tuple[int, int]] | None = None,
    reader: StyledReader | None = None,
    keep: Kept = KEPT,
    depth: float = DEPTH,
    style_scale: float | Sequence[float] | None = None,
    text_scale: float = TEXT_SCALE,
    clean_feet: bool = True,
) -> tuple[Scene, int]:
    """Return what :func:`styled_scene` does, of several ``drafts`` for the one that shows the styles and is told best, and its number.

    Beside each draft: in which frames toes rest, [T, 2] a person. They are held in the end, also of who has no style; styles come
    before that, as they show less in legs that were bent for it. Where none is given, feet of who is restyled rest when those
    of the scene do. Where a style is one that the reader can tell, all drafts are restyled, in half as many ways each; otherwise
    the first one is.
    """
    count = len(drafts[0][0])
    if len(styles) != count:
        raise RequestError(f"{count} people have {len(styles)} styles; give one a person, None for no style")
    given = [strengths] * count if isinstance(strengths, (int, float)) else list(strengths)
    if len(given) != count:
        raise RequestError(f"{count} people have {len(given)} strengths; give one for all or one a person")
    said = [None] * count if texts is None else list(texts)
    if len(said) != count:
        raise RequestError(f"{count} people have {len(said)} texts; give one a person, None where nothing is said")
    wishes: list[_Wish | None] = []
    for style, strength, own in zip(styles, given, said, strict=True):
        if style is None or strength == 0:
            wishes.append(None)
            continue
        told = bool(own and own.strip())
        goal = reader.styles.wanted(transfer.model, style) if reader is not None and told else None
        scale = style_scale
        if scale is None:
            scale = STYLE_SCALE if told else UNTOLD_STYLE_SCALE
        how = {"strength": strength, "keep": keep, "text_scale": text_scale, "clean_feet": clean_feet}
        wishes.append(_Wish(style, own, goal, depth, scale, told and reader is not None, how))
    if all(wish is None or wish.goal is None for wish in wishes):
        drafts = drafts[:1]
    depths, scales = (DEPTHS, SCALES) if len(drafts) == 1 else (FEW_DEPTHS, FEW_SCALES)
    made: list[tuple[float, Scene]] = []
    for scene, resting in drafts:
        before = [_canonical(person) for person in scene]
        ways = [[person] for person in scene]
        seen = [[person] for person in before]  # who has no style may stand on a skeleton of his own
        shown: list[np.ndarray] = [np.zeros(1) for _ in scene]
        for number, wish in enumerate(wishes):
            if wish is None:
                continue
            own, others = before[number], [other for place, other in enumerate(before) if place != number]
            ways[number] = seen[number] = wish.ways(transfer, scene.people[number], own, others, depths, scales)
            if reader is not None and wish.goal is not None:
                dives = np.array([dive(one, own) for one in ways[number]])
                jumps = np.array([jump(one, own) for one in ways[number]])
                shown[number] = reader.styles.shown(ways[number], wish.goal) - DIVES * dives - JUMPS * jumps
        best, score = [0] * count, 0.0
        if reader is not None and any(len(own) > 1 for own in ways):
            best, score = reader.chosen(seen, shown, star(count) if pairs is None else pairs, of_two(text), said)
        kept = [own[number] for own, number in zip(ways, best, strict=True)]
        made.append((score, _standing(scene, before, kept, resting, keep.contacts and clean_feet)))
    number = max(range(len(made)), key=lambda place: made[place][0])
    return made[number][1], number


@dataclass(frozen=True, eq=False)
class _Wish:
    """A ``style`` for somebody who is told ``text``; the ``goal`` that readers look for, None where they cannot tell it.

    ``depth`` and ``scale`` of who has one way; ``may_keep``: whether limbs that do something do it half as before then; ``how``: what
    else ``StyleTransfer`` is asked for.
    """

    style: StyleLike
    text: str | None
    goal: np.ndarray | None
    depth: float
    scale: float | Sequence[float]
    may_keep: bool
    how: dict[str, Any]

    def ways(
        self, transfer: StyleTransfer, person: Motion, own: Motion, others: Sequence[Motion], depths: Sequence[float],
        scales: Sequence[float],
    ) -> list[Motion]:  # fmt: skip
        """Return the ways in which a ``person`` is restyled, ``own`` and the ``others`` on the motifmix skeleton: one, or many."""
        if self.goal is not None:
            styled = transfer.variants(person, self.style, self.text, depths=depths, scales=scales, **self.how)
            limbs = ways_to_keep(own)
        else:
            styled = transfer.transfer(
                [person], [self.style], [self.text], depth=self.depth, style_scale=self.scale, **self.how
            )
            limbs = [UNREAD_DEEDS_KEPT * deeds(own) if self.may_keep else np.zeros(5)]
        touching = touches(own, others)
        return [
            with_hands_of(lifted(grounded(with_limbs_of(one, own, weights), own), own), own, touching)
            for weights in limbs
            for one in styled
        ]


def _standing(
    scene: Scene, before: Sequence[Motion], kept: Sequence[Motion], resting: Sequence[np.ndarray], hold: bool
) -> Scene:
    """Hold feet that rest: legs that are kept, half or for a while, and lifted ones take them from their places."""
    if len(resting):
        return all_held(Scene(tuple(kept)), resting)
    people = []
    for person, own, styled in zip(scene, before, kept, strict=True):
        if hold and styled is not person:
            styled = replace(planted(styled, foot_contacts(own)[:, [1, 3]] > 0.5), labels=styled.labels)
        people.append(styled)
    return Scene(tuple(people))


def _canonical(person: Motion) -> Motion:
    return person if person.skeleton.same_as(MOTIFMIX) else retarget(person)[0]
