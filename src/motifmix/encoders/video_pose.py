"""The movement of a person in a video as a `Motion`: landmarks, smoothed, fitted to the skeleton, walking again.

MediaPipe's world landmarks are centred on the hips: where the person goes is not in them. The path is rebuilt from the
feet: whatever sole point is lowest rests, so the root moves as that point would have to stand still. A camera that
glides, zooms or pans changes nothing of it. What this cannot see: a jump's height (the lowest foot is taken to be on
the floor, always) and sliding feet.

Landmarks are not joints, and depth is guessed: arms come out too straight, somebody seen from behind stands too
upright. `Calibration` takes these constant errors out, joint by joint; ``scripts/calibrate_video_pose.py`` fits it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from motifmix.errors import RequestError, WeightsError
from motifmix.features.own import heading
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.motion import MOTIFMIX, Motion, kinematics
from motifmix.motion import rotations as rot
from motifmix.motion.contacts import RESTING_TOE_HEIGHT
from motifmix.motion.foot_cleanup import cleaned_feet
from motifmix.motion.skeleton import JOINT_NAMES, MIRROR

if TYPE_CHECKING:
    from motifmix.encoders.pose_landmarks import Landmarks

FPS = 20.0
LONGEST = 20.0  # seconds of a video that are read
SHORTEST = 1.0  # seconds that a person must be followed
LARGEST_GAP = 0.3  # seconds without a person that are bridged
SMOOTHING = 0.08  # seconds: deviation of the Gaussian under which parabolas are laid through landmarks
PATH_SMOOTHING = 0.10  # seconds, of the root's speed
SLIPPING = 0.25  # m/s over the floor, at which a sole point is believed by half
STANDING = 0.12  # m/s: what is slower is mostly noise

# MediaPipe's numbers.
_NOSE, _EARS, _SHOULDERS, _ELBOWS, _WRISTS = 0, (7, 8), (11, 12), (13, 14), (15, 16)
_PINKIES, _INDEX_FINGERS, _HIPS, _KNEES, _ANKLES = (17, 18), (19, 20), (23, 24), (25, 26), (27, 28)
_HEELS, _TOES = (29, 30), (31, 32)

_MIRRORED = (0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(i + (1 if i % 2 else -1) for i in range(11, 33)))
_LARGEST_TURN = np.radians(60.0)
_TURNED = 0.01  # metres: what a frame that is turned round costs

_BALANCE = {
    "ears": _EARS, "shoulders": _SHOULDERS, "elbows": _ELBOWS, "wrists": _WRISTS, "hips": _HIPS, "knees": _KNEES,
    "ankles": _ANKLES, "heels": _HEELS, "toes": _TOES,
}  # fmt: skip
_MASS = {"ears": 0.08, "shoulders": 0.275, "hips": 0.35, "elbows": 0.05, "wrists": 0.025, "knees": 0.16, "ankles": 0.06}

# How far parts of the trunk lean, as a share of the lean of the line from hips to shoulders, and at rest (radians): a
# back is curved, which two hips and two shoulders do not show. Means over the style set's training side.
_SPINE = {"pelvis": (0.81, np.radians(-0.5)), "spine3": (1.08, np.radians(9.5))}
_NOSE_DROP = np.radians(-15.0)
_SOLE = ((0.0, -0.0758, -0.05), (0.0, -0.0478 - RESTING_TOE_HEIGHT, 0.1455))  # heel and ball, from the ankle at rest
_NEAR_FLOOR = 0.02  # metres: how much higher another sole point may be before it hardly counts


def motion_from_video(path: Path | str) -> Motion:
    """Return the movement of the most prominent person in a video (20 fps, motifmix skeleton, feet on the floor).

    Reads the first 20 seconds; where the person is lost for long, the longest part is kept. Raises ``RequestError`` for a video of nobody
    or without the extra ``motifmix[video]``, ``FileError`` and ``ParseError`` for a file that is no video.
    """
    from motifmix.encoders.pose_landmarks import PoseReader
    from motifmix.files.video import video_frames

    reader = PoseReader()
    seen = reader.read(video_frames(path, seconds=LONGEST))
    try:
        motion = motion_from_landmarks(seen)
    except ValueError as error:
        raise RequestError(f"{path}: {error}") from None
    return motion.with_labels(
        video=Path(path).name, frames_seen=sum(s is not None for s in seen), frames_read=len(seen)
    )


def motion_from_landmarks(seen: "Sequence[Landmarks | None]", calibration: "Calibration | None" = None) -> Motion:
    """Return the motion of what was seen frame by frame. Raises ``ValueError`` when nobody is followed for a second.

    ``calibration`` is the package's own unless another one is given.
    """
    local = (calibration or packaged_calibration()).applied(rotations_from_landmarks(seen))
    motion = Motion(MOTIFMIX, rot.continuous(local), walked(local, FPS), FPS)
    return cleaned_feet(motion).grounded()


def rotations_from_landmarks(seen: "Sequence[Landmarks | None]") -> np.ndarray:
    """Return local rotations ``[T, 22, 4]`` at 20 fps as the landmarks have them, turned as the camera sees the person.

    Raises ``ValueError`` when nobody is followed for a second.
    """
    followed = longest_run(seen)
    if not followed:
        raise ValueError("no person is seen in this video")
    if followed[-1].time - followed[0].time < SHORTEST:
        raise ValueError(
            f"no person is followed for {SHORTEST:g} s in this video "
            f"(the longest stretch is {followed[-1].time - followed[0].time:.1f} s)"
        )
    points, sure = unflipped(np.stack([s.world for s in followed]))
    visibility = np.stack([s.visibility for s in followed])
    points = smoothed(np.array([s.time for s in followed]), points, visibility * sure[:, None])
    return fitted_rotations(upright(points))


@dataclass(frozen=True, eq=False)
class Calibration:
    """What must be added to each joint's rotation, by the direction from which the person is seen.

    ``weights [22, 3, 3]`` turn (1, cosine and sine of the angle from the camera to where the person faces) into a
    rotation vector that follows the joint's own rotation; the pelvis has none. (To let it depend on the rotation itself as
    well fits the films that it is fitted to better, and others worse.)
    """

    weights: np.ndarray

    def applied(self, local: np.ndarray) -> np.ndarray:
        """Return corrected local rotations ``[T, 22, 4]``; no joint is turned by more than 60 degrees."""
        turn = np.einsum("tf,jfc->tjc", self.views(local), self.weights)
        size = np.linalg.norm(turn, axis=-1, keepdims=True)
        turn = turn * np.minimum(1.0, _LARGEST_TURN / np.maximum(size, 1e-9))
        return rot.multiply(local, rot.from_rotvec(turn))

    @staticmethod
    def views(local: np.ndarray) -> np.ndarray:
        """Return 1, cosine and sine of the direction that a person faces, ``[T, 3]``; 0 is towards the camera."""
        facing = heading(kinematics.forward(MOTIFMIX, local, np.zeros((len(local), 3)))[0])
        return np.stack([np.ones_like(facing), np.cos(facing), np.sin(facing)], axis=-1)

    @classmethod
    def fitted(cls, pairs: Sequence[tuple[np.ndarray, np.ndarray]], ridge: float = 0.02) -> "Calibration":
        """Fit to pairs of rotations from films and the same recorded ones ``[T, 22, 4]``, mirrored twins added."""
        both = [*pairs, *((_mirrored(seen), _mirrored(true)) for seen, true in pairs)]
        views = np.concatenate([cls.views(seen) for seen, _ in both])
        wanted = np.concatenate([rot.to_rotvec(rot.multiply(rot.inverse(seen), true)) for seen, true in both])
        cost = ridge * len(views) * np.diag([1e-3, 1.0, 1.0])
        weights = np.einsum("fg,tg,tjc->jfc", np.linalg.inv(views.T @ views + cost), views, wanted)
        weights[0] = 0.0
        return cls(weights)

    @classmethod
    def none(cls) -> "Calibration":
        """Return the one that changes nothing."""
        return cls(np.zeros((len(JOINT_NAMES), 3, 3)))


@cache
def packaged_calibration() -> Calibration:
    """Return the calibration that ships with the package."""
    path = PACKAGE_WEIGHTS / "pose" / "calibration.json"
    try:
        return Calibration(np.array(json.loads(path.read_text("utf-8"))["weights"]))
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(f"{path}: cannot be read ({error}); install motifmix again") from None


def _mirrored(local: np.ndarray) -> np.ndarray:
    return local[:, list(MIRROR)] * np.array([1.0, -1.0, -1.0, 1.0])


def longest_run(seen: "Sequence[Landmarks | None]") -> "list[Landmarks]":
    """Return the longest stretch in which the person is lost for 0.3 s at most."""
    runs: list[list[Landmarks]] = []
    for one in seen:
        if one is None:
            continue
        if not runs or one.time - runs[-1][-1].time > LARGEST_GAP:
            runs.append([])
        runs[-1].append(one)
    return max(runs, key=lambda run: run[-1].time - run[0].time, default=[])


def unflipped(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Undo sudden swaps of front and back in points ``[F, 33, 3]``, and say how sure each frame is, ``[F]`` in 0 to 1.

    One picture does not always tell whether somebody is seen from the front or from behind: the models then swap left and right and
    turn the depth round. Nobody turns round within a frame, so the path of least movement through both
    readings is taken (Viterbi), with as few frames turned round as it allows. Between two readings a body looks narrow, which
    makes a frame unsure.
    """
    width = np.linalg.norm(points[:, [11, 23]] - points[:, [12, 24]], axis=-1).sum(axis=1)
    sure = np.clip(width / np.percentile(width, 75), 0.05, 1.0) ** 2
    kept = np.flatnonzero(sure >= min(0.5, float(sure.max())))
    both = np.stack([points, points[:, list(_MIRRORED)] * np.array([1.0, 1.0, -1.0])])  # [2, F, 33, 3]
    across = (both[:, :, [11, 23]] - both[:, :, [12, 24]])[:, kept]  # [2, K, 2, 3]
    turned = np.array([0.0, _TURNED])
    cost, came = turned, np.zeros((len(kept), 2), dtype=int)
    for frame in range(1, len(kept)):
        jump = np.linalg.norm(across[:, None, frame] - across[None, :, frame - 1], axis=-1).sum(-1)  # [now, before]
        total = cost[None] + jump
        came[frame] = total.argmin(axis=1)
        cost = total.min(axis=1) + turned
    state = np.zeros(len(kept), dtype=int)
    state[-1] = cost.argmin()
    for frame in range(len(kept) - 1, 0, -1):
        state[frame - 1] = came[frame, state[frame]]
    nearest = np.abs(np.arange(len(points))[:, None] - kept[None]).argmin(axis=1)
    return both[state[nearest], np.arange(len(points))], sure


