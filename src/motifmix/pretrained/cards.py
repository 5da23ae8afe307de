"""Weights on disk: a safetensors file and, beside it, a card that says what it is.

The card (YAML) names the architecture and its sizes, the feature space, what it was trained on and by which recipe, its
measured numbers, and the checksum of the file. Loading checks the sum first; nothing is unpickled.
"""

import hashlib
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from motifmix.atomic import replacing
from motifmix.errors import WeightsError
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.pretrained.plain_yaml import read_plain_yaml


class Card(BaseModel):
    """What stands beside a weights file."""

    model_config = ConfigDict(extra="forbid")

    name: str
    role: Literal["generate", "guide", "select", "score"]
    architecture: str
    sizes: dict[str, Any]
    space: str
    licence: str
    credit: list[str]
    data: list[str]
    recipe: str
    commit: str
    numbers: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    quirks: list[str] = []
    sha256: str


def checksum(data: bytes) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def read_card(path: Path) -> Card:
    """Read ``part.yaml``. Raises ``WeightsError`` where it is missing or no card."""
    try:
        return Card.model_validate(read_plain_yaml(path))
    except OSError as error:
        raise WeightsError(f"{path}: the card is missing; {_remedy(path)} or run 'make weights'") from error
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path}: this is no model card ({reason}); {_remedy(path)}") from error


def read_weights(folder: Path, part: str) -> tuple[Card, dict[str, Any]]:
    """Return the card and the float32 tensors of ``folder/part.safetensors``.

    Raises ``WeightsError`` when a file is missing or the checksum differs from the card's.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    card = read_card(folder / f"{part}.yaml")
    path = folder / f"{part}.safetensors"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: the weights are missing; {_remedy(path)} or run 'make weights'") from error
    if checksum(data) != card.sha256:
        raise WeightsError(f"{path}: the file was altered or is damaged (its checksum differs); {_remedy(path)}")
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise WeightsError(f"{path}: not a safetensors file; {_remedy(path)}") from error
    return card, {name: t.float() if t.dtype == torch.float16 else t for name, t in tensors.items()}


def write_weights(folder: Path, part: str, tensors: dict[str, Any], *, exact: bool = False, **facts: Any) -> Card:
    """Write tensors and their card; both are replaced as wholes. Floating ones are halved in precision unless ``exact``.

    The order matters: weights first, so that a card never promises a file that is not there yet.
    """
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    small: dict[str, Any] = {}
    shared: set[int] = set()
    for name, tensor in tensors.items():
        half = tensor.is_floating_point() and not exact
        own = (tensor.to(torch.float16) if half else tensor).detach().contiguous()
        alone = own.untyped_storage().nbytes() == own.nbytes and own.data_ptr() not in shared
        small[name] = own if alone else own.clone()  # large networks are not copied once more
        shared.add(own.data_ptr())
    temporary = folder / f".{part}.safetensors.part"
    try:
        save_file(small, temporary)
        card = Card(sha256=checksum_of(temporary), **facts)
        temporary.replace(folder / f"{part}.safetensors")
    finally:
        temporary.unlink(missing_ok=True)
    text = yaml.safe_dump(card.model_dump(), sort_keys=False, allow_unicode=True, width=120)
    with replacing(folder / f"{part}.yaml", force=True) as path:
        path.write_text(text, "utf-8")
    return card


def checksum_of(path: Path) -> str:
    """SHA-256 of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_version(folder: Path) -> str:
    """What tells two folders of weights apart: cached figures of one are never taken for the other's.

    The encoder of people read off films has no part in it: it changes nothing but what is made in the style of a film, which is
    measured on its own (benchmarks/video_style.py).
    """
    digest = hashlib.sha256()
    for path in sorted(own for own in folder.glob("*.safetensors") if own.stem != "film_encoder"):
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _remedy(path: Path) -> str:
    return "install motifmix again" if path.is_relative_to(PACKAGE_WEIGHTS) else "convert, train or download it again"
