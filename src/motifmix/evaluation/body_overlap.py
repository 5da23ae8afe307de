"""How much of two people's bodies is in the same place: the volume that both mannequins' meshes enclose, in litres.

Each mesh is cut into vertical columns: where a line through a column's middle enters and leaves the body is exact, so the
volume is a sum of lengths times the column's area. A body that folds into itself counts once (winding number above 0).
"""

import numpy as np

from motifmix.drawing.mannequin import Mannequin, load
from motifmix.motion import Motion
from motifmix.motion.capsules import clearance

COLUMN = 0.02  # metres
NEAR = 0.1  # metres between capsules: clothes and flesh beyond them reach no further
STRIDE = 3  # frames: ten looks a second
LITRES = 1000.0
_MIDDLE = np.array(
    [0.5013, 0.4931]
)  # of a column; off the exact middle, lest columns run along edges of regular meshes


def overlap_volume(one: Motion, other: Motion, *, stride: int = STRIDE, column: float = COLUMN) -> np.ndarray:
    """Return the litres in which two people are inside each other at every ``stride``-th frame, ``[ceil(T / stride)]``."""
    body, frames = load(), min(one.frames, other.frames)
    looked_at = np.arange(0, frames, stride)
    near = clearance(one, other)[looked_at] < NEAR
    volumes = np.zeros(len(looked_at))
    for place in np.flatnonzero(near):
        frame = int(looked_at[place])
        volumes[place] = mesh_overlap(body, body.posed(one, frame), body.posed(other, frame), column)
    return volumes


def mesh_overlap(body: Mannequin, first: np.ndarray, second: np.ndarray, column: float = COLUMN) -> float:
    """Return the litres that two posed meshes ``[V, 3]`` of one figure both enclose."""
    low = np.maximum(first.min(axis=0), second.min(axis=0))
    high = np.minimum(first.max(axis=0), second.max(axis=0))
    if (low >= high).any():
        return 0.0
    cells = np.maximum(np.ceil((high - low)[[0, 2]] / column).astype(int), 1)
    crossings = [_crossings(vertices[body.faces], low, cells, column) for vertices in (first, second)]
    column_of = np.concatenate([c[0] for c in crossings])
    if not len(column_of):
        return 0.0
    height = np.concatenate([c[1] for c in crossings])
    winding = np.concatenate([c[2] for c in crossings])
    whose = np.repeat([0, 1], [len(c[0]) for c in crossings])
    order = np.lexsort((height, column_of))
    column_of, height, winding, whose = column_of[order], height[order], winding[order], whose[order]
    inside = np.ones(len(order), dtype=bool)
    for person in (0, 1):
        # Closed meshes sum to nothing over a column, so the sum may run on from one to the next.
        inside &= np.cumsum(np.where(whose == person, winding, 0)) > 0
    gaps = np.diff(height) * (np.diff(column_of) == 0)
    return float((gaps * inside[:-1]).sum() * column**2 * LITRES)


def _crossings(
    triangles: np.ndarray, low: np.ndarray, cells: np.ndarray, column: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the middles of columns pass through triangles ``[F, 3, 3]``: column numbers, heights, and 1 going in, -1 out.

    Going up, a body is entered where its surface faces down.
    """
    flat = (triangles[..., [0, 2]] - low[[0, 2]]) / column - _MIDDLE  # in columns; a middle has whole numbers
    first = np.maximum(np.ceil(flat.min(axis=1)).astype(int), 0)
    last = np.minimum(np.floor(flat.max(axis=1)).astype(int), cells - 1)
    spans = np.maximum(last - first + 1, 0)
    counts = spans.prod(axis=1)
    owner = np.repeat(np.arange(len(triangles)), counts)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    point = first[owner] + np.stack(
        [within // np.maximum(spans[owner, 1], 1), within % np.maximum(spans[owner, 1], 1)], 1
    )
    a, b, c = flat[owner].transpose(1, 0, 2)

    def side(start: np.ndarray, end: np.ndarray) -> np.ndarray:
        return (end[:, 0] - start[:, 0]) * (point[:, 1] - start[:, 1]) - (end[:, 1] - start[:, 1]) * (
            point[:, 0] - start[:, 0]
        )

    parts = np.stack([side(b, c), side(c, a), side(a, b)], axis=1)
    area = parts.sum(axis=1)
    hit = ((parts >= 0).all(axis=1) | (parts <= 0).all(axis=1)) & (np.abs(area) > 1e-12)
    owner, parts, area, point = owner[hit], parts[hit], area[hit], point[hit]
    height = (parts * triangles[owner, :, 1]).sum(axis=1) / area
    # Seen from above (x right, z down the page) a surface that faces up runs with a negative area in these axes.
    return point[:, 0] * cells[1] + point[:, 1], height, np.where(area > 0, 1, -1)
