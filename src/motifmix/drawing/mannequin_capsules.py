"""How thick the mannequin is about each capsule's axis: radii that are measured on its mesh, not chosen."""

from functools import cache

import numpy as np

from motifmix.drawing.mannequin import load
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.motion.capsules import CAPSULES, segments


@cache
def mesh_radii() -> np.ndarray:
    """Return the mean distance of the skin from the axis of each of ``CAPSULES``, metres, ``[K]``.

    Every piece of skin counts, by its area, for the axis that it is nearest to; left and right are alike.
    """
    body = load()
    rest = Motion(MOTIFMIX, np.tile(rot.IDENTITY, (1, len(MOTIFMIX), 1)), np.zeros((1, 3)), 30.0)
    axes = segments(rest)[0]
    corners = body.vertices[body.faces]
    middles = corners.mean(axis=1)
    areas = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    start, along = axes[:, 0], axes[:, 1] - axes[:, 0]
    place = ((middles[:, None] - start) * along).sum(-1) / (along**2).sum(-1)
    nearest = start + np.clip(place, 0.0, 1.0)[..., None] * along
    distances = np.linalg.norm(middles[:, None] - nearest, axis=-1)
    whose = distances.argmin(axis=1)
    radii = np.array([np.average(distances[whose == k, k], weights=areas[whose == k]) for k in range(len(CAPSULES))])
    names = [(capsule.start, capsule.end or "") for capsule in CAPSULES]
    mirrored = [names.index((_other_side(start), _other_side(end))) for start, end in names]
    return 0.5 * (radii + radii[mirrored])


def _other_side(name: str) -> str:
    for side, other in (("left_", "right_"), ("right_", "left_")):
        if name.startswith(side):
            return other + name.removeprefix(side)
    return name
