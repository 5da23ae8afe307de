"""A folder that ``motifmix models convert`` wrote: reading it back as a model, and verifying it.

``model.yaml`` says which published model it is, of which files (with their sha256) it was made, and its licence; beside it
lies one safetensors file with a card a part, and ``statistics.safetensors`` where the model has mean and std.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from motifmix.errors import WeightsError
from motifmix.features.space import Normaliser
from motifmix.pretrained.build import is_network, load_part
from motifmix.pretrained.cards import read_weights
from motifmix.pretrained.plain_yaml import read_plain_yaml
from motifmix.pretrained.published import Licence, Schedule, named_object, published, published_names

MODEL_CARD = "model.yaml"
STATISTICS = "statistics"


PartName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]  # a file's stem, and no path


class SourceFile(BaseModel):
    """A published file that a folder was made of."""

    model_config = ConfigDict(extra="forbid")

    published_as: str
    sha256: str
    bytes: int


class ModelCard(BaseModel):
    """What ``model.yaml`` says; licence and citation are inherited from the published model."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    published: str
    title: str
    converted_by: str
    files: dict[str, SourceFile]
    licence: Licence
    citation: str
    parts: list[PartName]
    statistics: list[str] = []
    space: str | None = None
    schedule: Schedule | None = None
    quirks: list[str] = []
    text_encoder: str | None = None


@dataclass(frozen=True)
class PublishedNetworks:
    """A converted model, loaded: its networks in evaluation mode by part, and mean and std by what they normalise."""

    card: ModelCard
    parts: dict[str, nn.Module]
    statistics: dict[str, Normaliser]

    @property
    def licence(self) -> str:
        """What may be done with the model, in one sentence."""
        return self.card.licence.consequence


def read_model_card(folder: Path) -> ModelCard:
    """Read ``model.yaml``. Raises ``WeightsError`` where it is missing or is none."""
    path = folder / MODEL_CARD
    try:
        return ModelCard.model_validate(read_plain_yaml(path))
    except OSError as error:
        raise WeightsError(f"{path} is missing; name a folder that 'motifmix models convert' wrote") from error
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        reason = "; ".join(str(error).splitlines()[:3])
        raise WeightsError(f"{path} is no card of a converted model ({reason}); convert it again") from error


def load_model(folder: Path) -> PublishedNetworks:
    """Load all parts of a converted folder. Raises ``WeightsError``; nothing is unpickled and no hub is asked."""
    card = read_model_card(folder)
    _complain(folder, networks_unlike(card))
    parts = {part: load_part(folder, part)[1] for part in card.parts}
    return PublishedNetworks(card, parts, _statistics(folder, card))


def _statistics(folder: Path, card: ModelCard) -> dict[str, Normaliser]:
    if not card.statistics:
        return {}
    _, tensors = read_weights(folder, STATISTICS)
    try:
        return {
            name: Normaliser(tensors[f"{name}.mean"].numpy(), tensors[f"{name}.std"].numpy())
            for name in card.statistics
        }
    except KeyError as error:
        raise WeightsError(f"{folder / STATISTICS}.safetensors lacks {error}; convert it again") from error


def networks_unlike(card: ModelCard) -> list[str]:
    """Say in what a converted model's networks are not those of the published model that it claims to be.

    What a recipe trained was made of no published file, and may hold some of the parts only.
    """
    if not card.files:
        return []
    if card.published not in published_names():
        return [f"no published model is called {card.published!r}"]
    model = published(card.published)
    missing = [name for name, part in model.parts.items() if not part.optional and name not in card.parts]
    unknown = [name for name in card.parts if name not in model.parts]
    lacking = [name for name in model.statistics if name not in card.statistics]
    return [
        *(f"the part {name} of {model.name} is missing" for name in missing),
        *(f"{model.name} has no part {name}" for name in unknown),
        *(f"the statistics {name} of {model.name} are missing" for name in lacking),
    ]


