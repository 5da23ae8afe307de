"""Carrying a motion from one skeleton to another, with a certificate of what was kept.

Every skeleton gets, once, its *canonical rotations*: for each joint the rotation that it would have in the world if
the person stood in the motifmix T-pose. A joint's rotation relative to that is free of the skeleton's own axes, so

    target(t) = source(t) * canonical_source^-1 * canonical_target.

For limbs the canonical rotation also turns the bone exactly into the T-pose's direction, so that thighs, shins, arms
and forearms point the same way before and after. Trunk, head, hands and feet keep their orientation instead: a flat
foot stays flat and an upright chest upright, whatever curve the spine's joints follow inside a body. The root's path is
scaled by the ratio of leg lengths and carried by the middle of the hips, so that feet at rest stay at rest.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from motifmix.motion import kinematics
from motifmix.motion import rotations as rot
from motifmix.motion.anatomy import find_joints, without_length
from motifmix.motion.motion import Motion
from motifmix.motion.skeleton import JOINT_NAMES, JOINT_PARENTS, MOTIFMIX, Skeleton

LIMBS = {
    "left_hip": "left_knee", "right_hip": "right_knee", "left_knee": "left_ankle", "right_knee": "right_ankle",
    "left_shoulder": "left_elbow", "right_shoulder": "right_elbow", "left_elbow": "left_wrist",
    "right_elbow": "right_wrist",
}  # fmt: skip
_FOLLOWS = {
    "left_wrist": "left_elbow",
    "right_wrist": "right_elbow",
    "left_foot": "left_ankle",
    "right_foot": "right_ankle",
}
_FEET = {"left_ankle": "left_foot", "right_ankle": "right_foot"}
_TRUNK_CHAIN = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")


@dataclass(frozen=True)
class Certificate:
    """What a retargeting kept: ``scale`` of the path, limb directions (degrees), roles that had no joint."""

    scale: float
    largest_limb_error: float
    missing: tuple[str, ...]


def retarget(
    motion: Motion,
    skeleton: Skeleton = MOTIFMIX,
    canonical: dict[str, np.ndarray] | None = None,
    *,
    target_canonical: dict[str, np.ndarray] | None = None,
) -> tuple[Motion, Certificate]:
    """Carry ``motion`` to ``skeleton``; joints without a counterpart rest.

    ``canonical`` gives the source's canonical rotations where they are known (a dataset computes them once); without
    it they are found from the rest pose or, where that does not stand, from the clip's most upright frame.
    ``target_canonical`` gives the target's, which a rest pose that does not stand cannot tell. Raises
    ``ValueError`` when one of the skeletons is no person's.
    """
    source_roles, target_roles = find_joints(motion.skeleton), find_joints(skeleton)
    _check(source_roles, motion.skeleton)
    _check(target_roles, skeleton)
    if canonical is None:
        canonical = canonical_rotations(motion.skeleton, motion)
    if target_canonical is None:
        target_canonical = canonical_rotations(skeleton)
    positions, world = motion.joints, motion.world_rotations

    wanted: dict[str, np.ndarray] = {}
    for role in target_roles:
        if role in source_roles and role in canonical:
            free = rot.multiply(world[:, source_roles[role]], rot.inverse(canonical[role]))
            wanted[role] = rot.multiply(free, target_canonical[role])
    _fill_trunk(wanted, source_roles, target_roles, world, canonical, target_canonical)
    _align_limbs(wanted, source_roles, target_roles, positions, skeleton)

    result = np.empty((motion.frames, len(skeleton), 4))
    by_joint = {joint: role for role, joint in target_roles.items()}
    for joint, parent in enumerate(skeleton.parents):
        role = by_joint.get(joint)
        if role in wanted:
            result[:, joint] = wanted[role]
        elif parent >= 0:
            result[:, joint] = result[:, parent]
        else:
            result[:, joint] = rot.IDENTITY
    local = kinematics.local_rotations(skeleton, result)

    scale = leg_length(skeleton) / leg_length(motion.skeleton)
    bare, _ = kinematics.forward(skeleton, local, np.zeros((motion.frames, 3)))
    root = scale * _hip_middle(positions, source_roles) - _hip_middle(bare, target_roles)
    carried = Motion(skeleton, rot.continuous(local), root, motion.fps, motion.labels)
    missing = tuple(role for role in JOINT_NAMES if role in target_roles and role not in source_roles)
    return carried, Certificate(scale, _limb_error(motion, carried, source_roles, target_roles), missing)


def canonical_rotations(skeleton: Skeleton, motion: Motion | None = None) -> dict[str, np.ndarray]:
    """Return for every role the joint's world rotation ``[4]`` in the canonical T-pose (see the module's text).

    Where the rest pose is no standing person (bones along one local axis, as MotionBuilder exports), ``motion`` must
    help: its most upright frame tells the axes, rounded to quarter turns where all bones lie along axes.
    """
    roles, resting = find_joints(skeleton), _canonical_at_rest(skeleton)
    if resting is not None:
        return dict(resting)
    if motion is None:
        raise ValueError("the rest pose of this skeleton does not stand; a motion is needed to find its axes")
    frame = _most_upright_frame(motion.joints, roles)
    return _from_pose(
        skeleton,
        roles,
        motion.joints[frame],
        motion.world_rotations[frame],
        quarter_turns=_bones_along_axes(skeleton, roles),
    )


@lru_cache(maxsize=64)
def _canonical_at_rest(skeleton: Skeleton) -> dict[str, np.ndarray] | None:
    """What the rest pose tells; None where it does not stand."""
    roles = find_joints(skeleton)
    if not _stands(skeleton.rest_positions, roles):
        return None
    upright = np.tile(rot.IDENTITY, (len(skeleton), 1))
    return _from_pose(skeleton, roles, skeleton.rest_positions, upright, quarter_turns=False)


def leg_length(skeleton: Skeleton) -> float:
    """Thigh plus shin in metres, mean of both sides."""
    roles = find_joints(skeleton)
    rest = skeleton.rest_positions
    return 0.5 * sum(
        float(np.linalg.norm(rest[roles[f"{side}_{a}"]] - rest[roles[f"{side}_{b}"]]))
        for side in ("left", "right")
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    )


def body_frame(positions: np.ndarray, roles: dict[str, int]) -> np.ndarray:
    """Return the rotation ``[..., 4]`` from the canonical body (left +X, up +Y) to a pose ``[..., J, 3]``."""
    left = positions[..., roles["left_hip"], :] - positions[..., roles["right_hip"], :]
    if {"left_shoulder", "right_shoulder"} <= roles.keys():
        left = left + positions[..., roles["left_shoulder"], :] - positions[..., roles["right_shoulder"], :]
    top = roles.get("neck", roles.get("head", 0))
    up = positions[..., top, :] - _hip_middle(positions, roles)
    up = up / np.maximum(np.linalg.norm(up, axis=-1, keepdims=True), 1e-9)
    left = left - (left * up).sum(-1, keepdims=True) * up
    left = left / np.maximum(np.linalg.norm(left, axis=-1, keepdims=True), 1e-9)
    return rot.from_matrix(np.stack([left, up, np.cross(left, up)], axis=-1))


def _check(roles: dict[str, int], skeleton: Skeleton) -> None:
    needed = {"pelvis", *LIMBS, *LIMBS.values()}
    if not needed <= roles.keys():
        lacking = ", ".join(sorted(needed - roles.keys()))
        raise ValueError(f"no person's skeleton: of its {len(skeleton)} joints none is recognised as {lacking}")
    if short := without_length(skeleton, roles):
        raise ValueError(f"the bones of {short} have no length")


def _hip_middle(positions: np.ndarray, roles: dict[str, int]) -> np.ndarray:
    return 0.5 * (positions[..., roles["left_hip"], :] + positions[..., roles["right_hip"], :])


def _stands(rest: np.ndarray, roles: dict[str, int]) -> bool:
    """Tell whether a pose is upright in some frame: legs opposite to the trunk, side by side, arms on their own sides.

    Arms may be spread or hang; what matters is that the left one is left of the right one.
    """
    top = roles.get("neck", roles.get("head"))
    if top is None:
        return False
    middle = _hip_middle(rest, roles)
    up = _direction(rest[top] - middle)
    legs = [_direction(rest[roles[f"{side}_ankle"]] - rest[roles[f"{side}_hip"]]) for side in ("left", "right")]
    left = _direction(rest[roles["left_hip"]] - rest[roles["right_hip"]])
    shoulders = rest[roles["left_shoulder"]] - rest[roles["right_shoulder"]]
    wrists = rest[roles["left_wrist"]] - rest[roles["right_wrist"]]
    return bool(
        all(leg @ up < -0.8 for leg in legs)
        and abs(left @ up) < 0.4
        and _direction(shoulders) @ left > 0.5
        and _direction(wrists) @ left > 0.5
    )


def _most_upright_frame(positions: np.ndarray, roles: dict[str, int]) -> int:
    frame = body_frame(positions, roles)
    up = rot.rotate(frame, np.array([0.0, 1.0, 0.0]))
    score = 2.0 * up[:, 1]
    for side in ("left", "right"):
        for bone, child in ((f"{side}_hip", f"{side}_knee"), (f"{side}_knee", f"{side}_ankle")):
            score = score - _direction(positions[:, roles[child]] - positions[:, roles[bone]])[:, 1]
        arm = _direction(positions[:, roles[f"{side}_elbow"]] - positions[:, roles[f"{side}_shoulder"]])
        score = score - 0.5 * arm[:, 1]
    return int(score.argmax())


def _bones_along_axes(skeleton: Skeleton, roles: dict[str, int]) -> bool:
    bones = [_direction(skeleton.offsets[roles[child]]) for child in LIMBS.values()]
    return all(np.abs(bone).max() > 0.995 for bone in bones)


def _from_pose(
    skeleton: Skeleton, roles: dict[str, int], positions: np.ndarray, world: np.ndarray, *, quarter_turns: bool
) -> dict[str, np.ndarray]:
    frame = body_frame(positions, roles)
    standing = _stands(skeleton.rest_positions, roles)
    if not standing:  # only the heading of a moving person: the trunk's lean is straightened joint by joint below
        ahead = rot.rotate(frame, np.array([0.0, 0.0, 1.0]))
        frame = rot.about_y(np.arctan2(ahead[0], ahead[2]))
    else:
        frame = _rest_frame(frame, roles)
    facing = rot.inverse(frame)
    canonical = {role: rot.multiply(facing, world[joint]) for role, joint in roles.items() if role in JOINT_NAMES}

    def bone(role: str, child: str) -> np.ndarray:
        return rot.rotate(facing, positions[roles[child]] - positions[roles[role]])

    straight = {}
    for role, child in LIMBS.items():
        straight[role] = rot.shortest_arc(bone(role, child), MOTIFMIX.offsets[JOINT_NAMES.index(child)])
    if not standing:
        trunk = [role for role in _TRUNK_CHAIN if role in roles]
        for place, role in enumerate(trunk):
            bones = [bone(role, child) for child in trunk[place + 1 :]]
            long = [b for b in bones if np.linalg.norm(b) > 1e-4]  # CMU rigs have joints of no length in the trunk
            if long:
                straight[role] = rot.shortest_arc(long[0], np.array([0.0, 1.0, 0.0]))
        straight["head"] = straight.get("neck", rot.IDENTITY)
        for side in ("left", "right"):
            straight[f"{side}_collar"] = straight.get("spine3", rot.IDENTITY)
    for role, parent in _FOLLOWS.items():
        if role in roles and role not in straight and parent in straight:
            straight[role] = straight[parent]
    for role, swing in straight.items():
        if role in canonical:
            canonical[role] = rot.multiply(swing, canonical[role])
    if quarter_turns:
        _round_to_quarter_turns(canonical, skeleton, roles)
    for role, child in _FEET.items():
        if child in roles and role in canonical:
            turn = _foot_turn(skeleton, roles[child], canonical[role], flat_at_rest=standing)
            canonical[role] = rot.multiply(turn, canonical[role])
            if standing:
                canonical[child] = rot.multiply(turn, canonical[child])
    return canonical


def _rest_frame(frame: np.ndarray, roles: dict[str, int]) -> np.ndarray:
    """Return how a standing rest pose stands in its file.

    Rest poses stand along the file's axes; the line from hips to neck by which they are found leans by some degrees
    inside every body, and that lean is no pitch of the person. Where a rest stands askew, its lean is measured against our own.
    """
    axes = _nearest_quarter_turn(frame)
    if np.degrees(rot.angle_between(axes, frame)) < 20.0:
        return axes
    ours = {role: JOINT_NAMES.index(role) for role in roles if role in JOINT_NAMES}
    return rot.multiply(frame, rot.inverse(body_frame(MOTIFMIX.rest_positions, ours)))


def _round_to_quarter_turns(canonical: dict[str, np.ndarray], skeleton: Skeleton, roles: dict[str, int]) -> None:
    """Where bones lie along local axes, a T-pose joint stands at quarter turns, and all joints of a straight limb alike.

    So one joint a limb decides for its chain, and a bent hand or toe of the chosen frame cannot mislead. Trunk and head
    each decide for themselves: rigs exist whose head has other axes than the neck.
    """
    chains: list[tuple[str, ...]] = [(role,) for role in _TRUNK_CHAIN]
    for side in ("left", "right"):
        chains.append((f"{side}_shoulder", f"{side}_collar", f"{side}_elbow", f"{side}_wrist"))
        chains.append((f"{side}_hip", f"{side}_knee"))
    for first, *others in chains:
        if first not in canonical:
            continue
        canonical[first] = _nearest_quarter_turn(canonical[first])
        for role in others:
            if role in canonical:
                canonical[role] = canonical[first]
    for role, child in _FEET.items():
        if child not in roles or role not in canonical:
            continue
        ahead = rot.shortest_arc(rot.rotate(canonical[role], skeleton.offsets[roles[child]]), np.array([0.0, 0.0, 1.0]))
        canonical[role] = canonical[child] = _nearest_quarter_turn(rot.multiply(ahead, canonical[role]))


def _foot_turn(skeleton: Skeleton, toe: int, canonical: np.ndarray, *, flat_at_rest: bool) -> np.ndarray:
    """Return what points a canonical foot where the T-pose's points: a heading alone where the rest has it flat."""
    now = rot.rotate(canonical, skeleton.offsets[toe])
    wanted = MOTIFMIX.offsets[JOINT_NAMES.index("left_foot")]
    if not flat_at_rest:
        return rot.shortest_arc(now, wanted)
    return rot.about_y(np.arctan2(wanted[0], wanted[2]) - np.arctan2(now[0], now[2]))


