"""Key maps of MDM, in its own form and in MixerMDM's (whose names stand below ``model.``, but for the text's)."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from motifmix.errors import WeightsError
from motifmix.models.mdm import MDM
from motifmix.pretrained.maps.key_map import KeyMap
from motifmix.pretrained.maps.transformer import KIND, renames_of_layer

NET = r"(?:model\.)?"
DENOISER = KeyMap(
    renames=[
        (NET + r"input_process\.poseEmbedding\." + KIND, r"input.\g<kind>"),
        *renames_of_layer(NET + r"seqTransEncoder\.layers\.(?P<layer>\d+)\.", r"layers.\g<layer>."),
        (NET + r"embed_timestep\.time_embed\.0\." + KIND, r"time.expand.\g<kind>"),
        (NET + r"embed_timestep\.time_embed\.2\." + KIND, r"time.project.\g<kind>"),
        (r"embed_text\." + KIND, r"text.\g<kind>"),
        (NET + r"output_process\.poseFinal\." + KIND, r"output.\g<kind>"),
    ],
    dropped={
        NET + r"(?:embed_timestep\.)?sequence_pos_encoder\.pe": "a fixed table of sinusoids, computed here",
        r"clip_model\..*": "CLIP ViT-B/32, which is loaded by itself",
    },
)


def read_sizes(published: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the sizes that the shapes of published tensors tell: all but the number of heads.

    Raises ``WeightsError`` where a tensor that tells one is missing.
    """
    ours, _, _ = DENOISER.apply(published)
    try:
        width, features = ours["input.weight"].shape
        return {
            "features": features,
            "width": width,
            "feed_forward": ours["layers.0.expand.weight"].shape[0],
            "layers": len({name for name in ours if re.fullmatch(r"layers\.\d+\.expand\.weight", name)}),
            "text": ours["text.weight"].shape[1],
        }
    except KeyError as error:
        raise WeightsError(f"these are not MDM's weights: {error.args[0]} is missing") from error


def try_denoiser(network: MDM) -> Tensor:
    """Clean features of one small forward pass."""
    noisy = torch.linspace(-1, 1, 6 * network.features).view(1, 6, -1)
    return network(noisy, torch.tensor([500]), torch.ones(1, network.text.in_features))
