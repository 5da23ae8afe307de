"""The latent denoiser of MLD: shapes, sizes, the hook, and that a batch is its items."""

import torch

from motifmix.models.layers.timestep_embedding import timestep_waves
from motifmix.models.mld_denoiser import MLDDenoiser

TINY = {"width": 8, "text_dim": 6, "feed_forward": 12, "layers": 3, "heads": 2, "positions": 20}


def tiny(**options) -> MLDDenoiser:
    torch.manual_seed(0)
    return MLDDenoiser(**{**TINY, **options}).eval()


def test_a_batch_is_its_items():
    denoiser, noisy, text = tiny(), torch.randn(3, 7, 8), torch.randn(3, 2, 6)
    steps = torch.tensor([1, 500, 981])
    together = denoiser(noisy, steps, text)
    assert together.shape == noisy.shape
    for k in range(3):
        alone = denoiser(noisy[k : k + 1], steps[k], text[k : k + 1])
        torch.testing.assert_close(together[k : k + 1], alone, rtol=1e-4, atol=1e-5)


def test_text_as_wide_as_the_network_is_not_projected():
    names = tiny(text_dim=8).state_dict()
    assert not [name for name in names if name.startswith("text")]
    assert [name for name in tiny().state_dict() if name.startswith("text")] == ["text.1.weight", "text.1.bias"]


def test_a_hook_sees_every_block_once_and_what_it_returns_goes_on():
    denoiser, noisy, text = tiny(), torch.randn(1, 1, 8), torch.randn(1, 1, 6)
    seen = []

    def watch(number, tokens):
        seen.append((number, tuple(tokens.shape)))
        return tokens

    plain = denoiser(noisy, torch.tensor(5), text)
    torch.testing.assert_close(denoiser(noisy, torch.tensor(5), text, watch), plain)
    assert seen == [(k, (1, 3, 8)) for k in (1, 2, 3)]
    for number in (1, 2, 3):
        changed = denoiser(noisy, torch.tensor(5), text, lambda k, x, n=number: x + (k == n))
        assert not torch.allclose(changed, plain) or number == 3  # the last is followed by a norm that takes it out


def test_the_full_size_is_the_published_one():
    with torch.device("meta"):
        denoiser = MLDDenoiser()
    assert sum(p.numel() for p in denoiser.parameters()) == 8_349_184
    assert len(denoiser.state_dict()) == 126


def test_a_text_feature_of_odd_size_is_read():
    waves = timestep_waves(torch.tensor([3, 700]), 15)
    torch.testing.assert_close(waves[:, :14], timestep_waves(torch.tensor([3, 700]), 14))
    assert waves.shape == (2, 15) and not waves[:, 14].any()
    denoiser = MLDDenoiser(width=8, text_dim=15, feed_forward=8, layers=1, heads=2).eval()
    assert denoiser(torch.zeros(2, 1, 8), torch.tensor(3), torch.zeros(2, 1, 15)).isfinite().all()
