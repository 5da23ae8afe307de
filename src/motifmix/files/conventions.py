"""Unit of length and up axis of a file whose format leaves them open.

Both are found from the people in it and said in ``labels["source"]``; a caller who knows better overrules them.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from motifmix.errors import RequestError
from motifmix.motion import rotations as rot
from motifmix.motion.anatomy import bone_height, find_joints
from motifmix.motion.motion import Motion, Scene
from motifmix.motion.skeleton import Skeleton

# Metres in a unit. CMU's is what the raw database uses: 1/0.45 inch.
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "cmu": 0.0254 / 0.45}
SHORTEST, TALLEST = 1.4, 2.0  # metres: a unit is believed when it makes the skeleton an adult
ADULT = 1.7
RIGID = 1e-4  # metres: a joint whose translation moves less is a rigid bone

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
    axis = up or _up_axis(people, said)
    if axis not in ("y", "z"):
        raise RequestError(f"up is 'y' or 'z', not '{up}'")
    if axis == "z":
        people = [_laid(person) for person in people]
    label = {"file": name, "format": format_name, "up": axis, "units": unit_name, "scale": scale, "warnings": said}
    return Scene(tuple(person.with_labels(source=label) for person in people))


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
    heights = [bone_height(person.skeleton, find_joints(person.skeleton)) for person in people]
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


def _rigid(motion: Motion) -> Motion:
    """Make the translations that never move the offsets of the skeleton."""
    offsets = motion.skeleton.offsets.copy()
    moving = {}
    for joint, path in motion.joint_translations.items():
        middle = np.median(path, axis=0)
        if np.abs(path - middle).max() <= RIGID:
            offsets[joint] = middle
        else:
            moving[joint] = path
    skeleton = replace(motion.skeleton, offsets=offsets)
    return replace(motion, skeleton=skeleton, joint_translations=moving)


def _laid(motion: Motion) -> Motion:
    rotations = motion.rotations.copy()
    rotations[:, 0] = rot.multiply(Z_UP_TO_Y_UP, rotations[:, 0])
    return replace(motion, rotations=rotations, root=rot.rotate(Z_UP_TO_Y_UP, motion.root))


def _up_axis(people: Sequence[Motion], said: list[str]) -> str:
    score = 0.0
    for person in people:
        roles = find_joints(person.skeleton)
        top = roles.get("neck", roles.get("head"))
        if top is None or "left_hip" not in roles:
            continue
        joints = person.joints
        trunk = joints[:, top] - 0.5 * (joints[:, roles["left_hip"]] + joints[:, roles["right_hip"]])
        trunk /= np.linalg.norm(trunk, axis=-1, keepdims=True)
        score += float((trunk[:, 1] ** 2 - trunk[:, 2] ** 2).mean())
    return "y" if score >= 0 else "z"
