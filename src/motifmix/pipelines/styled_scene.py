"""A scene in which each person has a style of his own: each is restyled alone and put back where he was.

What makes two motions a scene stays as it was: each one's way over the floor with its timing, where he faces, when his
feet rest, how high they swing at least and how near he comes to the floor, and where his hands are while they touch
somebody. How he moves otherwise is the style's. So a style that shows in where people go, or how fast, cannot show here.
Where readers are here, everybody is restyled in several ways, of which they choose (``styled_drafts.py``): in some of them some
limbs move as before (``motion/limbs_kept.py``).
"""

from collections.abc import Sequence

import numpy as np

from motifmix.errors import RequestError
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion.contacts import foot_contacts
from motifmix.motion.hand_contacts import touches, with_hands_of
from motifmix.motion.leg_reach import grounded, lifted, planted
from motifmix.motion.limbs_kept import deeds, ways_to_keep, with_limbs_of
from motifmix.motion.retargeting import retarget
from motifmix.pipelines.group_scene import of_two, star
from motifmix.pipelines.style_transfer import Kept, StyleTransfer
from motifmix.pipelines.styled_drafts import DEPTHS, DIVES, JUMPS, SCALES, StyledReader, dive, jump
from motifmix.style.references import StyleLike

KEPT = Kept(path=True, contacts=True)
# Chosen by `benchmarks/stylised_duets.py --judge select`; more than for one person: on an old path a style shows less.
DEPTH, STYLE_SCALE, TEXT_SCALE = 0.76, 5.0, 2.0
UNREAD_DEEDS_KEPT = 0.5  # in a style that readers cannot tell, so that they cannot choose which limbs are kept
UNTOLD_STYLE_SCALE = 2.25  # of people of whom nothing is said: no text holds against the style


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
    if len(styles) != len(scene):
        raise RequestError(f"{len(scene)} people have {len(styles)} styles; give one a person, None for no style")
    given = [strengths] * len(scene) if isinstance(strengths, (int, float)) else list(strengths)
    if len(given) != len(scene):
        raise RequestError(f"{len(scene)} people have {len(given)} strengths; give one for all or one a person")
    said = [None] * len(scene) if texts is None else list(texts)
    if len(said) != len(scene):
        raise RequestError(f"{len(scene)} people have {len(said)} texts; give one a person, None where nothing is said")
    before = [_canonical(person) for person in scene]
    ways = [[person] for person in scene]
    seen = [[person] for person in before]  # who has no style may stand on a skeleton of his own
    shown: list[np.ndarray] = [np.zeros(1) for _ in scene]
    for number, (person, style, strength, own_text) in enumerate(zip(scene, styles, given, said, strict=True)):
        if style is None or strength == 0:
            continue
        told = bool(own_text and own_text.strip())
        wanted = reader.styles.wanted(transfer.model, style) if reader is not None and told else None
        own = before[number]
        if wanted is not None:
            made = transfer.variants(
                person, style, own_text, depths=DEPTHS, scales=SCALES, strength=strength, keep=keep, text_scale=text_scale,
                clean_feet=clean_feet,
            )  # fmt: skip
            kept = ways_to_keep(own)
        else:
            scale = style_scale
            if scale is None:
                scale = STYLE_SCALE if told else UNTOLD_STYLE_SCALE
            made = transfer.transfer(
                [person], [style], [own_text], strength=strength, keep=keep, depth=depth, style_scale=scale,
                text_scale=text_scale, clean_feet=clean_feet,
            )  # fmt: skip
            kept = [UNREAD_DEEDS_KEPT * deeds(own) if reader is not None and told else np.zeros(5)]
        made = [with_limbs_of(styled, own, weights) for weights in kept for styled in made]
        touching = touches(own, [other for place, other in enumerate(before) if place != number])
        rests = foot_contacts(own)[:, [1, 3]] > 0.5
        made = [lifted(grounded(styled, own), own) for styled in made]
        if keep.contacts:  # again: legs that are kept, half or for a while, and lifted ones take feet from their places
            made = [planted(styled, rests) for styled in made]
        ways[number] = seen[number] = [with_hands_of(styled, own, touching) for styled in made]
        if reader is not None and wanted is not None:
            dives = [dive(styled, own) for styled in ways[number]]
            jumps = [jump(styled, own) for styled in ways[number]]
            shown[number] = (
                reader.styles.shown(ways[number], wanted) - DIVES * np.array(dives) - JUMPS * np.array(jumps)
            )
    best = [0] * len(scene)
    if reader is not None and any(len(own) > 1 for own in ways):
        best = reader.chosen(seen, shown, star(len(scene)) if pairs is None else pairs, of_two(text), said)
    return Scene(tuple(own[number] for own, number in zip(ways, best, strict=True)))


def _canonical(person: Motion) -> Motion:
    return person if person.skeleton.same_as(MOTIFMIX) else retarget(person)[0]
