"""StyleMotif at the paper's size: the numbers of parameters, the fusion, both forms of guidance, and its losses."""

import pytest
import torch

from motifmix.diffusion.discrete import DiscreteSchedule, scaled_linear_betas
from motifmix.models.clip_text import ClipTextTower
from motifmix.models.mld_denoiser import MLDDenoiser
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.motion_style_encoder import MotionStyleEncoder
from motifmix.pipelines.mld import mld_schedule
from motifmix.pipelines.smoodi import Scales
from motifmix.pipelines.stylemotif import StyleMotif
from motifmix.style.stylemotif import (
    StyleMotifDenoiser,
    StyleProjection,
    blended_styles,
    most_similar,
    stylemotif_sizes,
)
from motifmix.training.objectives.published import stylemotif as objective
from motifmix.training.objectives.published.smoodi import StyledBatch

SIZES = {"width": 8, "feed_forward": 12, "layers": 3, "heads": 2, "positions": 40}
TEXT, TIME, NOISY, STYLE = torch.randn(2, 1, 6), torch.tensor(500), torch.randn(2, 1, 8), torch.randn(2, 8)
MASK = torch.arange(12) < torch.tensor([[12], [9]])


def denoiser(**options) -> StyleMotifDenoiser:
    torch.manual_seed(0)
    return StyleMotifDenoiser(MLDDenoiser(text_dim=6, **SIZES), **{"block": 2, **options}).eval()


def model() -> StyleMotif:
    torch.manual_seed(0)
    vae, encoder = MotionVAE(features=5, **SIZES).eval(), MotionStyleEncoder(features=5, **SIZES).eval()
    return StyleMotif(vae, denoiser(), encoder, torch.zeros(1, 1, 6))


def test_the_sizes_are_the_papers():
    with torch.device("meta"):
        parts = MLDDenoiser(), MotionVAE(), ClipTextTower(), MotionStyleEncoder()
        projection = StyleProjection()
    assert stylemotif_sizes(*parts) == (461_827_592, 7_829_760)
    assert sum(p.numel() for p in projection.parameters()) == 262_400  # which is why the paper cannot have counted it
    assert sum(p.numel() for p in StyleMotifDenoiser(parts[0]).parameters()) == 8_349_184  # the fusion has none


@pytest.mark.parametrize("block", [1, 2, 3])
@pytest.mark.parametrize("fused_tokens", ["all", "latents"])
def test_strength_nought_is_the_frozen_denoiser(block, fused_tokens):
    net = denoiser(block=block, fused_tokens=fused_tokens)
    plain = net.base(NOISY, TIME, TEXT)
    mixed = net(NOISY, TIME, TEXT, STYLE, torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(mixed[:1], plain[:1])
    assert not torch.allclose(mixed[1:], plain[1:], atol=1e-4)
    torch.testing.assert_close(net(NOISY, TIME, TEXT), plain)


def test_a_block_or_choice_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="block 4 is not one of the denoiser's 3"):
        denoiser(block=4)
    with pytest.raises(ValueError, match="fused_tokens is 'time'"):
        denoiser(fused_tokens="time")


def test_the_style_encoder_begins_as_the_vaes_mean():
    vae = MotionVAE(features=5, **SIZES).eval()
    encoder = MotionStyleEncoder(features=5, **SIZES).eval()
    encoder.begin_as(vae)
    motion = torch.randn(2, 12, 5)
    torch.testing.assert_close(encoder(motion, MASK), vae.encode(motion, MASK).mean[:, 0])


def test_both_forms_sample_and_agree_where_one_scale_is_nought():
    styled, schedule = model(), mld_schedule(4)
    style = styled.style_of(torch.randn(1, 12, 5))

    def last(form, scales):
        return list(styled.sample(TEXT, style, NOISY, scales=scales, form=form, schedule=schedule))[-1].noisy

    both = [last(form, Scales(7.5, 1.5)) for form in ("code", "paper")]
    assert not torch.allclose(*both, atol=1e-4) and all(torch.isfinite(x).all() for x in both)
    one, other = (last(form, Scales(7.5, 0.0)) for form in ("code", "paper"))
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
    assert styled.decode(both[0], MASK).shape == (2, 12, 5)
    with pytest.raises(ValueError, match="unknown form"):
        last("neither", Scales())


def test_styles_are_found_and_blended():
    bank = torch.eye(4)
    assert most_similar(torch.tensor([[0.1, 5.0, 0.0, 1.0]]), bank).tolist() == [1]
    torch.testing.assert_close(
        blended_styles(bank[:2], torch.tensor([1.0, 3.0])), torch.tensor([[0.25, 0.75, 0.0, 0.0]])
    )


def test_stage_two_trains_the_encoder_through_the_frozen_denoiser():
    styled = model()
    styled.denoiser.requires_grad_(False)
    batch = StyledBatch(NOISY, torch.randn_like(NOISY), TEXT, torch.randn(2, 12, 5), MASK)
    process, times = DiscreteSchedule.of(scaled_linear_betas(1000)), torch.tensor([3, 900])
    for kept, moved in ((torch.tensor([True, True]), True), (torch.tensor([False, False]), False)):
        loss = objective.styled_denoising_loss(styled.denoiser, styled.style_encoder, batch, times, process, kept)
        gradient = torch.autograd.grad(loss, styled.style_encoder.embed.weight, retain_graph=True)[0]
        assert bool(gradient.abs().max() > 0) is moved


def test_alignment_is_symmetric_and_lowest_for_what_belongs_together():
    texts, paired = torch.randn(4, 8), torch.eye(4, dtype=torch.bool)
    matched, crossed = (objective.alignment_loss(texts, other, paired) for other in (texts, texts.flip(0)))
    assert matched < crossed
    styles = torch.randn(4, 8)
    torch.testing.assert_close(
        objective.alignment_loss(texts, styles, paired), objective.alignment_loss(styles, texts, paired.T)
    )
    expected = torch.nn.functional.normalize(texts, dim=-1) @ torch.nn.functional.normalize(styles, dim=-1).T / 0.07
    cross = torch.nn.functional.cross_entropy
    both = 0.5 * (cross(expected, torch.arange(4)) + cross(expected.T, torch.arange(4)))
    torch.testing.assert_close(objective.alignment_loss(texts, styles, paired), both)
