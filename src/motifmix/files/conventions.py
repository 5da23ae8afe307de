"""Unit of length and up axis of a file whose format leaves them open.

Both are found from the people in it and said in ``labels["source"]``; a caller who knows better overrules them.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from motifmix.errors import RequestError
from motifmix.motion import rotations as rot
from motifmix.motion.anatomy import REQUIRED_ROLES, bone_height, find_joints
from motifmix.motion.motion import Motion, Scene
from motifmix.motion.skeleton import Skeleton

# Metres in a unit. CMU's is what the raw database uses: 1/0.45 inch.
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "cmu": 0.0254 / 0.45}
SHORTEST, TALLEST = 1.4, 2.0  # metres: a unit is believed when it makes the skeleton an adult
ADULT = 1.7
RIGID = 1e-4  # metres: a joint whose translation moves less is a rigid bone
STRETCH = 0.05  # metres: one whose translation moves less is a bone all the same
SAMPLED = 300  # frames that are looked at to find the up axis
UNSURE = 0.5  # of a score that is about 4 for a person who walks
MOSTLY = 90.0  # percent of the frames
HEAD_DOWN, LYING = 0.5, 0.25  # of the way from the feet to the top that goes down, or neither up nor down
T_POSE = np.cos(np.radians(20.0))
JUMP = 0.05  # metres that the joints move on average between a T-pose and the take that it was put before
IMPOSSIBLE, SETTLED = 6.0, 3.0  # metres a second about the pelvis, mean of all joints: no body, a fast body
OUTSTANDING = 5.0  # times the take's own median speed; smoothed jumps measure 8 and more, takes begin with 2 at most
MOST_LEAD_IN = 30  # frames
FASTEST = 30.0  # metres a second that a pelvis may move without a word; people run 12, fall and jump from heights at 20

Z_UP_TO_Y_UP = np.array([-np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)])  # (x, y, z) -> (x, z, -y)


def settled(
    people: Sequence[Motion],
    *,
    up: str | None,
    units: str | float | None,
    name: str,
    format_name: str,
    warnings: Sequence[str] = (),
) -> Scene:
    """Bring motions in a file's own unit and axes to metres and Y up, and write down what was taken."""
    said = list(warnings)
    scale, unit_name = _scale(people, units, said)
    people = [_rigid(_scaled(person, scale)) for person in people]
    axis = up.lower() if up else _up_axis(people, said)
    if axis not in ("y", "z"):
        raise RequestError(f"up is 'y' or 'z', not '{up}'")
    if axis == "z":
        people = [_laid(person) for person in people]
    said += sorted({sentence for person in people if (sentence := _posture(person))})
    if len(people) > 1:
        said.append(f"The file holds {len(people)} people.")
    lead_ins = [_lead_in(person) for person in people]
    shown = max(lead_ins, key=len)
    if shown:
        which = "Frame 0 is" if shown == [0] else f"Frames 0 to {shown[-1]} are"
        said.append(f"{which} no part of the take, which jumps from there (a T-pose or rest pose in front).")
    said += leaps(people, start=shown[-1] + 1 if shown else 0)
    label = {"file": name, "format": format_name, "up": axis, "units": unit_name, "scale": scale, "warnings": said}
    return Scene(
        tuple(
            person.with_labels(source=label, **({"t_pose_frames": frames} if frames else {}))
            for person, frames in zip(people, lead_ins, strict=True)
        )
    )


def leaps(people: Sequence[Motion], start: int = 0) -> list[str]:
    """Say where the root of a person moves faster than any body, from frame ``start`` on; nothing for others."""
    said: list[str] = []
    for motion in people:
        if "pelvis" not in find_joints(motion.skeleton):
            continue
        speeds = np.linalg.norm(np.diff(motion.root[start:], axis=0), axis=-1) * motion.fps
        wrong = np.flatnonzero(speeds > FASTEST)
        if not len(wrong):
            continue
        worst = int(speeds.argmax())
        often = "" if len(wrong) == 1 else f", the worst of {len(wrong)} such leaps"
        said.append(
            f"From frame {start + worst} to frame {start + worst + 1} the person moves at {speeds[worst]:,.0f} m/s{often}; "
            "no body does, so look at those frames, the unit and the frame rate."
        )
    return said


