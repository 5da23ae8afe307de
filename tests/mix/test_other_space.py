import numpy as np
import pytest
import torch
from tests.features.test_interhuman import wander

from motifmix.diffusion.chains import GuidedChains, sample_chains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Difference
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.features.humanml3d import HumanML3DSpace
from motifmix.features.interhuman import InterHumanSpace
from motifmix.mix.ingredients import Scaling, SceneModel
from motifmix.mix.mixed import Mixed
from motifmix.mix.other_space import OtherSpaceModel
from motifmix.mix.schedules import Constant
from motifmix.mix.weights import Forced
from motifmix.models.in2in import In2INInteraction
from motifmix.models.mdm import MDM

SIZES = {"width": 16, "feed_forward": 16, "heads": 2, "text": 4}
TOLD = torch.ones(1, dtype=torch.bool)
CONDITION = Condition({"text": Part(torch.ones(1, 4), TOLD), "individual_text": Part(torch.ones(1, 2, 4), TOLD)})


def other(denoiser) -> OtherSpaceModel:
    return OtherSpaceModel("individual", denoiser, Scaling(torch.zeros(263), torch.ones(263)), HumanML3DSpace())


def test_a_motion_comes_back_from_263_numbers_at_20_fps_where_it_was():
    motion = wander(61)
    shared = torch.from_numpy(InterHumanSpace().encode(motion))[None, None]  # [1, 1, 60, 262]
    valid = torch.arange(60)[None] < 45
    model = other(lambda noisy, level, condition, valid: noisy)
    state = model.project(shared, valid)
    assert state.shape == (1, 1, 40, 263) and (state[0, 0, 30:] == 0).all() and state[0, 0, 29].abs().sum() > 0
    back = model.estimate(state, NoiseLevel(1.0, 0.0, 0.0, 0), Condition({}), valid)
    assert back.shape == shared.shape and (back[0, 0, 45:] == 0).all()
    apart = (back - shared)[0, 0, :43, :66].unflatten(-1, (22, 3)).norm(dim=-1)
    assert float(apart.mean()) < 0.03, float(apart.mean())


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_unlike_models_are_mixed_each_in_a_chain_of_its_own(share):
    torch.manual_seed(0)
    scene, alone = In2INInteraction(blocks=1, **SIZES).eval(), MDM(layers=1, **SIZES).eval()
    torch.nn.init.normal_(scene.output.weight, std=0.1)
    statistics = InterHumanSpace().encode(wander(61))
    scaling = Scaling(torch.from_numpy(statistics.mean(0)), torch.from_numpy(np.maximum(statistics.std(0), 0.01)))
    model = other(alone.denoise)
    mixed = Mixed(SceneModel("interaction", scene.denoise, scaling), [model], override=Forced(Constant(share)))
    noise = torch.randn(1, 2, 30, 262)
    start = [chain.start(noise) for chain in mixed.chains]
    assert start[0] is noise and start[1].shape == (1, 2, 20, 263)
    together = model.start(torch.cat([torch.randn_like(noise), noise]))
    assert torch.equal(together[1:], start[1]) and not torch.equal(together[:1], start[1])
    guided = GuidedChains(mixed, [Difference(1.5, ("text", "individual_text"))])
    levels = DiscreteSchedule.of(cosine_betas(1000)).levels(4)
    valid = torch.ones(1, 30, dtype=torch.bool)
    steps = list(sample_chains(guided, mixed.chains, levels, start, CONDITION, valid))
    assert steps[0].states[1].shape == (1, 2, 20, 263) and torch.isfinite(steps[0].states[1]).all()
    assert steps[-1].clean.shape == (1, 2, 30, 262) and torch.isfinite(steps[-1].clean).all()
