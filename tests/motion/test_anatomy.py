"""Joints are recognised in everybody's rigs, and nothing else is taken for a person."""

import time

import numpy as np
import pytest

from motifmix.errors import FileError
from motifmix.motion import rotations as rot
from motifmix.motion.anatomy import bone_height, find_joints, require_person, without_tips
from motifmix.motion.motion import Motion
from motifmix.motion.retargeting import retarget
from motifmix.motion.skeleton import JOINT_NAMES, MOTIFMIX, Skeleton

# Names in the order of the motifmix skeleton; None: the rig lacks the joint.
RIGS = {
    "SMPL": (
        "Pelvis L_Hip R_Hip Spine1 L_Knee R_Knee Spine2 L_Ankle R_Ankle Spine3 L_Foot R_Foot Neck L_Collar R_Collar Head "
        "L_Shoulder R_Shoulder L_Elbow R_Elbow L_Wrist R_Wrist"
    ),
    "SMPL with a prefix": (
        "m_avg_Pelvis m_avg_L_Hip m_avg_R_Hip m_avg_Spine1 m_avg_L_Knee m_avg_R_Knee m_avg_Spine2 m_avg_L_Ankle "
        "m_avg_R_Ankle m_avg_Spine3 m_avg_L_Foot m_avg_R_Foot m_avg_Neck m_avg_L_Collar m_avg_R_Collar m_avg_Head "
        "m_avg_L_Shoulder m_avg_R_Shoulder m_avg_L_Elbow m_avg_R_Elbow m_avg_L_Wrist m_avg_R_Wrist"
    ),
    "Mixamo": (
        "mixamorig:Hips mixamorig:LeftUpLeg mixamorig:RightUpLeg mixamorig:Spine mixamorig:LeftLeg mixamorig:RightLeg "
        "mixamorig:Spine1 mixamorig:LeftFoot mixamorig:RightFoot mixamorig:Spine2 mixamorig:LeftToeBase "
        "mixamorig:RightToeBase mixamorig:Neck mixamorig:LeftShoulder mixamorig:RightShoulder mixamorig:Head "
        "mixamorig:LeftArm mixamorig:RightArm mixamorig:LeftForeArm mixamorig:RightForeArm mixamorig:LeftHand "
        "mixamorig:RightHand"
    ),
    "Unreal": (
        "pelvis thigh_l thigh_r spine_01 calf_l calf_r spine_02 foot_l foot_r spine_03 ball_l ball_r neck_01 clavicle_l "
        "clavicle_r head upperarm_l upperarm_r lowerarm_l lowerarm_r hand_l hand_r"
    ),
    "Rigify": (
        "DEF-spine DEF-thigh.L DEF-thigh.R DEF-spine.001 DEF-shin.L DEF-shin.R DEF-spine.002 DEF-foot.L DEF-foot.R "
        "DEF-spine.003 DEF-toe.L DEF-toe.R DEF-spine.004 DEF-shoulder.L DEF-shoulder.R DEF-head DEF-upper_arm.L "
        "DEF-upper_arm.R DEF-forearm.L DEF-forearm.R DEF-hand.L DEF-hand.R"
    ),
    "Poser": (
        "hip lThigh rThigh abdomen lShin rShin abdomen2 lFoot rFoot chest lToe rToe neck lCollar rCollar head lShldr rShldr "
        "lForeArm rForeArm lHand rHand"
    ),
    "Daz": (
        "hip lThighBend rThighBend abdomenLower lShin rShin abdomenUpper lFoot rFoot chestLower lToe rToe neckLower lCollar "
        "rCollar head lShldrBend rShldrBend lForearmBend rForearmBend lHand rHand"
    ),
    "CMU at 30 frames": (
        "root lhip rhip lowerback lknee rknee upperback lankle rankle chest ltoe rtoe lowerneck lclavicle rclavicle "
        "upperneck lshoulder rshoulder lelbow relbow lwrist rwrist"
    ),
    "CMU's own": (
        "root lfemur rfemur lowerback ltibia rtibia upperback lfoot rfoot thorax ltoes rtoes lowerneck lclavicle rclavicle "
        "head lhumerus rhumerus lradius rradius lwrist rwrist"
    ),
    "Kinect": (
        "SpineBase HipLeft HipRight Spine1 KneeLeft KneeRight SpineMid AnkleLeft AnkleRight SpineShoulder FootLeft FootRight "
        "Neck CollarLeft CollarRight Head ShoulderLeft ShoulderRight ElbowLeft ElbowRight WristLeft WristRight"
    ),
    "Xsens": (
        "Hips LeftUpperLeg RightUpperLeg Chest LeftLowerLeg RightLowerLeg Chest2 LeftFoot RightFoot Chest4 LeftToe RightToe "
        "Neck LeftShoulder RightShoulder Head LeftUpperArm RightUpperArm LeftForearm RightForearm LeftHand RightHand"
    ),
    "OptiTrack": (
        "Hip LThigh RThigh Ab LShin RShin Chest LFoot RFoot Chest2 LToe RToe Neck LShoulder RShoulder Head LUArm RUArm LFArm "
        "RFArm LHand RHand"
    ),
    "VRoid": (
        "J_Bip_C_Hips J_Bip_L_UpperLeg J_Bip_R_UpperLeg J_Bip_C_Spine J_Bip_L_LowerLeg J_Bip_R_LowerLeg J_Bip_C_Chest "
        "J_Bip_L_Foot J_Bip_R_Foot J_Bip_C_UpperChest J_Bip_L_ToeBase J_Bip_R_ToeBase J_Bip_C_Neck J_Bip_L_Shoulder "
        "J_Bip_R_Shoulder J_Bip_C_Head J_Bip_L_UpperArm J_Bip_R_UpperArm J_Bip_L_LowerArm J_Bip_R_LowerArm J_Bip_L_Hand "
        "J_Bip_R_Hand"
    ),
    "capitals": (
        "HIPS LEFT_HIP RIGHT_HIP SPINE LEFT_KNEE RIGHT_KNEE SPINE_2 LEFT_ANKLE RIGHT_ANKLE SPINE_3 LEFT_TOE RIGHT_TOE NECK "
        "LEFT_COLLAR RIGHT_COLLAR HEAD LEFT_SHOULDER RIGHT_SHOULDER LEFT_ELBOW RIGHT_ELBOW LEFT_WRIST RIGHT_WRIST"
    ),
    "Japanese": (
        "センター 左足 右足 上半身 左ひざ 右ひざ 上半身2 左足首 右足首 上半身3 左つま先 右つま先 首 左肩 右肩 頭 左腕 右腕 "
        "左ひじ 右ひじ 左手首 右手首"
    ),
}  # fmt: skip
BIPED = (
    "Pelvis|L Thigh|R Thigh|Spine|L Calf|R Calf|Spine1|L Foot|R Foot|Spine2|L Toe0|R Toe0|Neck|L Clavicle|R Clavicle|Head|"
    "L UpperArm|R UpperArm|L Forearm|R Forearm|L Hand|R Hand"
)
NUMBERS = " ".join(f"joint{number}" for number in range(22))
IDENTITY = {name: number for number, name in enumerate(JOINT_NAMES)}


