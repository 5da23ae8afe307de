"""What the two sets of Aberman et al. have in common: takes with a style in their names, on the 31-joint CMU skeleton.

A take is a BVH file at 120 fps in the files' own unit; it is read at 30 fps into the content array (``aberman_128``), of
which ``features/aberman.py`` makes styles and contacts. The authors' own ``.npz`` of windows holds Python objects and is
not read; the windows are made here from the takes, as described: 32 frames, every 8.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import numpy as np

from motifmix.data.layout import listed
from motifmix.errors import DataError, MotifmixError
from motifmix.features import aberman
from motifmix.features import cmu_skeleton as cmu
from motifmix.features.space import Normaliser
from motifmix.files.bvh import read_bvh
from motifmix.quirks import Quirk

SOURCE_FPS = 120.0
WINDOW, WINDOW_STEP = 32, 8  # frames at 30 fps
VIEWS = 10  # of each clip, for the statistics of the 2D style


def take_files(folder: Path | str, what: str, usual: str) -> dict[str, Path]:
    """Return the BVH files of a folder by stem, sorted by name, without ``rest.bvh``.

    Raises ``DataError`` for a folder that is not there or holds none, and says where they lie instead.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder; give the folder {usual} of {what}")
    found = {path.stem: path for path in sorted(folder.glob("*.bvh")) if path.name != "rest.bvh"}
    if found:
        return found
    near = (*sorted(path for path in folder.iterdir() if path.is_dir()), folder.resolve().parent)
    elsewhere = next((other for other in near if any(other.glob("*.bvh"))), None)
    if elsewhere is not None:
        raise DataError(f"{folder}: {what} seems to lie in {elsewhere}; give that folder")
    packed = next(iter(sorted(folder.glob("*.npz"))), None)
    hint = f" ({packed.name} holds Python objects, which are not loaded)" if packed else ""
    raise DataError(f"{folder}: holds no BVH files{hint}; give the folder {usual} of {what}")


def refuse_gaps(folder: Path, what: str, kind: str, wanted: Iterable[str], found: Collection[str]) -> None:
    """Raise ``DataError`` that lists the styles or contents without a single take."""
    missing = [name for name in wanted if name not in found]
    if missing:
        raise DataError(f"{folder}: {what} is not complete, no take of the {kind} {listed(missing)}; fetch the rest")


def read_content(path: Path, quirks: Collection[Quirk]) -> np.ndarray:
    """Return a take's content array ``[T, 128]`` float32 at 30 fps.

    Raises ``DataError`` for another skeleton or frame rate and for a take of less than four frames; a damaged file is
    named with its line.
    """
    try:
        motion = read_bvh(path, up="y", units=1.0).people[0]
    except MotifmixError as error:
        raise DataError(f"{error}; fetch the file again") from error
    if motion.skeleton.names != cmu.NAMES or motion.skeleton.parents != cmu.PARENTS:
        raise DataError(f"{path}: has {len(motion.skeleton)} joints that are not the 31 of the CMU skeleton")
    if abs(motion.fps - SOURCE_FPS) > 1.0:
        raise DataError(f"{path}: has {motion.fps:g} frames a second instead of {SOURCE_FPS:g}")
    clip = aberman.clip_of(cmu.in_file_units(motion), aberman.layout(quirks))
    if not len(clip.root):
        raise DataError(f"{path}: has {motion.frames} frames, fewer than four at 30 fps")
    return clip.content.astype(np.float32)


def whole(content: np.ndarray) -> np.ndarray:
    """Lengthen a clip by reflection past the next multiple of 4 frames, as whole clips are published."""
    return cmu.reflected(content, cmu.whole_clip_frames(len(content)))


def xia_windows(content: np.ndarray, frames: int = WINDOW, step: int = WINDOW_STEP) -> Iterator[np.ndarray]:
    """Cut a clip into windows from a quarter of a window before it, while three quarters remain; lengthen short ones."""
    start = -(frames // 4)
    while start < 0 or len(content) - start >= frames * 3 // 4:
        yield cmu.reflected(content[max(start, 0) : start + frames], frames)
        start += step


def inner_windows(content: np.ndarray, frames: int = WINDOW, step: int = WINDOW_STEP) -> Iterator[np.ndarray]:
    """Cut a clip into the windows that fit in it."""
    for start in range(0, len(content) - frames + 1, step):
        yield content[start : start + frames]


def normalisers(
    contents: Iterable[np.ndarray], generator: np.random.Generator, quirks: Collection[Quirk] = ()
) -> dict[str, Normaliser]:
    """Fit ``content``, ``style3d`` and ``style2d`` over all frames; of the last, random views of each clip.

    Deviations of zero become a tiny number, as published.
    """
    how = aberman.layout(quirks)
    pools: dict[str, list[np.ndarray]] = {"content": [], "style3d": [], "style2d": []}
    for content in contents:
        clip = aberman.clip_from_content(content, how)
        pools["content"].append(clip.content)
        pools["style3d"].append(clip.style3d)
        pools["style2d"] += [random_view(clip, generator) for _ in range(VIEWS)]
    fitted = {}
    for name, pool in pools.items():
        frames = np.concatenate(pool)
        fitted[name] = Normaliser(frames.mean(axis=0), aberman.fitted_std(frames.std(axis=0)))
    return fitted


def random_view(clip: aberman.AbermanClip, generator: np.random.Generator) -> np.ndarray:
    """Return a picture ``[T, 42]`` from a yaw and at a scale as drawn in training."""
    yaw = generator.uniform(-aberman.AUGMENTED_YAW, aberman.AUGMENTED_YAW)
    return clip.style2d(np.array([0.0, yaw, 0.0]), generator.uniform(*aberman.AUGMENTED_SCALE))
