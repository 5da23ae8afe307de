"""``motifmix models convert``: published files to a folder of safetensors with cards, strictly or not at all."""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor

from motifmix.errors import FileError, WeightsError
from motifmix.pretrained.archived_arrays import archived_array
from motifmix.pretrained.build import network
from motifmix.pretrained.cards import write_weights
from motifmix.pretrained.converted import MODEL_CARD, STATISTICS, ModelCard, check_statistics, read_model_card
from motifmix.pretrained.gathering import Gathered, PartFit, fits, gather, looks_like, read_all
from motifmix.pretrained.published import PublishedModel, Statistics, published, published_names
from motifmix.pretrained.safe_reading import SafeFile, read_safely, state_dict

Say = Callable[[str], None]


def convert(
    model: PublishedModel,
    paths: Sequence[Path],
    out: Path,
    *,
    stats: Path | None = None,
    sizes: Mapping[str, Mapping[str, Any]] | None = None,
    force: bool = False,
    version: str = "",
    say: Say = lambda line: None,
) -> Path:
    """Write the published model in ``paths`` as the folder ``out``; every remark and complaint goes to ``say``.

    ``stats`` holds mean and std where the files do not; ``sizes`` (part -> name -> value) are those of a network that
    was trained in another size. Raises ``FileError`` or ``WeightsError``, and leaves nothing behind then.
    """
    _check_out(model, paths, out, stats, force)
    unknown = [part for part in sizes or {} if part not in model.parts]
    if unknown:
        raise WeightsError(f"{model.name} has no part {unknown[0]!r}; its parts are {', '.join(model.parts)}")
    if stats is not None and not stats.is_dir():
        wrong = "is not a folder" if stats.exists() else "does not exist"
        raise FileError(f"{stats} {wrong}; --stats names the folder of mean and std")
    files, facts = read_all(model, paths, say)
    try:
        gathered = gather(model, files)
        found, complaints = fits(model, gathered, sizes or {})
    except FileError as error:
        raise FileError(f"{error}{_hint(model, files, sizes or {})}") from error
    for line in (*gathered.remarks, *_counted(gathered.left_out)):
        say(line)
    if complaints:
        for line in complaints:
            say(line)
        many = "1 thing does" if len(complaints) == 1 else f"{len(complaints)} things do"
        kinds = f"{many} not fit, the first: {complaints[0]}"
        raise WeightsError(f"{model.name}: {kinds}{_hint(model, files, sizes or {})}")
    model = _as_trained(model, found)
    statistics = _statistics(model, gathered, stats)
    with _new_folder(out, force) as folder:
        _write(folder, model, found, statistics, facts, version)
    return out


