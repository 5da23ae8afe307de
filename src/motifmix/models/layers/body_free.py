"""Joint positions to what a judge may see of them: motion without the body's size, place, heading or floor.

A judge that can measure a person knows the actor, and through the actor the style. So positions are turned into the
body's own heading, taken relative to the root and divided by the leg's length, and heights are counted from the lowest
toe of the clip, not from the floor (in the style set an offset of one centimetre gives a style away). Differentiable.
"""

import torch
from torch import Tensor

HIPS, KNEES, ANKLES, TOES, SHOULDERS = (1, 2), (4, 5), (7, 8), (10, 11), (16, 17)
JOINTS = 22
DIMENSIONS = 3 * (JOINTS - 1) + 3 * JOINTS + 2  # local positions, velocities, root height, yaw speed
VELOCITY_SCALE = 0.3  # leg lengths per second to the size of the other inputs
EPSILON = 1e-6


def body_free_features(joint_positions: Tensor, valid_mask: Tensor, fps: float) -> Tensor:
    """Describe clips ``[B, T, 22, 3]`` (metres, Y up) by ``[B, T, 131]`` numbers; invalid frames are zero.

    Blocks: positions of joints 1 to 21 relative to the root (leg lengths), velocities of all joints (leg lengths per
    second, scaled), height of the root above the clip's lowest toe (leg lengths), yaw speed (radians per second,
    scaled). ``valid_mask`` is ``[B, T]``, True where a frame is real; valid frames come first.
    """
    frames = joint_positions.shape[1]
    weight = valid_mask.to(joint_positions.dtype)
    leg = _leg_length(joint_positions, weight)[:, None, None, None]  # (B, 1, 1, 1)
    heading = _heading(joint_positions)  # (B, T, 2)
    local = _turned(joint_positions[:, :, 1:] - joint_positions[:, :, :1], heading) / leg
    # The step of a frame leads to the next one; the last valid frame repeats the step before it.
    last = (valid_mask.sum(dim=1) - 2).clamp(min=0)
    step = torch.minimum(torch.arange(frames - 1, device=weight.device)[None], last[:, None])
    step = torch.cat([step, step[:, -1:]], dim=1)  # (B, T)
    batch = torch.arange(len(weight), device=weight.device)[:, None]
    velocity = _turned(joint_positions.diff(dim=1), heading[:, :-1])[batch, step] / leg * (fps * VELOCITY_SCALE)
    ahead, here = heading[:, 1:], heading[:, :-1]
    sine = here[..., 0] * ahead[..., 1] - here[..., 1] * ahead[..., 0]
    yaw_speed = torch.atan2(sine, (here * ahead).sum(dim=-1))[batch, step, None] * (fps * VELOCITY_SCALE)
    toes = joint_positions[:, :, TOES, 1].amin(dim=2).masked_fill(~valid_mask, torch.inf).amin(dim=1)
    height = (joint_positions[:, :, 0, 1:2] - toes[:, None, None]) / leg[..., 0]
    features = torch.cat([local.flatten(2), velocity.flatten(2), height, yaw_speed], dim=-1)
    return features.masked_fill(~valid_mask[..., None], 0.0)  # (B, T, 131)


def _leg_length(joint_positions: Tensor, weight: Tensor) -> Tensor:
    thigh = (joint_positions[:, :, HIPS] - joint_positions[:, :, KNEES]).norm(dim=-1).mean(dim=-1)
    shin = (joint_positions[:, :, KNEES] - joint_positions[:, :, ANKLES]).norm(dim=-1).mean(dim=-1)
    return ((thigh + shin) * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1.0) + EPSILON


def _heading(joint_positions: Tensor) -> Tensor:
    """Cosine and sine of the yaw (0 looks along +Z, positive turns towards +X), ``[B, T, 2]``."""
    across = (joint_positions[:, :, HIPS[0]] - joint_positions[:, :, HIPS[1]]) + (
        joint_positions[:, :, SHOULDERS[0]] - joint_positions[:, :, SHOULDERS[1]]
    )
    flat = torch.stack([across[..., 0], -across[..., 2]], dim=-1)
    return flat / flat.norm(dim=-1, keepdim=True).clamp(min=EPSILON)


def _turned(vectors: Tensor, heading: Tensor) -> Tensor:
    """Turn ``[B, T, J, 3]`` by minus the yaw, so that the body looks along +Z."""
    cosine, sine = heading[..., 0, None], heading[..., 1, None]
    x = cosine * vectors[..., 0] - sine * vectors[..., 2]
    z = sine * vectors[..., 0] + cosine * vectors[..., 2]
    return torch.stack([x, vectors[..., 1], z], dim=-1)
