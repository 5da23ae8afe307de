"""Which joint of a skeleton is a knee: the 22 roles of our own skeleton, found in anybody's.

Names decide first (Mixamo, Poser and Daz, Biped, Unreal, Rigify, SMPL, CMU's, Bandai-Namco's, Japanese rigs, ...),
with or without prefixes, in any letter case. A limb that no name gives away is found by the shape of the tree: a pair
of alike leg chains that leave one joint, a pair of alike arm chains beside a neck. Left and right come from names, or
else from the rest pose. The middle (pelvis, spine) always comes from the tree between the limbs, because names such as
``Spine1`` mean another joint in every rig. Roles without a joint (``spine1``, a collar, a foot) are absent.
"""

from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np

from motifmix.errors import FileError
from motifmix.motion.joint_names import (
    ANIMAL,
    ANKLE,
    COLLAR,
    ELBOW,
    HEAD,
    HIP,
    KNEE,
    NECK,
    SHOULDER,
    TOE,
    WRIST,
    Label,
    read_name,
)
from motifmix.motion.skeleton import Skeleton

REQUIRED_ROLES = (
    "pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "head",
)  # fmt: skip

_LEG, _ARM = ("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")

# Of a forearm's (shin's) joint's own bone: an end site nearer than that is a token, and no wrist (ankle).
_LEAST_TIP = 0.3

# How far along the chain from pelvis to chest our lower spine joints lie (see skeleton.py).
_SPINE1_AT, _SPINE2_AT = 0.32, 0.64

# No person's rig comes near either; a file made to cost hours is refused in a second.
_MOST_PAIRS = 300
_MOST_NAMESAKES = 24


def find_joints(skeleton: Skeleton) -> dict[str, int]:
    """Map the roles of the motifmix skeleton to the joints that play them, as far as they exist.

    An animal or an object gives an incomplete map (see :func:`require_person`).
    """
    return dict(_found_joints(skeleton))


@lru_cache(maxsize=64)  # whole clips are carried from one skeleton to another many times
def _found_joints(skeleton: Skeleton) -> dict[str, int]:
    labels = [read_name(name) for name in skeleton.names]
    roles: dict[str, int] = {}
    for side in ("left", "right"):
        roles |= _leg_by_names(skeleton, labels, side)
        roles |= _arm_by_names(skeleton, labels, side)
    if not _limbs_complete(roles):
        shape = _limbs_by_shape(skeleton, labels) or {}
        roles = roles if _contradicts(shape, skeleton, labels) else shape or roles
    if _limbs_complete(roles):
        roles |= _middle(skeleton, labels, roles)
    return {role: roles[role] for role in sorted(roles, key=lambda role: roles[role])}


def without_tips(skeleton: Skeleton) -> dict[int, str]:
    """Find forearms and shins that end where a hand or a foot should begin, in an end site and without a joint.

    Returns those joints, each with the name that a joint at its end would have.
    """
    labels = [read_name(name) for name in skeleton.names]
    found: dict[int, str] = {}
    is_named = False
    for upper, middle, lower, tip in ((HIP, KNEE, ANKLE, "Foot"), (SHOULDER, ELBOW, WRIST, "Hand")):
        for side in ("left", "right"):
            bones = _chain_by_names(skeleton, labels, side, (upper, middle))
            is_named |= bones is not None
            if bones is None or _chain_by_names(skeleton, labels, side, (upper, middle, lower)) is not None:
                continue
            bone, end = (float(np.linalg.norm(v)) for v in (skeleton.offsets[bones[1]], _end(skeleton, bones[1])))
            if not skeleton.children[bones[1]] and end > _LEAST_TIP * bone:
                found[bones[1]] = _tip_name(skeleton.names[bones[1]], f"{side.capitalize()}{tip}")
    return found if is_named else _without_tips_by_shape(skeleton, labels)


