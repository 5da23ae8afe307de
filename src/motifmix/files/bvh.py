"""Biovision hierarchy files (BVH), read as people have them and written as Blender wants them.

A row of the MOTION block holds the channels of all joints in the order of the hierarchy: degrees, intrinsic Euler
angles in the order in which a joint lists them (``Zrotation Xrotation Yrotation`` is R = Rz Rx Ry), positions in the
file's own unit. Positions *replace* the OFFSET, as every exporter means them. The format says nothing about unit and
up axis; ``conventions.py`` finds both. It has no place for a text or a credit line either.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from motifmix.atomic import replacing_all
from motifmix.errors import FileError, RequestError
from motifmix.files import conventions
from motifmix.files.bvh_parser import Document, Joint, parse_bvh
from motifmix.motion import rotations as rot
from motifmix.motion.anatomy import without_tips
from motifmix.motion.motion import Motion, Scene
from motifmix.motion.skeleton import Skeleton

__all__ = ["parse_bvh", "read_bvh", "write_bvh"]

MOST_BYTES = 1 << 30
SCALES = {"m": 1.0, "cm": 100.0}
# Angles are written as Z X Y: a person who turns, leans or lifts an arm sideways stays clear of the gimbal lock at
# 90 degrees about X.
ORDER = "ZXY"
_LOCK = 1e-6  # radians from the lock, below which only the sum of the outer angles has a meaning


def read_bvh(
    source: Path | str | bytes,
    *,
    up: Literal["y", "z"] | None = None,
    units: str | float | None = None,
    name: str | None = None,
) -> Scene:
    """Read a file (or its bytes) as a scene with one motion per root, on the file's own skeleton, metres, Y up.

    ``up`` and ``units`` (``m``, ``cm``, ``mm``, ``inch``, ``cmu`` or metres per unit) overrule what is recognised. What
    was taken stands in ``labels["source"]``: ``format``, ``up``, ``units``, ``scale``, ``warnings`` (sentences); frames
    that rest in front of the take in ``labels["t_pose_frames"]``. Raises ``FileError`` or ``ParseError`` with the line.
    """
    if isinstance(source, bytes):
        data, name = source, name or "BVH data"
    else:
        path = Path(source)
        name = name or str(path)
        data = _bytes_of(path, name)
    document = parse_bvh(data, name=name)
    people, sentences = [], []
    for root in document.roots:
        motion, said = _to_motion(document, root)
        people.append(motion)
        sentences += [sentence for sentence in said if sentence not in sentences]
    return conventions.settled(people, up=up, units=units, name=name, format_name="bvh", warnings=sentences)


def _bytes_of(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FileError(f"{name} is larger than {MOST_BYTES >> 30} GB; cut the take into pieces")
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"{name} cannot be read: {error.strerror or error}") from error


def _to_motion(document: Document, root: int) -> tuple[Motion, list[str]]:
    """One root's joints as a motion in the file's own unit and axes."""
    last = next((r for r in document.roots if r > root), len(document.joints))
    joints = [replace(j, parent=j.parent - root if j.parent >= 0 else -1) for j in document.joints[root:last]]
    rows, said = document.rows, []
    if tips := without_tips(_skeleton(joints)):
        joints = _with_tips(joints, tips)
        said.append(
            f"No joint of a hand or foot follows on some limbs: {', '.join(tips.values())} were put at End Sites."
        )
    offsets = np.array([joint.offset for joint in joints])
    positions: dict[int, np.ndarray] = {}
    for number, joint in enumerate(joints):
        columns = {c[1]: joint.first_column + i for i, c in enumerate(joint.channels) if c[0] == "position"}
        if columns:
            path = np.tile(offsets[number], (len(rows), 1))
            for axis, column in columns.items():
                path[:, "XYZ".index(axis)] = rows[:, column]
            positions[number] = path
    inner = [number for number in positions if number > 0]
    empty = [number for number in inner if not positions[number].any() and np.linalg.norm(offsets[number]) > 0]
    if empty and all(not positions[number].any() for number in inner):
        # Some exporters fill the columns of joints that they do not move with zeros; bones have a length.
        said.append("The position channels of all joints but the root are zero; the offsets were kept.")
        positions = {number: path for number, path in positions.items() if number == 0}
    skeleton = _skeleton(joints)
    path = positions.pop(0, np.tile(offsets[0], (len(rows), 1)))
    return Motion(skeleton, _rotations(joints, rows), path, document.fps, {}, positions), said


def _skeleton(joints: list[Joint]) -> Skeleton:
    return Skeleton(
        names=tuple(joint.name for joint in joints),
        parents=tuple(joint.parent for joint in joints),
        offsets=np.array([joint.offset for joint in joints]),
        end_offsets={number: joint.end for number, joint in enumerate(joints) if joint.end is not None},
    )


def _with_tips(joints: list[Joint], tips: dict[int, str]) -> list[Joint]:
    """Make a joint that never turns of the End Site of each joint in ``tips``, right after it, by the name given."""
    numbers = [number + sum(tip < number for tip in tips) for number in range(len(joints))]
    longer: list[Joint] = []
    for number, joint in enumerate(joints):
        moved = replace(joint, parent=numbers[joint.parent] if joint.parent >= 0 else -1)
        if number not in tips or joint.end is None:
            longer.append(moved)
            continue
        longer += [replace(moved, end=None), Joint(tips[number], numbers[number], joint.end)]
    return longer


def _rotations(joints: list[Joint], rows: np.ndarray) -> np.ndarray:
    """Local rotations ``[T, J, 4]``; joints with the same order are converted together."""
    result = np.tile(rot.IDENTITY, (len(rows), len(joints), 1))
    by_order: dict[str, list[int]] = {}
    for number, joint in enumerate(joints):
        order = "".join(axis for kind, axis in joint.channels if kind == "rotation")
        if order:
            by_order.setdefault(order, []).append(number)
    for order, numbers in by_order.items():
        columns = [
            [joints[number].first_column + i for i, c in enumerate(joints[number].channels) if c[0] == "rotation"]
            for number in numbers
        ]
        result[:, numbers] = rot.from_euler(order, rows[:, columns])
    return result


def write_bvh(
    path: Path | str,
    scene: Scene | Motion,
    *,
    fps: float | None = 30.0,
    units: str = "m",
    one_file: bool = False,
    force: bool = False,
) -> tuple[Path, ...]:
    """Write motions as Blender's importer wants them: Y up, metres, the skeleton's own rest pose, smooth angles.

    ``fps`` resamples (``None`` keeps the motion's rate). Several people become ``walk_1.bvh``, ``walk_2.bvh``, ..., or
    one file with a root each when ``one_file``. Returns the paths. Raises ``FileError``, and ``RequestError`` for an
    unknown unit.
    """
    if units not in SCALES:
        raise RequestError(f"a BVH is written in {' or '.join(SCALES)}, not '{units}'")
    path = Path(path)
    people = [scene] if isinstance(scene, Motion) else list(scene.people)
    if fps is not None:
        people = [person.resampled(fps) for person in people]
    groups = [people] if one_file else [[person] for person in people]
    paths = numbered(path, len(groups))
    texts = [_text(group, SCALES[units], path) for group in groups]
    with replacing_all(paths, force=force) as temporaries:
        for temporary, text in zip(temporaries, texts, strict=True):
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return tuple(paths)


def numbered(path: Path, count: int) -> list[Path]:
    """Name one file for each of several people: ``walk.bvh`` becomes ``walk_1.bvh``, ``walk_2.bvh``."""
    return [path] if count == 1 else [path.with_name(f"{path.stem}_{i}{path.suffix}") for i in range(1, count + 1)]


def _text(people: Sequence[Motion], scale: float, path: Path) -> str:
    frames = people[0].frames
    if any(person.frames != frames for person in people):
        raise FileError(f"{path}: the people's clips differ in length; write one file for each")
    lines = ["HIERARCHY"]
    for person in people:
        _write_joint(lines, person, 0, scale)
    rows = np.concatenate([_columns(person, scale) for person in people], axis=1)
    lines += ["MOTION", f"Frames: {frames}", f"Frame Time: {1.0 / people[0].fps:.8f}"]
    form = " ".join(["%.6f"] * rows.shape[1])
    lines += [form % tuple(row) for row in (np.round(rows, 6) + 0.0).tolist()]
    return "\n".join(lines) + "\n"


def _write_joint(lines: list[str], motion: Motion, top: int, scale: float) -> None:
    """Append the block of a root; an explicit stack, as a skeleton may be deep."""
    skeleton = motion.skeleton
    angles = " ".join(f"{axis}rotation" for axis in ORDER)
    stack: list[tuple[int, int, bool]] = [(top, 0, False)]
    while stack:
        joint, depth, closing = stack.pop()
        tab = "\t" * depth
        if closing:
            lines.append(f"{tab}}}")
            continue
        name = " ".join(skeleton.names[joint].replace("{", "(").replace("}", ")").split()) or f"joint{joint}"
        # The position channels hold the root's place; its own offset has no meaning.
        offset = np.zeros(3) if joint == top else skeleton.offsets[joint]
        lines += [
            f"{tab}{'ROOT' if joint == top else 'JOINT'} {name}",
            f"{tab}{{",
            f"{tab}\tOFFSET {_three(offset, scale)}",
        ]
        if joint == top or joint in motion.joint_translations:
            lines.append(f"{tab}\tCHANNELS 6 Xposition Yposition Zposition {angles}")
        else:
            lines.append(f"{tab}\tCHANNELS 3 {angles}")
        stack.append((joint, depth, True))
        if not skeleton.children[joint]:
            end = np.asarray(skeleton.end_offsets.get(joint, (0.0, 0.0, 0.0)))
            lines += [f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET {_three(end, scale)}", f"{tab}\t}}"]
        stack += [(child, depth + 1, False) for child in reversed(skeleton.children[joint])]


def _three(vector: np.ndarray, scale: float) -> str:
    return " ".join(f"{round(float(value) * scale, 6) + 0.0:.6f}" for value in vector)


def _columns(motion: Motion, scale: float) -> np.ndarray:
    """Rows ``[T, C]`` in the order in which :func:`_write_joint` lists the joints."""
    angles = smooth_angles(motion.rotations)
    order, stack = [], [0]
    while stack:
        joint = stack.pop()
        order.append(joint)
        stack += reversed(motion.skeleton.children[joint])
    columns = []
    for joint in order:
        if joint == 0:
            columns.append(motion.root * scale)
        elif joint in motion.joint_translations:
            columns.append(motion.joint_translations[joint] * scale)
        columns.append(angles[:, joint])
    return np.concatenate(columns, axis=1)


def smooth_angles(rotations: np.ndarray) -> np.ndarray:
    """Euler angles ``[T, J, 3]`` in degrees (``ORDER``) that never jump by a turn from one frame to the next.

    Every rotation has two triples of angles, and whole turns besides; the one nearest to the frame before is taken. At
    the gimbal lock, where only the sum of the outer angles is given, the last angle keeps its value.
    """
    first = np.radians(rot.to_euler(ORDER, rotations))
    result = np.empty_like(first)
    before = np.zeros(first.shape[1:])
    for frame, (a, b, c) in enumerate(first.transpose(0, 2, 1)):
        locked = np.abs(np.abs(b) - np.pi / 2) < _LOCK
        sign = np.sign(b)
        last = before[:, 2]
        a, c = np.where(locked, a + sign * (c - last), a), np.where(locked, last, c)
        one = np.stack([a, b, c], axis=-1)
        other = np.stack([a + np.pi, np.pi - b, c + np.pi], axis=-1)
        one, other = (before + np.remainder(x - before + np.pi, 2 * np.pi) - np.pi for x in (one, other))
        nearer = np.abs(one - before).sum(-1) <= np.abs(other - before).sum(-1)
        result[frame] = before = np.where(nearer[:, None], one, other)
    return np.degrees(result)
