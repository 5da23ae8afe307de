import numpy as np

from motifmix.motion import MOTIFMIX, kinematics
from motifmix.motion import rotations as rot
from motifmix.motion.damped_kinematics import reach


def test_a_pose_is_found_from_where_its_joints_lie():
    generator = np.random.default_rng(0)
    wanted = rot.from_rotvec(0.3 * generator.normal(size=(2, 22, 3)))
    root = np.array([[0.0, 1.0, 0.0], [1.0, 1.0, 2.0]])
    targets, _ = kinematics.forward(MOTIFMIX, wanted, root)
    start = np.tile(rot.IDENTITY, (2, 22, 1))
    found = reach(MOTIFMIX, start, root, targets, iterations=60, damping=0.02)
    joints, _ = kinematics.forward(MOTIFMIX, found, root)
    assert np.abs(joints - targets).max() < 2e-3
    np.testing.assert_allclose(joints[:, 0], root)


def test_joints_that_are_there_already_stay():
    start = np.tile(rot.IDENTITY, (1, 22, 1))
    joints, _ = kinematics.forward(MOTIFMIX, start, np.zeros((1, 3)))
    np.testing.assert_allclose(reach(MOTIFMIX, start, np.zeros((1, 3)), joints, damping=0.1), start, atol=1e-12)