def _without_tips_by_shape(skeleton: Skeleton, labels: list[Label]) -> dict[int, str]:
    """Take end sites for joints, and see whether limbs end in them."""
    ends = [joint for joint in skeleton.end_offsets if not skeleton.children[joint] and _end(skeleton, joint).any()]
    count = len(skeleton)
    longer = Skeleton(
        (*skeleton.names, *("end",) * len(ends)),
        (*skeleton.parents, *ends),
        np.concatenate([skeleton.offsets, *(_end(skeleton, joint)[None] for joint in ends)]),
    )
    shape = _limbs_by_shape(longer, [*labels, *(read_name("end") for _ in ends)]) or {}
    tips = {"ankle": "Foot", "wrist": "Hand"}
    return {
        ends[shape[f"{side}_{role}"] - count]: f"{side.capitalize()}{tip}"
        for role, tip in tips.items()
        for side in ("left", "right")
        if shape.get(f"{side}_{role}", 0) >= count
    }


def _end(skeleton: Skeleton, joint: int) -> np.ndarray:
    return np.asarray(skeleton.end_offsets.get(joint, (0.0, 0.0, 0.0)), dtype=np.float64)


def _tip_name(name: str, tip: str) -> str:
    """The tip's name with the prefix that other joints of the rig have (``mixamorig:``)."""
    return name[: max(name.rfind(":"), name.rfind("|")) + 1] + tip


def require_person(skeleton: Skeleton, name: str) -> dict[str, int]:
    """Return the roles of a skeleton that has what a person has; ``name`` is what an error calls it.

    Raises ``FileError`` that names what is missing.
    """
    roles = find_joints(skeleton)
    missing = [role for role in REQUIRED_ROLES if role not in roles]
    if missing:
        listed = ", ".join(role.replace("_", " ") for role in missing[:4])
        more = "" if len(missing) <= 4 else f" and {len(missing) - 4} more"
        raise FileError(
            f"{name} holds no person: no joint found for {listed}{more} among its {len(skeleton)} joints; "
            "motifmix works with people (two legs, two arms, a head)"
        )
    if short := without_length(skeleton, roles):
        raise FileError(f"{name}: the bones of {short} have no length; a person's have, so the file is damaged")
    return roles


def without_length(skeleton: Skeleton, roles: dict[str, int]) -> str:
    """Name the limbs and the trunk whose bones have no length, in words; empty where all have.

    Nothing can be carried from or to such a skeleton. ``roles`` are those of a person.
    """
    lengths = np.linalg.norm(skeleton.offsets, axis=1)

    def length(upper: str, lower: str) -> float:
        top = _common(skeleton, roles[upper], roles[lower])
        return float(sum(lengths[joint] for joint in _path(skeleton, top, roles[lower])))

    parts = [
        (f"the {side} {limb}", f"{side}_{upper}", f"{side}_{lower}")
        for limb, bones in (("leg", _LEG), ("arm", _ARM))
        for side in ("left", "right")
        for upper, lower in pairwise(bones)
    ]
    parts += [("the trunk", "pelvis", top) for top in ("neck", "head") if top in roles][:1]
    least = 1e-6 * float(lengths[1:].sum())
    short = list(dict.fromkeys(part for part, upper, lower in parts if length(upper, lower) <= least))
    return "the whole body" if len(short) == 5 else " and ".join(short)


def bone_height(skeleton: Skeleton, roles: dict[str, int]) -> float | None:
    """Return how tall the person would stand, in the skeleton's unit: the bones added up from sole to crown.

    Leg, spine, neck and head are lengths, so that the rest pose need not stand. Sole and crown are measured where the
    skeleton has a toe and a head end, and added in an adult's proportion where it has not. ``None`` for no person.
    """
    if any(role not in roles for role in REQUIRED_ROLES):
        return None
    lengths = np.linalg.norm(skeleton.offsets, axis=1)

    def between(lower: int, upper: int) -> float:
        return float(sum(lengths[joint] for joint in _path(skeleton, upper, lower)))

    legs = [between(roles[f"{s}_ankle"], roles[f"{s}_hip"]) for s in ("left", "right")]
    leg = sum(legs) / 2.0
    head = roles["head"]
    trunk = between(head, _common(skeleton, roles["pelvis"], head))
    crown = float(np.linalg.norm(skeleton.end_offsets.get(head, (0.0, 0.0, 0.0))))
    tips = [joint for joint in skeleton.children[head] if "end" in read_name(skeleton.names[joint]).words]
    if tips:
        crown = float(lengths[tips[0]])
    body = leg * 1.13 + trunk
    if not 0.09 * body < crown < 0.2 * body:  # some exporters end a head after a token length
        crown = 0.135 * body
    return body + crown


