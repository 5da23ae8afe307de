"""Styles that somebody adopted (``motifmix adopt``): where they lie, what they may be called, how they are kept.

Each is a folder with a card and a safetensors file, below ``MOTIFMIX_HOME/styles`` or elsewhere. A folder appears whole or
not at all: it is made beside its place and renamed.
"""

import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motifmix.errors import FileError, RequestError, WeightsError
from motifmix.home import home
from motifmix.models.adopted_style import AdoptedStyle
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import Card, read_card, write_weights

PART = "adopted_style"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LARGEST = 100.0  # of a style's numbers: most are below 3, and the most steps of learning move one by some 50


@dataclass(frozen=True)
class Adopted:
    """An adopted style with its card; ``card.extra`` names the ``denoiser`` that it goes with, and the ``clips``."""

    name: str
    folder: Path
    card: Card


def styles_folder() -> Path:
    """Return where adopted styles lie unless told otherwise."""
    return home() / "styles"


def check_name(name: str) -> str:
    """Return a name as it is kept. Raises ``RequestError`` where it cannot be one."""
    plain = name.strip().casefold()
    if not _NAME.fullmatch(plain):
        raise RequestError(
            f"{name[:60]!r} cannot be the name of a style; take up to 40 letters a to z, digits, - and _, as in limping"
        )
    return plain


def place_for(name: str, folder: Path | None = None, *, force: bool = False) -> Path:
    """Return the folder for a new style.

    Raises ``FileError`` where something is there that may not be replaced, and where no folder can be made, which is
    found now and not after the learning.
    """
    place = (folder or styles_folder()) / check_name(name)
    above = next(own for own in place.absolute().parents if own.exists())
    try:
        with tempfile.TemporaryDirectory(dir=above):
            pass
    except OSError as error:
        raise FileError(f"{above}: no folder can be made here ({error.strerror}); choose another --out") from None
    if place.exists() and not (place / f"{PART}.yaml").is_file():
        raise FileError(f"{place} exists and is no adopted style; take another name or folder")
    if place.exists() and not force:
        raise FileError(f"{place} exists and is kept; choose another --name, or --force to replace it")
    return place


def find(words: str) -> Path | None:
    """Return the folder of the adopted style that ``words`` names, or whose folder they are; None where there is none."""
    plain = words.strip().casefold()
    places = [styles_folder() / plain] if _NAME.fullmatch(plain) else [Path(words)] if "/" in words else []
    return next((place for place in places if is_adopted(place)), None)


def is_adopted(folder: Path) -> bool:
    """Tell whether an adopted style lies in a folder."""
    try:
        return (folder / f"{PART}.yaml").is_file()
    except (OSError, ValueError):
        return False


def all_adopted(folder: Path | None = None) -> list[Adopted]:
    """Return the adopted styles by name; what has no card or no weights is left out. Raises ``FileError``."""
    place = folder or styles_folder()
    found = []
    try:
        inside = sorted(place.iterdir()) if place.is_dir() else []
    except OSError as error:
        raise FileError(f"{place}: adopted styles cannot be listed ({error.strerror})") from None
    for own in inside:
        if _NAME.fullmatch(own.name) and is_adopted(own):
            try:
                card = read_card(own / f"{PART}.yaml")
                if (own / f"{PART}.safetensors").is_file():
                    found.append(Adopted(own.name, own, card))
            except WeightsError:
                continue
    return found


def load(folder: Path, denoiser: str, shape: tuple[int, int, int] | None = None) -> tuple[Adopted, AdoptedStyle]:
    """Load a style for the denoiser with this checksum, whose style vector, width and blocks are ``shape``.

    Raises ``WeightsError`` for what is damaged and ``RequestError`` for a style of other weights.
    """
    again = f"adopt it again: motifmix adopt CLIPS --name {folder.name} --force"
    try:
        card, network, _ = load_part(folder, PART)
    except WeightsError as error:
        raise WeightsError(f"the style {folder.name!r} cannot be used ({_reason(error)}); {again}") from error
    if card.extra.get("denoiser") != denoiser:
        raise RequestError(f"the style {folder.name!r} was adopted for other weights than these; {again}")
    if not isinstance(network, AdoptedStyle):
        raise WeightsError(f"{folder}: holds no adopted style; {again}")
    own = (len(network.vector), network.width, len(network.up))
    sane = all(bool((tensor.abs() <= _LARGEST).all()) for tensor in network.parameters())  # what is no number is not
    if shape not in (None, own) or not sane:
        raise WeightsError(f"the style {folder.name!r} is spoilt: its numbers fit no denoiser; {again}")
    return Adopted(folder.name, folder, card), network


def _reason(error: WeightsError) -> str:
    """What is wrong with a file, without the advice for weights that can be fetched or trained."""
    return str(error).split("; convert, train or download")[0]


def save(place: Path, network: AdoptedStyle, *, force: bool = False, **facts: Any) -> None:
    """Write a style to the folder ``place``, whole or not at all. Raises ``FileError``."""
    place_for(place.name, place.parent, force=force)
    beside = place.parent / f".{place.name}.{secrets.token_hex(4)}"
    old = place.parent / f".{place.name}.old.{secrets.token_hex(4)}"
    try:
        beside.mkdir(parents=True)
        write_weights(beside, PART, network.state_dict(), exact=True, name=place.name, **facts)
        if place.exists():
            place.rename(old)
        beside.rename(place)
    except OSError as error:
        raise FileError(f"{place} cannot be written: {error.strerror or error}; choose another --out") from error
    finally:
        if old.exists() and not place.exists():
            old.rename(place)
        for left in (beside, old):
            shutil.rmtree(left, ignore_errors=True)


def changed(folder: Path) -> int:
    """Return when a style was written, which tells one that was replaced from the one before."""
    return (folder / f"{PART}.yaml").stat().st_mtime_ns
