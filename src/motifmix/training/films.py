"""Training clips as films: what the pose models read of people whose recordings are known.

``motifmix data prepare films`` fills a folder with the landmarks of ``COUNT`` films of the style set and ``CONTENT_COUNT`` of the
content set, each from the front or a side and some degrees beside it, one in seven from behind. The films themselves are
not kept.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import yaml

from motifmix.atomic import replacing
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.errors import DataError
from motifmix.evaluation.filmed import FPS, SECONDS, Filmed, Filming

COUNT, CONTENT_COUNT = 1200, 300
SIDES = (0.0, 90.0, -90.0, 0.0, 90.0, -90.0, 180.0)  # degrees: front, left, right; behind
BESIDE = 25.0  # degrees to either side of these
LATEST = 75  # the last frame of the film's rate at which a film begins
PER_STYLE = {"bandai-1": 24, "bandai-2": 240}  # films of a style in the whole list, of which ``COUNT`` are made
CARD = "card.yaml"
LEAST_SHARE = 0.6  # of a film's length that a clip of the content set must fill
Shot = tuple[Clip, float, int]
_SEED = 7


def prepare_films(
    sets: Sequence[Prepared],
    out: Path,
    counts: Sequence[int] = (COUNT, CONTENT_COUNT),
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """Film and read clips of a style set and of a content set into a folder, going on where it was left; returns a line to say.

    Raises ``DataError`` where the sets have no training clips, ``RequestError`` without the extra ``motifmix[video]``.
    """
    wanted = [(own, shot) for own, chosen in zip(sets, _chosen(sets, counts), strict=True) for shot in chosen]
    if not wanted:
        raise DataError(f"{sets[0].folder}: has no styled clips to film; prepare bandai first")
    filming, read = {own.folder: Filming(own, out) for own in sets}, 0
    for number, (own, shot) in enumerate(wanted, start=1):
        read += sum(one is not None for one in filming[own.folder].film(*shot).seen)
        if progress is not None:
            progress(number, len(wanted))
    card = {
        "dataset": "films", "films": list(counts), "of": [own.folder.name for own in sets],
        "credit": [own.card.get("credit") for own in sets], "frames a second": FPS, "seconds at most": SECONDS,
        "frames with a person": read,
    }  # fmt: skip
    with replacing(out / CARD, force=True) as beside:
        beside.write_text(yaml.safe_dump(card, sort_keys=False), "utf-8")
    return f"{out}: {len(wanted)} films of training clips read, a person seen in {read} frames"


def films_in(folder: Path, sets: Sequence[Prepared]) -> Iterator[Filmed]:
    """Yield the films that ``prepare_films`` finished. Raises ``DataError`` where it has not."""
    if not (folder / CARD).is_file():
        raise DataError(f"{folder}: holds no films; run 'motifmix data prepare films --out {folder}' first")
    counts = yaml.safe_load((folder / CARD).read_text("utf-8"))["films"]
    for own, chosen in zip(sets, _chosen(sets, counts), strict=True):
        filming = Filming(own, folder)
        for shot in chosen:
            if not filming.path(*shot).is_file():
                raise DataError(
                    f"{folder}: was made of other clips than {own.folder} holds; delete it and prepare films again"
                )
            yield filming.film(*shot)


def _chosen(sets: Sequence[Prepared], counts: Sequence[int]) -> list[list[Shot]]:
    """Return the shots of each set; those of a content set come from clips without a style."""
    draw = (shots, content_shots)
    return [list(own(prepared, count)) for own, prepared, count in zip(draw, sets, counts, strict=False)]


def content_shots(prepared: Prepared, count: int) -> Iterator[Shot]:
    """Yield training clips of a content set in the same way, each once while they last."""
    rng = np.random.default_rng(_SEED)
    least = SECONDS * LEAST_SHARE
    clips = [clip for clip in prepared.select(split="train", mirrored=False) if clip.frames / clip.fps >= least]
    for number in rng.permutation(len(clips)).tolist()[:count]:
        clip, degrees = clips[number], SIDES[int(rng.integers(len(SIDES)))] + float(rng.uniform(-BESIDE, BESIDE))
        room = max(1, int((clip.frames / clip.fps - SECONDS) * FPS))
        yield clip, round(degrees, 1), int(rng.integers(room))


def shots(prepared: Prepared, count: int) -> Iterator[Shot]:
    """Yield training clips, the degrees and the frame that they are filmed from; any beginning has all styles alike."""
    rng = np.random.default_rng(_SEED)
    drawn: list[tuple[float, Clip, float, int]] = []
    for source, most in PER_STYLE.items():
        by_style: dict[str, list[Clip]] = {}
        for clip in prepared.select(split="train", source=source, mirrored=False):
            by_style.setdefault(str(clip.style), []).append(clip)
        for _, clips in sorted(by_style.items()):
            order = rng.permutation(len(clips))
            for number in range(most):
                degrees = SIDES[int(rng.integers(len(SIDES)))] + float(rng.uniform(-BESIDE, BESIDE))
                clip = clips[int(order[number % len(clips)])]
                drawn.append((number / most, clip, round(degrees, 1), int(rng.integers(LATEST))))
    for _, clip, degrees, first in islice(sorted(drawn, key=lambda each: each[0]), count):
        yield clip, degrees, first
