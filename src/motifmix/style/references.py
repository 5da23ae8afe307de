"""What somebody may hand over as a style, and what it is: words, a motion file, a motion in memory, a video.

The style of a video is the movement of the person in it (``pose``: it becomes a motion and is read like one); what else
a video shows, its place and its look, is its ``content``, which needs an encoder of pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from motifmix.errors import RequestError
from motifmix.files.video import VIDEO_SUFFIXES
from motifmix.motion import MOTIFMIX, Motion


@dataclass(frozen=True)
class Video:
    """A video as a style: the movement of the person in it (``pose``) or what it shows (``content``)."""

    path: Path
    by: Literal["pose", "content"] = "pose"

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name


StyleReference = str | Path | Motion | Video
StyleLike = StyleReference | Sequence[tuple[StyleReference, float]]
MOTION_SUFFIXES = (".bvh", ".npz")


@dataclass(frozen=True)
class WeightedStyle:
    """One ingredient of a style: words or a motion on the motifmix skeleton, and its share."""

    words: str | None
    motion: Motion | None
    weight: float


def resolve(style: StyleLike) -> list[WeightedStyle]:
    """Return the ingredients with weights that sum to one.

    A string that ends in the suffix of a motion file or a video is a file. Raises ``RequestError`` for an empty style,
    weights that do not add up to something positive or a video without a person, ``FileError`` for a file that cannot
    be read as one person.
    """
    pairs = [(style, 1.0)] if isinstance(style, str | Path | Motion | Video) else list(style)
    if not pairs:
        raise RequestError("the style is empty; give a word, a sentence or a motion file")
    total = sum(weight for _, weight in pairs)
    if any(weight < 0 for _, weight in pairs) or not 0 < total < float("inf"):
        raise RequestError("style weights must be zero or more and not all zero, as in 'old:0.6'")
    return [_ingredient(reference, weight / total) for reference, weight in pairs]


def _ingredient(reference: StyleReference, weight: float) -> WeightedStyle:
    if isinstance(reference, Motion):
        return WeightedStyle(None, on_training_skeleton(reference), weight)
    if isinstance(reference, Video):
        return WeightedStyle(None, _of_video(reference), weight)
    if Path(reference).suffix.lower() in VIDEO_SUFFIXES:
        return WeightedStyle(None, _of_video(Video(Path(reference))), weight)
    if isinstance(reference, Path) or reference.lower().endswith(MOTION_SUFFIXES):
        return WeightedStyle(None, _read_one(Path(reference)), weight)
    if not reference.strip():
        raise RequestError("the style is empty; give a word, a sentence or a motion file")
    return WeightedStyle(reference.strip(), None, weight)


def _read_one(path: Path) -> Motion:
    from motifmix.files import read

    scene = read(path)
    if len(scene.people) != 1:
        raise RequestError(f"{path}: {len(scene.people)} people are in this file; a style is read from one person")
    return on_training_skeleton(scene.people[0])


def notes(style: StyleLike) -> list[str]:
    """Say what was read of each video in a style, in a sentence each."""
    said = []
    for part in resolve(style):
        if part.motion is not None and (name := part.motion.labels.get("video")):
            said.append(
                f"{name}: the style is the movement of the person in it, {part.motion.seconds:.1f} s of it "
                f"(seen in {part.motion.labels['frames_seen']} of {part.motion.labels['frames_read']} frames)"
            )
    return said


def _of_video(video: Video) -> Motion:
    if video.by == "content":
        raise RequestError(
            f"{video.path}: what a video shows is read by ImageBind, whose weights are not here (they are not free: CC "
            "BY-NC 4.0); the movement of the person in it needs none: --style-from pose"
        )
    try:
        changed = video.path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _moved(video.path, changed)


@lru_cache(maxsize=8)  # a request reads its style twice: for its notes and for its vector
def _moved(path: Path, changed: int) -> Motion:
    from motifmix.encoders.video_pose import motion_from_video

    return motion_from_video(path)


def on_training_skeleton(motion: Motion) -> Motion:
    """Retarget where needed and stand the person on the floor."""
    from motifmix.motion.retargeting import retarget

    if not motion.skeleton.same_as(MOTIFMIX):
        try:
            motion, _ = retarget(motion)
        except ValueError as error:
            raise RequestError(f"this motion cannot serve as a style: {error}") from error
    return motion.grounded()