def _leg_by_names(skeleton: Skeleton, labels: list[Label], side: str) -> dict[str, int]:
    chain = _chain_by_names(skeleton, labels, side, (HIP, KNEE, ANKLE))
    if chain is None:
        return {}
    hip, knee, ankle = chain
    roles = {f"{side}_hip": hip, f"{side}_knee": knee, f"{side}_ankle": ankle}
    toe = next(iter(_candidates(skeleton, labels, side, TOE, below=ankle)), None)
    return roles if toe is None else {**roles, f"{side}_foot": toe}


def _arm_by_names(skeleton: Skeleton, labels: list[Label], side: str) -> dict[str, int]:
    chain = _chain_by_names(skeleton, labels, side, (SHOULDER, ELBOW, WRIST))
    if chain is None:
        return {}
    shoulder, elbow, wrist = chain
    roles = {f"{side}_shoulder": shoulder, f"{side}_elbow": elbow, f"{side}_wrist": wrist}
    above = _ancestors(skeleton, shoulder)
    collar = next((j for j in _candidates(skeleton, labels, side, COLLAR) if j in above), None)
    return roles if collar is None else {**roles, f"{side}_collar": collar}


def _chain_by_names(
    skeleton: Skeleton, labels: list[Label], side: str, vocabularies: tuple[tuple[str, ...], ...]
) -> tuple[int, ...] | None:
    # Joints of one side with the words of one part are a handful; namesakes beyond that are no limb of a person.
    uppers, *others = (_candidates(skeleton, labels, side, v)[:_MOST_NAMESAKES] for v in vocabularies)
    above = {joint: set(_ancestors(skeleton, joint)) for joint in {joint for own in others for joint in own}}

    def below(chain: tuple[int, ...], vocabulary: int) -> tuple[int, ...] | None:
        if vocabulary == len(others):
            return chain
        further = (below((*chain, joint), vocabulary + 1) for joint in others[vocabulary] if chain[-1] in above[joint])
        return next((found for found in further if found), None)

    return next((found for upper in uppers if (found := below((upper,), 0))), None)


def _contradicts(shape: dict[str, int], skeleton: Skeleton, labels: list[Label]) -> bool:
    """Tell whether what shape took for elbows or knees is not what has their names; half a limb's names are enough."""
    for upper, middle, role in ((HIP, KNEE, "knee"), (SHOULDER, ELBOW, "elbow")):
        for side in ("left", "right"):
            is_named = _chain_by_names(skeleton, labels, side, (upper, middle)) is not None
            taken = shape.get(f"{side}_{role}")
            if is_named and taken is not None and taken not in _candidates(skeleton, labels, side, middle):
                return True
    return False


def _candidates(
    skeleton: Skeleton, labels: list[Label], side: str | None, words: tuple[str, ...], below: int | None = None
) -> list[int]:
    """Joints of a side whose part is one of ``words``, the most trusted word first, then nearest to the root."""
    fitting = [
        (words.index(label.part), joint)
        for joint, label in enumerate(labels)
        if label.side == side and label.is_body and label.part in words
    ]
    return [joint for _, joint in sorted(fitting) if below is None or below in _ancestors(skeleton, joint)]


def _limbs_complete(roles: dict[str, int]) -> bool:
    limbs = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    return all(f"{side}_{limb}" in roles for side in ("left", "right") for limb in limbs)


