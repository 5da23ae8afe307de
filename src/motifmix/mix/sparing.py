"""A Mixer asked less often, because a small one costs as much as a small model: its weights hold over steps and branches.

Not in the paper, whose Mixer is asked at every step and in every branch of guidance; so these are options, and the default
spares nothing. What they change of weights and motions is measured in docs/duet_speed.md.
"""

from dataclasses import dataclass, field

from torch import Tensor

from motifmix.diffusion.condition import Condition, Part
from motifmix.mix.weights import Weigher


@dataclass(frozen=True)
class Sparing:
    """What is spared. The Mixer is asked at each ``every``-th step, from the first one, and its weights hold until then.

    ``one_branch``: it is asked in the last branch of guidance only, the one that is told most, and all branches have these
    weights. ``negligible``: a model whose shares are known before it is asked and all lie below this is not asked; it counts
    as saying what the anchor says. Raises ``ValueError`` for a Mixer that is never asked.
    """

    every: int = 1
    one_branch: bool = False
    negligible: float = 0.0

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"a Mixer is asked at every step, or at each second or later one, not each {self.every}th")

    def applied(self, weigh: Weigher | None, branches: int) -> Weigher | None:
        """Return who weighs so, for a guidance of so many ``branches``."""
        if weigh is None:
            return None
        spared = OneBranch(weigh, branches) if self.one_branch and branches > 1 else weigh
        return Held(spared, self.every) if self.every > 1 else spared


EVERYTHING = Sparing()
"""As published: every step, every branch, every model."""


@dataclass(frozen=True)
class OneBranch:
    """Weighs the last of ``branches`` that stand one after the other in the batch; the others have its logits."""

    weigh: Weigher
    branches: int

    def __call__(
        self, others: Tensor, anchor: Tensor, timesteps: Tensor, condition: Condition, valid: Tensor
    ) -> Tensor:
        """Return logits of all branches. Raises ``ValueError`` for a batch that is not so many branches."""
        if len(anchor) % self.branches:
            raise ValueError(f"a batch of {len(anchor)} has not {self.branches} branches of guidance")
        own = slice(-(len(anchor) // self.branches), None)
        told = Condition({name: Part(p.value[own], p.present[own]) for name, p in condition.parts.items()})
        logits = self.weigh(others[own], anchor[own], timesteps[own], told, valid[own])
        return logits.repeat(self.branches, *[1] * (logits.ndim - 1))


@dataclass
class Held:
    """Weighs at each ``every``-th step and says the same until then. A step that is not nearer the end begins a new clip."""

    weigh: Weigher
    every: int
    _logits: Tensor | None = field(default=None, init=False, repr=False)
    _last: float = field(default=0.0, init=False, repr=False)
    _since: int = field(default=0, init=False, repr=False)

    def known(self, timesteps: Tensor, batch: int) -> Tensor | None:
        """Return the logits that hold at this step, None where they are asked for anew."""
        begins = self._logits is None or len(self._logits) != batch or float(timesteps[0]) >= self._last
        return None if begins or self._since >= self.every else self._logits

    def __call__(
        self, others: Tensor, anchor: Tensor, timesteps: Tensor, condition: Condition, valid: Tensor
    ) -> Tensor:
        """Return logits."""
        logits = self.known(timesteps, len(anchor))
        if logits is None:
            logits, self._since = self.weigh(others, anchor, timesteps, condition, valid), 0
        self._logits, self._last, self._since = logits, float(timesteps[0]), self._since + 1
        return logits
