"""Losses of the judges: content and style recognition, and the motion-text evaluator's contrast."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motifmix.models.recogniser import Recogniser
from motifmix.models.retrieval_evaluator import RetrievalEvaluator
from motifmix.training.augmentation import vary_bodies

LABEL_SMOOTHING = 0.05
UNKNOWN = -1


@dataclass(frozen=True)
class JudgeBatch:
    """Clips with what is known of them.

    ``joint_positions [B, T, 22, 3]`` in metres, ``valid_mask [B, T]``, ``content`` and ``style`` class numbers ``[B]``
    (-1 = unknown), ``sentences [B, 384]`` and the captions' own numbers ``caption [B]`` (equal captions share one).
    """

    joint_positions: Tensor
    valid_mask: Tensor
    content: Tensor
    style: Tensor
    sentences: Tensor | None = None
    caption: Tensor | None = None


def recognition_loss(
    model: Recogniser, batch: JudgeBatch, generator: torch.Generator, augment: bool = True
) -> tuple[Tensor, dict[str, float]]:
    """Cross entropy of content and of style on bodies varied at random; unknown labels teach nothing.

    Returns the loss and figures to plot (both losses, both shares of right answers in the batch).
    """
    joints = batch.joint_positions
    if augment:
        joints = vary_bodies(joints, batch.valid_mask, generator)
    seen = model(joints, batch.valid_mask)
    content, style = _cross_entropy(seen.content, batch.content), _cross_entropy(seen.style, batch.style)
    figures = {
        "content_loss": content.item(),
        "style_loss": style.item(),
        "content_right": _share_right(seen.content, batch.content),
        "style_right": _share_right(seen.style, batch.style),
    }
    return content + style, figures


def retrieval_loss(
    model: RetrievalEvaluator,
    batch: JudgeBatch,
    generator: torch.Generator,
    augment: bool = True,
    same_meaning: float = 0.8,
) -> tuple[Tensor, dict[str, float]]:
    """Symmetric InfoNCE between clips and their captions.

    Other captions that mean the same (cosine of the sentence embeddings above ``same_meaning``, as in TMR) are no
    negatives; equal captions are all positives.
    """
    if batch.sentences is None or batch.caption is None:
        raise ValueError("a retrieval batch needs sentences and caption numbers")
    joints = batch.joint_positions
    if augment:
        joints = vary_bodies(joints, batch.valid_mask, generator)
    # Noise on the sentences stands for wordings that nobody wrote.
    noise = torch.randn(batch.sentences.shape, generator=generator) * 0.1 / batch.sentences.shape[1] ** 0.5
    motions, texts = model(joints, batch.valid_mask, batch.sentences + noise)
    logits = motions @ texts.T * model.log_temperature.exp().clamp(max=50.0)  # (B, B)
    positive = batch.caption[:, None] == batch.caption[None]
    similar = batch.sentences @ batch.sentences.T > same_meaning
    logits = logits.masked_fill(similar & ~positive, -torch.inf)
    loss = (_multi_positive(logits, positive) + _multi_positive(logits.T, positive)) / 2
    nearest = positive[torch.arange(len(logits)), logits.argmax(dim=1)].float().mean()
    return loss, {"contrast": loss.item(), "nearest_right": nearest.item()}


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    known = labels != UNKNOWN
    if not known.any():
        return logits.sum() * 0.0
    return nn.functional.cross_entropy(logits[known], labels[known], label_smoothing=LABEL_SMOOTHING)


def _share_right(logits: Tensor, labels: Tensor) -> float:
    known = labels != UNKNOWN
    return (logits.argmax(dim=1)[known] == labels[known]).float().mean().item() if known.any() else float("nan")


def _multi_positive(logits: Tensor, positive: Tensor) -> Tensor:
    log_probability = logits.log_softmax(dim=1).masked_fill(~positive, 0.0)
    return -(log_probability.sum(dim=1) / positive.sum(dim=1)).mean()