def renamed(names: list[str], turn: np.ndarray = rot.IDENTITY) -> Skeleton:
    ends = {joint: tuple(rot.rotate(turn, np.array(end))) for joint, end in MOTIFMIX.end_offsets.items()}
    return Skeleton(tuple(names), MOTIFMIX.parents, rot.rotate(turn, MOTIFMIX.offsets), ends)


@pytest.mark.parametrize("rig", RIGS)
def test_known_rigs_are_recognised_by_their_names(rig):
    assert find_joints(renamed(RIGS[rig].split())) == IDENTITY


def test_names_with_blanks_are_recognised():
    assert find_joints(renamed([f"Bip01 {name}" for name in BIPED.split("|")])) == IDENTITY


def test_names_say_the_side_even_against_the_rest_pose():
    swapped = RIGS["Mixamo"].replace("Left", "?").replace("Right", "Left").replace("?", "Right").split()
    roles = find_joints(renamed(swapped))
    assert roles["right_hip"] == IDENTITY["left_hip"] and roles["left_wrist"] == IDENTITY["right_wrist"]


@pytest.mark.parametrize(
    "turn",
    [rot.IDENTITY, rot.from_rotvec(np.array([np.pi / 2, 0, 0])), rot.about_y(np.pi / 2), rot.about_y(np.pi)],
    ids=["along Y", "along Z", "looking along X", "looking backwards"],
)
def test_a_person_without_names_is_found_by_shape(turn):
    assert find_joints(renamed(NUMBERS.split(), turn)) == IDENTITY


