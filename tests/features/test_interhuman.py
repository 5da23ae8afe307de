import numpy as np
import pytest

from motifmix.errors import RequestError
from motifmix.features import interhuman
from motifmix.features.interhuman import BLOCKS, InterHumanSpace
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot
from motifmix.motion.contacts import RESTING_TOE_HEIGHT
from motifmix.motion.inverse_kinematics import AMASS_BODY, motion_from_joints
from motifmix.motion.retargeting import leg_length, retarget
from motifmix.motion.skeleton import JOINT_NAMES

SPACE = InterHumanSpace()


def wander(frames: int = 60, fps: float = 30.0, seed: int = 0) -> Motion:
    """A person who walks a curve with all joints in slow motion; sampled from functions of time, at any rate."""
    generator = np.random.default_rng(seed)
    time = np.arange(frames) / fps
    speed, phase = generator.uniform(1.0, 4.0, (22, 3)), generator.uniform(0.0, 6.3, (22, 3))
    rotations = rot.from_rotvec(0.4 * np.sin(speed * time[:, None, None] + phase))
    rotations[:, 0] = rot.multiply(rot.about_y(0.8 * time + 0.3 + seed), rotations[:, 0])
    root = np.stack([2.0 * seed + 0.4 * np.sin(0.8 * time), 0.95 + 0.03 * np.sin(4 * time), 0.9 * time], axis=-1)
    return Motion(MOTIFMIX, rotations, root, fps)


def stored(frames: int = 12, seed: int = 0) -> np.ndarray:
    """Columns as on disk, cut to what is used, Z up."""
    motion = wander(frames, seed=seed)
    joints = motion.joints[..., [0, 2, 1]] * [1.0, -1.0, 1.0]
    rotations = interhuman.interleaved_columns(motion.rotations[:, 1:])
    return np.concatenate([joints.reshape(frames, -1), rotations.reshape(frames, -1)], axis=-1)


def test_blocks_fill_the_vector_without_gaps():
    blocks = list(BLOCKS.values())
    assert [block.start for block in blocks] == [0, *(block.stop for block in blocks[:-1])]
    assert blocks[-1].stop == SPACE.dim == 262


def test_every_rotation_survives_head_and_wrists_included():
    motion = wander()
    decoded = SPACE.decode(SPACE.encode(motion))
    assert decoded.skeleton is MOTIFMIX and decoded.frames == motion.frames - 1
    error = np.degrees(rot.angle_between(decoded.rotations[:, 1:], motion.rotations[:-1, 1:]))
    assert error.max() < 0.01
    # The pelvis is read from hips and spine; its heading starts at +Z in terms of the published facing.
    turn = rot.multiply(decoded.rotations[:, 0], rot.inverse(motion.rotations[:-1, 0]))
    assert np.degrees(rot.angle_between(turn, turn[:1])).max() < 0.01


def test_the_path_survives_and_stands_on_the_floor():
    motion = wander()
    decoded = SPACE.decode(SPACE.encode(motion))
    turn = rot.multiply(decoded.rotations[0, 0], rot.inverse(motion.rotations[0, 0]))
    expected = rot.rotate(turn, motion.joints[:-1] - motion.root[0])
    found = decoded.joints - decoded.root[0]
    assert np.abs(found - expected).max() < 1e-4
    assert decoded.joints[..., 1].min() == pytest.approx(RESTING_TOE_HEIGHT, abs=0.03)


def test_a_published_body_becomes_ours():
    person = retarget(wander(), AMASS_BODY)[0]
    for guess in (person.rotations, None):
        found = motion_from_joints(person.joints, 30.0, guess)
        knees = [JOINT_NAMES.index(f"{side}_knee") for side in ("left", "right")]
        ankles = [JOINT_NAMES.index(f"{side}_ankle") for side in ("left", "right")]
        shins = [joints[:, ankles] - joints[:, knees] for joints in (found.joints, person.joints)]
        ours, theirs = (shin / np.linalg.norm(shin, axis=-1, keepdims=True) for shin in shins)
        assert np.degrees(np.arccos(np.clip((ours * theirs).sum(-1), -1, 1))).max() < 0.5
        scale = leg_length(MOTIFMIX) / leg_length(AMASS_BODY)
        assert np.abs(np.diff(found.root, axis=0) - scale * np.diff(person.root, axis=0)).max() < 0.01


