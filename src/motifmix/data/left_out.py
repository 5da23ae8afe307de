"""Does a text name a style? What a training that leaves a style out must know of clips without a style label.

Counted are the style's name, the names that the published sets give it, its synonyms and all its phrases, held-out ones
included, as whole words in a row: "an old man sits down" names *elderly*. That is wide on purpose: it is cheaper to lose
a clip of the content set than to have seen what a figure calls unseen.
"""

import re
from functools import cache

from motifmix.data.captions import hard_style_phrases, held_out_style_phrases, style_phrases
from motifmix.data.labels import STYLE_MERGES, plain


def names_style(text: str, style: str) -> bool:
    """Tell whether ``text`` holds a name, a synonym or a phrase of ``style``."""
    return _pattern(style).search(plain(text)) is not None


@cache
def _pattern(style: str) -> re.Pattern[str]:
    published = [name for name, merged in STYLE_MERGES.items() if merged == style]
    phrases = [*style_phrases(style), *held_out_style_phrases(style), *hard_style_phrases(style), *published]
    words = sorted({plain(phrase) for phrase in phrases}, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b")
