"""A video as a style: which of its sides is read, what is said of it, and what is said when it cannot be."""

from pathlib import Path

import numpy as np
import pytest

from motifmix.apps.requests import checked
from motifmix.encoders import video_pose
from motifmix.errors import FileError, RequestError
from motifmix.files.media import encode_mp4
from motifmix.motion import MOTIFMIX, Motion
from motifmix.pipelines.text_to_motion import style_name
from motifmix.style import references


@pytest.fixture(autouse=True)
def nothing_is_aligned(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def read(monkeypatch):
    """Stand in for the pose models; returns the paths that were read."""
    paths = []

    def motion_from_video(path):
        paths.append(path)
        still = Motion(MOTIFMIX, np.tile([0.0, 0.0, 0.0, 1.0], (40, 22, 1)), np.tile([0.0, 0.947, 0.0], (40, 1)), 20.0)
        return still.with_labels(video=Path(path).name, frames_seen=58, frames_read=60)

    monkeypatch.setattr(video_pose, "motion_from_video", motion_from_video)
    references._moved.cache_clear()
    return paths


@pytest.mark.parametrize("as_text", [True, False])
def test_a_video_is_the_movement_in_it_and_read_once(tmp_path, read, as_text):
    path = tmp_path / "Walk.MP4"
    path.write_bytes(b"")
    style = [(str(path) if as_text else path, 1.0), ("old", 1.0)]
    moved, words = references.resolve(style)
    assert moved.motion is not None and moved.motion.frames == 40 and words.words == "old"
    assert references.notes(style) == [
        "Walk.MP4: the style is the movement of the person in it, 2.0 s of it (seen in 58 of 60 frames)"
    ]
    assert read == [path]


def test_the_content_of_a_video_names_what_it_needs(tmp_path, read):
    encode_mp4(tmp_path / "clip.mp4", iter([np.full((64, 64, 3), 128, np.uint8)] * 3), 10.0)
    with pytest.raises(RequestError, match="ImageBind"):
        references.resolve(references.Media(tmp_path / "clip.mp4", "content"))
    assert read == []


def test_a_request_says_which_side_of_a_video_counts(tmp_path):
    (tmp_path / "clip.webm").write_bytes(b"")
    fields = {"text": "a person walks", "style_folder": tmp_path}
    assert checked(["clip.webm"], **fields).style == tmp_path / "clip.webm"
    content = checked(["clip.webm", "old:0.5"], style_from="content", **fields).style
    assert content == [(references.Media(tmp_path / "clip.webm", "content"), 1.0), ("old", 0.5)]
    assert style_name(content) == "clip.webm:1 + old:0.5"
    with pytest.raises(RequestError, match=r"--style-from takes pose .* or content"):
        checked(["old"], style_from="sound", text="a person walks")


def test_a_video_that_is_not_there(tmp_path):
    with pytest.raises(RequestError, match="does not exist"):
        checked(["clip.mp4"], text="a person walks", style_folder=tmp_path)
    pytest.importorskip("ai_edge_litert.interpreter", reason="the extra motifmix[video] is not installed")
    with pytest.raises(FileError, match="there is no such file"):
        references.resolve(tmp_path / "clip.mp4")
