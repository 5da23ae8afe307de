"""``motifmix batch``: a table of texts in, a folder of motions out."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from motifmix.apps.cli.sampling_options import GENERATING, Weights, credit_of, own_model, samples
from motifmix.apps.cli.style_options import StyleBy, StyleFrom
from motifmix.apps.cli.terminal import progress, remark, say


@samples(GENERATING)
def batch(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="A CSV with a column text; others: style, seconds, seed, name, strength, steps, gamma, ...",
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder for the motions; it is made if need be.")],
    formats: Annotated[str, typer.Option("--format", help="npz, bvh, glb, mp4, gif; several with commas.")] = "npz",
    style_from: StyleFrom = "pose",
    style_by: StyleBy = "retrieval",
    strength: Annotated[float, typer.Option(help="How strongly styles act, 0 to 2.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Rows without a seed get one from this number and their name.")] = 0,
    fps: Annotated[float, typer.Option(help="Frames a second in the files.")] = 30.0,
    in_place: Annotated[bool, typer.Option("--in-place", help="Stay where the motion starts.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Leave out the clean-up of the feet.")] = False,
    weights: Weights = None,
    units: Annotated[str, typer.Option(help="Unit of .bvh files: m or cm.")] = "m",
    force: Annotated[bool, typer.Option("--force", help="Make all rows again and replace existing files.")] = False,
    *,
    sampling: dict[str, Any],
) -> None:
    """Make one motion for each row of a table; run it again to go on after an interruption.

    What a row says goes before an option that says the same for all rows. In the column style several styles stand with
    | between them, each with an optional :weight.
    """
    from motifmix.apps import batch as batches
    from motifmix.apps import outputs
    from motifmix.apps.requests import check_acts, checked

    # Options that hold for all rows are checked once, as a request of their own, before the table is read.
    for_all = checked(
        text="a table", sampling=sampling, strength=strength, seed=seed, fps=fps, style_from=style_from, style_by=style_by,
    )  # fmt: skip
    outputs.check_units(units)
    options = batches.Options(
        formats=batches.parse_formats(formats, outputs.writable_suffixes()),
        fps=fps, strength=strength, in_place=in_place, raw=raw, units=units, seed=seed, force=force,
        style_from=style_from, style_by=style_by, sampling=for_all.sampling,
    )  # fmt: skip
    with progress("rows read") as step:
        rows = batches.read_table(table, options, step)
    for line in rows.remarks:
        remark(line)
    own = [row.request for row in rows.rows if row.request is not None]
    if len(own) == len(rows.rows):  # a row that cannot be met may have meant a style; it is reported as such
        check_acts(for_all, own, f"no row of {table} has one in a column style")

    try:
        with progress("motions") as step:
            step(0, len(rows.rows))  # what there is to do stands there while the weights are read
            pipeline = own_model(weights, "a table is read for")
            outputs.make_folder(out)  # not before: without weights nothing is to be left behind
            report = batches.run(pipeline, rows.rows, out, options, step, lambda said: remark(f"{table} {said}"))
    except KeyboardInterrupt:
        remark("interrupted; run the same command again to go on where it stopped")
        raise
    say(f"{out}: {report.made} made, {report.kept} kept from before, {len(report.failed)} failed")
    if report.made and (credit := outputs.missing_credit(options.formats, credit_of(weights, pipeline))):
        remark(credit)
    if not report.failed:
        return
    for row, error in report.failed[:5]:
        remark(f"{table} line {row.line}: {error}")
    remark(f"{len(report.failed)} of {len(rows.rows)} rows failed; {out / batches.ERRORS} lists them, the rest is done")
    if report.bug:
        sys.stderr.write(report.bug)
    raise typer.Exit(2)
