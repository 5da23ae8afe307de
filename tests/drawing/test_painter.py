"""Pictures: who is in them, on which side, and that they are the same every time."""

import numpy as np
import pytest

from motifmix.drawing.painter import Painter, View
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot

SMALL = View(width=160, height=160)


def standing(frames: int = 4, speed: float = 0.0, arms_down: bool = True) -> Motion:
    rotations = np.tile(rot.IDENTITY, (frames, 22, 1))
    if arms_down:
        rotations[:, MOTIFMIX.index("left_shoulder")] = rot.from_rotvec(np.array([0.0, 0.0, -1.3]))
        rotations[:, MOTIFMIX.index("right_shoulder")] = rot.from_rotvec(np.array([0.0, 0.0, 1.3]))
    path = np.stack([np.zeros(frames), np.full(frames, 0.947), speed * np.arange(frames) / 30.0], axis=1)
    return Motion(MOTIFMIX, rotations, path, 30.0)


def limbs(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the blue (left) and the terracotta (right) limbs."""
    red, blue = picture[..., 0].astype(int), picture[..., 2].astype(int)
    return blue - red > 45, red - blue > 45


def test_a_person_seen_from_the_front_has_the_left_arm_on_the_right_of_the_picture() -> None:
    front = View(width=160, height=160, azimuth=0.0)
    left, right = limbs(Painter(standing(), front).frame(0))
    assert left.sum() > 100 and right.sum() > 100
    assert np.nonzero(left)[1].min() > np.nonzero(right)[1].max()
    behind = View(width=160, height=160, azimuth=np.pi)
    left, right = limbs(Painter(standing(), behind).frame(0))
    assert np.nonzero(left)[1].max() < np.nonzero(right)[1].min()


def test_the_same_motion_gives_the_same_bits() -> None:
    motion = standing(speed=1.0)
    first, second = Painter(motion, SMALL), Painter(motion, SMALL)
    assert all((a == b).all() for a, b in zip(first.frames(), second.frames(), strict=True))
    assert (first.frame(2) == second.frame(2)).all()  # in any order


@pytest.mark.parametrize("speed", [0.0, 1.4, 7.0])
def test_the_camera_keeps_the_person_in_view(speed: float) -> None:
    painter = Painter(standing(frames=45, speed=speed, arms_down=False), View(width=200, height=150))
    for picture in painter.frames():
        left, right = limbs(picture)
        both = left | right
        assert not (both[0].any() or both[-1].any() or both[:, 0].any() or both[:, -1].any())
        assert left.sum() > 15 and right.sum() > 15


def test_two_people_are_both_in_view_and_both_told_apart() -> None:
    pair = Scene((standing(), standing().turned(np.pi).moved(np.array([0.0, 0.0, 1.2]))))
    alone = Painter(pair.people[0], SMALL).frame(0)
    together = Painter(pair, SMALL).frame(0).astype(int)
    green = (together[..., 1] > together[..., 0] + 8) & (together[..., 1] > together[..., 2] + 8)
    assert green.sum() > 80  # the second person's tint
    assert not ((alone[..., 1] > alone[..., 0].astype(int) + 8) & (alone[..., 1] > alone[..., 2].astype(int) + 8)).any()


def test_the_floor_moves_under_a_camera_that_follows() -> None:
    walking = Painter(standing(frames=30, speed=2.0), SMALL)
    early, late = walking.frame(5)[-25:, :40], walking.frame(20)[-25:, :40]
    assert (early != late).mean() > 0.05
    still = Painter(standing(frames=30), SMALL)
    assert (still.frame(5) == still.frame(20)).all()


def test_a_person_casts_a_shadow_on_the_floor() -> None:
    view = View(width=160, height=160, elevation=np.radians(35.0))
    near = Painter(standing(), view).frame(0).astype(int)
    lifted = Painter(standing(), view, floor=-30.0).frame(0).astype(int)
    dark = (near.sum(axis=-1) < 500) & (np.ptp(near, axis=-1) < 20)
    assert dark.sum() > 60
    assert ((lifted.sum(axis=-1) < 500) & (np.ptp(lifted, axis=-1) < 20)).sum() < dark.sum() / 2


def test_whoever_is_done_first_holds_the_last_pose() -> None:
    pair = Painter(Scene((standing(frames=3), standing(frames=8).moved(np.array([1.0, 0.0, 0.0])))), SMALL)
    assert pair.frame_count == 8
    assert pair.frame(7).shape == (160, 160, 3)
