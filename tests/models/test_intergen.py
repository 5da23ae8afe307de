"""InterGen and in2IN: sizes as published, padding that changes nothing, people who are alike, and the published bug."""

from typing import TypeVar

import pytest
import torch

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Guided
from motifmix.diffusion.schedule import CosineSchedule, NoiseLevel
from motifmix.errors import WeightsError
from motifmix.models.in2in import SECOND_PERSON_NOT_CARRIED, In2INIndividual, In2INInteraction, multi_condition_guidance
from motifmix.models.intergen import InterGenDenoiser, InterGenNetwork, TextHead, people_in_batch
from motifmix.pretrained.maps.intergen import DENOISER, TEXT_HEAD
from motifmix.pretrained.maps.key_map import load_published

SIZES = {"features": 6, "width": 8, "feed_forward": 12, "blocks": 2, "heads": 2, "text": 5, "dropout": 0.0}
FRAMES, LEVEL = 7, NoiseLevel(0.6, 0.8, 0.5, 400)
Network = TypeVar("Network", bound=InterGenNetwork)
LAYER = {"attention.in_proj_weight": (24, 8), "attention.in_proj_bias": (24,), "attention.out_proj.weight": (8, 8),
         "attention.out_proj.bias": (8,)}  # fmt: skip


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def network(kind: type[Network]) -> Network:
    torch.manual_seed(0)
    net = kind(**SIZES).eval().requires_grad_(False)
    for parameter in net.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.3)
    return net


def arguments(kind: type[InterGenNetwork], frames: int = FRAMES) -> tuple:
    steps, people = torch.tensor([3, 900, 40]), 1 if kind is In2INIndividual else 2
    texts = (random(3, 5), random(3, 2, 5)) if kind is In2INInteraction else (random(3, 5),)
    return random(3, frames, 6 * people, seed=1), steps, *texts


KINDS = [InterGenDenoiser, In2INInteraction, In2INIndividual]


@pytest.mark.parametrize("kind", KINDS)
def test_published_size(kind):
    with torch.device("meta"):
        assert sum(p.numel() for p in kind().parameters()) == 171_352_326
        assert sum(p.numel() for p in TextHead().parameters()) == 11_029_504


@pytest.mark.parametrize("kind", KINDS)
def test_padding_does_not_change_the_frames_before_it(kind):
    net, (noisy, *told) = network(kind), arguments(kind)
    valid = torch.ones(3, FRAMES, dtype=torch.bool)
    alone = net(noisy, *told)
    assert torch.equal(alone, net(noisy, *told))
    torch.testing.assert_close(alone, net(noisy, *told, valid))
    padded = torch.cat([noisy, random(3, 4, noisy.shape[-1], seed=9)], dim=1)
    mask = torch.cat([valid, torch.zeros(3, 4, dtype=torch.bool)], dim=1)
    torch.testing.assert_close(net(padded, *told, mask)[:, :FRAMES], alone, atol=1e-5, rtol=1e-5)


def test_starts_with_a_prediction_of_zeros():
    noisy, *told = arguments(InterGenDenoiser)
    assert torch.equal(InterGenDenoiser(**SIZES)(noisy, *told), torch.zeros_like(noisy))


def test_exchanged_people_come_out_exchanged():
    net, (noisy, steps, text) = network(InterGenDenoiser), arguments(InterGenDenoiser)
    swapped = net(torch.cat([noisy[..., 6:], noisy[..., :6]], dim=-1), steps, text)
    torch.testing.assert_close(torch.cat([swapped[..., 6:], swapped[..., :6]], dim=-1), net(noisy, steps, text))


def test_two_individuals_do_not_know_of_each_other():
    net, noisy, texts, steps = network(In2INIndividual), random(3, FRAMES, 12), random(3, 2, 5), torch.tensor([1, 5, 9])
    both = people_in_batch(net.forward_pair(noisy, steps, texts))
    alone = net(people_in_batch(noisy), steps.repeat_interleave(2), texts.flatten(0, 1))
    torch.testing.assert_close(both, alone)
    quirks = [SECOND_PERSON_NOT_CARRIED]
    published = people_in_batch(net.forward_pair(noisy, steps, texts, quirks=quirks))
    watched = net.forward_pair(noisy, steps, texts, hook=lambda number, tokens: tokens, quirks=quirks)
    torch.testing.assert_close(people_in_batch(watched), published)
    torch.testing.assert_close(published[::2], alone[::2])
    net.blocks = net.blocks[-1:]
    torch.testing.assert_close(
        published[1::2], net(people_in_batch(noisy), steps.repeat_interleave(2), texts.flatten(0, 1))[1::2]
    )


