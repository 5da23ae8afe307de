"""Key maps of InterGen and in2IN; both write the same names.

A denoiser's names may keep the prefixes of the whole model (``decoder.net.``, ``decoder.net_interaction.``,
``decoder.net_individual.``), with Lightning's ``model.`` in front of them.
"""

import torch
from torch import Tensor

from motifmix.models.intergen import InterGenDenoiser
from motifmix.pretrained.maps.key_map import KeyMap
from motifmix.pretrained.maps.transformer import KIND, Renames, renames_of_layer

MODEL = r"(?:model\.)?"
NET = MODEL + r"(?:decoder\.)?(?:net(?:_interaction|_individual)?\.)?"
TABLE = "a fixed table of sinusoids, computed here"


def renames_of_attention(published: str, ours: str) -> Renames:
    """Return the renames of one attention, both prefixes ending in their dot."""
    return [
        (published + r"in_proj_" + KIND, ours + r"qkv.\g<kind>"),
        (published + r"out_proj\." + KIND, ours + r"out.\g<kind>"),
    ]


def renames_of_adaptive_norm(published: str, ours: str) -> Renames:
    """Return the renames of one adaptive layer norm, both prefixes ending in their dot."""
    return [(published + r"emb_layers\.1\." + KIND, ours + r"modulation.\g<kind>")]


def renames_of_feed_forward(published: str, ours: str) -> Renames:
    """Return the renames of one feed-forward part, both prefixes ending in their dot."""
    return [
        *renames_of_adaptive_norm(published + r"norm\.", ours + "norm."),
        (published + r"linear1\." + KIND, ours + r"expand.\g<kind>"),
        (published + r"linear2\." + KIND, ours + r"contract.\g<kind>"),
    ]


def renames_of_blocks(published: str, ours: str) -> Renames:
    """Return the renames of all interaction blocks below two prefixes that end in their dot."""
    block, own = published + r"(?P<block>\d+)\.", ours + r"\g<block>."
    return [
        *renames_of_adaptive_norm(block + r"sa_block\.norm\.", own + "self_attention.norm."),
        *renames_of_attention(block + r"sa_block\.attention\.", own + "self_attention.attention."),
        *renames_of_adaptive_norm(block + r"ca_block\.norm\.", own + "cross_attention.norm."),
        *renames_of_adaptive_norm(block + r"ca_block\.xf_norm\.", own + "cross_attention.memory_norm."),
        *renames_of_attention(block + r"ca_block\.attention\.", own + "cross_attention.attention."),
        *renames_of_feed_forward(block + r"ffn\.", own + "feed_forward."),
    ]


def renames_of_time_and_text(published: str, ours: str) -> Renames:
    """Return the renames of the step's and the text's embedding, and of the frames' (InterGen, Mixer, discriminators)."""
    return [
        (published + r"motion_embed\." + KIND, ours + r"input.\g<kind>"),
        (published + r"text_embed\." + KIND, ours + r"text.\g<kind>"),
        (published + r"embed_timestep\.time_embed\.0\." + KIND, ours + r"time.expand.\g<kind>"),
        (published + r"embed_timestep\.time_embed\.2\." + KIND, ours + r"time.project.\g<kind>"),
    ]


def text_head(published: str) -> KeyMap:
    """Return the map of a text head whose transformer and norm are called ``clipTransEncoder`` and ``clip_ln`` plus
    an ending.
    """
    return KeyMap(
        renames=[
            *renames_of_layer(MODEL + rf"clipTransEncoder{published}\.layers\.(?P<layer>\d+)\.", r"layers.\g<layer>."),
            (MODEL + rf"clip_ln{published}\." + KIND, r"norm.\g<kind>"),
        ]
    )


DENOISER = KeyMap(
    renames=[
        *renames_of_time_and_text(NET, ""),
        *renames_of_blocks(NET + r"blocks\.", "blocks."),
        (NET + r"out\.linear\." + KIND, r"output.\g<kind>"),
    ],
    dropped={NET + r"(?:embed_timestep\.)?sequence_pos_encoder\.pe": TABLE},
)
TEXT_HEAD = text_head("")
INTERACTION_TEXT_HEAD = text_head("_interaction")
INDIVIDUAL_TEXT_HEAD = text_head("_individual")


def try_denoiser(network: InterGenDenoiser) -> Tensor:
    """Clean features of one small forward pass of InterGen's network."""
    noisy = torch.linspace(-1, 1, 12 * network.features).view(1, 6, -1)
    return network(noisy, torch.tensor([500]), torch.ones(1, network.text.in_features))
