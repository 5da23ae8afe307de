"""One way in for all weights: our own, and published ones that were converted."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from motifmix.errors import WeightsError
from motifmix.home import PACKAGE_WEIGHTS, home
from motifmix.pretrained.converted import MODEL_CARD, load_model

if TYPE_CHECKING:
    from motifmix.pipelines.duet import Duet
    from motifmix.pipelines.text_to_motion import TextToMotion

DUET_ROLES = ("interaction", "individual", "mixer")


@overload
def load(weights: None = None) -> "TextToMotion": ...
@overload
def load(weights: Path | str) -> Any: ...
def load(weights: Path | str | None = None) -> Any:
    """Load the default model, or what lies in the folder ``weights``.

    Our own parts give a ``TextToMotion``; a folder that ``motifmix models convert`` wrote gives its
    ``PublishedNetworks``: networks by part, statistics, and the card with licence and schedule; where it is a model that
    makes motions, with a ``generate`` of its own (``pipelines.published``). Raises ``WeightsError``.
    """
    if weights is not None and (Path(weights) / MODEL_CARD).exists():
        from motifmix.pipelines.published import at_work

        return at_work(load_model(Path(weights)))
    from motifmix.pipelines.text_to_motion import TextToMotion

    return TextToMotion(weights)


def load_duet(weights: Path | str | None = None, further: Sequence[Path | str] = ()) -> "Duet":
    """Load what makes scenes of two people: an interaction model, and an individual one and a Mixer where they are.

    ``weights``: a folder with the folders ``interaction``, ``individual`` and ``mixer`` in it. By default they are those
    that come with the package or, where it has none, ``weights-duets-interaction``, ``-individual`` and ``-mixer`` below
    ``MOTIFMIX_HOME``. Without a Mixer a mixture takes DualMDM's schedule. ``further``: folders of models of one person or of
    two that are mixed in as well, each called as its folder. Raises ``WeightsError``.
    """
    from motifmix.mix.schedules import Exponential
    from motifmix.mix.weights import Divided
    from motifmix.pipelines.duet import Duet, DuetModel
    from motifmix.pipelines.duet_mixer import load_duet_mixer

    folders = _duet_folders(weights)
    individual = DuetModel.load(folders["individual"]) if _holds(folders["individual"], "denoiser") else None
    mixer = load_duet_mixer(folders["mixer"]) if _holds(folders["mixer"], "mixer") else None
    more = {_called(Path(folder)): DuetModel.load(folder) for folder in further}
    if len({"interaction", "individual", *more}) < 2 + len(further):
        raise WeightsError(
            f"{', '.join(map(str, further))}: two of the models to be mixed have one name; rename a folder"
        )
    if more and individual is None:
        raise WeightsError(f"there is no individual model in {folders['individual']} to mix with; train it first")
    # Of one kind all have equal parts; between the two it is the published schedule.
    schedule = Divided(Exponential(), (False, *(model.in_pairs for model in more.values())))
    interaction = DuetModel.load(folders["interaction"])
    if mixer is None:
        return Duet(interaction, individual, override=schedule, further=more)
    return Duet(interaction, individual, mixer.weigh, further=more, led=mixer.led)


def _called(folder: Path) -> str:
    """Return how a model is called: as its folder, without what all folders of duets begin with."""
    return folder.resolve().name.removeprefix("weights-duets-")


def _duet_folders(weights: Path | str | None) -> dict[str, Path]:
    """Return the folder of each role. Raises ``WeightsError`` where there is no interaction model."""
    named = Path(PACKAGE_WEIGHTS if weights is None else weights)
    shipped = {role: (named / "duet" if weights is None else named) / role for role in DUET_ROLES}
    if _holds(shipped["interaction"], "denoiser"):
        return shipped
    if weights is not None:
        raise WeightsError(
            f"{named}: holds no folder 'interaction' with the model of two people; name a folder with interaction, "
            "individual and mixer in it"
        )
    trained = {role: home() / f"weights-duets-{role}" for role in DUET_ROLES}
    if _holds(trained["interaction"], "denoiser"):
        return trained
    raise WeightsError(
        f"the model of two people is not here, neither with the package nor as {trained['interaction']}; train it: "
        "motifmix train recipes/duets/interaction.yaml"
    )


def _holds(folder: Path, part: str) -> bool:
    return (folder / f"{part}.yaml").exists()
