"""A user study as the MixerMDM paper asks it: a static page of clips side by side, blind and shuffled, and its tally.

The page is a folder that needs nothing but a browser: ``index.html`` and the clips under names that tell nothing. Which
method made which clip stands in a key beside the folder, which participants never get. Answers are files that people send
back, so a tally trusts none of them.
"""

import html
import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from motifmix.atomic import replacing
from motifmix.errors import FileError, RequestError
from motifmix.evaluation.metrics import Interval
from motifmix.files import read, write

Kind = Literal["interaction", "individual"]
KINDS: tuple[Kind, ...] = ("interaction", "individual")
PROMPTS = "prompts.json"
LARGEST_ANSWERS = 2**20  # bytes
_MARK = "<body data-study="  # of the page's template
MOST_METHODS = 9  # ranks that one key chooses
RESAMPLED = 1000
Model = TypeVar("Model", bound=BaseModel)
_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)


class Prompt(BaseModel):
    """What a clip should show: a sentence for both people, and one for each."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(min_length=1)
    people: list[str]


class Question(BaseModel):
    """A prompt with the names of its clips; ``methods`` says which method each is of."""

    model_config = _STRICT

    id: str
    clip: str
    methods: dict[str, str]


class Key(BaseModel):
    """What participants are not told."""

    model_config = _STRICT

    study: str
    questions: list[Question]


class Answer(BaseModel):
    """The ranks (1 is best) that one participant gave the clips of a question."""

    model_config = _STRICT

    question: str = Field(max_length=64)
    kind: Kind
    ranks: dict[str, int]


class Answers(BaseModel):
    """The file that the page lets a participant download."""

    model_config = _STRICT

    study: str = Field(max_length=64)
    participant: str = Field(min_length=8, max_length=64, pattern="^[0-9a-zA-Z-]+$")
    answers: list[Answer] = Field(max_length=10_000)


@dataclass(frozen=True)
class Tally:
    """Of every kind of question and method the ``mean_rank`` and the share of ``first_places``, with 95 % intervals."""

    participants: int
    answers: int
    mean_rank: Mapping[str, Mapping[str, Interval]]
    first_places: Mapping[str, Mapping[str, Interval]]


def make_study(
    folders: Sequence[Path], out: Path, *, seed: int | None = None, force: bool = False
) -> tuple[Path, Path]:
    """Write the page of a study into the folder ``out`` and the key beside it; returns ``index.html`` and the key.

    Every folder holds one method's clips, ``NAME.mp4`` or a scene ``NAME.npz`` that is drawn, the same names in all.
    Sentences come from ``prompts.json`` of the first folder (``{NAME: {"text": …, "people": […]}}``), or from the labels of
    its scenes. The key names methods by their folders. Raises ``RequestError`` where folders do not fit together,
    ``FileError`` where something stands there already (unless ``force``).
    """
    folders, out = [Path(folder) for folder in folders], Path(out)
    key_path = out.with_name(f"{out.name}.key.json")
    names = _methods(folders)
    clips = _clips(folders)
    prompts = _prompts(folders[0], clips)
    for path in (out, key_path):
        if path.exists() and not force:
            raise FileError(f"{path} exists and is kept; choose another name, or --force to replace it")
    if out.exists() and not _is_study(out):
        raise FileError(f"{out} is no study that could be replaced, or holds something else too; choose another folder")
    rng = np.random.default_rng(seed)
    study = secrets.token_hex(8) if seed is None else f"{int(rng.integers(2**62)):016x}"
    beside = out.with_name(f".{out.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        (beside / "clips").mkdir(parents=True)
        questions = []
        for number in rng.permutation(len(clips)).tolist():
            tokens: dict[str, str] = {}
            for place in rng.permutation(len(folders)).tolist():
                token = f"{int(rng.integers(2**62)):016x}"
                _show(folders[place], clips[number], beside / "clips" / f"{token}.mp4")
                tokens[token] = names[place]
            questions.append(Question(id=f"q{len(questions) + 1}", clip=clips[number], methods=tokens))
        (beside / "index.html").write_text(_page(study, questions, prompts), "utf-8")
        shutil.rmtree(out, ignore_errors=True)
        beside.rename(out)
    except OSError as error:
        raise FileError(f"{out} cannot be written: {error.strerror or error}; choose another folder") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    with replacing(key_path, force=True) as path:
        path.write_text(Key(study=study, questions=questions).model_dump_json(indent=1) + "\n", "utf-8")
    return out / "index.html", key_path


def tally(key: Path, answers: Sequence[Path], *, seed: int = 0) -> Tally:
    """Count the answer files of a study. Intervals: bootstrap over participants, and over each one's answers.

    Raises ``FileError`` for files that cannot be read, ``RequestError`` for a file that is no sound set of answers to this
    study, or a participant who comes twice. Nothing of a refused file counts.
    """
    known = _read(key, Key, "the key of a study")
    if not answers:
        raise RequestError("no file of answers is given; name those that participants sent back")
    by_question = {question.id: question for question in known.questions}
    rows: list[list[tuple[Kind, dict[str, int]]]] = []
    seen: dict[str, Path] = {}
    for path in answers:
        given = _read(path, Answers, "a file of answers")
        _check(path, given, known, by_question)
        if given.participant in seen:
            raise RequestError(
                f"{path}: holds the participant of {seen[given.participant]} again; leave one of them out"
            )
        seen[given.participant] = path
        rows.append(
            [
                (one.kind, {by_question[one.question].methods[token]: rank for token, rank in one.ranks.items()})
                for one in given.answers
            ]
        )
    methods = list(dict.fromkeys(name for question in known.questions for name in sorted(question.methods.values())))
    rng = np.random.default_rng(seed)
    ranks: dict[str, dict[str, Interval]] = {}
    firsts: dict[str, dict[str, Interval]] = {}
    for kind in KINDS:
        people = [
            np.array([[own[name] for name in methods] for which, own in person if which == kind]) for person in rows
        ]
        people = [person for person in people if len(person)]
        if people:
            ranks[kind] = _intervals(methods, people, rng)
            firsts[kind] = _intervals(methods, [(person == 1).astype(float) for person in people], rng)
    return Tally(len(rows), sum(map(len, rows)), ranks, firsts)


def as_markdown(counted: Tally) -> str:
    """Return the table of a tally."""
    lines = [
        f"{counted.participants} participants, {counted.answers} answers; 95 % intervals by a bootstrap over participants "
        "and over the answers of each.", "",
    ]  # fmt: skip
    for kind in counted.mean_rank:
        lines += [f"Which fits the {kind} best:", "", "| method | mean rank ↓ | first places ↑ |", "|---|---|---|"]
        for name, rank in sorted(counted.mean_rank[kind].items(), key=lambda row: row[1].mean):
            first = counted.first_places[kind][name]
            lines.append(
                f"| {name} | {rank.mean:.2f} ± {rank.half_width:.2f} | {100 * first.mean:.1f} % ± {100 * first.half_width:.1f} % |"
            )
        lines.append("")
    return "\n".join(lines)


def as_json(counted: Tally) -> str:
    """Return the numbers of a tally."""

    def plain(table: Mapping[str, Mapping[str, Interval]]) -> dict[str, dict[str, list[float]]]:
        return {kind: {name: [v.mean, v.half_width] for name, v in own.items()} for kind, own in table.items()}

    data = {
        "participants": counted.participants, "answers": counted.answers, "mean_rank": plain(counted.mean_rank),
        "first_places": plain(counted.first_places),
    }  # fmt: skip
    return json.dumps(data, indent=1, ensure_ascii=False)


def _is_study(folder: Path) -> bool:
    """Tell whether a folder holds a page that was written here and its clips, and nothing that somebody else put there."""
    page = folder / "index.html"
    if folder.is_symlink() or not folder.is_dir() or not page.is_file():
        return False
    clips = folder / "clips"
    own = {path.name for path in folder.iterdir()} <= {page.name, clips.name}
    films = not clips.is_dir() or all(path.suffix == ".mp4" for path in clips.iterdir())
    with page.open("rb") as file:
        return own and films and _MARK in file.read(LARGEST_ANSWERS).decode("utf-8", "replace")


def _methods(folders: Sequence[Path]) -> list[str]:
    if not 2 <= len(folders) <= MOST_METHODS:
        raise RequestError(f"{len(folders)} folders: a study compares 2 to {MOST_METHODS} methods, one folder each")
    for folder in folders:
        if not folder.is_dir():
            raise RequestError(f"{folder}: there is no such folder of clips")
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RequestError(f"two folders are called {twice!r}, and folders name the methods; rename one")
    return names


def _clips(folders: Sequence[Path]) -> list[str]:
    found = [{path.stem for path in folder.iterdir() if path.suffix in (".mp4", ".npz")} for folder in folders]
    common = set.intersection(*found)
    for folder, own in zip(folders, found, strict=True):
        missing = sorted(set.union(*found) - own)
        if missing:
            raise RequestError(
                f"{folder}: has no clip {missing[0]!r}, which another folder has; give all methods the same"
            )
    if not common:
        raise RequestError(f"{folders[0]}: holds no clip; a study shows NAME.mp4, or scenes NAME.npz")
    return sorted(common)


def _prompts(folder: Path, clips: Sequence[str]) -> dict[str, Prompt]:
    path = folder / PROMPTS
    if path.is_file():
        try:
            data = json.loads(path.read_text("utf-8"))
            prompts = {str(name): Prompt.model_validate(value) for name, value in data.items()}
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            raise RequestError(
                f'{path}: no sound list of sentences ({str(error).splitlines()[0]}); it maps clips to {{"text", "people"}}'
            ) from error
    else:
        prompts = {}
        for name in clips:
            if not (folder / f"{name}.npz").is_file():
                raise RequestError(
                    f"{path} is missing, and {name}.npz too, so nobody knows what was asked for; write one"
                )
            people = read(folder / f"{name}.npz").people
            asked = str(people[0].labels.get("interaction") or "")
            if not asked:
                raise RequestError(f"{folder / name}.npz: its labels name no interaction; write {path}")
            prompts[name] = Prompt(text=asked, people=[str(person.labels.get("text") or "") for person in people])
    missing = [name for name in clips if name not in prompts]
    if missing:
        raise RequestError(f"{path}: has no sentences for the clip {missing[0]!r}; add them")
    return prompts


def _show(folder: Path, name: str, target: Path) -> None:
    """Put a clip under a name that tells nothing, as it is or drawn from its scene."""
    film = folder / f"{name}.mp4"
    if film.is_file():
        shutil.copyfile(film, target)
    else:
        write(target, read(folder / f"{name}.npz"))


def _page(study: str, questions: Sequence[Question], prompts: Mapping[str, Prompt]) -> str:
    template = resources.files("motifmix.evaluation").joinpath("user_study.html").read_text("utf-8")
    shown = [
        {"id": one.id, "clips": list(one.methods), "text": prompts[one.clip].text, "people": prompts[one.clip].people}
        for one in questions
    ]
    data = json.dumps({"study": study, "questions": shown}, ensure_ascii=False)
    # Nothing in a sentence may end the element that it stands in.
    safe = data.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return template.replace("__STUDY__", html.escape(study)).replace("__DATA__", safe)


def _read(path: Path, kind: type[Model], what: str) -> Model:
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST_ANSWERS + 1)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > LARGEST_ANSWERS:
        raise RequestError(f"{path}: is far too large for {what}; leave it out")
    try:
        return kind.model_validate_json(data)
    except (ValidationError, ValueError, RecursionError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise RequestError(f"{path}: is no sound {what.split(' ', 1)[1]} ({reason}); leave it out") from error


def _check(path: Path, given: Answers, key: Key, questions: Mapping[str, Question]) -> None:
    if given.study != key.study:
        raise RequestError(f"{path}: answers another study; leave it out")
    if not given.answers:
        raise RequestError(f"{path}: holds no answer; leave it out")
    done: set[tuple[str, Kind]] = set()
    for one in given.answers:
        question = questions.get(one.question)
        if question is None:
            raise RequestError(f"{path}: answers a question that this study does not have; leave it out")
        if (one.question, one.kind) in done:
            raise RequestError(f"{path}: answers {one.question} twice; leave it out")
        done.add((one.question, one.kind))
        if set(one.ranks) != set(question.methods) or sorted(one.ranks.values()) != list(range(1, len(one.ranks) + 1)):
            raise RequestError(
                f"{path}: does not rank the clips of {one.question} from 1 to {len(question.methods)}; leave it out"
            )


def _intervals(methods: Sequence[str], people: Sequence[np.ndarray], rng: np.random.Generator) -> dict[str, Interval]:
    means = np.concatenate(people).mean(axis=0)
    drawn = np.empty((RESAMPLED, len(methods)))
    for number in range(RESAMPLED):
        chosen = [people[int(n)] for n in rng.integers(len(people), size=len(people))]
        drawn[number] = np.concatenate([own[rng.integers(len(own), size=len(own))] for own in chosen]).mean(axis=0)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return {
        name: Interval(float(mean), float(half))
        for name, mean, half in zip(methods, means, (high - low) / 2, strict=True)
    }