def test_two_people_keep_their_places():
    first, second = wander(seed=0), wander(seed=1)
    encoded = SPACE.encode_pair(Scene((first, second)))
    decoded = SPACE.decode_pair(*encoded)
    before = np.linalg.norm((second.root - first.root)[:-1, [0, 2]], axis=-1)
    after = np.linalg.norm((decoded.people[1].root - decoded.people[0].root)[:, [0, 2]], axis=-1)
    assert np.abs(before - after).max() < 1e-3
    error = rot.angle_between(decoded.people[1].rotations[:, 1:], second.rotations[:-1, 1:])
    assert np.degrees(error).max() < 0.01
    pairs = ((first, second), decoded.people)
    between = [rot.multiply(rot.inverse(a.rotations[0, 0]), b.rotations[0, 0]) for a, b in pairs]
    assert np.degrees(rot.angle_between(*between)) < 0.05
    with pytest.raises(ValueError, match="two people"):
        SPACE.encode_pair(Scene((first,)))


def test_placing_moves_positions_and_only_turns_velocities():
    features = SPACE.encode(wander())
    placed = interhuman.place(features, np.array([0.4, 1.0, -2.0]))
    steps = np.diff(interhuman.joint_positions(placed), axis=0)
    velocities = placed[:-1, BLOCKS["joint_velocities"]].reshape(steps.shape)
    np.testing.assert_allclose(velocities, steps, atol=1e-6)
    for block in ("joint_rotations", "foot_contacts"):
        np.testing.assert_array_equal(placed[:, BLOCKS[block]], features[:, BLOCKS[block]])


def test_mirroring_is_that_of_a_motion():
    motion = wander(20)
    rotations = interhuman.interleaved_columns(motion.rotations[:, 1:]).reshape(20, -1)
    loaded = np.concatenate([motion.joints.reshape(20, -1), rotations], axis=-1)
    mirrored, expected = interhuman.mirror_person(loaded), motion.mirrored()
    np.testing.assert_allclose(mirrored[:, :66].reshape(20, 22, 3), expected.joints, atol=1e-9)
    np.testing.assert_allclose(
        mirrored[:, 66:], interhuman.interleaved_columns(expected.rotations[:, 1:]).reshape(20, -1), atol=1e-9
    )
    np.testing.assert_array_equal(interhuman.mirror_person(mirrored), loaded)


def test_rotations_are_two_interleaved_columns():
    rotations = wander().rotations
    six = interhuman.interleaved_columns(rotations)
    matrix = rot.to_matrix(rotations)
    np.testing.assert_array_equal(six[..., [0, 2, 4]], matrix[..., :, 0])
    features = np.zeros((len(six), 262))
    features[:, BLOCKS["joint_rotations"]] = six[:, 1:].reshape(len(six), -1)
    assert rot.angle_between(interhuman.joint_rotations(features), rotations[:, 1:]).max() < 1e-6


def test_axes_are_a_matter_of_reading():
    z_up = stored()
    joints = z_up[:, :66].reshape(-1, 22, 3)[..., [0, 2, 1]] * [1.0, 1.0, -1.0]
    y_up = np.concatenate([joints.reshape(len(z_up), -1), z_up[:, 66:]], axis=-1)
    a, b = interhuman.extract_person(z_up), interhuman.extract_person(y_up, up_axis="y")
    np.testing.assert_allclose(a.features, b.features, atol=1e-12)


def test_any_frame_rate_is_encoded_at_30():
    features = [SPACE.encode(wander(int(2 * fps) + 1, fps)) for fps in (30.0, 60.0, 120.0)]
    for found in features:
        assert found.shape == (60, 262) and found.dtype == np.float32
        np.testing.assert_allclose(found, features[0], atol=1e-5)


def test_joints_alone_can_be_encoded():
    joints = wander().joints
    features = SPACE.from_joints(joints)
    assert features.shape == (59, 262)
    bare = SPACE.to_joints(features)[:, 4] - SPACE.to_joints(features)[:, 1]
    thigh = joints[:-1, 4] - joints[:-1, 1]
    np.testing.assert_allclose(
        bare[:, 1] / np.linalg.norm(bare, axis=-1), thigh[:, 1] / np.linalg.norm(thigh, axis=-1), atol=1e-3
    )


def test_toes_rest_where_contacts_say_so_but_for_a_single_frame():
    features = np.zeros((8, 262))
    contacts = features[:, BLOCKS["foot_contacts"]]  # left ankle and toes, right ankle and toes
    contacts[:, 0], contacts[:4, 1], contacts[:, 3] = 1.0, 0.9, 1.0
    contacts[1, 1], contacts[6, 3], contacts[6, 1] = 0.2, 0.3, 0.8
    left, right = InterHumanSpace().resting(features).T
    assert left.tolist() == [True] * 4 + [False] * 4 and right.tolist() == [True] * 8


def test_one_frame_says_why_not():
    with pytest.raises(RequestError, match="at least 2 frames"):
        SPACE.encode(wander(1))