def smoothed(times: np.ndarray, points: np.ndarray, visibility: np.ndarray, fps: float = FPS) -> np.ndarray:
    """Return points ``[T, N, 3]`` at ``fps`` from points ``[F, N, 3]`` at any times: local parabolas, Gaussian weights.

    A landmark that is hardly visible (``[F, N]``) counts little beside its neighbours in time. Nothing lags behind, as
    it would with a filter that only knows the past.
    """
    wanted = times[0] + np.arange(int((times[-1] - times[0]) * fps + 1e-6) + 1) / fps
    result = np.empty((len(wanted), *points.shape[1:]))
    for frame, moment in enumerate(wanted):
        apart = (times - moment) / SMOOTHING
        near = np.argsort(np.abs(apart))[: max(6, int((np.abs(apart) < 3.5).sum()))]
        powers = apart[near, None] ** np.arange(3)  # [k, 3]
        weight = np.exp(-0.5 * (apart[near] / max(1.0, np.abs(apart[near]).min())) ** 2)[:, None] * (
            0.05 + visibility[near] ** 2
        )  # [k, N]
        normal = np.einsum("kn,ki,kj->nij", weight, powers, powers)
        normal += np.diag([1e-9, 1e-3, 1e-2]) * weight.sum(axis=0)[:, None, None]
        wished = np.einsum("kn,ki,knc->nic", weight, powers, points[near])
        result[frame] = np.linalg.solve(normal, wished)[:, 0]
    return result


