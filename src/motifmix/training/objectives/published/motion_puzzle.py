"""Losses of Motion Puzzle (Jang, Park and Lee, TOG 2022): reconstruction, two cycles, and smoothness of both.

No labels, pairs or discriminator. The recipe: rectified Adam, learning rate and weight decay 1e-4, gradient norm clipped
at 1.0, batch 32, 10 epochs, parameters averaged with 0.999; in a step of 0.4 of all, one to three of the groups legs,
spine and arms keep the content's own style.
"""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from motifmix.models.motion_puzzle import BODY_PARTS, Encoder, Features, MotionPuzzle, by_part
from motifmix.quirks import Quirk

NO_STYLE_CYCLE_WHEN_MIXED = Quirk(
    "no_style_cycle_when_mixed",
    "Motion Puzzle: in a training step that mixes body parts, the style cycle is replaced by the style motion itself, so "
    "that its losses are zero; the published training did so",
)
MIXING_PROBABILITY = 0.4
GROUPS = {"legs": (0, 1), "spine": (2,), "arms": (3, 4)}


@dataclass(frozen=True)
class PuzzleWeights:
    """How much each loss counts; the defaults are the published values."""

    reconstruction: float = 1.0
    cycle_content: float = 0.5
    cycle_style: float = 0.5
    smooth_reconstruction: float = 1.0
    smooth_cycle: float = 1.0


@dataclass(frozen=True)
class PuzzleOutputs:
    """What one training step decodes, motions [B, 12, 21, T], and the feature maps of both encoders."""

    reconstruction_content: Tensor
    reconstruction_style: Tensor
    stylised: Tensor
    cycle_content: Tensor
    cycle_style: Tensor
    content_features: Features
    style_features: Features


def drawn_own_parts(generator: torch.Generator) -> list[int]:
    """Draw the body parts that keep the content's own style in a step: none, or those of one to three groups."""
    if float(torch.rand((), generator=generator)) >= MIXING_PROBABILITY:
        return []
    count = int(torch.randint(1, len(GROUPS) + 1, (), generator=generator))
    groups = list(GROUPS.values())
    return sorted(p for g in torch.randperm(len(groups), generator=generator)[:count].tolist() for p in groups[g])


def training_forward(
    model: MotionPuzzle,
    content: Tensor,
    style: Tensor,
    own_parts: Collection[int] = (),
    quirks: Collection[Quirk] = (),
) -> PuzzleOutputs:
    """Decode everything that the losses compare, from ``content`` [B, 12, 21, T] and ``style`` [B, 12, 21, T'].

    ``own_parts`` keep the content's own style. The style cycle takes their style from the style motion, since
    ``stylised`` does not have it.
    """
    of_content, content_of_style = _encoded(model.content_encoder, content, style)
    own, of_style = _encoded(model.style_encoder, content, style)
    code, code_of_style = of_content[-1], content_of_style[-1]
    alone, of_itself = ([features] * len(BODY_PARTS) for features in (own, of_style))
    reconstructed, of_style_again, stylised = _decoded(
        model, (code, alone), (code_of_style, of_itself), (code, by_part(of_style, own, own_parts))
    )
    cycle = model.content_encoder(stylised)[-1], alone
    if own_parts and NO_STYLE_CYCLE_WHEN_MIXED in quirks:
        (cycle_content,), cycle_style = _decoded(model, cycle), style
    else:
        back = by_part(model.style_encoder(stylised), of_style, own_parts)
        cycle_content, cycle_style = _decoded(model, cycle, (code_of_style, back))
    return PuzzleOutputs(
        reconstruction_content=reconstructed,
        reconstruction_style=of_style_again,
        stylised=stylised,
        cycle_content=cycle_content,
        cycle_style=cycle_style,
        content_features=of_content,
        style_features=of_style,
    )


def _encoded(encoder: Encoder, *motions: Tensor) -> list[Features]:
    """Encode motions in one batch where their lengths agree: a small network's time goes into the number of calls."""
    if len({motion.shape[1:] for motion in motions}) > 1:
        return [encoder(motion) for motion in motions]
    levels = [level.split([len(motion) for motion in motions]) for level in encoder(torch.cat(motions))]
    return [(joint, mid, part, inner) for joint, mid, part, inner in zip(*levels, strict=True)]


def _decoded(model: MotionPuzzle, *pairs: tuple[Tensor, list[Features]]) -> list[Tensor]:
    """Decode pairs of a content's code and the styles of its body parts, in one batch where their lengths agree."""
    lengths = {tuple(level.shape[1:] for level in features) for _, styles in pairs for features in styles}
    if len(lengths) > 1 or len({code.shape[1:] for code, _ in pairs}) > 1:
        return [model.decoder(code, styles) for code, styles in pairs]
    joined: dict[tuple[int, ...], Features] = {}
    parts = []
    for features in zip(*(styles for _, styles in pairs), strict=True):
        which = tuple(id(each) for each in features)  # most parts share their style with others
        if which not in joined:
            joint, mid, part, inner = (torch.cat(level) for level in zip(*features, strict=True))
            joined[which] = joint, mid, part, inner
        parts.append(joined[which])
    return list(model.decoder(torch.cat([code for code, _ in pairs]), parts).split([len(code) for code, _ in pairs]))


def puzzle_losses(
    content: Tensor,
    style: Tensor,
    reconstructions: tuple[Tensor, Tensor],
    cycles: tuple[Tensor, Tensor],
    weights: PuzzleWeights | None = None,
) -> dict[str, Tensor]:
    """Return ``total`` and the five means of absolute differences; pairs are (content, style), [B, C, J, T].

    Reconstruction and both smoothness losses are sums over the pair. Smoothness compares steps from frame to frame.
    """
    weights = weights or PuzzleWeights()
    pair = (content, style)
    losses = {
        "reconstruction": _l1(reconstructions[0], content) + _l1(reconstructions[1], style),
        "cycle_content": _l1(cycles[0], content),
        "cycle_style": _l1(cycles[1], style),
        "smooth_reconstruction": _steps_l1(reconstructions, pair),
        "smooth_cycle": _steps_l1(cycles, pair),
    }
    total = torch.stack([getattr(weights, name) * loss for name, loss in losses.items()]).sum()
    return {"total": total, **losses}


def _l1(found: Tensor, wanted: Tensor) -> Tensor:
    return (found - wanted).abs().mean()


def _steps_l1(found: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> Tensor:
    return _l1(found[0].diff(dim=-1), wanted[0].diff(dim=-1)) + _l1(found[1].diff(dim=-1), wanted[1].diff(dim=-1))
