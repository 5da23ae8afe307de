"""CLIP's text tower, ImageBind and its preprocessing."""

from collections.abc import Callable

import numpy as np
import torch
from golden import Case
from safetensors.torch import load_file

from motifmix.models.clip_text import ClipTextTower
from motifmix.pretrained.maps import clip_text as clip_map
from motifmix.pretrained.maps.key_map import load_published

Outputs = dict[str, np.ndarray]


@torch.no_grad()
def clip_text(case: Case) -> Outputs:
    config = case.config
    published = load_file(case.folder / "weights.safetensors")
    key_map = clip_map.key_map_for(published)
    legacy = key_map is clip_map.AUTHORS or config["hf_eos_token_id"] == 2
    tower = ClipTextTower(
        vocabulary=config["vocab_size"],
        context_length=config["context_length"],
        width=config["width"],
        layers=config["layers"],
        heads=config["heads"],
        feed_forward=config["feed_forward"],
        projection_dim=config["projection_dim"],
        end_token=None if legacy else config["hf_eos_token_id"],
        epsilon=config["layer_norm_eps"],
    ).eval()
    load_published(tower, published, key_map)
    ids = torch.from_numpy(case.inputs["tokens"])
    embeddings, *states = tower.hidden_states(ids)
    features = tower(ids)
    return {
        "embeddings": embeddings.numpy(),
        **{f"after_block_{i}": state.numpy() for i, state in enumerate(states)},
        "token_features": features.tokens.numpy(),
        "pooled_position": tower.pooled_positions(ids).numpy(),
        "pooled": features.pooled.numpy(),
        "text_embedding": features.embedding.numpy(),
    }


RUNNERS: dict[str, Callable[[Case], Outputs]] = {"clip_text": clip_text}
