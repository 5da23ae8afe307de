"""Moving pictures of the mannequin: MP4 (H.264, yuv420p: plays everywhere) and GIF (loops in a README)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from motifmix.atomic import replacing
from motifmix.drawing.painter import Painter, View
from motifmix.errors import FileError
from motifmix.motion import Motion, Scene, credit_line

MP4_FPS = 30.0
GIF_FPS = 25.0  # a GIF counts hundredths of a second; 4 of them are a true 25 fps, 30 fps it cannot say
MP4_SIZE, GIF_SIZE = (640, 480), (480, 360)
_PALETTE_FRAMES = 6


def write_media(
    path: Path | str,
    scene: Scene | Motion,
    *,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    view: View | None = None,
    force: bool = False,
) -> tuple[Path, ...]:
    """Film a scene, as MP4 or GIF by the suffix of ``path``. Raises ``FileError``.

    ``size`` is width and height in pixels (even numbers for MP4); ``view`` may also turn the camera.
    """
    write = {".mp4": write_mp4, ".gif": write_gif}.get(Path(path).suffix.lower())
    if write is None:
        raise FileError(f"{path}: moving pictures are written as .mp4 or .gif")
    return write(path, scene, fps=fps, size=size, view=view, force=force)


def write_mp4(
    path: Path | str,
    scene: Scene | Motion,
    *,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    view: View | None = None,
    force: bool = False,
) -> tuple[Path, ...]:
    """Film a scene as MP4, 30 fps and 640 x 480 unless told otherwise. Raises ``FileError``."""
    path = Path(path)
    width, height = size or ((view.width, view.height) if view else MP4_SIZE)
    painter = _painter(scene, fps or MP4_FPS, (width, height), view)
    encode_mp4(path, painter.frames(), painter.fps, credit=credit_line(_people(scene)), force=force)
    return (path,)


def encode_mp4(
    path: Path, pictures: Iterator[np.ndarray], fps: float, *, credit: str = "", force: bool = False
) -> None:
    """Encode pictures ``[height, width, 3]`` (bytes, even sizes), as many as there are. Raises ``FileError``."""
    import av

    first = next(pictures)
    height, width = first.shape[:2]
    if width % 2 or height % 2:
        raise FileError(f"{path}: MP4 needs an even width and height, not {width} x {height}")
    with replacing(path, force=force) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        if credit:
            container.metadata["comment"] = credit
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast", "tune": "animation", "movflags": "+faststart"}
        for picture in chain((first,), pictures):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def write_gif(
    path: Path | str,
    scene: Scene | Motion,
    *,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    view: View | None = None,
    force: bool = False,
) -> tuple[Path, ...]:
    """Film a scene as a looping GIF, 25 fps and 480 x 360 unless told otherwise. Raises ``FileError``."""
    path = Path(path)
    painter = _painter(scene, fps or GIF_FPS, size or ((view.width, view.height) if view else GIF_SIZE), view)
    encode_gif(path, painter.frame, painter.frame_count, painter.fps, credit=credit_line(_people(scene)), force=force)
    return (path,)


def encode_gif(
    path: Path,
    frame: Callable[[int], np.ndarray],
    count: int,
    fps: float,
    *,
    credit: str = "",
    force: bool = False,
) -> None:
    """Encode pictures 0 to ``count``, each ``[height, width, 3]`` (bytes), as a looping GIF. Raises ``FileError``."""
    palette = _palette(frame, count)
    pictures = (Image.fromarray(frame(n)).quantize(palette=palette, dither=Image.Dither.NONE) for n in range(count))
    with replacing(path, force=force) as temporary:
        next(pictures).save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=pictures,
            duration=max(round(100 / fps), 2) * 10,
            loop=0,
            comment=credit.encode(),
            disposal=1,
        )


def _painter(scene: Scene | Motion, fps: float, size: tuple[int, int], view: View | None) -> Painter:
    chosen = replace(view or View(), width=size[0], height=size[1])
    return Painter(Scene(tuple(person.resampled(fps) for person in _people(scene))), chosen)


def _palette(frame: Callable[[int], np.ndarray], count: int) -> Image.Image:
    """Choose 256 colours for the whole clip, so that the floor does not flicker."""
    numbers = np.unique(np.rint(np.linspace(0, count - 1, _PALETTE_FRAMES)).astype(int))
    some = np.concatenate([frame(int(number)) for number in numbers])
    return Image.fromarray(some).quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _people(scene: Scene | Motion) -> Sequence[Motion]:
    return (scene,) if isinstance(scene, Motion) else scene.people
