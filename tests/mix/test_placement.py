import math

import pytest
import torch
from torch import Tensor

from motifmix.features.interhuman import BLOCKS
from motifmix.mix import placement


def walk(way: tuple[float, float] = (0.0, 1.0), frames: int = 6, seed: int = 0) -> Tensor:
    """One person [frames, 262] who walks along ``way`` (x, z) in metres."""
    generator = torch.Generator().manual_seed(seed)
    body = torch.rand(22, 3, generator=generator)
    share = torch.linspace(0, 1, frames)[:, None, None]
    joints = body + share * torch.tensor([way[0], 0.0, way[1]])
    velocities = (joints[1:] - joints[:-1]).mean(0).expand(frames, 22, 3)
    rotations = torch.randn(frames, 126, generator=generator)
    contacts = torch.ones(frames, 4)
    return torch.cat([joints.flatten(1), velocities.flatten(1), rotations, contacts], -1)


def joints(motion: Tensor) -> Tensor:
    return motion[..., BLOCKS["joint_positions"]].unflatten(-1, (22, 3))


def test_a_centred_person_stands_on_the_floor_at_the_origin_and_faces_ahead():
    people = torch.stack([walk(seed=k) for k in range(3)])  # three: the published code turned such a batch wrongly
    centred = placement.center(people)
    start = joints(centred)[:, 0]
    assert start[:, 0, [0, 2]].abs().max() < 1e-6
    assert joints(centred)[..., 1].amin((1, 2)).abs().max() < 1e-6
    across = start[:, 2] - start[:, 1]
    assert across[:, 2].abs().max() < 1e-6 and (across[:, 0] < 0).all()
    assert torch.allclose(centred, torch.stack([placement.center(person) for person in people]), atol=1e-6)
    assert torch.allclose(placement.center(centred), centred, atol=1e-5)
    contacts = BLOCKS["foot_contacts"]
    assert torch.equal(centred[..., contacts], people[..., contacts])
    assert (placement.center(people, quirks=[placement.CONTACTS_LOST])[..., contacts] == 0).all()


def test_padding_changes_nothing_but_the_published_floor():
    person = walk()
    person[:, BLOCKS["joint_positions"]] += 2.0
    longer = torch.cat([person, torch.zeros(4, 262)])
    valid = torch.arange(10) < 6
    assert torch.allclose(placement.center(longer, valid)[:6], placement.center(person), atol=1e-6)
    published = placement.center(longer, valid, placement.PUBLISHED_PLACEMENT)
    assert joints(published)[:6, :, 1].min() > 1.9
    rotation = published[-1, BLOCKS["joint_rotations"]][:6]
    assert rotation.tolist() == [0, 1, 0, 0, 1, 0]
    assert placement.center(longer, valid)[-1, BLOCKS["joint_rotations"]][:6].tolist() == [1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("way", [(1.0, 0.0), (-0.3, 2.0), (0.0, -1.0)])
def test_an_aligned_person_starts_and_goes_where_the_reference_does(way):
    source, reference = walk((0.0, 1.0)), walk(way, seed=1)
    ends = [placement.ENDS_ONLY]
    aligned = placement.align(source[None], reference[None], torch.ones(1, 6, dtype=torch.bool), ends)[0]
    assert torch.allclose(joints(aligned)[0, 0], joints(reference)[0, 0], atol=1e-6)
    gone, goal = (joints(m)[-1, 0] - joints(m)[0, 0] for m in (aligned, reference))
    assert torch.allclose(gone / gone.norm(), goal / goal.norm(), atol=1e-5)


@pytest.mark.parametrize("way", [(0.3, 2.0), (0.0, 0.0)])
@pytest.mark.parametrize("angle", [0.5, math.pi, -2.0])
def test_whoever_was_turned_is_turned_back_going_or_standing(way, angle):
    reference = walk(way)
    around = torch.tensor([0.0, math.sin(angle / 2), 0.0, math.cos(angle / 2)])
    source = placement._placed(reference, joints(reference) + torch.tensor([2.0, 0.0, 1.0]), around, ())
    valid = torch.arange(6) < 5
    torch.testing.assert_close(placement.align(source, reference, valid)[..., :132], reference[..., :132])
    if way == (0.0, 0.0):  # where nobody goes anywhere, the published way has nothing to go by
        still = placement.path_turn(source, reference, valid, [placement.ENDS_ONLY])
        assert abs(float(still[3])) == pytest.approx(1.0)


def test_the_published_alignment_leaves_the_wrong_way_alone():
    source, reference = walk((0.0, 1.0)), walk((0.0, -1.0), seed=1)
    turn = placement.path_turn(source, reference, quirks=[placement.ENDS_ONLY])
    assert math.isclose(abs(float(turn[1])), 1.0, abs_tol=1e-6)
    published = [placement.ENDS_ONLY, placement.OPPOSITE_UNTURNED]
    assert placement.path_turn(source, reference, quirks=published)[3] > 0.9


def test_the_last_real_frame_ends_the_way():
    source, reference = walk((0.0, 1.0)), walk((1.0, 0.0), seed=1)
    valid = torch.arange(9) < 6
    longer, other = (torch.cat([m, torch.full((3, 262), 7.0)]) for m in (source, reference))
    assert torch.allclose(placement.align(longer, other, valid)[:6], placement.align(source, reference), atol=1e-6)


@pytest.mark.parametrize("quirks", [(), placement.PUBLISHED_PLACEMENT])
def test_gradients_are_finite_where_nothing_moves_and_nothing_is_there(quirks):
    still = walk((0.0, 0.0)).requires_grad_()
    padded = torch.cat([still, torch.zeros(2, 262)])
    moved = placement.align(placement.center(padded, quirks=quirks), padded, quirks=quirks)
    moved.square().sum().backward()
    assert still.grad is not None and torch.isfinite(still.grad).all()


def test_who_follows_goes_where_the_other_goes_and_moves_as_he_did():
    source, reference = walk((0.0, 1.0)), walk((2.0, -0.5), seed=1)
    put = placement.follow(source, reference)
    level = torch.tensor([1.0, 0.0, 1.0])
    for block in (BLOCKS["joint_positions"], BLOCKS["joint_velocities"]):
        own, his, others = (motion[:, block].unflatten(-1, (22, 3)) for motion in (source, put, reference))
        torch.testing.assert_close(his[:, 0] * level, others[:, 0] * level)
        torch.testing.assert_close(his[..., 1], own[..., 1])  # heights stay
        torch.testing.assert_close(his - his[:, :1] * level, own - own[:, :1] * level)
    rest = BLOCKS["joint_velocities"].stop
    assert torch.equal(put[:, rest:], source[:, rest:])
    torch.testing.assert_close(placement.follow(reference, reference), reference)
