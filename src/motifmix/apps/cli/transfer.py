"""``motifmix transfer``: somebody's motion in, the same motion in another style out."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from motifmix.apps.cli.sampling_options import TRANSFERRING, Weights, credit_of, own_model, samples
from motifmix.apps.cli.style_options import StyleBy, StyleFrom
from motifmix.apps.cli.terminal import progress, remark, say

_KNOWN = "a person walks forward"  # stands for a text that was not given, and has nothing said about it


@samples(TRANSFERRING)
def transfer(
    contents: Annotated[list[Path], typer.Argument(metavar="IN...", help="Motions of a person: .bvh or .npz files.")],
    style: Annotated[
        list[str],
        typer.Option(
            help="A word, a sentence, a motion file, a video, a picture or a sound, with an optional :WEIGHT. Several are blended."
        ),
    ],
    style_from: StyleFrom = "pose",
    style_by: StyleBy = "retrieval",
    strength: Annotated[
        float, typer.Option(help="How strongly the style acts, 0 to 2; 0 returns the motion, to some centimetres.")
    ] = 1.0,
    text: Annotated[str, typer.Option(help="What happens in the motions, where you like to say it.")] = "",
    keep_path: Annotated[bool, typer.Option("--keep-path", help="Keep the way over the floor and its timing.")] = False,
    keep_contacts: Annotated[
        bool, typer.Option("--keep-contacts", help="Let feet rest, without sliding, when they rest in the motion.")
    ] = False,
    skeleton: Annotated[
        str, typer.Option(help="Of the result: motifmix, or source for the skeleton of IN (.bvh).")
    ] = "motifmix",
    fps: Annotated[str, typer.Option(help="Frames a second in the files, or source for those of IN.")] = "30",
    raw: Annotated[bool, typer.Option("--raw", help="Leave out the clean-up of the feet.")] = False,
    weights: Weights = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            help="Where to: .bvh, .glb, .npz, .mp4 or .gif, repeatable; or a folder, as several motions need."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    units: Annotated[str, typer.Option(help="Unit of .bvh files: m or cm.")] = "m",
    *,
    sampling: dict[str, Any],
) -> None:
    """Give motions another style, keeping what happens in them."""
    from motifmix.apps import outputs
    from motifmix.apps import transfer as transfers
    from motifmix.apps.conversion import wanted_fps
    from motifmix.apps.requests import check_acts, checked
    from motifmix.pipelines.sampling import BY_STRENGTH_IN_TRANSFER, beyond_measured

    # A content says itself what happens, so the text may be open; a request has one.
    request = checked(
        style, sampling=sampling, text=text or "a motion",
        strength=strength, style_from=style_from, style_by=style_by,
    )  # fmt: skip
    check_acts(request, [request])
    outputs.check_units(units)
    options = transfers.Options(
        text=request.text if text.strip() else "", keep_path=keep_path, keep_contacts=keep_contacts, skeleton=skeleton,
        fps=wanted_fps(fps), raw=raw, units=units, force=force,
    )  # fmt: skip
    todo = transfers.jobs(contents, out or [], request, options)

    from motifmix.pipelines.style_transfer import StyleTransfer

    model = own_model(weights, "style transfer needs")
    pipeline = StyleTransfer(model)
    for note in model.describe(options.text or _KNOWN, request.style):
        remark(note)
    if far := beyond_measured(request.sampling, request.acting_strength, BY_STRENGTH_IN_TRANSFER):
        remark(far)
    with progress("giving the style") as step:
        report = transfers.run(pipeline, todo, request, options, step)
    for path in report.written:
        say(path)
    if report.written and (
        credit := outputs.missing_credit([path.suffix for path in report.written], credit_of(weights, model))
    ):
        remark(credit)
    for _, error in report.failed:
        remark(error if len(todo) > 1 else f"motifmix: {error}")
    if report.failed and len(todo) > 1:
        remark(f"{len(report.failed)} of {len(todo)} motions failed, the rest is done")
    if report.bug:
        sys.stderr.write(report.bug)
    if report.failed:
        raise typer.Exit(2)
