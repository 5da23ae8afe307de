"""One label space for both Bandai-Namco sets: 25 contents, 15 styles, their synonyms and their mirror images.

The two sets name equal styles differently; they are merged here, under set 2's name:

    set 1            set 2        here
    old              elderly      elderly
    childish         youthful     youthful
    tired            exhausted    exhausted
    masculinity      masculine    masculine
    normal           normal       normal
    active           active       active
    feminine         feminine     feminine

Set 1's other eight styles (angry, chimpira, giant, happy, musical, not-confident, proud, sad) stand alone. Contents
keep the published names; walk and run are in both sets. ``dance-long`` has a label but no clip in the archive.

A mirrored clip needs a label too. Some contents have their mirror image among the labels (walk-left and walk-right),
most look the same in a mirror, and three are recorded with one hand only: bye (right), guide (right), respond (left).
The mirror image of those keeps its name, and words that name the hand must be swapped: ``mirrored_content`` says which
case it is.

Look-ups are plain: a word is in the list or it is not. Nearness in meaning is the text encoder's business.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import yaml

from motifmix.errors import DataError, RequestError

SET_1_CONTENTS = (
    "walk", "run", "dash", "walk-back", "walk-left", "walk-right", "bow", "bye", "guide", "byebye", "respond", "call",
    "punch", "kick", "slash", "dance-long", "dance-short",
)  # fmt: skip
SET_2_CONTENTS = (
    "walk", "walk-turn-left", "walk-turn-right", "run", "wave-both-hands", "wave-left-hand", "wave-right-hand",
    "raise-up-both-hands", "raise-up-left-hand", "raise-up-right-hand",
)  # fmt: skip
CONTENTS = SET_2_CONTENTS + tuple(name for name in SET_1_CONTENTS if name not in SET_2_CONTENTS)

STYLE_MERGES = {"old": "elderly", "childish": "youthful", "tired": "exhausted", "masculinity": "masculine"}
SET_1_STYLES = (
    "normal", "happy", "sad", "angry", "proud", "not-confident", "masculinity", "feminine", "childish", "old", "tired",
    "active", "musical", "giant", "chimpira",
)  # fmt: skip
SET_2_STYLES = ("active", "elderly", "exhausted", "feminine", "masculine", "normal", "youthful")
STYLES = (*SET_2_STYLES, "angry", "chimpira", "giant", "happy", "musical", "not-confident", "proud", "sad")

# 100STYLE's own, for whoever trains on it; the default model's classes, which ``STYLES`` and ``CONTENTS`` are, do not grow.
MORE_CONTENTS = (
    "forward-walk", "forward-run", "backward-walk", "backward-run", "sidestep-walk", "sidestep-run", "idle", "transition",
)  # fmt: skip

ONE_SIDED_CONTENTS = {"bye": "right", "guide": "right", "respond": "left"}
"""Contents recorded with one hand whose mirror image has no label of its own, and the hand of the recording."""

PAIRED_CONTENTS = {
    name: name.replace("left", "right") if "left" in name else name.replace("right", "left")
    for name in CONTENTS
    if "left" in name or "right" in name
}

Entry = TypeVar("Entry")

_CLIP_NAME = re.compile(r"dataset-([12])_([a-z-]+)_([a-z-]+)_(\d+)")


def more_styles() -> tuple[str, ...]:
    """Return the styles beside :data:`STYLES`, which are learned by who trains on 100STYLE."""
    return tuple(words_in("styles_100style.yaml"))


def style_names(present: Iterable[str | None]) -> tuple[str, ...]:
    """Return the styles that are present, once each: ours in the order of :data:`STYLES`, then the others by name."""
    found = {style for style in present if style is not None}
    return (*(style for style in STYLES if style in found), *sorted(found - set(STYLES)))


def mirrored_style(style: str) -> str:
    """Return the style of the same clip seen in a mirror: another one where the style has a side."""
    sides = {"left": "right", "right": "left", "spin-clock": "spin-anti-clock", "spin-anti-clock": "spin-clock"}
    other = re.sub("^spin-(?:anti-)?clock$|left|right", lambda side: sides[side[0]], style)
    return other if other in more_styles() else style


@dataclass(frozen=True)
class ContentLabel:
    """A content as a clip shows it: ``mirrored`` is true only where the mirror image has no name of its own."""

    content: str
    mirrored: bool = False


@dataclass(frozen=True)
class ClipName:
    """What a Bandai-Namco file name says; ``content`` and ``style`` are ours, ``published_style`` is the set's own."""

    set_number: int
    content: str
    style: str
    published_style: str
    number: int


