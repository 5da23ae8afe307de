"""Reading videos that come from anywhere."""

import contextlib

import numpy as np
import pytest

from motifmix.errors import FileError, ParseError
from motifmix.files.media import encode_mp4
from motifmix.files.video import video_frames


def pictures(count: int, height: int = 48, width: int = 64):
    for number in range(count):
        picture = np.zeros((height, width, 3), np.uint8)
        picture[:, : 4 + number] = 200
        yield picture


def test_frames_come_with_their_times(tmp_path):
    encode_mp4(tmp_path / "clip.mp4", pictures(20), 10.0)
    frames = list(video_frames(tmp_path / "clip.mp4"))
    assert np.allclose([frame.time for frame in frames], np.arange(20) / 10.0, atol=1e-3)
    assert frames[0].picture.shape == (48, 64, 3)
    assert frames[19].picture[20, 15].mean() > 150 > frames[0].picture[20, 15].mean()


def test_no_more_than_asked_is_read(tmp_path):
    encode_mp4(tmp_path / "clip.mp4", pictures(50, 96, 128), 50.0)
    frames = list(video_frames(tmp_path / "clip.mp4", seconds=0.5, fps=10.0, side=32))
    assert 5 <= len(frames) <= 8
    assert max(frames[0].picture.shape[:2]) == 32
    assert frames[-1].time <= 0.5


@pytest.mark.parametrize(
    "content", [b"", b"not a video", b"\x00\x00\x00\x18ftypmp42" + bytes(400), b"GIF89a" + bytes(9)]
)
def test_what_is_no_video_is_named(tmp_path, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(ParseError, match=r"clip\.mp4: .*(no video|no frames|no moving picture)"):
        list(video_frames(path))


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "none.mp4", tmp_path):
        with pytest.raises(FileError, match="there is no such file"):
            list(video_frames(path))


def test_a_sound_is_no_moving_picture(tmp_path):
    import av

    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(ParseError, match="no moving picture"):
        list(video_frames(path))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_cut_video_ends_or_is_named(tmp_path, share):
    encode_mp4(tmp_path / "clip.mp4", pictures(30), 10.0)
    content = (tmp_path / "clip.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: int(share * len(content))])
    try:
        assert len(list(video_frames(tmp_path / "cut.mp4"))) <= 30
    except ParseError as error:
        assert "cut.mp4" in str(error)


def test_damaged_bytes_never_end_in_anything_else(tmp_path):
    encode_mp4(tmp_path / "clip.mp4", pictures(12), 10.0)
    content = np.frombuffer((tmp_path / "clip.mp4").read_bytes(), np.uint8)
    rng = np.random.default_rng(0)
    for trial in range(30):
        damaged = content.copy()
        damaged[rng.integers(len(content), size=1 + trial)] = rng.integers(256, size=1 + trial)
        path = tmp_path / f"{trial}.mp4"
        path.write_bytes(damaged.tobytes())
        with contextlib.suppress(FileError):
            list(video_frames(path))
