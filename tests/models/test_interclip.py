"""InterCLIP: size as published, padding and contacts that count for nothing, names that are read strictly."""

import pytest
import torch

from motifmix.errors import WeightsError
from motifmix.models.interclip import InterCLIP
from motifmix.pretrained.maps.interclip import EVALUATOR
from motifmix.pretrained.maps.key_map import load_published
from motifmix.training.objectives.published.interclip import contrastive_loss

SIZES = {
    "features": 10, "width": 8, "feed_forward": 12, "layers": 2, "heads": 2, "text_width": 4, "text_feed_forward": 6,
    "text_layers": 1, "text_heads": 2, "embedding": 5, "vocabulary": 20, "context_length": 6, "dropout": 0.0,
}  # fmt: skip
VALID = torch.arange(7) < torch.tensor([[7], [4]])
FIRST, SECOND = torch.randn(2, 2, 7, 10, generator=torch.Generator().manual_seed(0)).unbind(0)
IDS = torch.tensor([[3, 5, 19, 0, 0, 0], [3, 6, 2, 19, 0, 0]])


@pytest.fixture
def net() -> InterCLIP:
    torch.manual_seed(0)
    return InterCLIP(**SIZES).eval().requires_grad_(False)


def test_published_size():
    with torch.device("meta"):
        whole = InterCLIP()
    count = sum(p.numel() for p in whole.parameters())
    frozen = whole.token_embedding.weight.numel() + whole.token_positions.numel()
    assert (count, count - frozen) == (150_767_873, 112_763_393)


def test_padding_and_contacts_count_for_nothing(net):
    texts, motions = net(FIRST, SECOND, VALID, IDS)
    assert texts.shape == motions.shape == (2, 5)
    torch.testing.assert_close(motions.norm(dim=-1), torch.ones(2))
    changed = FIRST + 3.0 * ~VALID[..., None]
    changed[..., -4:] += 1.0
    torch.testing.assert_close(net.embed_motions(changed, SECOND, VALID), motions)
    assert not torch.allclose(net.embed_motions(SECOND, FIRST, VALID), motions)
    torch.testing.assert_close(net.embed_motions(FIRST[1:, :4], SECOND[1:, :4], VALID[1:, :4])[0], motions[1])


def test_the_scale_sharpens_the_loss(net):
    texts, motions = net(FIRST, SECOND, VALID, IDS)
    right = contrastive_loss(texts, texts)
    assert right.total < contrastive_loss(texts, texts.flip(0)).total
    net.scale.fill_(10.0)
    scaled, _ = net(FIRST, SECOND, VALID, IDS)
    torch.testing.assert_close(scaled, 10 * texts)
    one = contrastive_loss(texts, motions)
    torch.testing.assert_close(one.total, (one.motion_to_text + one.text_to_motion) / 2)


def published_names() -> dict[str, torch.Tensor]:
    motion = "motion_encoder."
    shapes = {
        motion + "query_token": (1, 8), motion + "embed_motion.weight": (8, 12), motion + "embed_motion.bias": (8,),
        motion + "out_ln.weight": (8,), motion + "out_ln.bias": (8,), motion + "out.weight": (5, 8),
        motion + "out.bias": (5,), motion + "sequence_pos_encoder.pe": (2000, 8), "token_embedding.weight": (20, 4),
        "positional_embedding": (6, 4), "text_ln.weight": (4,), "text_ln.bias": (4,), "out.weight": (5, 4),
        "out.bias": (5,), "latent_scale": (1,),
    }  # fmt: skip
    for below, layers, width, wide in ((motion + "transformer", 2, 8, 12), ("textTransEncoder", 1, 4, 6)):
        for layer in (f"{below}.layers.{number}." for number in range(layers)):
            shapes |= {
                layer + "self_attn.in_proj_weight": (3 * width, width), layer + "self_attn.in_proj_bias": (3 * width,),
                layer + "self_attn.out_proj.weight": (width, width), layer + "self_attn.out_proj.bias": (width,),
                layer + "linear1.weight": (wide, width), layer + "linear1.bias": (wide,),
                layer + "linear2.weight": (width, wide), layer + "linear2.bias": (width,),
            }  # fmt: skip
            shapes |= {f"{layer}norm{n}.{kind}": (width,) for n in (1, 2) for kind in ("weight", "bias")}
    return {f"model.{name}": torch.zeros(shape) for name, shape in shapes.items()}


def test_published_names_are_read_strictly(net):
    state = published_names()
    assert load_published(net, state, EVALUATOR).loaded == len(state) - 1
    with pytest.raises(WeightsError, match="1 unknown: foreign"):
        load_published(net, {**state, "foreign": torch.zeros(1)}, EVALUATOR)
    del state["model.latent_scale"]
    with pytest.raises(WeightsError, match="1 missing: scale"):
        load_published(net, state, EVALUATOR)
