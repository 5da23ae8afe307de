"""Which joint of a skeleton is a knee: the 22 roles of our own skeleton, found in anybody's.

Names decide first (Mixamo, Poser and Daz, Biped, Unreal, Rigify, SMPL, CMU's, Bandai-Namco's, Japanese rigs, ...),
with or without prefixes, in any letter case. A limb that no name gives away is found by the shape of the tree: a pair
of alike leg chains that leave one joint, a pair of alike arm chains beside a neck. Left and right come from names, or
else from the rest pose. The middle (pelvis, spine) always comes from the tree between the limbs, because names such as
``Spine1`` mean another joint in every rig. Roles without a joint (``spine1``, a collar, a foot) are absent.
"""

import re
import unicodedata
from itertools import combinations
from typing import NamedTuple

import numpy as np

from motifmix.errors import FileError
from motifmix.motion.skeleton import Skeleton

REQUIRED_ROLES = (
    "pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "head",
)  # fmt: skip

# Words of a joint's name, side and prefixes taken off, in falling order of trust. A word in two lists is settled by
# what else the limb has: "Shoulder" is a collar bone where an "Arm" follows, and "Foot" a toe where an "Ankle" leads.
_HIP = (
    "thigh",
    "upleg",
    "upperleg",
    "thighbend",
    "legupper",
    "femur",
    "太もも",
    "太腿",
    "大腿",
    "hip",
    "leg",
    "足",
    "hipjoint",
)
_KNEE = ("knee", "shin", "calf", "lowerleg", "lowleg", "leglower", "tibia", "ひざ", "膝", "すね", "下腿", "leg")
_ANKLE = ("ankle", "足首", "foot", "feet")
_TOE = ("toe", "toes", "ball", "forefoot", "toebones", "つま先", "爪先", "足先", "foot")
_SHOULDER = ("upperarm", "uparm", "armupper", "humerus", "shldrbend", "uarm", "腕", "上腕", "arm", "shoulder", "shldr")
_ELBOW = ("elbow", "forearm", "lowerarm", "lowarm", "armlower", "forearmbend", "farm", "radius", "ひじ", "肘", "前腕")
_WRIST = ("wrist", "手首", "hand", "手")
_COLLAR = ("collar", "clavicle", "clav", "scapula", "collarbone", "肩", "shoulder", "shldr")
_NECK = ("neck", "lowerneck", "necklower", "首")
_HEAD = ("head", "頭", "upperneck")
_LIMB_WORDS = frozenset((*_HIP, *_KNEE, *_ANKLE, *_TOE, *_SHOULDER, *_ELBOW, *_WRIST, *_COLLAR))

# Parts of names that say nothing about the body, and parts that say that a joint is no joint of the body.
_NOISE = frozenset(
    {
        "bip",
        "biped",
        "mixamorig",
        "mixamo",
        "def",
        "org",
        "cc",
        "base",
        "valve",
        "valvebiped",
        "j",
        "b",
        "m",
        "f",
        "avg",
    }
    | {"jnt", "joint", "bone", "bn", "skel", "skeleton", "rig", "human", "character", "actor", "sk", "root", "body"}
)
_NOT_A_JOINT = frozenset(
    {"twist", "roll", "ik", "pole", "target", "ctrl", "control", "end", "nub", "tip", "site", "dummy", "effector"}
    | {"helper", "share", "adjust", "goal", "socket"}
)
_ANIMAL = frozenset(("tail", "hind", "rear", "front", "paw", "hoof", "wing", "horn", "snout"))
_LEFT = frozenset(("left", "l", "左", "lft", "lt"))
_RIGHT = frozenset(("right", "r", "右", "rgt", "rt"))

# How far along the chain from pelvis to chest our lower spine joints lie (see skeleton.py).
_SPINE1_AT, _SPINE2_AT = 0.32, 0.64

# No person's rig comes near either; a file made to cost hours is refused in a second.
_MOST_PAIRS = 300
_MOST_NAMESAKES = 24


def find_joints(skeleton: Skeleton) -> dict[str, int]:
    """Map the roles of the motifmix skeleton to the joints that play them, as far as they exist.

    An animal or an object gives an incomplete map (see :func:`require_person`).
    """
    labels = [_read_name(name) for name in skeleton.names]
    roles: dict[str, int] = {}
    for side in ("left", "right"):
        roles |= _leg_by_names(skeleton, labels, side)
        roles |= _arm_by_names(skeleton, labels, side)
    if not _limbs_complete(roles):
        roles = _limbs_by_shape(skeleton, labels) or roles
    if _limbs_complete(roles):
        roles |= _middle(skeleton, labels, roles)
    return {role: roles[role] for role in sorted(roles, key=lambda role: roles[role])}


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
    return roles


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
    tips = [joint for joint in skeleton.children[head] if "end" in _read_name(skeleton.names[joint]).words]
    if tips:
        crown = float(lengths[tips[0]])
    body = leg * 1.13 + trunk
    if not 0.09 * body < crown < 0.2 * body:  # some exporters end a head after a token length
        crown = 0.135 * body
    return body + crown


