"""``motifmix convert``: a motion file in, others out, on another skeleton or at another frame rate if wanted."""

from pathlib import Path
from typing import Annotated

import typer

from motifmix.apps.cli.terminal import progress, remark, say


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A .bvh or .npz file.")],
    out: Annotated[list[Path], typer.Argument(metavar="OUT...", help="Where to: .bvh, .glb, .npz, .mp4 or .gif.")],
    skeleton: Annotated[
        str | None,
        typer.Option(help="For .bvh: source, motifmix, cmu, bandai or mixamo; by default the skeleton of IN."),
    ] = None,
    fps: Annotated[str, typer.Option(help="Frames a second in the files, or source to keep every frame.")] = "30",
    ground: Annotated[bool, typer.Option("--ground", help="Put the feet on the floor.")] = False,
    up: Annotated[str | None, typer.Option(help="Up axis of IN, y or z, where the one found is wrong.")] = None,
    units: Annotated[
        str | None, typer.Option(help="Unit of IN where the one found is wrong: m, cm, mm, inch, cmu or metres.")
    ] = None,
    out_units: Annotated[str, typer.Option(help="Unit of .bvh files written: m or cm.")] = "m",
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
) -> None:
    """Convert a motion file; what was taken for its up axis and its unit is said."""
    from motifmix.apps import outputs
    from motifmix.apps.conversion import carried, check_people, check_skeleton, described, wanted_fps

    check_skeleton(skeleton, out)
    rate = wanted_fps(fps)
    outputs.check_units(out_units, option="--out-units")
    outputs.check_targets(out, force=force)
    outputs.check_is_other(source, out)

    from motifmix.files import read

    scene = read(source, up=up, units=units)  # type: ignore[arg-type]  # read() refuses other words than y and z
    check_people(source, scene, skeleton)
    for line in described(source, scene, rate):
        remark(line)
    for path in out:
        result = carried(scene, source, path, skeleton=skeleton, fps=rate, ground=ground)
        with progress(f"writing {path.name}"):
            written = outputs.save(path, result, units=out_units, force=force)
        for file in written:
            say(file)
