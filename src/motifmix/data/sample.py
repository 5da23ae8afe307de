"""`Clip`, the line that describes one prepared clip, and `Take`, the same before its motion was read; `Sample`, a clip of
a dataset whose published arrays are read as they are.

A clip is a run of rows in the arrays of a prepared folder (see `prepared.py`). Two roles, as in the paper: clips of
the *style set* carry a content and a style label; clips of the *content set* carry captions and action tags.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

import numpy as np

FPS = 30.0
MIRRORED_SUFFIX = ":mirrored"

Role = Literal["style", "content"]
Split = Literal["train", "test", "dropped"]
TextRule = Literal["whole", "window", "none"]


@dataclass(frozen=True)
class Clip:
    """One prepared clip.

    ``start`` and ``frames`` are rows of the arrays; a mirrored clip (``mirror_of``) shares the rows of its twin and is
    mirrored when it is read. ``text_rule`` says how far a caption reaches: ``whole`` (only when the whole clip is
    seen), ``window`` (any window of at least ``text_seconds``) or ``none``. ``content_mirrored`` is True where
    the mirror image of a content has no label of its own (see ``labels.ContentLabel``). ``contacts`` is False where the person
    stands on something, hangs or swims: no loss on floor or contacts there. ``reason`` says why a clip is dropped.
    """

    id: str
    source: str
    role: Role
    split: Split
    split_group: str
    subject: str
    frames: int
    start: int = 0
    fps: float = FPS
    content: str | None = None
    content_mirrored: bool = False
    style: str | None = None
    captions: tuple[str, ...] = ()
    text_rule: TextRule = "none"
    text_seconds: float = 0.0
    actions: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    partner: str | None = None
    mirror_of: str | None = None
    contacts: bool = True
    whole_take: bool = True
    reason: str | None = None

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.frames / self.fps

    def as_line(self) -> dict[str, Any]:
        """Return what stands in ``clips.jsonl``."""
        return asdict(self)

    @classmethod
    def from_line(cls, line: dict[str, Any]) -> "Clip":
        """Read a line of ``clips.jsonl``; raises ``KeyError`` or ``TypeError`` when it is no such line."""
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in line.items() if k in known}
        return cls(**values)


@dataclass(frozen=True)
class Take:
    """A recording of a dataset as its index describes it: where its file lies, and the clip that it becomes."""

    member: str
    clip: Clip
    span: tuple[int, int] | None = None
    """First frame and end of the clip in the recording's own frames, where the recording holds several clips or more."""
    cuts: bool = False
    """Whether single-frame flips of a joint are looked for and cut out."""
    finds_events: bool = False
    """Whether sitting down and standing up are looked for, to be clips of their own with a text (see ``events.py``)."""


@dataclass(frozen=True)
class Catalogue:
    """Everything that a dataset's reader knows before it reads a motion."""

    dataset: str
    takes: tuple[Take, ...]
    excluded: tuple[tuple[str, str], ...]
    """What was left out, and why: (id, reason)."""
    notes: tuple[str, ...] = ()
    card: dict[str, Any] = field(default_factory=dict)
    up: Literal["y", "z"] = "y"
    units: str = "m"


@dataclass(frozen=True)
class Caption:
    """A sentence with its ``word/TAG`` tokens, where the dataset has them, and the part of the clip that it speaks of.

    ``start`` and ``end`` are seconds; both 0 mean the whole clip.
    """

    text: str
    tokens: tuple[str, ...] = ()
    start: float = 0.0
    end: float = 0.0


@dataclass(frozen=True, eq=False)
class Sample:
    """A clip of a published dataset as its authors' arrays hold it, not normalised: what the papers' models train on.

    ``features`` are float32 ``[T, dim]`` in the named ``space`` for one person, ``[2, T, dim]`` for two. Captions that
    speak of a part of a clip come as samples of their own, cut to it. ``individual_captions`` has one tuple a person.
    ``mirror_of`` names the clip that this one mirrors.
    """

    id: str
    dataset: str
    split: str
    space: str
    features: np.ndarray
    fps: float
    captions: tuple[Caption, ...] = ()
    individual_captions: tuple[tuple[Caption, ...], ...] = ()
    style: str | None = None
    style_number: int | None = None
    content: str | None = None
    mirror_of: str | None = None

    @property
    def frames(self) -> int:
        """Number of rows."""
        return self.features.shape[-2]
