"""The networks' forward kinematics is that of motions, and gradients flow through it."""

import numpy as np
import torch

from motifmix.models.layers.forward_kinematics import ForwardKinematics
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot


def test_joints_lie_where_the_motion_has_them():
    rotations = rot.from_rotvec(np.random.default_rng(0).normal(size=(3, 22, 3)))
    expected = Motion(MOTIFMIX, rotations, np.zeros((3, 3)), 20.0).joints
    network = ForwardKinematics(MOTIFMIX.parents, torch.from_numpy(MOTIFMIX.offsets))
    six = torch.from_numpy(rot.to_six_d(rotations)).float().requires_grad_(True)
    joints = network(six)
    np.testing.assert_allclose(joints.detach().numpy(), expected, atol=1e-5)
    joints[:, MOTIFMIX.index("left_wrist")].sum().backward()
    assert six.grad is not None
    moved = six.grad.abs().sum(dim=(0, 2)) > 1e-7
    chain = ["pelvis", "spine1", "spine2", "spine3", "left_collar", "left_shoulder", "left_elbow"]
    assert {MOTIFMIX.names[j] for j in torch.nonzero(moved)[:, 0].tolist()} == set(chain)
