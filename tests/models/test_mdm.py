"""MDM: size as published, what padding and a missing text do in both forms, and names that are read strictly."""

import pytest
import torch

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.schedule import CosineSchedule, NoiseLevel
from motifmix.errors import WeightsError
from motifmix.models.mdm import MDM, PADDING_ATTENDED, IndividualMDM, from_published_layout, to_published_layout
from motifmix.pretrained.maps.key_map import load_published
from motifmix.pretrained.maps.mdm import DENOISER, read_sizes
from motifmix.training.objectives.published.mdm import mdm_loss

SIZES = {"features": 6, "width": 8, "feed_forward": 12, "layers": 2, "heads": 2, "text": 5, "dropout": 0.0}
STEPS, VALID = torch.tensor([3, 900]), torch.arange(7) < torch.tensor([[7], [4]])


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def network(form: type[MDM] = MDM, **options) -> MDM:
    torch.manual_seed(0)
    return form(**SIZES, **options).eval().requires_grad_(False)


NOISY, TEXT = random(2, 7, 6), random(2, 5, seed=1)


def test_published_size():
    with torch.device("meta"):
        assert sum(p.numel() for p in MDM().parameters()) == 17_880_327


def test_padding_is_hidden_unless_the_first_release_is_meant():
    net, changed = network(), NOISY + 3.0 * ~VALID[..., None]
    one, other = (net(x, STEPS, TEXT, None, VALID) for x in (NOISY, changed))
    torch.testing.assert_close(one[VALID], other[VALID])
    torch.testing.assert_close(one[1, :4], net(NOISY[1:, :4], STEPS[1:], TEXT[1:])[0])
    net = network(quirks=[PADDING_ATTENDED])
    one, other = (net(x, STEPS, TEXT, None, VALID) for x in (NOISY, changed))
    assert not torch.allclose(one[VALID], other[VALID])
    assert torch.equal(one, net(NOISY, STEPS, TEXT))


def test_no_text_is_a_vector_of_zeros_before_or_behind_its_projection():
    nobody = torch.zeros(2, dtype=torch.bool)
    original, individual = network(), network(IndividualMDM)
    torch.testing.assert_close(original.text_token(TEXT, nobody), original.text.bias.expand(2, -1))
    assert torch.equal(individual.text_token(TEXT, nobody), torch.zeros(2, 8))
    assert torch.equal(original.text_token(TEXT, ~nobody), individual.text_token(TEXT))


def test_the_protocol_needs_a_step_and_a_text():
    net, told = network(), Condition({"text": Part(TEXT, torch.tensor([True, False]))})
    out = net.denoise(NOISY, NoiseLevel(0.6, 0.8, 0.5, 40), told, VALID)
    torch.testing.assert_close(out, net(NOISY, torch.tensor([40, 40]), TEXT, torch.tensor([True, False]), VALID))
    for level, condition in ((CosineSchedule.level(0.5), told), (NoiseLevel(1, 1, 1, 3), Condition({}))):
        with pytest.raises(ValueError, match="levels with their step"):
            net.denoise(NOISY, level, condition, VALID)


def test_half_precision_does_not_round_the_step():
    net, told = network().bfloat16(), Condition({"text": Part(TEXT.bfloat16(), torch.ones(2, dtype=torch.bool))})
    one, other = (net.denoise(NOISY.bfloat16(), NoiseLevel(0.6, 0.8, 0.5, step), told, VALID) for step in (998, 999))
    assert not torch.equal(one, other)


def test_the_published_layout_there_and_back():
    published = random(2, 6, 1, 7)
    assert torch.equal(to_published_layout(from_published_layout(published)), published)
    assert from_published_layout(published)[1, 4, 2] == published[1, 2, 0, 4]


def test_the_loss_is_a_mean_over_real_frames():
    guess, truth = random(2, 7, 6), random(2, 7, 6, seed=5)
    plain, moving = mdm_loss(guess, truth, VALID), mdm_loss(guess, truth, VALID, velocity=2.0)
    torch.testing.assert_close(plain["total"][1], (guess - truth)[1, :4].square().mean())
    steps = (guess - truth)[1, :4, :5].diff(dim=0).square().mean()
    torch.testing.assert_close(moving["total"][1], plain["total"][1] + 2.0 * steps)
    assert "velocity" not in plain


def published_names(below: str = "") -> dict[str, torch.Tensor]:
    shapes = {
        "embed_text.weight": (8, 5), "embed_text.bias": (8,),
        below + "input_process.poseEmbedding.weight": (8, 6), below + "input_process.poseEmbedding.bias": (8,),
        below + "output_process.poseFinal.weight": (6, 8), below + "output_process.poseFinal.bias": (6,),
        below + "sequence_pos_encoder.pe": (5000, 1, 8),
    }  # fmt: skip
    for number in (0, 2):
        shapes |= {f"{below}embed_timestep.time_embed.{number}.weight": (8, 8)}
        shapes |= {f"{below}embed_timestep.time_embed.{number}.bias": (8,)}
    for layer in (f"{below}seqTransEncoder.layers.{number}." for number in (0, 1)):
        shapes |= {
            layer + "self_attn.in_proj_weight": (24, 8), layer + "self_attn.in_proj_bias": (24,),
            layer + "self_attn.out_proj.weight": (8, 8), layer + "self_attn.out_proj.bias": (8,),
            layer + "linear1.weight": (12, 8), layer + "linear1.bias": (12,),
            layer + "linear2.weight": (8, 12), layer + "linear2.bias": (8,),
        }  # fmt: skip
        shapes |= {f"{layer}norm{n}.{kind}": (8,) for n in (1, 2) for kind in ("weight", "bias")}
    return {name: torch.zeros(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("form, below", [(MDM, ""), (IndividualMDM, "model.")])
def test_published_names_are_read_strictly_and_tell_the_sizes(form, below):
    state = published_names(below)
    assert read_sizes(state) == {name: size for name, size in SIZES.items() if name not in ("heads", "dropout")}
    report = load_published(network(form), {**state, "clip_model.ln_final.bias": torch.zeros(3)}, DENOISER)
    assert report.loaded == len(state) - 1 and len(report.dropped) == 2
    with pytest.raises(WeightsError, match=r"1 unknown: model\.foreign"):
        load_published(network(form), {**state, "model.foreign": torch.zeros(1)}, DENOISER)
    del state["embed_text.weight"]
    with pytest.raises(WeightsError, match=r"1 missing: text\.weight"):
        load_published(network(form), state, DENOISER)
    with pytest.raises(WeightsError, match="not MDM's weights"):
        read_sizes(state)
