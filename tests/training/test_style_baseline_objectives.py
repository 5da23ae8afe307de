import pytest
import torch

from motifmix.models.aberman import AbermanDiscriminator, AbermanGenerator
from motifmix.models.motion_puzzle import MotionPuzzle
from motifmix.training.objectives.published.aberman import (
    TRIPLET_PER_CHANNEL,
    AbermanObjective,
    AbermanSettings,
    AbermanWeights,
    ContentBatch,
    StyleBatch,
    StyleClips,
)
from motifmix.training.objectives.published.motion_puzzle import (
    NO_STYLE_CYCLE_WHEN_MIXED,
    PuzzleWeights,
    drawn_own_parts,
    puzzle_losses,
    training_forward,
)


def networks() -> tuple[AbermanGenerator, AbermanDiscriminator]:
    torch.manual_seed(0)
    generator = AbermanGenerator(
        content_encoder_channels=(8,), style_encoder_channels=(6,), mlp_hidden=(6,), decoder_bottleneck_channels=4
    )
    return generator, AbermanDiscriminator(64, (8,), 4)


def batches() -> tuple[ContentBatch, StyleBatch]:
    draw = torch.Generator().manual_seed(1)

    def clips() -> StyleClips:
        return StyleClips(torch.randn(2, 64, 16, generator=draw), torch.randn(2, 42, 16, generator=draw))

    def raw(channels: int) -> torch.Tensor:
        return torch.randn(2, channels, 16, generator=draw)

    content = ContentBatch(clips(), raw(64), torch.tensor([0, 1]), raw(128), raw(128), clips(), clips())
    return content, StyleBatch(clips(), raw(64), torch.tensor([3, 1]))


def step_losses(settings: AbermanSettings | None = None, iteration: int = 0) -> dict[str, torch.Tensor]:
    return AbermanObjective(*networks(), settings).generator_step(*batches(), iteration)


def test_a_discriminator_step_teaches_the_discriminator_alone():
    generator, discriminator = networks()
    losses = AbermanObjective(generator, discriminator).discriminator_step(*batches(), 0)
    losses["total"].backward()
    assert all(p.grad is None for p in generator.parameters())
    assert all(p.grad is not None for p in discriminator.parameters())
    expected = losses["adversarial_real"] + losses["adversarial_fake"] + 10.0 * losses["gradient_penalty"]
    torch.testing.assert_close(losses["total"], expected)


@pytest.mark.parametrize("iteration", [0, 1])
def test_the_total_is_what_the_weights_say(iteration):
    weights = AbermanWeights(adversarial=0.3, reconstruction=2.0, twist=0.0)
    losses = step_losses(AbermanSettings(weights), iteration)
    expected = sum(value * losses[name] for name, value in vars(weights).items())
    torch.testing.assert_close(losses["total"], expected)
    without = step_losses(AbermanSettings(weights, use_rotation_reconstruction=False), iteration)
    assert "rotation_reconstruction" not in without


def test_even_and_odd_iterations_read_styles_with_other_encoders():
    generator, discriminator = networks()
    content, style = batches()
    broken = StyleBatch(StyleClips(style.clips.style3d, style.clips.style2d * torch.nan), style.raw3d, style.label)
    objective = AbermanObjective(generator, discriminator)
    assert objective.generator_step(content, broken, 0)["total"].isfinite()
    assert objective.generator_step(content, broken, 1)["total"].isnan()


def test_the_published_triplet_works_on_channels():
    assert step_losses()["triplet"] != step_losses(AbermanSettings(quirks=[TRIPLET_PER_CHANNEL]))["triplet"]


def test_a_few_steps_bring_the_reconstruction_down():
    generator, discriminator = networks()
    objective = AbermanObjective(generator, discriminator, AbermanSettings(AbermanWeights(adversarial=0.0)))
    content, style = batches()
    optimiser = torch.optim.RMSprop(generator.parameters(), lr=1e-3)
    totals = []
    for _ in range(12):
        optimiser.zero_grad()
        losses = objective.generator_step(content, style, 0)
        losses["total"].backward()
        optimiser.step()
        totals.append(losses["total"].item())
    assert totals[-1] < totals[0]


def test_motions_that_are_met_exactly_cost_nothing():
    content, style = torch.randn(1, 12, 21, 12), torch.randn(1, 12, 21, 16)
    losses = puzzle_losses(content, style, (content, style), (content, style), PuzzleWeights(reconstruction=3.0))
    assert all(value == 0 for value in losses.values())
    shifted = puzzle_losses(content, style, (content + 1.0, style), (content, style), PuzzleWeights(reconstruction=3.0))
    assert float(shifted["total"]) == pytest.approx(3.0)
    assert float(shifted["smooth_reconstruction"]) == pytest.approx(0.0, abs=1e-6)


def test_the_style_cycle_is_left_out_of_mixed_steps_only_as_published():
    torch.manual_seed(0)
    model = MotionPuzzle(base_channels=2, style_latent_dim=3)
    content, style = torch.randn(1, 12, 21, 12), torch.randn(1, 12, 21, 16)
    quirks = [NO_STYLE_CYCLE_WHEN_MIXED]
    assert training_forward(model, content, style, [2], quirks).cycle_style is style
    assert training_forward(model, content, style, [], quirks).cycle_style is not style
    made = training_forward(model, content, style, [2])
    assert made.cycle_style.shape == style.shape and made.cycle_style is not style
    torch.testing.assert_close(made.stylised, model(content, style, [2]))


def test_whole_groups_of_body_parts_keep_their_own_style_in_two_of_five_steps():
    generator = torch.Generator().manual_seed(0)
    drawn = [tuple(drawn_own_parts(generator)) for _ in range(1000)]
    assert 340 < sum(map(bool, drawn)) < 460
    assert set(drawn) == {(), (0, 1), (2,), (3, 4), (0, 1, 2), (0, 1, 3, 4), (2, 3, 4), (0, 1, 2, 3, 4)}
