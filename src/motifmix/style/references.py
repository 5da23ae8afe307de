"""What somebody may hand over as a style: words, a motion, a video, a picture, a sound, a folder of files.

A folder stands for the mean of what lies in it.

The style of a video is the movement of the person in it (``pose``: it becomes a motion and is read like one); what else
a video shows, its place and its look, is its ``content``. That, pictures and sounds go through an encoder that
``motifmix align`` has aligned (``style/aligned.py``); until then they are refused.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from motifmix.errors import FileError, RequestError
from motifmix.files.video import VIDEO_SUFFIXES
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion.joint_names import ANIMAL, read_name
from motifmix.style.adopted import is_adopted
from motifmix.style.aligned import By, aligned_folders

if TYPE_CHECKING:
    from motifmix.encoders.joint import Modality


@dataclass(frozen=True)
class Media:
    """A video, a picture, a sound, or a folder of files, and how its style is read.

    ``video_by``: of a video the movement of the person in it (``pose``), or what it shows (``content``). ``content_by``:
    of pictures, sounds and contents the style of the nearest motion (``retrieval``), or the projected embedding itself.
    """

    path: Path
    video_by: Literal["pose", "content"] = "pose"
    content_by: By = "retrieval"

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name


StyleReference = str | Path | Motion | Media
StyleLike = StyleReference | Sequence[tuple[StyleReference, float]]
MOTION_SUFFIXES = (".bvh", ".npz")
PICTURE_SUFFIXES, SOUND_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp"), (".wav", ".flac", ".mp3")
ENCODED_SUFFIXES = PICTURE_SUFFIXES + SOUND_SUFFIXES
MOST_FILES = 256  # of a folder
LEAST_FRAMES, LEAST_SECONDS = 4, 0.2  # one step of the encoder; a movement worth the name takes longer
STILL = 0.01  # metres: where no joint moves as far, seen from the pelvis, in the whole clip, nobody moves
_KINDS = "give words, the path of a file, a Motion or a Media"
# An arm's length to the wrist as a share of a leg's to the ankle: people have 0.57 to 0.65, dogs and horses 0.9 and more.
_MOST_ARM = 0.8


@dataclass(frozen=True)
class WeightedStyle:
    """One ingredient of a style and its share: words, a motion on the motifmix skeleton, or a file to be encoded."""

    words: str | None
    motion: Motion | None
    weight: float
    content: Media | None = None

    @property
    def reference(self) -> "StyleReference":
        """What gives this ingredient again."""
        return next(kind for kind in (self.words, self.motion, self.content) if kind is not None)


def resolve(style: StyleLike) -> list[WeightedStyle]:
    """Return the ingredients with weights that sum to one.

    A string that ends in the suffix of a motion file, a video, a picture or a sound is a file, one with a slash that
    names a folder is the mean of what lies in it. Raises ``RequestError`` for an empty style or folder, weights that do
    not add up to something positive, a video without a person, an animal, a motion below 4 frames or 0.2 s or in which
    nothing moves, and, before ``motifmix align`` has run, a picture or a sound; ``FileError`` for a file that cannot be
    read as one person.
    """
    pairs = _weighted(style)
    if not pairs:
        raise RequestError("the style is empty; give a word, a sentence or a motion file")
    total = sum(weight for _, weight in pairs)
    if any(weight < 0 for _, weight in pairs) or not 0 < total < float("inf"):
        raise RequestError("style weights must be zero or more and not all zero, as in 'old:0.6'")
    return [part for reference, weight in pairs for part in _ingredients(reference, weight / total)]


def _weighted(style: StyleLike) -> list[tuple[StyleReference, float]]:
    """Raise ``RequestError`` for what is no style, nor a list of styles with weights."""
    if isinstance(style, str | Path | Motion | Media):
        return [(style, 1.0)]
    if not isinstance(style, list | tuple):
        raise RequestError(f"a style is not of the type {type(style).__name__}; {_KINDS}")
    for pair in style:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not isinstance(pair[0], str | Path | Motion | Media):
            raise RequestError(f"a blend of styles is a list of pairs, as in [('old', 0.6), ('happy', 0.4)]; {_KINDS}")
        if not isinstance(pair[1], Real) or isinstance(pair[1], bool):
            raise RequestError(f"a style's weight is a number, not of the type {type(pair[1]).__name__}")
    return [(reference, float(weight)) for reference, weight in style]


def _ingredients(reference: StyleReference, weight: float) -> list[WeightedStyle]:
    folder = folder_of(reference)
    if folder is None:
        return [_ingredient(reference, weight)]
    if is_adopted(folder):
        return [WeightedStyle(f"{folder}{os.sep}", None, weight)]
    files, _ = _in_folder(folder)
    how = reference if isinstance(reference, Media) else Media(folder)
    return [_ingredient(replace(how, path=path), weight / len(files)) for path in files]


def folder_of(reference: StyleReference) -> Path | None:
    """Return the folder that a reference names: a path of one, or a text with a slash (``old`` alone is a word)."""
    if isinstance(reference, Media):
        reference = reference.path
    if isinstance(reference, Path):
        return reference if reference.is_dir() else None
    if not isinstance(reference, str) or not any(mark in reference for mark in {"/", os.sep}):
        return None
    try:
        return Path(reference) if Path(reference).is_dir() else None
    except (OSError, ValueError):
        return None


def _in_folder(folder: Path) -> tuple[list[Path], list[str]]:
    """The files in a folder that a style is read from, sorted by name, and the names of what else lies there.

    Pictures and sounds count once ``motifmix align`` has run.
    """
    try:
        present = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise FileError(f"{folder}: this folder cannot be read ({error.strerror})") from None
    suffixes = MOTION_SUFFIXES + VIDEO_SUFFIXES + (ENCODED_SUFFIXES if aligned_folders() else ())
    files = [path for path in present if path.suffix.lower() in suffixes]
    if not files:
        encoded = [path for path in present if path.suffix.lower() in ENCODED_SUFFIXES]
        if encoded:
            check_aligned(encoded[0])
        raise RequestError(
            f"{folder}: no motion and no video lies in this folder; a style is read from {', '.join(suffixes)}"
        )
    if len(files) > MOST_FILES:
        raise RequestError(
            f"{folder}: {len(files)} files are in this folder; a style is the mean of {MOST_FILES} at most"
        )
    return files, [path.name for path in present if path not in files]


def _ingredient(reference: StyleReference, weight: float) -> WeightedStyle:
    if isinstance(reference, Motion):
        return WeightedStyle(None, _as_style(reference, "this motion"), weight)
    media = reference if isinstance(reference, Media) else Media(Path(reference))
    suffix = media.path.suffix.lower()
    if suffix in VIDEO_SUFFIXES and media.video_by == "pose":
        return WeightedStyle(None, _of_video(media.path), weight)
    if modality_of(media.path) is not None:
        check_aligned(media.path)
        return WeightedStyle(None, None, weight, content=media)
    if not isinstance(reference, str) or suffix in MOTION_SUFFIXES:
        return WeightedStyle(None, _read_one(media.path), weight)
    if not reference.strip():
        raise RequestError("the style is empty; give a word, a sentence or a motion file")
    return WeightedStyle(reference.strip(), None, weight)


def is_encoded(style: StyleLike) -> bool:
    """Tell whether an encoder of pictures and sounds has a part in a style; nothing is read but names."""
    for reference, _ in _weighted(style):
        if isinstance(reference, Motion):
            continue
        folder = folder_of(reference)
        if folder is not None and is_adopted(folder):
            continue
        media = reference if isinstance(reference, Media) else Media(Path(reference))
        for path in [media.path] if folder is None else _in_folder(folder)[0]:
            modality = modality_of(path)
            if modality is not None and (modality != "video" or media.video_by == "content"):
                return True
    return False


def modality_of(path: Path) -> "Modality | None":
    """Return as what an encoder reads a file, told by its suffix."""
    suffix = path.suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return "image"
    if suffix in SOUND_SUFFIXES:
        return "sound"
    return "video" if suffix in VIDEO_SUFFIXES else None


def check_aligned(path: Path) -> None:
    """Raise ``RequestError`` for a file that needs an encoder where none is aligned yet.

    What no encoder could read either, a broken picture, sound or video or a silent sound, is said first: ``FileError`` or
    ``RequestError`` of its own, so that nobody fetches gigabytes for it.
    """
    if not aligned_folders():
        _check_readable(path)
        raise RequestError(needs_encoder(path))


def needs_encoder(path: Path) -> str:
    """Say why a picture, a sound or a video's content cannot be a style yet, and what to do about it."""
    from motifmix.encoders.joint import DEFAULT, offer

    modality, wanted = modality_of(path), offer(DEFAULT)
    what = {"sound": "a sound as a style", "video": "what a video shows"}.get(modality or "", "a picture as a style")
    instead = "words, motion files and videos of a person need none"
    if modality == "video":
        instead = "the movement of the person in it needs none: --style-from pose"
    return (
        f"{path}: {what} is read by {wanted.title}, whose weights are not here: "
        f"fetch {wanted.fetch}, and run 'motifmix align --weights FILE' once; {instead}"
    )


