"""What ``motifmix duet`` does around its models: who is asked for what, where it goes to, and writing all of it at once.

Two people and more are described in sentences; or they are recordings, which are put into one scene as they are. All targets
are written beside their places first and renamed together, so a command that fails leaves none of them.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from motifmix.apps import outputs
from motifmix.apps.requests import MOTION_FILES, GenerateRequest, checked, one_line
from motifmix.apps.transfer import read_content
from motifmix.atomic import replacing
from motifmix.credits import MADE_WITH
from motifmix.errors import FileError, RequestError

if TYPE_CHECKING:
    from motifmix.motion import Scene
    from motifmix.pipelines.duet import Composed
    from motifmix.pipelines.style_transfer import StyleTransfer
    from motifmix.pipelines.styled_drafts import StyledReader
    from motifmix.pipelines.styled_scene import Draft

PEOPLE = 2
EVERYBODY = "all"
PICTURE = ".png"
Using = Literal["mixed", "interaction", "individual"]
_PAIR = re.compile(r"^\s*(\d+)\s*-\s*(\d+)\s*$")
_OWN_STYLE = re.compile(r"^\s*(?P<person>-?\d+)\s*:\s*(?P<style>.*)$", re.S)


@dataclass(frozen=True)
class DuetRequest:
    """One sentence for the scene and one request a person (own text, own styles), or the ``recordings`` of people.

    ``pairs``: who interacts, persons counted from 0, where that is said.
    """

    text: str
    people: tuple[GenerateRequest, ...]
    recordings: tuple[Path, ...] = ()
    pairs: tuple[tuple[int, int], ...] | None = None

    @property
    def person_texts(self) -> list[str]:
        """A sentence a person; of recordings that of the scene."""
        return [person.text for person in self.people]

    @property
    def styled(self) -> bool:
        """Whether anybody has a style."""
        return any(person.styles for person in self.people)


@dataclass(frozen=True)
class Target:
    """A file to come; ``person``: whose, None for everybody's. ``always``: it may be there already and is replaced."""

    path: Path
    person: int | None = None
    always: bool = False


@dataclass(frozen=True)
class Plan:
    """All files to come: the ``scene``'s, those of InterHuman's layout, and the picture of the mixing weights."""

    scene: tuple[Target, ...]
    interhuman: Path | None = None
    name: str = ""
    plot: Path | None = None

    @property
    def layout(self) -> list[Target]:
        """The files in InterHuman's layout, its list last."""
        from motifmix.data.interhuman_export import LIST, pair_paths

        if self.interhuman is None:
            return []
        own = [Target(self.interhuman / path) for path in pair_paths(self.name)]
        return [*own, Target(self.interhuman / LIST, always=True)]


def asked(
    text: str,
    persons: Sequence[str],
    styles: Sequence[str],
    *,
    people: int | None = None,
    pairs: str | None = None,
    **shared: Any,
) -> DuetRequest:
    """Read what a person typed; ``shared`` are fields of all people's requests.

    Raises ``RequestError`` for fewer people than two or too many sentences, for another number of ``people`` than are
    described, for ``pairs`` that cannot be, an empty caption, a style of nobody, and whatever a single request cannot have,
    ``FileError`` for a recording that is not there. What ``text`` says of how many there are is not counted.
    """
    said = checked(text=text, **shared).text
    recordings = [Path(person) for person in persons if Path(person).suffix.lower() in MOTION_FILES]
    _check_count(len(persons), people)
    if len(persons) > PEOPLE and len(recordings) < len(persons):
        from motifmix.pipelines.group_scene import MOST_PEOPLE

        if len(persons) > MOST_PEOPLE:
            raise RequestError(f"a scene has at most {MOST_PEOPLE} people, and --person was given {len(persons)} times")
    for number, person in enumerate(persons, start=1):
        if not one_line(person):
            raise RequestError(f"--person number {number} is empty; say what this person does")
    for path in recordings:
        if not path.exists():  # what else than a file it may be is said where it is read
            raise FileError(f"{path}: there is no such file")
    if 0 < len(recordings) < len(persons):
        raise RequestError(
            f"{recordings[0]} is a recording and another person is a sentence; give sentences only or recordings only"
        )
    if recordings and pairs is not None:
        raise RequestError("--pairs is for scenes that a model makes; these people are recordings")
    own_styles = styles_of(styles, len(persons))
    requests = [
        checked(own, text=said if recordings else person, **shared)
        for person, own in zip(persons, own_styles, strict=True)
    ]
    met = None if pairs is None else pairs_of(pairs, len(persons))
    return DuetRequest(said, tuple(requests), tuple(recordings), met)