def _nearest_quarter_turn(q: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    group = Rotation.create_group("O").as_quat()
    return group[np.abs(group @ q).argmax()]


def _fill_trunk(
    wanted: dict[str, np.ndarray],
    source_roles: dict[str, int],
    target_roles: dict[str, int],
    world: np.ndarray,
    canonical: dict[str, np.ndarray],
    target_canonical: dict[str, np.ndarray],
) -> None:
    """Give trunk joints without a counterpart a rotation between their neighbours'."""

    def free(role: str) -> np.ndarray:
        return rot.multiply(world[:, source_roles[role]], rot.inverse(canonical[role]))

    known = [role for role in _TRUNK_CHAIN if role in source_roles and role in canonical]
    for place, role in enumerate(_TRUNK_CHAIN):
        if role in wanted or role not in target_roles:
            continue
        below = [r for r in known if _TRUNK_CHAIN.index(r) < place]
        above = [r for r in known if _TRUNK_CHAIN.index(r) > place]
        if not below and not above:
            continue
        low, high = (below or above)[-1 if below else 0], (above or below)[0 if above else -1]
        span = _TRUNK_CHAIN.index(high) - _TRUNK_CHAIN.index(low)
        weight = (place - _TRUNK_CHAIN.index(low)) / span if span > 0 else 0.0
        between = rot.slerp(free(low), free(high), np.full(len(world), weight))
        wanted[role] = rot.multiply(between, target_canonical[role])
    for role in target_roles:
        parent = (
            JOINT_NAMES[JOINT_PARENTS[JOINT_NAMES.index(role)]] if role in JOINT_NAMES and role != "pelvis" else None
        )
        if role not in wanted and parent in wanted and role in target_canonical:
            free_parent = rot.multiply(wanted[parent], rot.inverse(target_canonical[parent]))
            wanted[role] = rot.multiply(free_parent, target_canonical[role])


def _align_limbs(
    wanted: dict[str, np.ndarray],
    source_roles: dict[str, int],
    target_roles: dict[str, int],
    positions: np.ndarray,
    skeleton: Skeleton,
) -> None:
    """Swing each limb onto the source's line between its joints, which joints in between may have bent."""
    for role, child in LIMBS.items():
        line = positions[:, source_roles[child]] - positions[:, source_roles[role]]
        bone = _rest_bone(skeleton, target_roles[role], target_roles[child])
        now = rot.rotate(wanted[role], bone)
        wanted[role] = rot.multiply(rot.shortest_arc(now, line), wanted[role])


def _rest_bone(skeleton: Skeleton, joint: int, child: int) -> np.ndarray:
    return skeleton.rest_positions[child] - skeleton.rest_positions[joint]


def _limb_error(source: Motion, target: Motion, source_roles: dict[str, int], target_roles: dict[str, int]) -> float:
    largest = 0.0
    for role, child in LIMBS.items():
        a = _direction(source.joints[:, source_roles[child]] - source.joints[:, source_roles[role]])
        b = _direction(target.joints[:, target_roles[child]] - target.joints[:, target_roles[role]])
        largest = max(largest, float(np.degrees(np.linalg.norm(a - b, axis=-1).max())))
    return largest


def _direction(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
