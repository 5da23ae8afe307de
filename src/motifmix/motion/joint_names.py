"""What a joint's name says: the words that rigs have for the parts of a body, and the reading of one name."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

# Words of a joint's name, side and prefixes taken off, in falling order of trust. A word in two lists is settled by
# what else the limb has: "Shoulder" is a collar bone where an "Arm" follows, and "Foot" a toe where an "Ankle" leads.
HIP = (
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
KNEE = ("knee", "shin", "calf", "lowerleg", "lowleg", "leglower", "tibia", "ひざ", "膝", "すね", "下腿", "leg")
ANKLE = ("ankle", "足首", "foot", "feet")
TOE = ("toe", "toes", "ball", "forefoot", "toebones", "つま先", "爪先", "足先", "foot")
SHOULDER = ("upperarm", "uparm", "armupper", "humerus", "shldrbend", "uarm", "腕", "上腕", "arm", "shoulder", "shldr")
ELBOW = ("elbow", "forearm", "lowerarm", "lowarm", "armlower", "forearmbend", "farm", "radius", "ひじ", "肘", "前腕")
WRIST = ("wrist", "手首", "hand", "手")
COLLAR = ("collar", "clavicle", "clav", "scapula", "collarbone", "肩", "shoulder", "shldr")
NECK = ("neck", "lowerneck", "necklower", "首")
HEAD = ("head", "頭", "upperneck")
_LIMB_WORDS = frozenset((*HIP, *KNEE, *ANKLE, *TOE, *SHOULDER, *ELBOW, *WRIST, *COLLAR))

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
ANIMAL = frozenset(("tail", "hind", "rear", "front", "paw", "hoof", "wing", "horn", "snout"))
_LEFT = frozenset(("left", "l", "左", "lft", "lt"))
_RIGHT = frozenset(("right", "r", "右", "rgt", "rt"))


class Label(NamedTuple):
    """What a joint's name says: ``left``, ``right`` or ``None``; the part of the body; its words without the side."""

    side: str | None
    part: str
    words: tuple[str, ...]

    @property
    def is_body(self) -> bool:
        """Whether this may be a joint of the body: no twist bone, handle or end."""
        return not any(word in _NOT_A_JOINT for word in self.words)


@lru_cache(maxsize=4096)  # every skeleton is asked for again and again
def read_name(name: str) -> Label:
    """Read a joint's name in any letter case, with or without prefixes and numbers."""
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
    return Label(side, part, tuple(kept))
