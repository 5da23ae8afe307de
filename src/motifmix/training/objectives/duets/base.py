"""What the four small models share: noise, held-out losses, and cards with halved weights."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.features.interhuman import InterHumanSpace
from motifmix.features.space import Normaliser
from motifmix.pretrained.cards import write_weights
from motifmix.pretrained.converted import STATISTICS
from motifmix.training.objectives.duets.texts import TEXT_SCALE
from motifmix.training.objectives.papers.base import KeptPart, PaperObjective
from motifmix.training.publishing import LICENCE

STEPS = 1000
FRAMES = 121  # of the source; features have one less
SCHEDULE = "cosine"


class DuetObjective(PaperObjective):
    """A denoiser of InterHuman's features that predicts the clean sample over 1000 cosine steps.

    Subclasses set ``normaliser``, the ``denoiser`` among ``modules`` and ``kept``, and what a step's ``losses`` are.
    """

    space = InterHumanSpace.name
    normaliser: Normaliser

    def __init__(self, data: list[str], seed: int) -> None:
        self.data = data
        self.modules = nn.ModuleDict()
        self.frozen = nn.ModuleDict().eval()
        self.kept: dict[str, KeptPart] = {}
        self.schedule = DiscreteSchedule.of(cosine_betas(STEPS))
        self.credit: list[str] = []
        torch.manual_seed(seed)

    def chosen(self, network: type[nn.Module], architecture: str, sizes: dict[str, Any]) -> None:
        """Make the denoiser."""
        self.modules["denoiser"] = network(**sizes)
        self.kept["denoiser"] = KeptPart(architecture, sizes)
        self.mean, self.std = torch.from_numpy(self.normaliser.mean), torch.from_numpy(self.normaliser.std)

    def drawn_noise(self, clean: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw a step ``[B]`` for every item of ``clean``, and noise of its shape."""
        timesteps = torch.randint(STEPS, (len(clean),), generator=generator).to(clean.device)
        return timesteps, torch.randn(clean.shape, generator=generator).to(clean.device)

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the denoiser (fp16) and the mean and deviation of its features, each with a card."""
        common = {
            "role": "generate", "space": self.space, "licence": LICENCE, "credit": self.credit, "data": self.data,
            "recipe": facts["recipe"], "commit": facts["commit"],
        }  # fmt: skip
        part = self.kept["denoiser"]
        extra = {
            "prediction_type": "sample", "schedule": SCHEDULE, "steps": STEPS, "text_encoder": "minilm",
            "text_scale": TEXT_SCALE, **part.extra,
        }  # fmt: skip
        write_weights(
            folder, "denoiser", modules["denoiser"].state_dict(), name=f"{folder.name}: denoiser",
            architecture=part.architecture, sizes=dict(part.sizes), extra=extra, **common,
        )  # fmt: skip
        tensors = {"motion.mean": self.mean, "motion.std": self.std}
        write_weights(
            folder, STATISTICS, tensors, exact=True, name=STATISTICS, architecture="none", sizes={}, extra={}, **common
        )
