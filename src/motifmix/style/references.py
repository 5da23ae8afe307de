"""What somebody may hand over as a style, and what it is: words, a motion file, a motion in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from motifmix.errors import RequestError
from motifmix.motion import MOTIFMIX, Motion

StyleReference = str | Path | Motion
StyleLike = StyleReference | Sequence[tuple[StyleReference, float]]
MOTION_SUFFIXES = (".bvh", ".npz")


@dataclass(frozen=True)
class WeightedStyle:
    """One ingredient of a style: words or a motion on the motifmix skeleton, and its share."""

    words: str | None
    motion: Motion | None
    weight: float


def resolve(style: StyleLike) -> list[WeightedStyle]:
    """Return the ingredients with weights that sum to one.

    A string that ends in a motion file's suffix is a file. Raises ``RequestError`` for an empty style or weights that
    do not add up to something positive, ``FileError`` for a file that cannot be read as one person.
    """
    pairs = [(style, 1.0)] if isinstance(style, str | Path | Motion) else list(style)
    if not pairs:
        raise RequestError("the style is empty; give a word, a sentence or a motion file")
    total = sum(weight for _, weight in pairs)
    if any(weight < 0 for _, weight in pairs) or not 0 < total < float("inf"):
        raise RequestError("style weights must be zero or more and not all zero, as in 'old:0.6'")
    return [_ingredient(reference, weight / total) for reference, weight in pairs]


def _ingredient(reference: StyleReference, weight: float) -> WeightedStyle:
    if isinstance(reference, Motion):
        return WeightedStyle(None, on_training_skeleton(reference), weight)
    if isinstance(reference, Path) or reference.lower().endswith(MOTION_SUFFIXES):
        return WeightedStyle(None, _read_one(Path(reference)), weight)
    if not reference.strip():
        raise RequestError("the style is empty; give a word, a sentence or a motion file")
    return WeightedStyle(reference.strip(), None, weight)


def _read_one(path: Path) -> Motion:
    from motifmix.files import read

    scene = read(path)
    if len(scene.people) != 1:
        raise RequestError(f"{path}: {len(scene.people)} people are in this file; a style is read from one person")
    return on_training_skeleton(scene.people[0])


def on_training_skeleton(motion: Motion) -> Motion:
    """Retarget where needed and stand the person on the floor."""
    from motifmix.motion.retargeting import retarget

    if not motion.skeleton.same_as(MOTIFMIX):
        try:
            motion, _ = retarget(motion)
        except ValueError as error:
            raise RequestError(f"this motion cannot serve as a style: {error}") from error
    return motion.grounded()
