"""Key maps of SMooDi: ``denoiser.`` and ``style_function.`` of its Lightning file; its ``vae.`` is MLD's."""

import torch
from torch import Tensor

from motifmix.models.smoodi import SMooDiDenoiser
from motifmix.models.style_network import StyleNetwork
from motifmix.pretrained.maps.key_map import KeyMap
from motifmix.pretrained.maps.mld import flat_tables, renames_of_denoiser, renames_of_skip_stack
from motifmix.pretrained.maps.transformer import KIND, Renames, renames_of_layer


def renames_of_style_network(published: str = "", ours: str = "") -> Renames:
    """Return the renames of the style network, both prefixes ending in their dot."""
    return [
        (published + "global_motion_token", ours + "tokens"),
        (published + r"skel_embedding\." + KIND, ours + r"embed.\g<kind>"),
        (published + r"query_pos\.pe", ours + "positions.table"),
        (published + r"mem_pos\.pe", ours + "memory_positions.table"),
        (published + r"encoder\.norm\." + KIND, ours + r"norm.\g<kind>"),
        (published + r"classifier\." + KIND, ours + r"head.\g<kind>"),
        (published + r"classification_layers\.1\." + KIND, ours + r"unused_head.\g<kind>"),
        *renames_of_layer(published + r"encoder\.layers\.(?P<number>\d+)\.", ours + r"layers.\g<number>."),
    ]


STYLE_NETWORK = KeyMap(renames_of_style_network(), steps=[flat_tables])
DENOISER = KeyMap(
    [
        *renames_of_denoiser(r"mld_denoiser\.", "base."),
        *renames_of_style_network(r"style_encoder\.", "style_encoder."),
        *renames_of_skip_stack(r"encoder_c\.", "copy."),
        (r"zero_convs\.(?P<number>\d+)\." + KIND, r"zero_linears.\g<number>.\g<kind>"),
        (r"time_embedding_c\.linear_1\." + KIND, r"time.expand.\g<kind>"),
        (r"time_embedding_c\.linear_2\." + KIND, r"time.project.\g<kind>"),
        (r"emb_proj\.1\." + KIND, r"text.1.\g<kind>"),
        (r"query_pos\.pe", "positions.table"),
        (r"mem_pos\.pe", "memory_positions.table"),
        (r"skel_embedding\." + KIND, r"frames.\g<kind>"),
        ("global_motion_token", "tokens"),
    ],
    steps=[flat_tables],
)


def try_style_network(network: StyleNetwork) -> Tensor:
    """Name the style of eight frames."""
    return network(torch.zeros(1, 8, network.embed.in_features))


def try_denoiser(denoiser: SMooDiDenoiser) -> Tensor:
    """Denoise one latent token with the style of sixteen frames."""
    style = denoiser.embed_style(torch.zeros(1, 16, denoiser.frames.in_features))
    text = torch.zeros(1, 1, denoiser.base.text_dim)
    return denoiser(torch.zeros(1, 1, style.shape[-1]), torch.tensor(1), text, style)
