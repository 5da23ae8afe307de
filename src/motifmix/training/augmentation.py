"""Bodies and takes as they might have been: what a judge must not rely on is varied at random.

Works on joint positions ``[B, T, 22, 3]`` (metres, Y up). Limbs change length, the whole body leans a little, every
joint sits a little elsewhere on its bone (as in another skeleton), and the sensors are noisy. Mirroring and speed
belong to the sampler, since they change labels and lengths.
"""

import numpy as np
import torch
from torch import Tensor

from motifmix.motion.skeleton import JOINT_NAMES, JOINT_PARENTS

LEGS = tuple(i for i, name in enumerate(JOINT_NAMES) if name.split("_")[-1] in ("knee", "ankle", "foot"))
ARMS = tuple(i for i, name in enumerate(JOINT_NAMES) if name.split("_")[-1] in ("elbow", "wrist"))
SHOULDERS = tuple(i for i, name in enumerate(JOINT_NAMES) if name.split("_")[-1] in ("collar", "shoulder"))
SPINE = tuple(i for i, name in enumerate(JOINT_NAMES) if name in ("spine1", "spine2", "spine3", "neck", "head"))
HIPS = tuple(i for i, name in enumerate(JOINT_NAMES) if name.split("_")[-1] == "hip")


def vary_bodies(
    joint_positions: Tensor,
    valid_mask: Tensor,
    generator: torch.Generator,
    bones: float = 0.15,
    lean: float = 0.04,
    placement: float = 0.008,
    noise: float = 0.002,
) -> Tensor:
    """Return the clips on other bodies.

    Legs, arms, shoulders, spine and hips are scaled by 1 +- ``bones`` each (both sides alike; the travelled path with
    the legs, so that feet which rested still rest); ``lean`` radians of constant tilt, ``placement`` metres of constant
    offset a joint and ``noise`` metres a frame are standard deviations. Padding stays as it is.
    """
    batch = len(joint_positions)

    def uniform() -> Tensor:
        return 1.0 + bones * (2.0 * torch.rand(batch, generator=generator) - 1.0)

    scale = torch.ones(batch, len(JOINT_PARENTS))
    for group in (LEGS, ARMS, SHOULDERS, SPINE, HIPS):
        scale[:, list(group)] = uniform()[:, None]
    scale[:, 0] = scale[:, LEGS[0]]
    parents = torch.tensor([max(parent, 0) for parent in JOINT_PARENTS])
    bone = joint_positions - joint_positions[:, :, parents]  # (B, T, 22, 3)
    bone = torch.cat([joint_positions[:, :, :1], bone[:, :, 1:]], dim=2) * scale[:, None, :, None]
    placed: list[Tensor] = []
    for joint, parent in enumerate(JOINT_PARENTS):
        placed.append(bone[:, :, joint] if parent < 0 else placed[parent] + bone[:, :, joint])
    bodies = torch.stack(placed, dim=2)
    bodies = bodies + placement * torch.randn(batch, 1, *bodies.shape[2:], generator=generator)
    bodies = bodies + noise * torch.randn(bodies.shape, generator=generator)
    tilt = lean * torch.randn(batch, 1, 1, 2, generator=generator)
    relative = bodies - bodies[:, :, :1]
    # Small tilts only: the first-order turn is exact to a thousandth at 0.04 radians.
    leaned = relative + torch.stack(
        [
            tilt[..., 0] * relative[..., 1],
            -tilt[..., 0] * relative[..., 0] - tilt[..., 1] * relative[..., 2],
            tilt[..., 1] * relative[..., 1],
        ],
        dim=-1,
    )
    bodies = bodies[:, :, :1] + leaned
    return torch.where(valid_mask[..., None, None], bodies, joint_positions)


def changed_speed(joint_positions: np.ndarray, factor: float) -> np.ndarray:
    """Play a clip ``[T, 22, 3]`` ``factor`` times as fast, by linear interpolation; at least two frames stay."""
    frames = len(joint_positions)
    count = max(2, round((frames - 1) / factor) + 1)
    time = np.linspace(0.0, frames - 1.0, count)
    low = np.minimum(time.astype(int), frames - 2)
    weight = (time - low)[:, None, None].astype(joint_positions.dtype)
    return (1 - weight) * joint_positions[low] + weight * joint_positions[low + 1]
