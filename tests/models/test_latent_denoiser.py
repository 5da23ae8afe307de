"""The denoiser: padding changes nothing, everything it is told counts, and a hook can change what flows."""

import pytest
import torch

from motifmix.models.latent_denoiser import LatentDenoiser


def network(seed: int = 0) -> LatentDenoiser:
    torch.manual_seed(seed)
    denoiser = LatentDenoiser(latent=4, text=6, width=16, blocks=2, heads=2).eval().requires_grad_(False)
    for parameter in denoiser.parameters():
        parameter.add_(0.2 * torch.randn_like(parameter))
    return denoiser


def told(batch: int, length: int = 12):
    generator = torch.Generator().manual_seed(1)
    return {
        "noisy": torch.randn(batch, length, 4, generator=generator),
        "time": torch.linspace(0.1, 0.9, batch),
        "text": torch.randn(batch, 6, generator=generator),
        "has_text": torch.ones(batch, dtype=torch.bool),
        "valid": torch.ones(batch, length, dtype=torch.bool),
    }


@pytest.mark.parametrize("length", [1, 5, 11])
def test_a_padded_item_gives_what_it_gives_alone(length):
    denoiser, given = network(), told(3)
    given["valid"][1, length:] = False
    given["noisy"][1, length:] = 50.0
    together = denoiser(**given)
    alone = denoiser(**{
        name: value[1:2, :length] if name in ("noisy", "valid") else value[1:2] for name, value in given.items()
    })  # fmt: skip
    torch.testing.assert_close(together[1:2, :length], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("what", ["noisy", "time", "text", "has_text", "valid"])
def test_everything_that_it_is_told_counts(what):
    denoiser, given = network(), told(1)
    changed = dict(given)
    if what == "valid":
        changed["valid"] = given["valid"].clone()
        changed["valid"][0, -2:] = False
    else:
        changed[what] = ~given[what] if what == "has_text" else given[what] + 0.1
    assert not torch.allclose(denoiser(**given)[:, :10], denoiser(**changed)[:, :10], atol=1e-4)


def test_an_absent_text_is_one_and_the_same_whatever_stands_there():
    denoiser, given = network(), told(2)
    given["has_text"][:] = False
    other = {**given, "text": given["text"] + 5.0}
    assert torch.equal(denoiser(**given), denoiser(**other))


def test_order_in_time_counts():
    denoiser, given = network(), told(1)
    backwards = denoiser(**{**given, "noisy": given["noisy"].flip(1)}).flip(1)
    assert not torch.allclose(denoiser(**given), backwards, atol=1e-3)


def test_the_hook_sees_each_block_once_and_what_it_returns_flows_on():
    denoiser, given, seen = network(), told(2), []

    def watch(number, hidden):
        seen.append((number, tuple(hidden.shape)))
        return hidden

    plain = denoiser(**given)
    assert torch.equal(denoiser(**given, hook=watch), plain)
    assert seen == [(1, (2, 14, 16)), (2, (2, 14, 16))]
    assert not torch.allclose(denoiser(**given, hook=lambda n, x: x.flip(-1) if n == 1 else x), plain, atol=1e-3)


def test_a_fresh_network_predicts_zero_and_the_seed_decides_the_rest():
    torch.manual_seed(0)
    fresh = LatentDenoiser(latent=4, text=6, width=16, blocks=1, heads=2).eval()
    assert (fresh(**told(2)) == 0).all()
    assert torch.equal(network(1)(**told(1)), network(1)(**told(1)))


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="width 16 is not a multiple of 3 heads"):
        LatentDenoiser(width=16, heads=3)
