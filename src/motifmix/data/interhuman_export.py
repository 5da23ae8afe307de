"""Scenes of two people as files in InterHuman's published layout, which ``InterHuman`` and the papers' own code read."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from motifmix.errors import FileError

LIST = Path("split/test.txt")  # nobody should train on it by mistake
_PEOPLE = ("person1", "person2")


def pair_paths(name: str) -> list[Path]:
    """Return the files of a pair, below the folder: two motions, the sentence, and one for each person."""
    return [
        *(Path("motions_processed", person, f"{name}.npy") for person in _PEOPLE),
        Path("annots", f"{name}.txt"),
        *(Path("annots_individual", person, f"{name}.txt") for person in _PEOPLE),
    ]


def pair_contents(
    people: Sequence[np.ndarray], texts: Sequence[str], individual_texts: Sequence[Sequence[str]]
) -> list[bytes]:
    """Return what is in the files of :func:`pair_paths`, a sentence a line.

    ``people``: ``stored_person`` of both, ``[T, 492]`` float32 at 30 fps, Z up. Raises ``ValueError`` for other than two.
    """
    if len(people) != len(_PEOPLE) or len(individual_texts) != len(_PEOPLE):
        raise ValueError(f"InterHuman holds two people and sentences for each, not {len(people)}")
    motions = []
    for person in people:
        memory = io.BytesIO()
        np.save(memory, person)
        motions.append(memory.getvalue())
    return [*motions, *("".join(f"{text}\n" for text in own).encode() for own in (texts, *individual_texts))]


def with_name(folder: Path, name: str) -> str:
    """Return the text of the folder's list with ``name`` in it, once. Raises ``FileError`` where it cannot be read."""
    try:
        known = (folder / LIST).read_text("utf-8").split("\n") if (folder / LIST).exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{folder / LIST}: cannot be read ({error}); name another folder") from error
    return "".join(f"{each}\n" for each in dict.fromkeys([*filter(None, map(str.strip, known)), name]))
