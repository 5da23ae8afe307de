"""Where ImageBind's parameters stand; the towers that are not built are passed over by name."""

import math
import re
from collections.abc import Collection, Mapping
from typing import Any

from torch import Tensor

from motifmix.models.imagebind import OTHER_TOWERS, TOWERS, ImageBind
from motifmix.pretrained.maps.key_map import KeyMap

STATIONS = "modality_(?:preprocessors|trunks|heads|postprocessors)"
NOT_BUILT = {rf"{STATIONS}\.{name}\..*": f"part of the {name} tower, which is not built" for name in OTHER_TOWERS}
RENAMES = (
    (r"modality_preprocessors\.(vision|audio)\.cls_token", r"\1.class_token"),
    (r"modality_preprocessors\.vision\.rgbt_stem\.proj\.1\.weight", r"vision.patches.weight"),
    (r"modality_preprocessors\.audio\.rgbt_stem\.proj\.weight", r"audio.patches.weight"),
    (r"modality_preprocessors\.audio\.rgbt_stem\.norm_layer\.(weight|bias)", r"audio.patch_norm.\1"),
    (r"modality_preprocessors\.(vision|audio)\.pos_embedding_helper\.pos_embed", r"\1.positions"),
    (r"modality_preprocessors\.text\.pos_embed", r"text.positions"),
    (r"modality_preprocessors\.text\.token_embedding\.weight", r"text.token_embedding.weight"),
    (r"modality_trunks\.vision\.pre_transformer_layer\.0\.(weight|bias)", r"vision.first_norm.\1"),
    (r"modality_trunks\.(\w+)\.blocks\.(\d+)\.norm_1\.(weight|bias)", r"\1.blocks.\2.attention_norm.\3"),
    (r"modality_trunks\.(\w+)\.blocks\.(\d+)\.attn\.in_proj_(weight|bias)", r"\1.blocks.\2.attention.qkv.\3"),
    (r"modality_trunks\.(\w+)\.blocks\.(\d+)\.attn\.out_proj\.(weight|bias)", r"\1.blocks.\2.attention.out.\3"),
    (r"modality_trunks\.(\w+)\.blocks\.(\d+)\.attn\.bias_k", r"\1.blocks.\2.attention.extra_key"),
    (r"modality_trunks\.(\w+)\.blocks\.(\d+)\.attn\.bias_v", r"\1.blocks.\2.attention.extra_value"),
    (r"modality_trunks\.(\w+)\.blocks\.(\d+)\.norm_2\.(weight|bias)", r"\1.blocks.\2.feed_forward_norm.\3"),
    (r"modality_trunks\.(\w+)\.blocks\.(\d+)\.mlp\.fc1\.(weight|bias)", r"\1.blocks.\2.widen.\3"),
    (r"modality_trunks\.(\w+)\.blocks\.(\d+)\.mlp\.fc2\.(weight|bias)", r"\1.blocks.\2.narrow.\3"),
    (r"modality_heads\.(vision|audio)\.0\.(weight|bias)", r"\1.norm.\2"),
    (r"modality_heads\.(vision|audio)\.2\.weight", r"\1.projection.weight"),
    (r"modality_heads\.text\.proj\.0\.(weight|bias)", r"text.norm.\1"),
    (r"modality_heads\.text\.proj\.1\.weight", r"text.projection.weight"),
    (r"modality_postprocessors\.text\.1\.log_logit_scale", r"text.log_logit_scale"),
    (r"modality_postprocessors\.audio\.1\.log_logit_scale", r"audio.fixed_log_scale"),
)


def imagebind_map(towers: Collection[str] = TOWERS) -> KeyMap:
    """Return the map for an ``ImageBind`` built with these towers."""
    unasked = {
        rf"{STATIONS}\.{name}\..*": f"part of the {name} tower, which was not asked for"
        for name in TOWERS
        if name not in towers
    }
    mask = {r"modality_preprocessors\.text\.mask": "the causal mask, which attention knows by itself"}
    return KeyMap(renames=RENAMES, dropped={**mask, **unasked, **NOT_BUILT}, computed=[r"audio\.fixed_log_scale"])


IMAGEBIND = imagebind_map()


def read_sizes(published: Mapping[str, Tensor], towers: Collection[str] = TOWERS) -> dict[str, Any]:
    """Return the sizes of ``towers`` that their published tensors tell; heads, mel bins and frames they do not.

    Raises ``KeyError`` where a tensor is missing.
    """
    sizes: dict[str, Any] = {}
    for name in towers:
        blocks = rf"modality_trunks\.{name}\.blocks\.(\d+)\.norm_1\.weight"
        numbers = [int(found[1]) for key in published if (found := re.fullmatch(blocks, key))]
        sizes[f"{name}_layers"] = len(numbers)
        head = "proj.1" if name == "text" else "2"
        sizes["output_dim"], sizes[f"{name}_width"] = published[f"modality_heads.{name}.{head}.weight"].shape
    if "text" in towers:
        sizes["vocabulary"] = len(published["modality_preprocessors.text.token_embedding.weight"])
        sizes["context_length"] = published["modality_preprocessors.text.pos_embed"].shape[1]
    if "vision" in towers:
        patch = tuple(published["modality_preprocessors.vision.rgbt_stem.proj.1.weight"].shape[2:])
        patches = published["modality_preprocessors.vision.pos_embedding_helper.pos_embed"].shape[1] - 1
        sizes["vision_patch"], sizes["image_size"] = patch, math.isqrt(patches) * patch[1]
    return sizes


def try_imagebind(network: ImageBind) -> dict[str, Tensor]:
    """Return the embedding ``[1, output]`` that every tower makes of silence, black and an empty text."""
    import torch

    made: dict[str, Tensor] = {}
    if hasattr(network, "text"):
        last = network.text.token_embedding.num_embeddings - 1
        made["text"] = network("text", torch.tensor([[last - 1, last]]))
    if hasattr(network, "vision"):
        made["vision"] = network("vision", torch.zeros(1, 3, network.image_size, network.image_size))
    if hasattr(network, "audio"):
        made["audio"] = network("audio", torch.zeros(1, 1, *network.spectrogram_size))
    return made
