"""What small networks of people's features do differently: tokens of several frames, and joints said from the root.

Features are InterHuman's 262 numbers a frame, normalised; ``patch`` frames make a token, the last one filled with zeros.
"""

import torch
from torch import Tensor
from torch.nn import functional

from motifmix.features.interhuman import BLOCKS, JOINTS

FINER = 0.1  # of joints said from the root
_JOINTS = BLOCKS["joint_positions"]


def patched(features: Tensor, valid_mask: Tensor | None, patch: int) -> tuple[Tensor, Tensor | None]:
    """Frames [N, T, F] and which are real [N, T] to patches [N, L, patch F] and which of them hold a real frame [N, L]."""
    if patch == 1:
        return features, valid_mask
    missing = -features.shape[1] % patch
    features = functional.pad(features, (0, 0, 0, missing)).unflatten(1, (-1, patch)).flatten(2)
    if valid_mask is not None:
        valid_mask = functional.pad(valid_mask, (0, missing)).unflatten(1, (-1, patch)).any(dim=-1)
    return features, valid_mask


def unpatched(patches: Tensor, patch: int, count: int) -> Tensor:
    """Patches [N, L, patch F] to the features of ``count`` frames [N, count, F]."""
    return patches.unflatten(2, (patch, -1)).flatten(1, 2)[:, :count]


def from_root() -> Tensor:
    """Return what makes joints in the world [66] of the root and of joints said from it, ten times finer [66].

    Joints in the world are normalised by some metres, beside which a body is nothing: a network that says them so is lucky
    to get shoulders of the right width.
    """
    matrix = torch.eye(3 * JOINTS)
    for joint in range(1, JOINTS):
        for axis in (0, 2):  # heights are those above the floor already
            matrix[3 * joint + axis, 3 * joint + axis] = FINER
            matrix[3 * joint + axis, axis] = 1.0
    return matrix


def in_the_world(features: Tensor, matrix: Tensor | None) -> Tensor:
    """Return features [..., F] with joints in the world, where they were said from the root (:func:`from_root`)."""
    if matrix is None:
        return features
    return torch.cat([functional.linear(features[..., _JOINTS], matrix), features[..., _JOINTS.stop :]], dim=-1)
