"""What a person may ask for: one request object for the command line, for batches and for whatever comes later.

A request is checked as a whole before anything heavy is loaded. ``checked(...)`` builds one from text as people type
it (numbers may come as strings from a table) and raises ``RequestError`` with one sentence that names what was asked
and what is allowed. Nothing here imports numpy or torch.
"""

import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from motifmix.errors import RequestError
from motifmix.pipelines.sampling import check as check_sampling

if TYPE_CHECKING:
    from motifmix.style.references import Media

MAX_TEXT = 1000
MIN_SECONDS, MAX_SECONDS = 1.0, 10.0
MAX_STRENGTH = 2.0
MAX_WEIGHT = 10.0
MAX_COUNT = 100
MIN_FPS, MAX_FPS = 1.0, 240.0
DEFAULT_FPS = 30.0
MAX_SEED = 2**63 - 1

MOTION_FILES = (".bvh", ".npz")
"""Suffixes of motion files that can be a style reference."""
VIDEO_FILES = (".mp4", ".webm", ".mov", ".avi", ".mkv", ".gif")
"""Suffixes of videos of a person that can be one."""
ENCODED_FILES = (".png", ".jpg", ".jpeg", ".webp", ".wav", ".flac", ".mp3")
"""Suffixes of pictures and sounds, which need an encoder that `motifmix align` has aligned."""
STYLE_FILES = MOTION_FILES + VIDEO_FILES + ENCODED_FILES

OF_A_STYLE = ("style_scale", "style_start", "gamma", "block", "gradient")
"""Settings of the sampling that change nothing where there is no style."""
_NO_ACT = {"gradient": 0.0}

# A file of another kind handed over as a style: "photo.jpg" is no sentence.
_LOOKS_LIKE_A_FILE = re.compile(
    r"\.(?:fbx|glb|gltf|usd[acz]?|wmv|flv|m4v|bmp|tiff?|heic|ogg|m4a|c3d|asf|amc|csv|txt)$", re.I
)
_NUMBER = r"(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+))"
# "old:0.5" and "old : 0.5", while "tired: 2" is a sentence with a colon.
_WEIGHT = re.compile(rf"^(?P<reference>.*\S)(?::| : ?){_NUMBER}$", re.S)
_WEIGHT_OF_NOTHING = re.compile(rf"^: ?{_NUMBER}$")
_ENDS_AS_A_WEIGHT = re.compile(r"\S:(?P<weight>[^\s:]*)$")
# Not the end of "old:0.5:10" or "old:2:10", which are two weights.
_ENDS_WITH_A_TIME = re.compile(r"(?:^|[^\d.:]|\d:)\d{1,2}(?::| : ?)\d\d$")
# A path, also with backslashes, where "and/or" are words: "./old", "../old", "/clips/old", "~/old", "C:/old", "clips/../old".
_LOOKS_LIKE_A_PATH = re.compile(r"^(?:\.{0,2}[/\\]|~|[a-z]:[/\\])|[/\\]\.\.(?:[/\\]|$)", re.I)


