import numpy as np
import pytest
import torch

from motifmix.motion.skeleton import JOINT_NAMES, JOINT_PARENTS, LEFT_TOE, MOTIFMIX
from motifmix.training.augmentation import changed_speed, vary_bodies


def clips(batch: int = 6, frames: int = 12) -> torch.Tensor:
    path = torch.arange(frames)[None, :, None, None] * torch.tensor([0.0, 0.0, 0.05])
    return torch.tensor(MOTIFMIX.rest_positions + np.array([0, 0.92, 0]), dtype=torch.float32) + path.repeat(
        batch, 1, 1, 1
    )


def bones(joints: torch.Tensor) -> torch.Tensor:
    parents = torch.tensor([max(p, 0) for p in JOINT_PARENTS])
    return (joints - joints[:, :, parents]).norm(dim=-1)


def test_limbs_change_length_alike_on_both_sides_and_within_bounds():
    joints, mask = clips(), torch.ones(6, 12, dtype=torch.bool)
    varied = vary_bodies(joints, mask, torch.Generator().manual_seed(0), lean=0, placement=0, noise=0)
    ratio = bones(varied)[:, :, 1:] / bones(joints)[:, :, 1:].clamp(min=1e-6)
    assert ratio.min() > 0.849 and ratio.max() < 1.151 and ratio.std() > 0.03
    knees = [JOINT_NAMES.index(n) - 1 for n in ("left_knee", "right_knee", "left_ankle")]
    torch.testing.assert_close(ratio[..., knees[0]], ratio[..., knees[1]], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ratio[..., knees[0]], ratio[..., knees[2]], atol=1e-4, rtol=1e-4)


def test_a_foot_that_rested_still_rests():
    joints, mask = clips(batch=20), torch.ones(20, 12, dtype=torch.bool)
    joints[:, :, LEFT_TOE] = joints[:, :1, LEFT_TOE]  # a planted toe under a moving body
    varied = vary_bodies(joints, mask, torch.Generator().manual_seed(1), lean=0, placement=0, noise=0)
    moved = (varied[:, -1, LEFT_TOE] - varied[:, 0, LEFT_TOE]).norm(dim=-1)
    travelled = (varied[:, -1, 0] - varied[:, 0, 0]).norm(dim=-1)
    assert moved.max() < 1e-4
    assert travelled.min() > 0.85 * 0.55 - 1e-4


def test_padding_stays_and_the_seed_decides():
    joints, mask = clips(), torch.ones(6, 12, dtype=torch.bool)
    mask[:, 9:] = False
    first = vary_bodies(joints, mask, torch.Generator().manual_seed(3))
    again = vary_bodies(joints, mask, torch.Generator().manual_seed(3))
    other = vary_bodies(joints, mask, torch.Generator().manual_seed(4))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(first[:, 9:], joints[:, 9:])


def test_speed_changes_length_and_keeps_the_ends():
    clip = np.random.default_rng(0).normal(size=(41, 22, 3)).astype(np.float32)
    fast = changed_speed(clip, 1.1)
    assert len(fast) == 37
    np.testing.assert_allclose(fast[[0, -1]], clip[[0, -1]], atol=1e-6)
    assert len(changed_speed(clip[:2], 4.0)) == 2
    assert changed_speed(clip, 1.0) == pytest.approx(clip)
