"""Two people who were recorded together: the CMU takes of one stage as scenes, with their captions and their side.

``cmu-mocap-30fps`` lists pairs in ``pairs.json`` (30 fps, Z up); ``cmu-salsa-pairs`` holds the two dancers 60 and 61
(120 fps, Y up, an artificial first frame). The side is the main split's: partners never change it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motifmix.data import cmu
from motifmix.data.sample import FPS, Split
from motifmix.data.source import Source
from motifmix.data.split import cmu_side
from motifmix.errors import DataError, MotifmixError
from motifmix.files.bvh import read_bvh
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion.contacts import floor_height
from motifmix.motion.retargeting import canonical_rotations, retarget

ARCHIVES = ("cmu-mocap-30fps.tar.xz", "cmu-salsa-pairs.tar.xz")
SALSA = "cmu-salsa-pairs archive"
_SALSA_TEXT = "two people dance salsa together"
_SALSA_ALONE = "a person dances salsa with a partner"


@dataclass(frozen=True, eq=False)
class RecordedPair:
    """A take of two people: ``scene`` at 30 fps on the motifmix skeleton, in one world; a sentence for both and each.

    ``clips`` are the names that the content set has for the two files, where it has them.
    """

    id: str
    split: Split
    scene: Scene
    text: str
    individual_texts: tuple[str, str]
    clips: tuple[str, str]


def recorded_pairs(path: Path) -> Iterator[RecordedPair]:
    """Yield the pairs of an archive or the folder that it unpacks to.

    Raises ``DataError`` where it is neither of the two, or a file of it cannot be used.
    """
    try:
        source = Source(Path(path), "pairs.json", "archive of two-person takes")
    except DataError as error:
        if "no pairs.json inside" not in str(error):
            raise
        yield from _salsa(Source(Path(path), "60_01.bvh", SALSA))
        return
    yield from _listed(source)


def _listed(source: Source) -> Iterator[RecordedPair]:
    try:
        [text] = [data for _, data in source.read_all(lambda name: name == "pairs.json")]
        pairs: list[dict[str, Any]] = json.loads(text)["pairs"]
        files = {pair[f"file_{one}"] for pair in pairs if pair["skeleton"] == "cmu22" for one in "ab"}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{source.path}: pairs.json is damaged ({error!r}); take a fresh copy") from error
    data = dict(source.read_all(lambda name: name in files))
    for pair in pairs:
        if pair["skeleton"] != "cmu22":
            continue
        names = [pair["file_a"], pair["file_b"]]
        people = [_carried(source, data, name, up="z", units="m") for name in names]
        subjects = [Path(name).stem.split("_")[0] for name in names]
        yield RecordedPair(
            str(pair["pair"]), cmu_side(subjects[0]), _together(people), pair["text"], (pair["text_a"], pair["text_b"]),
            (f"cmu/{Path(names[0]).stem}", f"cmu/{Path(names[1]).stem}"),
        )  # fmt: skip


def _salsa(source: Source) -> Iterator[RecordedPair]:
    data = dict(source.read_all(lambda name: name.endswith(".bvh")))
    for name in sorted(name for name in data if name.startswith("60_")):
        partner = "61" + name[2:]
        if partner in data:
            people = [_carried(source, data, each, up="y", units=None, first=1) for each in (name, partner)]
            number = Path(name).stem[3:]
            yield RecordedPair(
                f"salsa_60_61_{number}", cmu_side("60"), _together(people), _SALSA_TEXT, (_SALSA_ALONE, _SALSA_ALONE),
                (f"cmu/60_{number}", f"cmu/61_{number}"),
            )  # fmt: skip


def _carried(
    source: Source, data: dict[str, bytes], name: str, *, up: Any, units: str | None, first: int = 0
) -> Motion:
    """Read one person and carry it to the motifmix skeleton; both of a pair have one body, so the world stays one."""
    if name not in data:
        raise DataError(f"{source.path}: {name} is missing; take a fresh copy")
    try:
        motion = read_bvh(data[name], up=up, units=units, name=name).people[0]
        axes = cmu.rest_axes(motion.skeleton) if up == "z" else canonical_rotations(motion.skeleton, motion)
        carried, _ = retarget(motion.cropped(first, motion.frames), MOTIFMIX, canonical=axes)
    except (MotifmixError, ValueError) as error:
        raise DataError(f"{source.path}: {name} cannot be used: {error}; take a fresh copy") from error
    carried = carried.resampled(FPS)
    return carried.moved(np.array([0.0, -floor_height(carried), 0.0]))


def _together(people: list[Motion]) -> Scene:
    """Cut both to the shorter and put their common start at the origin."""
    frames = min(person.frames for person in people)
    middle = 0.5 * sum(person.root[0] for person in people) * np.array([1.0, 0.0, 1.0])
    return Scene(tuple(person.cropped(0, frames).moved(-middle) for person in people))