def said(**values: torch.Tensor) -> Condition:
    return Condition({n: Part(value, torch.ones(len(value), dtype=torch.bool)) for n, value in values.items()})


def test_guidance_is_the_published_formula():
    net, valid = network(In2INInteraction), torch.ones(3, FRAMES, dtype=torch.bool)
    noisy, _, text, own = arguments(In2INInteraction)
    steps, none = torch.full((3,), 400), torch.zeros
    expected = (
        3 * net(noisy, steps, text, own)
        + 2 * net(noisy, steps, text, none(3, 2, 5))
        + net(noisy, steps, none(3, 5), own)
        - 5 * net(noisy, steps, none(3, 5), none(3, 2, 5))
    )
    terms, told = multi_condition_guidance(3.0, 2.0, 1.0), said(text=text, individual_text=own)
    guided = Guided(net.denoise, terms)(noisy, LEVEL, told, valid)
    torch.testing.assert_close(guided, expected, atol=1e-4, rtol=1e-4)


def test_the_protocol_needs_steps_and_parts():
    net, valid, noisy = network(InterGenDenoiser), torch.ones(3, FRAMES, dtype=torch.bool), random(3, FRAMES, 12)
    text = said(text=random(3, 5))
    one = Guided(net.denoise, [("text", torch.tensor([1.0, 1.0, 0.0])[:, None, None])])(noisy, LEVEL, text, valid)
    told = net(noisy, torch.full((3,), 400), text.parts["text"].value * torch.tensor([[1.0], [1.0], [0.0]]))
    torch.testing.assert_close(one, told)
    with pytest.raises(ValueError, match="levels with their step"):
        net.denoise(noisy, CosineSchedule.level(0.5), text, valid)
    with pytest.raises(ValueError, match="no part 'text'"):
        net.denoise(noisy, LEVEL, Condition({}), valid)


def published_names(prefix: str = "decoder.net.") -> dict[str, torch.Tensor]:
    shapes = {
        "motion_embed.weight": (8, 6), "motion_embed.bias": (8,), "text_embed.weight": (8, 5), "text_embed.bias": (8,),
        "embed_timestep.time_embed.0.weight": (8, 8), "embed_timestep.time_embed.0.bias": (8,),
        "embed_timestep.time_embed.2.weight": (8, 8), "embed_timestep.time_embed.2.bias": (8,),
        "embed_timestep.sequence_pos_encoder.pe": (5000, 8), "sequence_pos_encoder.pe": (5000, 8),
        "out.linear.weight": (6, 8), "out.linear.bias": (6,),
    }  # fmt: skip
    for block in ("blocks.0.", "blocks.1."):
        for norm in ("sa_block.norm", "ca_block.norm", "ca_block.xf_norm", "ffn.norm"):
            shapes |= {f"{block}{norm}.emb_layers.1.weight": (16, 8), f"{block}{norm}.emb_layers.1.bias": (16,)}
        for part in ("sa_block.", "ca_block."):
            shapes |= {f"{block}{part}{name}": shape for name, shape in LAYER.items()}
        shapes |= {f"{block}ffn.linear1.weight": (12, 8), f"{block}ffn.linear1.bias": (12,)}
        shapes |= {f"{block}ffn.linear2.weight": (8, 12), f"{block}ffn.linear2.bias": (8,)}
    return {prefix + name: torch.zeros(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("prefix", ["", "net.", "model.decoder.net.", "decoder.net_interaction."])
def test_published_names_are_read_strictly(prefix):
    state = published_names(prefix)
    report = load_published(InterGenDenoiser(**SIZES), state, DENOISER)
    assert report.loaded == len(state) - 2 and len(report.dropped) == 2
    lacking = {name: t for name, t in state.items() if "text_embed" not in name}
    with pytest.raises(WeightsError, match="2 missing: text"):
        load_published(InterGenDenoiser(**SIZES), lacking, DENOISER)
    with pytest.raises(WeightsError, match="1 unknown: foreign"):
        load_published(InterGenDenoiser(**SIZES), {**state, "foreign": torch.zeros(1)}, DENOISER)


def test_the_text_head_reads_the_end_of_the_text():
    torch.manual_seed(0)
    head, ids = TextHead(8, 1, 2, 12).eval(), torch.tensor([[9, 3, 49, 0, 0], [9, 49, 0, 0, 0]])
    features = random(2, 5, 8)
    torch.testing.assert_close(head(features, ids), head.read(features)[[0, 1], [2, 1]])
    state = {"model.clip_ln.weight": torch.ones(8), "model.clip_ln.bias": torch.zeros(8)}
    with pytest.raises(WeightsError, match="12 missing"):
        load_published(head, state, TEXT_HEAD)
