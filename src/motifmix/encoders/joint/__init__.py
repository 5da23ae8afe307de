"""Encoders that put texts, pictures, films and sounds into one space, so that words can stand for the rest in training.

Another one is one file here: a module with an ``OFFER``, which says what its weights are and how they are opened. The
module's name is the encoder's.
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Literal, Protocol

from torch import Tensor

from motifmix.errors import RequestError, WeightsError
from motifmix.home import home

Modality = Literal["image", "video", "sound"]
"""As what a file is read; texts come as texts."""
DEFAULT = "imagebind"
_END = 1 << 20  # bytes


class JointEncoder(Protocol):
    """Files and texts as unit vectors of one space. A network is loaded when its first input has been read."""

    def texts(self, texts: Sequence[str], /) -> Tensor:
        """Return unit vectors ``[N, width]``, on the processor's memory."""
        ...

    def image(self, path: Path, /) -> Tensor:
        """Return the unit vector ``[width]`` of a picture. Raises ``FileError``."""
        ...

    def video(self, path: Path, /) -> Tensor:
        """Return the unit vector ``[width]`` of a film's pictures. Raises ``FileError``."""
        ...

    def sound(self, path: Path, /) -> Tensor:
        """Return the unit vector ``[width]`` of a sound. Raises ``FileError``, or ``RequestError`` for silence."""
        ...


@dataclass(frozen=True)
class Table:
    """A table that an encoder's authors publish of their own examples: softmax over ``columns`` for each of ``rows``."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    published: tuple[tuple[float, ...], ...]
    ours: tuple[tuple[float, ...], ...]

    @property
    def difference(self) -> float:
        """The largest difference between a published number and ours."""
        pairs = zip(self.published, self.ours, strict=True)
        return max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))


@dataclass(frozen=True)
class Offer:
    """What an encoder needs, and how it is opened.

    ``files``: names that its weights may have; ``fetch``: what to fetch, from where, how large, under which licence;
    ``licence``: that of what is made from it; ``open`` takes the file, or the folder that ``motifmix models convert``
    wrote; ``examples``: names of the files that ``check`` needs, in the folder that it is given.
    """

    title: str
    files: tuple[str, ...]
    fetch: str
    licence: str
    open: Callable[[Path], JointEncoder]
    examples: tuple[str, ...] = ()
    examples_from: str = ""
    check: Callable[[JointEncoder, Path], list[Table]] | None = None


def encoder_names() -> list[str]:
    """Return the names of all encoders."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def offer(name: str) -> Offer:
    """Return what an encoder needs. Raises ``RequestError`` for an unknown name."""
    names = encoder_names()
    if name not in names:
        near = get_close_matches(name, names, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
        raise RequestError(f"no encoder of pictures and sounds is called {name!r}; {hint}")
    return importlib.import_module(f"{__name__}.{name}").OFFER


def weights_folder(name: str) -> Path:
    """Return the folder below ``MOTIFMIX_HOME`` in which an encoder's weights are looked for unless told otherwise."""
    return home() / "encoders" / name


def find_weights(name: str, given: Path | str | None = None, *, offline: bool = False) -> Path:
    """Return the weights' file, or the folder that ``motifmix models convert`` wrote.

    ``given``: one of these, a folder with the file in it, or a repository of the hub (``owner/name``); by default
    ``weights_folder(name)``. Raises ``WeightsError`` that says what to fetch.
    """
    from motifmix.pretrained.converted import MODEL_CARD

    wanted = offer(name)
    path = weights_folder(name) if given is None else Path(given)
    if path.is_file() or (path / MODEL_CARD).is_file():
        return path
    found = next((path / file for file in wanted.files if (path / file).is_file()), None)
    if found is not None:
        return found
    if given is not None and not path.exists() and _is_repository(str(given)):
        return _from_hub(name, str(given), offline)
    where = f"{path} holds no {' or '.join(wanted.files)}" if path.is_dir() else f"{path} does not exist"
    raise WeightsError(
        f"{wanted.title} needs its weights and {where}; fetch {wanted.fetch}; then name the file with --weights, or put it "
        f"into {weights_folder(name)}"
    )


def identity(weights: Path) -> str:
    """Return what tells these weights from others: by their size and both ends, or by their cards where they have some.

    Nobody is kept waiting for a checksum of gigabytes. Raises ``WeightsError`` where they cannot be read.
    """
    digest = sha256()
    try:
        if weights.is_dir():
            for card in sorted(weights.glob("*.yaml")):  # the cards hold the checksums
                digest.update(card.read_bytes())
        else:
            size = weights.stat().st_size
            with weights.open("rb") as file:
                digest.update(str(size).encode() + file.read(_END))
                file.seek(max(size - _END, 0))
                digest.update(file.read(_END))
    except OSError as error:
        raise WeightsError(f"{weights} cannot be read ({error.strerror}); name the weights again") from error
    return digest.hexdigest()[:16]


def open_encoder(name: str, weights: Path | str | None = None) -> JointEncoder:
    """Open an encoder by name; see :func:`find_weights`. Raises ``RequestError`` or ``WeightsError``."""
    return offer(name).open(find_weights(name, weights))


def _is_repository(given: str) -> bool:
    parts = given.split("/")
    return len(parts) == 2 and all(part and not part.startswith(".") for part in parts) and "\\" not in given


def _from_hub(name: str, repository: str, offline: bool) -> Path:
    from motifmix.encoders.encoder_files import EncoderFiles

    wanted = offer(name)
    try:
        files = EncoderFiles(name, (wanted.files,), f"https://huggingface.co/{repository}", repository)
        (found,) = files.found(offline=offline).values()
    except WeightsError as error:
        raise WeightsError(
            f"{repository} is no file or folder here, and no repository of the hub that could be reached holds "
            f"{' or '.join(wanted.files)} under this name; fetch {wanted.fetch}"
        ) from error
    return found
