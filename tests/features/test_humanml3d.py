import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from motifmix.errors import RequestError
from motifmix.features import humanml3d
from motifmix.features.humanml3d import HUMANML3D_BODY, KIT_BODY, HumanML3DSpace
from motifmix.motion import MOTIFMIX, Motion, Skeleton
from motifmix.motion import rotations as rot
from motifmix.motion.skeleton import JOINT_NAMES

SPACE = HumanML3DSpace()
ARCHIVE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "misc-clips.tar.xz"
LIMBS = [
    (JOINT_NAMES.index(f"{side}_{start}"), JOINT_NAMES.index(f"{side}_{end}"))
    for side in ("left", "right")
    for start, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
]


def wander(frames: int = 90, fps: float = 30.0, seed: int = 0, turning: float = 0.5) -> Motion:
    """A person who walks a curve with all joints in slow motion; sampled from functions of time, at any rate."""
    generator = np.random.default_rng(seed)
    time = np.arange(frames) / fps
    speed, phase = generator.uniform(1.0, 4.0, (22, 3)), generator.uniform(0.0, 6.3, (22, 3))
    vectors = 0.35 * np.sin(speed * time[:, None, None] + phase)
    vectors[:, [0, 3, 6, 9, 13, 14]] *= 0.1  # the published facing is a fine difference of shoulders and hips
    for side, down in (("left", -1.2), ("right", 1.2)):
        vectors[:, JOINT_NAMES.index(f"{side}_shoulder"), 2] += down
    heading = rot.about_y(turning * time + 0.3)
    rotations = rot.from_rotvec(vectors)
    rotations[:, 0] = rot.multiply(heading, rot.from_rotvec(vectors[:, 0]))
    root = np.stack([2.0 + 0.4 * np.sin(0.8 * time), 0.95 + 0.03 * np.sin(4 * time), 0.9 * time], axis=-1)
    return Motion(MOTIFMIX, rotations, root, fps)


def limbs(joints: np.ndarray) -> np.ndarray:
    """Directions ``[T, 8, 3]`` of thighs, shins, upper arms and forearms."""
    bones = np.stack([joints[:, end] - joints[:, start] for start, end in LIMBS], axis=1)
    return bones / np.linalg.norm(bones, axis=-1, keepdims=True)


def test_blocks_fill_the_vector_without_gaps():
    for joints, dim in ((22, 263), (21, 251)):
        blocks = list(humanml3d.feature_blocks(joints).values())
        assert [block.start for block in blocks] == [0, *(block.stop for block in blocks[:-1])]
        assert blocks[-1].stop == dim
    assert SPACE.dim == SPACE.blocks["foot_contacts"].stop == 263


@pytest.mark.skipif(not ARCHIVE.exists(), reason="the archive of small real clips is not beside the repository")
def test_joints_of_the_published_example():
    with tarfile.open(ARCHIVE) as archive:
        stored = {}
        for name in ("012314_joint_vecs", "012314_joints", "Chicken_FW_00_feat"):
            member = archive.extractfile(f"misc-clips/features-263/{name}.npy")
            assert member is not None
            stored[name] = np.load(BytesIO(member.read()), allow_pickle=False)
    features, joints = stored["012314_joint_vecs"], stored["012314_joints"]
    np.testing.assert_allclose(SPACE.to_joints(features), joints, atol=2e-6)
    np.testing.assert_allclose(humanml3d.recover_joints_from_rotations(features), joints, atol=2e-6)
    # Through our own, differently built body and back: what is left is the curve of trunk and feet.
    for original in (features, stored["Chicken_FW_00_feat"]):
        again = SPACE.encode(SPACE.decode(original))
        assert np.abs(again - original[:-1])[:, SPACE.blocks["joint_positions"]].mean() < 0.008
        assert np.abs(again - original[:-1])[:, SPACE.blocks["root_velocity"]].mean() < 0.001


def test_joints_come_back_from_both_blocks_for_both_skeletons():
    generator = np.random.default_rng(1)
    frames = 30
    for body, scale in ((HUMANML3D_BODY, 1.0), (KIT_BODY, 1000.0)):
        target = np.array(body.axes) * generator.uniform(0.1, 0.4, (body.joints, 1)) * scale
        raw = np.cumsum(generator.normal(0.0, 0.01, (frames, body.joints, 3)), axis=0) * scale
        raw += generator.normal(0.0, 0.3, (body.joints, 3)) * scale
        joints = humanml3d.canonical(humanml3d.uniform(raw, target, body).joints, body).joints
        features = humanml3d.extract(joints, body).features
        assert features.shape == (frames - 1, 12 * body.joints - 1)
        np.testing.assert_allclose(humanml3d.recover_joints(features, body), joints[:-1], atol=1e-9 * scale)
        rebuilt = humanml3d.recover_joints_from_rotations(features, target, body)
        np.testing.assert_allclose(rebuilt, joints[:-1], atol=1e-9 * scale)


