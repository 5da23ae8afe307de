"""Inter-X's numbers (Xu et al., CVPR 2024): both people's body-model rotations in one row of 672 a frame, at 30 fps.

Stored: ``[T, 56, 6]``, the last axis person 1 (3) then person 2 (3); rows 0 root, 1 to 21 body, 22 jaw, 23 and 24 eyes,
25 to 39 left hand, 40 to 54 right hand as axis and angle, row 55 the path in metres. Networks see every rotation as six
numbers (the matrix's first two rows, as in the conversion functions that the published code uses; no source shows them),
the path in columns 0 to 2 and 6 to 8 of its row, zeros beside it.
"""

import numpy as np

from motifmix.motion import rotations as rot

ROWS = 56
PATH_ROW = 55
DIM = ROWS * 12
NAME = "inter_x_672"
FPS = 30.0
SOURCE_STEP = 4  # the recordings have 120 fps
# Rows of the parts of a recording, in the order in which they are stored; the other rows are zero.
PARTS = {
    "root_orient": slice(0, 1),
    "pose_body": slice(1, 22),
    "pose_lhand": slice(25, 40),
    "pose_rhand": slice(40, 55),
    "trans": slice(55, 56),
}


def stored_pair(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> np.ndarray:
    """Two people's parts at 120 fps (``PARTS``: ``[T, joints, 3]``, root and path ``[T, 3]``) to ``[T / 4, 56, 6]``.

    The first person's place in the first frame is taken off both paths, in height as well.
    """
    frames = min(len(first["trans"]), len(second["trans"]))
    stored = np.zeros((len(range(0, frames, SOURCE_STEP)), ROWS, 6))
    for column, person in ((0, first), (3, second)):
        for part, rows in PARTS.items():
            values = person[part][:frames:SOURCE_STEP]
            stored[:, rows, column : column + 3] = values.reshape(len(values), -1, 3)
    stored[:, PATH_ROW] -= np.tile(stored[0, PATH_ROW, :3], 2)
    return stored


def network_rows(stored: np.ndarray) -> np.ndarray:
    """``[T, 56, 6]`` to what networks see, ``[T, 672]`` float32."""
    vectors = np.asarray(stored, dtype=np.float64).reshape(len(stored), ROWS, 2, 3)
    rows = rot.to_matrix(rot.from_rotvec(vectors))[..., :2, :].reshape(len(stored), ROWS, 2, 6)
    rows[:, PATH_ROW] = 0.0
    rows[:, PATH_ROW, :, :3] = vectors[:, PATH_ROW]
    return rows.reshape(len(stored), DIM).astype(np.float32)


def stored_rows(rows: np.ndarray) -> np.ndarray:
    """Networks' rows ``[T, 672]`` back to ``[T, 56, 6]``."""
    rows = np.asarray(rows, dtype=np.float64).reshape(len(rows), ROWS, 2, 6)
    # The rows of a matrix are the columns of its inverse.
    turns = rot.inverse(rot.from_six_d(rows))
    vectors = rot.to_rotvec(turns)
    vectors[:, PATH_ROW] = rows[:, PATH_ROW, :, :3]
    return vectors.reshape(len(rows), ROWS, 6)
