"""Joint positions of HumanML3D-like features, where a gradient must flow; ``features/humanml3d.py`` explains the layout."""

import torch
from torch import Tensor

from motifmix.features.humanml3d import feature_blocks


def joint_positions(features: Tensor) -> Tensor:
    """Features [..., T, 12 J - 1] (not normalised) to joints [..., T, J, 3] in metres, from their position block."""
    joints = (features.shape[-1] + 1) // 12
    blocks = feature_blocks(joints)
    half = _shifted(features[..., blocks["yaw_speed"]]).cumsum(-2)  # [..., T, 1]
    cosine, sine = torch.cos(2.0 * half), torch.sin(2.0 * half)
    path = _turned(_shifted(features[..., blocks["root_velocity"]]), cosine, sine).cumsum(-2)  # [..., T, 2] (x, z)
    root = torch.stack([path[..., 0], features[..., blocks["root_height"]][..., 0], path[..., 1]], dim=-1)
    local = features[..., blocks["joint_positions"]].unflatten(-1, (joints - 1, 3))
    flat = _turned(local[..., [0, 2]], cosine[..., None], sine[..., None]) + path[..., None, :]
    others = torch.stack([flat[..., 0], local[..., 1], flat[..., 1]], dim=-1)
    return torch.cat([root[..., None, :], others], dim=-2)


def _turned(flat: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn (x, z) [..., 2] from the person's frame to the world's."""
    x, z = flat[..., :1], flat[..., 1:]
    return torch.cat([cosine * x - sine * z, sine * x + cosine * z], dim=-1)


def _shifted(values: Tensor) -> Tensor:
    """Move [..., T, C] one frame later, beginning with zero: a frame's speed leads to the next frame."""
    return torch.cat([torch.zeros_like(values[..., :1, :]), values[..., :-1, :]], dim=-2)
