"""Key map of InterCLIP (a Lightning file; names below ``state_dict`` begin with ``model.``)."""

import torch
from torch import Tensor

from motifmix.models.interclip import InterCLIP
from motifmix.pretrained.maps.key_map import KeyMap
from motifmix.pretrained.maps.transformer import KIND, renames_of_layer

MODEL = r"(?:model\.)?"
MOTION = MODEL + r"motion_encoder\."
EVALUATOR = KeyMap(
    renames=[
        (MOTION + "query_token", "query"),
        (MOTION + r"embed_motion\." + KIND, r"input.\g<kind>"),
        *renames_of_layer(MOTION + r"transformer\.layers\.(?P<layer>\d+)\.", r"motion_layers.\g<layer>."),
        (MOTION + r"out_ln\." + KIND, r"motion_norm.\g<kind>"),
        (MOTION + r"out\." + KIND, r"motion_output.\g<kind>"),
        (MODEL + r"token_embedding\.weight", "token_embedding.weight"),
        (MODEL + "positional_embedding", "token_positions"),
        *renames_of_layer(MODEL + r"textTransEncoder\.layers\.(?P<layer>\d+)\.", r"text_layers.\g<layer>."),
        (MODEL + r"text_ln\." + KIND, r"text_norm.\g<kind>"),
        (MODEL + r"out\." + KIND, r"text_output.\g<kind>"),
        (MODEL + "latent_scale", "scale"),
    ],
    dropped={MOTION + r"sequence_pos_encoder\.pe": "a fixed table of sinusoids, computed here"},
)


def try_evaluator(network: InterCLIP) -> tuple[Tensor, Tensor]:
    """Embed a short text and a short motion of two people."""
    first, second = torch.linspace(-1, 1, 12 * network.features).view(2, 1, 6, -1)
    last = network.token_embedding.num_embeddings - 1
    return network(first, second, torch.ones(1, 6, dtype=torch.bool), torch.tensor([[last - 1, 0, last]]))