def upright(points: np.ndarray) -> np.ndarray:
    """Turn landmarks ``[T, 33, 3]`` so that the person keeps their balance: how the camera is tilted is not known.

    Over a clip the middle of the body's mass stands above the feet, however bent the back is; that line becomes the vertical.
    The models' own error, which leans people who are seen from behind, goes with it.
    """
    at = {name: points[:, list(pair)].mean(axis=1) for name, pair in _BALANCE.items()}
    mass = sum(share * at[name] for name, share in _MASS.items())
    up = (mass - (at["heels"] + at["toes"] + at["ankles"]) / 3).mean(axis=0)
    return rot.rotate(rot.shortest_arc(up, np.array([0.0, 1.0, 0.0])), points)


def fitted_rotations(points: np.ndarray) -> np.ndarray:
    """Return local rotations ``[T, 22, 4]`` of the motifmix skeleton from landmarks ``[T, 33, 3]`` (x right, y up)."""
    hips, shoulders = points[:, list(_HIPS)], points[:, list(_SHOULDERS)]
    up = shoulders.mean(axis=1) - hips.mean(axis=1)
    straight = _frame(shoulders[:, 0] - shoulders[:, 1] + hips[:, 0] - hips[:, 1], up)
    ahead = np.cross(rot.rotate(straight, np.array([1.0, 0.0, 0.0])), np.array([0.0, 1.0, 0.0]))
    lean = np.arctan2((up * ahead).sum(-1) / np.maximum(np.linalg.norm(ahead, axis=-1), 1e-9), up[:, 1])
    trunk = {
        name: rot.multiply(straight, _about_x((share - 1.0) * lean + rest)) for name, (share, rest) in _SPINE.items()
    }
    chest = rot.multiply(_twist(shoulders[:, 0] - shoulders[:, 1], trunk["spine3"]), trunk["spine3"])
    pelvis = rot.multiply(_twist(hips[:, 0] - hips[:, 1], trunk["pelvis"]), trunk["pelvis"])
    head = _head(points)
    world = np.empty((len(points), len(JOINT_NAMES), 4))
    for name, rotation in (
        ("pelvis", pelvis), ("spine1", rot.slerp(pelvis, chest, 0.25)), ("spine2", rot.slerp(pelvis, chest, 0.6)),
        ("spine3", chest), ("left_collar", chest), ("right_collar", chest), ("neck", rot.slerp(chest, head, 0.5)),
        ("head", head),
    ):  # fmt: skip
        world[:, JOINT_NAMES.index(name)] = rotation
    for side, name in enumerate(("left", "right")):
        hand = (points[:, _PINKIES[side]] + points[:, _INDEX_FINGERS[side]]) / 2
        arm = [points[:, _SHOULDERS[side]], points[:, _ELBOWS[side]], points[:, _WRISTS[side]], hand]
        outwards = np.array([1.0 if name == "left" else -1.0, 0.0, 0.0])
        _swing(world, (f"{name}_shoulder", f"{name}_elbow", f"{name}_wrist"), chest, outwards, np.stack(arm))
        leg = [points[:, _HIPS[side]], points[:, _KNEES[side]], points[:, _ANKLES[side]]]
        _swing(world, (f"{name}_hip", f"{name}_knee"), pelvis, np.array([0.0, -1.0, 0.0]), np.stack(leg))
        shin = world[:, JOINT_NAMES.index(f"{name}_knee")]
        sole = points[:, _TOES[side]] - points[:, _HEELS[side]]
        turn = rot.to_rotvec(rot.shortest_arc(rot.rotate(shin, np.array([0.0, 0.0, 1.0])), sole))
        # Feet seen from behind are often read the wrong way round; what no ankle can do is not believed.
        believed = np.clip(2.0 - np.linalg.norm(turn, axis=-1, keepdims=True) / (np.pi / 4), 0.0, 1.0)
        foot = rot.multiply(rot.from_rotvec(believed * turn), shin)
        world[:, JOINT_NAMES.index(f"{name}_ankle")] = world[:, JOINT_NAMES.index(f"{name}_foot")] = foot
    return kinematics.local_rotations(MOTIFMIX, world)


