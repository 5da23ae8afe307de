"""``motifmix duet``: two people in one scene, and more."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from motifmix.apps.cli.style_options import StyleBy, StyleFrom
from motifmix.apps.cli.terminal import progress, remark, say

if TYPE_CHECKING:
    from motifmix.apps.duet import DuetRequest, Using
    from motifmix.motion import Scene
    from motifmix.pipelines.duet import Duet
    from motifmix.pipelines.styled_drafts import StyledReader
    from motifmix.pipelines.styled_scene import Draft

_KNOWN = "a person walks forward"  # styles are described beside a text, and this one has nothing said about it
_LONG = (
    "longer than the models saw: made in windows of 4 s that overlap, in each of which people do what is said anew; what has a "
    "beginning and an end is better joined from scenes of 4 s"
)
_SCHEDULE = (
    "there is no trained Mixer here: the shares follow DualMDM's schedule, the individual model first, then quickly the "
    "interaction model"
)


def duet(
    text: Annotated[str, typer.Argument(metavar="TEXT", help='What happens: "two people greet each other".')],
    person: Annotated[
        list[str] | None,
        typer.Option(help="What one of them does, in a sentence, or a recording of it (.bvh, .npz). Twice or more."),
    ] = None,
    pairs: Annotated[
        str | None,
        typer.Option(
            metavar="N-N,...|all",
            help="Who of three people and more interacts with whom: 1-2,2-3; by default person 1 with each other one.",
        ),
    ] = None,
    people: Annotated[int | None, typer.Option(help="How many people there shall be; checked.")] = None,
    style: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STYLE|N:STYLE",
            help="Everybody's style, or person N's: a word, a sentence, a motion file, ... as in generate. Repeatable.",
        ),
    ] = None,
    style_from: StyleFrom = "pose",
    style_by: StyleBy = "retrieval",
    strength: Annotated[float, typer.Option(help="How strongly styles act, 0 to 2.")] = 1.0,
    seconds: Annotated[
        float | None, typer.Option(help="Length, 1 to 12 (three people and more: to 4); by default 4.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same scene.")] = None,
    using: Annotated[
        str | None,
        typer.Option(
            help="mixed, interaction (the model of two people alone) or individual; by default mixed where both are there."
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps; 10 by default, 5 to 50 are of use.")] = None,
    drafts: Annotated[
        int | None,
        typer.Option(
            help="Scenes to begin, of which the one is kept that does most of what was said; 12 by default, fewer if long."
        ),
    ] = None,
    fps: Annotated[float, typer.Option(help="Frames a second in the files.")] = 30.0,
    raw: Annotated[bool, typer.Option("--raw", help="Leave out the clean-up of the feet.")] = False,
    keep_apart: Annotated[
        bool, typer.Option("--keep-apart/--no-keep-apart", help="Keep people out of each other while they are made.")
    ] = True,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Other models: a folder with interaction, individual and mixer in it."),
    ] = None,
    further: Annotated[
        list[Path] | None,
        typer.Option("--with", metavar="FOLDER", help="Mix this model in too, of two people or of one. Repeatable."),
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(help="Where to: .bvh, .glb, .npz, .mp4, .gif or .png. Repeatable; by default a .glb."),
    ] = None,
    one_file: Annotated[
        bool, typer.Option("--one-file", help="One .bvh with a root for each person; by default one file a person.")
    ] = False,
    interhuman: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Add the scene to a folder in InterHuman's layout.")
    ] = None,
    plot_weights: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw which model was believed, over steps, joints and frames.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    units: Annotated[str, typer.Option(help="Unit of .bvh files: m or cm.")] = "m",
) -> None:
    """Make a scene of two people or more from one text for all and one for each, each in a style if you like."""
    from motifmix.apps import duet as duets
    from motifmix.apps import outputs
    from motifmix.apps.requests import check_acts
    from motifmix.errors import RequestError

    request = duets.asked(
        text, person or (), style or (), strength=strength, seed=seed, fps=fps, raw=raw, style_from=style_from,
        style_by=style_by, people=people, pairs=pairs,
    )  # fmt: skip
    check_acts(request.people[0], request.people)  # what acts on styles is the same for all
    outputs.check_units(units)
    sampling = {"seconds": seconds, "seed": seed, "using": using, "steps": steps, "drafts": drafts, "weights": weights,
                "with": further, "no-keep-apart": None if keep_apart else True}  # fmt: skip
    if request.recordings:
        for name, value in {**sampling, "plot-weights": plot_weights}.items():
            if value is not None:
                raise RequestError(f"--{name} is for scenes that a model makes; these people are recordings")
    chosen = duets.checked_using(using)
    if plot_weights is not None and using not in (None, "mixed"):
        raise RequestError(f"--plot-weights draws how two models are mixed; --using {using} asks one alone")
    if further and using not in (None, "mixed"):
        raise RequestError(f"--with mixes another model in; --using {using} asks one alone")
    if pairs is not None and using == "individual":
        raise RequestError("--pairs says who interacts; the individual model knows nobody but one person")
    targets = list(out or ([] if interhuman else [Path(outputs.slug(request.text.lower(), 60) + ".glb")]))
    plan = duets.planned(request, targets, interhuman=interhuman, plot=plot_weights, one_file=one_file, force=force)

    draw: Callable[[Path], Any] | None = None
    if request.recordings:
        scene = _recorded(request)
    else:
        import motifmix

        models = motifmix.load_duet(weights, further or ())
        wanted = {"seconds": seconds, "steps": steps, "keep_apart": keep_apart, "drafts": drafts}
        scene, draw = _made(request, chosen, wanted, models, plot=plot_weights is not None)
    with progress("writing"):
        written = duets.write(plan, scene, request, draw, units=units, force=force)
    for path in written:
        say(path)
    credits_ = {str(own.labels["credit"]) for own in scene if own.labels.get("credit")}
    line = "; ".join(sorted(credits_)) or outputs.MADE_WITH
    if credit := outputs.missing_credit([path.suffix for path in written], line):
        remark(credit)


def _recorded(request: "DuetRequest") -> "Scene":
    from motifmix.apps import duet as duets

    scene = duets.recorded(request)
    if not request.styled:
        return scene
    import motifmix
    from motifmix.pipelines.duet import MOST_SECONDS, WINDOW
    from motifmix.pipelines.style_transfer import StyleTransfer
    from motifmix.pipelines.styled_drafts import StyledReader

    transfer = StyleTransfer(motifmix.load())
    notes = _notes(request, transfer)
    reader = StyledReader.load(WINDOW) if scene.people[0].seconds <= MOST_SECONDS else None  # each way takes its time
    return _restyled([(scene, ())], request, transfer, notes, reader)[0]


def _made(
    request: "DuetRequest",
    using: "Using | None",
    sampling: dict[str, Any],
    model: "Duet",
    *,
    plot: bool,
) -> "tuple[Scene, Callable[[Path], Any] | None]":
    """Let the models make a scene; returns it, and what draws the mixing weights where that is asked."""
    from motifmix.apps import duet as duets
    from motifmix.errors import RequestError
    from motifmix.pipelines.duet import WINDOW

    if using is None:
        using = "mixed" if model.individual is not None else "interaction"
        if using == "interaction":
            remark("there is no model of one person here: the interaction model is asked alone")
    if using == "mixed" and model.weigh is None and model.individual is not None:
        remark(_SCHEDULE)
    if plot and using != "mixed":
        raise RequestError("--plot-weights draws how two models are mixed; here is one alone")
    notes = (
        _notes(request, model.stylist) if request.styled else []
    )  # a style that cannot be read is said before the work
    (seed,) = request.people[0].seeds()
    chosen = {**sampling, "pairs": request.pairs}
    with progress("generating") as step:
        composed = model.compose(
            request.text, request.person_texts, seed=seed, using=using, clean_feet=not request.people[0].raw,
            progress=step, alternatives=request.styled, **{name: value for name, value in chosen.items() if value is not None},
        )  # fmt: skip
    if composed.scene.people[0].frames > WINDOW:
        remark(_LONG)
    if request.people[0].seed is None:
        same = f"--seed {seed}" + (f" --drafts {sampling['drafts']}" if sampling["drafts"] is not None else "")
        remark(f"seed {seed} ({same} makes the same again)")
    if not request.styled:
        return composed.scene, duets.plotted(composed, request.text)
    scene, number = _restyled(composed.drafts, request, model.stylist, notes, model.styled_reader(sampling["drafts"]))
    return scene, duets.plotted((composed, *composed.others)[number], request.text)


def _notes(request: "DuetRequest", transfer: Any) -> list[str]:
    """Read everybody's style; returns what there is to say about them."""
    said = (note for own in request.people if own.styles for note in transfer.model.describe(_KNOWN, own.style))
    return list(dict.fromkeys(said))


def _restyled(
    drafts: "Sequence[Draft]", request: "DuetRequest", transfer: Any, notes: list[str], reader: "StyledReader | None"
) -> "tuple[Scene, int]":
    from motifmix.apps import duet as duets

    for note in notes:
        remark(note)
    with progress("giving styles"):
        return duets.restyled(drafts, request, transfer, reader)