def with_joint(
    skeleton: Skeleton, name: str, parent: str, offset: tuple[float, float, float], between: str = ""
) -> Skeleton:
    """Add a joint below ``parent``; ``between``: above this child of it, whose own offset stays."""
    names, parents, offsets = list(skeleton.names), list(skeleton.parents), list(skeleton.offsets)
    at = names.index(parent) + 1
    parents = [p if p < at else p + 1 for p in parents]
    names.insert(at, name)
    parents.insert(at, at - 1)
    offsets.insert(at, np.array(offset))
    if between:
        parents[names.index(between)] = at
    return Skeleton(tuple(names), tuple(parents), np.array(offsets))


def test_joints_of_no_length_twists_fingers_and_eyes_are_passed_over():
    skeleton = renamed(RIGS["Mixamo"].replace("mixamorig:", "").split())
    skeleton = with_joint(skeleton, "LHipJoint", "Hips", (0, 0, 0), between="LeftUpLeg")
    skeleton = with_joint(skeleton, "LeftUpLegTwist", "LeftUpLeg", (0, -0.2, 0))
    skeleton = with_joint(skeleton, "RightForeArmRoll", "RightForeArm", (-0.1, 0, 0))
    skeleton = with_joint(skeleton, "LeftHandThumb1", "LeftHand", (0.03, 0, 0.03))
    skeleton = with_joint(skeleton, "LeftEye", "Head", (0.03, 0.05, 0.08))
    skeleton = with_joint(skeleton, "LeftToe_End", "LeftToeBase", (0, 0, 0.05))
    found = {role: skeleton.names[joint] for role, joint in find_joints(skeleton).items()}
    bare = renamed(RIGS["Mixamo"].replace("mixamorig:", "").split())
    assert found == {role: bare.names[joint] for role, joint in IDENTITY.items()}


def test_a_longer_spine_gives_the_joints_nearest_to_ours():
    skeleton = renamed(RIGS["Mixamo"].replace("mixamorig:", "").split())
    skeleton = with_joint(skeleton, "SpineX", "Spine2", (0, 0.01, 0), between="Neck")
    roles = find_joints(skeleton)
    assert skeleton.names[roles["spine3"]] == "Spine2" and skeleton.names[roles["neck"]] == "SpineX"


def without(names: list[str], *left_out: str) -> Skeleton:
    """Our skeleton with other names and without some joints, whose parents end where they were."""
    kept = [j for j, role in enumerate(JOINT_NAMES) if role not in left_out]
    gone = [j for j in range(22) if j not in kept and MOTIFMIX.parents[j] in kept]
    return Skeleton(
        tuple(names[j] for j in kept),
        tuple(kept.index(MOTIFMIX.parents[j]) if j else -1 for j in kept),
        MOTIFMIX.offsets[kept],
        {kept.index(j): end for j, end in MOTIFMIX.end_offsets.items() if j in kept}
        | {kept.index(MOTIFMIX.parents[j]): tuple(MOTIFMIX.offsets[j]) for j in gone},
    )


@pytest.mark.parametrize("rig", ["Mixamo", "Unreal", "CMU's own", "SMPL", "numbers"])
def test_forearms_and_shins_that_end_without_a_hand_or_foot_are_named(rig):
    names = NUMBERS.split() if rig == "numbers" else RIGS[rig].split()
    prefix = "mixamorig:" if rig == "Mixamo" else ""
    handless = without(names, "left_wrist", "right_wrist")
    found = {handless.names[joint]: tip for joint, tip in without_tips(handless).items()}
    assert found == {names[18]: f"{prefix}LeftHand", names[19]: f"{prefix}RightHand"}
    footless = without(names, "left_ankle", "left_foot", "right_wrist")
    if rig != "numbers":  # names tell the half of a limb, shape takes two alike
        found = {footless.names[joint]: tip for joint, tip in without_tips(footless).items()}
        assert found == {names[4]: f"{prefix}LeftFoot", names[19]: f"{prefix}RightHand"}
    assert without_tips(renamed(names)) == {}


def test_shape_never_overrules_the_elbow_that_a_name_tells():
    handless = without(RIGS["Mixamo"].split(), "left_wrist", "right_wrist")
    with pytest.raises(
        FileError, match="no joint found for pelvis, left shoulder, right shoulder, left elbow and 4 more"
    ):
        require_person(handless, "handless.bvh")
    named_by_half = RIGS["Mixamo"].replace("Hand", "Palm").split()
    assert find_joints(renamed(named_by_half)) == IDENTITY


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        (JOINT_NAMES, "the whole body"),
        (("left_knee", "right_knee"), "the left leg and the right leg"),
        (("right_wrist",), "the right arm"),
        (("spine1", "spine2", "spine3", "neck"), "the trunk"),
    ],
)
def test_bones_without_length_are_named(roles, words):
    offsets = np.where(np.isin(JOINT_NAMES, roles)[:, None], 0.0, MOTIFMIX.offsets)
    flat = Skeleton(MOTIFMIX.names, MOTIFMIX.parents, offsets)
    with pytest.raises(FileError, match=rf"flat\.bvh: the bones of {words} have no length"):
        require_person(flat, "flat.bvh")
    motion = Motion(flat, np.tile(rot.IDENTITY, (2, 22, 1)), np.zeros((2, 3)), 30.0)
    with pytest.raises(ValueError, match=f"the bones of {words} have no length"):
        retarget(motion)


