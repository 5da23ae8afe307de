"""Scenes of two people as files in InterHuman's published layout, which ``InterHuman`` and the papers' own code read."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from motifmix.errors import FileError
from motifmix.features.interhuman import stored_person
from motifmix.motion import Scene

LIST = Path("split/test.txt")  # nobody should train on it by mistake
_PEOPLE = ("person1", "person2")


def pair_paths(name: str) -> list[Path]:
    """Return the files of a pair, below the folder: two motions, the sentence, and one for each person."""
    return [
        *(Path("motions_processed", person, f"{name}.npy") for person in _PEOPLE),
        Path("annots", f"{name}.txt"),
        *(Path("annots_individual", person, f"{name}.txt") for person in _PEOPLE),
    ]


def pair_contents(scene: Scene, text: str, individual_texts: Sequence[str]) -> list[bytes]:
    """Return what is in the files of :func:`pair_paths`: ``[T, 492]`` float32 at 30 fps, Z up, and a sentence a line.

    Raises ``ValueError`` for another skeleton than motifmix's, or another number of people than two.
    """
    if len(scene) != len(_PEOPLE) or len(individual_texts) != len(_PEOPLE):
        raise ValueError(f"InterHuman holds two people and a sentence for each, not {len(scene)}")
    motions = []
    for person in scene:
        memory = io.BytesIO()
        np.save(memory, stored_person(person))
        motions.append(memory.getvalue())
    return [*motions, *(f"{each}\n".encode() for each in (text, *individual_texts))]


def with_name(folder: Path, name: str) -> str:
    """Return the text of the folder's list with ``name`` in it, once. Raises ``FileError`` where it cannot be read."""
    try:
        known = (folder / LIST).read_text("utf-8").split("\n") if (folder / LIST).exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{folder / LIST}: cannot be read ({error}); name another folder") from error
    return "".join(f"{each}\n" for each in dict.fromkeys([*filter(None, map(str.strip, known)), name]))
