"""MP4 and GIF: what a player finds in them, and that nothing half-written is ever left."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from motifmix.drawing.painter import Painter, View
from motifmix.errors import FileError
from motifmix.files.media import write_gif, write_media, write_mp4
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot

SIZE = (96, 80)


def raising_an_arm(seconds: float = 0.5, fps: float = 20.0) -> Motion:
    angle = np.linspace(-1.3, 1.2, round(seconds * fps) + 1)
    rotations = np.tile(rot.IDENTITY, (len(angle), 22, 1))
    rotations[:, MOTIFMIX.index("left_shoulder")] = rot.from_rotvec(np.stack([0 * angle, 0 * angle, angle], axis=-1))
    labels = {"credit": "data by somebody"}
    return Motion(MOTIFMIX, rotations, np.tile([0.0, 0.947, 0.0], (len(angle), 1)), fps, labels)


def top_of_the_blue_hand(picture: np.ndarray) -> int:
    return int(np.nonzero(picture[..., 2].astype(int) - picture[..., 0] > 40)[0].min())


def test_an_mp4_plays_at_30_fps_in_the_format_that_every_player_knows(tmp_path: Path) -> None:
    (path,) = write_media(tmp_path / "arm.mp4", raising_an_arm(), size=(240, 200))
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height, stream.pix_fmt, stream.average_rate) == (240, 200, "yuv420p", 30)
        assert stream.codec_context.name == "h264"
        assert film.metadata["comment"] == "data by somebody"
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
    assert len(pictures) == 16  # half a second, both ends included
    assert top_of_the_blue_hand(pictures[0]) > top_of_the_blue_hand(pictures[8]) > top_of_the_blue_hand(pictures[-1])


def test_another_frame_rate_and_size_may_be_asked_for(tmp_path: Path) -> None:
    (path,) = write_mp4(tmp_path / "arm.mp4", raising_an_arm(), fps=12.0, view=View(width=64, height=64))
    with av.open(str(path)) as film:
        assert film.streams.video[0].average_rate == 12
        assert film.streams.video[0].width == 64
        assert sum(1 for _ in film.decode(video=0)) == 7


def test_a_gif_loops_at_25_fps(tmp_path: Path) -> None:
    (path,) = write_media(tmp_path / "arm.gif", raising_an_arm(), size=SIZE)
    film = Image.open(path)
    assert film.size == SIZE and film.info["loop"] == 0
    assert film.info["comment"] == b"data by somebody"
    durations, tops = [], []
    for number in range(film.n_frames):
        film.seek(number)
        durations.append(film.info["duration"])
        tops.append(top_of_the_blue_hand(np.asarray(film.convert("RGB"))))
    assert sum(durations) == 13 * 40  # 0.5 s at 25 fps: 13 frames; equal neighbours may share one
    assert tops[0] > tops[-1]


def test_a_scene_is_filmed_with_everybody_in_it(tmp_path: Path) -> None:
    one = raising_an_arm(0.1)
    (path,) = write_mp4(tmp_path / "two.mp4", Scene((one, one.moved(np.array([1.2, 0.0, 0.0])))), size=(160, 120))
    with av.open(str(path)) as film:
        picture = next(film.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert ((picture[..., 1] > picture[..., 0] + 6) & (picture[..., 1] > picture[..., 2] + 6)).sum() > 40  # the tint


def test_an_odd_size_or_an_unknown_suffix_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="even"):
        write_mp4(tmp_path / "arm.mp4", raising_an_arm(), size=(95, 80))
    with pytest.raises(FileError, match=r"\.mp4 or \.gif"):
        write_media(tmp_path / "arm.avi", raising_an_arm())


@pytest.mark.parametrize("write", [write_mp4, write_gif])
def test_an_interrupted_film_leaves_nothing_and_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: type[object]
) -> None:
    path = tmp_path / ("arm.mp4" if write is write_mp4 else "arm.gif")
    path.write_text("mine")
    with pytest.raises(FileError, match="exists"):
        write(path, raising_an_arm(), size=SIZE)
    paint, painted = Painter.frame, []

    def stop_after_nine(self: Painter, number: int) -> np.ndarray:
        painted.append(number)
        if len(painted) > 9:
            raise KeyboardInterrupt
        return paint(self, number)

    monkeypatch.setattr(Painter, "frame", stop_after_nine)
    with pytest.raises(KeyboardInterrupt):
        write(path, raising_an_arm(), size=SIZE, force=True)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "mine"
