"""Renames of the layers that PyTorch's and MLD's transformers share: their names to those of ``models/layers``."""

Renames = list[tuple[str, str]]
KIND = r"(?P<kind>weight|bias)"


def renames_of_layer(published: str, ours: str, *, decoder: bool = False) -> Renames:
    """Return the renames of one layer (or of many, by groups in ``published``), both prefixes ending in their dot."""
    names = {
        r"self_attn\.in_proj_": "attention.qkv.",
        r"self_attn\.out_proj\.": "attention.out.",
        r"linear1\.": "expand.",
        r"linear2\.": "contract.",
        r"norm1\.": "attention_norm.",
    }
    if decoder:
        names |= {
            r"multihead_attn\.in_proj_": "cross_attention.qkv.",
            r"multihead_attn\.out_proj\.": "cross_attention.out.",
            r"norm2\.": "cross_norm.",
            r"norm3\.": "feed_forward_norm.",
        }
    else:
        names |= {r"norm2\.": "feed_forward_norm."}
    return [(f"{published}{old}{KIND}", f"{ours}{new}\\g<kind>") for old, new in names.items()]
