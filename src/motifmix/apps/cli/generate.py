"""``motifmix generate``: the main job."""

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from motifmix.apps.cli.sampling_options import GENERATING, samples
from motifmix.apps.cli.style_options import StyleBy, StyleFrom
from motifmix.apps.cli.terminal import progress, remark, say

if TYPE_CHECKING:
    from motifmix.apps.requests import GenerateRequest
    from motifmix.motion import Motion, Scene


@samples(GENERATING)
def generate(
    text: Annotated[str, typer.Argument(metavar="TEXT", help='What happens, in a sentence: "a person walks forward".')],
    style: Annotated[
        list[str] | None,
        typer.Option(
            help="A word, a sentence, a motion file, a video, a picture, a sound, a folder/ of them, with an optional :WEIGHT; blended."
        ),
    ] = None,
    style_from: StyleFrom = "pose",
    style_by: StyleBy = "retrieval",
    strength: Annotated[float, typer.Option(help="How strongly the style acts, 0 to 2.")] = 1.0,
    seconds: Annotated[
        float | None, typer.Option(help="Length, 1 to 10; by default what suits text and style.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same motion.")] = None,
    count: Annotated[int, typer.Option(help="How many takes: walk_1.bvh, walk_2.bvh, ...")] = 1,
    fps: Annotated[float, typer.Option(help="Frames a second in the files.")] = 30.0,
    in_place: Annotated[bool, typer.Option("--in-place", help="Stay where the motion starts.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Leave out the clean-up of the feet.")] = False,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Another model: a folder that 'train' or 'models convert' wrote."),
    ] = None,
    person: Annotated[
        list[str] | None,
        typer.Option(help="Of a model of two people: what one of them does. Twice; by default both are told the text."),
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            help="Where to: .bvh, .glb, .npz, .mp4 or .gif. Repeatable; by default a .bvh named after the text."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    units: Annotated[str, typer.Option(help="Unit of .bvh files: m or cm.")] = "m",
    *,
    sampling: dict[str, Any],
) -> None:
    """Make a motion from a text and a style; of a model of two people, a scene."""
    from motifmix.apps import outputs
    from motifmix.apps.requests import check_acts, checked
    from motifmix.pipelines.sampling import beyond_measured

    request = checked(
        style or (), sampling=sampling, text=text, strength=strength, seconds=seconds, seed=seed, count=count, fps=fps,
        in_place=in_place, raw=raw, style_from=style_from, style_by=style_by,
    )  # fmt: skip
    check_acts(request, [request])
    outputs.check_units(units)
    targets = [outputs.takes(path, count) for path in out or [Path(outputs.default_name(request) + ".bvh")]]
    outputs.check_targets([path for paths in targets for path in paths], force=force)

    import motifmix

    pipeline = motifmix.load() if weights is None else motifmix.load(weights)
    further = _of_this_model(pipeline, request, person)
    for note in pipeline.describe(request.text, request.style):
        remark(note)
    if request.styles and (far := beyond_measured(request.sampling, request.acting_strength)):
        remark(far)
    seeds = request.seeds()
    with progress("generating") as step:
        motions = pipeline.generate(
            [request.text] * count,
            [request.style] * count,
            request.seconds,
            seeds,
            strength=request.acting_strength,
            clean_feet=not request.raw,
            progress=step,
            **further,
        )
    if request.seed is None:
        remark(f"seed {seeds[0]} (--seed {seeds[0]} makes the same again)")
    for take, (motion, take_seed) in enumerate(zip(motions, seeds, strict=True)):
        finished = outputs.finished(motion, request, take_seed)
        for paths in targets:
            with progress(f"writing {paths[take].name}"):
                written = outputs.save(paths[take], finished, units=units, force=force)
            for file in written:
                say(file)
    line = outputs.MADE_WITH if weights is None else _credit(motions[0])
    if credit := outputs.missing_credit([paths[0].suffix for paths in targets], line):
        remark(credit)


def _of_this_model(pipeline: Any, request: "GenerateRequest", person: list[str] | None) -> dict[str, Any]:
    """Return what else the model is told. Raises ``RequestError`` for options that do not go with it."""
    from motifmix.errors import RequestError

    people = getattr(pipeline, "people", 1)
    known = inspect.signature(pipeline.generate).parameters
    open_ended = any(own.kind is inspect.Parameter.VAR_KEYWORD for own in known.values())
    for name in request.sampling:
        if name not in known and not open_ended:
            raise RequestError(f"--{name.replace('_', '-')} is not an option of this model; leave it out")
    if people > 1 and request.in_place:
        raise RequestError("--in-place is for one person; this model makes a scene of two, who move about each other")
    if person is None:
        return dict(request.sampling)
    if people == 1:
        raise RequestError("--person is for models of two people; this one makes one, say it all in the text")
    return {**request.sampling, "individual_texts": [person] * request.count}


def _credit(result: "Motion | Scene") -> str:
    """Whose model a result is of, and what may be done with it."""
    from motifmix.motion import Motion

    labels = (result if isinstance(result, Motion) else next(iter(result))).labels
    return "; ".join(str(labels[name]) for name in ("credit", "licence") if labels.get(name))
