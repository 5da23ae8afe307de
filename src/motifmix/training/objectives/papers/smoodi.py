"""SMooDi's two stages (Zhong et al., ECCV 2024): the style network that guides and measures, then the style adapter.

Both read SMooDi's folder, 100STYLE merged into HumanML3D.
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from motifmix.data.style100_humanml3d import CLASSES, Style100HumanML3D
from motifmix.diffusion.discrete import DiscreteSchedule, scaled_linear_betas
from motifmix.features.space import Normaliser
from motifmix.models.mld_denoiser import MLDDenoiser
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.smoodi import SMooDiDenoiser, endless_permutations
from motifmix.models.style_network import STATISTICS_OVER_EVERYTHING, StyleNetwork
from motifmix.training.encoded_texts import EncodedTexts
from motifmix.training.objectives.papers.base import (
    ClipObjective,
    Drawn,
    KeptPart,
    PaperObjective,
    begun,
    copied,
    quirks_named,
)
from motifmix.training.objectives.papers.mld import TRAINING_STEPS
from motifmix.training.objectives.published.mld import PROMPT_DROPOUT, with_prompts_dropped
from motifmix.training.objectives.published.smoodi import SMooDiWeights, StyledBatch, smoodi_losses, styles_kept
from motifmix.training.published_sets import HELD_OUT, Batch, Clips, opened
from motifmix.training.recipe import Recipe
from motifmix.training.spoiling import spoilt

MLD_FIRST = "train MLD first (motifmix train recipes/papers/mld_vae.yaml, then mld.yaml) or name a converted one with options.base"
STYLE_NETWORK_FIRST = (
    "train it first (motifmix train recipes/papers/smoodi_style_network.yaml) or name its folder with options.guide"
)


class StyleNetworkOptions(BaseModel):
    """Options of ``smoodi_style_network`` recipes; the augmentation is the published one.

    A share of the frames (0 to ``most_hidden``) is set to zero with probability ``hiding``, then with probability
    ``noising`` noise of ``noise`` times the clip's range of values is added.
    """

    model_config = ConfigDict(extra="forbid")

    batch: int = 128
    longest: int = 196
    lists: str = "full"
    network: dict[str, Any] = {}
    hiding: float = 0.6
    most_hidden: float = 0.5
    noising: float = 0.8
    noise: float = 0.05
    quirks: list[str] = []


class StyleNetworkObjective(ClipObjective):
    """Clips of 100STYLE to their class."""

    model = "smoodi"

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self.options = o = StyleNetworkOptions.model_validate(recipe.options)
        self.read(recipe, o.longest, lists=o.lists, below=None)
        self.quirks = quirks_named(o.quirks, "models.style_network")
        sizes = {"classes": CLASSES[o.lists], **o.network}
        self.modules["style_network"] = StyleNetwork(**sizes, quirks=self.quirks)
        self.kept["style_network"] = KeptPart("style_network:StyleNetwork", sizes, self.quirks)

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """Cross-entropy of a batch, padded to the longest clip there may be."""
        o = self.options
        clips, count = self.chosen(o.batch, held_out)
        batch = clips.draw(rng, count, o.longest)
        motion = (
            batch.features
            if held_out
            else spoilt(
                batch.features, generator, hiding=o.hiding, most_hidden=o.most_hidden, noising=o.noising, noise=o.noise
            )
        )
        batch, motion = batch.to(self.device), motion.to(self.device)
        valid = None if STATISTICS_OVER_EVERYTHING in self.quirks else batch.valid_mask
        logits = modules["style_network"](motion, valid).float()
        accuracy = (logits.argmax(dim=-1) == batch.classes).float().mean()
        return cross_entropy(logits, batch.classes), {"accuracy": float(accuracy)}


class SMooDiOptions(BaseModel):
    """Options of ``smoodi`` recipes.

    ``base``: the folder of MLD, ``guide``: that of the style network (both by default where their recipes put them).
    ``adapter``: sizes of the style encoder that differ from the paper's; the others are those of the base.
    """

    model_config = ConfigDict(extra="forbid")

    batch: int = 64
    longest: int = 196
    base: str | None = None
    guide: str | None = None
    adapter: dict[str, Any] = {}
    own: float = 1.0
    cycle: float = 0.1
    prompt_dropout: float = PROMPT_DROPOUT
    text_encoder: str = "clip-vit-large-patch14"
    text_folder: str | None = None
    quirks: list[str] = []


class StyledClips(PaperObjective):
    """A style set and a content set side by side, in the latents of a frozen MLD: what SMooDi and StyleMotif learn from."""

    texts: EncodedTexts
    prompt_dropout: float

    def _open(self, recipe: Recipe, longest: int, base: str | None) -> MLDDenoiser:
        self.reader: Style100HumanML3D = opened(recipe)
        self.normaliser: Normaliser = self.reader.normaliser()
        self.statistics["motion"] = self.normaliser
        self.base, vae, _ = begun(base, "mld", "vae", MLD_FIRST)
        _, denoiser, self.base_part = begun(base, "mld", "denoiser", MLD_FIRST)
        assert isinstance(denoiser, MLDDenoiser)
        self.frozen["vae"] = vae
        self.longest = longest
        self.sets = self._clips("train", None)
        self.schedule = DiscreteSchedule.of(scaled_linear_betas(TRAINING_STEPS))
        return denoiser

    def _encode(self, options: Any, width: int) -> None:
        texts = [text for clips in (*self.sets, *self.held_out) for text in clips.texts()]
        self.text_encoder, self.prompt_dropout = options.text_encoder, options.prompt_dropout
        self.texts = EncodedTexts(texts, options.text_encoder, "embedding", width, options.text_folder)

    def _clips(self, split: str, most: int | None) -> tuple[Clips, Clips]:
        readers = (self.reader, self.reader.contents())
        first, second = (
            Clips(islice(reader.samples(split), most), self.normaliser, self.longest) for reader in readers
        )
        return first, second

    @cached_property
    def held_out(self) -> tuple[Clips, Clips]:
        """The first clips of both test lists."""
        return self._clips("test", HELD_OUT)

    def drawn(
        self, generator: torch.Generator, rng: np.random.Generator, count: int, held_out: bool
    ) -> tuple[list[StyledBatch], Tensor]:
        """Draw a batch of each set, padded alike, and the diffusion times that they share."""
        sets = self.held_out if held_out else self.sets
        timesteps = torch.randint(TRAINING_STEPS, (count,), generator=generator).to(self.device)
        batches = [clips.draw(rng, count) for clips in sets]
        frames = max(batch.features.shape[1] for batch in batches)
        return [self._styled(_lengthened(batch, frames), generator) for batch in batches], timesteps

    def _styled(self, batch: Batch, generator: torch.Generator) -> StyledBatch:
        device, vae, count = self.device, self.frozen["vae"], len(batch.features)
        batch = batch.to(device)
        assert isinstance(vae, MotionVAE)
        with torch.no_grad():
            posterior = vae.encode(batch.features, batch.valid_mask)
            latents = posterior.sample(torch.randn(posterior.mean.shape, generator=generator).to(device)).float()
        noise = torch.randn(latents.shape, generator=generator).to(device)
        dropped = (torch.rand(count, generator=generator) < self.prompt_dropout).to(device)
        text = with_prompts_dropped(self.texts(batch.texts, device), self.texts([""], device), dropped)
        return StyledBatch(latents, noise, text, batch.features, batch.valid_mask)

    def save(self, modules: nn.ModuleDict, folder: Any, facts: dict[str, Any]) -> None:
        """Write what was trained beside the VAE that it belongs to."""
        copied("vae", self.base, folder)
        super().save(modules, folder, facts)


class SMooDiObjective(StyledClips):
    """The adapter of a frozen MLD: own noise of both sets, and the cycle between them."""

    model = "smoodi"

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self.options = o = SMooDiOptions.model_validate(recipe.options)
        self.quirks = quirks_named(
            o.quirks, "models.smoodi", "models.style_network", "training.objectives.published.smoodi"
        )
        self.guide, _, _ = begun(o.guide, recipe.weights, "style_network", STYLE_NETWORK_FIRST)
        base = self._open(recipe, o.longest, o.base)
        sizes = {**self.base_part.sizes, **o.adapter}
        denoiser = SMooDiDenoiser(**sizes, quirks=self.quirks)
        denoiser.base.load_state_dict(base.state_dict())
        for own, other in (("copy", "encoder"), ("time", "time"), ("text", "text"), ("positions", "positions")):
            getattr(denoiser, own).load_state_dict(getattr(base, other).state_dict())
        denoiser.base.requires_grad_(False)
        self.modules["denoiser"] = denoiser
        self.kept["denoiser"] = KeptPart("smoodi:SMooDiDenoiser", sizes, self.quirks)
        self._encode(o, base.text_dim)

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """Noise of both sets at shared times."""
        o, vae, denoiser = self.options, self.frozen["vae"], modules["denoiser"]
        assert isinstance(vae, MotionVAE) and isinstance(denoiser, SMooDiDenoiser)
        denoiser.base.eval()  # frozen: without dropout
        count = min(o.batch, 16) if held_out else o.batch
        (first, second), timesteps = self.drawn(generator, rng, count, held_out)
        first, second = (self._with_styles_dropped(batch, generator) for batch in (first, second))
        cycle = None
        if o.cycle > 0:
            noises = [torch.randn(first.noise.shape, generator=generator).to(self.device) for _ in range(2)]
            cycle = (noises[0], noises[1])
        orders: Iterator[Tensor] = endless_permutations(first.style.shape[1], generator)
        weights = SMooDiWeights(o.own, o.cycle)
        found = smoodi_losses(denoiser, vae, first, second, timesteps, self.schedule, orders, cycle, weights)
        terms = {"own": found.own, "cycle": found.cycle}
        figures = {name: float(term.detach()) for name, term in terms.items() if term is not None}
        return found.total, figures

    def _with_styles_dropped(self, batch: StyledBatch, generator: torch.Generator) -> StyledBatch:
        kept = styles_kept(len(batch.style), generator, self.quirks).to(batch.style.device)
        return StyledBatch(batch.latents, batch.noise, batch.text, batch.style * kept, batch.valid_mask)

    def save(self, modules: nn.ModuleDict, folder: Any, facts: dict[str, Any]) -> None:
        """Write the denoiser beside the VAE and the style network that guides."""
        copied("style_network", self.guide, folder)
        super().save(modules, folder, facts)


def _lengthened(batch: Batch, frames: int) -> Batch:
    more = frames - batch.features.shape[1]
    features = nn.functional.pad(batch.features, (0, 0, 0, more))
    return Batch(features, nn.functional.pad(batch.valid_mask, (0, more)), batch.texts, batch.classes)
