"""The options for those who look inside, and other weights: the same in every command that has them.

``@samples(...)`` above a command replaces its argument ``sampling`` by the options that are named; the command gets what
was given as one ``{name: value}``, None where an option was left out.
"""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from motifmix.pipelines.sampling import NAMES, SHIFT, STEPS, STYLE_SCALE, TEXT_SCALE, TRANSFER_DEPTH, TRANSFER_STEPS

if TYPE_CHECKING:
    from motifmix.pipelines.text_to_motion import TextToMotion

ADVANCED = "Advanced: --strength is the one knob; these are for those who look inside"
GRADIENT_TIMES = 1.6  # what benchmarks/guidance.py measured; a test holds it to docs/guidance.json
GRADIENT_COST = f"it takes {GRADIENT_TIMES:g} times as long (docs/guidance.md)"

_OPTIONS: dict[str, tuple[type, str]] = {
    "steps": (int, f"Denoising steps; {STEPS} by default, {TRANSFER_STEPS} in a transfer."),
    "shift": (float, f"Above 1: more of the steps near the noise; {SHIFT:g} by default."),
    "text_scale": (float, f"How strongly the text guides; {TEXT_SCALE:g} by default."),
    "style_scale": (float, f"How strongly the style guides; {STYLE_SCALE:g} by default."),
    "style_start": (
        float,
        "The style joins at this noise, 1 down to 0.3; by default as the content asks (docs/late_style.md).",
    ),
    "gamma": (float, "How much of the style is fused, as trained (0.6) by default."),
    "block": (int, "After which block the style is fused, as trained (2) by default."),
    "gradient": (float, f"Pull of a style classifier, 0 to 2; {GRADIENT_COST}."),
    "depth": (float, f"How far towards the noise a motion is taken, above 0 to 1; {TRANSFER_DEPTH:g} by default."),
}
GENERATING = NAMES
"""What a motion made from nothing listens to."""
TRANSFERRING = ("steps", "depth", "style_scale", "gamma", "block", "gradient")
"""What a motion that is taken back and brought forth listens to: nothing guides it by the text, and its steps go back and
forth alike."""
Weights = Annotated[
    Path | None, typer.Option("--weights", metavar="FOLDER", help="Other weights: a folder that 'train' wrote.")
]


def samples(names: tuple[str, ...], *, steps: tuple[str, ...] = ("--steps", "--denoising-steps")) -> Callable[..., Any]:
    """Return a decorator that gives a command these options; ``steps`` is what the denoising steps are called in it."""

    def give(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**given: Any) -> None:
            sampling = {name: given.pop(f"sampling_{name}") for name in names}
            command(**given, sampling=sampling)

        own = inspect.signature(command, eval_str=True)
        shown = [parameter for parameter in own.parameters.values() if parameter.name != "sampling"]
        shown += [_parameter(name, steps if name == "steps" else (f"--{name.replace('_', '-')}",)) for name in names]
        run.__signature__ = own.replace(parameters=shown)  # pyright: ignore[reportAttributeAccessIssue]
        return run

    return give


def _parameter(name: str, words: tuple[str, ...]) -> inspect.Parameter:
    kind, meaning = _OPTIONS[name]
    option = typer.Option(*words, help=meaning, rich_help_panel=ADVANCED)
    return inspect.Parameter(
        f"sampling_{name}", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


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