@dataclass(frozen=True)
class StyleReference:
    """A style as a word, a sentence, a file (motion, video, picture, sound) or a folder of them, with its share."""

    reference: str | Path
    weight: float = 1.0

    @property
    def name(self) -> str:
        """The word or sentence, or the file's name without folder and suffix (``./`` and ``/`` have none of their own)."""
        if not isinstance(self.reference, Path):
            return self.reference
        return self.reference.stem or self.reference.resolve().stem or "folder"

    @classmethod
    def parse(cls, text: str, folder: Path | None = None) -> "StyleReference":
        """Read ``word``, ``sentence`` or ``file``, each with an optional ``:weight`` at its end.

        Only a plain number after the last colon is a weight, which may stand between blanks (``old : 0.5``), so Windows
        paths and sentences with a colon and a blank after it stay whole, and so do times (``at 10:30``); what stands in a
        weight's place and is none is refused, and so are a weight of nothing, two weights and a path without a file. A file is
        looked for beside ``folder`` first, then in the current folder. A text with a slash that names a folder is that
        folder: ``old/``, while ``old`` is the word.
        Raises ``ValueError`` with a sentence.
        """
        text = one_line(text)
        if not text:
            raise ValueError("a style is empty; name one, such as old, or leave --style out")
        if _file(text, folder):
            return cls(_reference(text, folder))
        if _WEIGHT_OF_NOTHING.match(text):
            raise ValueError(f"style {_short(text)!r}: there is no style before the weight; name one, as in old:0.5")
        match = _WEIGHT.match(text)
        if match is None or _ENDS_WITH_A_TIME.search(text):
            reference = _reference(text, folder)
            if not _ENDS_WITH_A_TIME.search(text) and (no_weight := _ENDS_AS_A_WEIGHT.search(text)):
                raise ValueError(
                    f"style {_short(text)!r}: {_short(no_weight['weight'])!r} is no weight; write a number, as in old:0.5, "
                    "or a blank after the colon of a sentence"
                )
            return cls(reference)
        again = match["reference"]
        if not _file(again, folder) and _is_weighted(again):
            raise ValueError(f"style {_short(text)!r}: there are two weights; give one, as in old:0.5")
        weight = float(match["weight"])
        if not 0 < weight <= MAX_WEIGHT:
            raise ValueError(
                f"style {_short(text)!r}: a weight is above 0 and at most {MAX_WEIGHT:g}; {match['weight']} was given"
            )
        return cls(_reference(match["reference"], folder), weight)


