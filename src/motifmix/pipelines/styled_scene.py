"""A scene in which each person has a style of his own: each is restyled alone and put back where he was.

What makes two motions a scene stays as it was: each one's way over the floor with its timing, where he faces, and when
his feet rest. How he moves on that way is the style's. So a style that shows in where people go, or how fast, cannot
show here.
"""

from collections.abc import Sequence

from motifmix.errors import RequestError
from motifmix.motion import Scene
from motifmix.pipelines.style_transfer import Kept, StyleTransfer
from motifmix.style.references import StyleLike

KEPT = Kept(path=True, contacts=True)


def styled_scene(
    transfer: StyleTransfer,
    scene: Scene,
    styles: Sequence[StyleLike | None],
    strengths: Sequence[float] | float = 1.0,
    *,
    keep: Kept = KEPT,
    clean_feet: bool = True,
) -> Scene:
    """Return the scene with each person in his style; who has none stays as he is.

    ``styles``: one a person, as ``StyleTransfer`` takes them; ``strengths`` 0 to 2, for everybody or one a person. Frame
    rate and number of frames stay; restyled people are on the motifmix skeleton. Raises ``RequestError`` for another
    number of styles or strengths than people, and for what ``StyleTransfer`` cannot meet.
    """
    if len(styles) != len(scene):
        raise RequestError(f"{len(scene)} people have {len(styles)} styles; give one a person, None for no style")
    given = [strengths] * len(scene) if isinstance(strengths, (int, float)) else list(strengths)
    if len(given) != len(scene):
        raise RequestError(f"{len(scene)} people have {len(given)} strengths; give one for all or one a person")
    people = list(scene)
    for number, (person, style, strength) in enumerate(zip(scene, styles, given, strict=True)):
        if style is not None:
            (people[number],) = transfer.transfer(
                [person], [style], strength=strength, keep=keep, clean_feet=clean_feet
            )
    return Scene(tuple(people))
