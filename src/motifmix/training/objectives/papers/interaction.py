"""InterGen and both networks of in2IN (Liang et al., IJCV 2024; Ruiz-Ponce et al., CVPR workshops 2024).

Clean-sample prediction over 1000 cosine steps; a text head of two layers is trained on the frozen CLIP's tokens; texts of
an item are dropped together, one time in ten.
"""

from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from motifmix.data.humanml3d import read_normaliser
from motifmix.data.interhuman import HumanML3DIn262, InterHuman
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.errors import DataError
from motifmix.features.interhuman import InterHumanSpace
from motifmix.features.space import Normaliser
from motifmix.models.in2in import In2INIndividual, In2INInteraction
from motifmix.models.intergen import InterGenDenoiser, InterGenNetwork, TextHead
from motifmix.training.encoded_texts import EncodedTexts
from motifmix.training.objectives.papers.base import Drawn, KeptPart, PaperObjective, quirks_named
from motifmix.training.objectives.published.interaction import InteractionLoss, simple_loss, training_losses
from motifmix.training.published_sets import HELD_OUT, Clips, PairBatch, Pairs, fitted_normaliser, opened
from motifmix.training.recipe import Recipe

STEPS = 1000
PERSON_FRAMES = 300
FITTED = "fitted"  # statistics made of the data
_WHERE = {
    "interhuman": ("global_mean.npy", "global_std.npy", "data/ of github.com/tr3e/InterGen"),
    "humanml3d-262": ("hml3d_mean.npy", "hml3d_std.npy", "in2in/utils/ of github.com/pabloruizponce/in2IN"),
}


class InteractionOptions(BaseModel):
    """Options of ``intergen``, ``in2in_interaction`` and ``in2in_individual`` recipes.

    ``statistics``: the folder of mean and deviation, ``fitted`` to make them of the data; by default the data's folder.
    """

    model_config = ConfigDict(extra="forbid")

    batch: int = 32
    statistics: str | None = None
    denoiser: dict[str, Any] = {}
    text_head: dict[str, Any] = {}
    text_dropout: float = 0.1
    last_step: int = 700
    text_encoder: str = "clip-vit-large-patch14-336"
    text_folder: str | None = None
    quirks: list[str] = []


class TextsRead:
    """Sentences to vectors: frozen token features, read by a trained head."""

    def __init__(self, texts: list[str], width: int, encoder: str, folder: str | None) -> None:
        self.encoded = EncodedTexts(texts, encoder, "tokens", width, folder)

    def __call__(self, head: nn.Module, texts: list[str], device: torch.device) -> Tensor:
        """Return vectors [N, D]."""
        return head(self.encoded(texts, device), self.encoded.tokens(texts, device))


class InteractionObjective(PaperObjective):
    """What the three share."""

    space = InterHumanSpace.name
    network: type[InterGenNetwork]
    individual_captions = False
    architecture: str

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self.options = o = InteractionOptions.model_validate(recipe.options)
        self.quirks = quirks_named(o.quirks, "training.objectives.published.interaction")
        self._open(recipe)
        self.statistics["motion"] = self.normaliser
        denoiser, head = self.network(**o.denoiser), TextHead(**o.text_head)
        self.modules["denoiser"], self.modules["text_head"] = denoiser, head
        self.kept["denoiser"] = KeptPart(self.architecture, o.denoiser)
        self.kept["text_head"] = KeptPart("intergen:TextHead", o.text_head)
        self.text_encoder = o.text_encoder
        texts = self.clips.texts() + self.held_out.texts()
        self.read = TextsRead(texts, head.norm.weight.numel(), o.text_encoder, o.text_folder)
        self.schedule = DiscreteSchedule.of(cosine_betas(STEPS))
        self.mean, self.std = torch.from_numpy(self.normaliser.mean), torch.from_numpy(self.normaliser.std)

    def _open(self, recipe: Recipe) -> None:
        reader: InterHuman = opened(recipe, individual_captions=self.individual_captions)
        self.clips: Any = Pairs(reader, "train")
        self.reader: Any = reader
        self.normaliser = statistics_of(recipe, self.options.statistics, self.clips.fitted)

    @cached_property
    def held_out(self) -> Any:
        """The test list."""
        return Pairs(self.reader, "test", mirrored=False)

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """Noise a batch of pairs and compare what the network makes of it."""
        count = min(self.options.batch, 16) if held_out else self.options.batch
        batch = (self.held_out if held_out else self.clips).draw(rng, count).to(self.device)
        mean, std = self.mean.to(self.device), self.std.to(self.device)
        normalised = (batch.people - mean) / std * batch.valid_mask[..., None, None]
        clean = normalised.flatten(2)  # [B, T, 2 F]
        timesteps = torch.randint(STEPS, (count,), generator=generator).to(self.device)
        noise = torch.randn(clean.shape, generator=generator).to(self.device)
        kept = (torch.rand(count, generator=generator) >= self.options.text_dropout).float().to(self.device)
        texts = self._told(modules, batch, kept)
        loss = InteractionLoss(mean, std, last_step=self.options.last_step, quirks=self.quirks)
        terms, _ = training_losses(
            lambda noisy: modules["denoiser"](noisy, timesteps, *texts, batch.valid_mask).float(),
            lambda made, true: loss(made, true, timesteps, batch.valid_mask),
            clean, noise, timesteps, self.schedule,
        )  # fmt: skip
        shown = ("simple", "velocity_first", "foot_contact_first", "distance_map", "relative_orientation")
        return terms["total"], {name: float(terms[name].detach()) for name in shown}

    def _told(self, modules: nn.ModuleDict, batch: PairBatch, kept: Tensor) -> tuple[Tensor, ...]:
        return (self.read(modules["text_head"], batch.texts, self.device) * kept[:, None],)


