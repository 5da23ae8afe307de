"""The training loss of InterCLIP (InterGen's evaluator)."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


class ContrastiveLoss(NamedTuple):
    """``total`` is the mean of the two cross entropies."""

    total: Tensor
    motion_to_text: Tensor
    text_to_motion: Tensor


def contrastive_loss(texts: Tensor, motions: Tensor) -> ContrastiveLoss:
    """InterCLIP's training loss of paired embeddings [B, E]: their scalar products, scale and all, are the logits."""
    logits, own = motions @ texts.T, torch.arange(len(texts), device=texts.device)
    one = cross_entropy(logits, own)
    other = cross_entropy(logits.T, own)
    return ContrastiveLoss((one + other) / 2, one, other)
