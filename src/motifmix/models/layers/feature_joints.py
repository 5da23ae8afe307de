"""Joint positions from features of our own space, through which gradients flow: what a recogniser reads."""

import torch
from torch import Tensor

from motifmix.features.own import MotifmixSpace


def feature_joints(features: Tensor) -> Tensor:
    """``features`` [B, T, 269] in the space's units to joints [B, T, 22, 3] (metres, Y up), from the origin facing +Z.

    Positions are taken from their own block, so that nothing but steps and turns is added up.
    """
    blocks = MotifmixSpace.blocks
    yaw = features[..., blocks["yaw_speed"]][..., 0].cumsum(dim=1)
    yaw = yaw - yaw[:, :1]
    before = torch.nn.functional.pad(yaw[:, :-1], (1, 0))
    left, ahead = features[..., blocks["root_velocity"]].unbind(dim=-1)
    x = (before.cos() * left + before.sin() * ahead).cumsum(dim=1)
    z = (before.cos() * ahead - before.sin() * left).cumsum(dim=1)
    height = features[..., blocks["root_height"]]
    root = torch.nn.functional.pad(height, (1, 1))[..., None, :]  # [B, T, 1, 3]
    local = torch.cat([root, features[..., blocks["joint_positions"]].unflatten(-1, (21, 3))], dim=2)
    cosine, sine = yaw.cos()[..., None], yaw.sin()[..., None]
    turned = torch.stack(
        [
            cosine * local[..., 0] + sine * local[..., 2] + (x - x[:, :1])[..., None],
            local[..., 1],
            cosine * local[..., 2] - sine * local[..., 0] + (z - z[:, :1])[..., None],
        ],
        dim=-1,
    )
    return turned
