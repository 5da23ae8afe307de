"""A person's 33 landmarks in a video, by MediaPipe's two pose models (BlazePose, Apache-2.0) under LiteRT.

The detector finds a person in the whole picture and gives two points, the middle of the hips and one on the circle
around the body; they span a turned square. The landmark model reads that square, and says where the landmarks are in it and in
metres about the hips, and where the square for the next frame should be. Only when it loses the person does the detector look again.
Sizes, anchors and thresholds are those of MediaPipe's published graphs (pose_detection_cpu, pose_landmark_cpu); the
code is our own. Bazarevsky et al.: BlazePose: On-device Real-time Body Pose Tracking, 2020.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from motifmix.errors import RequestError, WeightsError
from motifmix.files.video import VideoFrame
from motifmix.home import PACKAGE_WEIGHTS

LANDMARKS = 33
DETECTOR_SIDE, LANDMARK_SIDE = 224, 256
STRIDES = (8, 16, 32, 32, 32)  # one layer of anchors each
DETECTOR_SCORE, PRESENCE, SAME_PERSON = 0.5, 0.5, 0.3
ROI_SCALE = 1.25  # of the circle's bounding square: the margin that the landmark model was trained with
_MIDDLE, _CIRCLE = 33, 34  # the two auxiliary landmarks, which span the next square


@dataclass(frozen=True)
class Roi:
    """A square in a picture: its middle and side in pixels, turned by ``angle`` radians (clockwise on the screen)."""

    x: float
    y: float
    side: float
    angle: float


@dataclass(frozen=True, eq=False)
class Landmarks:
    """What was read of one frame.

    ``world [33, 3]``: metres about the middle of the hips, x to the picture's right, y up, z towards the camera;
    ``picture [33, 2]``: pixels; ``visibility [33]``: 0 to 1; ``time``: seconds; ``height``: of the picture, in pixels.
    """

    time: float
    world: np.ndarray
    picture: np.ndarray
    visibility: np.ndarray
    height: int


def anchors(side: int = DETECTOR_SIDE, strides: tuple[int, ...] = STRIDES) -> np.ndarray:
    """Return the middles of the detector's anchors ``[2254, 2]``, in shares of the picture's side.

    Each layer brings two anchors a cell (one of its own scale, one between it and the next); layers of one stride lie
    in one grid, so their anchors stand side by side.
    """
    middles = []
    for stride in dict.fromkeys(strides):
        cells = -(-side // stride)
        grid = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(grid, grid, indexing="ij")
        middles.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), 2 * strides.count(stride), axis=0))
    return np.concatenate(middles)


def best_detection(boxes: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return the four points ``[4, 2]`` of the surest person, in shares of the detector's picture, and its score.

    ``boxes [2254, 12]`` are the model's numbers: box (middle, size) and four points, in pixels from the anchors;
    ``scores [2254]`` logits. Boxes that overlap the surest one are averaged with it by their scores. None when
    nobody is seen.
    """
    sure = 1.0 / (1.0 + np.exp(-np.clip(scores, -100.0, 100.0)))
    best = int(sure.argmax())
    if sure[best] < DETECTOR_SCORE:
        return None
    kept = np.flatnonzero(sure >= DETECTOR_SCORE)
    middle = boxes[kept, :2] / DETECTOR_SIDE + anchors()[kept]
    half = boxes[kept, 2:4] / DETECTOR_SIDE / 2
    points = boxes[kept, 4:].reshape(-1, 4, 2) / DETECTOR_SIDE + anchors()[kept, None]
    same = _overlaps(middle - half, middle + half, int(np.flatnonzero(kept == best)[0])) > SAME_PERSON
    weight = sure[kept][same]
    return np.einsum("n,nkc->kc", weight, points[same]) / weight.sum(), float(sure[best])


def _overlaps(low: np.ndarray, high: np.ndarray, one: int) -> np.ndarray:
    """Intersection over union of all boxes with box number ``one``."""
    shared = np.prod(np.clip(np.minimum(high, high[one]) - np.maximum(low, low[one]), 0.0, None), axis=1)
    area = np.prod(np.clip(high - low, 0.0, None), axis=1)
    overlap = shared / np.maximum(area + area[one] - shared, 1e-12)
    overlap[one] = 1.0
    return overlap


def roi_from_points(middle: np.ndarray, circle: np.ndarray) -> Roi:
    """Return the square around the circle about ``middle`` through ``circle`` (pixels); the second lies above."""
    x, y = circle - middle
    return Roi(float(middle[0]), float(middle[1]), 2 * ROI_SCALE * float(np.hypot(x, y)), np.pi / 2 - np.arctan2(-y, x))


