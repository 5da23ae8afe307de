"""``motifmix generate``: the main job."""

from pathlib import Path
from typing import Annotated

import typer

from motifmix.apps.cli.terminal import progress, remark, say


def generate(
    text: Annotated[str, typer.Argument(metavar="TEXT", help='What happens, in a sentence: "a person walks forward".')],
    style: Annotated[
        list[str] | None,
        typer.Option(
            help="A word, a sentence, a motion file or a video, each with an optional :WEIGHT. Several are blended."
        ),
    ] = None,
    style_from: Annotated[
        str, typer.Option(help="What of a video is its style: pose (the person's movement) or content (what it shows).")
    ] = "pose",
    strength: Annotated[float, typer.Option(help="How strongly the style acts, 0 to 2.")] = 1.0,
    seconds: Annotated[
        float | None, typer.Option(help="Length, 1 to 10; by default what suits text and style.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same motion.")] = None,
    count: Annotated[int, typer.Option(help="How many takes: walk_1.bvh, walk_2.bvh, ...")] = 1,
    fps: Annotated[float, typer.Option(help="Frames a second in the files.")] = 30.0,
    in_place: Annotated[bool, typer.Option("--in-place", help="Stay where the motion starts.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Leave out the clean-up of the feet.")] = False,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            help="Where to: .bvh, .glb, .npz, .mp4 or .gif. Repeatable; by default a .bvh named after the text."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    units: Annotated[str, typer.Option(help="Unit of .bvh files: m or cm.")] = "m",
) -> None:
    """Make a motion from a text and a style."""
    from motifmix.apps import outputs
    from motifmix.apps.requests import checked

    request = checked(
        style or (), text=text, strength=strength, seconds=seconds, seed=seed, count=count, fps=fps,
        in_place=in_place, raw=raw, style_from=style_from,
    )  # fmt: skip
    outputs.check_units(units)
    targets = [outputs.takes(path, count) for path in out or [Path(outputs.default_name(request) + ".bvh")]]
    outputs.check_targets([path for paths in targets for path in paths], force=force)

    import motifmix

    pipeline = motifmix.load()
    for note in pipeline.describe(request.text, request.style):
        remark(note)
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
    if credit := outputs.missing_credit([paths[0].suffix for paths in targets]):
        remark(credit)