def _middle(skeleton: Skeleton, labels: list[Label], roles: dict[str, int]) -> dict[str, int]:
    """Pelvis, spine, neck and head from the tree between the limbs."""
    pelvis = _common(skeleton, roles["left_hip"], roles["right_hip"])
    chest = _common(skeleton, roles["left_shoulder"], roles["right_shoulder"])
    found = {"pelvis": pelvis}
    named = [j for j in _candidates(skeleton, labels, None, HEAD) if j == chest or chest in _ancestors(skeleton, j)]
    head = named[0] if named else _head_by_shape(skeleton, roles, chest)
    if head is None:
        return found
    found["head"] = head
    between = _path(skeleton, chest, head)[:-1]
    if between:
        found["neck"] = between[0]
    elif labels[chest].part in NECK and skeleton.parents[chest] >= 0:
        found["neck"], chest = chest, skeleton.parents[chest]
    spine = _path(skeleton, _common(skeleton, pelvis, chest), chest)
    if not spine:
        return found
    found["spine3"] = spine[-1]
    along = np.cumsum([np.linalg.norm(skeleton.offsets[joint]) for joint in spine])
    share = along / max(float(along[-1]), 1e-9)
    lower = list(range(len(spine) - 1))
    if lower:
        second = min(lower, key=lambda i: abs(share[i] - _SPINE2_AT))
        if len(lower) > 1 and second == 0:
            second = 1
        found["spine2"] = spine[second]
        if second > 0:
            found["spine1"] = spine[min(range(second), key=lambda i: abs(share[i] - _SPINE1_AT))]
    return found


def _head_by_shape(skeleton: Skeleton, roles: dict[str, int], chest: int) -> int | None:
    arms = {roles["left_shoulder"], roles["right_shoulder"]}
    reach = _reach(skeleton)
    free = [c for c in skeleton.children[chest] if not any(c == a or c in _ancestors(skeleton, a) for a in arms)]
    free = [c for c in free if not any(c == j or c in _ancestors(skeleton, j) for j in roles.values())]
    if not free:
        return None
    joint = max(free, key=lambda c: float(np.linalg.norm(skeleton.offsets[c])) + reach[c])
    while (
        len(skeleton.children[joint]) == 1 and "end" not in read_name(skeleton.names[skeleton.children[joint][0]]).words
    ):
        joint = skeleton.children[joint][0]
    return joint


def _limbs_by_shape(skeleton: Skeleton, labels: list[Label]) -> dict[str, int] | None:
    """Find two alike legs on one joint and, further along another branch, two alike arms beside a neck."""
    if any(word in ANIMAL for label in labels for word in label.words):
        return None
    reach = _reach(skeleton)
    pairs = _alike_pairs(skeleton, reach)
    if len(pairs) > _MOST_PAIRS:
        return None
    limbs = {
        joint: _two_long_bones(skeleton, _longest_path(skeleton, reach, joint)) for _, *pair in pairs for joint in pair
    }
    above = {fork: set(_ancestors(skeleton, fork)) for fork, _, _ in pairs}
    for fork, *legs in pairs:
        leg_chains = [chain for leg in legs if (chain := limbs[leg]) is not None]
        for shoulders, *arms in pairs if len(leg_chains) == 2 else ():
            if fork == shoulders or any(shoulders == leg or leg in above[shoulders] for leg in legs):
                continue
            if fork not in above[shoulders] or len(skeleton.children[shoulders]) < 3:
                continue
            arm_chains = [chain for arm in arms if (chain := limbs[arm]) is not None]
            if len(arm_chains) == 2:
                return _with_sides(skeleton, labels, leg_chains, arm_chains)
    return None


