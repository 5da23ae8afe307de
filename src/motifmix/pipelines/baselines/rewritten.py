"""The base with the style written into its text (the paper's "MLD + ChatGPT").

A rewriter makes one sentence of a text and a style: templates of ours, which need nothing (the default), or a language
model behind an OpenAI-compatible endpoint (``language_model.py``). The style is words; of a motion only its label can be
written down, so this is a text-guided method, and a motion without the label ``style`` is refused.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any

import yaml

from motifmix.data.labels import find_style
from motifmix.errors import RequestError
from motifmix.motion import Motion
from motifmix.pipelines.baselines.unstyled import Unstyled
from motifmix.pipelines.one_each import one_each
from motifmix.style.references import StyleLike, resolve

Rewriter = Callable[[str, str], str]
"""Takes a text and a style in words, gives one sentence that says both."""

_SUBJECTS = ("a person", "the person", "a human", "a man", "a woman", "someone", "somebody")


class Rewritten(Unstyled):
    """A base, given as an object or as a folder of weights, that is told texts with their styles written in."""

    def __init__(self, base: Any, rewrite: Rewriter | None = None) -> None:
        super().__init__(base)
        self.rewrite: Rewriter = template_sentence if rewrite is None else rewrite

    def generate(
        self,
        texts: Sequence[str],
        styles: Sequence[StyleLike | None] | None = None,
        seconds: float | Sequence[float | None] | None = None,
        seeds: int | Sequence[int] | None = None,
        *,
        clean_feet: bool = True,
        **options: Any,
    ) -> list[Motion]:
        """Return one motion a text; its labels keep the text that was asked and have the ``rewritten`` one beside it.

        Raises ``RequestError`` for a style that has no words, and as the rewriter does.
        """
        words = [None if style is None else words_of(style) for style in one_each(styles, len(texts), "styles")]
        said = [text if style is None else self.rewrite(text, style) for text, style in zip(texts, words, strict=True)]
        made = self.base.generate(said, styles=None, seconds=seconds, seeds=seeds, clean_feet=clean_feet, **options)
        return [
            motion if style is None else motion.with_labels(text=text, style=style, rewritten=sentence)
            for motion, text, style, sentence in zip(made, texts, words, said, strict=True)
        ]


def words_of(style: StyleLike) -> str:
    """Return a style in words: words as they are, a motion in memory by its label ``style``.

    Raises ``RequestError`` for a file, for a motion without that label and for a blend.
    """
    if isinstance(style, Motion):
        label = style.labels.get("style")
        if not isinstance(label, str) or not label.strip():
            raise RequestError(
                "this method writes the style into the text, and this motion has no label 'style'; give words"
            )
        return label
    parts = resolve(style)
    if len(parts) != 1 or parts[0].words is None:
        raise RequestError("this method writes the style into the text: give one style in words, no file and no blend")
    return parts[0].words


def template_sentence(text: str, style: str) -> str:
    """Return ``text`` with ``style`` written in by the templates of ``style_sentences.yaml``; no model is asked.

    "a person walks forward" and "old" become "an old person walks forward, slowly and ...". A style that no
    template knows is said before the person where it is one word, and behind the text where it is more.
    """
    text, style = text.strip().rstrip("."), " ".join(style.split()).rstrip(".")
    name = find_style(style)
    if name is None:
        known = {"person": f"{_article(style)} {style} person"} if " " not in style else {"manner": style}
    else:
        known = _templates()[name]
    subject = next((own for own in _SUBJECTS if text.casefold().startswith(f"{own} ")), None)
    person, manner = known.get("person"), known.get("manner")
    if person is not None and subject is not None:
        text = person + text[len(subject) :]
    elif person is not None and manner is None:
        manner = f"like {person}"  # a text without a subject
    return text if manner is None else f"{text}, {manner}"


def _article(word: str) -> str:
    return "an" if word[:1].casefold() in "aeiou" else "a"


@cache
def _templates() -> dict[str, dict[str, str]]:
    file = resources.files("motifmix.pipelines.baselines").joinpath("style_sentences.yaml")
    return yaml.safe_load(file.read_text("utf-8"))
