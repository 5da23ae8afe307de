"""Landmarks to motion: balance, swaps of front and back, gaps, and the path that the feet tell."""

import numpy as np
import pytest

from motifmix.encoders import video_pose
from motifmix.encoders.pose_landmarks import Landmarks
from motifmix.errors import RequestError
from motifmix.features.own import heading
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.contacts import foot_contacts

SPEED, STEP_SECONDS = 0.7, 0.5
THIGH, SHIN = 0.39, 0.43


def walker(frames: int = 90, fps: float = 30.0, speed: float = SPEED) -> tuple[np.ndarray, np.ndarray]:
    """Somebody who walks along +Z: 33 points ``[F, 33, 3]`` about the hips, and where the hips are ``[F, 3]``."""
    time = np.arange(frames) / fps
    hips = np.stack([0 * time, np.full(frames, 0.80), speed * time], axis=-1)
    points = np.zeros((frames, 33, 3))
    points[:, 0] = [0, 0.72, 0.12]
    for side, sign in ((0, 1.0), (1, -1.0)):
        points[:, 7 + side] = [0.07 * sign, 0.70, 0.02]
        points[:, 11 + side] = [0.17 * sign, 0.47, 0.0]
        points[:, 13 + side] = [0.20 * sign, 0.22, -0.02]
        points[:, 15 + side] = points[:, 17 + side] = [0.20 * sign, 0.0, 0.06]
        points[:, [17 + side, 19 + side]] = np.array([0.20 * sign, -0.09, 0.09])
        points[:, 23 + side] = [0.1 * sign, 0.0, 0.0]
        turn = time / STEP_SECONDS - side
        steps, phase = np.floor(turn / 2), np.mod(turn, 2.0)  # a foot stands in phase 0 to 1, swings in 1 to 2
        swing = np.clip(phase - 1.0, 0.0, 1.0)
        length = 2 * speed * STEP_SECONDS
        ahead = (steps + side / 2) * length + length * (3 * swing**2 - 2 * swing**3) + 0.25 * length
        ankle = np.stack([np.full(frames, 0.1 * sign), 0.08 + 0.12 * np.sin(np.pi * swing), ahead], axis=-1) - hips
        points[:, 27 + side] = ankle
        leg = ankle - points[:, 23 + side]
        reach = np.linalg.norm(leg, axis=-1, keepdims=True)
        along = (THIGH**2 - SHIN**2 + reach**2) / (2 * reach)
        bend = np.cross([1.0, 0.0, 0.0], -leg / reach) * np.sqrt(np.maximum(THIGH**2 - along**2, 0.0))
        points[:, 25 + side] = points[:, 23 + side] + leg / reach * along + bend
        points[:, 29 + side] = ankle + np.array([0, -0.07, -0.05])
        points[:, 31 + side] = ankle + np.array([0, -0.07, 0.17])
    return points, hips


def seen(points: np.ndarray, fps: float = 30.0) -> list[Landmarks]:
    return [Landmarks(number / fps, one, np.zeros((33, 2)), np.ones(33), 480) for number, one in enumerate(points)]


def exactly(points: np.ndarray) -> Motion:
    """The motion of landmarks that are no pose model's, so that nothing of theirs is to be corrected."""
    return video_pose.motion_from_landmarks(seen(points), video_pose.Calibration.none())


def test_a_walk_goes_where_its_feet_say():
    points, hips = walker()
    motion = exactly(points)
    assert motion.skeleton.same_as(MOTIFMIX) and motion.fps == 20.0
    assert motion.frames == pytest.approx(60, abs=1)
    travelled = motion.root[-1] - motion.root[0]
    assert travelled[2] == pytest.approx(hips[-1, 2] - hips[0, 2], rel=0.12)
    assert abs(travelled[0]) < 0.1
    assert np.abs(np.degrees(heading(motion.joints))).max() < 6
    contacts = foot_contacts(motion)
    assert contacts[:, [1, 3]].max(axis=1).mean() > 0.8  # nearly always a foot rests
    assert motion.joints[..., 1].min() > -0.03


def test_somebody_who_stands_stays_where_they_are():
    points, _ = walker(60, speed=0.0)
    points[:, [27, 28]] = points[:1, [27, 28]]
    shaken = points + 0.006 * np.random.default_rng(0).normal(size=points.shape)
    motion = exactly(shaken)
    assert np.linalg.norm(motion.root - motion.root[0], axis=1).max() < 0.06


def test_a_tilted_camera_changes_nothing():
    points, _ = walker()
    tilted = rot.rotate(rot.from_rotvec(np.array([0.25, 0.0, 0.05])), points)
    plain, other = (exactly(p) for p in (points, tilted))
    assert np.abs(plain.joints - plain.joints[:, :1] - (other.joints - other.joints[:, :1])).max() < 0.02


def test_swaps_of_front_and_back_are_undone():
    points, _ = walker()
    swapped = points.copy()
    mirrored = points[:, list(video_pose._MIRRORED)] * np.array([1.0, 1.0, -1.0])
    swapped[20:35], swapped[60:62] = mirrored[20:35], mirrored[60:62]
    mended, sure = video_pose.unflipped(swapped)
    assert np.abs(mended - points).max() < 1e-9 and sure.min() > 0.5