def _check_count(described: int, people: int | None) -> None:
    """Raise ``RequestError`` where more or fewer people are described than there shall be."""
    times = {1: "once", 2: "twice"}.get(described, f"{described} times")
    if people is not None and people != described:
        raise RequestError(
            f"--people {people}, and --person was given {times}: give it once for each person, or leave --people out"
        )
    if described < PEOPLE:
        raise RequestError(
            "a scene has two people or more, and --person says what one of them does: give it twice at least, not "
            f"{described} times"
        )


def pairs_of(given: str, people: int) -> tuple[tuple[int, int], ...]:
    """Read ``1-2,2-3`` (persons from 1) or ``all``; persons count from 0 in the result.

    Raises ``RequestError`` for anything else, and for pairs that these people cannot make.
    """
    from motifmix.pipelines.group_scene import checked_pairs

    if given.strip().lower() == EVERYBODY:
        return tuple(combinations(range(people), 2))
    found = []
    for word in given.split(","):
        match = _PAIR.match(word)
        if match is None:
            raise RequestError(f"--pairs takes who interacts with whom, such as 1-2,2-3, or all; {given!r} was asked")
        found.append((int(match[1]) - 1, int(match[2]) - 1))
    return checked_pairs(found, people)


def styles_of(given: Sequence[str], people: int) -> list[list[str]]:
    """Sort ``STYLE`` (everybody's) and ``N:STYLE`` (person N's, from 1) by person; own styles replace everybody's.

    Raises ``RequestError`` for a person who does not exist.
    """
    everybody: list[str] = []
    own: list[list[str]] = [[] for _ in range(people)]
    for style in given:
        match = _OWN_STYLE.match(style)
        if match is None:
            everybody.append(style)
            continue
        number = int(match["person"])
        if not 1 <= number <= people:
            raise RequestError(
                f"--style {style!r} is for person {number}, who does not exist; this scene has persons 1 to {people}"
            )
        own[number - 1].append(match["style"])
    return [each or list(everybody) for each in own]


def checked_using(using: str | None) -> Using | None:
    """Read ``--using``; raises ``RequestError`` for another word."""
    for known in get_args(Using):
        if using == known:
            return known
    if using is not None:
        raise RequestError(f"--using takes {', '.join(get_args(Using))}; {using!r} was asked")
    return None


def planned(
    request: DuetRequest,
    out: Sequence[Path],
    *,
    interhuman: Path | None,
    plot: Path | None,
    one_file: bool,
    force: bool,
) -> Plan:
    """Say which files there will be and check all of them. Raises ``FileError`` or ``RequestError``, touching nothing."""
    if one_file and all(path.suffix.lower() != ".bvh" for path in out):
        raise RequestError("--one-file is for .bvh files, and none is asked for; all others hold everybody anyway")
    scene: list[Target] = []
    for path in out:
        if path.suffix.lower() == ".bvh" and not one_file:
            scene += [Target(own, number) for number, own in enumerate(outputs.takes(path, len(request.people)))]
        else:
            scene.append(Target(path))
    pictures = [] if plot is None else [plot]
    if plot is not None and plot.suffix.lower() != PICTURE:
        raise FileError(f"{plot}: --plot-weights draws a {PICTURE}")
    paths = [*(target.path for target in scene), *pictures]
    outputs.check_targets(paths, force=force, suffixes=(*outputs.writable_suffixes(), PICTURE))
    for source in request.recordings:
        outputs.check_is_other(source, paths)
    plan = Plan(tuple(scene), interhuman, outputs.slug(request.text.lower(), 60), plot)
    if interhuman is not None and len(request.people) != PEOPLE:
        raise RequestError(
            f"InterHuman's layout holds two people, this scene has {len(request.people)}; leave --interhuman out"
        )
    if interhuman is not None and interhuman.exists() and not interhuman.is_dir():
        raise FileError(f"{interhuman}: is a file; --interhuman names a folder")
    for target in plan.layout:
        if target.path.exists() and not (force or target.always):
            raise FileError(f"{target.path}: exists already and is kept; choose another folder or add --force")
    return plan


