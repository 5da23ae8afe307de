"""``motifmix adopt``: a style of one's own from one clip or a few."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from motifmix.apps.cli.sampling_options import Weights, own_model
from motifmix.apps.cli.terminal import progress, remark, say

if TYPE_CHECKING:
    from motifmix.motion import Motion

LEAST_SECONDS = 1.0  # of a clip


def adopt(
    clips: Annotated[
        list[Path], typer.Argument(metavar="CLIP...", help="Motions or videos of a person, or folders/ of them.")
    ],
    name: Annotated[str, typer.Option(help="What --style will call it: letters, digits, - and _.")],
    text: Annotated[
        list[str] | None,
        typer.Option(help="What happens in the clips (not how): once for all, or once a clip. It helps."),
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps of learning.")] = 300,
    seed: Annotated[int, typer.Option(help="The same seed learns the same style.")] = 0,
    weights: Weights = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Another place; --style FOLDER/NAME/ finds it there, --style NAME does not."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a style of this name.")] = False,
) -> None:
    """Learn a style from clips of your own; afterwards --style NAME works wherever a style is named."""
    from motifmix.data.labels import find_style
    from motifmix.errors import RequestError
    from motifmix.style import adopted

    plain = adopted.check_name(name)
    if (known := find_style(plain.replace("_", " "))) is not None:
        raise RequestError(f"{plain!r} is a name of the style {known!r}, which is known already; take another --name")
    if not 1 <= steps <= 10_000:
        raise RequestError(f"--steps goes from 1 to 10000; {steps} was asked (300 suit)")
    place = adopted.place_for(plain, out, force=force)
    motions = [motion for path in clips for motion in _motions(path)]
    texts = _texts(text or [], len(motions))

    from motifmix.style.references import notes
    from motifmix.training.adoption import AdoptOptions, keep
    from motifmix.training.adoption import adopt as learn

    model = own_model(weights, "styles are adopted for")
    if any(plain == word.casefold() for own in model.styles for word in (own.name, *own.synonyms)):
        raise RequestError(f"{plain!r} is a style that these weights know; take another --name")
    for note in (note for path in clips for note in notes(path)):
        remark(note)
    with progress("learning") as step:
        style = learn(model, motions, texts, AdoptOptions(steps=steps, seed=seed), step)
    keep(place, model, style, motions, texts, force=force)
    say(place)
    how = plain if out is None else f"{place}/"
    remark(f'--style {how} works now, as in: motifmix generate "a person walks forward" --style {how}')


def _motions(path: Path) -> "list[Motion]":
    """Read clips as styles are read: people only, long enough, on the motifmix skeleton."""
    from motifmix.errors import FileError, RequestError
    from motifmix.style.references import resolve

    if not path.exists():
        raise FileError(f"{path} does not exist; check the path")
    found = [part.motion for part in resolve(path)]
    motions = [motion for motion in found if motion is not None]
    if len(motions) < len(found) or not motions:
        raise RequestError(f"{path}: a style is adopted from motions (.bvh, .npz) and videos of a person")
    short = next((motion for motion in motions if motion.seconds < LEAST_SECONDS), None)
    if short is not None:
        raise RequestError(
            f"{path}: {short.seconds:.2g} s are too short to learn a style from; give {LEAST_SECONDS:g} s or more, "
            "best some seconds of walking"
        )
    return motions


def _texts(texts: list[str], count: int) -> list[str | None]:
    from motifmix.apps.requests import checked
    from motifmix.errors import RequestError

    if len(texts) not in (0, 1, count):
        raise RequestError(f"{len(texts)} texts were given for {count} clips; give one for all, or one a clip")
    said = [checked(text=text).text for text in texts]
    return list(said) if len(said) == count else [said[0] if said else None] * count
