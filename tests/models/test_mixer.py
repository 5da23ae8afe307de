"""MixerMDM's Mixer: granularities, masks, sizes and names."""

import pytest
import torch

from motifmix.errors import WeightsError
from motifmix.models.mixer import POOLS_PADDING, Familiarity, Mixer
from motifmix.pretrained.maps import mixermdm as maps
from motifmix.pretrained.maps.key_map import load_published

TINY = {"features": 262, "width": 8, "feed_forward": 12, "blocks": 2, "heads": 2, "text": 6}
PARTS_OF_BLOCK = (
    [f"{part}.norm.emb_layers.1" for part in ("sa_block", "ca_block", "ffn")]
    + ["ca_block.xf_norm.emb_layers.1", "ffn.linear1", "ffn.linear2"]
    + [f"{part}.attention.out_proj" for part in ("sa_block", "ca_block")]
)


def tiny(**options) -> Mixer:
    torch.manual_seed(0)
    mixer = Mixer(**{**TINY, **options})
    for parameter in mixer.parameters():  # some start at zero
        torch.nn.init.normal_(parameter, std=0.2)
    return mixer.eval()


def given(batch: int = 2, frames: int = 9) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {
        "motion": torch.randn(batch, frames, 262),
        "anchor": torch.randn(batch, frames, 262),
        "timesteps": torch.tensor([900, 20][:batch]),
        "own_text": torch.randn(batch, 6),
        "shared_text": torch.randn(batch, 6),
    }


def published_state(mixer: Mixer, prefix: str = "mixing.") -> dict[str, torch.Tensor]:
    names = ["motion_embed", "text_embed", "embed_timestep.time_embed.0", "embed_timestep.time_embed.2"]
    names += ["influence.out"]
    for number in range(len(mixer.weight_net.blocks)):
        names += [f"influence.blocks.{number}.{part}" for part in PARTS_OF_BLOCK]
    state = {f"{prefix}{name}.{kind}" for name in names for kind in ("weight", "bias")}
    for number in range(len(mixer.weight_net.blocks)):
        for part in ("sa_block", "ca_block"):
            attention = f"{prefix}influence.blocks.{number}.{part}.attention.in_proj"
            state |= {f"{attention}_weight", f"{attention}_bias"}
    ours, own = {}, mixer.state_dict()
    for name in state:
        (place,), _, unmatched = maps.MIXER.apply({name: torch.zeros(())})
        assert not unmatched
        ours[name] = torch.randn(own[place].shape)
    return ours


@pytest.mark.parametrize(
    ("granularity", "shape"),
    [("global", (2, 1, 1)), ("temporal", (2, 9, 1)), ("spatial", (2, 1, 23)), ("spatio_temporal", (2, 9, 23))],
)
def test_a_weight_for_each_thing_that_it_is_asked_for(granularity, shape):
    mixer = tiny(granularity=granularity)
    assert mixer(**given()).shape == shape
    assert torch.equal(mixer(**given()), mixer(**given()))


@pytest.mark.parametrize("granularity", ["global", "temporal", "spatial", "spatio_temporal"])
def test_padding_does_not_change_what_is_real(granularity):
    mixer, inputs = tiny(granularity=granularity), given()
    valid = torch.arange(9).expand(2, 9) < torch.tensor([9, 6])[:, None]
    together = mixer(**inputs, valid_mask=valid)[1:]
    alone = {name: value[1:, :6] if value.ndim == 3 else value[1:] for name, value in inputs.items()}
    expected = mixer(**alone)
    torch.testing.assert_close(together[:, : expected.shape[1]], expected, rtol=1e-4, atol=1e-5)


def test_the_published_mixer_pools_padding_too():
    mixer, inputs = tiny(granularity="global", quirks=[POOLS_PADDING]), given()
    valid = torch.arange(9).expand(2, 9) < 6
    inputs["motion"][:, 6:] += 5.0
    changed = given()
    assert not torch.allclose(mixer(**inputs, valid_mask=valid), mixer(**changed, valid_mask=valid))


