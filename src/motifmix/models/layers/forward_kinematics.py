"""Forward kinematics through which gradients flow: rotations to joint positions, a level of the tree at a time."""

import roma
import torch
from torch import Tensor, nn


class ForwardKinematics(nn.Module):
    """For one skeleton: ``parents`` (-1 for the root) and rest ``offsets`` [J, 3] in metres."""

    def __init__(self, parents: tuple[int, ...], offsets: Tensor) -> None:
        super().__init__()
        self.parents = parents
        self.offsets: Tensor
        self.register_buffer("offsets", offsets.float(), persistent=False)
        depth = [0] * len(parents)
        for joint, parent in enumerate(parents):
            depth[joint] = depth[parent] + 1 if parent >= 0 else 0
        self.levels = [[j for j, d in enumerate(depth) if d == level] for level in range(max(depth) + 1)]

    def forward(self, six: Tensor) -> Tensor:
        """``six`` [..., J, 6] (two columns) to positions [..., J, 3] with the root at the origin."""
        columns = torch.stack([six[..., :3], six[..., 3:]], dim=-1)
        return self.from_matrices(roma.special_gramschmidt(columns))

    def from_matrices(self, local: Tensor) -> Tensor:
        """Local rotation matrices [..., J, 3, 3] to positions [..., J, 3] with the root at the origin."""
        world: list[Tensor | None] = [None] * len(self.parents)
        positions: list[Tensor | None] = [None] * len(self.parents)
        offsets = self.offsets
        for level in self.levels:
            if self.parents[level[0]] < 0:
                world[0], positions[0] = local[..., 0, :, :], torch.zeros_like(local[..., 0, :, 0])
                continue
            above = torch.stack([world[self.parents[j]] for j in level], dim=-3)  # type: ignore[arg-type]
            start = torch.stack([positions[self.parents[j]] for j in level], dim=-2)  # type: ignore[arg-type]
            turned = above @ local[..., level, :, :]
            placed = start + (above @ offsets[level][..., None])[..., 0]
            for place, joint in enumerate(level):
                world[joint], positions[joint] = turned[..., place, :, :], placed[..., place, :]
        return torch.stack(positions, dim=-2)  # type: ignore[arg-type]
