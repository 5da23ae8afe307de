"""Words as the text-to-motion evaluators read them (Guo et al. 2022): GloVe vectors and tags of parts of speech.

A caption is given as its tagged words, as the caption files have them: ``a/DET man/NOUN walk/VERB slowly/ADV``. At most
20 words count; ``sos/OTHER`` and ``eos/OTHER`` stand around them, ``unk/OTHER`` fills up. Some words have tags of their
own (places, parts of the body, objects, actions, manners), which win over the part of speech.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motifmix.encoders.text_features import TextFeatures
from motifmix.errors import DataError, RequestError, WeightsError

TAGS = (
    "VERB", "NOUN", "DET", "ADP", "NUM", "AUX", "PRON", "ADJ", "ADV",
    "Loc_VIP", "Body_VIP", "Obj_VIP", "Act_VIP", "Desc_VIP", "OTHER",
)  # fmt: skip
# Looked at in this order.
WORDS_WITH_OWN_TAGS = {
    "Loc_VIP": "left right clockwise counterclockwise anticlockwise forward back backward up down straight curve",
    "Body_VIP": "arm chin foot feet face hand mouth leg waist eye knee shoulder thigh",
    "Obj_VIP": "stair dumbbell chair window floor car ball handrail baseball basketball",
    "Act_VIP": (
        "walk run swing pick bring kick put squat throw hop dance jump turn stumble stop sit lift lower raise wash stand "
        "kneel stroll rub bend balance flap jog shuffle lean rotate spin spread climb"
    ),
    "Desc_VIP": "slowly carefully fast careful slow quickly happy angry sad happily angrily sadly",
}
_OWN_TAG = {word: tag for tag, words in reversed(WORDS_WITH_OWN_TAGS.items()) for word in words.split()}
MAX_WORDS = 20
SPACY_MODEL = "en_core_web_sm"


class GloVe:
    """Vectors by word. ``words``: ``[V, dim]``'s words in the order of its rows; ``unk`` must be among them."""

    def __init__(self, vectors: np.ndarray, words: Sequence[str], max_words: int = MAX_WORDS) -> None:
        if "unk" not in words or vectors.ndim != 2 or len(vectors) < len(words):
            raise WeightsError(f"{len(words)} words and vectors of shape {vectors.shape} do not belong together")
        self.vectors = torch.from_numpy(np.asarray(vectors, np.float32))
        self.row = {word: i for i, word in enumerate(words)}
        self.max_words = max_words

    @property
    def width(self) -> int:
        """How many numbers a word has, its tag's included."""
        return self.vectors.shape[1] + len(TAGS)

    def words(self, captions: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
        """Return vectors ``[N, 22, 300]``, tags (one-hot) ``[N, 22, 15]`` and lengths ``[N]`` of tagged captions.

        Raises ``DataError`` for a word without a tag.
        """
        shape = (len(captions), self.max_words + 2)
        rows = torch.full(shape, self.row["unk"])
        tags = torch.full(shape, TAGS.index("OTHER"))
        lengths = torch.zeros(len(captions), dtype=torch.int64)
        for i, caption in enumerate(captions):
            found = ["sos/OTHER", *caption.split()[: self.max_words], "eos/OTHER"]
            lengths[i] = len(found)
            for j, token in enumerate(found):
                word, tag = _split(token, caption)
                if word in self.row:
                    tag = _OWN_TAG.get(word, tag)
                    rows[i, j], tags[i, j] = self.row[word], TAGS.index(tag if tag in TAGS else "OTHER")
        return self.vectors[rows], torch.nn.functional.one_hot(tags, len(TAGS)).float(), lengths

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """Return vectors and tags side by side ``[N, 22, 315]`` of tagged captions; ``tagged`` makes them of free text."""
        vectors, tags, lengths = self.words(texts)
        return TextFeatures(torch.cat([vectors, tags], dim=-1), torch.arange(vectors.shape[1]) < lengths[:, None])


def _split(token: str, caption: str) -> tuple[str, str]:
    word, slash, tag = token.partition("/")
    if not slash or "/" in tag:
        raise DataError(
            f"the word {token!r} of the caption {caption!r} is not of the form word/TAG; give the tagged words of a "
            "caption file, or let encoders.glove.tagged tag the text"
        )
    return word, tag


def glove_of(folder_files: dict[str, Any]) -> GloVe:
    """Build the encoder of the contents of its three files, by their endings ``data``, ``words`` and ``idx``.

    Raises ``WeightsError`` where they do not belong together.
    """
    vectors, words, rows = folder_files["data"], folder_files["words"], folder_files["idx"]
    if not (
        isinstance(vectors, np.ndarray)
        and isinstance(words, list)
        and isinstance(rows, dict)
        and all(isinstance(rows.get(word), int) and 0 <= rows[word] < len(vectors) for word in words)
    ):
        raise WeightsError(
            "the GloVe files do not belong together: an array, a list of words and their rows are needed"
        )
    return GloVe(vectors[[rows[word] for word in words]], words)


def tagged(text: str, parser: Any = None) -> str:
    """Tag a free text with spaCy, as the caption files were made: lower case, nouns and verbs as their base forms.

    ``left`` stays as it is. ``parser``: a loaded spaCy pipeline. Raises ``RequestError`` where spaCy is not installed.
    """
    parser = parser or _parser()
    words = [
        f"{t.lemma_ if t.pos_ in ('NOUN', 'VERB') and t.text != 'left' else t.text}/{t.pos_}"
        for t in parser(text.lower().replace("-", ""))
        if t.text.isalpha()
    ]
    return " ".join(words)


def _parser() -> Any:
    try:
        import spacy  # pyright: ignore[reportMissingImports]

        return spacy.load(SPACY_MODEL)
    except (ImportError, OSError) as error:
        raise RequestError(
            f"tagging free text needs spaCy and its model: pip install 'motifmix[tagging]' && python -m spacy download "
            f"{SPACY_MODEL}; or give the tagged words of a caption file"
        ) from error
