"""``motifmix styles``: what weights know."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from motifmix.apps.cli.sampling_options import Weights, own_model
from motifmix.apps.cli.terminal import escaped, progress, say

if TYPE_CHECKING:
    from motifmix.style.adopted import Adopted

SECONDS = 4.0  # of each style in the film


def styles(
    out: Annotated[Path | None, typer.Option(help="A .mp4 in which each style walks.")] = None,
    text: Annotated[str, typer.Option(help="What is done in each style, with --out.")] = "a person walks forward",
    seed: Annotated[int, typer.Option(help="The same seed gives the same film.")] = 1,
    weights: Weights = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """List the known styles and contents with their clips and synonyms, and the styles that you adopted."""
    from motifmix.apps import outputs
    from motifmix.apps.requests import checked

    request = checked(text=text, seed=seed)
    if out is not None:
        outputs.check_targets([out], force=force, suffixes=(".mp4",))

    from motifmix.style.adopted import all_adopted

    pipeline = own_model(weights, "styles are listed of")
    for title, entries in (("style", pipeline.styles), ("content", pipeline.contents)):
        width = max(len(title), *(len(entry.name) for entry in entries))
        say(f"{title:<{width}}  clips  also")
        for entry in entries:
            say(f"{entry.name:<{width}}  {entry.clips:>5}  {', '.join(entry.synonyms)}")
        say("")
    for own in all_adopted():
        extra = own.card.extra
        clips = "1 clip" if extra.get("clips") == 1 else f"{extra.get('clips')} clips"
        line = f"{own.name}: adopted from {clips} ({extra.get('seconds')} s), {own.folder}{_trouble(own, pipeline)}"
        say(escaped(line))  # the card may be a stranger's
    if out is None:
        return
    from motifmix.apps.gallery import write_gallery

    names = [entry.name for entry in pipeline.styles]
    with progress("generating") as step:
        motions = pipeline.generate(
            [request.text] * len(names),
            names,
            SECONDS,
            [seed] * len(names),
            strength=1.0,
            clean_feet=True,
            progress=step,
        )
    with progress(f"drawing {out.name}") as step:
        write_gallery(out, motions, names, force=force, progress=step)
    say(out)


def _trouble(own: "Adopted", pipeline: Any) -> str:
    """Return what keeps an adopted style from being used, to stand behind its line."""
    from motifmix.errors import RequestError, WeightsError
    from motifmix.style import adopted

    try:
        adopted.load(own.folder, getattr(pipeline, "denoiser_checksum", ""), getattr(pipeline, "adopted_shape", None))
    except RequestError:
        return "; for other weights than these"
    except WeightsError:
        return "; damaged, adopt it again"
    return ""