def _alike_pairs(skeleton: Skeleton, reach: np.ndarray) -> list[tuple[int, int, int]]:
    """Joints with two children that carry long chains of nearly one length; it stops where no person has as many."""
    whole = reach + np.linalg.norm(skeleton.offsets, axis=1)
    pairs: list[tuple[int, int, int]] = []
    for joint, children in enumerate(skeleton.children):
        long = [child for child in children if whole[child] > 0.25 * reach[0]]
        for first, second in combinations(long, 2):
            if abs(whole[first] - whole[second]) < 0.08 * max(whole[first], whole[second]):
                pairs.append((joint, first, second))
                if len(pairs) > _MOST_PAIRS:
                    return pairs
    return pairs


def _with_sides(
    skeleton: Skeleton, labels: list[Label], legs: list[list[int]], arms: list[list[int]]
) -> dict[str, int] | None:
    """Give the chains of joints (above the limb, then along it) their sides."""
    rest = skeleton.rest_positions
    up = rest[[arm[1] for arm in arms]].mean(0) - rest[[leg[1] for leg in legs]].mean(0)
    toes = [rest[leg[4]] - rest[leg[3]] for leg in legs if len(leg) > 4]
    ahead = np.mean(toes, axis=0) if toes else np.zeros(3)
    left = np.cross(up, ahead)
    if np.linalg.norm(left) < 0.02 * np.linalg.norm(up) ** 2:
        left = np.array([1.0, 0.0, 0.0])
    roles: dict[str, int] = {}
    kinds = (
        (legs, (None, "hip", "knee", "ankle", "foot")),
        (arms, ("collar", "shoulder", "elbow", "wrist", None)),
    )
    for (first, second), parts in kinds:
        said = {labels[joint].side for joint in first if joint >= 0} - {None}
        toward = float((rest[first[1]] - rest[second[1]]) @ left)
        first_is_left = said == {"left"} if len(said) == 1 else toward > 0
        for side, chain in (
            ("left", first if first_is_left else second),
            ("right", second if first_is_left else first),
        ):
            for part, joint in zip(parts, chain, strict=False):
                if part is not None and joint >= 0:
                    roles[f"{side}_{part}"] = joint
    return roles


def _two_long_bones(skeleton: Skeleton, path: list[int]) -> list[int] | None:
    """Of a path of joints, the one above a limb (-1: none), the limb's three joints and the next one beyond."""
    lengths = [float(np.linalg.norm(skeleton.offsets[joint])) for joint in path]
    if len(path) < 3:
        return None
    start = max(range(len(path) - 2), key=lambda i: min(lengths[i + 1], lengths[i + 2]))
    if min(lengths[start + 1], lengths[start + 2]) < 1e-6:
        return None
    return [path[start - 1] if start > 0 else -1, *path[start : start + 4]]


def _reach(skeleton: Skeleton) -> np.ndarray:
    """Length of the longest chain of bones that hangs below each joint, ``[J]``."""
    reach = np.zeros(len(skeleton))
    for joint in reversed(range(1, len(skeleton))):
        parent = skeleton.parents[joint]
        if parent >= 0:
            reach[parent] = max(reach[parent], reach[joint] + float(np.linalg.norm(skeleton.offsets[joint])))
    return reach


def _longest_path(skeleton: Skeleton, reach: np.ndarray, joint: int) -> list[int]:
    path = [joint]
    while skeleton.children[joint]:
        joint = max(skeleton.children[joint], key=lambda c: reach[c] + float(np.linalg.norm(skeleton.offsets[c])))
        path.append(joint)
    return path


def _ancestors(skeleton: Skeleton, joint: int) -> list[int]:
    """Joints above a joint, nearest first."""
    above = []
    while (joint := skeleton.parents[joint]) >= 0:
        above.append(joint)
    return above


def _path(skeleton: Skeleton, upper: int, lower: int) -> list[int]:
    """Joints from below ``upper`` down to ``lower``, which is included."""
    path = [lower, *_ancestors(skeleton, lower)]
    return path[: path.index(upper)][::-1]


def _common(skeleton: Skeleton, a: int, b: int) -> int:
    """Return the lowest joint that is above or equal to both."""
    above = {a, *_ancestors(skeleton, a)}
    return next(joint for joint in (b, *_ancestors(skeleton, b)) if joint in above)
