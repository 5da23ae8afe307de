"""Many motions from one table: read a CSV, make its rows in chunks, resume after a kill.

A row is finished when all its files exist and the folder's ``batch.json`` says that they were made from the same
request. Files appear whole (written beside their target and renamed), and ``batch.json`` names a row only after older
files of that row are gone: so what exists and is named is what the table asks for. A changed row is made again, a
file that this folder's batches did not make is kept, a failed row is reported in ``errors.csv`` and the rest goes on.
"""

import csv
import hashlib
import io
import json
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from motifmix.apps import outputs
from motifmix.apps.requests import DEFAULT_FPS, GenerateRequest, checked
from motifmix.errors import FileError, MotifmixError, RequestError
from motifmix.pipelines.sampling import NAMES, beyond_measured

if TYPE_CHECKING:
    from motifmix.motion import Motion

COLUMNS = ("text", "style", "seconds", "seed", "name", "strength", *NAMES)
CHUNK = 32
"""Rows that go through the network together; also what a kill can cost."""

CHECKED = 100
"""Rows that are checked between two words on progress."""

_KNOWN = "a person walks forward"  # stands for a text of which all is said already

MOST_NOTES = 20
"""Sentences on texts and styles that are printed; a table may have thousands of rows."""

MANIFEST = "batch.json"
ERRORS = "errors.csv"


class Pipeline(Protocol):
    """What a batch needs of ``motifmix.load()``."""

    @property
    def generate(self) -> "Callable[..., Sequence[Motion]]":
        """Takes texts, styles, seconds, seeds and settings; makes one motion for each text."""
        ...

    @property
    def describe(self) -> "Callable[..., Sequence[str]]":
        """Takes a text and a style; says in sentences what is not known and what was read of files."""
        ...


@dataclass(frozen=True)
class Row:
    """One line of the table: its number there, the name of its files, its request or what is wrong with it."""

    line: int
    text: str
    name: str
    request: GenerateRequest | None
    error: str = ""


@dataclass(frozen=True)
class Options:
    """What holds for all rows."""

    formats: tuple[str, ...] = (".npz",)
    fps: float = DEFAULT_FPS
    strength: float = 1.0
    in_place: bool = False
    raw: bool = False
    units: str = "m"
    seed: int = 0
    force: bool = False
    style_from: str = "pose"
    style_by: str = "retrieval"
    sampling: Mapping[str, float | int] = field(default_factory=dict)


@dataclass
class Report:
    """How a run went."""

    made: int = 0
    kept: int = 0
    failed: list[tuple[Row, str]] = field(default_factory=list)
    bug: str = ""


@dataclass(frozen=True)
class Table:
    """A table as it was read, and remarks that the person should see."""

    rows: tuple[Row, ...]
    remarks: tuple[str, ...]


def read_table(path: Path, options: Options, progress: Callable[[int, int], None] = lambda done, total: None) -> Table:
    """Read and check a table; a row that cannot be met carries its error. ``progress`` is told of the rows checked.

    Raises ``FileError`` or ``RequestError`` when the file as a whole is of no use: missing, empty, no ``text`` column,
    letters in an unknown encoding.
    """
    text, remarks = _decoded(path)
    records = _records(path, text, remarks)
    names = _names(records)
    rows = []
    for (line, record), name in zip(records, names, strict=True):
        rows.append(_row(path, line, record, name, options))
        if len(rows) % CHECKED == 0 or len(rows) == len(records):
            progress(len(rows), len(records))
    return Table(tuple(rows), tuple(remarks))