class InterGenObjective(InteractionObjective):
    """Two people who share one text."""

    model, network, architecture = "intergen", InterGenDenoiser, "intergen:InterGenDenoiser"


class In2INObjective(InteractionObjective):
    """Two people, the interaction's text and one for each."""

    model, network, architecture = "in2in", In2INInteraction, "in2in:In2INInteraction"
    individual_captions = True

    def _told(self, modules: nn.ModuleDict, batch: PairBatch, kept: Tensor) -> tuple[Tensor, ...]:
        return told_three(self.read, modules["text_head"], batch, kept)


class IndividualObjective(InteractionObjective):
    """One person, one text, reconstruction only; HumanML3D in InterHuman's numbers."""

    model, network, architecture = "in2in-individual", In2INIndividual, "in2in:In2INIndividual"

    def _open(self, recipe: Recipe) -> None:
        self.reader: HumanML3DIn262 = opened(recipe)
        samples = list(self.reader.samples("train"))
        self.normaliser = statistics_of(
            recipe, self.options.statistics, lambda: fitted_normaliser(sample.features for sample in samples)
        )
        self.clips = Clips(samples, self.normaliser, PERSON_FRAMES, unit=1)

    @cached_property
    def held_out(self) -> Clips:
        """The first clips of the test list."""
        samples = islice(self.reader.samples("test"), HELD_OUT)
        return Clips(samples, self.normaliser, PERSON_FRAMES, unit=1)

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """Noise a batch of people and compare features."""
        count = min(self.options.batch, 32) if held_out else self.options.batch
        batch = (self.held_out if held_out else self.clips).draw(rng, count).to(self.device)
        timesteps = torch.randint(STEPS, (count,), generator=generator).to(self.device)
        noise = torch.randn(batch.features.shape, generator=generator).to(self.device)
        kept = (torch.rand(count, generator=generator) >= self.options.text_dropout).float().to(self.device)
        text = self.read(modules["text_head"], batch.texts, self.device) * kept[:, None]
        terms, _ = training_losses(
            lambda noisy: modules["denoiser"](noisy, timesteps, text, batch.valid_mask).float(),
            lambda made, true: {"total": simple_loss(made, true, batch.valid_mask)},
            batch.features, noise, timesteps, self.schedule,
        )  # fmt: skip
        return terms["total"], {}


def told_three(read: TextsRead, head: nn.Module, batch: PairBatch, kept: Tensor) -> tuple[Tensor, Tensor]:
    """Return the vectors of the interaction's text [B, D] and of each person's [B, 2, D], zero where not ``kept`` [B]."""
    flat = [text for own in batch.individual_texts for text in own]
    vectors = read(head, batch.texts + flat, kept.device)
    shared, alone = vectors[: len(kept)], vectors[len(kept) :].unflatten(0, (len(kept), -1))
    return shared * kept[:, None], alone * kept[:, None, None]


def statistics_of(recipe: Recipe, folder: str | None, fit: Any) -> Normaliser:
    """Read mean and deviation of a set, which come with the models and not with the data, or fit them.

    Raises ``DataError`` that says where they are to be had.
    """
    if folder == FITTED:
        return fit()
    from pathlib import Path

    mean, std, source = _WHERE[recipe.data[0]]
    place = Path(folder or recipe.data_folder or ".")
    if not (place / mean).is_file():
        raise DataError(
            f"{place}: holds no {mean}; take it and {std} from {source} and name their folder with "
            f"--set options.statistics=FOLDER, or fit both to the data with options.statistics={FITTED}"
        )
    return read_normaliser(place / mean, place / std, InterHumanSpace.dim)
