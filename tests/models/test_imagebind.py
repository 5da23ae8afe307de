import pytest
import torch

from motifmix.errors import WeightsError
from motifmix.models.imagebind import OTHER_TOWERS, ImageBind, positions_for
from motifmix.pretrained.maps.imagebind import IMAGEBIND, imagebind_map, try_imagebind
from motifmix.pretrained.maps.key_map import load_published

TINY = {
    "output_dim": 10, "image_size": 28, "vision_width": 16, "vision_layers": 2, "vision_heads": 2,
    "text_width": 12, "text_layers": 2, "text_heads": 3, "vocabulary": 40, "context_length": 8,
    "audio_width": 20, "audio_layers": 2, "audio_heads": 4, "mel_bins": 26, "audio_frames": 36,
}  # fmt: skip


@pytest.fixture
def network() -> ImageBind:
    torch.manual_seed(0)
    return ImageBind(**TINY).eval()


def published_names(network: ImageBind) -> dict[str, torch.Tensor]:
    names: dict[str, torch.Tensor] = {"modality_preprocessors.text.mask": torch.ones(8, 8)}
    for name, tensor in network.state_dict().items():
        tower, rest = name.split(".", 1)
        inner = {
            "blocks": f"modality_trunks.{tower}.{rest}",
            "norm": f"modality_heads.{tower}.{'proj.' if tower == 'text' else ''}0.{rest.split('.')[-1]}",
            "projection": f"modality_heads.{tower}.{'proj.1' if tower == 'text' else '2'}.weight",
            "first_norm": f"modality_trunks.{tower}.pre_transformer_layer.0.{rest.split('.')[-1]}",
            "log_logit_scale": "modality_postprocessors.text.1.log_logit_scale",
            "fixed_log_scale": "modality_postprocessors.audio.1.log_logit_scale",
            "class_token": f"modality_preprocessors.{tower}.cls_token",
            "patches": f"modality_preprocessors.{tower}.rgbt_stem.proj.{'1.' if tower == 'vision' else ''}weight",
            "patch_norm": f"modality_preprocessors.{tower}.rgbt_stem.norm_layer.{rest.split('.')[-1]}",
            "positions": f"modality_preprocessors.{tower}."
            + ("pos_embed" if tower == "text" else "pos_embedding_helper.pos_embed"),
            "token_embedding": f"modality_preprocessors.{tower}.token_embedding.weight",
        }[rest.split(".")[0]]
        for ours, theirs in (
            ("attention_norm", "norm_1"), ("feed_forward_norm", "norm_2"), ("widen", "mlp.fc1"), ("narrow", "mlp.fc2"),
            ("attention.qkv.", "attn.in_proj_"), ("attention.out", "attn.out_proj"),
            ("attention.extra_key", "attn.bias_k"), ("attention.extra_value", "attn.bias_v"),
        ):  # fmt: skip
            inner = inner.replace(ours, theirs)
        names[inner] = tensor
    return names


def test_the_published_size_has_the_published_number_of_parameters():
    with torch.device("meta"):
        network = ImageBind()
    built = {name: sum(p.numel() for p in tower.parameters()) for name, tower in network.named_children()}
    assert built == {"text": 354_032_641, "vision": 632_829_440, "audio": 86_235_648}
    assert sum(built.values()) + sum(OTHER_TOWERS.values()) == 1_200_781_057


@torch.no_grad()
def test_text_stops_at_its_end_token_and_carries_its_scale(network: ImageBind):
    padded = torch.tensor([[38, 5, 6, 39, 0, 0, 0, 0], [38, 7, 39, 0, 0, 0, 0, 0]])
    embedding = network("text", padded)
    torch.testing.assert_close(embedding, network("text", padded[:, :4]))
    torch.testing.assert_close(embedding[1:], network("text", padded[1:]))
    torch.testing.assert_close(embedding.norm(dim=-1), torch.full((2,), 1 / 0.07))
    network.text.log_logit_scale.fill_(9.0)
    torch.testing.assert_close(network("text", padded).norm(dim=-1), torch.full((2,), 100.0))


@torch.no_grad()
def test_clips_are_averaged_and_images_have_unit_length(network: ImageBind):
    images = torch.randn(2, 3, 28, 28)
    embedding = network("vision", images)
    torch.testing.assert_close(embedding.norm(dim=-1), torch.ones(2))
    still = images[:, None, :, None].expand(2, 1, 3, 2, 28, 28)
    torch.testing.assert_close(network("vision", still), embedding)
    torch.testing.assert_close(network("vision", images[None]), embedding.mean(0, keepdim=True))
    videos = torch.randn(2, 3, 3, 2, 28, 28)
    each = torch.stack([network("vision", videos[:, i : i + 1]) for i in range(3)]).mean(0)
    torch.testing.assert_close(network("vision", videos), each)
    sound = network("audio", torch.randn(2, 1, 26, 36))
    torch.testing.assert_close(sound.norm(dim=-1), torch.full((2,), 20.0))


def test_loading_passes_over_the_towers_that_are_not_built(network: ImageBind):
    published = published_names(network)
    others = {f"modality_trunks.{name}.blocks.0.norm_1.weight": torch.ones(2) for name in OTHER_TOWERS}
    torch.manual_seed(1)
    other = ImageBind(**TINY).eval()
    report = load_published(other, {**published, **others}, IMAGEBIND)
    assert set(others) <= set(report.dropped)
    with torch.no_grad():
        for name, embedding in try_imagebind(other).items():
            assert torch.equal(embedding, try_imagebind(network)[name])
    text_only = ImageBind(["text"], **TINY).eval()
    load_published(text_only, published, imagebind_map(["text"]))
    assert all(name.startswith("text.") for name in text_only.state_dict())
    with pytest.raises(WeightsError, match=r"1 unknown: modality_trunks\.smell\.x"):
        load_published(other, {**published, "modality_trunks.smell.x": torch.ones(2)}, IMAGEBIND)
    del published["modality_heads.vision.2.weight"]
    with pytest.raises(WeightsError, match=r"1 missing: vision\.projection\.weight"):
        load_published(other, published, IMAGEBIND)


def test_positions_stretch_to_another_square_only(network: ImageBind):
    table = network.vision.positions
    assert positions_for(4, table) is table
    assert positions_for(9, table).shape == (1, 10, 16)
    assert torch.equal(positions_for(9, table)[:, 0], table[:, 0])
    with pytest.raises(ValueError, match="square"):
        positions_for(8, table)


def test_wrong_shapes_and_towers_are_named(network: ImageBind):
    with pytest.raises(ValueError, match="a video is"):
        network("vision", torch.zeros(1, 3, 2, 28, 28))
    with pytest.raises(ValueError, match="9 tokens do not fit a context of 8"):
        network("text", torch.zeros(1, 9, dtype=torch.int64))
    with pytest.raises(ValueError, match="built for 6"):
        network("audio", torch.zeros(1, 1, 26, 46))
    with pytest.raises(ValueError, match="without a tower for 'audio'"):
        ImageBind(["text"], **TINY)("audio", torch.zeros(1, 1, 26, 36))
    with pytest.raises(ValueError, match="depth"):
        ImageBind(["depth"], **TINY)