def run(
    pipeline: Pipeline,
    rows: Sequence[Row],
    folder: Path,
    options: Options,
    progress: Callable[[int, int], None] = lambda done, total: None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Report:
    """Make all rows that are not finished; ``KeyboardInterrupt`` leaves a folder that the next run continues.

    ``tell`` is handed what the pipeline has to say of texts and styles, each sentence once, before their rows are made.
    """
    report = Report()
    manifest = _read_manifest(folder)
    waiting = []
    for row in rows:
        if row.request is None:
            report.failed.append((row, row.error))
            continue
        present = [path for path in _files(folder, row, options) if path.exists()]
        if manifest.get(row.name) == _key(row.request, options) and not options.force:
            if len(present) == len(options.formats):
                report.kept += 1
                continue
        elif present and row.name not in manifest and not options.force:
            report.failed.append(
                (row, f"{present[0]} exists already and is not of this batch; rename it or add --force")
            )
            continue
        waiting.append(row)
    # Rows of one length share a batch: padding is work for nothing. Those of open length stand together at the end.
    waiting.sort(key=lambda row: row.request.seconds or float("inf") if row.request else 0.0)
    done, total = len(rows) - len(waiting), len(rows)
    progress(done, total)
    notes = _Notes(pipeline)
    for start in range(0, len(waiting), CHUNK):
        chunk = waiting[start : start + CHUNK]
        for sentence in notes.of(chunk):
            tell(sentence)
        _make(pipeline, chunk, folder, options, manifest, report)
        done += len(chunk)
        progress(done, total)
    _write_errors(folder, report)
    return report


class _Notes:
    """What is to be said of texts and styles; one that a thousand rows share is read once."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.seen: set[tuple[str, str]] = set()
        self.count = 0

    def of(self, rows: Sequence[Row]) -> Iterator[str]:
        """Yield what is new about rows, each sentence with its line."""
        for row in rows:
            request = _request(row)
            far = beyond_measured(request.sampling, request.acting_strength) if request.styles else None
            if self.count < MOST_NOTES and far is not None and self._new("sentence", far):
                self.count += 1
                yield f"line {row.line}: {far}"
            text, style = (self._new(kind, own) for kind, own in (("text", request.text), ("style", request.style)))
            if self.count > MOST_NOTES or not (text or style):
                continue
            try:
                sentences = self.pipeline.describe(text or _KNOWN, style)
            except Exception:
                continue  # the row fails for the same reason, and is reported with it
            for sentence in filter(None, (self._new("sentence", own) for own in sentences)):
                self.count += 1
                if self.count > MOST_NOTES:
                    yield "and so on: what else is far from anything trained on is not said"
                    break
                yield f"line {row.line}: {sentence}"

    def _new(self, kind: str, what: Any) -> Any:
        """Return ``what`` the first time, then None."""
        key = (kind, repr(what))
        if key in self.seen:
            return None
        self.seen.add(key)
        return what


def _make(
    pipeline: Pipeline, chunk: Sequence[Row], folder: Path, options: Options, manifest: dict[str, str], report: Report
) -> None:
    made: list[tuple[Row, Any]] = []
    try:
        made = list(zip(chunk, _generate(pipeline, chunk, options), strict=True))
    except Exception:
        # One bad row must not take 31 good ones with it.
        for row in chunk:
            try:
                made.append((row, _generate(pipeline, [row], options)[0]))
            except Exception as error:
                _failed(report, row, error)
    for row, _ in made:
        for path in _files(folder, row, options):
            path.unlink(missing_ok=True)
        manifest[row.name] = _key(_request(row), options)
    _write_manifest(folder, manifest)
    for row, motion in made:
        request = _request(row)
        try:
            finished = outputs.finished(motion, request, request.seeds()[0])
            for path in _files(folder, row, options):
                outputs.save(path, finished, units=options.units, force=True)
            report.made += 1
        except Exception as error:
            _failed(report, row, error)


def _generate(pipeline: Pipeline, rows: Sequence[Row], options: Options) -> list[Any]:
    """Make the motions of rows; those of one strength and one sampling go through the network together."""
    requests = [_request(row) for row in rows]
    motions: dict[int, Any] = {}
    alike: dict[tuple[Any, ...], list[int]] = {}
    for place, request in enumerate(requests):
        alike.setdefault((request.acting_strength, *sorted(request.sampling.items())), []).append(place)
    for (strength, *sampling), places in alike.items():
        made = pipeline.generate(
            [requests[place].text for place in places],
            [requests[place].style for place in places],
            [requests[place].seconds for place in places],
            [requests[place].seeds()[0] for place in places],
            strength=strength,
            clean_feet=not options.raw,
            **dict(sampling),
        )
        motions.update(zip(places, made, strict=True))
    return [motions[place] for place in range(len(rows))]


def _failed(report: Report, row: Row, error: Exception) -> None:
    if isinstance(error, MotifmixError):
        report.failed.append((row, str(error)))
    else:
        report.bug = report.bug or "".join(traceback.format_exception(error))
        report.failed.append((row, f"a bug of motifmix: {type(error).__name__}: {error}"))


def _request(row: Row) -> GenerateRequest:
    if row.request is None:
        raise ValueError(f"line {row.line} has no request: {row.error}")
    return row.request


def _decoded(path: Path) -> tuple[str, list[str]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in data:
        raise FileError(f"{path}: is no text in UTF-8 (it holds zero bytes); save the table as CSV in UTF-8")
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeError:
            continue
        guess = f"{path} is not in UTF-8 and was read as Windows-1252; save it as UTF-8 if letters come out wrong"
        return text, [guess] if encoding == "cp1252" else []
    raise FileError(
        f"{path}: its letters are in no encoding that is read here (UTF-8, UTF-16, Windows-1252); save it as UTF-8"
    )


def _records(path: Path, text: str, remarks: list[str]) -> list[tuple[int, dict[str, str | None]]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise FileError(f"{path}: the table is empty; its first line names the columns: {', '.join(COLUMNS)}")
    for delimiter in ",;\t":
        header = [cell.strip().strip('"').strip().lower() for cell in first.split(delimiter)]
        if "text" in header:
            break
    else:
        seen = ", ".join(cell.strip() for cell in first.split(","))[:120]
        raise RequestError(f"{path}: the column 'text' is missing (columns found: {seen}); the first line must name it")
    if len(set(header)) < len(header):
        double = next(name for name in header if header.count(name) > 1)
        raise RequestError(f"{path}: the column {double!r} stands twice in the first line; keep one")
    unknown = [name for name in header if name and name not in COLUMNS]
    if unknown:
        remarks.append(f"{path}: columns that are not read: {', '.join(unknown)} (known: {', '.join(COLUMNS)})")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records: list[tuple[int, dict[str, str | None]]] = []
    try:
        next(cells for cells in reader if any(cell.strip() for cell in cells))
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((reader.line_num, _record(header, cells)))
    except csv.Error as error:
        raise FileError(
            f"{path} line {reader.line_num}: {error}; a text with quotes or commas stands in double quotes"
        ) from None
    if not records:
        raise FileError(f"{path}: the table names columns and has no rows; add one row for each motion")
    return records


def _record(header: Sequence[str], cells: Sequence[str]) -> dict[str, str | None]:
    record: dict[str, str | None] = dict(zip(header, (cell.strip() for cell in cells), strict=False))
    if any(cell.strip() for cell in cells[len(header) :]):
        record["too many"] = str(len(cells))
    return record


def _names(records: Sequence[tuple[int, dict[str, str | None]]]) -> list[str]:
    """A file name for each row: its own, or one made from text and style; equal ones are numbered."""
    wanted = []
    for _, record in records:
        text, styles, name = (record.get(column) or "" for column in ("text", "style", "name"))
        made = outputs.slug(text.lower(), 60)
        if styles:
            made += f"_{outputs.slug(styles.lower(), 30)}"
        wanted.append((outputs.slug(name) if name else made, bool(name)))
    # Names that people gave are taken first, so that a numbered one never steals theirs.
    taken: set[str] = set()
    counters: dict[str, int] = {}
    result = [""] * len(wanted)
    for given in (True, False):
        for place, (name, is_given) in enumerate(wanted):
            if is_given != given:
                continue
            unique = name
            while unique.casefold() in taken:
                counters[name.casefold()] = counters.get(name.casefold(), 1) + 1
                unique = f"{name}_{counters[name.casefold()]}"
            taken.add(unique.casefold())
            result[place] = unique
    return result


def _row(path: Path, line: int, record: dict[str, str | None], name: str, options: Options) -> Row:
    text = record.get("text") or ""
    try:
        if record.get("too many"):
            raise RequestError(
                f"the row has {record['too many']} cells, more than the first line; quote a text with commas"
            )
        styles = [part for part in (record.get("style") or "").split("|") if part.strip()]
        request = checked(
            styles,
            style_folder=path.parent,
            text=text,
            seconds=record.get("seconds") or None,
            seed=record.get("seed") or _seed(options.seed, name),
            strength=record.get("strength") or options.strength,
            sampling={name: record.get(name) or options.sampling.get(name) for name in NAMES},
            fps=options.fps,
            in_place=options.in_place,
            raw=options.raw,
            style_from=options.style_from,
            style_by=options.style_by,
        )
    except MotifmixError as error:
        return Row(line, text, name, None, str(error))
    return Row(line, text, name, request)


def _seed(base: int, name: str) -> int:
    """A seed that stays with a row's name, wherever the row moves in the table."""
    return int.from_bytes(hashlib.sha256(f"{base}:{name}".encode()).digest()[:4], "big")


def _files(folder: Path, row: Row, options: Options) -> list[Path]:
    return [folder / f"{row.name}{suffix}" for suffix in options.formats]


def _key(request: GenerateRequest, options: Options) -> str:
    styles = [[str(style.reference), style.weight] for style in request.styles]
    asked = [
        request.text,
        styles,
        request.seconds,
        request.seed,
        request.strength,
        request.fps,
        request.in_place,
        request.raw,
    ]
    asked += [request.sampling] if request.sampling else []
    how = [request.style_from, request.style_by]
    asked += how if how != ["pose", "retrieval"] else []  # folders made before there was a choice stay finished
    return hashlib.sha256(json.dumps([*asked, options.units]).encode()).hexdigest()[:16]


def _read_manifest(folder: Path) -> dict[str, str]:
    try:
        rows = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["rows"]
        return {str(name): str(key) for name, key in rows.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise FileError(
            f"{folder / MANIFEST}: is no list of finished rows; delete it and name another folder, or add --force"
        ) from None


def _write_manifest(folder: Path, rows: dict[str, str]) -> None:
    from motifmix.atomic import replacing

    about = "rows that motifmix batch finished in this folder, and the fingerprint of what each asked for"
    with replacing(folder / MANIFEST, force=True) as beside:
        beside.write_text(json.dumps({"about": about, "rows": rows}, indent=0, ensure_ascii=False), encoding="utf-8")


def _write_errors(folder: Path, report: Report) -> None:
    path = folder / ERRORS
    if not report.failed:
        path.unlink(missing_ok=True)
        return
    from motifmix.atomic import replacing

    with replacing(path, force=True) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "name", "text", "error"])
        writer.writerows(
            [row.line, row.name, row.text, error] for row, error in sorted(report.failed, key=lambda f: f[0].line)
        )


def parse_formats(words: str, known: Sequence[str]) -> tuple[str, ...]:
    """Read ``npz`` or ``bvh,glb`` into suffixes; raises ``RequestError`` for an unknown one."""
    formats: list[str] = []
    for word in words.split(","):
        suffix = "." + word.strip().lower().lstrip(".")
        if suffix not in known:
            raise RequestError(f"--format {word.strip()!r} is unknown; use {', '.join(name[1:] for name in known)}")
        if suffix not in formats:
            formats.append(suffix)
    return tuple(formats)
