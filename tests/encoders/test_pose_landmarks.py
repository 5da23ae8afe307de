"""The pose models' pre- and post-processing, and the models themselves where LiteRT is installed."""

import hashlib

import numpy as np
import pytest
import yaml

from motifmix.encoders import pose_landmarks as pose
from motifmix.errors import RequestError, WeightsError
from motifmix.files.video import VideoFrame
from motifmix.home import PACKAGE_WEIGHTS


def test_the_anchors_are_those_of_the_published_graph():
    middles = pose.anchors()
    assert middles.shape == (2254, 2)  # 28 x 28 x 2 + 14 x 14 x 2 + 7 x 7 x 6
    assert np.allclose(middles[0], 0.5 / 28) and np.allclose(middles[1], middles[0])
    assert np.allclose(middles[2], [1.5 / 28, 0.5 / 28])  # a row first
    assert np.allclose(middles[1568], 0.5 / 14)
    assert np.allclose(middles[-6:], 6.5 / 7)


def test_boxes_that_overlap_are_averaged_and_others_left_out():
    boxes, scores = np.zeros((2254, 12)), np.full(2254, -9.0)
    for number, shift, score in ((800, 0.0, 2.0), (801, 2.0, 2.0), (5, 0.0, 1.0)):
        boxes[number, :4] = (0, 0, 60, 60)
        boxes[number, 4:] = np.arange(8) + shift
        scores[number] = score
    points, sure = pose.best_detection(boxes, scores)
    expected = (np.arange(8).reshape(4, 2) + 1.0) / 224 + pose.anchors()[800]
    assert np.allclose(points, expected) and sure == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_nobody_is_detected_below_the_threshold():
    assert pose.best_detection(np.zeros((2254, 12)), np.full(2254, -0.1)) is None


@pytest.mark.parametrize(
    ("circle", "angle"), [((50, 10), 0.0), ((90, 50), np.pi / 2), ((50, 90), np.pi), ((10, 50), -np.pi / 2)]
)
def test_the_square_turns_with_the_body(circle, angle):
    roi = pose.roi_from_points(np.array([50.0, 50.0]), np.array(circle, float))
    assert (roi.x, roi.y, roi.side) == (50.0, 50.0, pytest.approx(100.0))
    assert np.allclose(np.exp(1j * roi.angle), np.exp(1j * angle))
    # What is above the middle in the square lies towards the circle's point in the picture.
    x, y = pose.to_picture(np.array([0.0, -40.0]), roi)
    assert np.allclose([x, y], circle)


def test_a_crop_of_the_whole_picture_is_the_picture():
    picture = np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
    cut = pose.crop(picture, pose.Roi(32.0, 32.0, 64.0, 0.0), side=64)
    assert np.allclose(cut, picture / 255.0, atol=1e-6)


def test_a_turned_crop_and_its_edge():
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, 20:] = 255
    turned = pose.crop(picture, pose.Roi(20.0, 20.0, 40.0, np.pi / 2), side=40)
    assert turned[2:15].mean() > 0.95 and turned[25:38].mean() < 0.05  # the right half is now on top
    beyond = pose.crop(picture, pose.Roi(60.0, 20.0, 40.0, 0.0), side=40)
    assert beyond.min() == 1.0  # the edge goes on


def test_a_point_moves_to_the_middle_of_its_heatmap():
    heatmap = np.full((64, 64, 2), -20.0, np.float32)
    heatmap[30, 33, 0] = 20.0
    heatmap[10, 10, 1] = -1.0  # nothing sure: stays
    points = np.array([[31.5 / 64, 31.5 / 64], [10.2 / 64, 10.2 / 64]])
    moved = pose.refined(points, heatmap)
    assert np.allclose(moved[0], [33 / 64, 30 / 64], atol=1e-4) and np.allclose(moved[1], points[1])


def test_the_filter_is_steady_at_rest_and_prompt_in_motion():
    rng, steady = np.random.default_rng(0), pose.OneEuro(0.5, 1.0)
    noisy = [steady(5.0 + 0.1 * rng.normal(size=3), t / 30) for t in range(90)]
    assert np.std(noisy[30:], axis=0).max() < 0.05
    jumped = [steady(np.full(3, 15.0), 3.0 + t / 30) for t in range(10)]
    assert np.abs(jumped[-1] - 15.0).max() < 1.0


def test_the_models_are_the_ones_that_their_card_names():
    folder = PACKAGE_WEIGHTS / "pose"
    card = yaml.safe_load((folder / "card.yaml").read_text("utf-8"))
    for name, checksum in card["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum
    assert "Apache License" in (folder / "LICENSE.txt").read_text("utf-8")


def test_without_the_runtime_the_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(RequestError, match=r"motifmix\[video\]"):
        pose.PoseReader()


def test_an_altered_model_is_refused(tmp_path):
    pytest.importorskip("ai_edge_litert.interpreter", reason="the extra motifmix[video] is not installed")
    (tmp_path / "card.yaml").write_text((PACKAGE_WEIGHTS / "pose" / "card.yaml").read_text("utf-8"))
    (tmp_path / "pose_detection.tflite").write_bytes(b"something else")
    with pytest.raises(WeightsError, match="install motifmix again"):
        pose.PoseReader(tmp_path)


def test_a_drawn_person_is_found_where_they_stand():
    pytest.importorskip("ai_edge_litert.interpreter", reason="the extra motifmix[video] is not installed")
    from motifmix.drawing import mannequin
    from motifmix.drawing.painter import Painter, View
    from motifmix.motion import MOTIFMIX, Motion

    stands = Motion(MOTIFMIX, np.tile([0.0, 0.0, 0.0, 1.0], (3, 22, 1)), np.tile([0.0, 0.947, 0.0], (3, 1)), 20.0)
    painter = Painter(stands, View(360, 480, azimuth=0.0), figure=mannequin.load().dressed())
    frames = [VideoFrame(number / 20.0, painter.frame(number)) for number in range(3)]
    empty = VideoFrame(0.15, np.full((480, 360, 3), 200, np.uint8))
    seen = pose.PoseReader().read([*frames, empty])
    assert [one is not None for one in seen] == [True, True, True, False]
    world = seen[2].world
    assert world[15, 0] > 0.4 and world[16, 0] < -0.4  # the left wrist is at the picture's right
    assert world[[15, 16], 1].min() > 0.2 and world[[27, 28], 1].max() < -0.5  # arms out, feet down
    assert world[0, 2] > 0.0  # the nose points at the camera
