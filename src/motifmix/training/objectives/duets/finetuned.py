"""What a Mixer is compared with: one network of two people that was taught further, instead of two that are mixed.

``begin: individual`` is MixerMDM's baseline as its code has it: in2IN's interaction network begins with the weights of the
individual one (whose cross-attention nothing has trained yet), self-attention stays as it is, and pairs teach the rest.
``begin: interaction`` is the other way round, and ours: the trained interaction model goes on with pairs half of whose people
are single clips on their paths, told what those show (``both_kinds.py``), so that it hears of foreign contents and styles.
"""

from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from motifmix.data.prepared import Prepared
from motifmix.errors import DataError, WeightsError
from motifmix.home import home
from motifmix.models.in2in import In2INIndividual, In2INInteraction
from motifmix.models.intergen import PEOPLE, people_in_batch
from motifmix.pretrained.build import load_part
from motifmix.training.objectives.duets.both_kinds import BothKinds, MixedBatch
from motifmix.training.objectives.duets.individual import STYLE_WORDS, Sentences
from motifmix.training.objectives.duets.interaction import DuetInteractionObjective, DuetInteractionOptions
from motifmix.training.objectives.duets.people import People, PeopleOptions
from motifmix.training.objectives.duets.texts import ScaledTexts
from motifmix.training.objectives.papers.base import Drawn
from motifmix.training.objectives.published.interaction import WEIGHTS, InteractionLoss, training_losses

EXPECTED: dict[str, type[nn.Module]] = {"individual": In2INIndividual, "interaction": In2INInteraction}


class DuetFinetunedOptions(DuetInteractionOptions):
    """Options of ``duet_finetuned`` recipes: the folder that it begins with, below MOTIFMIX_HOME, and which of both it is.

    ``foreign``: share of pairs with other people; their sets stand behind the pairs' in the recipe's data.
    """

    begin: Literal["individual", "interaction"] = "individual"
    base: str = "weights-duets-individual"
    foreign: float = Field(default=0.0, ge=0, le=1)


class DuetFinetunedObjective(DuetInteractionObjective):
    """Goes on with a network of in2IN's."""

    model = "duet-finetuned"

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        own = DuetFinetunedOptions.model_validate(options)
        place = home() / own.base
        if not (place / "denoiser.yaml").is_file():
            raise WeightsError(f"{place}: holds no denoiser to begin with; train it first (recipes/duets)")
        card, network, _ = load_part(place, "denoiser")
        if not isinstance(network, EXPECTED[own.begin]):
            raise WeightsError(f"{place}: is not in2IN's {own.begin} network, which options.begin asks for")
        known = {name: getattr(own, name) for name in DuetInteractionOptions.model_fields}
        super().__init__(data[:1], {**known, "denoiser": {**card.sizes, **own.denoiser}}, seed)
        self.data, self.own = data, own
        self.credit = list(dict.fromkeys([*self.credit, *card.credit]))
        self.modules["denoiser"].load_state_dict(network.state_dict())
        if own.begin == "individual":
            for name, parameter in self.modules["denoiser"].named_parameters():
                parameter.requires_grad_("self_attention" not in name)
        self.single = PeopleOptions(frames=own.frames)
        self.sets = [Prepared(home() / "data" / name) for name in data[1:]]
        if own.foreign > 0 and not self.sets:
            raise DataError(
                "options.foreign needs sets of single clips in the recipe's data, behind the pairs; or set it to 0"
            )
        self.sentences, tables = None, [self.texts]
        people = self._people("train")
        if people is not None:
            self.sentences = Sentences([*people.clips, *People(self.sets, "test", self.single).clips], STYLE_WORDS)
            tables.append(ScaledTexts(self.sentences.all()))
        self.both = BothKinds(self.clips, tables, people, self.sentences)

    def _people(self, split: str) -> People | None:
        return People(self.sets, split, self.single) if self.own.foreign > 0 else None

    @cached_property
    def both_held_out(self) -> BothKinds:
        """Validation pairs, and single clips of the test side."""
        return BothKinds(self.held_out, self.both.texts, self._people("test"), self.sentences)

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """InterGen's losses on pairs; on foreign people those of each person, as nobody knows how they should meet."""
        own = self.own
        batch = (self.both_held_out if held_out else self.both).draw(rng, own.batch, own.foreign).to(self.device)
        mean, std = self.mean.to(self.device), self.std.to(self.device)
        normalised = (batch.motion - mean) / std * batch.valid[:, None, :, None]  # [B, P, T, F]
        clean = normalised.transpose(1, 2).flatten(2)  # [B, T, P F]
        timesteps, noise = self.drawn_noise(clean, generator)
        texts = self.dropped(batch.text, batch.individual_text, generator)
        loss = InteractionLoss(mean, std, {**WEIGHTS, **own.weights}, last_step=own.last_step)
        terms, _ = training_losses(
            lambda noisy: modules["denoiser"](noisy, timesteps, *texts, batch.valid).float(),
            lambda made, true: _by_kind(loss, made, true, timesteps, batch),
            clean, noise, timesteps, self.schedule,
        )  # fmt: skip
        return terms["total"], {name: float(value.detach()) for name, value in terms.items() if name != "total"}


def _by_kind(
    loss: InteractionLoss, made: Tensor, true: Tensor, timesteps: Tensor, batch: MixedBatch
) -> dict[str, Tensor]:
    """Losses of [B, T, P F], pairs as pairs and foreign people one by one, each counted by its share of the batch."""
    totals: dict[str, Tensor] = {}
    pairs, foreign = ~batch.foreign, batch.foreign
    if pairs.any():
        totals["pairs"] = loss(made[pairs], true[pairs], timesteps[pairs], batch.valid[pairs])["total"]
    if foreign.any():
        steps, valid = (each[foreign].repeat_interleave(PEOPLE, dim=0) for each in (timesteps, batch.valid))
        alone = people_in_batch(made[foreign]), people_in_batch(true[foreign])
        totals["foreign_people"] = loss.of_person(alone[0], alone[1], steps, valid)["total"]
    shares = {"pairs": pairs.float().mean(), "foreign_people": foreign.float().mean()}
    return {**totals, "total": torch.stack([shares[name] * value for name, value in totals.items()]).sum()}