def _check_out(model: PublishedModel, paths: Sequence[Path], out: Path, stats: Path | None, force: bool) -> None:
    """Raise ``FileError`` where writing ``out`` would replace what is read, or what no conversion wrote."""
    if out.is_symlink():
        raise FileError(f"{out} is a link and is kept; name the folder that it leads to, or another")
    if not out.exists():
        return
    inside = [] if stats is None else [stats / n for w in model.statistics.values() for n in (*w.mean, *w.std)]
    for path in (*paths, *([] if stats is None else [stats]), *inside):
        if _lies_in(path, out):
            raise FileError(f"{path} lies in {out}, which would be replaced; choose another folder for --out")
    if out.is_dir() and not any(out.iterdir()):
        return
    if not force:
        raise FileError(f"{out} exists and is kept; choose another folder, or --force to replace it")
    try:
        read_model_card(out)
    except WeightsError as error:
        raise FileError(
            f"{out} is not a folder that 'motifmix models convert' wrote, and --force replaces only such; "
            "choose another folder"
        ) from error


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a path that exists is the folder or lies below it, by its name or where links lead."""
    if not path.exists():
        return False
    places = (path.absolute().parent.resolve() / path.name, path.resolve())
    return any(parent.samefile(folder) for place in places for parent in (place, *place.parents))


def _hint(model: PublishedModel, given: Mapping[str, SafeFile], sizes: Mapping[str, Mapping[str, Any]]) -> str:
    """Say what may be amiss: a prefix of many devices, another order, or files that look like another published model."""
    files = list(given.values())
    wrapped = next((file.path for file in files if _all_in_module(file.content)), None)
    if wrapped is not None:
        return (
            f". All names in {wrapped} begin with 'module.', as torch's DataParallel saves them: "
            "save it again without this prefix"
        )
    if (order := _fitting_order(model, files, sizes)) is not None:
        return f". In another order they fit: name {', '.join(str(file.path) for file in order)}"
    found = looks_like(files, [published(name) for name in published_names()])
    return f". This looks like {' or '.join(found)}: try --as {found[0]}" if found and model.name not in found else ""


def _fitting_order(
    model: PublishedModel, files: Sequence[SafeFile], sizes: Mapping[str, Mapping[str, Any]]
) -> Sequence[SafeFile] | None:
    """Return the files of a combination in an order that fits its card without a complaint, or None."""
    for order in permutations(files):
        try:
            if not fits(model, gather(model, dict(zip(model.files, order, strict=True))), sizes)[1]:
                return order
        except (FileError, WeightsError):
            continue
    return None


def _all_in_module(content: Any, depth: int = 2) -> bool:
    """Whether a state dict in a file, at the top or within, has names under ``module.`` only."""
    if not isinstance(content, Mapping):
        return False
    names = [name for name, value in content.items() if isinstance(value, Tensor)]
    if names and all(isinstance(name, str) and name.startswith("module.") for name in names):
        return True
    return depth > 0 and any(_all_in_module(value, depth - 1) for value in content.values())


def _counted(left_out: Mapping[str, str]) -> list[str]:
    reasons = [why for why in left_out.values() if not why.startswith("a double of ")]
    return [f"{reasons.count(why)} tensors left out: {why}" for why in dict.fromkeys(reasons)]


def _as_trained(model: PublishedModel, found: Mapping[str, PartFit]) -> PublishedModel:
    """Return the card with the lengths of mean and std, and the space, of the networks that were found."""
    statistics, space = dict(model.statistics), model.space
    for name, wanted in model.statistics.items():
        part, _, size = (wanted.dim_from or "").partition(".")
        dim = found[part].sizes.get(size, wanted.dim) if part in found else wanted.dim
        if dim != wanted.dim:
            statistics[name] = wanted.model_copy(update={"dim": dim})
            space = model.spaces.get(dim)
    return model.model_copy(update={"statistics": statistics, "space": space})


def _statistics(model: PublishedModel, gathered: Gathered, stats: Path | None) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, wanted in model.statistics.items():
        mean, std = _pair(model, name, wanted, gathered, stats)
        for kind, values in (("mean", mean), ("std", std)):
            if values.shape != (wanted.dim,):
                raise WeightsError(
                    f"{model.name}: the {kind} of {name} has the shape {list(values.shape)}, expected [{wanted.dim}]; "
                    f"take it from {wanted.where}"
                )
            found[f"{name}.{kind}"] = torch.from_numpy(np.ascontiguousarray(values, np.float32))
        check_statistics(f"{model.name}, {name}", mean, std)
    return found


def _pair(
    model: PublishedModel, name: str, wanted: Statistics, gathered: Gathered, stats: Path | None
) -> tuple[np.ndarray, np.ndarray]:
    if wanted.inside is not None and all(key in gathered.statistics for key in wanted.inside):
        return tuple(gathered.statistics[key].numpy() for key in wanted.inside)  # type: ignore[return-value]
    files = f"{wanted.mean[0]} and {wanted.std[0]} ({wanted.dim} numbers each)"
    if stats is None:
        raise WeightsError(
            f"{model.name} needs the mean and std of its {name}, which its files do not hold; "
            f"name the folder of {files} with --stats; they come from: {wanted.where}"
        )
    pair = []
    for kind, names in (("mean", wanted.mean), ("std", wanted.std)):
        path = next((stats / file for file in names if (stats / file).is_file()), None)
        if path is None:
            raise WeightsError(f"{stats} holds no {' or '.join(names)}; {files} come from: {wanted.where}")
        pair.append(_numbers(path, kind))
    return pair[0], pair[1]


def _numbers(path: Path, kind: str) -> np.ndarray:
    """Read a file of one array, or the array called ``kind`` of an ``.npz`` (as Aberman et al. publish theirs)."""
    if path.suffix != ".npz":
        tensors, _ = state_dict(read_safely(path))
        return next(iter(tensors.values())).numpy()
    return archived_array(path, kind)


def _write(
    folder: Path,
    model: PublishedModel,
    found: Mapping[str, PartFit],
    statistics: dict[str, Tensor],
    facts: dict[str, Any],
    version: str,
) -> None:
    licence = model.licence
    common: dict[str, Any] = {
        "space": model.space or "none",
        "licence": f"weights: {licence.weights}; code: {licence.code}; data: {licence.data}. {licence.consequence}",
        "credit": [f"{model.title}: {model.page}", model.citation],
        "data": [licence.data],
        "recipe": "published by its authors",
        "commit": "none",
        "extra": {"published": model.name, "converted_by": version},
    }
    for name, part in model.parts.items():
        if name not in found:
            continue
        own = found[name].fit.tensors
        if found[name].fit.computed:
            tables = network(part.architecture, found[name].sizes, part.quirks).state_dict()
            own = {**own, **{table: tables[table] for table in found[name].fit.computed}}
        facts_of_part = {
            "name": name, "role": part.role, "architecture": part.architecture, "sizes": found[name].sizes,
            "quirks": list(part.quirks),
        }  # fmt: skip
        write_weights(folder, name, own, exact=True, **facts_of_part, **common)
    if statistics:
        write_weights(
            folder, STATISTICS, statistics, exact=True, name=STATISTICS, role="generate", architecture="none",
            sizes={}, **common,
        )  # fmt: skip
    card = ModelCard(
        published=model.name,
        title=model.title,
        converted_by=version,
        files=facts,
        licence=licence,
        citation=model.citation,
        parts=[name for name in model.parts if name in found],
        statistics=list(model.statistics),
        space=model.space,
        schedule=model.schedule,
        quirks=list(model.quirks),
        text_encoder=model.text_encoder,
    )
    text = yaml.safe_dump(card.model_dump(), sort_keys=False, allow_unicode=True, width=120)
    (folder / MODEL_CARD).write_text(text, "utf-8")


@contextmanager
def _new_folder(out: Path, force: bool) -> Any:
    """Give a folder beside ``out`` to fill, which takes its name at the end; when the body fails nothing stays."""
    if not out.parent.is_dir():
        raise FileError(f"{out.parent} is no folder that exists; make it first")
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name[:60]}.", dir=out.parent))
    except OSError as error:
        raise FileError(f"{out} cannot be written: {error.strerror}; choose another folder") from error
    try:
        yield temporary
        temporary.chmod(0o755)
        if out.is_dir() and not any(out.iterdir()):
            out.rmdir()
        elif out.exists() and force:
            _replace(out, temporary)
            return
        temporary.rename(out)
    except OSError as error:
        raise FileError(f"{out} could not be written: {error.strerror or error}; nothing of it was left") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace(out: Path, new: Path) -> None:
    """Put ``new`` in the place of the folder ``out``, which comes back where that fails."""
    old = new.with_name(f"{new.name}.old")
    out.rename(old)
    try:
        new.rename(out)
    except OSError:
        old.rename(out)
        raise
    try:
        shutil.rmtree(old)
    except OSError as error:
        raise FileError(
            f"{out} is written, but the folder that it replaces could not be deleted ({error.strerror}): {old}"
        ) from error