def test_the_two_texts_and_the_step_count():
    mixer, inputs = tiny(), given()
    base = mixer(**inputs)
    for name in ("timesteps", "own_text", "shared_text"):
        assert not torch.allclose(base, mixer(**{**inputs, name: inputs[name] + 1}), atol=1e-5)


def test_the_full_size_is_the_published_one():
    with torch.device("meta"):
        mixer, one = Mixer(), Mixer(granularity="global")
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in mixer.named_children()}
    assert count == {"input": 134_656, "time": 525_312, "text": 393_728, "weight_net": 21_022_231}
    assert sum(count.values()) == 22_075_927
    assert sum(p.numel() for p in one.weight_net.parameters()) == 21_010_945
    assert len(mixer.weight_net.state_dict()) == 82


def test_published_names_load_strictly_both_ways():
    mixer = tiny()
    state = published_state(mixer)
    report = load_published(mixer, {**state, "mixing.sequence_pos_encoder.pe": torch.zeros(5000, 8)}, maps.MIXER)
    assert report.loaded == len(mixer.state_dict()) == len(state)
    torch.testing.assert_close(mixer.weight_net.output.weight, state["mixing.influence.out.weight"])
    load_published(mixer, {f"model.{name}": value for name, value in state.items()}, maps.MIXER)
    load_published(mixer, published_state(mixer, ""), maps.MIXER)
    with pytest.raises(WeightsError, match=r"1 missing: weight_net\.output\.bias"):
        load_published(mixer, {k: v for k, v in state.items() if k != "mixing.influence.out.bias"}, maps.MIXER)
    with pytest.raises(WeightsError, match=r"1 unknown: mixing\.influence\.gate"):
        load_published(mixer, {**state, "mixing.influence.gate": torch.zeros(1)}, maps.MIXER)


def test_an_unknown_granularity_is_refused():
    with pytest.raises(ValueError, match="no granularity 'joint'; known are global"):
        Mixer(granularity="joint")  # type: ignore[arg-type]


def test_a_sentence_that_was_learned_from_is_nearer_than_another():
    familiarity = Familiarity(6, 8)
    known = 5.0 * torch.eye(6)[:3]
    familiarity.remember(known)
    familiarity.eval()
    asked = torch.stack([known[1], known[0] + known[1], torch.eye(6)[4], torch.zeros(6)])
    torch.testing.assert_close(familiarity.nearest(asked), torch.tensor([1.0, 0.5**0.5, 0.0, 0.0]))
    assert familiarity(asked)[3].abs().max() == 0, "where nothing is said nothing is known"


def test_while_it_learns_another_half_of_the_sentences_is_left_out_each_time():
    torch.manual_seed(0)
    familiarity = Familiarity(400, 8)
    known = torch.eye(400)
    familiarity.remember(known)
    shares = [float((familiarity.nearest(known) == 1).float().mean()) for _ in range(3)]
    assert all(0.4 < share < 0.6 for share in shares) and len(set(shares)) > 1
    assert 0.4 < float(familiarity.centre) < 0.6 and float(familiarity.spread) > 0


def test_what_the_anchor_learned_from_changes_the_weights_of_who_is_told_other_things():
    mixer, inputs = tiny(familiar=True), given()
    mixer.familiarity.remember(inputs["own_text"][:1].repeat(2, 1))
    mixer.eval()
    before = mixer(**inputs)
    mixer.familiarity.known.zero_()
    changed = (mixer(**inputs) - before).abs().amax(dim=(1, 2))
    assert changed[0] > 1e-3
    assert not any(name.startswith("familiarity") for name in tiny().state_dict()), "published ones have no such part"
    with pytest.raises(ValueError, match=r"the shape \[0, 6\]"):
        mixer.familiarity.recall(torch.zeros(0, 6))
