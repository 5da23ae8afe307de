"""SMooDi at work: what guides, that a batch is its items, that the same seed gives the same bits, and transfer."""

import pytest
import torch

from motifmix.models.mld_vae import MotionVAE
from motifmix.models.smoodi import SMooDiDenoiser
from motifmix.models.style_network import StyleNetwork
from motifmix.pipelines.mld import mld_schedule
from motifmix.pipelines.smoodi import REFERENCE_ALWAYS_SHUFFLED, SMooDi
from motifmix.style.classifier_guidance import GuidanceOptions

SIZES = {"features": 5, "width": 8, "feed_forward": 12, "layers": 3, "heads": 2, "positions": 60}
STYLE = {"style_classes": 3, "style_feed_forward": 12, "style_layers": 2, "style_heads": 2}
MASK = torch.arange(12) < torch.tensor([[12], [9]])
TEXT, REFERENCE = torch.randn(2, 1, 6), torch.randn(1, 20, 5)
NOISE = 0.1 * torch.randn(2, 1, 8)
SCHEDULE = mld_schedule(5)


def model(quirks=(), network=True) -> SMooDi:
    torch.manual_seed(0)
    denoiser = SMooDiDenoiser(**SIZES, **STYLE, text_dim=6).eval()
    for parameter in denoiser.zero_linears.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    guide = StyleNetwork(**SIZES, classes=3).eval() if network else None
    return SMooDi(MotionVAE(**SIZES).eval(), denoiser, torch.zeros(1, 1, 6), guide, quirks)


def last(smoodi, reference=REFERENCE, rows=slice(None), **options):
    return list(smoodi.sample(TEXT[rows], reference, MASK[rows], NOISE[rows], schedule=SCHEDULE, **options))[-1].noisy


@pytest.mark.parametrize("mode", ["v0", "v2", "v4", "v4_first_release"])
def test_every_mode_runs_and_repeats_itself(mode):
    one, other = last(model(), mode=mode), last(model(), mode=mode)
    assert torch.equal(one, other) and torch.isfinite(one).all()


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="unknown mode 'v3'"):
        last(model(), mode="v3")


def test_each_kind_of_guidance_tells():
    smoodi = model()
    results = [
        last(smoodi),
        last(smoodi, guidance=None),
        last(smoodi, adapter=False),
        last(smoodi, None),
    ]
    for k, one in enumerate(results):
        assert all(not torch.allclose(one, other, atol=1e-4) for other in results[k + 1 :])
    torch.testing.assert_close(last(smoodi, adapter=False, guidance=None), last(smoodi, None))


def test_without_a_style_network_it_says_what_to_do():
    with pytest.raises(ValueError, match="needs a style network"):
        last(model(network=False))
    assert torch.isfinite(last(model(network=False), guidance=None)).all()


def test_a_stronger_pull_comes_nearer_to_the_reference():
    seen = []
    smoodi = model()
    pull = GuidanceOptions(iterations=30, scale=0.02, below=1000)
    list(smoodi.sample(TEXT, REFERENCE, MASK, NOISE, schedule=SCHEDULE, guidance=pull, watch=seen.append))
    assert seen[29].loss < seen[0].loss


def test_shuffling_the_reference_is_a_quirk_and_follows_the_seed():
    quirky = model([REFERENCE_ALWAYS_SHUFFLED])
    one, other, again = (last(quirky, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)


@pytest.mark.parametrize("mode", ["v0", "v2"])
def test_transfer_starts_in_the_middle_and_keeps_the_length(mode):
    content = torch.randn(1, 12, 5)
    done = model().transfer(
        content, MASK[:1], TEXT[:1], REFERENCE, NOISE[:1], mode=mode, schedule=SCHEDULE, start=2
    )  # fmt: skip
    assert done.motion.shape == content.shape
    assert len(done.inverted) == 5 and len(done.steps) == 3
    assert torch.equal(done.start, done.inverted[2].noisy)
