"""One HumanML3D clip as 262 features of one person, as in2IN and MixerMDM feed their individual models.

Joints come from the ``new_joints`` file, rotations from the 263 vector of the same clip. No frame is resampled: the
result has HumanML3D's 20 frames a second where InterHuman has 30. For features of the right rate and with a body
model's rotations go by way of a ``Motion``: ``InterHumanSpace().encode(HumanML3DSpace().decode(vectors))``.
"""

from collections.abc import Collection

import numpy as np

from motifmix.features.humanml3d import feature_blocks
from motifmix.features.interhuman import JOINTS, Person, extract_person
from motifmix.quirks import Quirk

ROTATIONS_AT_133 = Quirk(
    "rotations_read_at_133",
    "the published reader takes columns 133 to 258 for rotations, which are half of them and the velocities; the "
    "published statistics show that the released data were not made by it",
)
COLUMNS_NOT_INTERLEAVED = Quirk(
    "columns_not_interleaved",
    "HumanML3D writes a rotation's two columns one after the other, InterHuman interleaves them; the individual models "
    "were trained on HumanML3D's order",
)

_PUBLISHED_ROTATIONS = slice(133, 259)


def load_clip(joints: np.ndarray, vectors: np.ndarray, quirks: Collection[Quirk] = ()) -> np.ndarray:
    """``joints [T, 22 or more, 3]`` (y up, metres) and ``vectors [T - 1, 263]`` to ``[T - 1, 192]``.

    The result is what :func:`~motifmix.features.interhuman.extract_person` takes with ``up_axis="y"``. Raises
    ``ValueError`` where the two do not belong together.
    """
    if len(joints) != len(vectors) + 1:
        raise ValueError(f"{len(joints)} frames of joints have {len(joints) - 1} vectors, not {len(vectors)}")
    if joints.shape[1] < JOINTS:
        raise ValueError(f"a clip has at least {JOINTS} joints, this one {joints.shape[1]}")
    if ROTATIONS_AT_133 in quirks:
        rotations = vectors[:, _PUBLISHED_ROTATIONS]
    else:
        rotations = vectors[:, feature_blocks(JOINTS)["joint_rotations"]]
    if COLUMNS_NOT_INTERLEAVED not in quirks:
        columns = rotations.reshape(len(vectors), JOINTS - 1, 2, 3)
        rotations = columns.swapaxes(-1, -2).reshape(len(vectors), -1)
    return np.concatenate([joints[:-1, :JOINTS].reshape(len(vectors), -1), rotations], axis=-1)


def person_from_clip(
    joints: np.ndarray,
    vectors: np.ndarray,
    quirks: Collection[Quirk] = (),
    *,
    contact_step: float = 0.001,
    contact_heights: tuple[float, float] = (0.12, 0.05),
) -> Person:
    """The clip's features ``[T - 2, 262]`` at the canonical start, and what took it there."""
    return extract_person(
        load_clip(joints, vectors, quirks), up_axis="y", contact_step=contact_step, contact_heights=contact_heights
    )
