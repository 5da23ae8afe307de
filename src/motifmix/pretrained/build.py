"""From a card to a network: our own parts and published ones alike."""

import importlib
import inspect
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from motifmix.errors import WeightsError
from motifmix.pretrained.cards import Card, read_weights
from motifmix.quirks import Quirk

_LARGEST_SIZE, _LARGEST_LIST = 2**17, 10_000
# A network is made at once, without a look at its shapes before, where no size and no product of three is larger.
_OUTRIGHT_SIZE, _OUTRIGHT_PRODUCT = 2**12, 2**25
_MOST_COMPUTED = 2**26  # numbers in tables that a network computes and no file holds


def build(card: Card) -> Any:
    """Return the network that a card describes, without weights. Raises ``WeightsError`` for an unknown one."""
    try:
        return network(card.architecture, card.sizes, card.quirks)
    except WeightsError as error:
        raise WeightsError(f"card {card.name!r}{error}") from error


def network(architecture: str, sizes: Mapping[str, Any], quirks: Sequence[str] = ()) -> Any:
    """Return a network of our own (``TemporalVAE``) or of ``motifmix.models`` (``mld_vae:MotionVAE``), by its sizes.

    Raises ``WeightsError`` where there is no such class, quirk or size; the message goes on after a subject.
    """
    kind = _class(architecture)
    found = [_quirk(kind, name) for name in quirks]
    try:
        return kind(**sizes, **({"quirks": found} if found else {}))
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise WeightsError(f": its sizes do not fit {architecture} ({error})") from error


def is_network(card: Card) -> bool:
    """Whether a card describes one of the networks that :func:`build` knows; banks and word lists are none."""
    try:
        _class(card.architecture)
    except WeightsError:
        return False
    return True


def _class(architecture: str) -> Any:
    from torch import nn

    if ":" not in architecture:
        from motifmix.models.latent_denoiser import LatentDenoiser
        from motifmix.models.style_encoder import LengthPredictor, StyleEncoder, TextToStyle
        from motifmix.models.temporal_vae import TemporalVAE

        known = {m.__name__: m for m in (LatentDenoiser, LengthPredictor, StyleEncoder, TemporalVAE, TextToStyle)}
        if architecture not in known:
            raise WeightsError(f" names the architecture {architecture!r}, which is not known here")
        return known[architecture]
    module, _, name = architecture.partition(":")
    found = None
    if re.fullmatch(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*", module):
        try:
            found = getattr(importlib.import_module(f"motifmix.models.{module}"), name, None)
        except ImportError:
            found = None
    if not (
        inspect.isclass(found) and issubclass(found, nn.Module) and found.__module__.startswith("motifmix.models.")
    ):
        raise WeightsError(f" names the architecture {architecture!r}, which is not known here")
    return found


def _quirk(kind: Any, name: str) -> Quirk:
    """Find a quirk by its name in the file of the class that has it."""
    for value in vars(importlib.import_module(kind.__module__)).values():
        if isinstance(value, Quirk) and value.name == name:
            return value
    raise WeightsError(f" names the quirk {name!r}, which {kind.__name__} does not have")


def load_part(folder: Path, part: str) -> tuple[Card, Any, dict[str, Any]]:
    """Return card, network in evaluation mode, and the tensors of the file that belong to no network (statistics)."""
    card, tensors = read_weights(folder, part)
    network = _bounded(card, len(tensors), sum(tensor.numel() for tensor in tensors.values()))
    own = {name: tensor.shape for name, tensor in network.state_dict().items()}
    rest = {name: t for name, t in tensors.items() if name not in own}
    missing = [name for name in own if name not in tensors]
    unfit = [name for name in own if name in tensors and own[name] != tensors[name].shape]
    if missing or unfit:
        raise WeightsError(f"{folder / part}.safetensors: does not fit its card at {(missing + unfit)[0]!r}")
    if any(parameter.is_meta for parameter in network.parameters()):
        network = build(card)
    network.load_state_dict({name: tensors[name] for name in own})
    return card, network.eval().requires_grad_(False), rest


def _bounded(card: Card, tensors: int, numbers: int) -> Any:
    """Make a card's network; ``tensors`` and their ``numbers`` bound what it may ask for.

    A large one is made on the meta device only, where nothing is allocated: there its shapes can be looked at first. A
    small one is made outright, because that device loads a second and a half of torch's compiler. Raises
    ``WeightsError`` where the sizes ask for far more than the file holds.
    """
    import torch
    from torch.nn.modules.module import register_module_parameter_registration_hook

    absurd = f"card {card.name!r}: its sizes do not fit {card.architecture} (they ask for far more than its file holds)"
    left = 4 * tensors + 1_000  # some are made twice, or made and thrown away

    def count(module: Any, name: str, parameter: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise WeightsError(absurd)

    most = max(numbers, _LARGEST_SIZE)  # a larger one is the length of a tensor in the file
    if not all(_sensible(size, most) for size in card.sizes.values()):
        raise WeightsError(absurd)
    largest = sorted([1, *_integers(card.sizes)])[-3:]
    small = largest[-1] <= _OUTRIGHT_SIZE and math.prod(largest) <= _OUTRIGHT_PRODUCT
    hook = register_module_parameter_registration_hook(count)
    try:
        with nullcontext() if small else torch.device("meta"):
            network = build(card)
    finally:
        hook.remove()
    own = network.state_dict()
    if sum(buffer.numel() for name, buffer in network.named_buffers() if name not in own) > _MOST_COMPUTED:
        raise WeightsError(absurd)
    return network


def _integers(size: Any) -> list[int]:
    """Return the integers among sizes, however nested, at least 1 each."""
    if isinstance(size, Mapping):
        size = list(size.values())
    if isinstance(size, (list, tuple)):
        return [number for one in size for number in _integers(one)]
    return [max(1, abs(size))] if isinstance(size, int) else []


def _sensible(size: Any, most: int) -> bool:
    if isinstance(size, (list, tuple, dict)):
        below = size.values() if isinstance(size, dict) else size
        return len(size) <= _LARGEST_LIST and all(_sensible(one, most) for one in below)
    return not isinstance(size, int) or abs(size) <= most
