"""The options for those who look inside, and other weights: the same in every command that has them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from motifmix.pipelines.text_to_motion import TextToMotion

ADVANCED = "Advanced: --strength is the one knob; these are for those who look inside"
GRADIENT_TIMES = 1.8  # what benchmarks/guidance.py measured; a test holds it to docs/guidance.json
GRADIENT_COST = f"it takes {GRADIENT_TIMES:g} times as long (docs/guidance.md)"

TextScale = Annotated[
    float | None, typer.Option(help="How strongly the text guides; 2 by default.", rich_help_panel=ADVANCED)
]
StyleScale = Annotated[
    float | None, typer.Option(help="How strongly the style guides; 1.5 by default.", rich_help_panel=ADVANCED)
]
Gamma = Annotated[
    float | None,
    typer.Option(help="How much of the style is fused, as trained (0.6) by default.", rich_help_panel=ADVANCED),
]
Block = Annotated[
    int | None,
    typer.Option(help="After which block the style is fused, as trained (2) by default.", rich_help_panel=ADVANCED),
]
Gradient = Annotated[
    float | None,
    typer.Option(help=f"Pull of a style classifier, 0 to 2; {GRADIENT_COST}.", rich_help_panel=ADVANCED),
]
Weights = Annotated[
    Path | None, typer.Option("--weights", metavar="FOLDER", help="Other weights: a folder that 'train' wrote.")
]


def own_model(weights: Path | None, purpose: str) -> "TextToMotion":
    """Load the default model or weights of its kind; ``purpose`` begins the sentence about others.

    Raises ``WeightsError``, and ``RequestError`` for a published model.
    """
    import motifmix

    if weights is None:
        return motifmix.load()
    model = motifmix.load(weights)
    from motifmix.errors import RequestError
    from motifmix.pipelines.text_to_motion import TextToMotion

    if not isinstance(model, TextToMotion):
        raise RequestError(f"{weights}: {purpose} the default model, or weights that 'motifmix train' wrote")
    return model


def credit_of(weights: Path | None, model: "TextToMotion") -> str:
    """Return whose work a model is, and what may be done with what it makes; ``weights`` None is the default model."""
    from motifmix.apps.outputs import MADE_WITH

    return MADE_WITH if weights is None else "; ".join([*model.credit, model.licence])
