"""The words that training and evaluation read: captions of contents, phrases of styles, mirror images, variations.

The wordings stand in ``words/contents.yaml`` and ``words/styles.yaml`` ("~" is the subject, "(a|b)" a choice).
``captions`` and ``style_phrases`` expand them; ``held_out_captions``, ``hard_captions``, ``held_out_style_phrases`` and
``hard_style_phrases`` are for evaluation alone. ``vary`` changes what people change without thinking: who does it,
articles, possessives, spelling, digits, punctuation, case, a slip of the finger. All of that ``surface_free`` takes
away again, but for the slip, so a test can prove that no held-out phrasing and no evaluation prompt can come out of
``vary``.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import TypeVar

import numpy as np

from motifmix.data.labels import (
    ONE_SIDED_CONTENTS,
    PAIRED_CONTENTS,
    content_words,
    style_attributes,
    style_description_words,
    style_words,
)

T = TypeVar("T")

_CHOICE = re.compile(r"\(([^()]*)\)")

_SUBJECTS = (
    # words, weight, possessives (the first is the likeliest); the words of KIT's annotators weigh most
    ("a person", 10, ("their", "his", "its", "her")),
    ("the person", 4, ("their", "his", "its", "her")),
    ("person", 2, ("their", "his", "its")),
    ("someone", 6, ("their", "his", "her")),
    ("somebody", 3, ("their", "his", "her")),
    ("a human", 5, ("its", "his", "their")),
    ("the human", 2, ("its", "his", "their")),
    ("human", 2, ("its", "his")),
    ("a man", 4, ("his",)),
    ("the man", 3, ("his",)),
    ("a guy", 2, ("his",)),
    ("he", 2, ("his",)),
    ("a woman", 4, ("her",)),
    ("the woman", 2, ("her",)),
    ("she", 2, ("her",)),
    ("a character", 2, ("its", "their", "his")),
    ("the character", 2, ("its", "their", "his")),
    ("the figure", 1, ("its", "their")),
    ("a human figure", 1, ("its",)),
    ("the subject", 1, ("their", "his")),
    ("an individual", 1, ("their",)),
)
_OBJECT_CASE = {"their": "them", "his": "him", "her": "her", "its": "it"}
_SUBJECT = re.compile(
    r"(^|, )(?:(?:(?:a|an|the|some|this|one)\s+)?(?:human being|human figure|person|human|man|woman|guy|character"
    r"|figure|individual|subject)|someone|somebody|he|she)(?= )",
    re.IGNORECASE,
)

_SPELLINGS = {
    "metre": "meter", "metres": "meters", "practises": "practices", "apologises": "apologizes", "centre": "center",
    "apologise": "apologize", "neighbours": "neighbors", "towards": "toward", "anticlockwise": "counterclockwise",
}  # fmt: skip
_DIGITS = {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "thirty": "30", "ninety": "90"}
_LONG_ENDINGS = {
    "forward": "forwards",
    "backward": "backwards",
    "upward": "upwards",
    "leftward": "leftwards",
    "rightward": "rightwards",
}
_DROPPED = frozenset(
    {"a", "an", "the", "his", "her", "its", "their", "your", "my", "him", "them", "it"}
    | {"themselves", "himself", "herself", "itself"}
)

_SIDES = {
    "left": "right", "right": "left", "leftward": "rightward", "rightward": "leftward",
    "leftwards": "rightwards", "rightwards": "leftwards", "lefthand": "righthand", "righthand": "lefthand",
    "leftmost": "rightmost", "rightmost": "leftmost", "lefty": "righty", "righty": "lefty",
    "letf": "rigth", "rigth": "letf", "rihgt": "letf",
    "clockwise": "counterclockwise", "anticlockwise": "clockwise", "counterclockwise": "clockwise",
    "anti-clockwise": "clockwise", "anti clockwise": "clockwise",
    "counter-clockwise": "clockwise", "counter clockwise": "clockwise",
}  # fmt: skip
_SIDE_WORD = re.compile(rf"\b({'|'.join(sorted(map(re.escape, _SIDES), key=len, reverse=True))})\b", re.IGNORECASE)
_MEANS_A_SIDE_BEFORE = re.compile(
    r"\b(?:turn(?:s|ed|ing)?|veer(?:s|ed|ing)?|bear(?:s|ing)?|curv(?:es|ed|ing)|bend(?:s|ing)?|swing(?:s|ing)?|the|a|his|her|its|their|your|my|to"
    r"|(?:left|right) (?:and|or|then))\s+(?:to\s+)?$",
    re.IGNORECASE,
)
_RIGHT_ANGLE = re.compile(r"[\s-]*angle[ds]?\b", re.IGNORECASE)
_RIGHT_STAYS_AFTER = re.compile(
    r"\s+(?:away|now|here|there|after|afterwards|before|behind|beside|next|through|into|across|once|back|beneath|under"
    r"|above|in front|in the middle|on top|up to|down to|(?:at|from) the (?:start|beginning|end|same))\b",
    re.IGNORECASE,
)
_SIDE_FOLLOWS = re.compile(r"\s*-|\s+(?:of|handed|footed)\b", re.IGNORECASE)
_RIGHT_STAYS_BEFORE = re.compile(
    r"\b(?:all|is|are|was|that's|it's|just|quite|it|everything|do|does|did)\s+$", re.IGNORECASE
)
_LEFT_STAYS_AFTER = re.compile(
    r"\s+(?:the|a(?! (?:few|couple|bit|little|step|metre|meter))|an|his|her|its|their|my|your|this|that|off|over|behind"
    r"|alone|standing|untouched|by|him|them|it|us|me)\b",
    re.IGNORECASE,
)
_LEFT_STAYS_BEFORE = re.compile(
    r"\b(?:is|are|was|were|be|been|being|has|have|had|just|nothing|none|nobody|anything|something|energy|strength|power|time|much"
    r"|who|he|she|they|someone|somebody)\s+$",
    re.IGNORECASE,
)


def captions(content: str, mirrored: bool = False) -> list[str]:
    """Return the training captions of a content, or of its mirror image; each appears once."""
    return [caption for wording in caption_groups(content, mirrored) for caption in wording]


def caption_groups(content: str, mirrored: bool = False) -> tuple[tuple[str, ...], ...]:
    """Return the training captions, grouped by wording: draw a group first and no wording outweighs another."""
    return _caption_groups(content, mirrored, "captions")


def held_out_captions(content: str, mirrored: bool = False) -> list[str]:
    """Return the everyday phrasings that no training sees."""
    return [caption for wording in _caption_groups(content, mirrored, "held_out") for caption in wording]


def hard_captions(content: str, mirrored: bool = False) -> list[str]:
    """Return idioms, rare words and pictures for a content; no training sees them either."""
    return [caption for wording in _caption_groups(content, mirrored, "held_out_hard") for caption in wording]


def style_phrases(style: str) -> list[str]:
    """Return the trained words and sentences of a style, its name and synonyms first; each appears once."""
    return [phrase for wording in style_phrase_groups(style) for phrase in wording]


@cache
def style_phrase_groups(style: str) -> tuple[tuple[str, ...], ...]:
    """Return the trained phrases of a style, grouped by wording; every synonym is a group."""
    words = style_words(style)
    return _without_repeats(
        [(style.replace("-", " "),), *((word,) for word in words["synonyms"]), *map(expanded, words["phrases"])]
    )


def held_out_style_phrases(style: str) -> list[str]:
    """Return the everyday words and sentences of a style that no training sees."""
    return [phrase for wording in style_words(style)["held_out"] for phrase in expanded(wording)]


def hard_style_phrases(style: str) -> list[str]:
    """Return idioms, rare words and pictures for a style; no training sees them either."""
    return [phrase for wording in style_words(style)["held_out_hard"] for phrase in expanded(wording)]


def held_out_style_descriptions(style: str) -> list[str]:
    """Return long descriptions of a style, a whole sentence each; no training sees them either."""
    return style_description_words(style)


def draw_style_description(style: str, generator: np.random.Generator) -> str:
    """Compose a description for training: two to four of the style's attributes; empty where it has none.

    What it is like stands at the end, as people write it; body and pace come in any order. Sometimes somebody is named
    who moves so.
    """
    attributes = style_attributes(style)
    if not attributes:
        return ""
    body = [_pick(expanded(own), generator) for own in attributes["body"]]
    count = 1 + int(generator.random() < 0.6)
    parts = [body[place] for place in generator.permutation(len(body))[:count]]
    if generator.random() < 0.7:
        parts.insert(
            int(generator.integers(len(parts) + 1)), _pick(expanded(_pick(attributes["pace"], generator)), generator)
        )
    if generator.random() < 0.75:
        parts.append(_pick(attributes["like"], generator))
    if generator.random() < 0.5:
        return ", ".join(parts)
    return f"{_pick(('moves', 'they move', 'someone moves', 'a person who moves'), generator)} so: {', '.join(parts)}"


def draw_caption(content: str, mirrored: bool, generator: np.random.Generator) -> str:
    """Draw a training caption as somebody may type it: a wording, one of its choices, varied."""
    group = _pick(caption_groups(content, mirrored), generator)
    return vary(_pick(group, generator), generator)


def draw_style_phrase(style: str, generator: np.random.Generator) -> str:
    """Draw a training phrase of a style: a wording, then one of its choices."""
    return _pick(_pick(style_phrase_groups(style), generator), generator)


def mirror_words(text: str) -> str:
    """Swap the sides in a sentence: left and right, leftwards, clockwise and counterclockwise.

    "right" and "left" stay where they mean no side (right away, all right, upright, left the room, no strength left).
    Case is kept; every word for counterclockwise becomes "clockwise".
    """
    return _SIDE_WORD.sub(lambda match: _mirrored_word(text, match), text)


def vary(caption: str, generator: np.random.Generator) -> str:
    """Return the caption as another person may type it; the same generator state gives the same text.

    For captions only: a style phrase means something by its subject ("an old man").
    """
    text = _with_a_slip(caption, generator) if generator.random() < 0.05 else caption
    text = _with_another_subject(text, generator)
    text = _with_another_spelling(text, generator)
    draw = generator.random()
    if draw < 0.5:
        text = text[:1].upper() + text[1:]
    ending = generator.random()
    return text + ("." if ending < 0.4 else "!" if ending < 0.42 else "")


def surface_free(text: str) -> str:
    """Take away what ``vary`` changes (but for slips): two texts with the same result are one phrasing."""
    text = _SUBJECT.sub(r"\1someone", text.strip())
    common = {varied: plain for table in (_SPELLINGS, _DIGITS, _LONG_ENDINGS) for plain, varied in table.items()}
    tokens: list[str] = re.findall(r"[\w']+", text.casefold().replace("-", " "))
    return " ".join(common.get(token, token) for token in tokens if token not in _DROPPED)


@cache
def _caption_groups(content: str, mirrored: bool, key: str) -> tuple[tuple[str, ...], ...]:
    if mirrored and content in PAIRED_CONTENTS:
        return _caption_groups(PAIRED_CONTENTS[content], False, key)
    words = content_words(content)
    if "mirror_of" in words:
        source = _caption_groups(PAIRED_CONTENTS[content], False, key)
        groups = [tuple(map(mirror_words, group)) for group in source]
    else:
        groups = [expanded(wording) for wording in words[key]]
    if key == "captions":
        groups += [expanded(wording) for wording in words.get("one_side", [])]
    if mirrored and content in ONE_SIDED_CONTENTS:
        groups = [tuple(map(mirror_words, group)) for group in groups]
    return _without_repeats(groups)


def expanded(wording: str) -> tuple[str, ...]:
    """Expand "~" and every "(a|b)" of a line of the word files."""
    parts = _CHOICE.split(wording.replace("~", "a person"))
    choices = [part.split("|") if index % 2 else [part] for index, part in enumerate(parts)]
    return tuple(re.sub(r"\s+([,.]|$)", r"\1", " ".join("".join(choice).split())) for choice in product(*choices))


def _without_repeats(groups: list[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    seen: set[str] = set()
    kept = [tuple(text for text in group if not (text in seen or seen.add(text))) for group in groups]
    return tuple(group for group in kept if group)


def _mirrored_word(text: str, match: re.Match[str]) -> str:
    word, before, after = match[0], text[: match.start()], text[match.end() :]
    side = word.casefold()
    if side == "right" and _RIGHT_ANGLE.match(after):
        return word
    told_by_context = _MEANS_A_SIDE_BEFORE.search(before) is not None
    if side == "right" and _RIGHT_STAYS_AFTER.match(after) and not told_by_context:
        return word
    if side == "right" and _RIGHT_STAYS_BEFORE.search(before) and not _SIDE_FOLLOWS.match(after):
        return word
    if side == "left" and _LEFT_STAYS_AFTER.match(after) and not told_by_context:
        return word
    if side == "left" and _LEFT_STAYS_BEFORE.search(before) and not _SIDE_FOLLOWS.match(after):
        return word
    swapped = _SIDES[side]
    if word.isupper():
        return swapped.upper()
    return swapped.capitalize() if word[0].isupper() else swapped


def _with_another_subject(text: str, generator: np.random.Generator) -> str:
    weights = np.array([weight for _, weight, _ in _SUBJECTS], dtype=float)
    subject, _, possessives = _SUBJECTS[int(generator.choice(len(_SUBJECTS), p=weights / weights.sum()))]
    possessive = possessives[0] if generator.random() < 0.5 else _pick(possessives, generator)
    own_hand = generator.random() < 0.3
    found = _SUBJECT.search(text)
    if found is None:
        return text
    follower = text[found.end() :].split()[0]
    if subject in ("he", "she") and (follower == "who" or follower.endswith("ing")):
        subject = {"he": "a man", "she": "a woman"}[subject]
    head, tail = text[: found.end(1)], text[found.end() :]
    if own_hand:
        tail = re.sub(r"\bthe (?=(?:left|right) (?:hand|arm|foot|leg)\b)", "their ", tail)
    tail = re.sub(r"\btheir\b", possessive, tail)
    tail = re.sub(r"\bthem\b", _OBJECT_CASE[possessive], tail)
    return head + subject + tail


def _with_another_spelling(text: str, generator: np.random.Generator) -> str:
    american, digits, long_endings, bare = generator.random(4)
    if american < 0.5:
        text = re.sub(r"\w+", lambda match: _SPELLINGS.get(match[0], match[0]), text)
    if digits < 0.3:
        text = re.sub(r"\w+", lambda match: _DIGITS.get(match[0], match[0]), text)
    if long_endings < 0.3:
        text = re.sub(r"\b(\w+)(?=$|,| and\b)", lambda match: _LONG_ENDINGS.get(match[0], match[0]), text)
    if bare < 0.05:
        text = re.sub(r"\b(?:a|the) (?=\w)", "", text, count=1)
    return text


def _with_a_slip(text: str, generator: np.random.Generator) -> str:
    """Swap two letters within a longer word, or lose one; never in the subject or in a word that tells the side."""
    words = text.split(" ")
    kept = {name.split()[-1] for name, _, _ in _SUBJECTS}
    places = [
        place
        for place, word in enumerate(words)
        if len(word) >= 5 and word.isalpha() and word not in kept and not _SIDE_WORD.search(word)
    ]
    if not places:
        return text
    place = _pick(places, generator)
    word, at = words[place], int(generator.integers(1, len(words[place]) - 1))
    lost = generator.random() < 0.4
    words[place] = word[:at] + word[at + 1 :] if lost else word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def _pick(items: Sequence[T], generator: np.random.Generator) -> T:
    return items[int(generator.integers(len(items)))]
