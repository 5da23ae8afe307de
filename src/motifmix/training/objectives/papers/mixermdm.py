"""MixerMDM (Ruiz-Ponce et al., CVPR 2025): a Mixer between two frozen models, against a critic for each.

Steps take turns: an even one teaches the Mixer and its text head, an odd one the critics, each on a batch of its own. So
two of our steps are one of the paper's.
"""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.features.interhuman import InterHumanSpace
from motifmix.features.space import Normaliser
from motifmix.mix.ingredients import Scaling
from motifmix.mix.mixed import Mixed
from motifmix.mix.weights import LearnedWeights
from motifmix.models.discriminators import PERSON_FEATURES, Discriminator
from motifmix.models.intergen import PEOPLE, TextHead
from motifmix.models.mixer import Granularity, Mixer
from motifmix.pretrained.cards import read_weights
from motifmix.pretrained.converted import STATISTICS
from motifmix.training.objectives.papers.base import Drawn, KeptPart, PaperObjective, begun, quirks_named
from motifmix.training.objectives.papers.interaction import STEPS, TextsRead, told_three
from motifmix.training.objectives.published.mixermdm import (
    Critics,
    LossSettings,
    MixerObjective,
    prepare_half,
)
from motifmix.training.objectives.published.own_steps import ingredients_at, predictions
from motifmix.training.published_sets import PairBatch, Pairs, opened
from motifmix.training.recipe import Recipe

Half = Literal["generator", "discriminator"]
_QUIRKS = ("training.objectives.published.mixermdm", "mix.placement", "mix.weights", "models.mixer")


class MixerMDMOptions(BaseModel):
    """Options of ``mixermdm`` recipes.

    ``individual`` and ``interaction``: folders of in2IN's two models (by default where their recipes put them).
    ``quirks``: names of what the published training did otherwise.
    """

    model_config = ConfigDict(extra="forbid")

    batch: int = 64
    individual: str | None = None
    interaction: str | None = None
    granularity: Granularity = "spatio_temporal"
    mixer: dict[str, Any] = {}
    critic: dict[str, Any] = {}
    text_head: dict[str, Any] = {}
    individual_factor: float = 1.0
    interaction_factor: float = 2.0
    balance: float = 0.1
    text_dropout: float = 0.1
    text_encoder: str = "clip-vit-large-patch14-336"
    text_folder: str | None = None
    quirks: list[str] = []


