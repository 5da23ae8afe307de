"""The named rigs: standing in a T-pose, symmetric, with names that their programs know and that we recognise."""

import numpy as np
import pytest

from motifmix.motion import MOTIFMIX
from motifmix.motion.anatomy import find_joints
from motifmix.motion.rigs import RIGS

OTHER_SIDE = [("Left", "Right"), ("LHip", "RHip"), ("LThumb", "RThumb"), ("_L", "_R"), ("left_", "right_")]


@pytest.mark.parametrize("name", RIGS)
def test_a_rig_stands_in_a_t_pose_of_our_size(name):
    rig = RIGS[name]
    roles = find_joints(rig)
    rest = rig.rest_positions
    assert set(MOTIFMIX.names) - set(roles) <= {"spine1"}
    for role, joint in roles.items():
        if role == "pelvis" or role.startswith("spine"):
            continue  # rigs with fewer joints in the spine share it out otherwise
        ours = MOTIFMIX.rest_positions[MOTIFMIX.index(role)]
        assert np.allclose(rest[joint] - rest[roles["pelvis"]], ours, atol=1e-9), role
    assert len(set(rig.names)) == len(rig.names)


@pytest.mark.parametrize("name", RIGS)
def test_the_right_side_mirrors_the_left(name):
    rig = RIGS[name]
    pairs = 0
    for joint, left in enumerate(rig.names):
        right = left
        for a, b in OTHER_SIDE:
            right = right.replace(a, b)
        if any(b in left for _, b in OTHER_SIDE):
            continue
        if right == left:
            assert abs(rig.rest_positions[joint, 0]) < 1e-12, left
            continue
        twin = rig.index(right)
        assert np.allclose(rig.rest_positions[twin], rig.rest_positions[joint] * [-1, 1, 1]), left
        assert (joint in rig.end_offsets) == (twin in rig.end_offsets)
        pairs += 1
    assert pairs >= 8


def test_the_names_are_those_of_the_programs():
    assert {"mixamorig:Hips", "mixamorig:LeftForeArm", "mixamorig:RightToeBase", "mixamorig:HeadTop_End"} <= set(
        RIGS["mixamo"].names
    )
    assert RIGS["cmu"].names[:3] == ("Hips", "LHipJoint", "LeftUpLeg") and len(RIGS["cmu"]) == 31
    assert RIGS["bandai"].names[:2] == ("joint_Root", "Hips") and len(RIGS["bandai"]) == 22
