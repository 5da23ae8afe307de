import pytest
import torch

from motifmix.errors import WeightsError
from motifmix.models.aberman import (
    IN_PLACE_ACTIVATIONS,
    AbermanDiscriminator,
    AbermanGenerator,
    discriminator_input,
)
from motifmix.pretrained.maps import aberman as maps
from motifmix.pretrained.maps.key_map import load_published

SMALL = {
    "content_encoder_channels": (12,),
    "style_encoder_channels": (6, 10),
    "mlp_hidden": (7, 8),
    "decoder_bottleneck_channels": 5,
}


@pytest.fixture
def generator() -> AbermanGenerator:
    torch.manual_seed(0)
    return AbermanGenerator(**SMALL).eval()


def published_state(generator: AbermanGenerator) -> dict[str, torch.Tensor]:
    """The generator's tensors under the names of the published file, for one level and one block."""
    ours = generator.state_dict()
    renames = {
        "content_encoder.1": "enc_content.conv_model.1",
        "content_encoder.2": "enc_content.conv_model.2",
        **{f"content_encoder.4.layers.{n}": f"enc_content.conv_model.4.model.{n}" for n in (1, 2, 5, 6)},
        **{f"style_encoder_{d}d.layers.{n}": f"enc_style{d}d.conv_model.{n}" for d in (2, 3) for n in (1, 4)},
        **{f"style_mlp.{n}": f"mlp.model.{n}" for n in (0, 2, 4)},
        **{f"decoder.blocks.0.layers.{n}": f"dec.model.1.conv_model.{n}" for n in (1, 4)},
        "decoder.levels.0.2": "dec.model.4",
    }
    published = {
        f"{theirs}.{kind}": ours[f"{mine}.{kind}"] for mine, theirs in renames.items() for kind in ("weight", "bias")
    }
    assert len(published) == len(ours)
    return published | {"dec.model.0.running_mean": torch.zeros(12), "dec.model.0.running_var": torch.ones(12)}


def test_the_published_size_has_the_published_number_of_parameters():
    with torch.device("meta"):
        generator, discriminator = AbermanGenerator(), AbermanDiscriminator()
    assert sum(p.numel() for p in generator.parameters()) == 1_409_900
    assert sum(p.numel() for p in discriminator.parameters()) == 1_009_752
    assert len(discriminator.state_dict()) == 30


@pytest.mark.parametrize("frames", [16, 17])
def test_styles_of_any_length_and_both_kinds_style_a_clip(generator, frames):
    content = torch.randn(2, 128, frames)
    for channels in (64, 42):
        rotations = generator(content, torch.randn(2, channels, 27))
        assert rotations.shape == (2, 124, frames + frames % 2)
        assert generator.positions(rotations).shape == (2, 60, frames + frames % 2)


def test_a_clip_that_is_no_style_is_refused(generator):
    with pytest.raises(ValueError, match="42 or 64 channels, not 63"):
        generator(torch.randn(1, 128, 16), torch.randn(1, 63, 16))


def test_bones_keep_their_lengths_whatever_the_quaternions(generator):
    positions = generator.positions(5.0 * torch.randn(1, 124, 3)).unflatten(1, (20, 3))
    shin = (positions[:, 2] - positions[:, 1]).norm(dim=1)  # LeftFoot to LeftLeg
    torch.testing.assert_close(shin, torch.full_like(shin, (2.5622**2 + 7.03959**2) ** 0.5))


def test_a_clip_alone_and_in_a_batch_become_the_same(generator):
    content, style = torch.randn(3, 128, 16), torch.randn(3, 64, 20)
    with torch.no_grad():
        torch.testing.assert_close(generator(content, style)[1:2], generator(content[1:2], style[1:2]))


def test_what_overwrites_its_input_as_published_is_asked_for_by_name():
    torch.manual_seed(0)
    proper = AbermanDiscriminator(6, (6, 8), 3)
    published = AbermanDiscriminator(6, (6, 8), 3, quirks=[IN_PLACE_ACTIVATIONS])
    published.load_state_dict(proper.state_dict())
    motion, label = discriminator_input(torch.randn(2, 6, 16)), torch.tensor([0, 2])
    response, features = proper(motion, label)
    assert response.shape == (2, 4) and features.shape == (2, 8, 4)
    other, activated = published(motion, label)
    assert not torch.allclose(response, other)
    assert features.min() < activated.min()


def test_the_discriminator_sees_the_first_frame_and_then_steps():
    motion = torch.randn(1, 2, 5)
    torch.testing.assert_close(discriminator_input(motion).cumsum(dim=-1), motion)


def test_published_names_find_their_places_strictly(generator):
    published = published_state(generator)
    copy = AbermanGenerator(**SMALL)
    report = load_published(copy, published, maps.GENERATOR)
    assert len(report.dropped) == 2 and report.loaded == len(published) - 2
    content, style = torch.randn(1, 128, 16), torch.randn(1, 42, 16)
    assert torch.equal(copy.eval()(content, style), generator(content, style))
    missing = {name: value for name, value in published.items() if name != "mlp.model.2.bias"}
    with pytest.raises(WeightsError, match=r"missing: style_mlp\.2\.bias"):
        load_published(copy, missing, maps.GENERATOR)
    with pytest.raises(WeightsError, match=r"unknown: dec\.model\.8\.weight"):
        load_published(copy, {**published, "dec.model.8.weight": torch.zeros(1)}, maps.GENERATOR)