class MixerMDMObjective(PaperObjective):
    """InterHuman's clips make noisy inputs; the frozen models' predictions are mixed and judged."""

    model, space = "mixermdm", InterHumanSpace.name

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self.options = o = MixerMDMOptions.model_validate(recipe.options)
        self.quirks = quirks_named(o.quirks, *_QUIRKS)
        self.half: Half = "generator"
        self._base("individual", o.individual, "in2in-individual", "in2in_individual.yaml")
        self._base("interaction", o.interaction, "in2in", "in2in_interaction.yaml")
        self.clips = Pairs(opened(recipe, individual_captions=True), "train")
        mixer = {**o.mixer, "granularity": o.granularity}
        person, scene = ({**o.critic, "features": PERSON_FEATURES * people} for people in (1, PEOPLE))
        head = TextHead(**o.text_head)
        self.modules["mixer"] = Mixer(**mixer, quirks=self.quirks)
        self.modules["text_head"] = head
        self.modules["individual_discriminator"] = Discriminator(**person)
        self.modules["interaction_discriminator"] = Discriminator(**scene)
        self.kept |= {
            "mixer": KeptPart("mixer:Mixer", mixer, [q for q in self.quirks if q.name.startswith("mixer_")]),
            "text_head": KeptPart("intergen:TextHead", o.text_head),
            "individual_discriminator": KeptPart("discriminators:Discriminator", person),
            "interaction_discriminator": KeptPart("discriminators:Discriminator", scene),
        }
        self.text_encoder = o.text_encoder
        texts = self.clips.texts() + self.held_out.texts()
        self.read = TextsRead(texts, head.norm.weight.numel(), o.text_encoder, o.text_folder)
        self.schedule = DiscreteSchedule.of(cosine_betas(STEPS))

    def _base(self, role: str, folder: str | None, default: str, recipe: str) -> None:
        remedy = f"train it first (motifmix train recipes/papers/{recipe}) or name a converted one with options.{role}"
        place, denoiser, kept = begun(folder, default, "denoiser", remedy)
        _, head, head_kept = begun(folder, default, "text_head", remedy)
        tensors = read_weights(place, STATISTICS)[1]
        scaling = Scaling(tensors["motion.mean"].float(), tensors["motion.std"].float())
        self.frozen.update({role: denoiser, f"{role}_text_head": head, f"{role}_scaling": scaling})
        self.kept |= {role: kept, f"{role}_text_head": head_kept}
        self.statistics[role] = Normaliser(scaling.mean.numpy(), scaling.std.numpy())

    @cached_property
    def held_out(self) -> Pairs:
        """The test list."""
        return Pairs(self.clips.reader, "test", mirrored=False)

    def begin_step(self, step: int) -> None:
        """Let the Mixer learn in even steps, the critics in odd ones."""
        self.half = "generator" if step % 2 == 0 else "discriminator"
        learning = [self.modules["mixer"], self.modules["text_head"]]
        base = [self.frozen[name] for name in ("individual", "interaction")]
        prepare_half(self.half, learning, self._critics(self.modules), base, self.quirks)

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """The losses of this step's half."""
        count = min(self.options.batch, 8) if held_out else self.options.batch
        batch = (self.held_out if held_out else self.clips).draw(rng, count).to(self.device)
        motion = (batch.people * batch.valid_mask[..., None, None]).transpose(1, 2)  # [B, P, T, 262]
        timesteps = torch.randint(STEPS, (count,), generator=generator).to(self.device)
        noise = torch.randn(motion.shape, generator=generator).to(self.device)
        kept = (torch.rand(count, generator=generator) >= self.options.text_dropout).float().to(self.device)
        condition = self._condition(modules, batch, kept)
        objective = self._objective(modules, timesteps)
        models = objective.mixed.chains
        mixture = objective.mixture(
            lambda states, steps: predictions(models, states, condition, batch.valid_mask),
            motion, noise, timesteps, condition, batch.valid_mask,
        )  # fmt: skip
        half = "generator" if held_out else self.half
        step = objective.generator if half == "generator" else objective.discriminator
        found = step(mixture, timesteps, condition, batch.valid_mask)
        share = float(mixture.weights.detach().float().mean())
        return found.total.float(), {half: float(found.total.detach()), "individual_share": share}

    def _condition(self, modules: nn.ModuleDict, batch: PairBatch, kept: Tensor) -> Condition:
        """Every model's own vectors of the same three texts."""
        everyone = torch.ones(len(kept), dtype=torch.bool, device=kept.device)
        heads = {"mixer": modules["text_head"]}
        heads |= {role: self.frozen[f"{role}_text_head"] for role in ("individual", "interaction")}
        parts = {}
        for name, head in heads.items():
            shared, alone = told_three(self.read, head, batch, kept)
            parts |= {f"{name}.text": Part(shared, everyone), f"{name}.individual_text": Part(alone, everyone)}
        return Condition(parts)

    def _critics(self, modules: nn.ModuleDict) -> Critics:
        person, scene = modules["individual_discriminator"], modules["interaction_discriminator"]
        assert isinstance(person, Discriminator) and isinstance(scene, Discriminator)
        return Critics(person, scene, quirks=self.quirks)

    def _objective(self, modules: nn.ModuleDict, timesteps: Tensor) -> MixerObjective:
        o, mixer = self.options, modules["mixer"]
        assert isinstance(mixer, Mixer)
        scene, person = (self._model(role) for role in ("interaction", "individual"))
        anchor, others = ingredients_at(timesteps, scene, [person], self.quirks)
        mixed = Mixed(anchor, others, LearnedWeights(mixer), quirks=self.quirks)
        settings = LossSettings(o.individual_factor, o.interaction_factor, o.balance, quirks=self.quirks)
        return MixerObjective(mixed, self._critics(modules), self.schedule, settings)

    def _model(self, role: str) -> tuple[str, nn.Module, Scaling]:
        scaling = self.frozen[f"{role}_scaling"]
        assert isinstance(scaling, Scaling)
        return role, self.frozen[role], scaling

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write Mixer, critics and both base models: the folder is a whole model."""
        self._write(
            {name: modules[name] if name in modules else self.frozen[name] for name in self.kept}, folder, facts
        )
