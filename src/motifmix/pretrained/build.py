"""From a card to a network."""

from pathlib import Path
from typing import Any

from motifmix.errors import WeightsError
from motifmix.pretrained.cards import Card, read_weights


def build(card: Card) -> Any:
    """Return the network that a card describes, without weights. Raises ``WeightsError`` for an unknown one."""
    from motifmix.models.latent_denoiser import LatentDenoiser
    from motifmix.models.style_encoder import LengthPredictor, StyleEncoder, TextToStyle
    from motifmix.models.temporal_vae import TemporalVAE

    known = {m.__name__: m for m in (LatentDenoiser, LengthPredictor, StyleEncoder, TemporalVAE, TextToStyle)}
    if card.architecture not in known:
        raise WeightsError(f"card {card.name!r} names the architecture {card.architecture!r}, which is not known here")
    try:
        return known[card.architecture](**card.sizes)
    except (TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"card {card.name!r}: its sizes do not fit {card.architecture} ({error})") from error


def load_part(folder: Path, part: str) -> tuple[Card, Any, dict[str, Any]]:
    """Return card, network in evaluation mode, and the tensors of the file that belong to no network (statistics)."""
    card, tensors = read_weights(folder, part)
    network = build(card)
    own = network.state_dict()
    rest = {name: t for name, t in tensors.items() if name not in own}
    missing = [name for name in own if name not in tensors]
    unfit = [name for name in own if name in tensors and own[name].shape != tensors[name].shape]
    if missing or unfit:
        raise WeightsError(f"{folder / part}.safetensors: does not fit its card at {(missing + unfit)[0]!r}")
    network.load_state_dict({name: tensors[name] for name in own})
    return card, network.eval().requires_grad_(False), rest
