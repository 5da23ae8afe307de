"""``motifmix sweep``: a row of figures from one style to another."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from motifmix.apps.cli.sampling_options import GENERATING, Weights, credit_of, own_model, samples
from motifmix.apps.cli.style_options import StyleBy, StyleFrom
from motifmix.apps.cli.terminal import progress, remark, say

if TYPE_CHECKING:
    from motifmix.apps.requests import GenerateRequest
    from motifmix.pipelines.sweep import Sweep

PICTURES = (".mp4", ".gif", ".png")
ALIKE = 5e-4  # metres: neighbours nearer than this are 0.0 cm apart, however unevenly


@samples(GENERATING, steps=("--denoising-steps",))  # its own steps are figures
def sweep(
    text: Annotated[str, typer.Argument(metavar="TEXT", help='What happens, in a sentence: "a person walks".')],
    style: Annotated[
        list[str], typer.Option(help="From this one to that one: a word, a sentence, a motion file or a video. Twice.")
    ],
    style_from: StyleFrom = "pose",
    style_by: StyleBy = "retrieval",
    steps: Annotated[int, typer.Option(help="How many figures, both ends included.")] = 7,
    strength: Annotated[float, typer.Option(help="How strongly the styles act, 0 to 2.")] = 1.0,
    seconds: Annotated[
        float | None, typer.Option(help="Length of all, 1 to 10; by default the middle of what suits the two.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same row.")] = 1,
    plain: Annotated[
        bool, typer.Option("--plain", help="Keep even shares; by default they move until the figures change evenly.")
    ] = False,
    fps: Annotated[float, typer.Option(help="Frames a second in the motion files of --each.")] = 30.0,
    raw: Annotated[bool, typer.Option("--raw", help="Leave out the clean-up of the feet.")] = False,
    weights: Weights = None,
    out: Annotated[
        list[Path] | None, typer.Option(help="The row as a film (.mp4, .gif) or a picture (.png). Repeatable.")
    ] = None,
    each: Annotated[
        list[Path] | None,
        typer.Option(help="A motion file a step: walk.bvh becomes walk_1.bvh, walk_2.bvh, ... Repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    units: Annotated[str, typer.Option(help="Unit of .bvh files: m or cm.")] = "m",
    *,
    sampling: dict[str, Any],
) -> None:
    """Show a text from one style to another, in even steps: one noise and one length, so that the figures are in step."""
    from motifmix.apps import outputs
    from motifmix.apps.requests import check_acts, checked
    from motifmix.errors import RequestError
    from motifmix.pipelines.sampling import beyond_measured

    request = checked(
        style, sampling=sampling, text=text, strength=strength, seconds=seconds, seed=seed, fps=fps, raw=raw, style_from=style_from,
        style_by=style_by,
    )  # fmt: skip
    if any(own.weight != 1 for own in request.styles):
        raise RequestError("a sweep sets the shares of its styles itself; leave the weights out")
    if len(request.styles) != 2:
        raise RequestError(f"a sweep goes from one style to another; give --style twice, not {len(style)} times")
    first, last = request.styles
    if first == last:
        raise RequestError(f"a sweep goes from one style to another, and both are {first.name!r}; give two styles")
    check_acts(request, [request])
    outputs.check_units(units)
    if not 2 <= steps <= 32:
        raise RequestError(f"--steps goes from 2 to 32; {steps} was asked")
    pictures = list(out or ([] if each else [Path(outputs.default_name(request) + ".mp4")]))
    files = [outputs.takes(path, steps) for path in each or []]
    outputs.check_targets(pictures, force=force, suffixes=PICTURES)
    outputs.check_targets([path for paths in files for path in paths], force=force)

    from motifmix.pipelines.sweep import sweep as swept

    pipeline = own_model(weights, "a row is made by")
    blend = request.style
    for note in pipeline.describe(request.text, blend):
        remark(note)
    if far := beyond_measured(request.sampling, request.strength):
        remark(far)
    ends = [reference for reference, _ in blend] if isinstance(blend, list) else []
    with progress("generating") as step:
        made = swept(
            pipeline, request.text, ends, steps, request.seconds, seed,
            even=not plain, strength=request.strength, clean_feet=not raw, progress=step,
            **request.sampling,
        )  # fmt: skip
    remark(_evenness(made))
    _write(made, request, pictures, files, force=force, units=units)
    if credit := outputs.missing_credit([paths[0].suffix for paths in files], credit_of(weights, pipeline)):
        remark(credit)


def _write(
    made: "Sweep",
    request: "GenerateRequest",
    pictures: Sequence[Path],
    files: Sequence[Sequence[Path]],
    *,
    force: bool,
    units: str,
) -> None:
    from motifmix.apps import outputs
    from motifmix.apps.gallery import write_row
    from motifmix.apps.requests import StyleReference

    first, last = (own.reference for own in request.styles)
    finished = []
    for motion, share in zip(made.motions, made.shares, strict=True):
        parts = [StyleReference(first, round(1.0 - share, 4)), StyleReference(last, share)]
        own = request.model_copy(update={"styles": tuple(part for part in parts if part.weight > 0)})
        finished.append(outputs.finished(motion, own, request.seeds()[0]))
    names = [request.styles[0].name, *(f"{share:.0%}" for share in made.shares[1:-1]), request.styles[1].name]
    for path in pictures:
        with progress(f"drawing {path.name}") as step:
            write_row(path, finished, names, force=force, progress=step)
        say(path)
    for paths in files:
        for path, motion in zip(paths, finished, strict=True):
            for written in outputs.save(path, motion, units=units, force=force):
                say(written)


def _evenness(made: "Sweep") -> str:
    """Say how far apart neighbours are, and whether there is a jump."""
    if max(made.distances) < ALIKE:
        return (
            "all figures are the same: the two styles say the same here, or do not act; give others, or more --strength"
        )
    mean, largest = sum(made.distances) / len(made.distances), max(made.distances)
    line = f"neighbours are {100 * mean:.1f} cm apart on average, {100 * largest:.1f} at most ({made.unevenness:.2f} times)"
    if made.unevenness <= 2.0:
        return line
    place = made.distances.index(largest)
    return f"{line}: there is a jump between figures {place + 1} and {place + 2}; another --seed may have none"