def texts_unlike(card: ModelCard) -> list[str]:
    """Say in what a converted model's terms and credits are not those that its published model's card states."""
    if not card.files or card.published not in published_names():
        return []
    model = published(card.published)
    stated, known = card.licence.model_dump(), model.licence.model_dump()
    found = [f"licence, {key}: it says {stated[key]!r}, the published card {known[key]!r}" for key in known]
    found = [line for line, key in zip(found, known, strict=True) if stated[key] != known[key]]
    if card.citation.strip() != model.citation:
        found.append(f"citation: it differs from that of {model.name}")
    return found


def _complain(folder: Path, complaints: Sequence[str]) -> None:
    if complaints:
        raise WeightsError(f"{folder / MODEL_CARD}: {'; '.join(complaints)}; convert it again")


def verify(folder: Path, say: Callable[[str], None]) -> None:
    """Check hashes, keys, shapes, finite numbers and a forward pass of every part; one line each goes to ``say``.

    Folders of our own parts are verified as well. Raises ``WeightsError`` at the first thing that is wrong.
    """
    if not folder.is_dir():
        raise WeightsError(f"{folder} is no folder; name one that 'motifmix models convert' wrote")
    card = read_model_card(folder) if (folder / MODEL_CARD).exists() else None
    parts = card.parts if card else sorted(path.stem for path in folder.glob("*.yaml"))
    if not parts:
        raise WeightsError(f"{folder} holds no weights; name one that 'motifmix models convert' wrote")
    if card:
        _complain(folder, [*networks_unlike(card), *texts_unlike(card)])
    model = published(card.published) if card and card.published in published_names() else None
    for part in parts:
        own, tensors = read_weights(folder, part)
        if card and card.files and model and own.architecture != model.parts[part].architecture:
            raise WeightsError(
                f"{folder / part}.yaml: {own.architecture} is not the {part} of {model.name}; convert it again"
            )
        _check_finite(folder / f"{part}.safetensors", tensors)
        if card is None and not is_network(own):
            say(f"{part}: checksum, {len(tensors)} tensors, finite numbers: good")
            continue
        _, module, rest = load_part(folder, part)
        if rest and card:
            raise WeightsError(
                f"{folder / part}.safetensors holds the unknown tensor {next(iter(rest))!r}; convert it again"
            )
        facts = f"checksum, {len(tensors)} tensors, shapes, finite numbers"
        if model and part in model.parts:
            facts += f", forward pass {tried(module, model.parts[part].trial, folder / part)}"
        say(f"{part}: {facts}: good")
    if card and card.statistics:
        for name, normaliser in _statistics(folder, card).items():
            check_statistics(f"{folder / STATISTICS}.safetensors, {name}", normaliser.mean, normaliser.std)
            say(f"statistics {name}: {len(normaliser.mean)} numbers, finite, no deviation below 0: good")


def _check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise WeightsError(
                f"{path}: {name} holds numbers that are not finite (NaN or infinite); the weights are spoilt"
            )


def check_statistics(where: str, mean: Any, std: Any) -> None:
    """Raise ``WeightsError`` unless mean and standard deviation are finite and no deviation is negative."""
    import numpy as np

    if not (np.isfinite(mean).all() and np.isfinite(std).all()):
        raise WeightsError(f"{where}: mean or standard deviation is not finite; make the statistics again")
    if (std < 0).any():
        raise WeightsError(f"{where}: a standard deviation is negative; were mean and std exchanged?")


def tried(module: nn.Module, trial: str, where: Path) -> str:
    """Run one small forward pass and return the shapes that come out.

    Raises ``WeightsError`` where it fails or gives numbers that are not finite.
    """
    try:
        with torch.no_grad():
            outputs = list(_tensors(named_object(trial, "pretrained.maps")(module)))
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError) as error:
        raise WeightsError(f"{where}: its forward pass fails ({error})") from error
    for output in outputs:
        if output.is_floating_point() and not torch.isfinite(output).all():
            raise WeightsError(f"{where}: its forward pass gives numbers that are not finite; the weights are spoilt")
    return ", ".join(str(list(output.shape)) for output in outputs)


def _tensors(outputs: Any) -> Sequence[Tensor]:
    if isinstance(outputs, Tensor):
        return [outputs]
    values = outputs.values() if isinstance(outputs, Mapping) else outputs
    return [tensor for value in values for tensor in _tensors(value)]
