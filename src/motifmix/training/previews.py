"""A few motions from networks in training, to look at while they learn."""

from typing import Any

import numpy as np
import torch
from torch import nn

from motifmix.data.labels import STYLES
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Guided, sample
from motifmix.features.own import MotifmixSpace
from motifmix.motion import Motion
from motifmix.training.texts import embedded, style_texts

PROMPTS = (
    ("a person walks forward", None, 6.0),
    ("a person walks forward", "elderly", 6.0),
    ("a person waves with the right hand", "active", 4.0),
    ("a person runs", "exhausted", 4.0),
    ("a person sits down on a chair", None, 4.0),
    ("a person jumps", None, 3.0),
)


@torch.no_grad()
def preview_motions(objective: Any, modules: nn.ModuleDict) -> list[tuple[str, Motion]]:
    """Generate the fixed prompts with the networks of a denoiser objective."""
    table, store = objective.table, objective.store
    text = (embedded([prompt for prompt, _, _ in PROMPTS]) - table.mean) / table.std
    left_out = objective.options.without_styles
    known = [style or next(name for name in STYLES if name not in left_out) for _, style, _ in PROMPTS]
    spoken = [((embedded(style_texts(style)) - table.mean) / table.std).mean(dim=0) for style in known]
    style = modules["text_to_style"](torch.stack(spoken))
    has_style = torch.tensor([name is not None for _, name, _ in PROMPTS])
    lengths = [round(5 * seconds) for _, _, seconds in PROMPTS]
    valid = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    condition = Condition(
        {"text": Part(text, torch.ones(len(PROMPTS), dtype=torch.bool)), "style": Part(style, has_style)}
    )
    noise = torch.randn(*valid.shape, store.mean.shape[0], generator=torch.Generator().manual_seed(0))
    guided = Guided(modules["denoiser"], [("text", 2.0), ("style", 1.5)])
    clean = noise
    for step in sample(guided, objective.schedule, noise, condition, valid, 12):
        clean = step.clean
    decoded = store.vae.decode(clean * store.std + store.mean, valid).numpy()
    space = MotifmixSpace()
    rows = []
    for place, (prompt, name, _) in enumerate(PROMPTS):
        features = store.normaliser.restore(decoded[place, : 4 * lengths[place]].astype(np.float64))
        rows.append((f"{prompt} ({name or 'no style'})", space.decode(features)))
    return rows