def mirrored_content(label: ContentLabel) -> ContentLabel:
    """Return the label of the same clip seen in a mirror; twice gives the label back."""
    if label.content in PAIRED_CONTENTS:
        return ContentLabel(PAIRED_CONTENTS[label.content])
    if label.content in ONE_SIDED_CONTENTS:
        return ContentLabel(label.content, not label.mirrored)
    return label


def parse_clip_name(stem: str) -> ClipName:
    """Read ``dataset-<set>_<content>_<style>_<number>``; contents and styles may hold hyphens."""
    match = _CLIP_NAME.fullmatch(stem)
    if match is None:
        raise DataError(
            f"{stem}: not the name of a Bandai-Namco clip; expected dataset-<1 or 2>_<content>_<style>_<number>."
        )
    set_number, content, published = int(match[1]), match[2], match[3]
    if content not in (SET_1_CONTENTS if set_number == 1 else SET_2_CONTENTS):
        raise DataError(f"{stem}: set {set_number} has no content {content!r}; check the file name.")
    if published not in (SET_1_STYLES if set_number == 1 else SET_2_STYLES):
        raise DataError(f"{stem}: set {set_number} has no style {published!r}; check the file name.")
    return ClipName(set_number, content, STYLE_MERGES.get(published, published), published, int(match[4]))


def find_style(words: str) -> str | None:
    """Return the style that ``words`` names (a label of either set or a synonym), or None."""
    return _style_index().get(plain(words))


def find_content(words: str) -> str | None:
    """Return the content that ``words`` names (a published label or a synonym), or None."""
    return _content_index().get(plain(words))


def style_synonyms(style: str) -> list[str]:
    """Return the words that resolve to ``style``, without its own name."""
    return list(style_words(style)["synonyms"])


def content_synonyms(content: str) -> list[str]:
    """Return the short names that resolve to ``content``, without its own name."""
    return list(content_words(content)["synonyms"])


def style_words(style: str) -> dict[str, list[str]]:
    """Return the entry of ``words/styles.yaml``: synonyms, phrases, held_out, held_out_hard (choices not expanded)."""
    if style in more_styles():
        return {"held_out": [], "held_out_hard": [], **words_in("styles_100style.yaml")[style]}
    return _entry(words_in("styles.yaml"), style, "style", STYLES)


def style_description_words(style: str) -> list[str]:
    """Return the entry of ``words/style_descriptions.yaml``; styles of 100STYLE have none."""
    return [] if style in more_styles() else list(_entry(words_in("style_descriptions.yaml"), style, "style", STYLES))


def content_words(content: str) -> dict[str, list[str]]:
    """Return the entry of ``words/contents.yaml``, with swapped synonyms where it has ``mirror_of``."""
    if content in MORE_CONTENTS:
        return {"held_out": [], "held_out_hard": [], **words_in("contents_100style.yaml")[content]}
    entry = dict(_entry(words_in("contents.yaml"), content, "content", CONTENTS))
    if "mirror_of" in entry:
        source = content_words(PAIRED_CONTENTS[content])
        swapped = [
            re.sub("left|right", lambda side: "right" if side[0] == "left" else "left", word)
            for word in source["synonyms"]
        ]
        entry["synonyms"] = [word.replace("anticlockwise", "clockwise") for word in swapped] + entry.get("synonyms", [])
    return entry


def plain(words: str) -> str:
    """Fold case, hyphens, underscores, punctuation and blanks, so that "Not-Confident" and "not confident" are one."""
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)?", words.casefold()))


@cache
def words_in(file: str) -> Any:
    """Return what a file of ``data/words`` says, read once: its readers share it and change nothing."""
    return yaml.safe_load(resources.files("motifmix.data").joinpath("words", file).read_text("utf-8"))


def style_attributes(style: str) -> dict[str, list[str]]:
    """Return the entry of ``words/style_attributes.yaml``: pieces of descriptions by kind; none for 100STYLE's styles."""
    return {} if style in more_styles() else _entry(words_in("style_attributes.yaml"), style, "style", STYLES)


def _entry(entries: dict[str, Entry], label: str, kind: str, labels: tuple[str, ...]) -> Entry:
    if label not in labels:
        raise RequestError(f"{label!r} is no {kind} label; the {kind} labels are {', '.join(labels)}.")
    return entries[label]


@cache
def _style_index() -> dict[str, str]:
    index = {plain(published): style for published, style in STYLE_MERGES.items()}
    for style in STYLES:
        index.update({plain(word): style for word in (style, *style_synonyms(style))})
    return index


@cache
def _content_index() -> dict[str, str]:
    return {plain(word): content for content in CONTENTS for word in (content, *content_synonyms(content))}