def test_somebody_who_turns_round_is_left_alone():
    points, _ = walker(60)
    turning = rot.rotate(rot.about_y(np.linspace(0, 2 * np.pi, 60))[:, None], points)
    assert np.array_equal(video_pose.unflipped(turning)[0], turning)


def test_smoothing_takes_noise_out_and_does_not_lag():
    times = np.arange(60) / 30.0
    points = np.stack([np.sin(2 * np.pi * times), times, 0 * times], axis=-1)[:, None]
    noisy = points + 0.02 * np.random.default_rng(0).normal(size=points.shape)
    smooth = video_pose.smoothed(times, noisy, np.ones((60, 1)))[:, 0]
    wanted = np.arange(len(smooth)) / 20.0
    truth = np.stack([np.sin(2 * np.pi * wanted), wanted, 0 * wanted], axis=-1)
    assert np.sqrt(np.mean((smooth - truth)[3:-3] ** 2)) < 0.015


def test_what_is_hidden_for_a_moment_is_bridged_by_what_is_seen():
    times = np.arange(60) / 30.0
    points, visibility = np.zeros((60, 1, 3)), np.ones((60, 1))
    points[28:31], visibility[28:31] = 1.0, 0.0
    assert np.abs(video_pose.smoothed(times, points, visibility)).max() < 0.3


def test_nobody_and_somebody_too_short_are_said():
    with pytest.raises(ValueError, match="no person is seen"):
        video_pose.motion_from_landmarks([None] * 40)
    with pytest.raises(ValueError, match="no person is followed for 1 s"):
        video_pose.motion_from_landmarks(seen(walker(20)[0]))


def test_the_longest_stretch_is_kept():
    points, _ = walker(90)
    known: list = seen(points)
    known[10:30] = [None] * 20
    known[50:55] = [None] * 5
    run = video_pose.longest_run(known)
    assert run[0].time == pytest.approx(1.0) and run[-1].time == pytest.approx(89 / 30)


def test_a_video_of_nobody_is_named(tmp_path):
    pytest.importorskip("ai_edge_litert.interpreter", reason="the extra motifmix[video] is not installed")
    from motifmix.files.media import encode_mp4

    path = tmp_path / "wall.mp4"
    encode_mp4(path, iter([np.full((64, 64, 3), 128, np.uint8)] * 12), 10.0)
    with pytest.raises(RequestError, match=r"wall\.mp4: no person is seen in this video"):
        video_pose.motion_from_video(path)


def test_a_filmed_person_becomes_a_motion(tmp_path):
    pytest.importorskip("ai_edge_litert.interpreter", reason="the extra motifmix[video] is not installed")
    from motifmix.evaluation.filmed import write_film
    from motifmix.motion.skeleton import JOINT_NAMES

    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (16, 22, 1))
    raised = np.stack([np.zeros(16), np.zeros(16), np.linspace(-1.2, 0.9, 16)], axis=-1)
    rotations[:, JOINT_NAMES.index("left_shoulder")] = rot.from_rotvec(raised)
    rotations[:, JOINT_NAMES.index("right_shoulder")] = rot.from_rotvec([0.0, 0.0, 1.2])
    person = Motion(MOTIFMIX, rotations, np.tile([0.0, 0.947, 0.0], (16, 1)), 12.5)
    motion = video_pose.motion_from_video(write_film(tmp_path / "raise.mp4", person, "front"))
    wrist, shoulder = JOINT_NAMES.index("left_wrist"), JOINT_NAMES.index("left_shoulder")
    height = motion.joints[:, wrist, 1] - motion.joints[:, shoulder, 1]
    assert height[0] < -0.3 and height[-1] > 0.2
    assert motion.labels["video"] == "raise.mp4" and motion.labels["frames_seen"] == 16


def test_a_calibration_finds_a_constant_error_and_its_mirror_image():
    rng = np.random.default_rng(0)
    true = rot.from_rotvec(0.3 * rng.normal(size=(200, 22, 3)))
    error = np.zeros((22, 3))
    error[[16, 17]] = [[0.1, 0.2, -0.3], [0.1, -0.2, 0.3]]  # left and right shoulder
    seen_so = rot.multiply(true, rot.from_rotvec(-error))
    fitted = video_pose.Calibration.fitted([(seen_so, true)], ridge=1e-6)
    assert np.degrees(rot.angle_between(fitted.applied(seen_so), true))[:, 1:].max() < 1.0
    assert np.array_equal(video_pose.Calibration.none().applied(true), rot.multiply(true, np.array([0, 0, 0, 1.0])))


def test_no_correction_is_larger_than_sixty_degrees():
    wild = video_pose.Calibration(np.full((22, 3, 3), 9.0))
    local = np.tile([0.0, 0.0, 0.0, 1.0], (4, 22, 1))
    assert np.degrees(rot.angle_between(wild.applied(local), local)).max() < 60.01