def walked(local: np.ndarray, fps: float) -> np.ndarray:
    """Return the root's path ``[T, 3]`` that keeps the lowest sole point where it is, on the floor at y = 0."""
    still = np.zeros((len(local), 3))
    positions, world = kinematics.forward(MOTIFMIX, local, still)
    ankles = [JOINT_NAMES.index(f"{side}_ankle") for side in ("left", "right")]
    soles = np.stack([positions[:, a] + rot.rotate(world[:, a], np.array(p)) for a in ankles for p in _SOLE], axis=1)
    height = soles[..., 1] - soles[..., 1].min(axis=1, keepdims=True)  # [T, 4]
    resting = np.exp(-height / _NEAR_FLOOR)
    low = resting[1:] * resting[:-1]
    moved = np.diff(soles, axis=0)  # [T - 1, 4, 3]
    weight, step = low, moved[:, 0]
    for _ in range(4):  # a foot that swings low moves against the others: it is believed less each time
        step = -(weight[..., None] * moved).sum(axis=1) / weight.sum(axis=1)[:, None]
        step = _gaussian(step, PATH_SMOOTHING * fps)
        slip = np.linalg.norm((moved + step[:, None])[..., [0, 2]], axis=-1) * fps
        weight = low / (1.0 + (slip / SLIPPING) ** 2) + 1e-9
    speed = np.linalg.norm(step, axis=-1, keepdims=True) * fps
    step = step * speed**2 / (speed**2 + STANDING**2)  # the models' unrest must not make a standing person wander
    path = np.concatenate([still[:1], np.cumsum(step, axis=0)])
    path[:, 1] = _gaussian(-soles[..., 1].min(axis=1)[:, None], 0.05 * fps)[:, 0]
    return path


