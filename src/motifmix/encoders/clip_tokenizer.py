"""CLIP's byte-pair tokens, which ImageBind uses too.

The merge list is the authors' file (MIT, see NOTICE); its first 48,894 merges count. Ids: 256 byte symbols, the same with
an end-of-word mark, the merges in order, start and end: 49,408 in all. A text is cleaned, split into words, contractions,
single digits and runs of signs, and each piece's bytes are merged. Too long texts are cut and keep an end token.
"""

import gzip
import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from motifmix.errors import WeightsError

MERGES_FILE = Path(__file__).parent / "bpe_simple_vocab_16e6.txt.gz"
MERGES_COUNTED = 49152 - 256 - 2
CONTEXT_LENGTH = 77
END_OF_WORD = "</w>"
SPECIALS = ("<|startoftext|>", "<|endoftext|>")
PIECES = r"(?i)<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"  # Oniguruma
# Nothing in such a text is there to be repaired: letters, digits, blanks and signs but the ampersand.
_PLAIN = re.compile(r"[ \t\n\r!-%'-~]*")


def repaired(text: str) -> str:
    """Clean a text as CLIP's authors do: repair broken encodings, unescape HTML twice, one blank for many, lower case.

    The repair (ftfy) also makes curly quotes straight and wide letters narrow.
    """
    if not _PLAIN.fullmatch(text):
        import ftfy

        text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return re.sub(r"\s+", " ", text.strip()).strip().lower()


def normalised(text: str) -> str:
    """Clean a text as the transformers library's tokeniser does: composed characters, one blank for many, lower case."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).lower()


class ClipTokenizer:
    """Texts to token ids; ``merges`` are pairs of symbols by rank, the published ones unless given.

    Nothing is read from disk before the first text. Raises ``WeightsError`` where the merge list cannot be read.
    """

    def __init__(self, merges: Sequence[tuple[str, str]] | None = None) -> None:
        self._given = merges

    @cached_property
    def merges(self) -> list[tuple[str, str]]:
        """The merges by rank."""
        return published_merges() if self._given is None else list(self._given)

    @property
    def start_token(self) -> int:
        """The id that every text begins with."""
        return 512 + len(self.merges)

    @property
    def end_token(self) -> int:
        """The id that every text ends with: the largest."""
        return self.start_token + 1

    def ids(self, text: str) -> list[int]:
        """Return the ids of a cleaned text, without start and end."""
        if "<|" not in text:
            return self._tokenizer.encode(text).ids
        found: list[int] = []  # a special token that is written out stands for itself
        for piece, _ in self._pieces.pre_tokenize_str(text):
            if piece in SPECIALS:
                found.append(self.start_token + SPECIALS.index(piece))
            else:
                found += self._tokenizer.encode(piece).ids
        return found

    def encode(
        self,
        texts: Sequence[str],
        context_length: int = CONTEXT_LENGTH,
        padding: int = 0,
        clean: Callable[[str], str] = repaired,
    ) -> Tensor:
        """Return ids ``[N, context_length]``, int64: start, text, end, padding.

        Of a text that is too long the first ``context_length - 2`` ids are kept.
        """
        rows = torch.full((len(texts), context_length), padding, dtype=torch.int64)
        for row, text in zip(rows, texts, strict=True):
            found = [self.start_token, *self.ids(clean(text))[: context_length - 2], self.end_token]
            row[: len(found)] = torch.tensor(found)
        return rows

    def lengths(self, ids: Tensor) -> Tensor:
        """Return how many of the ids ``[N, L]`` count, start and end included, ``[N]``."""
        return ids.argmax(-1) + 1

    @cached_property
    def _pieces(self):
        from tokenizers import Regex
        from tokenizers.pre_tokenizers import Split

        return Split(Regex(PIECES), "removed", invert=True)

    @cached_property
    def _tokenizer(self):
        from tokenizers import Tokenizer
        from tokenizers.models import BPE
        from tokenizers.pre_tokenizers import ByteLevel, Sequence

        symbols = byte_symbols()
        words = [*symbols, *(s + END_OF_WORD for s in symbols), *("".join(pair) for pair in self.merges), *SPECIALS]
        vocabulary = {word: i for i, word in enumerate(words)}
        tokenizer = Tokenizer(BPE(vocabulary, self.merges, end_of_word_suffix=END_OF_WORD))
        tokenizer.pre_tokenizer = Sequence([self._pieces, ByteLevel(add_prefix_space=False, use_regex=False)])
        return tokenizer


def byte_symbols() -> list[str]:
    """Return one printable character for every byte, in the order of the ids: 188 that print as they are come first."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]


def published_merges(path: Path = MERGES_FILE) -> list[tuple[str, str]]:
    """Read the authors' merge list: one header line, then one pair a line. Raises ``WeightsError``."""
    try:
        lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} cannot be read ({error}); install motifmix again.") from error
    merges = [(left, right) for line in lines[1 : 1 + MERGES_COUNTED] for left, _, right in [line.partition(" ")]]
    if len(merges) != MERGES_COUNTED or not all(right for _, right in merges):
        raise WeightsError(f"{path} is not CLIP's merge list; install motifmix again.")
    return merges
