"""A trained Mixer of two small models, read from its folder; its card names the models between which it was trained.

>>> mixer = load_duet_mixer(folder)
>>> duet = Duet(DuetModel.load(mixer.interaction), DuetModel.load(mixer.individual), mixer.weigh)

Any other pair of models can stand in: it reads their clean motions, and neither their weights nor their states.
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from motifmix.errors import WeightsError
from motifmix.features.interhuman import InterHumanSpace
from motifmix.mix.schedules import PUBLISHED_TOTAL
from motifmix.mix.weights import LearnedWeights
from motifmix.models.mixer import Mixer
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import Card

PART = "mixer"
KNOWN = "familiarity.known"  # the sentences that the anchor learned from, where the Mixer knows them
SENTENCE = 384  # numbers that MiniLM gives


@dataclass(frozen=True, eq=False)
class DuetMixer:
    """What says whom to believe (``weigh``), the ``card``, and the folders of the two models of its training.

    ``led``: down to which step the anchor led the way when it learned; see ``Mixed``.
    """

    weigh: LearnedWeights
    card: Card
    interaction: Path
    individual: Path
    led: float | None = None

    @property
    def granularity(self) -> str:
        """``global``, ``temporal``, ``spatial`` or ``spatio_temporal``."""
        return str(self.card.sizes.get("granularity", "spatio_temporal"))


def load_duet_mixer(folder: Path | str) -> DuetMixer:
    """Read what ``recipes/duets/mixer.yaml`` wrote. Raises ``WeightsError`` where there is no Mixer of duets.

    The models' folders lie beside this one, under the names that its card has.
    """
    folder = Path(folder)
    card, network, rest = load_part(folder, PART)
    if not isinstance(network, Mixer) or card.space != InterHumanSpace.name:
        raise WeightsError(f"{folder}: holds no Mixer of duets; train one (recipes/duets/mixer.yaml)")
    if network.text.in_features != SENTENCE:
        raise WeightsError(
            f"{folder}: this Mixer reads {network.text.in_features} numbers of text, the sentences of these models have "
            f"{SENTENCE}; train one for them (recipes/duets/mixer.yaml)"
        )
    if not all(torch.isfinite(tensor).all() for tensor in network.state_dict().values()) or (
        network.familiarity is not None and network.familiarity.spread <= 0
    ):
        raise WeightsError(f"{folder / PART}.safetensors: holds numbers that no Mixer has; train or download it again")
    if (KNOWN in rest) != (network.familiarity is not None):
        raise WeightsError(
            f"{folder / PART}.yaml: card and file disagree on whether this Mixer knows sentences; train or download it again"
        )
    if network.familiarity is not None:
        try:
            network.familiarity.recall(rest[KNOWN])
        except ValueError as error:
            raise WeightsError(f"{folder / PART}.safetensors: {error}; train or download it again") from error
    interaction, individual = (_beside(folder, card.extra.get(role), role) for role in ("interaction", "individual"))
    return DuetMixer(LearnedWeights(network), card, interaction, individual, _led(folder, card.extra.get("led")))


def _led(folder: Path, step: object) -> float | None:
    if step is None:
        return None
    if isinstance(step, bool) or not isinstance(step, (int, float)) or not 0 <= step <= PUBLISHED_TOTAL:
        raise WeightsError(
            f"{folder / PART}.yaml: 'led' is no step of diffusion, 0 to {PUBLISHED_TOTAL}; train or download it again"
        )
    return float(step)


def _beside(folder: Path, name: object, role: str) -> Path:
    if not isinstance(name, str) or Path(name).name != name or name in ("", ".", ".."):
        raise WeightsError(f"{folder / PART}.yaml: names no folder of its {role} model; train or download it again")
    return folder.parent / name
