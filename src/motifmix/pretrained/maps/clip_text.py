"""Where CLIP's text parameters stand: under the names of the authors' package, and of the transformers library."""

import re
from collections.abc import Mapping

from torch import Tensor

from motifmix.models.clip_text import ClipTextTower
from motifmix.pretrained.maps.key_map import KeyMap

IMAGE_TOWER = "part of the image tower, which no motion model uses"

AUTHORS_BLOCKS = (
    (r"transformer\.resblocks\.(\d+)\.ln_1\.(weight|bias)", r"blocks.\1.attention_norm.\2"),
    (r"transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)", r"blocks.\1.attention.qkv.\2"),
    (r"transformer\.resblocks\.(\d+)\.attn\.out_proj\.(weight|bias)", r"blocks.\1.attention.out.\2"),
    (r"transformer\.resblocks\.(\d+)\.ln_2\.(weight|bias)", r"blocks.\1.feed_forward_norm.\2"),
    (r"transformer\.resblocks\.(\d+)\.mlp\.c_fc\.(weight|bias)", r"blocks.\1.widen.\2"),
    (r"transformer\.resblocks\.(\d+)\.mlp\.c_proj\.(weight|bias)", r"blocks.\1.narrow.\2"),
)
LIBRARY_BLOCK = r"text_model\.encoder\.layers\.(\d+)\."


def transposed_projection(ours: dict[str, Tensor]) -> dict[str, Tensor]:
    """The authors multiply from the right (``pooled @ projection``); a linear layer holds the transpose."""
    ours = dict(ours)
    if (projection := ours.pop("projection.transposed", None)) is not None:
        ours["projection.weight"] = projection.T
    return ours


def joined_query_key_value(ours: dict[str, Tensor]) -> dict[str, Tensor]:
    """The library keeps three projections a block; ours is one, query above key above value."""
    import torch

    joined = {name: tensor for name, tensor in ours.items() if ".attention.q." not in name}
    for name in [name for name in ours if ".attention.q." in name]:
        parts = [name.replace(".attention.q.", f".attention.{letter}.") for letter in "qkv"]
        if all(part in ours for part in parts):  # where one is missing, the strange names are reported as unknown
            for part in parts:
                joined.pop(part, None)
            joined[name.replace(".attention.q.", ".attention.qkv.")] = torch.cat([ours[part] for part in parts])
        else:
            joined[name] = ours[name]
    return joined


AUTHORS = KeyMap(
    renames=[
        (r"token_embedding\.weight", "token_embedding.weight"),
        (r"positional_embedding", "positions"),
        *AUTHORS_BLOCKS,
        (r"ln_final\.(weight|bias)", r"final_norm.\1"),
        (r"text_projection", "projection.transposed"),
        (r"logit_scale", "logit_scale"),
    ],
    dropped={
        r"visual\..*": IMAGE_TOWER,
        r"transformer\.resblocks\.\d+\.attn_mask": "the causal mask, computed here",
        r"input_resolution|context_length|vocab_size": "a size that the authors' archive stores among the tensors",
    },
    steps=[transposed_projection],
)

TRANSFORMERS = KeyMap(
    renames=[
        (r"text_model\.embeddings\.token_embedding\.weight", "token_embedding.weight"),
        (r"text_model\.embeddings\.position_embedding\.weight", "positions"),
        (LIBRARY_BLOCK + r"layer_norm1\.(weight|bias)", r"blocks.\1.attention_norm.\2"),
        (LIBRARY_BLOCK + r"self_attn\.([qkv])_proj\.(weight|bias)", r"blocks.\1.attention.\2.\3"),
        (LIBRARY_BLOCK + r"self_attn\.out_proj\.(weight|bias)", r"blocks.\1.attention.out.\2"),
        (LIBRARY_BLOCK + r"layer_norm2\.(weight|bias)", r"blocks.\1.feed_forward_norm.\2"),
        (LIBRARY_BLOCK + r"mlp\.fc1\.(weight|bias)", r"blocks.\1.widen.\2"),
        (LIBRARY_BLOCK + r"mlp\.fc2\.(weight|bias)", r"blocks.\1.narrow.\2"),
        (r"text_model\.final_layer_norm\.(weight|bias)", r"final_norm.\1"),
        (r"text_projection\.weight", "projection.weight"),
        (r"logit_scale", "logit_scale"),
    ],
    dropped={
        r"vision_model\..*|visual_projection\.weight": IMAGE_TOWER,
        r"text_model\.embeddings\.position_ids": "the numbers 0 to 76",
    },
    steps=[joined_query_key_value],
    # The library's text tower has none; no text feature depends on it.
    computed=[r"logit_scale"],
)

# The tower inside files of InterGen, in2IN and MixerMDM, for a network without projection.
INSIDE = KeyMap(
    renames=[
        (r"token_embedding\.weight", "token_embedding.weight"),
        (r"positional_embedding", "positions"),
        *((r"clip_" + published, ours) for published, ours in AUTHORS_BLOCKS),
        (r"ln_final\.(weight|bias)", r"final_norm.\1"),
    ]
)

# For a card: whichever of the two a user has.
EITHER = KeyMap(
    renames=[*AUTHORS.renames, *TRANSFORMERS.renames],
    dropped={**AUTHORS.dropped, **TRANSFORMERS.dropped},
    steps=[*AUTHORS.steps, *TRANSFORMERS.steps],
    computed=TRANSFORMERS.computed,
)


def try_clip_text(tower: ClipTextTower) -> Tensor:
    """Return the projected embedding ``[1, projection_dim]`` of a text of one token."""
    import torch

    last = tower.token_embedding.num_embeddings - 1
    return tower(torch.tensor([[last - 1, 0, last]])).embedding


def read_sizes(published: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the sizes of the tower that a state dict of either spelling holds; heads are 64 wide, as published."""
    spellings = {
        "token_embedding.weight": ("positional_embedding", r"transformer\.resblocks\.(\d+)\..*"),
        "text_model.embeddings.token_embedding.weight": (
            "text_model.embeddings.position_embedding.weight",
            LIBRARY_BLOCK + ".*",
        ),
    }
    for words, (positions, block) in spellings.items():
        if words not in published or positions not in published:
            continue
        vocabulary, width = published[words].shape
        sizes = {"vocabulary": vocabulary, "width": width, "context_length": len(published[positions])}
        # Counted: a number in a name may be any, and so large a network would be built.
        sizes["layers"] = len({m[1] for name in published if (m := re.fullmatch(block, name))})
        sizes["heads"] = max(width // 64, 1)
        if "text_projection" in published:
            sizes["projection_dim"] = published["text_projection"].shape[1]
        elif "text_projection.weight" in published:
            sizes["projection_dim"] = published["text_projection.weight"].shape[0]
        return sizes
    return {}


def key_map_for(published: Mapping[str, Tensor]) -> KeyMap:
    """Return the map of the spelling that a state dict is in."""
    return TRANSFORMERS if any(re.match(r"text_model\.", name) for name in published) else AUTHORS