def test_recovery_takes_batches():
    features = np.stack([SPACE.encode(wander(seed=seed)) for seed in range(3)])
    for index, joints in enumerate(SPACE.to_joints(features)):
        np.testing.assert_allclose(joints, SPACE.to_joints(features[index]), atol=1e-12)


def test_any_frame_rate_is_encoded_at_20():
    features = {fps: SPACE.encode(wander(int(3 * fps) + 1, fps)) for fps in (20.0, 60.0, 120.0)}
    for found in features.values():
        assert found.shape == (60, 263) and found.dtype == np.float32
        np.testing.assert_allclose(found, features[20.0], atol=1e-5)


def test_where_a_clip_starts_and_faces_leaves_no_trace():
    motion = wander()
    elsewhere = motion.turned(2.1).moved(np.array([3.0, 0.4, -5.0]))
    np.testing.assert_allclose(SPACE.encode(elsewhere), SPACE.encode(motion), atol=1e-5)


def test_a_decoded_motion_moves_its_limbs_as_the_original():
    motion = wander(fps=20.0)
    decoded = SPACE.decode(SPACE.encode(motion))
    assert decoded.skeleton is MOTIFMIX and decoded.fps == 20.0 and decoded.frames == motion.frames - 1
    joints, path = decoded.joints, decoded.root
    before, after = limbs(motion.joints[:-1]), limbs(joints)
    turn = rot.fit_rotation(after.reshape(-1, 3), before.reshape(-1, 3))
    assert np.abs(turn[[0, 2]]).max() < 1e-4, "one turn about the vertical for the whole clip"
    assert np.degrees(np.linalg.norm(rot.rotate(turn, after) - before, axis=-1)).max() < 0.05
    length = np.linalg.norm(np.diff(motion.root[:-1, [0, 2]], axis=0), axis=-1).sum()
    assert np.linalg.norm(np.diff(path[:, [0, 2]], axis=0), axis=-1).sum() == pytest.approx(length, rel=0.02)
    assert np.abs(joints[0, 0, [0, 2]]).max() < 0.06


def test_the_turn_of_the_head_is_not_in_there():
    motion = wander(fps=20.0)
    shaken = motion.rotations.copy()
    shaken[:, JOINT_NAMES.index("head")] = rot.about_y(np.sin(np.arange(motion.frames)))
    shaking = Motion(MOTIFMIX, shaken, motion.root, motion.fps)
    np.testing.assert_allclose(SPACE.encode(shaking), SPACE.encode(motion), atol=1e-6)


def test_a_bone_against_its_rest_axis_is_finite():
    joints = np.tile(MOTIFMIX.rest_positions + np.array([0.0, 1.0, 0.0]), (5, 1, 1))
    elbow, wrist = JOINT_NAMES.index("left_elbow"), JOINT_NAMES.index("left_wrist")
    joints[:, wrist] = joints[:, elbow] + [0.0, 0.25, 0.0]  # straight up; the published code divides 0 by 0 here
    assert np.isfinite(SPACE.from_joints(joints)).all()


def test_facing_backwards_reverses_one_frame_of_turning_as_published():
    # The published facing quaternion changes sign where it passes half a turn from the first frame's.
    features = SPACE.encode(wander(100, 20.0, turning=1.5))
    speeds = features[:, SPACE.blocks["yaw_speed"]][5:-5, 0]
    assert (speeds > 0.01).sum() == 1 and (speeds < -0.01).sum() == len(speeds) - 1  # turning left is negative there


def test_three_frames_are_not_special():
    # The published cross product mistakes three frames for three coordinates; ours must not.
    joints = wander(3, 20.0).joints
    carried = humanml3d.canonical(humanml3d.uniform(joints, humanml3d.TARGET_OFFSETS).joints).joints
    np.testing.assert_allclose(SPACE.to_joints(SPACE.from_joints(joints)), carried[:2], atol=1e-5)


def test_what_cannot_be_encoded_says_why():
    with pytest.raises(RequestError, match="at least 2 frames"):
        SPACE.encode(wander(1))
    other = Skeleton(MOTIFMIX.names, MOTIFMIX.parents, MOTIFMIX.offsets * 1.1)
    motion = wander()
    with pytest.raises(ValueError, match="retarget"):
        SPACE.encode(Motion(other, motion.rotations, motion.root, motion.fps))
