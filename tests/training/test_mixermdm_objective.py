"""The adversarial losses of MixerMDM, as they should be and as they were."""

import pytest
import torch

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.mix.ingredients import PersonModel, Scaling, SceneModel
from motifmix.mix.mixed import Mixed
from motifmix.mix.weights import LearnedWeights
from motifmix.models.discriminators import Discriminator
from motifmix.models.mixer import Mixer
from motifmix.training.objectives.published import mixermdm as losses

VALID = torch.arange(6).expand(2, 6) < torch.tensor([6, 4])[:, None]


def scores(value: float, scene: float | None = None) -> losses.Scores:
    return losses.Scores(torch.full((2, 2, 6), value), torch.full((2, 6), value if scene is None else scene))


def test_real_frames_count_and_padding_does_not():
    fake = scores(0.5)
    fake.people[~VALID[:, None].expand(-1, 2, -1)] = 100.0
    found = losses.generator_losses(fake, VALID)
    assert found.people.tolist() == pytest.approx([-0.5, -0.5]) and found.scene.item() == pytest.approx(-1.0)
    assert found.total.item() == pytest.approx(-0.5)


def test_the_published_mask_counts_padding_only():
    published = losses.LossSettings(quirks=[losses.LOSS_MASK_INVERTED])
    everything = torch.ones(2, 6, dtype=torch.bool)
    assert losses.generator_losses(scores(0.5), everything, published).total == 0


def test_a_discriminator_that_is_right_by_the_margin_has_no_loss():
    assert losses.discriminator_losses(scores(1.5), scores(-1.5), VALID).total == 0
    assert losses.discriminator_losses(scores(0.0), scores(0.0), VALID).total.item() == pytest.approx(1.0)


def test_equal_losses_are_in_balance_whatever_their_factors():
    for quirks, apart in (((), False), ((losses.BALANCE_UNSCALED,), True)):
        settings = losses.LossSettings(individual=3.0, interaction=2.0, balance=1.0, quirks=quirks)
        found = losses.generator_losses(scores(0.5), VALID, settings)
        assert (found.total.item() != pytest.approx(-0.5)) == apart
    uneven = losses.generator_losses(scores(0.5, -0.5), VALID)
    mean = float((uneven.people.sum() + uneven.scene) / 4)
    assert uneven.total.item() > mean
    assert torch.isfinite(losses.generator_losses(scores(0.5), VALID, losses.LossSettings(interaction=0.0)).total)


def test_critics_see_people_centred_and_the_scene_as_it_stands():
    torch.manual_seed(0)
    critics = losses.Critics(Discriminator(262, 8, 8, 1, 2, 4).eval(), Discriminator(524, 8, 8, 1, 2, 4).eval())
    for network in (critics.individual, critics.interaction):
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    motion, texts = torch.randn(2, 2, 6, 262), (torch.randn(2, 2, 4), torch.randn(2, 4))
    moved = motion.clone()
    moved[..., 0:66:3] += 3.0  # all joints, along x
    here, there = (critics.scores(m, m, torch.tensor([5, 900]), *texts, VALID) for m in (motion, moved))
    assert here.people.shape == (2, 2, 6) and here.scene.shape == (2, 6)
    torch.testing.assert_close(here.people, there.people, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(here.scene, there.scene, atol=1e-2)


def test_no_gradient_flows_through_a_critics_text_but_in_the_published_way():
    text = torch.zeros(2, requires_grad=True)
    assert not losses.critic_text(text).requires_grad
    assert losses.critic_text(text, [losses.CRITIC_TEXT_NOT_DETACHED]) is text


def test_models_are_given_noise_in_their_own_spaces():
    def network(*told):
        raise AssertionError("nobody is asked")

    scaling = Scaling(torch.full((262,), 2.0), torch.full((262,), 4.0))
    models = [SceneModel("scene", network, scaling), PersonModel("person", network, scaling)]
    motion, noise, ones = torch.randn(2, 2, 6, 262), torch.zeros(2, 2, 6, 262), torch.ones(2)
    states = losses.noised_states(models, motion, noise, 0.5 * ones, ones, VALID)
    torch.testing.assert_close(states[0], 0.5 * (motion - 2) / 4)
    published = losses.noised_states(
        models, motion, noise, 0.5 * ones, ones, VALID, [losses.INTERACTION_NOT_NORMALISED]
    )
    torch.testing.assert_close(published[0], 0.5 * motion)
    assert torch.equal(published[1], states[1])


def test_a_training_step_reaches_the_mixer_and_then_the_critics_only():
    torch.manual_seed(0)
    mixer = Mixer(262, 8, 8, 1, 2, 4)
    for parameter in mixer.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    critics = losses.Critics(Discriminator(262, 8, 8, 1, 2, 4), Discriminator(524, 8, 8, 1, 2, 4))

    def network(*told):
        raise AssertionError("predictions are given")

    scaling = Scaling(torch.zeros(262), torch.ones(262))
    mixed = Mixed(
        SceneModel("interaction", network, scaling),
        [PersonModel("individual", network, scaling)],
        LearnedWeights(mixer),
    )
    objective = losses.MixerObjective(mixed, critics, DiscreteSchedule.of(cosine_betas(100)))
    everybody = torch.ones(2, dtype=torch.bool)
    condition = Condition(
        {"text": Part(torch.randn(2, 4), everybody), "individual_text": Part(torch.randn(2, 2, 4), everybody)}
    )
    motion, noise, steps = torch.randn(2, 2, 6, 262), torch.randn(2, 2, 6, 262), torch.tensor([3, 80])

    def predict(states, timesteps):
        assert len(states) == 2 and torch.equal(timesteps, steps)
        return [torch.tanh(state) for state in states]

    mixture = objective.mixture(predict, motion, noise, steps, condition, VALID)
    objective.generator(mixture, steps, condition, VALID).total.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in mixer.parameters())
    mixer.zero_grad()
    objective.discriminator(mixture, steps, condition, VALID).total.backward()
    assert all(p.grad is None for p in mixer.parameters())
    assert all(p.grad is not None for p in critics.individual.parameters())


def test_base_models_never_learn_and_run_with_dropout_only_in_the_published_way():
    mixer, base = Mixer(262, 8, 8, 1, 2, 4), torch.nn.Dropout()
    critics = losses.Critics(Discriminator(262, 8, 8, 1, 2, 4), Discriminator(524, 8, 8, 1, 2, 4))
    for half, quirks, dropout in (
        ("generator", (), False),
        ("generator", losses.PUBLISHED_LOSSES, True),
        ("discriminator", losses.PUBLISHED_LOSSES, False),
    ):
        losses.prepare_half(half, [mixer], critics, [base], quirks)
        assert base.training == dropout
        assert all(p.requires_grad == (half == "generator") for p in mixer.parameters())
        assert all(p.requires_grad == (half == "discriminator") for p in critics.interaction.parameters())
