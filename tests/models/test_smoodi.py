"""SMooDi's networks: sizes, masks, the adapter that begins at nothing, and the habits named as quirks."""

import pytest
import torch

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.smoodi import (
    EMPTY_STYLE_IS_ENCODED,
    STYLE_ADDED_IN_PLACE,
    SMooDiDenoiser,
    SMooDiEstimator,
    shuffled_in_windows,
    window_permutations,
)
from motifmix.models.style_network import STATISTICS_OVER_EVERYTHING, StyleNetwork

SIZES = {"features": 5, "width": 8, "feed_forward": 12, "layers": 3, "heads": 2, "positions": 60}
STYLE = {"style_classes": 3, "style_feed_forward": 12, "style_layers": 2, "style_heads": 2}
TEXT, TIME = torch.randn(2, 1, 6), torch.tensor(500)
NOISY = torch.randn(2, 1, 8)


def tiny(**options) -> SMooDiDenoiser:
    torch.manual_seed(0)
    return SMooDiDenoiser(**SIZES, **STYLE, text_dim=6, **options).eval()


def trained(**options) -> SMooDiDenoiser:
    denoiser = tiny(**options)
    for parameter in denoiser.zero_linears.parameters():
        torch.nn.init.normal_(parameter)
    return denoiser


def style_network(**options) -> StyleNetwork:
    torch.manual_seed(0)
    return StyleNetwork(**SIZES, classes=3, **options).eval()


def test_an_untrained_adapter_leaves_the_frozen_denoiser_as_it_is():
    denoiser, style = tiny(), torch.randn(2, 8)
    plain = denoiser.base(NOISY, TIME, TEXT)
    torch.testing.assert_close(denoiser(NOISY, TIME, TEXT, style), plain)
    torch.testing.assert_close(denoiser(NOISY, TIME, TEXT), plain)


def test_in_place_addition_is_a_quirk_and_changes_nothing_of_the_callers():
    quirky, style, noisy = tiny(quirks=[STYLE_ADDED_IN_PLACE]), torch.randn(2, 8), NOISY.clone()
    shifted = quirky.base(NOISY + style[:, None], TIME, TEXT)
    torch.testing.assert_close(quirky(noisy, TIME, TEXT, style), shifted)
    assert torch.equal(noisy, NOISY)
    torch.testing.assert_close(quirky.left_behind(noisy, style), NOISY + style[:, None])
    assert tiny().left_behind(noisy, style) is noisy


def test_without_a_style_the_adapter_is_off_item_by_item():
    denoiser, style = trained(), torch.randn(2, 8)
    mixed = denoiser(NOISY, TIME, TEXT, style, torch.tensor([True, False]))
    torch.testing.assert_close(mixed[:1], denoiser(NOISY, TIME, TEXT, style)[:1])
    torch.testing.assert_close(mixed[1:], denoiser(NOISY, TIME, TEXT)[1:])


@pytest.mark.parametrize("quirks", [(), (EMPTY_STYLE_IS_ENCODED,)])
def test_no_style_is_nothing_or_by_quirk_a_motion_of_zeros(quirks):
    denoiser, references = trained(quirks=quirks), torch.randn(1, 20, 5)
    estimator = SMooDiEstimator(denoiser, torch.zeros(1, 1, 6), references)
    here = torch.tensor([True, False])
    condition = Condition(
        {"text": Part(TEXT, torch.ones(2, dtype=torch.bool)), "style": Part(torch.zeros(2, dtype=torch.long), here)}
    )
    level = NoiseLevel(0.6, 0.8, 0.5, 500)
    clean = estimator(NOISY, level, condition, torch.ones(2, 1, dtype=torch.bool))
    noise = (NOISY - 0.6 * clean) / 0.8
    none = denoiser.embed_style(torch.zeros(1, 20, 5)).expand(2, -1) if quirks else None
    torch.testing.assert_close(noise[1:], denoiser(NOISY, TIME, TEXT, none)[1:], rtol=1e-4, atol=1e-5)
    style = denoiser.embed_style(references).expand(2, -1)
    torch.testing.assert_close(noise[:1], denoiser(NOISY, TIME, TEXT, style)[:1], rtol=1e-4, atol=1e-5)


def test_windows_are_shuffled_and_the_rest_stays():
    motion = torch.arange(37.0)[None, :, None]
    order = window_permutations(37, torch.Generator().manual_seed(1))
    assert order.shape == (2, 16) and torch.equal(order.sort(dim=1).values, torch.arange(16).expand(2, -1))
    shuffled = shuffled_in_windows(motion, order)[0, :, 0]
    assert torch.equal(shuffled[:16], order[0].float()) and torch.equal(shuffled[16:32], 16.0 + order[1])
    assert torch.equal(shuffled[32:], torch.arange(32.0, 37.0))


def test_padding_changes_neither_embedding_nor_statistics_but_by_quirk():
    motion, mask = torch.randn(2, 12, 5), torch.arange(12) < torch.tensor([[12], [7]])
    network = style_network()
    torch.testing.assert_close(network(motion, mask)[1:], network(motion[1:, :7]))
    for together, alone in zip(network.statistics(motion, mask), network.statistics(motion[1:, :7]), strict=True):
        torch.testing.assert_close(together.mean[1:], alone.mean)
        torch.testing.assert_close(together.std[1:], alone.std)
    quirky = style_network(quirks=[STATISTICS_OVER_EVERYTHING])
    whole = quirky.statistics(motion)[-1]
    assert not torch.allclose(whole.mean[1:], quirky.statistics(motion[1:, :7])[-1].mean)
    assert not torch.allclose(whole.mean[:1], network.statistics(motion[:1])[-1].mean)


def test_the_full_sizes_are_the_published_ones():
    with torch.device("meta"):
        denoiser, network, few = SMooDiDenoiser(), StyleNetwork(), StyleNetwork(classes=47)
    count = [sum(p.numel() for p in module.parameters()) for module in (denoiser, denoiser.base, network, few)]
    assert count == [22_246_600, 8_349_184, 5_216_968, 5_135_454]
    assert count[0] - count[1] == 13_897_416
    assert (len(denoiser.state_dict()), len(network.state_dict())) == (346, 83)
