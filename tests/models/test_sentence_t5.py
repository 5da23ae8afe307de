import pytest
import torch

from motifmix.errors import WeightsError
from motifmix.models.sentence_t5 import RelativeBias, SentenceT5
from motifmix.pretrained.maps.key_map import load_published
from motifmix.pretrained.maps.sentence_t5 import SENTENCE_T5, read_sizes, try_sentence_t5

TINY = {
    "vocabulary": 30, "width": 16, "layers": 3, "heads": 2, "head_width": 4, "feed_forward": 24, "output_dim": 6
}  # fmt: skip


def published_names(network: SentenceT5) -> dict[str, torch.Tensor]:
    names: dict[str, torch.Tensor] = {}
    for name, tensor in network.state_dict().items():
        parts = name.split(".")
        if parts[0] == "blocks":
            block = f"encoder.block.{parts[1]}.layer"
            name = {
                "query": f"{block}.0.SelfAttention.q.weight",
                "key": f"{block}.0.SelfAttention.k.weight",
                "value": f"{block}.0.SelfAttention.v.weight",
                "out": f"{block}.0.SelfAttention.o.weight",
                "attention_norm": f"{block}.0.layer_norm.weight",
                "feed_forward_norm": f"{block}.1.layer_norm.weight",
                "widen": f"{block}.1.DenseReluDense.wi.weight",
                "narrow": f"{block}.1.DenseReluDense.wo.weight",
            }[parts[2]]
        else:
            name = {
                "token_embedding": "shared.weight",
                "relative_bias": "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
                "final_norm": "encoder.final_layer_norm.weight",
                "dense": "dense.linear.weight",
            }[parts[0]]
        names[name] = tensor
    return {**names, "encoder.embed_tokens.weight": names["shared.weight"]}


@pytest.fixture
def network() -> SentenceT5:
    torch.manual_seed(0)
    return SentenceT5(**TINY).eval()


def test_the_published_size_has_about_335_million_parameters():
    with torch.device("meta"):
        assert sum(p.numel() for p in SentenceT5().parameters()) == 335_726_080


@torch.no_grad()
def test_padding_changes_nothing_and_vectors_have_unit_length(network: SentenceT5):
    ids = torch.tensor([[5, 6, 7, 1, 0, 0], [8, 1, 0, 0, 0, 0]])
    valid_mask = ids > 0
    vectors = network(ids, valid_mask)
    torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(2))
    torch.testing.assert_close(network(ids[:1, :4], valid_mask[:1, :4]), vectors[:1])
    torch.testing.assert_close(network(ids[1:, :2], valid_mask[1:, :2]), vectors[1:])


def test_near_distances_have_buckets_of_their_own():
    bucket = RelativeBias(1).bucket(torch.tensor([-200, -128, -8, -7, -1, 0, 1, 7, 8, 128, 200]))
    assert bucket.tolist() == [15, 15, 8, 7, 1, 0, 17, 23, 24, 31, 31]


@torch.no_grad()
def test_the_published_spelling_is_read_strictly(network: SentenceT5):
    published = published_names(network)
    assert read_sizes(published) == TINY
    torch.manual_seed(1)
    other = SentenceT5(**TINY).eval()
    load_published(other, published, SENTENCE_T5)
    assert torch.equal(try_sentence_t5(other), try_sentence_t5(network))
    with pytest.raises(WeightsError, match="1 unknown: decoder"):
        load_published(other, {**published, "decoder": torch.ones(1)}, SENTENCE_T5)
    del published["encoder.block.2.layer.0.SelfAttention.v.weight"]
    with pytest.raises(WeightsError, match=r"1 missing: blocks\.2\.value\.weight"):
        load_published(other, published, SENTENCE_T5)


@torch.no_grad()
def test_it_equals_the_transformers_library(network: SentenceT5):
    transformers = pytest.importorskip("transformers")
    config = transformers.T5Config(
        vocab_size=30, d_model=16, d_kv=4, d_ff=24, num_layers=3, num_heads=2, feed_forward_proj="relu"
    )
    theirs = transformers.T5EncoderModel(config).eval()
    published = dict(theirs.state_dict())
    load_published(network, {**published, "dense.linear.weight": network.dense.weight}, SENTENCE_T5)
    ids = torch.cat([torch.randint(2, 30, (2, 150)), torch.zeros(2, 4, dtype=torch.int64)], dim=1)
    expected = theirs(input_ids=ids, attention_mask=(ids > 0).long()).last_hidden_state
    torch.testing.assert_close(network.tokens(ids, ids > 0)[:, :150], expected[:, :150], atol=1e-5, rtol=1e-4)