class _Label(NamedTuple):
    """What a joint's name says: ``left``, ``right`` or ``None``; the part of the body; its words without the side."""

    side: str | None
    part: str
    words: tuple[str, ...]

    @property
    def is_body(self) -> bool:
        return not any(word in _NOT_A_JOINT for word in self.words)


def _read_name(name: str) -> _Label:
    plain = unicodedata.normalize("NFKC", name).strip()
    plain = re.split(r"[:|]", plain)[-1]
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", plain)
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", spaced)
    spaced = re.sub(r"([左右])", r" \1 ", spaced)
    words = [w for w in re.split(r"[\s_.\-+/()]+|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", spaced.lower()) if w]
    side: str | None = None
    kept: list[str] = []
    for word in words:
        if word in _LEFT or word in _RIGHT:
            side = side or ("left" if word in _LEFT else "right")
        else:
            kept.append(word)
    part = "".join(word for word in kept if word not in _NOISE and not word.isdigit())
    if part == "hip" and "joint" in kept:
        part = "hipjoint"
    if side is None:
        for prefix, found in (("left", "left"), ("right", "right"), ("l", "left"), ("r", "right")):
            rest = part.removeprefix(prefix).removesuffix("base")
            if rest != part and rest in _LIMB_WORDS:
                side, part = found, rest
                break
    return _Label(side, part, tuple(kept))


def _leg_by_names(skeleton: Skeleton, labels: list[_Label], side: str) -> dict[str, int]:
    chain = _chain_by_names(skeleton, labels, side, (_HIP, _KNEE, _ANKLE))
    if chain is None:
        return {}
    hip, knee, ankle = chain
    roles = {f"{side}_hip": hip, f"{side}_knee": knee, f"{side}_ankle": ankle}
    toe = next(iter(_candidates(skeleton, labels, side, _TOE, below=ankle)), None)
    return roles if toe is None else {**roles, f"{side}_foot": toe}


def _arm_by_names(skeleton: Skeleton, labels: list[_Label], side: str) -> dict[str, int]:
    chain = _chain_by_names(skeleton, labels, side, (_SHOULDER, _ELBOW, _WRIST))
    if chain is None:
        return {}
    shoulder, elbow, wrist = chain
    roles = {f"{side}_shoulder": shoulder, f"{side}_elbow": elbow, f"{side}_wrist": wrist}
    above = _ancestors(skeleton, shoulder)
    collar = next((j for j in _candidates(skeleton, labels, side, _COLLAR) if j in above), None)
    return roles if collar is None else {**roles, f"{side}_collar": collar}


def _chain_by_names(
    skeleton: Skeleton, labels: list[_Label], side: str, vocabularies: tuple[tuple[str, ...], ...]
) -> tuple[int, int, int] | None:
    # Joints of one side with the words of one part are a handful; namesakes beyond that are no limb of a person.
    uppers, middles, lowers = (_candidates(skeleton, labels, side, v)[:_MOST_NAMESAKES] for v in vocabularies)
    above = {joint: set(_ancestors(skeleton, joint)) for joint in {*middles, *lowers}}
    for upper in uppers:
        for middle in middles:
            for lower in lowers if upper in above[middle] else ():
                if middle in above[lower]:
                    return upper, middle, lower
    return None


def _candidates(
    skeleton: Skeleton, labels: list[_Label], side: str | None, words: tuple[str, ...], below: int | None = None
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


def _middle(skeleton: Skeleton, labels: list[_Label], roles: dict[str, int]) -> dict[str, int]:
    """Pelvis, spine, neck and head from the tree between the limbs."""
    pelvis = _common(skeleton, roles["left_hip"], roles["right_hip"])
    chest = _common(skeleton, roles["left_shoulder"], roles["right_shoulder"])
    found = {"pelvis": pelvis}
    named = [j for j in _candidates(skeleton, labels, None, _HEAD) if j == chest or chest in _ancestors(skeleton, j)]
    head = named[0] if named else _head_by_shape(skeleton, roles, chest)
    if head is None:
        return found
    found["head"] = head
    between = _path(skeleton, chest, head)[:-1]
    if between:
        found["neck"] = between[0]
    elif labels[chest].part in _NECK and skeleton.parents[chest] >= 0:
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
        len(skeleton.children[joint]) == 1
        and "end" not in _read_name(skeleton.names[skeleton.children[joint][0]]).words
    ):
        joint = skeleton.children[joint][0]
    return joint


def _limbs_by_shape(skeleton: Skeleton, labels: list[_Label]) -> dict[str, int] | None:
    """Find two alike legs on one joint and, further along another branch, two alike arms beside a neck."""
    if any(word in _ANIMAL for label in labels for word in label.words):
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
    skeleton: Skeleton, labels: list[_Label], legs: list[list[int]], arms: list[list[int]]
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
