"""Style vectors of motions and of words, and the length that suits."""

import torch

from motifmix.models.style_encoder import LengthPredictor, StyleEncoder, TextToStyle


def encoder() -> StyleEncoder:
    torch.manual_seed(0)
    network = StyleEncoder(features=12, width=16, style=8).eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.add_(0.2 * torch.randn_like(parameter))
    return network


def test_a_padded_clip_has_the_style_that_it_has_alone():
    network, features = encoder(), torch.randn(3, 40, 12)
    valid = torch.ones(3, 40, dtype=torch.bool)
    valid[1, 24:] = False
    features[1, 24:] = 70.0
    alone = network(features[1:2, :24], valid[1:2, :24])
    torch.testing.assert_close(network(features, valid)[1:2], alone, atol=1e-5, rtol=1e-5)


def test_no_style_speaks_louder_than_another():
    torch.manual_seed(0)
    motion = encoder()(torch.randn(4, 16, 12) * torch.tensor([0.1, 1, 5, 20])[:, None, None], torch.ones(4, 16).bool())
    words = TextToStyle(text=6, width=16, style=8).eval()(torch.randn(4, 6) * 30).detach()
    for vectors in (motion, words):
        torch.testing.assert_close(vectors.norm(dim=-1), torch.full((4,), 8**0.5), atol=2e-2, rtol=1e-2)
        torch.testing.assert_close(vectors.mean(dim=-1), torch.zeros(4), atol=1e-5, rtol=0)


def test_the_length_hears_text_and_style_but_no_absent_style():
    torch.manual_seed(0)
    network = LengthPredictor(text=6, style=8, width=16).eval()
    text, style, here = torch.randn(2, 6), torch.randn(2, 8), torch.ones(2, dtype=torch.bool)
    mean, log_variance = network(text, style, here)
    assert mean.shape == log_variance.shape == (2,)
    assert (log_variance >= -6).all() and (log_variance <= 2).all()
    assert not torch.allclose(mean, network(text + 1, style, here)[0])
    assert not torch.allclose(mean, network(text, style + 1, here)[0])
    assert torch.equal(network(text, style, ~here)[0], network(text, style + 1, ~here)[0])