def _scale(people: Sequence[Motion], units: str | float | None, said: list[str]) -> tuple[float, str]:
    if isinstance(units, str) and units in UNITS:
        return UNITS[units], units
    if units is not None:
        try:
            scale = float(units)
        except ValueError:
            scale = 0.0
        if not (np.isfinite(scale) and 0 < scale < 1e6):
            raise RequestError(f"units are {', '.join(UNITS)} or metres per unit, not '{units}'")
        return scale, f"{scale:g} m"
    measured = [_rigid(person, tolerance=np.inf).skeleton for person in people]
    heights = [bone_height(skeleton, find_joints(skeleton)) for skeleton in measured]
    known = [height for height in heights if height]
    if not known:
        said.append("No person's skeleton was recognised, so the unit is a guess; say units to overrule.")
        size = max(float(np.abs(person.skeleton.rest_positions).max(initial=1e-9)) for person in people)
        return (0.01, "cm") if size > 10.0 else (1.0, "m")
    height = float(np.median(known))
    for unit, scale in UNITS.items():
        if SHORTEST <= height * scale <= TALLEST:
            return scale, unit
    scale = ADULT / height
    said.append(
        f"The skeleton is {height:.4g} units tall, which no known unit makes an adult; it was scaled to {ADULT} m."
    )
    return scale, "normalised"


def _scaled(motion: Motion, scale: float) -> Motion:
    skeleton = motion.skeleton
    return replace(
        motion,
        skeleton=Skeleton(
            skeleton.names,
            skeleton.parents,
            skeleton.offsets * scale,
            {j: (x * scale, y * scale, z * scale) for j, (x, y, z) in skeleton.end_offsets.items()},
        ),
        root=motion.root * scale,
        joint_translations={j: path * scale for j, path in motion.joint_translations.items()},
    )


def _rigid(motion: Motion, tolerance: float = RIGID) -> Motion:
    """Make the translations that never move the offsets of the skeleton.

    A bone that only stretches keeps its translation, and its middle length is the skeleton's: the OFFSET beside
    position channels is often junk.
    """
    offsets = motion.skeleton.offsets.copy()
    moving = {}
    for joint, path in motion.joint_translations.items():
        middle = np.median(path, axis=0)
        reach = np.abs(path - middle).max()
        if reach <= max(tolerance, STRETCH):
            offsets[joint] = middle
        if reach > tolerance:
            moving[joint] = path
    skeleton = replace(motion.skeleton, offsets=offsets)
    return replace(motion, skeleton=skeleton, joint_translations=moving)


def _laid(motion: Motion) -> Motion:
    rotations = motion.rotations.copy()
    rotations[:, 0] = rot.multiply(Z_UP_TO_Y_UP, rotations[:, 0])
    return replace(motion, rotations=rotations, root=rot.rotate(Z_UP_TO_Y_UP, motion.root))


def _up_axis(people: Sequence[Motion], said: list[str]) -> str:
    """Weigh what speaks for Y against what speaks for Z; no single cue is right for every clip."""
    score = float(np.mean([_speaks_for_y(person) for person in people]))
    if abs(score) < UNSURE:
        said.append(f"It is not sure which axis is up; {'Y' if score >= 0 else 'Z'} was taken. Say up to overrule.")
    return "y" if score >= 0 else "z"


def _posture(motion: Motion) -> str:
    """Say that a person stands on the head or lies almost all the time, which few takes mean; empty for others."""
    motion = _thinned(motion)
    roles = find_joints(motion.skeleton)
    if any(role not in roles for role in REQUIRED_ROLES):
        return ""
    joints = motion.joints
    feet = 0.5 * (joints[:, roles["left_ankle"]] + joints[:, roles["right_ankle"]])
    upwards = _directions(joints[:, roles.get("neck", roles["head"])] - feet)[:, 1]
    if np.percentile(upwards, MOSTLY) < -HEAD_DOWN:
        does = "is upside down"
    elif np.percentile(np.abs(upwards), MOSTLY) < LYING:
        does = "lies"
    else:
        return ""
    return (
        f"The person {does} in nearly all frames; where the take means something else, give --up if another axis (y or "
        "z) is up in the file, and turn the file in the program that wrote it if X or a negative axis is."
    )