def recorded(request: DuetRequest) -> "Scene":
    """Put the recordings of a request into one scene, where and when they were. Raises ``FileError`` or ``RequestError``."""
    from motifmix.motion import Scene

    people = [read_content(path) for path in request.recordings]
    fps = max(person.fps for person in people)
    people = [person.resampled(fps) for person in people]
    lengths = {path: person.frames for path, person in zip(request.recordings, people, strict=True)}
    short, long = min(lengths, key=lambda path: lengths[path]), max(lengths, key=lambda path: lengths[path])
    least, most = lengths[short], lengths[long]
    if least < 2:
        raise RequestError(f"{short} has {least} frame, which is a pose; give a recording of a motion")
    if most != least:
        raise RequestError(
            f"{short} lasts {least / fps:.2f} s and {long} {most / fps:.2f} s; people of one scene move for the same "
            "time, cut the longer one"
        )
    return Scene(tuple(person.with_labels(interaction=request.text) for person in people))


def restyled(
    drafts: "Sequence[Draft]", request: DuetRequest, transfer: "StyleTransfer", reader: "StyledReader | None" = None
) -> tuple["Scene", int]:
    """Give each person the style that was asked for him; of several ways to do it, and of ``drafts``, ``reader`` chooses.

    Returns the scene, and of which draft it is.
    """
    from motifmix.motion import Scene
    from motifmix.pipelines.styled_scene import styled_draft

    strengths = [person.acting_strength for person in request.people]
    raw = request.people[0].raw
    styles = [own.style for own in request.people]
    styled, number = styled_draft(
        transfer, drafts, styles, strengths, request.person_texts, text=request.text, pairs=request.pairs, reader=reader,
        clean_feet=not raw,
    )  # fmt: skip
    people = (
        person.with_labels(style=own.style_label) if own.styles else person
        for person, own in zip(styled, request.people, strict=True)
    )
    return Scene(tuple(people)), number


def write(
    plan: Plan, scene: "Scene", request: DuetRequest, draw: Callable[[Path], Any] | None, *, units: str, force: bool
) -> list[Path]:
    """Write everything that was planned, or nothing; returns the files. Raises ``FileError``.

    ``draw`` draws the picture of the mixing weights.
    """
    from motifmix.motion import Scene

    fps = request.people[0].fps
    scene = Scene(
        tuple(person.resampled(fps).with_labels(**{"credit": MADE_WITH, **person.labels}) for person in scene)
    )
    jobs: list[tuple[Target, Callable[[Path], Any]]] = [
        (target, _writer(target, scene, request.text, units)) for target in plan.scene
    ]
    if plan.plot is not None and draw is not None:
        jobs.append((Target(plan.plot), draw))
    jobs += zip(plan.layout, _layout_writers(plan, scene, request), strict=True)
    for target in plan.layout:
        outputs.make_folder(target.path.parent)
    with ExitStack() as stack:
        for target, put in jobs:
            put(stack.enter_context(replacing(target.path, force=force or target.always)))
    return [target.path for target, _ in jobs]


def _writer(target: Target, scene: "Scene", title: str, units: str) -> Callable[[Path], Any]:
    from motifmix.motion import Scene

    shown = scene if target.person is None else Scene((scene.people[target.person],))

    def put(path: Path) -> None:
        if path.suffix.lower() == PICTURE:
            from motifmix.drawing.strips import strip

            strip(shown, path, title=title)
        else:
            outputs.save(path, shown, units=units, force=True)

    return put


def _layout_writers(plan: Plan, scene: "Scene", request: DuetRequest) -> list[Callable[[Path], Any]]:
    if plan.interhuman is None:
        return []
    from motifmix.data.interhuman_export import pair_contents, with_name
    from motifmix.features.interhuman import stored_person
    from motifmix.motion import MOTIFMIX
    from motifmix.motion.retargeting import retarget

    stored = [stored_person(p if p.skeleton.same_as(MOTIFMIX) else retarget(p)[0]) for p in scene]
    listed = with_name(plan.interhuman, plan.name).encode()
    contents = [*pair_contents(stored, [request.text], [[text] for text in request.person_texts]), listed]
    return [lambda path, content=content: path.write_bytes(content) for content in contents]


def plotted(composed: "Composed", text: str) -> Callable[[Path], Any] | None:
    """Return what draws the individual model's share over the sampling, or of more than two models each one's."""
    weights, steps, shares = composed.weights, composed.steps, composed.shares
    if weights is None:
        return None

    def draw(path: Path) -> None:
        from motifmix.drawing.mixing_weights import draw_mixing_weights, draw_shares

        if composed.further:
            draw_shares(shares, path, steps=steps, title=text)
        else:
            draw_mixing_weights(weights, path, steps=steps, title=f"share of the individual model: {text}")

    return draw