def legs_only() -> Skeleton:
    kept = [0, 1, 2, 4, 5, 7, 8]
    return Skeleton(
        tuple(JOINT_NAMES[j] for j in kept),
        tuple(kept.index(MOTIFMIX.parents[j]) if j else -1 for j in kept),
        MOTIFMIX.offsets[kept],
    )


def quadruped(names: list[str]) -> Skeleton:
    """A trunk with a leg of three bones at each corner."""
    parents, offsets = [-1], [[0.0, 0.0, 0.0]]
    for x in (0.1, -0.1):
        for z in (0.2, -0.2):
            parents += [0, len(parents), len(parents) + 1]
            offsets += [[x, 0, z], [0, -0.25, 0], [0, -0.25, 0]]
    return Skeleton(tuple(names), tuple(parents), np.array(offsets))


DOG = ["trunk", *(f"{leg}_{part}" for leg in ("FR", "RR", "FL", "RL") for part in ("hip", "upper", "lower"))]


@pytest.mark.parametrize(
    "skeleton",
    [
        legs_only(),
        quadruped(DOG),
        quadruped([f"b{number}" for number in range(13)]),
        Skeleton(("box",), (-1,), np.zeros((1, 3))),
        Skeleton(tuple("abcdef"), (-1, 0, 1, 2, 3, 4), np.ones((6, 3))),
    ],
    ids=["legs", "robot dog", "robot dog without names", "box", "snake"],
)
def test_what_is_no_person_is_refused_and_says_what_is_missing(skeleton):
    with pytest.raises(FileError, match=r"thing\.bvh holds no person: no joint found for"):
        require_person(skeleton, "thing.bvh")
    assert bone_height(skeleton, find_joints(skeleton)) is None


@pytest.mark.parametrize(
    "name", ["j{}", "LeftUpLeg", "LeftLeg{}", "RightArm", "{}"], ids=["numbers", "hips", "legs", "arms", "bare numbers"]
)
@pytest.mark.parametrize("below", [1, 4], ids=["beside each other", "in chains of four"])
def test_four_thousand_alike_limbs_are_refused_in_a_moment(name, below):
    parents = [-1, *(0 if number % below == 0 else number for number in range(4000))]
    skeleton = Skeleton(("r", *(name.format(n) for n in range(4000))), tuple(parents), np.ones((4001, 3)))
    start = time.process_time()
    with pytest.raises(FileError, match="holds no person"):
        require_person(skeleton, "many.bvh")
    assert time.process_time() - start < 2.0


def test_a_skirt_of_chains_as_long_as_legs_hides_no_person_without_names():
    skeleton = renamed(NUMBERS.split())
    for number in range(12):
        angle = 2 * np.pi * number / 12
        skeleton = with_joint(skeleton, f"s{number}", "joint0", (0.15 * np.cos(angle), -0.5, 0.15 * np.sin(angle)))
    found = {role: skeleton.names[joint] for role, joint in find_joints(skeleton).items()}
    assert found == {role: f"joint{joint}" for role, joint in IDENTITY.items()}


def test_the_bones_add_up_to_a_persons_height_however_the_rest_pose_lies():
    tall = bone_height(MOTIFMIX, IDENTITY)
    assert tall is not None and 1.55 < tall < 1.75
    lying = Skeleton(
        MOTIFMIX.names,
        MOTIFMIX.parents,
        np.linalg.norm(MOTIFMIX.offsets, axis=1)[:, None] * np.array([1.0, 0.0, 0.0]),
        MOTIFMIX.end_offsets,
    )
    assert bone_height(lying, IDENTITY) == pytest.approx(tall)
    headless = Skeleton(MOTIFMIX.names, MOTIFMIX.parents, MOTIFMIX.offsets)
    assert bone_height(headless, IDENTITY) == pytest.approx(tall, rel=0.05)
