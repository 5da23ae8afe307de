"""InterGen's losses: nothing for the truth, nothing from padding, and what the published code does otherwise."""

import torch

from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.training.objectives.published.interaction import (
    ORIENTATION_NOT_GATED,
    STEPS_INTO_PADDING,
    InteractionLoss,
    simple_loss,
    training_losses,
)

BATCH, FRAMES, FEATURES = 2, 6, 262
STEPS, LENGTHS = torch.tensor([100, 900]), torch.tensor([6, 4])
VALID = torch.arange(FRAMES) < LENGTHS[:, None]
MEAN, STD = torch.zeros(FEATURES), torch.ones(FEATURES)


def random(seed: int) -> torch.Tensor:
    return torch.randn(BATCH, FRAMES, 2 * FEATURES, generator=torch.Generator().manual_seed(seed))


def test_the_truth_costs_only_what_it_slides_and_touches():
    terms = InteractionLoss(MEAN, STD)(random(0), random(0), STEPS, VALID)
    for name, value in terms.items():
        if not name.startswith(("foot_contact", "joint_affinity", "first", "second", "total")):
            assert value == 0.0, name


def test_padding_counts_for_nothing():
    loss, padded = InteractionLoss(MEAN, STD), ~VALID[..., None]
    one = loss(random(0), random(1), STEPS, VALID)
    other = loss(random(0) + 5 * padded, random(1) - 3 * padded, STEPS, VALID)
    for name in one:
        torch.testing.assert_close(one[name], other[name], msg=name)
    published = InteractionLoss(MEAN, STD, last_step=1000, quirks=[STEPS_INTO_PADDING])
    one = published(random(0), random(1), STEPS, VALID)
    other = published(random(0) + 5 * padded, random(1) - 3 * padded, STEPS, VALID)
    assert one["velocity_first"] != other["velocity_first"] and one["bone_length_first"] == other["bone_length_first"]


def test_much_noise_leaves_the_simple_term_alone():
    loss = InteractionLoss(MEAN, STD)
    terms = loss(random(0), random(1), torch.tensor([701, 999]), VALID)
    assert terms["total"] == terms["simple"] > 0.0
    changed = random(0)
    changed[1] += 1.0  # the noisy item
    one, other = (loss(guess, random(1), STEPS, VALID) for guess in (random(0), changed))
    assert one["relative_orientation"] == other["relative_orientation"] and one["simple"] != other["simple"]
    changed[1] = random(7)[1]
    published = InteractionLoss(MEAN, STD, quirks=[ORIENTATION_NOT_GATED])
    one, other = (published(guess, random(1), STEPS, VALID) for guess in (random(0), changed))
    assert one["relative_orientation"] != other["relative_orientation"]


def test_gradients_stay_finite_where_padding_is_exactly_nothing():
    guess = (random(0) * VALID[..., None]).requires_grad_()
    InteractionLoss(MEAN, STD)(guess, random(1) * VALID[..., None], STEPS, VALID)["total"].backward()
    assert guess.grad is not None and torch.isfinite(guess.grad).all() and guess.grad[0].abs().sum() > 0
    assert guess.grad[1, 4:].abs().max() == 0.0


def test_a_training_step_noises_each_item_at_its_own_step():
    schedule, clean, noise = DiscreteSchedule.of(cosine_betas(1000)), random(0), random(1)
    terms, noisy = training_losses(
        lambda x: x, lambda guess, truth: {"simple": simple_loss(guess, truth, VALID)}, clean, noise, STEPS, schedule
    )
    for item, step in enumerate(STEPS.tolist()):
        level = schedule.level(step)
        torch.testing.assert_close(noisy[item], level.alpha * clean[item] + level.sigma * noise[item])
    expected = (noisy - clean).square().mean(dim=-1)[VALID].mean()
    torch.testing.assert_close(terms["simple"], expected)
