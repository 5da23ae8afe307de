"""The autoencoder: padding changes nothing, four frames are a token, a seed is a network."""

import pytest
import torch

from motifmix.models.temporal_vae import STRIDE, TemporalVAE


def network(seed: int = 0) -> TemporalVAE:
    torch.manual_seed(seed)
    vae = TemporalVAE(features=12, width=16, latent=4, fine_width=8).eval().requires_grad_(False)
    for parameter in vae.parameters():  # fresh networks have zeros where masks could leak
        parameter.add_(0.2 * torch.randn_like(parameter))
    return vae


@pytest.mark.parametrize("frames", [4, 20, 36])
def test_a_padded_clip_gives_what_it_gives_alone(frames):
    vae = network()
    features = torch.randn(3, 40, 12)
    features[:, frames:] = 100.0  # whatever stands in the padding
    valid = torch.ones(3, 40, dtype=torch.bool)
    valid[1, frames:] = False
    mean, log_variance = vae.encode(features, valid)
    alone_mean, alone_variance = vae.encode(features[1:2, :frames])
    tokens = frames // STRIDE
    torch.testing.assert_close(mean[1:2, :tokens], alone_mean, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(log_variance[1:2, :tokens], alone_variance, atol=1e-5, rtol=1e-5)
    latents = torch.randn(3, 10, 4)
    decoded = vae.decode(latents, valid[:, ::STRIDE])
    alone = vae.decode(latents[1:2, :tokens])
    torch.testing.assert_close(decoded[1:2, :frames], alone, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(vae.decode(latents)[1:2, :frames], alone, atol=1e-3)  # without the mask it matters


def test_shapes_are_a_token_for_four_frames():
    vae = network()
    features = torch.randn(2, 24, 12)
    decoded, mean, log_variance = vae(features, torch.zeros(2, 6, 4))
    assert decoded.shape == features.shape and mean.shape == log_variance.shape == (2, 6, 4)
    torch.testing.assert_close(decoded, vae.decode(mean))


def test_the_posterior_is_sampled_with_its_own_deviation():
    vae, features, noise = network(), torch.randn(1, 8, 12), torch.randn(1, 2, 4)
    decoded, mean, log_variance = vae(features, noise)
    torch.testing.assert_close(decoded, vae.decode(mean + noise * log_variance.exp().sqrt()))


def test_a_number_of_frames_that_makes_no_tokens_is_refused():
    with pytest.raises(ValueError, match="22 frames are not a multiple of 4"):
        network().encode(torch.zeros(1, 22, 12))


def test_the_seed_decides_the_weights():
    first, again, other = network(3).state_dict(), network(3).state_dict(), network(4).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_a_latent_reaches_some_frames_around_it_and_no_further():
    vae, latents = network(), torch.zeros(1, 40, 4)
    changed = latents.clone()
    changed[0, 20] = 1.0
    moved = (vae.decode(changed) - vae.decode(latents)).abs().amax(dim=-1)[0]
    touched = torch.nonzero(moved > 1e-6)[:, 0]
    assert touched.min() > 20 * STRIDE - 60 and touched.max() < 20 * STRIDE + 64
    assert (moved[20 * STRIDE : 21 * STRIDE] > 1e-6).all()
