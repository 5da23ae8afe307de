"""What somebody may hand over as a style: words, a motion file, a motion in memory, a video, a folder of files.

A folder stands for the mean of the motions and videos that lie in it.

The style of a video is the movement of the person in it (``pose``: it becomes a motion and is read like one); what else
a video shows, its place and its look, is its ``content``, which needs an encoder of pictures.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from motifmix.errors import FileError, RequestError
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
PICTURE_SUFFIXES, SOUND_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp"), (".wav", ".flac", ".mp3")
MOST_FILES = 256  # of a folder
LEAST_FRAMES, LEAST_SECONDS = 4, 0.2  # one step of the encoder; a movement worth the name takes longer
IMAGEBIND = (
    "ImageBind, whose weights are not here (imagebind_huge.pth, 4.8 GB, "
    "https://dl.fbaipublicfiles.com/imagebind/imagebind_huge.pth, CC BY-NC 4.0: not for commercial use)"
)
# Parts of animals in names of joints; a dog's rig may call its legs arms.
_ANIMAL = re.compile(r"tail|hind|rear|paw|hoof|snout|front", re.I)


@dataclass(frozen=True)
class WeightedStyle:
    """One ingredient of a style: words or a motion on the motifmix skeleton, and its share."""

    words: str | None
    motion: Motion | None
    weight: float


def resolve(style: StyleLike) -> list[WeightedStyle]:
    """Return the ingredients with weights that sum to one.

    A string that ends in the suffix of a motion file or a video is a file, one with a slash that names a folder is the
    mean of the motions and videos in it. Raises ``RequestError`` for an empty style or folder, weights that do not add
    up to something positive, a video without a person, an animal, a motion below 4 frames or 0.2 s, and a picture or a
    sound; ``FileError`` for a file that cannot be read as one person.
    """
    pairs = [(style, 1.0)] if isinstance(style, str | Path | Motion | Video) else list(style)
    if not pairs:
        raise RequestError("the style is empty; give a word, a sentence or a motion file")
    total = sum(weight for _, weight in pairs)
    if any(weight < 0 for _, weight in pairs) or not 0 < total < float("inf"):
        raise RequestError("style weights must be zero or more and not all zero, as in 'old:0.6'")
    return [part for reference, weight in pairs for part in _ingredients(reference, weight / total)]


def _ingredients(reference: StyleReference, weight: float) -> list[WeightedStyle]:
    folder = folder_of(reference)
    if folder is None:
        return [_ingredient(reference, weight)]
    files, _ = _in_folder(folder)
    return [_ingredient(path, weight / len(files)) for path in files]


def folder_of(reference: StyleReference) -> Path | None:
    """Return the folder that a reference names: a path of one, or a text with a slash (``old`` alone is a word)."""
    if isinstance(reference, Path):
        return reference if reference.is_dir() else None
    if not isinstance(reference, str) or not any(mark in reference for mark in {"/", os.sep}):
        return None
    try:
        return Path(reference) if Path(reference).is_dir() else None
    except (OSError, ValueError):
        return None


def _in_folder(folder: Path) -> tuple[list[Path], list[str]]:
    """The motions and videos in a folder, sorted by name, and the names of what else lies there."""
    try:
        present = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise FileError(f"{folder}: this folder cannot be read ({error.strerror})") from None
    files = [path for path in present if path.suffix.lower() in MOTION_SUFFIXES + VIDEO_SUFFIXES]
    if not files:
        kinds = ", ".join(MOTION_SUFFIXES + VIDEO_SUFFIXES)
        raise RequestError(f"{folder}: no motion and no video lies in this folder; a style is read from {kinds}")
    if len(files) > MOST_FILES:
        raise RequestError(
            f"{folder}: {len(files)} motions are in this folder; a style is the mean of {MOST_FILES} at most"
        )
    return files, [path.name for path in present if path not in files]


def _ingredient(reference: StyleReference, weight: float) -> WeightedStyle:
    if isinstance(reference, Motion):
        return WeightedStyle(None, _as_style(reference, "this motion"), weight)
    if isinstance(reference, Video):
        return WeightedStyle(None, _of_video(reference), weight)
    suffix = Path(reference).suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return WeightedStyle(None, _of_video(Video(Path(reference))), weight)
    if suffix in PICTURE_SUFFIXES + SOUND_SUFFIXES:
        raise RequestError(needs_imagebind(Path(reference)))
    if isinstance(reference, Path) or suffix in MOTION_SUFFIXES:
        return WeightedStyle(None, _read_one(Path(reference)), weight)
    if not reference.strip():
        raise RequestError("the style is empty; give a word, a sentence or a motion file")
    return WeightedStyle(reference.strip(), None, weight)


def needs_imagebind(path: Path) -> str:
    """Say why a picture or a sound cannot be a style here, and whether the picture could be read at all."""
    if path.suffix.lower() in SOUND_SUFFIXES:
        return (
            f"{path}: a sound as a style is read by {IMAGEBIND}; words, motion files and videos of a person need none"
        )
    from PIL import Image

    broken = ""
    try:
        with Image.open(path) as picture:
            picture.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        broken = "this picture cannot be read; and "
    return f"{path}: {broken}a picture as a style is read by {IMAGEBIND}; words, motion files and videos of a person need none"


def _read_one(path: Path) -> Motion:
    from motifmix.files import read

    scene = read(path)
    if len(scene.people) != 1:
        raise RequestError(f"{path}: {len(scene.people)} people are in this file; a style is read from one person")
    return _as_style(scene.people[0], str(path))


def _as_style(motion: Motion, name: str) -> Motion:
    """Carry a motion that can be a style to our skeleton; ``name`` is what an error calls it."""
    if motion.frames < LEAST_FRAMES or motion.seconds < LEAST_SECONDS:
        count = "1 frame" if motion.frames == 1 else f"{motion.frames} frames"
        raise RequestError(
            f"{name} has {count} ({motion.seconds:.2f} s); a style is read from {LEAST_FRAMES} frames and "
            f"{LEAST_SECONDS:g} s on, and better from some seconds"
        )
    if is_animal(motion):
        raise RequestError(
            f"{name} goes on four legs and has an animal's joints (such as a tail); a style is read from a person"
        )
    try:
        return on_training_skeleton(motion)
    except RequestError as error:
        raise RequestError(str(error).replace("this motion", name, 1)) from error


def is_animal(motion: Motion) -> bool:
    """Tell a four-legged animal whose joints have a person's names: an animal's part, and hands as low as feet."""
    if not any(_ANIMAL.search(joint) for joint in motion.skeleton.names):
        return False
    from motifmix.motion.anatomy import find_joints

    roles = find_joints(motion.skeleton)
    if any(f"{side}_{joint}" not in roles for side in ("left", "right") for joint in ("hip", "ankle", "wrist")):
        return False  # no person in any case: retargeting says what is missing
    height = {
        name: motion.joints[:, [roles[f"left_{name}"], roles[f"right_{name}"]], 1].mean(axis=1)
        for name in ("hip", "ankle", "wrist")
    }
    leg = np.median(height["hip"] - height["ankle"])
    return bool(np.median(height["wrist"] - height["ankle"]) < 0.4 * leg)


def notes(style: StyleLike) -> list[str]:
    """Say what was read of each folder and video in a style, in a sentence each."""
    pairs = [(style, 1.0)] if isinstance(style, str | Path | Motion | Video) else style
    said = [_of_folder(folder) for reference, _ in pairs if (folder := folder_of(reference)) is not None]
    for part in resolve(style):
        if part.motion is not None and (name := part.motion.labels.get("video")):
            said.append(
                f"{name}: the style is the movement of the person in it, {part.motion.seconds:.1f} s of it "
                f"(seen in {part.motion.labels['frames_seen']} of {part.motion.labels['frames_read']} frames)"
            )
    return said


def _of_folder(folder: Path) -> str:
    files, others = _in_folder(folder)
    line = f"{folder}: the style is the mean of {len(files)} files"
    return f"{line}; left out: {', '.join(others[:5])}{', ...' if len(others) > 5 else ''}" if others else line


def _of_video(video: Video) -> Motion:
    if video.by == "content":
        raise RequestError(
            f"{video.path}: what a video shows is read by {IMAGEBIND}; the movement of the person in it needs none: "
            "--style-from pose"
        )
    try:
        changed = video.path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _moved(video.path, changed)


@lru_cache(maxsize=64)  # a request reads its style twice: for its notes and for its vector
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
