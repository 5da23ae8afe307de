import numpy as np
import pytest
import torch

from motifmix.errors import WeightsError
from motifmix.models.motion_puzzle import UNSCALED_ATTENTION, MotionPuzzle, adjacency
from motifmix.pretrained.maps import motion_puzzle as maps
from motifmix.pretrained.maps.key_map import load_published


@pytest.fixture
def model() -> MotionPuzzle:
    torch.manual_seed(0)
    return MotionPuzzle(base_channels=2, style_latent_dim=3).eval()


def test_the_published_size_has_the_published_number_of_parameters():
    with torch.device("meta"):
        model = MotionPuzzle()
    assert sum(p.numel() for p in model.parameters()) == 39_501_073
    assert sum(p.numel() for p in model.decoder.parameters()) == 30_030_819
    assert len(model.state_dict()) == 463


def test_content_gives_the_length_and_style_may_have_another(model):
    content, style = torch.randn(2, 12, 21, 16), torch.randn(2, 12, 21, 24)
    with torch.no_grad():
        made = model(content, style)
        assert made.shape == content.shape
        torch.testing.assert_close(model(content[1:], style[1:]), made[1:])


@pytest.mark.parametrize("frames", [8, 18])
def test_a_clip_that_is_too_short_or_no_multiple_of_4_is_refused(model, frames):
    with pytest.raises(ValueError, match=f"multiple of 4 frames, at least 12, not {frames}"):
        model(torch.randn(1, 12, 21, frames), torch.randn(1, 12, 21, 16))


def test_with_all_parts_its_own_a_clip_does_not_see_the_style(model):
    content, style = torch.randn(1, 12, 21, 16), torch.randn(1, 12, 21, 16)
    with torch.no_grad():
        own = model(content, style, own_parts=range(5))
        torch.testing.assert_close(own, model(content, content))
        assert not torch.allclose(own, model(content, style, own_parts=[0]))


def test_attention_without_scale_is_asked_for_by_name(model):
    published = MotionPuzzle(base_channels=2, style_latent_dim=3, quirks=[UNSCALED_ATTENTION]).eval()
    published.load_state_dict(model.state_dict())
    clip = torch.randn(1, 12, 21, 16)
    with torch.no_grad():
        assert not torch.allclose(published(clip, clip), model(clip, clip))


@pytest.mark.parametrize(("partition", "matrices"), [("distance", 3), ("uniform", 1), ("spatial", 5)])
def test_every_division_of_a_graph_adds_up_to_the_same_mean(partition, matrices):
    graph = adjacency(4, [(0, 1), (1, 2), (2, 3)], 1, partition, 2)
    assert graph.shape == (matrices, 4, 4)
    np.testing.assert_allclose(graph.sum(axis=(0, 1)), 1.0)
    np.testing.assert_allclose(graph.sum(axis=0), adjacency(4, [(0, 1), (1, 2), (2, 3)], 1, "uniform", 2)[0])


def test_a_graph_divided_in_another_way_is_refused():
    with pytest.raises(ValueError, match="not by 'colour'"):
        adjacency(2, [(0, 1)], 0, "colour", 1)  # type: ignore[arg-type]


def test_published_names_find_their_places_strictly(model):
    published = {name: model.state_dict()[ours] for name, ours in published_names(model).items()}
    assert len(published) == 463
    copy = MotionPuzzle(base_channels=2, style_latent_dim=3).eval()
    report = load_published(copy, published, maps.GENERATOR)
    assert report.loaded == 463 and not report.dropped
    clip = torch.randn(1, 12, 21, 16)
    with torch.no_grad():
        assert torch.equal(copy(clip, clip), model(clip, clip))
    without_tables = {name: value for name, value in published.items() if ".A_" not in name}
    assert len(load_published(copy, without_tables, maps.GENERATOR).computed) == 9
    with pytest.raises(WeightsError, match=r"missing: decoder\.output\.bias"):
        load_published(copy, {k: v for k, v in published.items() if k != "dec.to_mot.1.bias"}, maps.GENERATOR)
    with pytest.raises(WeightsError, match=r"unknown: dec\.discriminator\.weight"):
        load_published(copy, {**published, "dec.discriminator.weight": torch.zeros(1)}, maps.GENERATOR)


def published_names(model: MotionPuzzle) -> dict[str, str]:
    """Published name to ours, spelled out from what the published file holds."""
    levels = {"joint": "joint", "mid": "mid", "bodypart": "part"}
    levels |= {f"bottleneck.res.{n}": f"bottleneck.{n}" for n in (0, 1)}
    letters = {"j": "joint", "m": "mid", "b": "part", "bt": "bottleneck"}
    names = {}
    for theirs, ours in (("enc_content", "content_encoder"), ("enc_style", "style_encoder"), ("dec", "decoder")):
        names |= {f"{theirs}.A_{letter}": f"{ours}.graphs.{letters[letter]}" for letter in "jmb"}
        names |= {f"{theirs}.edge_importance_{a}": f"{ours}.graphs.{b}_importance" for a, b in letters.items()}
        parts: dict[str, str] = {}
        if theirs == "dec":
            ends = {"to_mot.1": "output"}
            names |= {"dec.up_BodypartToMid.weight": "decoder.to_mid", "dec.up_MidToJoint.weight": "decoder.to_joints"}
            for n in (1, 2):
                parts |= {f"gcn{n}.conv": f"graph{n}.channels", f"tcn{n}": f"temporal{n}"}
            for a, b in (
                ("leftleg", "left_leg"), ("rightleg", "right_leg"), ("spine", "spine"), ("leftarm", "left_arm"),
                ("rightarm", "right_arm"),
            ):  # fmt: skip
                within = {"to_latent.1": "latent", "inject.0": "hidden", "inject.2": "statistics"}
                parts |= {f"adain_{a}.{c}": f"norms.{b}.{d}" for c, d in within.items()}
                within = {"f": "query", "g": "key", "h": "value", "k": "output"}
                parts |= {f"astyle_{a}.{c}": f"attentions.{b}.{d}" for c, d in within.items()}
        else:
            ends = {"from_mot": "input"}
            names |= {f"{theirs}.down_JointToMid.weight": f"{ours}.to_mid"}
            names |= {f"{theirs}.down_MidToBodypart.weight": f"{ours}.to_parts"}
            parts = {"gcn.conv": "graph.channels", "tcn": "temporal"}
        places = ends | {f"{a}.{c}": f"{b}.{d}" for a, b in levels.items() for c, d in parts.items()}
        names |= {f"{theirs}.{a}.{k}": f"{ours}.{b}.{k}" for a, b in places.items() for k in ("weight", "bias")}
    assert set(names.values()) == set(model.state_dict())
    return names
