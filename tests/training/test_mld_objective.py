"""The losses of MLD: what padding does with and without the published habit, and the noise."""

import torch

from motifmix.diffusion.discrete import DiscreteSchedule, scaled_linear_betas
from motifmix.models.mld_vae import Posterior
from motifmix.training.objectives.published import mld

torch.manual_seed(0)
MADE, GIVEN = torch.randn(2, 10, 263), torch.randn(2, 10, 263)
VALID = torch.arange(10) < torch.tensor([[10], [6]])
MADE, GIVEN = MADE * VALID[..., None], GIVEN * VALID[..., None]
POSTERIOR = Posterior(torch.randn(2, 1, 4), torch.randn(2, 1, 4))
MEAN, STD = torch.randn(263), torch.rand(263) + 0.1


def losses(made, given, valid, **options):
    return mld.vae_losses(made, given, POSTERIOR, valid, MEAN, STD, **options)


def test_padding_counts_only_where_the_published_habit_is_asked_for():
    longer = torch.nn.functional.pad(VALID, (0, 5))
    made, given = (torch.nn.functional.pad(x, (0, 0, 0, 5)) for x in (MADE, GIVEN))
    ours, padded = losses(MADE, GIVEN, VALID), losses(made, given, longer)
    torch.testing.assert_close(ours.features, padded.features)
    torch.testing.assert_close(ours.joints, padded.joints)
    quirks = [mld.LOSSES_WITHOUT_MASKS]
    assert losses(made, given, longer, quirks=quirks).features < losses(MADE, GIVEN, VALID, quirks=quirks).features


def test_the_divergence_is_that_of_torch():
    normal = torch.distributions.Normal(POSTERIOR.mean, POSTERIOR.std)
    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).mean()
    torch.testing.assert_close(losses(MADE, GIVEN, VALID).kl, expected)


def test_noise_has_its_own_level_for_every_item():
    schedule = DiscreteSchedule.of(scaled_linear_betas(1000))
    clean, noise = torch.ones(2, 1, 3), torch.zeros(2, 1, 3)
    noisy = mld.noised_latents(clean, noise, torch.tensor([0, 999]), schedule)
    torch.testing.assert_close(noisy[:, 0, 0].double(), torch.tensor(schedule.alphas[[0, 999]]), rtol=1e-6, atol=1e-6)
    assert torch.equal(
        mld.with_prompts_dropped(clean, noise[:1], torch.tensor([True, False])),
        torch.stack([noise[0], clean[1]]),
    )
