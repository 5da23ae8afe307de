"""MixerMDM's discriminators: masks, sizes and names."""

import pytest
import torch

from motifmix.errors import WeightsError
from motifmix.models.discriminators import Discriminator
from motifmix.pretrained.maps import mixermdm as maps
from motifmix.pretrained.maps.key_map import load_published

PARTS_OF_BLOCK = ["sa_block.norm.emb_layers.1", "sa_block.attention.out_proj", "ffn.norm.emb_layers.1"]
PARTS_OF_BLOCK += ["ffn.linear1", "ffn.linear2"]


def tiny() -> Discriminator:
    torch.manual_seed(0)
    critic = Discriminator(10, 8, 12, 2, 2, 6)
    for parameter in critic.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return critic.eval()


def test_padding_does_not_change_the_scores_of_real_frames():
    critic, motion, text = tiny(), torch.randn(2, 9, 10), torch.randn(2, 6)
    valid = torch.arange(9).expand(2, 9) < torch.tensor([9, 6])[:, None]
    scores = critic(motion, torch.tensor([3, 800]), text, valid)
    assert scores.shape == (2, 9, 1)
    alone = critic(motion[1:, :6], torch.tensor([800]), text[1:])
    torch.testing.assert_close(scores[1:, :6], alone, rtol=1e-4, atol=1e-5)
    assert torch.equal(scores, critic(motion, torch.tensor([3, 800]), text, valid))


@pytest.mark.parametrize(("features", "parameters"), [(262, 1_974_529), (524, 2_041_601)])
def test_the_full_sizes_are_the_published_ones(features, parameters):
    with torch.device("meta"):
        critic = Discriminator(features)
    assert sum(p.numel() for p in critic.parameters()) == parameters
    assert len(critic.state_dict()) == 34


@pytest.mark.parametrize("prefix", ["", "discriminator_i.", "model.discriminator_I."])
def test_published_names_load_strictly_both_ways(prefix):
    critic = tiny()
    names = ["motion_embed", "text_embed", "embed_timestep.time_embed.0", "embed_timestep.time_embed.2", "out"]
    names += [f"blocks.{number}.{part}" for number in range(2) for part in PARTS_OF_BLOCK]
    names = [f"{prefix}{name}.{kind}" for name in names for kind in ("weight", "bias")]
    names += [f"{prefix}blocks.{n}.sa_block.attention.in_proj_{kind}" for n in range(2) for kind in ("weight", "bias")]
    own, state = critic.state_dict(), {}
    for name in names:
        (place,), _, _ = maps.DISCRIMINATOR.apply({name: torch.zeros(())})
        state[name] = torch.randn(own[place].shape)
    tables = {f"{prefix}{at}sequence_pos_encoder.pe": torch.zeros(5000, 8) for at in ("", "embed_timestep.")}
    report = load_published(critic, {**state, **tables}, maps.DISCRIMINATOR)
    assert report.loaded == len(own) and len(report.dropped) == 2
    with pytest.raises(WeightsError, match=r"1 missing: output\.bias"):
        load_published(critic, {k: v for k, v in state.items() if k != f"{prefix}out.bias"}, maps.DISCRIMINATOR)
    with pytest.raises(WeightsError, match="1 unknown"):
        load_published(critic, {**state, f"{prefix}gate": torch.zeros(1)}, maps.DISCRIMINATOR)
