"""From the files that authors publish to the tensors of each network, as the card of the model says."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motifmix.errors import FileError, RequestError, WeightsError
from motifmix.pretrained.build import network
from motifmix.pretrained.cards import checksum_of
from motifmix.pretrained.maps.key_map import Fit, fit
from motifmix.pretrained.published import PublishedModel, PublishedPart, Step, named_object
from motifmix.pretrained.safe_reading import SafeFile, read_safely, state_dict, word_list

_REPEATED, _MOST = ("layers", "blocks"), 1_000  # building more would not end
_REASON_PLACEHOLDER = "stands in place of a weight"


@dataclass
class Gathered:
    """The tensors of all files under one set of names, and what had to be said about them on the way."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)  # name -> class of what is no tensor
    statistics: dict[str, Tensor] = field(default_factory=dict)  # means and deviations that stood in the files
    left_out: dict[str, str] = field(default_factory=dict)  # name -> why
    remarks: list[str] = field(default_factory=list)
    nowhere: list[str] = field(default_factory=list)  # names in files that no step of the order takes


def assigned(model: PublishedModel, paths: Sequence[Path]) -> dict[str, Path]:
    """Return which of the given files is which of the card's: by their published names, else in the card's order.

    Raises ``RequestError`` where their number is not that of the card.
    """
    if not model.files:
        raise RequestError(f"{model.name}: its authors publish no weights, so there is nothing to convert")
    if len(paths) != len(model.files):
        wanted = "; ".join(f"{file.name} ({file.where})" for file in model.files.values())
        raise RequestError(
            f"{model.name} is put together from {len(model.files)} file{'s' * (len(model.files) > 1)}, "
            f"{len(paths)} {'were' if len(paths) != 1 else 'was'} given; name {wanted}"
        )
    by_name = {short: [p for p in paths if p.name == file.name] for short, file in model.files.items()}
    if all(len(found) == 1 for found in by_name.values()):
        return {short: found[0] for short, found in by_name.items()}
    return dict(zip(model.files, paths, strict=True))


def gather(model: PublishedModel, files: Mapping[str, SafeFile]) -> Gathered:
    """Work through the card's order, then its doubled and dropped names. Raises ``FileError`` for a file without them."""
    result = Gathered()
    for file in files.values():
        for origin, count in sorted(file.dropped.items()):
            result.remarks.append(f"{file.path.name}: {count} x {origin} is no data and was passed over")
    read: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    taken: set[tuple[str, tuple[str, ...], str]] = set()
    for step in model.order:
        if step.file in files:
            names = _take(result, step, files[step.file])
            read.setdefault((step.file, step.within), set()).update(names)
            taken |= {(step.file, step.within, name) for name in names if re.fullmatch(step.take, name)}
    for (short, within), names in read.items():
        for name in sorted(name for name in names if (short, within, name) not in taken):
            why = next((why for e, why in model.dropped.items() if re.fullmatch(e, name)), None)
            if why is None:
                result.nowhere.append(f"{files[short].path.name}: {name}")
            else:
                result.left_out[name] = why
    for expression, original in model.doubled.items():
        _compare_doubles(result, expression, original)
    for expression, why in model.dropped.items():
        for name in [name for name in (*result.tensors, *result.others) if re.fullmatch(expression, name)]:
            result.left_out[name] = why
            result.tensors.pop(name, None)
            result.others.pop(name, None)
    for name in (name for wanted in model.statistics.values() for name in wanted.inside or ()):
        if name in result.tensors:
            result.statistics[name] = result.tensors.pop(name)
    return result


def _take(result: Gathered, step: Step, file: SafeFile) -> list[str]:
    """Take what one step takes; return the names of all tensors that it saw."""
    tensors, others = (word_list(file), {}) if step.holds == "words" else state_dict(file, step.within)
    overridden = changed = 0
    for old, tensor in tensors.items():
        found = re.fullmatch(step.take, old)
        if found is None:
            continue
        name = found.expand(step.name)
        before = result.tensors.get(name)
        if before is not None:
            overridden += 1
            changed += not _equal(before, tensor)
        result.tensors[name] = tensor
        result.others.pop(name, None)
    for old, origin in others.items():
        found = re.fullmatch(step.take, old)
        if found is not None:
            result.others[found.expand(step.name)] = origin
            result.tensors.pop(found.expand(step.name), None)
    if overridden:
        result.remarks.append(
            f"{file.path.name}: {overridden} tensors override earlier ones, {changed} with other values"
        )
    return list(tensors)


