"""The fusion of StyleMotif: its formula, and nothing at strength zero."""

import numpy as np
import torch

from motifmix.style.cross_normalization import ETA, cross_normalize


def some(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_formula():
    content, style = some(2, 3, 8), some(2, 1, 8, seed=1)
    c, s = content.double().numpy(), style.double().numpy()
    expected = c + 0.6 * (s - c.mean(-1, keepdims=True)) / np.sqrt(c.var(-1, keepdims=True) + ETA)
    np.testing.assert_allclose(cross_normalize(content, style, 0.6).numpy(), expected, atol=1e-5)


def test_strength_zero_is_the_content_to_the_bit():
    content, style = some(2, 3, 8), 1000 * some(2, 1, 8, seed=1)
    assert torch.equal(cross_normalize(content, style, 0.0), content)
    strengths = torch.tensor([0.0, 0.5])[:, None, None]
    mixed = cross_normalize(content, style, strengths)
    assert torch.equal(mixed[0], content[0]) and not torch.allclose(mixed[1], content[1])


def test_gradients_reach_content_and_style():
    content, style = some(1, 3, 8).requires_grad_(True), some(1, 1, 8, seed=1).requires_grad_(True)
    cross_normalize(content, style, 0.6).pow(2).sum().backward()
    assert content.grad is not None and style.grad is not None
    assert (content.grad != 0).all() and (style.grad != 0).all()


def test_a_token_without_any_contrast_stays_finite():
    assert torch.isfinite(cross_normalize(torch.full((1, 1, 8), 3.0), some(1, 1, 8), 1.0)).all()