def _frame(left: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Return the rotation ``[T, 4]`` whose y axis is ``up`` and whose x axis is as near to ``left`` as that allows."""
    y = up / np.maximum(np.linalg.norm(up, axis=-1, keepdims=True), 1e-9)
    x = left - (left * y).sum(-1, keepdims=True) * y
    x = x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)
    return rot.from_matrix(np.stack([x, y, np.cross(x, y)], axis=-1))


def _head(points: np.ndarray) -> np.ndarray:
    """Return the head's rotation ``[T, 4]`` from ears and nose, which lies lower than the ears."""
    ears = points[:, list(_EARS)]
    left, ahead = ears[:, 0] - ears[:, 1], points[:, _NOSE] - ears.mean(axis=1)
    return rot.multiply(_frame(left, np.cross(ahead, left)), _about_x(np.full(len(points), _NOSE_DROP)))


def _twist(left: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Return the turn ``[T, 4]`` that brings a frame's x axis onto ``left``."""
    return rot.shortest_arc(rot.rotate(frame, np.array([1.0, 0.0, 0.0])), left)


def _about_x(angle: np.ndarray) -> np.ndarray:
    """Return rotations that lean ahead by ``angle``."""
    return rot.from_rotvec(np.stack([angle, np.zeros_like(angle), np.zeros_like(angle)], axis=-1))


def _swing(
    world: np.ndarray, joints: tuple[str, ...], parent: np.ndarray, rest: np.ndarray, places: np.ndarray
) -> None:
    """Turn a chain of bones, each at rest along ``rest``, towards the next of ``places [n + 1, T, 3]``."""
    expected = parent
    for number, name in enumerate(joints):
        wanted = places[number + 1] - places[number]
        expected = rot.multiply(rot.shortest_arc(rot.rotate(expected, rest), wanted), expected)
        world[:, JOINT_NAMES.index(name)] = expected


def _gaussian(values: np.ndarray, deviation: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(values, deviation, axis=0, mode="nearest")
