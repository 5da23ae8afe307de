"""Mixtures of any number of models, each with a chain of its own."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from motifmix.diffusion.chains import GuidedChains, sample_chains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Difference
from motifmix.diffusion.schedule import CosineSchedule, NoiseLevel
from motifmix.features.interhuman import BLOCKS
from motifmix.mix.ingredients import PersonModel, Scaling, SceneModel, each_person, scoped
from motifmix.mix.mixed import PUBLISHED_MIXTURE, Mixed
from motifmix.mix.placement import align, follow, orthonormal
from motifmix.mix.schedules import Constant, Linear
from motifmix.mix.weights import SHIFTED_ROTATION_WEIGHTS, Forced, LearnedWeights, over_features, shares
from motifmix.models.mixer import Mixer

PEOPLE, FRAMES = 2, 5
VALID = torch.ones(2, FRAMES, dtype=torch.bool)
LEVEL = NoiseLevel(0.6, 0.8, 0.5, 400)
SCALING = Scaling(torch.full((262,), 0.1), torch.full((262,), 2.0))
ALL = torch.ones(2, dtype=torch.bool)
CONDITION = Condition({"text": Part(torch.randn(2, 6), ALL), "individual_text": Part(torch.randn(2, PEOPLE, 6), ALL)})


def of_scene(noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
    assert noisy.shape[1:] == (FRAMES, PEOPLE * 262) and set(condition.parts) == {"text", "individual_text"}
    return torch.tanh(noisy) + 0.1 * condition.parts["text"].value.mean(-1)[:, None, None]


def of_person(noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
    assert noisy.shape[1:] == (FRAMES, 262) and set(condition.parts) == {"text"}
    return torch.sin(noisy) + 0.1 * condition.parts["text"].value.mean(-1)[:, None, None]


def weigher() -> LearnedWeights:
    torch.manual_seed(0)
    mixer = Mixer(262, 8, 8, 1, 2, 6).eval()
    for parameter in mixer.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return LearnedWeights(mixer)


TOGETHER, ALONE = SceneModel("interaction", of_scene, SCALING), PersonModel("individual", of_person, SCALING)


def states(count: int) -> list[Tensor]:
    return [torch.randn(2, PEOPLE, FRAMES, 262, generator=torch.Generator().manual_seed(k)) for k in range(count)]


def test_forced_weights_give_one_model_the_other_or_what_lies_between():
    given = states(2)
    interaction = orthonormal(TOGETHER.estimate(given[0], LEVEL, CONDITION, VALID))
    individual = align(ALONE.estimate(given[1], LEVEL, CONDITION, VALID), interaction)
    for share in (0.0, 0.3, 1.0):
        mixture = Mixed(TOGETHER, [ALONE], override=Forced(Constant(share))).mixture(given, LEVEL, CONDITION, VALID)
        torch.testing.assert_close(mixture.clean, interaction + share * (individual - interaction))
        assert mixture.learned is None
    scheduled = Mixed(TOGETHER, [ALONE], override=Forced(Linear())).mixture(given, LEVEL, CONDITION, VALID)
    assert scheduled.weights.unique().tolist() == pytest.approx([0.4])


def test_learned_weights_are_read_and_may_be_overridden():
    given = states(2)
    mixed = Mixed(TOGETHER, [ALONE], weigher())
    estimate = mixed(given, LEVEL, CONDITION, VALID)
    weights = estimate.traces["mixing_weights"]
    assert weights.shape == (2, 1, PEOPLE, FRAMES, 23) and weights.min() > 0 and weights.max() < 1
    forced = Mixed(TOGETHER, [ALONE], weigher(), override=Forced(Constant(0.5)))
    mixture = forced.mixture(given, LEVEL, CONDITION, VALID)
    assert mixture.learned is not None and torch.equal(mixture.learned, weights)
    assert mixture.weights.unique().tolist() == [0.5]


def test_the_order_of_three_models_does_not_matter_and_one_that_never_counts_changes_nothing():
    other = PersonModel("other", lambda *told: torch.cos(of_person(*told)), SCALING)
    given = states(3)
    one = Mixed(TOGETHER, [ALONE, other], weigher())(given, LEVEL, CONDITION, VALID)
    two = Mixed(TOGETHER, [other, ALONE], weigher())([given[0], given[2], given[1]], LEVEL, CONDITION, VALID)
    torch.testing.assert_close(one.clean, two.clean)
    assert one.traces["mixing_weights"].sum(1).max() < 1
    logits = torch.randn(2, 1, PEOPLE, FRAMES, 23)
    with_nobody = shares(torch.cat([logits, torch.full_like(logits, -torch.inf)], dim=1))
    torch.testing.assert_close(with_nobody, torch.cat([shares(logits), torch.zeros_like(logits)], dim=1))


@dataclass(frozen=True)
class HalfRate:
    """A model at half the frame rate, in centimetres: another space and another clock."""

    name: str = "half"

    def estimate(self, state: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        return torch.tanh(state / 100).repeat_interleave(2, dim=2)[:, :, :FRAMES]

    def project(self, clean: Tensor, valid: Tensor) -> Tensor:
        return 100 * clean[:, :, ::2]


def test_a_model_of_another_space_and_clock_has_a_chain_of_its_own():
    mixed = Mixed(TOGETHER, [ALONE, HalfRate()], weigher())
    start = [*states(2), torch.randn(2, PEOPLE, 3, 262)]
    guided = GuidedChains(mixed, [Difference(2.0, ("text", "individual_text"))])
    steps = list(sample_chains(guided, mixed.chains, CosineSchedule().levels(3), start, CONDITION, VALID))
    assert steps[0].states[2].shape == (2, PEOPLE, 3, 262)
    assert steps[-1].clean.shape == (2, PEOPLE, FRAMES, 262) and torch.isfinite(steps[-1].clean).all()
    assert steps[-1].traces["mixing_weights"].shape == (2, 2, PEOPLE, FRAMES, 23)


def test_one_alone_and_in_a_batch_are_the_same():
    mixed = Mixed(TOGETHER, [ALONE], weigher(), quirks=PUBLISHED_MIXTURE)
    given = states(2)
    both = mixed(given, LEVEL, CONDITION, VALID).clean
    second = Condition({name: Part(part.value[1:], part.present[1:]) for name, part in CONDITION.parts.items()})
    alone = mixed([state[1:] for state in given], LEVEL, second, VALID[1:]).clean
    torch.testing.assert_close(both[1:], alone, rtol=1e-4, atol=1e-5)


def test_each_joint_has_the_weight_of_its_own_rotation():
    parts = torch.arange(23.0)
    ours, published = over_features(parts), over_features(parts, [SHIFTED_ROTATION_WEIGHTS])
    rotations = BLOCKS["joint_rotations"]
    assert ours[rotations][::6].tolist() == list(range(1, 22))
    assert published[rotations][::6].tolist() == list(range(21))
    assert ours[BLOCKS["joint_positions"]][::3].tolist() == list(range(22))
    assert ours[BLOCKS["foot_contacts"]].tolist() == [22.0] * 4
    assert over_features(torch.ones(3, 1)).shape == (3, 262)


def test_everybody_is_told_his_own():
    own = Condition({"text": Part(torch.zeros(2, 1), ALL), "mixer.text": Part(torch.ones(2, 1), ALL)})
    assert scoped(own, "mixer").parts["text"].value.sum() == 2
    assert scoped(own, "interaction").parts["text"].value.sum() == 0
    with pytest.raises(ValueError, match=r"'individual_text' has shape \[2, 2, 6\], not \[batch, 3 people"):
        each_person(CONDITION, 3)


def test_a_mixture_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing to mix with 'interaction'"):
        Mixed(TOGETHER, [], weigher())
    with pytest.raises(ValueError, match="needs a Mixer or forced weights"):
        Mixed(TOGETHER, [ALONE])


def test_the_anchor_leads_down_to_a_step_and_all_share_the_way_below():
    given, half = states(2), Forced(Constant(0.5))
    interaction = orthonormal(TOGETHER.estimate(given[0], LEVEL, CONDITION, VALID))
    individual = align(ALONE.estimate(given[1], LEVEL, CONDITION, VALID), interaction)
    plain = Mixed(TOGETHER, [ALONE], override=half).mixture(given, LEVEL, CONDITION, VALID)
    led = Mixed(TOGETHER, [ALONE], override=half, led=400.0).mixture(given, LEVEL, CONDITION, VALID)
    torch.testing.assert_close(led.clean, 0.5 * (interaction + follow(individual, interaction)))
    torch.testing.assert_close(led.clean[..., [0, 2, 66, 68]], interaction[..., [0, 2, 66, 68]])
    assert torch.equal(led.others, plain.others)  # who weighs them sees where they would go
    below = Mixed(TOGETHER, [ALONE], override=half, led=401.0).mixture(given, LEVEL, CONDITION, VALID)
    assert torch.equal(below.clean, plain.clean) and not torch.equal(led.clean, plain.clean)
    steps = torch.tensor([400.0, 399.0])  # in training every item has a step of its own
    both = Mixed(TOGETHER, [ALONE], override=half, led=400.0).mix(interaction, [individual], steps, CONDITION, VALID)
    one = Mixed(TOGETHER, [ALONE], override=half).mix(interaction, [individual], steps, CONDITION, VALID)
    assert torch.equal(both.clean[1], one.clean[1]) and not torch.equal(both.clean[0], one.clean[0])
