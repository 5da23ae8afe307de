"""The default feature space: what goes in comes out, and a mirror image has mirrored numbers."""

from dataclasses import replace

import numpy as np
import pytest

from motifmix.features.own import MotifmixSpace, heading, mirror_features, rested
from motifmix.features.space import Normaliser
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.skeleton import JOINT_NAMES, Skeleton

SPACE = MotifmixSpace()
STEPS = ("yaw_speed", "root_velocity", "joint_velocities")


def wandering(frames: int = 40, seed: int = 0, fps: float = 20.0) -> Motion:
    """Somebody who walks a curve, turns through more than a circle, and moves every joint, head and hands included."""
    generator = np.random.default_rng(seed)
    pose, change = generator.normal(size=(1, 22, 3)), generator.normal(size=(frames, 22, 3)).cumsum(axis=0)
    rotations = rot.from_rotvec(0.3 * pose + 0.04 * change)
    yaw = 1.0 + np.linspace(0.0, 8.0, frames)
    rotations[:, 0] = rot.multiply(rot.about_y(yaw), rotations[:, 0])
    path = np.cumsum(0.06 * np.stack([np.sin(yaw), np.zeros(frames), np.cos(yaw)], axis=-1), axis=0)
    root = path + np.array([3.0, 0.9, -2.0]) + 0.05 * np.sin(np.arange(frames))[:, None] * np.array([0.0, 1.0, 0.0])
    return Motion(MOTIFMIX, rotations, root, fps)


def from_the_start(motion: Motion) -> Motion:
    """The motion as a decoded one stands: above the origin, heading along +Z at first."""
    turned = motion.turned(-float(heading(motion.joints[:1])[0]))
    return turned.moved(-turned.root[0] * np.array([1.0, 0.0, 1.0]))


@pytest.mark.parametrize("seed", range(3))
def test_a_motion_survives_up_to_where_it_starts_and_looks(seed):
    motion = wandering(seed=seed)
    decoded, expected = SPACE.decode(SPACE.encode(motion)), from_the_start(motion)
    off = np.degrees(rot.angle_between(decoded.rotations, expected.rotations)).max(axis=0)
    assert off.max() < 0.5
    for name in ("head", "left_wrist", "right_wrist", "left_foot", "right_foot"):
        assert off[JOINT_NAMES.index(name)] < 0.5
    assert np.linalg.norm(decoded.joints - expected.joints, axis=-1).max() < 1e-3
    assert (decoded.fps, decoded.frames) == (20.0, motion.frames)


def test_where_a_motion_starts_and_looks_does_not_matter():
    motion = wandering()
    elsewhere = motion.turned(2.0).moved(np.array([5.0, 0.0, -7.0]))
    np.testing.assert_allclose(SPACE.encode(elsewhere), SPACE.encode(motion), atol=1e-4)


def test_mirrored_features_are_those_of_the_mirrored_motion():
    motion = wandering()
    np.testing.assert_allclose(mirror_features(SPACE.encode(motion)), SPACE.encode(motion.mirrored()), atol=2e-5)
    batch = np.stack([SPACE.encode(motion), SPACE.encode(wandering(seed=1))])
    np.testing.assert_array_equal(mirror_features(batch)[1], mirror_features(batch[1]))
    np.testing.assert_array_equal(mirror_features(mirror_features(batch)), batch)


@pytest.mark.parametrize("frames", [1, 2, 37])
def test_every_frame_has_a_row_and_nothing_leads_to_the_first(frames):
    features = SPACE.encode(wandering(frames))
    assert features.shape == (frames, 269) and features.dtype == np.float32
    for name in STEPS:
        assert (features[0, SPACE.blocks[name]] == 0).all()
    assert SPACE.decode(features).frames == frames


def test_other_rates_are_brought_to_twenty():
    assert len(SPACE.encode(wandering(61, fps=30.0))) == 41


def test_the_blocks_cover_all_numbers_once():
    covered = np.zeros(SPACE.dim, dtype=int)
    for block in SPACE.blocks.values():
        covered[block] += 1
    assert SPACE.dim == 269 and (covered == 1).all()


def test_the_numbers_mean_what_their_blocks_say():
    frames = 11
    yaw = 0.05 * np.arange(frames)
    rotations = np.tile(rot.IDENTITY, (frames, 22, 1))
    rotations[:, 0] = rot.about_y(yaw)
    ahead = rot.rotate(rot.about_y(yaw), np.array([0.0, 0.0, 0.1]))
    root = np.array([0.0, 0.92, 0.0]) + np.concatenate([np.zeros((1, 3)), np.cumsum(ahead[:-1], axis=0)])
    features = SPACE.encode(Motion(MOTIFMIX, rotations, root, 20.0))
    blocks = SPACE.blocks
    np.testing.assert_allclose(features[1:, blocks["yaw_speed"]], 0.05, atol=1e-5)  # to the left is positive
    np.testing.assert_allclose(features[1:, blocks["root_velocity"]], [[0.0, 0.1]] * 10, atol=1e-5)
    np.testing.assert_allclose(features[:, blocks["root_height"]], 0.92, atol=1e-6)
    positions = features[:, blocks["joint_positions"]].reshape(frames, 21, 3)
    rest = MOTIFMIX.rest_positions[1:] + np.array([0.0, 0.92, 0.0])
    np.testing.assert_allclose(positions, np.tile(rest, (frames, 1, 1)), atol=1e-5)
    upright = np.tile([1.0, 0, 0, 0, 1, 0], 22)
    np.testing.assert_allclose(features[:, blocks["joint_rotations"]], np.tile(upright, (frames, 1)), atol=1e-5)


def test_standing_feet_touch_the_floor_and_flying_feet_do_not():
    still = Motion(MOTIFMIX, np.tile(rot.IDENTITY, (5, 22, 1)), np.zeros((5, 3)), 20.0).grounded()
    contacts = SPACE.blocks["foot_contacts"]
    assert (SPACE.encode(still)[:, contacts] == 1).all()
    assert (SPACE.encode(still.moved(np.array([0, 0.3, 0])))[:, contacts] == 0).all()


def test_another_skeleton_is_refused():
    other = Skeleton(MOTIFMIX.names, MOTIFMIX.parents, 1.1 * MOTIFMIX.offsets)
    with pytest.raises(ValueError, match="retarget"):
        SPACE.encode(replace(wandering(), skeleton=other))


def test_rest_holds_the_last_pose():
    features = SPACE.encode(wandering(10))
    longer = rested(features, 16)
    np.testing.assert_array_equal(longer[:10], features)
    decoded = SPACE.decode(longer)
    np.testing.assert_allclose(decoded.joints[10:], np.repeat(decoded.joints[9:10], 6, axis=0), atol=1e-9)
    assert len(rested(features, 4)) == 4


def test_a_normaliser_undoes_itself_and_never_divides_by_nothing():
    features = np.concatenate([SPACE.encode(wandering(seed=seed)) for seed in range(2)])
    features[:, SPACE.blocks["foot_contacts"]] = 1.0
    normaliser = Normaliser.fitted(features, SPACE.blocks)
    normalised = normaliser.normalise(features)
    assert np.abs(normalised).max() < 50
    np.testing.assert_allclose(normaliser.restore(normalised), features, atol=1e-4)
    for name, block in SPACE.blocks.items():
        assert len(np.unique(normaliser.std[block])) == 1
        if name != "foot_contacts":
            assert np.sqrt((normalised[:, block] ** 2).mean()) == pytest.approx(1.0, abs=0.01)
