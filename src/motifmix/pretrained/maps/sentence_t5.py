"""Where sentence-T5's parameters stand in the transformers library's files; the dense layer's begin with ``dense.``."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from motifmix.models.sentence_t5 import SentenceT5
from motifmix.pretrained.maps.key_map import KeyMap

ATTENTION = r"encoder\.block\.(\d+)\.layer\.0\."
FEED_FORWARD = r"encoder\.block\.(\d+)\.layer\.1\."


SENTENCE_T5 = KeyMap(
    renames=[
        (r"shared\.weight", "token_embedding.weight"),
        (ATTENTION + r"SelfAttention\.q\.weight", r"blocks.\1.query.weight"),
        (ATTENTION + r"SelfAttention\.k\.weight", r"blocks.\1.key.weight"),
        (ATTENTION + r"SelfAttention\.v\.weight", r"blocks.\1.value.weight"),
        (ATTENTION + r"SelfAttention\.o\.weight", r"blocks.\1.out.weight"),
        (r"encoder\.block\.0\.layer\.0\.SelfAttention\.relative_attention_bias\.weight", "relative_bias.table.weight"),
        (ATTENTION + r"layer_norm\.weight", r"blocks.\1.attention_norm.weight"),
        (FEED_FORWARD + r"DenseReluDense\.wi\.weight", r"blocks.\1.widen.weight"),
        (FEED_FORWARD + r"DenseReluDense\.wo\.weight", r"blocks.\1.narrow.weight"),
        (FEED_FORWARD + r"layer_norm\.weight", r"blocks.\1.feed_forward_norm.weight"),
        (r"encoder\.final_layer_norm\.weight", "final_norm.weight"),
        (r"dense\.linear\.weight", "dense.weight"),
    ],
    dropped={r"encoder\.embed_tokens\.weight": "the same table as shared.weight"},
)


def read_sizes(published: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the sizes of the encoder that a state dict holds (empty where a tensor is missing)."""
    first = "encoder.block.0.layer"
    needed = {
        "words": "shared.weight",
        "bias": f"{first}.0.SelfAttention.relative_attention_bias.weight",
        "query": f"{first}.0.SelfAttention.q.weight",
        "wide": f"{first}.1.DenseReluDense.wi.weight",
        "dense": "dense.linear.weight",
    }
    if not set(needed.values()) <= set(published):
        return {}
    shape = {short: published[name].shape for short, name in needed.items()}
    blocks = {m[1] for name in published if (m := re.match(r"encoder\.block\.(\d+)\.", name))}
    return {
        "vocabulary": shape["words"][0],
        "width": shape["words"][1],
        "layers": len(blocks),  # counted: a number in a name may be any
        "heads": shape["bias"][1],
        "head_width": shape["query"][0] // shape["bias"][1],
        "feed_forward": shape["wide"][0],
        "output_dim": shape["dense"][0],
    }


def try_sentence_t5(network: SentenceT5) -> Tensor:
    """Return the unit vector ``[1, output_dim]`` of the empty text, which is the end token alone."""
    return network(torch.tensor([[1]]), torch.ones(1, 1, dtype=torch.bool))