def _compare_doubles(result: Gathered, expression: str, original: str) -> None:
    equal, unlike = 0, []
    for name in list(result.tensors):
        found = re.fullmatch(expression, name)
        if found is None or found.expand(original) == name:
            continue
        place = found.expand(original)
        tensor = result.tensors.pop(name)
        if place not in result.tensors:
            result.tensors[place] = tensor
            continue
        result.left_out[name] = f"a double of {place}"
        if _equal(tensor, result.tensors[place]):
            equal += 1
        else:
            unlike.append(name)
    if equal:
        result.remarks.append(f"{equal} tensors stand in the file twice and are equal ({expression})")
    result.remarks += [f"{name} differs from {result.left_out[name][12:]}, which is used" for name in unlike]


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and torch.equal(one, other)


def shared_out(model: PublishedModel, names: Sequence[str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Return, for each part, its names within the part -> names given; and the names that no part takes."""
    parts: dict[str, dict[str, str]] = {part: {} for part in model.parts}
    nobody = []
    by_length = sorted(
        ((p.prefix, name) for name, p in model.parts.items() if p.takes is None), key=lambda pair: -len(pair[0])
    )
    for name in names:
        owner = next((o for o, p in model.parts.items() if p.takes is not None and re.fullmatch(p.takes, name)), None)
        if owner is not None:
            parts[owner][name] = name
            continue
        prefix, owner = next((pair for pair in by_length if name.startswith(pair[0])), ("", None))
        if owner is None:
            nobody.append(name)
        else:
            parts[owner][name[len(prefix) :]] = name
    return parts, nobody


def empty_network(
    part: PublishedPart, published: Mapping[str, Tensor], sizes: Mapping[str, Any]
) -> tuple[Any, nn.Module]:
    """Return (sizes, network on the meta device) of a part; ``sizes`` go over the card's, these over those in tensors.

    Raises ``WeightsError`` where the sizes cannot be read from the tensors, or do not fit the class.
    """
    found: dict[str, Any] = {}
    if part.sizes_from is not None:
        try:
            found = named_object(part.sizes_from, "pretrained.maps")(dict(published))
        except (KeyError, IndexError, ValueError, StopIteration) as error:
            raise WeightsError(f": its sizes cannot be read from the tensors ({error!r})") from error
    sizes = {**found, **part.sizes, **sizes}
    many = [name for name, size in sizes.items() if name.endswith(_REPEATED) and isinstance(size, int) and size > _MOST]
    if many:
        raise WeightsError(f": {sizes[many[0]]:,} {many[0]} are more than a network has")
    with torch.device("meta"):
        return sizes, network(part.architecture, sizes, part.quirks)


@dataclass(frozen=True)
class PartFit:
    """One part of a gathered model: its sizes, and how its tensors fit."""

    sizes: dict[str, Any]
    fit: Fit


def fits(
    model: PublishedModel, gathered: Gathered, sizes: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, PartFit], list[str]]:
    """Compare each part with its network; return the fits and every complaint in full, one line a name."""
    shares, nobody = shared_out(model, list(gathered.tensors))
    complaints = [f"unknown: {name} {list(gathered.tensors[name].shape)}" for name in nobody]
    complaints += [f"unknown: {name}" for name in gathered.nowhere]
    found: dict[str, PartFit] = {}
    for name, part in model.parts.items():
        if part.optional and not shares[name]:
            continue
        published = {inner: gathered.tensors[outer] for inner, outer in shares[name].items()}
        try:
            own_sizes, empty = empty_network(part, published, sizes.get(name, {}))
            own = fit(empty, published, named_object(part.key_map, "pretrained.maps"))
        except WeightsError as error:
            complaints.append(f"{name} {error}".replace(" :", ":"))
            continue
        found[name] = PartFit(own_sizes, own)
        complaints += [f"{name}: {kind}: {entry}" for kind, entries in own.complaints.items() for entry in entries]
        complaints += _impostors(model, gathered, name, part)
    known = sorted(gathered.others.items())
    gathered.remarks += [f"{name}: {origin}, no tensor, passed over" for name, origin in known]
    return found, complaints


def _impostors(model: PublishedModel, gathered: Gathered, name: str, part: PublishedPart) -> list[str]:
    """Name what stands where a part's key map expects a tensor."""
    share = shared_out(model, list(gathered.others))[0][name]
    key_map = named_object(part.key_map, "pretrained.maps")
    return [
        f"{name}: {outer}: an object of the class {gathered.others[outer]} {_REASON_PLACEHOLDER}"
        for inner, outer in share.items()
        if any(re.fullmatch(old, inner) for old, _ in key_map.renames)
    ]


def looks_like(files: Sequence[SafeFile], models: Sequence[PublishedModel]) -> list[str]:
    """Return the names of the published models that know most of the files' names and are filled most by them.

    Each file is tried as each file of each card; between equals shapes decide, then the number of files. Several names
    come back where even these are equal, none where nothing is alike.
    """
    best: tuple[float, float, int, int] = (0.0, 0.0, 1, 0)
    answer: list[str] = []
    for model in models:
        nothing = (0.0, 0.0, 0)
        each = [
            max((_likeness(model, short, file) or nothing for short in model.files), default=nothing) for file in files
        ]
        known, whole, shaped = (sum(values) / len(files) for values in zip(*each, strict=True))
        score = (round(known, 2), round(whole, 2), int(shaped), -abs(len(model.files) - len(files)))
        if score > best:
            best, answer = score, []
        if score == best:
            answer.append(model.name)
    return answer


def _likeness(model: PublishedModel, short: str, file: SafeFile) -> tuple[float, float, int] | None:
    """(share of its names that are known, share of the networks that they fill, tensors of the right shape), or None."""
    try:
        gathered = gather(model, {short: file})
        shares, nobody = shared_out(model, list(gathered.tensors))
    except (FileError, WeightsError):
        return None
    nobody = [*nobody, *gathered.nowhere]
    if len(nobody) > 0.1 * len(gathered.tensors):
        return None  # before any network is built
    own = filled = shaped = unknown = 0
    for name, part in model.parts.items():
        published = {inner: gathered.tensors[outer] for inner, outer in shares[name].items()}
        if not published:
            continue
        key_map = named_object(part.key_map, "pretrained.maps")
        strangers = [name for name in published if not key_map.knows(name)]
        if len(strangers) > 0.1 * len(published):
            unknown += len(published)
            continue
        try:
            _, empty = empty_network(part, published, {})
            found = fit(empty, published, key_map)
        except (WeightsError, RuntimeError, KeyError, ValueError, IndexError):
            unknown += len(published)
            continue
        names = set(empty.state_dict())
        here = names & found.tensors.keys()
        if not here:
            unknown += len(published)
            continue
        own += len(names) - len(found.computed)
        filled += len(here)
        shaped += len(here) - len(found.complaints.get("of another shape", ()))
        unknown += len(found.complaints.get("unknown", ()))
    known = filled / max(filled + unknown + len(nobody), 1)
    whole = filled / max(own, 1)
    return (round(known, 3), round(whole, 3), shaped) if known >= 0.9 and whole >= 0.3 else None


def read_all(
    model: PublishedModel, paths: Sequence[Path], say: Callable[[str], None]
) -> tuple[dict[str, SafeFile], dict]:
    """Read the files of a card; return them and, by name, their sizes and checksums.

    Where two files have one name, their short names in the card tell them apart. Raises ``FileError``.
    """
    files, facts = {}, {}
    which = assigned(model, paths)
    for path in which.values():
        if path.exists() and not path.is_file() and not path.is_dir():
            raise FileError(f"{path} is a device or a pipe; save what comes out of it as a file")
    for short, path in which.items():
        files[short] = read_safely(path)
        alone = [other.name for other in which.values()].count(path.name) == 1
        place = path.name if alone else f"{path.name} ({short})"
        facts[place] = {
            "published_as": model.files[short].name,
            "sha256": checksum_of(path),
            "bytes": path.stat().st_size,
        }
        known = model.files[short].sha256
        if known is not None and known != facts[place]["sha256"]:
            say(f"{path.name} is not the file that was seen when its card was written (sha256 {known[:12]}...)")
    return files, facts
