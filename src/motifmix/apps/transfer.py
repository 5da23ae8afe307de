"""What ``motifmix transfer`` does file by file: names of the results, reading, the style, writing, and what failed."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motifmix.apps import outputs
from motifmix.apps.requests import MOTION_FILES, GenerateRequest
from motifmix.errors import FileError, MotifmixError, RequestError

if TYPE_CHECKING:
    from motifmix.motion import Motion
    from motifmix.pipelines.style_transfer import StyleTransfer

SKELETONS = ("motifmix", "source")


@dataclass(frozen=True)
class Job:
    """One content and where it goes to."""

    source: Path
    targets: tuple[Path, ...]


@dataclass(frozen=True)
class Options:
    """What holds for all contents; ``fps`` None keeps each one's own, ``text`` empty leaves what happens open."""

    text: str = ""
    keep_path: bool = False
    keep_contacts: bool = False
    skeleton: str = "motifmix"
    fps: float | None = 30.0
    raw: bool = False
    units: str = "m"
    force: bool = False


@dataclass
class Report:
    """How it went: files written, and sources with what was wrong with them."""

    written: list[Path] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)
    bug: str = ""


def jobs(contents: Sequence[Path], out: Sequence[Path], request: GenerateRequest, options: Options) -> list[Job]:
    """Pair contents with targets and check the targets; raises ``RequestError`` or ``FileError`` before any work.

    ``out`` without a suffix is a folder, which is made and holds ``NAME_STYLE.bvh``; several contents need one.
    """
    if options.skeleton not in SKELETONS:
        raise RequestError(f"--skeleton takes {' or '.join(SKELETONS)}; {options.skeleton!r} was asked")
    folders = [path for path in out if path.is_dir() or not path.suffix]
    if folders and len(out) > 1:
        raise RequestError(f"{folders[0]}: give either one folder or files")
    if len(contents) > 1 and out and not folders:
        raise RequestError(f"{out[0]}: {len(contents)} motions do not fit into one file; give a folder")
    style = "-".join(outputs.slug(style.name.lower(), 30) for style in request.styles[:3])
    folder = folders[0] if folders else Path()
    named = [Path(f"{outputs.slug(source.stem)}_{style}.bvh") for source in contents]
    found = [
        Job(source, tuple(out) if out and not folders else (folder / name,))
        for source, name in zip(contents, named, strict=True)
    ]
    targets = [path for job in found for path in job.targets]
    others = [path for path in targets if path.suffix.lower() != ".bvh"]
    if others and options.skeleton == "source":
        raise RequestError(f"{others[0]}: only .bvh files hold another skeleton than motifmix's; leave --skeleton out")
    outputs.check_names(targets)
    if folders:
        outputs.make_folder(folder)  # not before: what is refused leaves no folder behind
    outputs.check_targets(targets, force=options.force)
    for job in found:
        outputs.check_is_other(job.source, targets)
    return found


def read_content(path: Path) -> "Motion":
    """Read the one person of a motion file. Raises ``FileError``, ``ParseError`` or ``RequestError``."""
    from motifmix.files import read
    from motifmix.motion.anatomy import require_person

    if path.suffix.lower() not in MOTION_FILES:
        raise FileError(f"{path}: a style is given to motion files, {' or '.join(MOTION_FILES)}")
    scene = read(path)
    if len(scene) != 1:
        raise RequestError(f"{path}: {len(scene)} people are in this file; a style is given to one, split it first")
    require_person(scene.people[0].skeleton, str(path))
    return scene.people[0]


def run(
    transfer: "StyleTransfer",
    todo: Sequence[Job],
    request: GenerateRequest,
    options: Options,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Do one content after the other; what fails is reported, the rest is done."""
    report = Report()
    for done, job in enumerate(todo, start=1):
        try:
            result = _styled(transfer, job.source, request, options)
            for path in job.targets:
                report.written += outputs.save(path, result, units=options.units, force=options.force)
        except MotifmixError as error:
            named = str(error) if str(error).startswith(str(job.source)) else f"{job.source}: {error}"
            report.failed.append((job.source, named))
        except Exception as error:
            report.bug = report.bug or "".join(traceback.format_exception(error))
            report.failed.append((job.source, f"{job.source}: a bug of motifmix: {type(error).__name__}: {error}"))
        progress(done, len(todo))
    return report


def _styled(transfer: "StyleTransfer", source: Path, request: GenerateRequest, options: Options) -> "Motion":
    from motifmix.pipelines.style_transfer import Kept

    style = request.style
    if style is None:
        raise RequestError("no style is given")
    guidance: dict[str, Any] = dict(request.sampling)
    (result,) = transfer.transfer(
        [read_content(source)], [style], [options.text or None],
        strength=request.acting_strength, keep=Kept(options.keep_path, options.keep_contacts),
        skeleton=options.skeleton, clean_feet=not options.raw, **guidance,
    )  # fmt: skip
    result = result.with_labels(style=request.style_label, content=source.name)
    return result if options.fps is None else result.resampled(options.fps)
