"""Clips filmed and read again: what a pose model makes of a person who is drawn, beside the recording itself.

The mannequin is drawn in clothes (`Mannequin.dressed`) on a plain floor, 360 x 480 pixels at 12.5 frames a second, as
H.264, from the front, both sides and the back; the camera stands 12 degrees above the middle and glides along. Reading a film takes
seconds, so what was read is kept.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.encoders.pose_landmarks import Landmarks, PoseReader
from motifmix.motion import Motion

VIEWS = {"front": 0.0, "left": 90.0, "right": -90.0, "back": 180.0}  # degrees: the side that the camera sees
FPS, SECONDS = 12.5, 3.2


@dataclass(frozen=True)
class Camera:
    """Pixels across and up, frames a second, and by how many degrees the camera stands above the person's middle."""

    size: tuple[int, int] = (360, 480)
    fps: float = FPS
    above: float = 12.0


ANOTHER, BESIDE = Camera((240, 320), 25.0, 25.0), 40.0
"""A camera that no encoder learned from, and the degrees from which it films."""


@dataclass(frozen=True)
class Filmed:
    """One film: the clip, from where it was filmed, what was read of it, and the recording for as long."""

    clip: Clip
    view: str | float
    seen: Sequence[Landmarks | None]
    truth: Motion


class Filming:
    """Films clips of a prepared set, or finds what was read of them before in ``cache``."""

    def __init__(self, prepared: Prepared, cache: Path, camera: Camera | None = None) -> None:
        self.prepared, self.cache, self.camera = prepared, cache, camera or Camera()

    def film(self, clip: Clip, view: str | float, first: int = 0) -> Filmed:
        """Film the first seconds of a clip and read the landmarks, at once or from the cache.

        ``view``: one of ``VIEWS``, or degrees; ``first``: the frame of the camera's rate at which it begins, moved forward where less
        would be left than fills the film.
        """
        path, fps = self.path(clip, view, first), self.camera.fps
        motion = self.prepared.motion(clip).resampled(fps)
        frames = min(motion.frames, int(SECONDS * fps))
        first = max(0, min(first, motion.frames - frames))
        motion = motion.cropped(first, first + frames)
        if not path.exists():
            write_landmarks(path, self._read(motion, view))
        truth = self.prepared.motion(clip).resampled(20.0).grounded()
        start = round(first / fps * 20.0)
        return Filmed(clip, view, read_landmarks(path), truth.cropped(start, start + int(motion.seconds * 20.0)))

    def path(self, clip: Clip, view: str | float, first: int = 0) -> Path:
        """Return where the landmarks of a film are kept."""
        said = view if isinstance(view, str) else f"{view:+.1f}"
        stamp = "_".join([clip.id.replace("/", "_").replace(":", "_"), said, *([str(first)] if first else [])])
        return self.cache / f"{stamp}.npz"

    def _read(self, motion: Motion, view: str | float) -> list[Landmarks | None]:
        from motifmix.files.video import video_frames

        with tempfile.TemporaryDirectory() as folder:
            video = write_film(Path(folder) / "clip.mp4", motion, view, self.camera)
            return self._reader.read(video_frames(video))

    @cached_property
    def _reader(self) -> PoseReader:
        return PoseReader()


def write_film(path: Path, motion: Motion, view: str | float, camera: Camera | None = None) -> Path:
    """Film a motion at its own frame rate from one of ``VIEWS``, or from some degrees, the mannequin in clothes."""
    from motifmix.drawing import mannequin
    from motifmix.drawing.painter import Painter, View
    from motifmix.files.media import encode_mp4

    camera, degrees = camera or Camera(), VIEWS[view] if isinstance(view, str) else view
    seen = View(*camera.size, azimuth=np.radians(degrees), elevation=np.radians(camera.above))
    encode_mp4(path, Painter(motion, seen, figure=mannequin.load().dressed()).frames(), motion.fps, force=True)
    return path


def chosen_clips(prepared: Prepared, split: str, per_style: int, seed: int, source: str = "bandai-2") -> list[Clip]:
    """Draw as many clips of set 2, or of another ``source``, for each style, mirrored twins left out."""
    rng = np.random.default_rng(seed)
    by_style: dict[str, list[Clip]] = {}
    for clip in prepared.select(split=split, source=source, mirrored=False):
        by_style.setdefault(str(clip.style), []).append(clip)
    return [clips[i] for _, clips in sorted(by_style.items()) for i in rng.permutation(len(clips))[:per_style]]


def write_landmarks(path: Path, seen: Sequence[Landmarks | None]) -> None:
    """Keep landmarks, the frames without a person too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = [one for one in seen if one is not None]
    beside = path.with_name(f".{path.name}.part.npz")
    np.savez_compressed(
        beside,
        seen=np.array([one is not None for one in seen]),
        time=np.array([one.time for one in known]),
        height=np.array([one.height for one in known]),
        world=np.array([one.world for one in known], np.float32).reshape(-1, 33, 3),
        picture=np.array([one.picture for one in known], np.float32).reshape(-1, 33, 2),
        visibility=np.array([one.visibility for one in known], np.float32).reshape(-1, 33),
    )
    beside.replace(path)


def read_landmarks(path: Path) -> list[Landmarks | None]:
    """Return what :func:`write_landmarks` kept."""
    with np.load(path) as kept:
        arrays = {name: kept[name] for name in kept.files}
    rows = iter(
        [
            Landmarks(float(t), w.astype(np.float64), p.astype(np.float64), v.astype(np.float64), int(h))
            for t, w, p, v, h in zip(
                *(arrays[name] for name in ("time", "world", "picture", "visibility", "height")), strict=True
            )
        ]
    )
    return [next(rows) if there else None for there in arrays["seen"]]
