"""Losses of Motion Puzzle (Jang, Park and Lee, TOG 2022): reconstruction, two cycles, and smoothness of both.

No labels, pairs or discriminator. The recipe: rectified Adam, learning rate and weight decay 1e-4, gradient norm clipped
at 1.0, batch 32, 10 epochs, parameters averaged with 0.999; in a step of 0.4 of all, one to three of the groups legs,
spine and arms keep the content's own style.
"""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from motifmix.models.motion_puzzle import BODY_PARTS, Features, MotionPuzzle, by_part
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
    of_content = model.content_encoder(content)
    of_style = model.style_encoder(style)
    own = by_part(model.style_encoder(content), of_style, ())
    code_of_style = model.content_encoder(style)[-1]
    given = [own[part] if part in own_parts else of_style for part in range(len(BODY_PARTS))]
    stylised = model.decoder(of_content[-1], given)
    if own_parts and NO_STYLE_CYCLE_WHEN_MIXED in quirks:
        cycle_style = style
    else:
        cycle_style = model.decoder(code_of_style, by_part(model.style_encoder(stylised), of_style, own_parts))
    return PuzzleOutputs(
        reconstruction_content=model.decoder(of_content[-1], own),
        reconstruction_style=model.decoder(code_of_style, by_part(of_style, of_style, ())),
        stylised=stylised,
        cycle_content=model.decoder(model.content_encoder(stylised)[-1], own),
        cycle_style=cycle_style,
        content_features=of_content,
        style_features=of_style,
    )


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
