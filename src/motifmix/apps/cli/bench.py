"""``motifmix bench``: seconds and memory of each stage on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from motifmix.apps.cli.terminal import progress, say


def bench(
    out: Annotated[Path | None, typer.Option(help="A .json file for the figures; an older one is replaced.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of which the median is taken.")] = 5,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor cores; by default what torch chooses.")] = None,
) -> None:
    """Measure seconds and peak memory of each stage: start, text, denoising, decoding, writing, training."""
    import json

    from motifmix.apps import latency, outputs

    if out is not None:
        outputs.make_folder(out.parent)
        outputs.check_targets([out], force=True, suffixes=(".json",))
    with progress("measuring") as step:
        report = latency.measure(repeats, threads, step)
    say(report.as_markdown())
    if out is not None:
        from motifmix.atomic import replacing

        with replacing(out, force=True) as beside:
            beside.write_text(json.dumps(report.as_json(), indent=1), encoding="utf-8")