def crop(picture: np.ndarray, roi: Roi, side: int = LANDMARK_SIDE) -> np.ndarray:
    """Cut the square out of a picture, ``[side, side, 3]`` in 0 to 1; beyond the picture its edge goes on."""
    from PIL import Image

    height, width = picture.shape[:2]
    reach = abs(roi.side) * (abs(np.cos(roi.angle)) + abs(np.sin(roi.angle))) / 2 + 1
    beyond = [(reach - roi.x, roi.x + reach - width), (reach - roi.y, roi.y + reach - height)]
    (left, right), (top, below) = [tuple(max(int(np.ceil(over)), 0) for over in pair) for pair in beyond]
    padded = np.pad(picture, ((top, below), (left, right), (0, 0)), mode="edge")
    step, middle = roi.side / side, side / 2
    cosine, sine = float(np.cos(roi.angle)) * step, float(np.sin(roi.angle)) * step
    affine = (
        cosine, -sine, roi.x + left - (cosine - sine) * middle,
        sine, cosine, roi.y + top - (sine + cosine) * middle,
    )  # fmt: skip
    cut = Image.fromarray(padded).transform((side, side), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR)
    return np.asarray(cut, np.float32) / 255.0


def to_picture(points: np.ndarray, roi: Roi) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y in the picture of ``points [..., 2]`` given in pixels from the square's middle."""
    cosine, sine = np.cos(roi.angle), np.sin(roi.angle)
    x, y = points[..., 0], points[..., 1]
    return roi.x + cosine * x - sine * y, roi.y + sine * x + cosine * y


def refined(points: np.ndarray, heatmap: np.ndarray, kernel: int = 7, least: float = 0.5) -> np.ndarray:
    """Return points ``[N, 2]`` (shares of the square) moved to the middle of their heatmap ``[h, w, N]`` nearby."""
    height, width, _ = heatmap.shape
    moved = points.copy()
    for number, (x, y) in enumerate(points):
        column, row = int(x * width), int(y * height)
        if not (0 <= column < width and 0 <= row < height):
            continue
        reach = (kernel - 1) // 2
        rows = np.arange(max(row - reach, 0), min(row + reach + 1, height))
        columns = np.arange(max(column - reach, 0), min(column + reach + 1, width))
        sure = 1.0 / (1.0 + np.exp(-heatmap[np.ix_(rows, columns)][..., number].astype(np.float64)))
        if sure.max() >= least:
            moved[number] = (sure.sum(0) @ columns / sure.sum() / width, sure.sum(1) @ rows / sure.sum() / height)
    return moved


@dataclass
class OneEuro:
    """The one-euro filter (Casiez et al., 2012): steady when slow, prompt when fast. ``scale`` divides speeds."""

    least_cutoff: float
    beta: float
    speed_cutoff: float = 1.0
    _value: np.ndarray | None = field(default=None, repr=False)
    _speed: np.ndarray | None = field(default=None, repr=False)
    _time: float = field(default=0.0, repr=False)

    def __call__(self, value: np.ndarray, time: float, scale: float = 1.0) -> np.ndarray:
        """Return the smoothed value at ``time`` (seconds, growing)."""
        if self._value is None or self._speed is None:
            self._value, self._speed, self._time = value, np.zeros_like(value), time
            return value
        step = max(time - self._time, 1e-3)
        speed = self._speed + _share(self.speed_cutoff, step) * ((value - self._value) / step / scale - self._speed)
        smooth = self._value + _share(self.least_cutoff + self.beta * np.abs(speed), step) * (value - self._value)
        self._value, self._speed, self._time = smooth, speed, time
        return smooth


def _share(cutoff: Any, step: float) -> Any:
    return 1.0 / (1.0 + 1.0 / (2 * np.pi * cutoff * step))


