"""Motion Puzzle on our training skeleton and sets: the published losses, windows of 22 joints at 20 fps.

Contents come from all sets, styles from the style set. No labels, pairs or discriminator.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from motifmix.features import restyling
from motifmix.features.motion_puzzle import PuzzleClip, statistics
from motifmix.models.motion_puzzle import MotionPuzzle
from motifmix.pipelines.baselines.restyled import PuzzleRestyler
from motifmix.training.objectives.published.motion_puzzle import drawn_own_parts, puzzle_losses, training_forward
from motifmix.training.publishing import facts_of
from motifmix.training.restyled_strips import draw_restyled
from motifmix.training.styled_clips import StyledClips, window_of

STATISTICS_CLIPS = 600


class PuzzleOptions(BaseModel):
    """Options of ``motion_puzzle`` recipes; ``content_share`` is the content set's among the contents."""

    model_config = ConfigDict(extra="forbid")

    batch: int = 16
    window: int = 40
    content_share: float = 0.5
    network: dict[str, Any] = {"base_channels": 16}


class PuzzleTraining:
    """Draws windows of contents and styles and asks for the published losses."""

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        self.options = o = PuzzleOptions.model_validate(options)
        self.clips = StyledClips[PuzzleClip](data, o.window, restyling.puzzle_clip)
        rng = np.random.default_rng(0)
        drawn = [self.clips.arrays(n).motion for n in self.clips.drawn(rng, STATISTICS_CLIPS, o.content_share)]
        mean, std = statistics(drawn)
        self.statistics = {
            name: torch.from_numpy(value.astype(np.float32)) for name, value in (("mean", mean), ("std", std))
        }
        torch.manual_seed(seed)
        self.sizes = {**o.network, "body": "motifmix_22"}
        self.modules = nn.ModuleDict({"generator": MotionPuzzle(**self.sizes)})

    def windows(self, rng: np.random.Generator, numbers: np.ndarray) -> Tensor:
        """Return normalised windows [B, 12, 22, T] of clips."""
        rows = []
        for number in numbers:
            motion = self.clips.arrays(number).motion
            rows.append(motion[window_of(rng, len(motion), self.options.window)])
        normalised = (np.stack(rows) - self.statistics["mean"].numpy()) / self.statistics["std"].numpy()
        device = next(self.modules.parameters()).device
        return torch.from_numpy(normalised.astype(np.float32)).permute(0, 3, 2, 1).contiguous().to(device)

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """One batch."""
        o, network = self.options, self.modules["generator"]
        assert isinstance(network, MotionPuzzle)
        content = self.windows(rng, self.clips.drawn(rng, o.batch, o.content_share))
        style = self.windows(rng, self.clips.drawn(rng, o.batch, 0.0))
        made = training_forward(network, content, style, drawn_own_parts(generator))
        losses = puzzle_losses(
            content,
            style,
            (made.reconstruction_content, made.reconstruction_style),
            (made.cycle_content, made.cycle_style),
        )
        total = losses.pop("total")
        return total, {name: float(value.detach()) for name, value in losses.items()}

    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Draw held-out plain walks and runs before and after they take another style."""
        network = modules["generator"]
        assert isinstance(network, MotionPuzzle)
        draw_restyled(
            self.clips.caches, PuzzleRestyler(network.cpu(), self.statistics), folder / f"restyled-{step:06d}.png"
        )

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the network with the statistics of its features."""
        from motifmix.pretrained.cards import write_weights

        card = facts_of("motion_puzzle:MotionPuzzle", self.sizes, self.clips.caches, facts, name="restyler")
        tensors = {**modules["generator"].state_dict(), **self.statistics}
        write_weights(folder, "restyler", tensors, exact=True, **{**card, "space": "motion_puzzle_267"})
