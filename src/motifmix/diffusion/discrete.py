"""Discrete diffusion: processes of N small steps (Ho et al. 2020), as published networks were trained on.

Tables are float64 numpy arrays over the steps that are kept, from the clean end (index 0) to pure noise; a
:class:`DiscreteSchedule` turns them into :class:`~motifmix.diffusion.schedule.NoiseLevel` objects that carry the
original step, because published networks are told that. The solver steps stand in ``solvers.py`` and know levels only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from motifmix.diffusion.schedule import NoiseLevel

Respacing = str | int | Sequence[int] | None


def linear_betas(count: int, start: float | None = None, end: float | None = None) -> np.ndarray:
    """Return ``[count]`` betas, equally far apart; by default 0.0001 to 0.02 at 1000 steps, scaled to ``count``."""
    scale = 1000.0 / count
    return np.linspace(0.0001 * scale if start is None else start, 0.02 * scale if end is None else end, count)


def scaled_linear_betas(count: int, start: float = 0.00085, end: float = 0.012) -> np.ndarray:
    """Return ``[count]`` betas whose square roots are equally far apart (latent diffusion; the defaults are MLD's)."""
    return np.linspace(start**0.5, end**0.5, count) ** 2


def cosine_betas(count: int, offset: float = 0.008, most: float = 0.999) -> np.ndarray:
    """Return ``[count]`` betas whose cumulative product falls like a squared cosine (Nichol & Dhariwal 2021, eq. 17)."""
    signal = np.cos((np.arange(count + 1) / count + offset) / (1 + offset) * np.pi / 2) ** 2
    return np.minimum(1.0 - signal[1:] / signal[:-1], most)


BETAS = {"linear": linear_betas, "scaled_linear": scaled_linear_betas, "cosine": cosine_betas}


def respaced_steps(count: int, respacing: Respacing) -> list[int]:
    """Return which of ``count`` steps are kept, ascending.

    ``"ddimK"`` takes the smallest integer stride that gives exactly K steps from 0 on (the last steps may be left out);
    ``"5,3"``, ``[5, 3]``, ``"8"`` or ``8`` cut the process into equal sections and spread that many steps over each,
    ends included; None or ``""`` keeps all. Raises ``ValueError`` where that is not possible.
    """
    if respacing is None or respacing == "":
        return list(range(count))
    if isinstance(respacing, str) and respacing.startswith("ddim"):
        wanted = int(respacing[4:])
        for stride in range(1, count + 1):
            if len(range(0, count, stride)) == wanted:
                return list(range(0, count, stride))
        raise ValueError(f"no integer stride gives {wanted} of {count} steps")
    if isinstance(respacing, str):
        respacing = [int(part) for part in respacing.split(",")]
    sections = [respacing] if isinstance(respacing, int) else list(respacing)
    size, longer = divmod(count, len(sections))
    kept: list[int] = []
    first = 0
    for number, wanted in enumerate(sections):
        length = size + (number < longer)
        if not 1 <= wanted <= length:
            raise ValueError(f"a section of {length} steps cannot give {wanted}")
        stride = (length - 1) / (wanted - 1) if wanted > 1 else 1.0
        position = 0.0  # added up, not multiplied: the rounding of published step lists depends on it
        for _ in range(wanted):
            kept.append(first + round(position))
            position += stride
        first += length
    return kept


def leading_steps(count: int, wanted: int, offset: int = 0) -> list[int]:
    """Return diffusers' "leading" choice of steps, ascending: multiples of ``count // wanted``, plus ``offset``."""
    return [k * (count // wanted) + offset for k in range(wanted)]


@dataclass(frozen=True, eq=False)
class DiscreteSchedule:
    """The kept steps of a discrete process.

    ``betas`` [K] of the kept steps; ``steps`` [K]: the original step of each; ``total``: how many there were;
    ``last_alpha_cumprod``: the signal's variance at the clean end (1; diffusers with ``set_alpha_to_one=False`` stops
    at that of step 0); ``unit``: networks trained with ``rescale_timesteps`` are told the step in thousandths of the
    whole, so theirs is 1000 / total.
    """

    betas: np.ndarray
    steps: np.ndarray
    total: int
    last_alpha_cumprod: float = 1.0
    unit: float | None = None

    name = "discrete"

    @classmethod
    def of(
        cls, betas: np.ndarray, respacing: Respacing = None, *, rescale_timesteps: bool = False
    ) -> "DiscreteSchedule":
        """Return the whole process, or some of its steps (see :func:`respaced_steps`)."""
        count = len(betas)
        whole = cls(np.asarray(betas, dtype=np.float64), np.arange(count), count)
        if rescale_timesteps:
            whole = cls(whole.betas, whole.steps, count, unit=1000.0 / count)
        return whole if respacing is None else whole.keeping(respaced_steps(count, respacing))

    def keeping(self, steps: Sequence[int], last_alpha_cumprod: float = 1.0) -> "DiscreteSchedule":
        """Keep some (original, ascending) steps of a whole process: betas change so that the noise levels stay."""
        if len(self.steps) != self.total:
            raise ValueError("steps are chosen from a whole process, this one is thinned out already")
        kept = np.array(sorted(set(steps)))
        if len(kept) == 0 or kept[0] < 0 or kept[-1] >= self.total:
            raise ValueError(f"steps must lie in 0 .. {self.total - 1} and be one at least")
        signal = self.alphas_cumprod[kept]
        betas = 1.0 - signal / np.concatenate([[1.0], signal[:-1]])
        return DiscreteSchedule(betas, kept, self.total, last_alpha_cumprod, self.unit)

    def early(self, wanted: int) -> "DiscreteSchedule":
        """Keep ``wanted`` steps of a whole process, the noisiest among them, the closer together the more noise there is.

        Step k of n is at 1 - (1 - k / n)² of the process. Where people stand to each other is the same in all frames and decided
        while there is nearly nothing but noise; even steps walk over that in one or two, and people end between the places
        that they could have had. Raises ``ValueError`` for more steps than there are, or none.
        """
        if not 1 <= wanted <= self.total:
            raise ValueError(f"{self.total} steps cannot give {wanted}")
        kept: list[int] = []
        for k in range(wanted, 0, -1):
            step = round(self.total * (1.0 - (1.0 - k / wanted) ** 2)) - 1
            kept.append(min(step, kept[-1] - 1) if kept else step)
        return self.keeping(kept, self.last_alpha_cumprod)

    def leading(self, wanted: int, offset: int = 0, *, ends_clean: bool = True) -> "DiscreteSchedule":
        """Keep diffusers' "leading" choice of ``wanted`` steps of a whole process.

        ``offset`` is its ``steps_offset``, ``ends_clean`` its ``set_alpha_to_one``: without, the last step goes to the
        level of step 0, not to the clean sample. (Where strides are no longer than the offset, the last step ends a
        stride below its start, whatever ``ends_clean`` says.)
        """
        kept = leading_steps(self.total, wanted, offset)
        last = offset - self.total // wanted
        beyond = 1.0 if ends_clean else float(self.alphas_cumprod[0])
        return self.keeping(kept, beyond if last < 0 else float(self.alphas_cumprod[last]))

    @cached_property
    def alphas_cumprod(self) -> np.ndarray:
        """The signal's variance at each kept step, ``[K]``."""
        return np.cumprod(1.0 - self.betas)

    @cached_property
    def alphas_cumprod_prev(self) -> np.ndarray:
        """The same one step nearer to the clean end."""
        return np.concatenate([[self.last_alpha_cumprod], self.alphas_cumprod[:-1]])

    @cached_property
    def alphas(self) -> np.ndarray:
        """The signal's strength at each kept step, as in ``alpha * clean + sigma * noise``."""
        return np.sqrt(self.alphas_cumprod)

    @cached_property
    def sigmas(self) -> np.ndarray:
        """The noise's strength at each kept step."""
        return np.sqrt(1.0 - self.alphas_cumprod)

    @cached_property
    def posterior_variance(self) -> np.ndarray:
        """Variance of the state one step nearer to the clean end, given this one and the clean sample."""
        return self.betas * (1.0 - self.alphas_cumprod_prev) / (1.0 - self.alphas_cumprod)

    @cached_property
    def posterior_mean_factors(self) -> tuple[np.ndarray, np.ndarray]:
        """The factors of the clean and of the noisy sample in that state's mean, ``[K]`` each."""
        noise, before = 1.0 - self.alphas_cumprod, self.alphas_cumprod_prev
        return self.betas * np.sqrt(before) / noise, (1.0 - before) * np.sqrt(1.0 - self.betas) / noise

    @cached_property
    def posterior_log_variance_clipped(self) -> np.ndarray:
        """Its logarithm, with the entry of step 0 (whose variance is 0) replaced by the next one."""
        variance = self.posterior_variance
        return np.log(np.concatenate([variance[1:2], variance[1:]]) if len(variance) > 1 else variance)

    def __len__(self) -> int:
        return len(self.steps)

    def level(self, index: int) -> NoiseLevel:
        """Return the level of the kept step ``index`` (0 is the cleanest)."""
        step = int(self.steps[index])
        return NoiseLevel(
            float(self.alphas[index]),
            float(self.sigmas[index]),
            (step + 1) / self.total,
            step if self.unit is None else step * self.unit,
        )

    @property
    def clean_level(self) -> NoiseLevel:
        """The level behind the last step."""
        return NoiseLevel(self.last_alpha_cumprod**0.5, (1.0 - self.last_alpha_cumprod) ** 0.5, 0.0)

    def levels(self, steps: int | None = None) -> list[NoiseLevel]:
        """Return the levels from noise to clean, ending with the clean one: of all kept steps, or of ``ddim<steps>``."""
        if steps is not None and steps != len(self):
            return self.keeping(respaced_steps(self.total, f"ddim{steps}"), self.last_alpha_cumprod).levels()
        return [self.level(index) for index in reversed(range(len(self)))] + [self.clean_level]

    def transitions(self) -> list[tuple[NoiseLevel, NoiseLevel]]:
        """Return each step as its level and the following one, noise first."""
        return list(pairwise(self.levels()))