class PoseReader:
    """The two models. Raises ``RequestError`` when LiteRT is not installed, ``WeightsError`` for altered models."""

    def __init__(self, folder: Path = PACKAGE_WEIGHTS / "pose") -> None:
        self.folder = folder
        self._detector = self._interpreter("pose_detection.tflite")
        self._landmark = self._interpreter("pose_landmark_full.tflite")

    def read(self, frames: Iterable[VideoFrame]) -> list[Landmarks | None]:
        """Return the landmarks of the most prominent person in every frame; None where nobody is seen."""
        found: list[Landmarks | None] = []
        roi, steady = None, OneEuro(0.01, 10.0)
        for frame in frames:
            seen = self._tracked(frame, roi) if roi is not None else None
            if seen is None:
                detected, steady = self.detect(frame.picture), OneEuro(0.01, 10.0)
                seen = self._tracked(frame, detected) if detected is not None else None
            if seen is None:
                found.append(None)
                roi = None
                continue
            landmarks, span = seen
            found.append(landmarks)
            roi = roi_from_points(*steady(span, frame.time, scale=2 * float(np.hypot(*(span[1] - span[0])))))
        return found

    def detect(self, picture: np.ndarray) -> Roi | None:
        """Look for a person in a whole picture."""
        from PIL import Image

        height, width = picture.shape[:2]
        scale = DETECTOR_SIDE / max(height, width)
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        boxed = np.full((DETECTOR_SIDE, DETECTOR_SIDE, 3), -1.0, np.float32)
        left, top = (DETECTOR_SIDE - size[0]) // 2, (DETECTOR_SIDE - size[1]) // 2
        small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR), np.float32)
        boxed[top : top + size[1], left : left + size[0]] = small / 127.5 - 1.0
        boxes, scores = self._detector(boxed[None])
        best = best_detection(boxes[0].astype(np.float64), scores[0, :, 0].astype(np.float64))
        if best is None:
            return None
        points = (best[0] * DETECTOR_SIDE - (left, top)) / scale
        roi = roi_from_points(points[0], points[1])
        return roi if 4.0 < roi.side < 16 * max(height, width) else None

    def _tracked(self, frame: VideoFrame, roi: Roi) -> tuple[Landmarks, np.ndarray] | None:
        """Return the landmarks in a square and the two points that span the next one; None without a person."""
        numbers, presence, heatmap, world = self._landmark(crop(frame.picture, roi)[None])
        if presence.item() < PRESENCE or not (np.isfinite(numbers).all() and np.isfinite(world).all()):
            return None
        rows = numbers.reshape(39, 5).astype(np.float64)
        shares = refined(rows[:, :2] / LANDMARK_SIDE, heatmap[0])
        points = np.stack(to_picture((shares - 0.5) * roi.side, roi), axis=-1)
        span = points[[_MIDDLE, _CIRCLE]]
        if not 2.0 < float(np.hypot(*(span[1] - span[0]))) < 8 * max(frame.picture.shape[:2]):
            return None
        metres = world.reshape(39, 3)[:LANDMARKS].astype(np.float64)
        cosine, sine = np.cos(roi.angle), np.sin(roi.angle)
        x, y = cosine * metres[:, 0] - sine * metres[:, 1], sine * metres[:, 0] + cosine * metres[:, 1]
        visibility = 1.0 / (1.0 + np.exp(-rows[:LANDMARKS, 3]))
        upright = np.stack([x, -y, -metres[:, 2]], axis=-1)
        return Landmarks(frame.time, upright, points[:LANDMARKS], visibility, frame.picture.shape[0]), span

    def _interpreter(self, name: str) -> "_Model":
        try:
            from ai_edge_litert.interpreter import Interpreter  # pyright: ignore[reportMissingImports]
        except ImportError:
            raise RequestError(
                "the movement in a video is read with LiteRT, which is not installed; "
                "install it with: pip install 'motifmix[video]'"
            ) from None
        path = self.folder / name
        try:
            content = path.read_bytes()
        except OSError:
            raise WeightsError(f"{path}: this pose model is missing; install motifmix again") from None
        if hashlib.sha256(content).hexdigest() != self._card["sha256"][name]:
            raise WeightsError(f"{path} is not the file that card.yaml beside it describes; install motifmix again")
        return _Model(Interpreter(model_content=content, num_threads=1))

    @cached_property
    def _card(self) -> dict[str, dict[str, str]]:
        return yaml.safe_load((self.folder / "card.yaml").read_text("utf-8"))


class _Model:
    """An interpreter as a function: the named outputs that are used, in the order that their graph gives them."""

    def __init__(self, interpreter: Any) -> None:
        interpreter.allocate_tensors()
        self._interpreter = interpreter
        self._input = interpreter.get_input_details()[0]["index"]
        outputs = [(detail["index"], tuple(detail["shape"])) for detail in interpreter.get_output_details()]
        self._outputs = [index for index, shape in outputs if shape != (1, 256, 256, 1)]  # the outline is not used

    def __call__(self, value: np.ndarray) -> list[np.ndarray]:
        self._interpreter.set_tensor(self._input, value)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]
