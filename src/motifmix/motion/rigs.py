"""Skeletons with the names that other programs expect: targets of ``convert --skeleton``.

Each rig rests in a T-pose (upright along +Y, looking along +Z, left arm along +X, all rotations at identity) on the
proportions of ``MOTIFMIX``; names and hierarchy are those of the rig that it is called after. So a motion drives a
character of that rig by name, whatever its size; bone lengths are ours, and bones of the Bandai-Namco rig do not lie
along their local X as in the published files. Joints that our skeleton has no counterpart for (fingers, the second
neck) rest.
"""

from collections.abc import Sequence

import numpy as np

from motifmix.motion.skeleton import MOTIFMIX, Skeleton

Place = tuple[str, tuple[float, float, float]]
"""A point of the rest pose: one of our joints and a shift from it in metres."""

Row = tuple[str, str, Place]
"""A joint of a rig: its name, its parent's name (empty for the root), and where it rests."""

_HEAD_TOP = MOTIFMIX.end_offsets[MOTIFMIX.index("head")]
_TOE_TIP = MOTIFMIX.end_offsets[MOTIFMIX.index("left_foot")]
_HAND = MOTIFMIX.end_offsets[MOTIFMIX.index("left_wrist")][0]


def _at(joint: str, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Place:
    return joint, (x, y, z)


def _both_sides(rows: Sequence[Row], left: Sequence[str], right: Sequence[str]) -> list[Row]:
    """The left rows and their mirror images; ``left[i]`` in a rig's name becomes ``right[i]``."""

    def other(name: str) -> str:
        for a, b in zip(left, right, strict=True):
            if a in name:
                return name.replace(a, b)
        return name

    mirrored = [
        (other(name), other(parent), (joint.replace("left_", "right_"), (-shift[0], shift[1], shift[2])))
        for name, parent, (joint, shift) in rows
    ]
    return [*rows, *mirrored]


def _rig(rows: Sequence[Row], tips: dict[str, tuple[float, float, float]], prefix: str = "") -> Skeleton:
    rest = MOTIFMIX.rest_positions
    names = [name for name, _, _ in rows]
    places = np.array([rest[MOTIFMIX.index(joint)] + np.array(shift) for _, _, (joint, shift) in rows])
    parents = tuple(names.index(parent) if parent else -1 for _, parent, _ in rows)
    offsets = np.array([places[j] - places[parent] if parent >= 0 else np.zeros(3) for j, parent in enumerate(parents)])
    ends = {names.index(name): tip for name, tip in tips.items()}
    return Skeleton(tuple(prefix + name for name in names), parents, offsets, ends)


def _mixamo() -> Skeleton:
    trunk = [
        ("Hips", "", _at("pelvis")),
        ("Spine", "Hips", _at("spine1")),
        ("Spine1", "Spine", _at("spine2")),
        ("Spine2", "Spine1", _at("spine3")),
        ("Neck", "Spine2", _at("neck")),
        ("Head", "Neck", _at("head")),
        ("HeadTop_End", "Head", _at("head", *_HEAD_TOP)),
    ]
    arm = [
        ("LeftShoulder", "Spine2", _at("left_collar")),
        ("LeftArm", "LeftShoulder", _at("left_shoulder")),
        ("LeftForeArm", "LeftArm", _at("left_elbow")),
        ("LeftHand", "LeftForeArm", _at("left_wrist")),
    ]
    leg = [
        ("LeftUpLeg", "Hips", _at("left_hip")),
        ("LeftLeg", "LeftUpLeg", _at("left_knee")),
        ("LeftFoot", "LeftLeg", _at("left_ankle")),
        ("LeftToeBase", "LeftFoot", _at("left_foot")),
        ("LeftToe_End", "LeftToeBase", _at("left_foot", *_TOE_TIP)),
    ]
    sides = (["Left"], ["Right"])
    hands = {"LeftHand": (_HAND, 0.0, 0.0), "RightHand": (-_HAND, 0.0, 0.0)}
    return _rig([*trunk, *_both_sides(arm, *sides), *_both_sides(leg, *sides)], hands, prefix="mixamorig:")


def _cmu() -> Skeleton:
    """Names and hierarchy of B. Hahne's BVH conversion of the CMU database (31 joints)."""
    leg = [
        ("LHipJoint", "Hips", _at("pelvis")),
        ("LeftUpLeg", "LHipJoint", _at("left_hip")),
        ("LeftLeg", "LeftUpLeg", _at("left_knee")),
        ("LeftFoot", "LeftLeg", _at("left_ankle")),
        ("LeftToeBase", "LeftFoot", _at("left_foot")),
    ]
    half_neck = float(MOTIFMIX.offsets[MOTIFMIX.index("head")][1]) / 2
    trunk = [
        ("LowerBack", "Hips", _at("spine1")),
        ("Spine", "LowerBack", _at("spine2")),
        ("Spine1", "Spine", _at("spine3")),
        ("Neck", "Spine1", _at("neck")),
        ("Neck1", "Neck", _at("neck", y=half_neck)),
        ("Head", "Neck1", _at("head")),
    ]
    arm = [
        ("LeftShoulder", "Spine1", _at("left_collar")),
        ("LeftArm", "LeftShoulder", _at("left_shoulder")),
        ("LeftForeArm", "LeftArm", _at("left_elbow")),
        ("LeftHand", "LeftForeArm", _at("left_wrist")),
        ("LeftFingerBase", "LeftHand", _at("left_wrist", x=0.5 * _HAND)),
        ("LeftHandIndex1", "LeftFingerBase", _at("left_wrist", x=0.75 * _HAND)),
        ("LThumb", "LeftHand", _at("left_wrist", x=0.2 * _HAND, z=0.02)),
    ]
    sides = (["Left", "LHip", "LThumb"], ["Right", "RHip", "RThumb"])
    rows = [("Hips", "", _at("pelvis")), *_both_sides(leg, *sides), *trunk, *_both_sides(arm, *sides)]
    tips = {
        "LeftToeBase": _TOE_TIP,
        "RightToeBase": _TOE_TIP,
        "Head": _HEAD_TOP,
        "LeftHandIndex1": (0.25 * _HAND, 0.0, 0.0),
        "RightHandIndex1": (-0.25 * _HAND, 0.0, 0.0),
        "LThumb": (0.03, 0.0, 0.03),
        "RThumb": (-0.03, 0.0, 0.03),
    }
    return _rig(rows, tips)


def _bandai() -> Skeleton:
    trunk = [
        ("joint_Root", "", _at("pelvis")),
        ("Hips", "joint_Root", _at("pelvis")),
        ("Spine", "Hips", _at("spine2")),
        ("Chest", "Spine", _at("spine3")),
        ("Neck", "Chest", _at("neck")),
        ("Head", "Neck", _at("head")),
    ]
    arm = [
        ("Shoulder_L", "Chest", _at("left_collar")),
        ("UpperArm_L", "Shoulder_L", _at("left_shoulder")),
        ("LowerArm_L", "UpperArm_L", _at("left_elbow")),
        ("Hand_L", "LowerArm_L", _at("left_wrist")),
    ]
    leg = [
        ("UpperLeg_L", "Hips", _at("left_hip")),
        ("LowerLeg_L", "UpperLeg_L", _at("left_knee")),
        ("Foot_L", "LowerLeg_L", _at("left_ankle")),
        ("Toes_L", "Foot_L", _at("left_foot")),
    ]
    sides = (["_L"], ["_R"])
    tips = {
        "Head": _HEAD_TOP,
        "Hand_L": (_HAND, 0.0, 0.0),
        "Hand_R": (-_HAND, 0.0, 0.0),
        "Toes_L": _TOE_TIP,
        "Toes_R": _TOE_TIP,
    }
    return _rig([*trunk, *_both_sides(arm, *sides), *_both_sides(leg, *sides)], tips)


RIGS: dict[str, Skeleton] = {"motifmix": MOTIFMIX, "cmu": _cmu(), "bandai": _bandai(), "mixamo": _mixamo()}
"""Named rigs, in the order in which the command line lists them."""
