import pytest
import torch

from motifmix.errors import WeightsError
from motifmix.models.clip_text import ClipTextTower
from motifmix.pretrained.maps import clip_text as clip_map
from motifmix.pretrained.maps.key_map import load_published

START, END = 58, 59
TINY = {"vocabulary": 60, "context_length": 9, "width": 16, "layers": 2, "heads": 4, "projection_dim": 6}


@pytest.fixture
def tower() -> ClipTextTower:
    torch.manual_seed(0)
    return ClipTextTower(**TINY).eval()


def authors_names(tower: ClipTextTower) -> dict[str, torch.Tensor]:
    names = {}
    for name, tensor in tower.state_dict().items():
        for ours, theirs in (
            ("blocks.", "transformer.resblocks."), ("attention_norm", "ln_1"), ("attention.qkv.", "attn.in_proj_"),
            ("attention.out", "attn.out_proj"), ("feed_forward_norm", "ln_2"), ("widen", "mlp.c_fc"),
            ("narrow", "mlp.c_proj"), ("positions", "positional_embedding"), ("final_norm", "ln_final"),
            ("projection.weight", "text_projection"),
        ):  # fmt: skip
            name = name.replace(ours, theirs)
        names[name] = tensor.T if name == "text_projection" else tensor
    return names


def library_names(tower: ClipTextTower) -> dict[str, torch.Tensor]:
    names = {}
    for name, tensor in tower.state_dict().items():
        for ours, theirs in (
            ("blocks.", "text_model.encoder.layers."), ("attention_norm", "layer_norm1"),
            ("attention.out", "self_attn.out_proj"), ("feed_forward_norm", "layer_norm2"), ("widen", "mlp.fc1"),
            ("narrow", "mlp.fc2"), ("positions", "text_model.embeddings.position_embedding.weight"),
            ("token_embedding", "text_model.embeddings.token_embedding"),
            ("final_norm", "text_model.final_layer_norm"), ("projection.weight", "text_projection.weight"),
        ):  # fmt: skip
            name = name.replace(ours, theirs)
        if "attention.qkv" in name:
            for letter, part in zip("qkv", tensor.chunk(3), strict=True):
                names[name.replace("attention.qkv", f"self_attn.{letter}_proj")] = part
        elif name != "logit_scale":
            names[name] = tensor
    return names


def ids(*rows: list[int], length: int = 9) -> torch.Tensor:
    return torch.tensor([[START, *row, END] + [0] * (length - len(row) - 2) for row in rows])


@pytest.mark.parametrize(
    ("sizes", "count"), [({}, 123_650_305), ({"width": 512, "heads": 8, "projection_dim": 512}, 63_428_097)]
)
def test_the_published_sizes_have_the_published_number_of_parameters(sizes: dict[str, int], count: int):
    with torch.device("meta"):
        tower = ClipTextTower(**sizes)
    assert sum(p.numel() for p in tower.parameters()) == count
    assert len(tower.state_dict()) == 150


@torch.no_grad()
def test_what_stands_behind_the_end_token_does_not_matter(tower: ClipTextTower):
    long, short = tower(ids([3, 4, 5], [7])), tower(ids([3, 4, 5], [7], length=5))
    assert long.tokens.shape == (2, 9, 16)
    assert long.embedding.shape == (2, 6)
    torch.testing.assert_close(long.embedding, short.embedding)
    torch.testing.assert_close(long.tokens[:, :5], short.tokens)
    alone = tower(ids([7]))
    torch.testing.assert_close(alone.embedding, long.embedding[1:])


@torch.no_grad()
def test_pooling_takes_the_largest_id_or_the_first_end_token(tower: ClipTextTower):
    padded_with_the_end = torch.tensor([[START, 3, END, END, END]])
    assert tower.pooled_positions(padded_with_the_end).tolist() == [2]
    tower.end_token = 3
    assert tower.pooled_positions(padded_with_the_end).tolist() == [1]


@torch.no_grad()
def test_both_published_spellings_give_the_same_tower(tower: ClipTextTower):
    expected = tower(ids([3, 4, 5], [7]))
    for published in (authors_names(tower), library_names(tower)):
        assert clip_map.read_sizes(published) == {**TINY, "heads": 1}
        for key_map in (clip_map.key_map_for(published), clip_map.EITHER):
            torch.manual_seed(1)
            other = ClipTextTower(**TINY).eval()
            load_published(other, published, key_map)
            assert torch.equal(other(ids([3, 4, 5], [7])).embedding, expected.embedding)


def test_loading_is_strict_and_passes_over_the_image_tower(tower: ClipTextTower):
    published = authors_names(tower)
    report = load_published(tower, {**published, "visual.proj": torch.ones(2)}, clip_map.AUTHORS)
    assert report.dropped == {"visual.proj": clip_map.IMAGE_TOWER}
    with pytest.raises(WeightsError, match="1 unknown: adapter"):
        load_published(tower, {**published, "adapter": torch.ones(2)}, clip_map.AUTHORS)
    del published["ln_final.bias"]
    with pytest.raises(WeightsError, match=r"1 missing: final_norm\.bias"):
        load_published(tower, published, clip_map.AUTHORS)
    published = library_names(tower)
    del published["text_model.encoder.layers.1.self_attn.k_proj.weight"]
    with pytest.raises(WeightsError, match=r"missing: blocks\.1\.attention\.qkv\.weight"):
        load_published(tower, published, clip_map.TRANSFORMERS)


def test_a_text_longer_than_the_context_is_refused(tower: ClipTextTower):
    with pytest.raises(ValueError, match="10 tokens do not fit a context of 9"):
        tower(torch.zeros(1, 10, dtype=torch.int64))


def test_the_tower_inside_intergens_file_has_no_projection(tower: ClipTextTower):
    published = {name: t for name, t in authors_names(tower).items() if name not in ("text_projection", "logit_scale")}
    inside = {f"clip_{name}" if name.startswith("transformer") else name: t for name, t in published.items()}
    bare = ClipTextTower(**{**TINY, "projection_dim": None})
    load_published(bare, inside, clip_map.INSIDE)
    features = bare(ids([3, 4, 5]))
    assert torch.equal(features.embedding, features.pooled)
    torch.testing.assert_close(features.tokens, tower(ids([3, 4, 5])).tokens)
    with torch.device("meta"):
        assert sum(p.numel() for p in ClipTextTower(projection_dim=None).parameters()) == 123_060_480
