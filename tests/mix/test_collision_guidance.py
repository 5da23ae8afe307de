"""Clean people that are inside each other are brought apart while a scene is sampled; all others stay bit for bit."""

import numpy as np
import pytest
import torch

from motifmix.diffusion.chains import Estimate
from motifmix.diffusion.condition import Condition
from motifmix.diffusion.schedule import CosineSchedule
from motifmix.evaluation.body_overlap import overlap_volume
from motifmix.features.interhuman import BLOCKS, InterHumanSpace
from motifmix.mix.collision_guidance import CollisionGuidance, MixtureKeptApart, SceneKeptApart
from motifmix.mix.ingredients import Scaling
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot

FRAMES = 8
VALID = torch.ones(2, FRAMES, dtype=torch.bool)
LEVEL = CosineSchedule.level(0.2)


def pair(apart):
    rotations = np.tile(rot.IDENTITY, (FRAMES + 1, len(MOTIFMIX), 1))
    for side, angle in (("left", -1.3), ("right", 1.3)):  # arms hang
        turn = np.array([0.0, 0.0, np.sin(angle / 2), np.cos(angle / 2)])
        rotations[:, MOTIFMIX.index(f"{side}_shoulder")] = turn
    places = [np.tile([x, 0.95, 0.0], (FRAMES + 1, 1)) for x in (0.0, apart)]
    scene = Scene(tuple(Motion(MOTIFMIX, rotations, place, 30.0) for place in places))
    return torch.from_numpy(np.stack(InterHumanSpace().encode_pair(scene)))


@pytest.fixture(scope="module")
def scenes():
    """Two scenes [2, P, T, 262]: in one people are inside each other, in the other they are not."""
    return torch.stack([pair(0.3), pair(1.2)])


def litres(people):
    return overlap_volume(*(InterHumanSpace().decode(own) for own in people.double().numpy())).mean()


def test_only_who_is_inside_somebody_moves_and_features_still_agree(scenes):
    result = CollisionGuidance()(scenes, LEVEL, VALID)
    assert litres(scenes[0]) > 0.5 and litres(result[0]) < 0.02 * litres(scenes[0])
    assert torch.equal(result[1], scenes[1])
    positions, velocities = (result[0][..., BLOCKS[name]] for name in ("joint_positions", "joint_velocities"))
    np.testing.assert_allclose(positions.diff(dim=1), velocities[:, :-1], atol=1e-5)
    assert torch.equal(result[..., BLOCKS["joint_rotations"]], scenes[..., BLOCKS["joint_rotations"]])
    again = CollisionGuidance()(scenes[1:], LEVEL, VALID[1:])
    assert again.data_ptr() == scenes[1:].data_ptr()


def test_padding_is_not_looked_at(scenes):
    padded = torch.cat([scenes, torch.zeros_like(scenes)], dim=2)  # behind the clip both are in one place
    valid = torch.cat([VALID, ~VALID], dim=1)
    result = CollisionGuidance()(padded, LEVEL, valid)
    assert torch.equal(result[:, :, :FRAMES], CollisionGuidance()(scenes, LEVEL, VALID))
    assert torch.equal(result[:, :, FRAMES:], padded[:, :, FRAMES:])


def test_it_acts_at_its_steps_whatever_denoises(scenes):
    levels = CosineSchedule().levels(10)
    guidance = CollisionGuidance(rounds=3, begin=0.5).along(levels)
    assert guidance.times == {levels[5].time, levels[7].time, levels[9].time}
    assert CollisionGuidance(rounds=1).along(levels).times == {levels[9].time}
    scaling = Scaling(torch.linspace(-1.0, 1.0, 262), torch.full((262,), 2.0))
    flat = scaling.normalise(scenes).transpose(1, 2).flatten(2)

    def whole(noisy, level, condition, valid):
        return flat

    def mixed(states, level, condition, valid):
        return Estimate(scenes, {"mixing_weights": torch.ones(1)})

    nothing = Condition({})
    for level, acts in ((levels[7], True), (levels[6], False)):
        alone = SceneKeptApart(whole, guidance, scaling)(flat, level, nothing, VALID)
        both = MixtureKeptApart(mixed, guidance)([scenes], level, nothing, VALID)
        assert torch.equal(alone[1], flat[1]) and torch.equal(both.clean[1], scenes[1])
        assert torch.equal(alone[0], flat[0]) is not acts and torch.equal(both.clean[0], scenes[0]) is not acts
        assert set(both.traces) == {"mixing_weights"}


def test_pairs_of_a_group_are_kept_apart_each_in_its_own_frame(scenes):
    guidance = CollisionGuidance(times=None)
    pairs = scenes[None].expand(3, -1, -1, -1, -1)  # three groups of two pairs
    kept = MixtureKeptApart(lambda *_: Estimate(pairs), guidance)([], LEVEL, Condition({}), VALID[:1].expand(3, -1))
    alone = guidance.apart(scenes, VALID)
    assert not torch.equal(alone[0], scenes[0])
    assert all(torch.equal(own, alone) for own in kept.clean)
