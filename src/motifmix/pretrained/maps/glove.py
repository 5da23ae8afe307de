"""GloVe's three files (vectors, list of words, dictionary of rows) to one table in the order of the words."""

from collections.abc import Mapping

import torch
from torch import Tensor

from motifmix.errors import WeightsError
from motifmix.models.word_vectors import WordVectors
from motifmix.pretrained.maps.key_map import KeyMap


def _in_order(ours: dict[str, Tensor]) -> dict[str, Tensor]:
    """Put the vectors in the order of the words, by the dictionary."""
    if ours.keys() < {"vectors", "letters", "names", "rows"}:
        return ours
    words, names = (bytes(ours[key].numpy()).decode("utf-8").split("\n") for key in ("letters", "names"))
    row = dict(zip(names, ours["rows"].tolist(), strict=True))
    wrong = [word for word in words if not 0 <= row.get(word, -1) < len(ours["vectors"])]
    if wrong or "unk" not in row:
        raise WeightsError(f": its files do not belong together (no vector for {(wrong or ['unk'])[0]!r})")
    vectors = ours["vectors"][torch.tensor([row[word] for word in words])].float()
    return {"vectors": vectors, "letters": ours["letters"]}


VECTORS = KeyMap(
    renames=[
        (r"vectors\.data", "vectors"),
        (r"words\.words", "letters"),
        (r"index\.words", "names"),
        (r"index\.rows", "rows"),
    ],
    steps=[_in_order],
)


def read_sizes(published: Mapping[str, Tensor]) -> dict[str, int]:
    """Return how many words and letters there are, and how long a vector is."""
    letters = published["words.words"]
    return {
        "words": int((letters == ord("\n")).sum()) + 1,
        "letters": len(letters),
        "dim": published["vectors.data"].shape[1],
    }


def try_vectors(table: WordVectors) -> Tensor:
    """Look the word for unknown words up."""
    return table(torch.tensor([table.words.index("unk")]))