def _check_readable(path: Path) -> None:
    modality = modality_of(path)
    if modality == "image":
        from motifmix.encoders.image import read_image

        read_image(path)
    elif modality == "sound":
        from motifmix.encoders.sound import check_heard, read_sound

        check_heard(path, *read_sound(path))
    elif modality == "video":
        from motifmix.files.video import video_frames

        next(video_frames(path))


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
            f"{name} goes on four legs and has an animal's limbs or joints (such as a tail); a style is read from a person"
        )
    try:
        carried = on_training_skeleton(motion)
    except RequestError as error:
        raise RequestError(str(error).replace("this motion", name, 1)) from error
    # A body that slides as a whole has no style either.
    if np.ptp(carried.joints - carried.joints[:, :1], axis=0).max() < STILL:
        raise RequestError(
            f"{name} holds still from its first frame to its last; a style is read from how somebody moves"
        )
    return carried


def is_animal(motion: Motion) -> bool:
    """Tell a four-legged animal whose joints have a person's names, from a person who crawls.

    Its hands are as low as its feet, and a joint is called after an animal's part, or the arms are as long as the legs.
    """
    from motifmix.motion.anatomy import find_joints

    roles = find_joints(motion.skeleton)
    limbs = (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))
    if any(f"{side}_{joint}" not in roles for side in ("left", "right") for limb in limbs for joint in limb):
        return False  # no person in any case: retargeting says what is missing
    (hip, knee, ankle), (shoulder, elbow, wrist) = (
        [motion.joints[:, [roles[f"left_{joint}"], roles[f"right_{joint}"]]] for joint in limb] for limb in limbs
    )
    above = np.median((wrist - ankle)[..., 1].mean(axis=1))
    if above >= 0.4 * np.median((hip - ankle)[..., 1].mean(axis=1)):
        return False
    leg, arm = (
        np.linalg.norm(middle - upper, axis=-1).mean() + np.linalg.norm(lower - middle, axis=-1).mean()
        for upper, middle, lower in ((hip, knee, ankle), (shoulder, elbow, wrist))
    )
    return bool(arm > _MOST_ARM * leg) or any(
        word in ANIMAL for name in motion.skeleton.names for word in read_name(name).words
    )


def notes(style: StyleLike) -> list[str]:
    """Say what was read of each folder and of each video by its movement, in a sentence each."""
    folders = [folder for reference, _ in _weighted(style) if (folder := folder_of(reference)) is not None]
    said = [_of_folder(folder) for folder in folders if not is_adopted(folder)]
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


def _of_video(path: Path) -> Motion:
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _moved(path, changed)


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
