"""What compositions are asked: pairs of the test side, in half of which somebody does what no training pair shows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from motifmix.data.interhuman import InterHuman
from motifmix.errors import DataError
from motifmix.pipelines.baselines.compositions import Wanted

FRAMES = 121  # of the source; features have one less
SHOWN, FOREIGN = "duets", "duets-foreign"
RECORDED = "recorded_test"


@dataclass(frozen=True, eq=False)
class Question:
    """A pair that is asked for, and the ``real`` one [P, T, 262] with these captions.

    ``contents``: what each does; ``foreign``: whether no training pair shows that; ``unseen``: whether no training ever saw the
    wording, of the pair's sentence and of each person's; ``take``: of a recorded one, its name.
    """

    id: str
    interaction: str
    contents: tuple[str, ...]
    foreign: tuple[bool, ...]
    wanted: Wanted
    real: np.ndarray = field(repr=False)
    take: str = ""
    unseen: tuple[bool, ...] = (False, False, False)


def questions(data: Path, split: str, limit: int, seed: int = 0) -> list[Question]:
    """Return up to ``limit`` questions of a list (``test``, ``val``), as many of every interaction type as there can be.

    Half of them from the pairs with foreign contents. Raises ``DataError`` where pairs are not prepared.
    """
    never = set(_card(data / SHOWN)["contents_never_in_pairs"])
    by_type: dict[str, list[tuple[Path, dict[str, Any]]]] = {}
    for folder in (data / SHOWN, data / FOREIGN):
        own: dict[str, list[tuple[Path, dict[str, Any]]]] = {}
        for line in _lines(folder):
            if line["kind"] == "choreographed" and line["split"] == split:
                own.setdefault(line["interaction"], []).append((folder, line))
        for name, lines in own.items():
            rng = np.random.default_rng([seed, *name.encode()])
            mixed = [lines[int(i)] for i in rng.permutation(len(lines))]
            known = by_type.setdefault(name, [])
            by_type[name] = [each for pair in _alternately(known, mixed) for each in pair]
    # Every second type begins with a foreign pair, so that any limit has as many of both.
    turned = [own if number % 2 else [*own[1:2], *own[:1], *own[2:]] for number, own in enumerate(by_type.values())]
    chosen = _in_turns(turned, limit)
    readers = {folder: InterHuman(folder, individual_captions=True) for folder in {folder for folder, _ in chosen}}
    return [_question(readers[folder], line, split, never) for folder, line in chosen]


def recorded(data: Path) -> list[Question]:
    """Return the recorded takes of the test side, in windows as long as the models make them."""
    reader = InterHuman(data / SHOWN, individual_captions=True)
    result = []
    for line in _lines(data / SHOWN):
        if line["kind"] != "recorded" or line["split"] != "test":
            continue
        frames = reader.frames(line["id"])
        for first in range(0, max(1, frames - FRAMES // 2), FRAMES):
            sample = reader.sample(line["id"], RECORDED, first=first, frames=FRAMES)
            own = tuple(captions[0].text for captions in sample.individual_captions)
            wanted = Wanted(sample.captions[0].text, own, sample.features.shape[1])
            result.append(
                Question(f"{line['id']}@{first}", "recorded", own, (False, False), wanted, sample.features, line["id"])
            )
    return result


def _question(reader: InterHuman, line: dict[str, Any], split: str, never: set[str]) -> Question:
    sample = reader.sample(line["id"], split, frames=FRAMES)
    rng = np.random.default_rng([17, *line["id"].encode()])

    def told(captions: Sequence[Any]) -> tuple[str, bool]:
        which = int(rng.integers(len(captions)))
        return captions[which].text, bool(line["unseen_captions"]) and which > 0  # the first is a trained one

    texts, unseen = zip(*(told(own) for own in (sample.captions, *sample.individual_captions)), strict=True)
    wanted = Wanted(texts[0], texts[1:], sample.features.shape[1])
    contents = tuple(line["contents"])
    foreign = tuple(content in never for content in contents)
    return Question(line["id"], line["interaction"], contents, foreign, wanted, sample.features, unseen=unseen)


def _alternately(first: list[Any], second: list[Any]) -> list[tuple[Any, ...]]:
    longest = max(len(first), len(second))
    return [tuple(own[n] for own in (first, second) if n < len(own)) for n in range(longest)]


def _in_turns(lists: list[list[Any]], limit: int) -> list[Any]:
    turns = (own[n] for n in range(max(map(len, lists), default=0)) for own in lists if n < len(own))
    return [each for _, each in zip(range(limit), turns, strict=False)]


def _lines(folder: Path) -> list[dict[str, Any]]:
    path = folder / "duets.jsonl"
    if not path.is_file():
        raise DataError(f"{folder}: holds no pairs; run 'motifmix data prepare {folder.name} --out {folder}' first")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _card(folder: Path) -> dict[str, Any]:
    _lines(folder)
    return yaml.safe_load((folder / "card.yaml").read_text("utf-8"))
