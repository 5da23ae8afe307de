"""What ``motifmix convert`` does with a scene between reading and writing, and what it says about it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from motifmix.apps.requests import MAX_FPS, MIN_FPS
from motifmix.errors import MotifmixError, RequestError

if TYPE_CHECKING:
    from motifmix.motion import Motion, Scene

SKELETONS = ("source", "motifmix", "cmu", "bandai", "mixamo")


def check_skeleton(skeleton: str | None, targets: Sequence[Path]) -> None:
    """Make sure that ``skeleton`` is known and that a target can hold it; raises ``RequestError``."""
    if skeleton is None:
        return
    if skeleton not in SKELETONS:
        raise RequestError(f"--skeleton takes {', '.join(SKELETONS)}; {skeleton!r} was asked")
    others = [path for path in targets if path.suffix.lower() != ".bvh"]
    if others and skeleton != "motifmix":
        raise RequestError(
            f"{others[0]}: only .bvh files hold another skeleton than motifmix's; leave --skeleton out for it"
        )


def wanted_fps(words: str) -> float | None:
    """Read ``--fps``: a number, or ``source`` for the file's own rate (``None``). Raises ``RequestError``."""
    if words.strip().lower() == "source":
        return None
    try:
        fps = float(words)
    except ValueError:
        fps = 0.0
    if not MIN_FPS <= fps <= MAX_FPS:
        raise RequestError(f"--fps goes from {MIN_FPS:g} to {MAX_FPS:g}, or is the word source; {words!r} was asked")
    return fps


def described(source: Path, scene: "Scene", fps: float | None) -> Iterator[str]:
    """Say what a file holds, what was taken for its up axis and unit, and what else its reader noticed."""
    person = scene.people[0]
    taken = person.labels.get("source")
    taken = taken if isinstance(taken, dict) else {}
    people = f"{len(scene)} people, " if len(scene) > 1 else ""
    facts = f"{source}: {people}{len(person.skeleton)} joints, {person.frames} frames at {person.fps:g} fps"
    if "up" in taken:
        facts += f"; taken as {str(taken['up']).upper()} up"
        facts += f", lengths in {taken['units']}" if taken.get("units") else ""
        facts += " (--up and --units overrule)"
    yield facts
    yield from (f"{source}: {warning}" for warning in taken.get("warnings", ()))
    if fps is not None and abs(fps - person.fps) > 1e-6:
        yield f"{source}: resampled from {person.fps:g} to {fps:g} fps (--fps source keeps every frame)"


def carried(
    scene: "Scene", source: Path, target: Path, *, skeleton: str | None, fps: float | None, ground: bool
) -> "Scene":
    """Bring every person of a scene to the skeleton, the frame rate and the floor that were asked for.

    A ``.bvh`` keeps its source's skeleton unless told otherwise; all other formats are on motifmix's own. Raises
    ``RequestError`` when that cannot be.
    """
    from motifmix.motion import Scene

    name = skeleton or ("source" if target.suffix.lower() == ".bvh" else "motifmix")
    try:
        return Scene(tuple(_carried(person, name, fps, ground) for person in scene))
    except ValueError as error:
        raise RequestError(f"{source}: {error}") from None


def check_people(source: Path, scene: "Scene", skeleton: str | None) -> None:
    """Make sure that a file holds people; what does not is copied only where ``--skeleton source`` asks for it."""
    from motifmix.motion.anatomy import require_person

    if skeleton == "source":
        return
    for person in scene:
        try:
            require_person(person.skeleton, str(source))
        except (MotifmixError, ValueError) as error:
            raise RequestError(f"{error}; --skeleton source writes it to a .bvh as it is") from None


def _carried(person: "Motion", skeleton: str, fps: float | None, ground: bool) -> "Motion":
    from motifmix.motion.retargeting import retarget
    from motifmix.motion.rigs import RIGS

    if skeleton != "source" and not person.skeleton.same_as(RIGS[skeleton]):
        person, _ = retarget(person, RIGS[skeleton])
    if ground:
        person = person.grounded()
    return person if fps is None else person.resampled(fps)