def _thinned(motion: Motion) -> Motion:
    """Some hundred frames of a motion, spread over the whole."""
    every = max(1, motion.frames // SAMPLED)
    return replace(
        motion,
        rotations=motion.rotations[::every],
        root=motion.root[::every],
        joint_translations={joint: path[::every] for joint, path in motion.joint_translations.items()},
    )


def _speaks_for_y(motion: Motion) -> float:
    """Score the cues of one person: positive for Y up, negative for Z up.

    The weights come from a logistic fit on all clips of the Bandai-Namco and CMU archives, each also with its world
    turned to the other axis: all 8,656 are on their side, and those nearest to the border are people who swim.
    """
    motion = _thinned(motion)
    joints = motion.joints
    # The lowest point of a body rests at one height, near zero, while its reach to the sides changes.
    lowest = joints[..., 1:].min(axis=1)
    low, high = np.percentile(lowest, (20, 80), axis=0)
    ground = np.abs(np.percentile(lowest, 10, axis=0)) + 0.1
    score = 0.65 * np.clip(np.log((high[1] - low[1] + 0.01) / (high[0] - low[0] + 0.01)), -2.0, 2.0)
    score += 0.6 * np.clip(np.log(ground[1] / ground[0]), -2.0, 2.0)
    roles = find_joints(motion.skeleton)
    if any(role not in roles for role in REQUIRED_ROLES):
        return float(score)
    top = roles.get("neck", roles["head"])
    hips = 0.5 * (joints[:, roles["left_hip"]] + joints[:, roles["right_hip"]])
    ankles = 0.5 * (joints[:, roles["left_ankle"]] + joints[:, roles["right_ankle"]])
    trunk, legs = _directions(joints[:, top] - hips), _directions(hips - ankles)
    sideways = _directions(
        joints[:, roles["left_hip"]] - joints[:, roles["right_hip"]]
        + joints[:, roles["left_shoulder"]] - joints[:, roles["right_shoulder"]]
    )  # fmt: skip
    rest = motion.skeleton.rest_positions
    standing = rest[top] - 0.5 * (rest[roles["left_ankle"]] + rest[roles["right_ankle"]])
    carried = _directions(rot.rotate(motion.rotations[:, 0], standing))
    # Whoever stands, crawls or swims has his left and right side level, and is upright more often than head down.
    score += 0.7 * _leans(trunk) + 0.8 * _leans(legs) + 0.15 * _leans(carried) - 0.8 * _leans(sideways)
    return float(score + 0.8 * (trunk[:, 1].mean() - trunk[:, 2].mean()))


def _leans(directions: np.ndarray) -> float:
    return float((directions[:, 1] ** 2 - directions[:, 2] ** 2).mean())


def _directions(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _lead_in(motion: Motion) -> list[int]:
    """Frames that some converters put in front of a take: a T-pose or rest pose from which it jumps.

    Where a converter smoothed the jump over a few frames, those that move as no body can are counted too, unless the
    whole take does: then its frame rate is wrong.
    """
    roles = find_joints(motion.skeleton)
    if motion.frames < 3 or any(role not in roles for role in REQUIRED_ROLES):
        return []
    longest = min(MOST_LEAD_IN, motion.frames // 2)
    start = motion.cropped(0, longest + 1)
    moves = _moves(start, roles["pelvis"])
    posed = _t_posed(start.joints, roles) | _at_rest(start)
    count = int(np.argmin(posed))
    if not posed.all() and count > 0 and moves[count - 1] > JUMP:
        return list(range(count))
    speeds = moves * motion.fps
    if speeds[0] > IMPOSSIBLE and (speeds < SETTLED).any():
        if moves[0] < OUTSTANDING * np.median(_moves(motion, roles["pelvis"])):
            return []
        return list(range(int(np.argmax(speeds < SETTLED))))
    return []


def _moves(motion: Motion, pelvis: int) -> np.ndarray:
    """How far the joints move about the pelvis from each frame to the next, mean of the joints in metres ``[T - 1]``."""
    centred = motion.joints - motion.joints[:, pelvis, None]
    return np.linalg.norm(np.diff(centred, axis=0), axis=-1).mean(axis=1)


def _t_posed(joints: np.ndarray, roles: dict[str, int]) -> np.ndarray:
    """Which frames ``[T]`` stand upright with straight legs and arms stretched out to the sides."""

    def bone(upper: str, lower: str) -> np.ndarray:
        return _directions(joints[:, roles[lower]] - joints[:, roles[upper]])

    side = bone("right_hip", "left_hip")
    posed = np.ones(len(joints), dtype=bool)
    for name, sign in (("left", 1.0), ("right", -1.0)):
        for upper, lower in (("hip", "knee"), ("knee", "ankle")):
            posed &= bone(f"{name}_{upper}", f"{name}_{lower}")[:, 1] < -T_POSE
        for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist")):
            posed &= sign * (bone(f"{name}_{upper}", f"{name}_{lower}") * side).sum(-1) > T_POSE
    return posed


def _at_rest(motion: Motion) -> np.ndarray:
    """Which frames ``[T]`` have every joint but the root exactly at rest."""
    return rot.angle_between(motion.rotations[:, 1:], np.broadcast_to(rot.IDENTITY, motion.rotations[:, 1:].shape)).max(
        axis=1, initial=0.0
    ) < np.radians(0.1)
