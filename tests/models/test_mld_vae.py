"""The motion VAE of MLD: shapes, masks, sizes and names."""

import pytest
import torch

from motifmix.errors import WeightsError
from motifmix.models.mld_vae import MotionVAE
from motifmix.pretrained.maps import mld as maps
from motifmix.pretrained.maps.key_map import load_published

TINY = {"features": 13, "width": 8, "feed_forward": 12, "layers": 3, "heads": 2, "positions": 40}


def tiny(**options) -> MotionVAE:
    torch.manual_seed(0)
    return MotionVAE(**{**TINY, **options}).eval()


def mask(*lengths: int) -> torch.Tensor:
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


@pytest.mark.parametrize("tokens", [1, 7])
@pytest.mark.parametrize("arch", ["encoder_decoder", "all_encoder"])
def test_a_padded_clip_is_read_and_written_as_if_it_were_alone(arch, tokens):
    vae, features = tiny(arch=arch, latent_tokens=tokens), torch.randn(2, 12, 13)
    together = vae.encode(features, mask(12, 7))
    alone = vae.encode(features[1:, :7], mask(7))
    assert together.mean.shape == (2, tokens, 8)
    torch.testing.assert_close(together.mean[1:], alone.mean)
    torch.testing.assert_close(together.std[1:], alone.std)
    decoded = vae.decode(together.mean, mask(12, 7))
    assert decoded.shape == (2, 12, 13) and not decoded[1, 7:].any()
    torch.testing.assert_close(decoded[1:, :7], vae.decode(alone.mean, mask(7)), rtol=1e-4, atol=1e-5)


def test_one_frame_is_enough():
    vae = tiny()
    assert vae.decode(vae.encode(torch.randn(1, 1, 13), mask(1)).mean, mask(1)).shape == (1, 1, 13)


def test_a_memory_of_one_token_gives_what_attention_gives():
    vae = tiny()
    attention = vae.decoder.middle_block.cross_attention
    x, memory = torch.randn(2, 5, 8), torch.randn(2, 1, 8)
    twice = attention(x, memory.expand(-1, 2, -1))
    torch.testing.assert_close(attention(x, memory).expand(-1, 5, -1), twice)


def test_a_narrower_latent_stands_between_two_projections():
    vae = tiny(latent_tokens=4, latent_dim=3)
    posterior = vae.encode(torch.randn(2, 6, 13), mask(6, 6))
    assert posterior.mean.shape == posterior.log_variance.shape == (2, 4, 3)
    assert vae.decode(posterior.mean, mask(6, 6)).shape == (2, 6, 13)


@pytest.mark.parametrize(
    ("options", "parameters", "tensors"),
    [
        ({}, 18_032_135, 297),
        ({"latent_tokens": 7}, 18_035_207, 297),
        ({"latent_tokens": 10}, 18_036_743, 297),
        ({"arch": "all_encoder"}, 15_659_015, 243),
        ({"latent_tokens": 16, "latent_dim": 32}, 18_056_487, 301),
    ],
)
def test_the_full_sizes_are_the_published_ones(options, parameters, tensors):
    with torch.device("meta"):
        vae = MotionVAE(**options)
    assert sum(p.numel() for p in vae.parameters()) == parameters
    assert len(vae.state_dict()) == tensors


def test_published_names_load_strictly_both_ways():
    vae = tiny()
    published = {
        "global_motion_token": torch.randn(2, 8),
        "skel_embedding.weight": torch.randn(8, 13),
        "query_pos_encoder.pe": torch.randn(40, 1, 8),
    }
    with pytest.raises(WeightsError, match=r"\d+ missing: .*encoder"):
        load_published(vae, published, maps.VAE)
    with pytest.raises(WeightsError, match=r"1 unknown: emb_proj\.1\.weight"):
        load_published(vae, {**published, "emb_proj.1.weight": torch.zeros(1)}, maps.VAE)


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="odd number of layers"):
        tiny(layers=4)
    with pytest.raises(ValueError, match="not a multiple of 3 heads"):
        tiny(heads=3)
    with pytest.raises(ValueError, match="longer than the 40"):
        tiny().encode(torch.randn(1, 39, 13), mask(39))
