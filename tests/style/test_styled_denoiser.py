"""One fusion after block m; without a style, the base model and nothing else."""

import pytest
import torch

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.schedule import FlowSchedule
from motifmix.models.latent_denoiser import LatentDenoiser
from motifmix.style.fusions import adain
from motifmix.style.styled_denoiser import StyledDenoiser

NOISY = torch.randn(3, 7, 4, generator=torch.Generator().manual_seed(5))
TIME = torch.tensor([0.2, 0.5, 0.9])
VALID = torch.ones(3, 7, dtype=torch.bool)
ALL = torch.ones(3, dtype=torch.bool)


def network(block: int | list[int] = 1, prediction_type: str = "flow", fusion: str = "cross_normalization"):
    torch.manual_seed(0)
    denoiser = LatentDenoiser(latent=4, text=6, width=16, blocks=2, heads=2)
    styled = StyledDenoiser(denoiser, 8, block, 0.6, prediction_type, fusion).eval()
    with torch.no_grad():
        for parameter in styled.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return styled


def told(has_style: torch.Tensor | None = None, strength: float | None = None) -> Condition:
    generator = torch.Generator().manual_seed(6)
    parts = {"text": Part(torch.randn(3, 6, generator=generator), ALL)}
    if has_style is not None:
        parts["style"] = Part(torch.randn(3, 8, generator=generator), has_style)
    if strength is not None:
        parts["strength"] = Part(torch.full((3,), strength), ALL)
    return Condition(parts)


def base(styled: StyledDenoiser) -> torch.Tensor:
    text = told().parts["text"]
    return styled.denoiser(NOISY, TIME, text.value, text.present, VALID)


@pytest.mark.parametrize("condition", [told(), told(~ALL), told(ALL, strength=0.0)])
def test_without_a_style_the_base_model_answers_to_the_bit(condition):
    styled = network()
    assert torch.equal(styled.predict(NOISY, TIME, condition, VALID), base(styled))


def test_in_a_batch_only_those_with_a_style_are_changed():
    styled = network()
    mixed = styled.predict(NOISY, TIME, told(torch.tensor([True, False, True])), VALID)
    assert torch.equal(mixed[1], base(styled)[1])
    assert not torch.allclose(mixed[0], base(styled)[0], atol=1e-3)


def test_strength_is_a_factor_and_one_is_what_was_trained():
    styled = network()
    plain = styled.predict(NOISY, TIME, told(ALL), VALID)
    assert torch.equal(styled.predict(NOISY, TIME, told(ALL, 1.0), VALID), plain)
    assert not torch.allclose(styled.predict(NOISY, TIME, told(ALL, 0.5), VALID), plain, atol=1e-3)


def test_the_block_of_the_fusion_counts():
    one, two = network(1), network(2)
    two.load_state_dict(one.state_dict())
    condition = told(ALL)
    assert not torch.allclose(one.predict(NOISY, TIME, condition, VALID), two.predict(NOISY, TIME, condition, VALID))


def test_what_it_estimates_is_the_clean_sample():
    styled, level = network(), FlowSchedule.level(0.4)
    prediction = styled.predict(NOISY, torch.full((3,), 0.4), told(ALL), VALID)
    torch.testing.assert_close(styled(NOISY, level, told(ALL), VALID), NOISY - 0.4 * prediction)


def test_training_reaches_projection_and_base():
    styled = network()
    styled.predict(NOISY, TIME, told(ALL), VALID).pow(2).sum().backward()
    assert styled.project.weight.grad is not None and (styled.project.weight.grad != 0).any()
    assert styled.denoiser.input.weight.grad is not None


@pytest.mark.parametrize("block", [0, 3])
def test_a_block_that_does_not_exist_is_refused(block):
    with pytest.raises(ValueError, match=f"block {block} is not one of the denoiser's 2"):
        network(block)


@pytest.mark.parametrize("fusion", ["adain", "zero_layers"])
@pytest.mark.parametrize("block", [1, [1, 2]])
def test_other_fusions_leave_those_without_a_style_alone_too(fusion, block):
    styled = network(block, fusion=fusion)
    mixed = styled.predict(NOISY, TIME, told(torch.tensor([True, False, True])), VALID)
    assert torch.equal(mixed[1], base(styled)[1])
    assert not torch.allclose(mixed[0], base(styled)[0], atol=1e-3)
    assert torch.equal(styled.predict(NOISY, TIME, told(ALL, strength=0.0), VALID), base(styled))


def test_what_starts_at_zero_starts_as_the_base_model():
    denoiser = LatentDenoiser(latent=4, text=6, width=16, blocks=2, heads=2)
    styled = StyledDenoiser(denoiser, 8, [1, 2], 1.0, fusion="zero_layers").eval()
    assert torch.equal(styled.predict(NOISY, TIME, told(ALL), VALID), base(styled))


def test_adaptive_normalisation_takes_scale_and_shift_from_the_style():
    content = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(0))
    scale, shift = torch.full((2, 1, 16), 2.0), torch.full((2, 1, 16), -1.0)
    fused = adain(content, torch.cat([scale, shift], dim=-1), 1.0)
    assert torch.allclose(fused.mean(dim=-1), torch.tensor(-1.0), atol=1e-5)
    assert torch.allclose(fused.std(dim=-1, correction=0), torch.tensor(3.0), atol=1e-3)