class GenerateRequest(BaseModel):
    """One text, its style and how the result should be; ``seconds`` and ``seed`` may be left open."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    text: str
    styles: tuple[StyleReference, ...] = ()
    strength: float = 1.0
    seconds: float | None = None
    seed: int | None = None
    count: int = 1
    fps: float = DEFAULT_FPS
    in_place: bool = False
    raw: bool = False
    sampling: dict[str, float | int] = {}
    style_from: Literal["pose", "content"] = "pose"
    style_by: Literal["retrieval", "projection"] = "retrieval"

    @field_validator("text", mode="before")
    @classmethod
    def _text(cls, value: Any) -> str:
        text = one_line(str(value or ""))
        if not text:
            raise ValueError('the text is empty; describe a motion, such as "a person walks forward"')
        if len(text) > MAX_TEXT:
            raise ValueError(
                f"the text has {len(text):,} characters; at most {MAX_TEXT:,} are read, one sentence is best"
            )
        return text

    @field_validator("seconds", mode="before")
    @classmethod
    def _seconds(cls, value: Any) -> float | None:
        if value is None or value == "":
            return None
        return _number("seconds", value, MIN_SECONDS, MAX_SECONDS, hint="leave it out for a length that suits the text")

    @field_validator("strength", mode="before")
    @classmethod
    def _strength(cls, value: Any) -> float:
        return _number("strength", value, 0.0, MAX_STRENGTH, hint="1 is the style as it was learned")

    @field_validator("fps", mode="before")
    @classmethod
    def _fps(cls, value: Any) -> float:
        return _number("fps", value, MIN_FPS, MAX_FPS, hint="30 is usual")

    @field_validator("count", mode="before")
    @classmethod
    def _count(cls, value: Any) -> int:
        return _whole("count", value, 1, MAX_COUNT, hint="`motifmix batch` makes more")

    @field_validator("seed", mode="before")
    @classmethod
    def _seed(cls, value: Any) -> int | None:
        if value is None or value == "":
            return None
        return _whole("seed", value, 0, MAX_SEED, hint="leave it out for a new motion each time")

    @field_validator("sampling", mode="before")
    @classmethod
    def _sampling(cls, value: Any) -> dict[str, float | int]:
        given = {name: own for name, own in value.items() if own is not None and own != ""}
        return {name: number for name, own in given.items() if (number := check_sampling(name, own)) is not None}

    @field_validator("style_from", mode="before")
    @classmethod
    def _style_from(cls, value: Any) -> str:
        if value not in ("pose", "content"):
            raise ValueError(
                f"--style-from takes pose (how the person in a video moves) or content (what it shows), not {value!r}"
            )
        return value

    @field_validator("style_by", mode="before")
    @classmethod
    def _style_by(cls, value: Any) -> str:
        if value not in ("retrieval", "projection"):
            raise ValueError(
                "--style-by takes retrieval (the nearest motion's style, for pictures, sounds and contents of videos) or "
                f"projection (what they are projected to), not {value!r}"
            )
        return value

    @model_validator(mode="after")
    def _one_style_is_not_too_strong(self) -> "GenerateRequest":
        # Cut to the most without a word, old:10 would be old:2. Shares of a blend are relative, so none is too large.
        if len(self.styles) == 1 and self.strength * self.styles[0].weight > MAX_STRENGTH:
            weight = self.styles[0].weight
            times = "" if self.strength == 1 else f" times the strength {self.strength:g} is {weight * self.strength:g}"
            raise ValueError(
                f"a single style's weight acts as its strength, which goes from 0 to {MAX_STRENGTH:g}; "
                f"{_short(self.styles[0].name)}:{weight:g}{times or ' was asked'}"
            )
        return self

    @property
    def style(self) -> "str | Path | Media | list[tuple[str | Path | Media, float]] | None":
        """The styles as the pipeline takes them: none, one reference, or references with their shares."""
        if not self.styles:
            return None
        if len(self.styles) == 1:
            return self._reference(self.styles[0])
        return [(self._reference(style), style.weight) for style in self.styles]

    def _reference(self, style: StyleReference) -> "str | Path | Media":
        reference = style.reference
        if not isinstance(reference, Path) or (self.style_from == "pose" and self.style_by == "retrieval"):
            return reference
        if reference.suffix.lower() not in VIDEO_FILES + ENCODED_FILES and not reference.is_dir():
            return reference
        from motifmix.style.references import Media

        return Media(reference, self.style_from, self.style_by)

    @property
    def acting_strength(self) -> float:
        """The strength that the pipeline gets: one style alone has no share in a blend, so its weight acts as strength."""
        if len(self.styles) != 1:
            return self.strength
        return self.strength * self.styles[0].weight

    @property
    def style_label(self) -> str:
        """The styles in words, for labels in files: ``old`` or ``old:0.7, happy:0.3``."""
        if len(self.styles) == 1 and self.styles[0].weight == 1:
            return self.styles[0].name
        return ", ".join(f"{style.name}:{style.weight:g}" for style in self.styles)

    def seeds(self) -> list[int]:
        """One seed a take: the given one (or a fresh one) and those after it."""
        first = secrets.randbelow(2**31) if self.seed is None else self.seed
        return [(first + take) % (MAX_SEED + 1) for take in range(self.count)]


def checked(styles: Iterable[str] = (), style_folder: Path | None = None, **fields: Any) -> GenerateRequest:
    """Build a request from what a person typed.

    Raises ``RequestError`` with one sentence for the first mistake, ``FileError`` for a style that is a broken picture or
    sound.
    """
    try:
        references = tuple(StyleReference.parse(style, style_folder) for style in styles)
        return GenerateRequest(styles=references, **fields)
    except ValidationError as error:
        first = error.errors()[0]
        cause = first.get("ctx", {}).get("error")
        place = ".".join(str(part) for part in first["loc"])
        raise RequestError(str(cause) if cause else f"{place}: {first['msg']}") from None
    except ValueError as error:
        raise RequestError(str(error)) from None


def check_acts(asked: GenerateRequest, requests: Iterable[GenerateRequest], where: str = "no --style is given") -> None:
    """Raise ``RequestError`` where an option of ``asked`` acts on styles and ``requests`` have none that it acts on.

    An option at its default was not given. ``where`` says in the sentence that there is no style.
    """
    styles = [style.reference for request in requests for style in request.styles]
    given = [name for name in OF_A_STYLE if asked.sampling.get(name) not in (None, _NO_ACT.get(name))]
    if asked.strength != 1:
        given.insert(0, "strength")
    if given and not styles:
        option = f"--{given[0].replace('_', '-')}"
        raise RequestError(f"{option} belongs to a style, and {where}; name one, or leave {option} out")
    # A folder may hold any kind of file; what lies in it is looked at later.
    kinds = {"folder" if own.is_dir() else own.suffix.lower() for own in styles if isinstance(own, Path)}
    videos = kinds.intersection(("folder", *VIDEO_FILES))
    if asked.style_from != "pose" and not videos:
        raise RequestError(
            f"--style-from {asked.style_from} belongs to videos, and no style is one; hand over a video, or leave "
            "--style-from out"
        )
    encoded = kinds.intersection(("folder", *ENCODED_FILES)) or (videos if asked.style_from == "content" else ())
    if asked.style_by != "retrieval" and not encoded:
        raise RequestError(
            f"--style-by {asked.style_by} belongs to pictures, sounds and, with --style-from content, videos, and no style "
            "is one of these; hand one over, or leave --style-by out"
        )


def one_line(text: str) -> str:
    """Text without line breaks, control characters and doubled blanks; ``ValueError`` for bytes that are no text."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("a text holds bytes that are no letters; type it in UTF-8")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _file(text: str, folder: Path | None) -> Path | None:
    """The existing file or folder that ``text`` names as a style, if there is one."""
    suffix = Path(text).suffix.lower()
    for path in ([folder / text] if folder else []) + [Path(text)]:
        try:
            if suffix in STYLE_FILES and path.is_file():
                return path
            if _has_slash(text) and path.is_dir():
                return path
        except OSError:
            continue
    return None


def _is_weighted(text: str) -> bool:
    weighted = _WEIGHT.match(text) or _WEIGHT_OF_NOTHING.match(text)
    return weighted is not None and not _ENDS_WITH_A_TIME.search(text)


def _has_slash(text: str) -> bool:
    return "/" in text or os.sep in text


def _reference(text: str, folder: Path | None) -> str | Path:
    found = _file(text, folder)
    if found and found.is_file() and found.suffix.lower() in ENCODED_FILES:
        from motifmix.style.references import check_aligned

        check_aligned(found)
    if found:
        return found
    if text.endswith(("/", os.sep)):
        raise ValueError(f"style folder {_short(text)!r} does not exist; check the path, or name a style in words")
    if Path(text).suffix.lower() in STYLE_FILES or _LOOKS_LIKE_A_PATH.search(text):
        _check_there(text, folder)
    if _LOOKS_LIKE_A_FILE.search(text) or _LOOKS_LIKE_A_PATH.search(text):
        raise ValueError(
            f"style file {_short(text)!r} is of a kind that cannot be read; use one of {', '.join(STYLE_FILES)}"
        )
    if not any(letter.isalnum() for letter in text):
        raise ValueError(f"style {_short(text)!r} has no letter; name a style in words, or give a file or a folder/")
    if len(text) > MAX_TEXT:
        raise ValueError(
            f"a style has {len(text):,} characters; at most {MAX_TEXT:,} are read, a word or a sentence is best"
        )
    return text


def _check_there(text: str, folder: Path | None) -> None:
    """Raise ``ValueError`` where no file is, or something else than a file."""
    # os.path answers no where pathlib raises, as for a name that is too long.
    found = next((path for path in ([folder / text] if folder else []) + [Path(text)] if os.path.exists(path)), None)
    if found is None:
        raise ValueError(f"style file {_short(text)!r} does not exist; check the path, or name a style in words")
    if found.is_dir():
        raise ValueError(f"style {_short(text)!r} is a folder; put a slash at its end for the mean of what lies in it")
    if not found.is_file():
        raise ValueError(
            f"style {_short(text)!r} is a pipe or a device, not a file; save what it gives as a file first"
        )


def _number(name: str, value: Any, low: float, high: float, *, hint: str) -> float:
    limits = f"{name} goes from {low:g} to {high:g}"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{limits}; {_short(str(value))!r} is no number") from None
    if not isfinite(number) or not low <= number <= high:
        raise ValueError(f"{limits}; {number:g} was asked ({hint})")
    return number


def _whole(name: str, value: Any, low: int, high: int, *, hint: str) -> int:
    limits = f"{name} is a whole number from {low} to {high}"
    try:
        number = int(str(value).strip())
    except ValueError:
        raise ValueError(f"{limits}; {_short(str(value))!r} was asked ({hint})") from None
    if not low <= number <= high:
        raise ValueError(f"{limits}; {number} was asked ({hint})")
    return number


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
