"""Solver steps: from a noisy sample and a clean estimate to the next noisy sample.

All take the level of the sample and the one to go to, and numpy arrays or tensors alike; noise is handed in. All but
:class:`TwoStep` are pure functions.
"""

from typing import Any, Literal, TypeVar

from motifmix.diffusion.schedule import NoiseLevel

Array = TypeVar("Array")


def ddim_step(
    noisy: Array,
    clean: Array,
    level: NoiseLevel,
    following: NoiseLevel,
    noise: Array | None = None,
    *,
    eta: float = 0.0,
) -> Array:
    """Go one step that keeps the implied noise and changes its level (Song et al. 2021, eq. 12).

    ``eta`` 0 is deterministic; greater, a part of the noise is drawn anew (``noise``), all of it at 1 as in an ancestral
    step. On the straight path of rectified flow the deterministic step is Euler's. Raises ``ValueError`` where ``eta``
    asks for noise and there is none.
    """
    implied = (noisy - level.alpha * clean) / level.sigma  # type: ignore[operator]
    if eta == 0.0:
        return following.alpha * clean + following.sigma * implied  # type: ignore[operator]
    if noise is None:
        raise ValueError("a step with eta > 0 needs noise")
    fresh = eta * following.sigma / level.sigma * max(0.0, 1.0 - (level.alpha / following.alpha) ** 2) ** 0.5
    kept = max(0.0, following.sigma**2 - fresh**2) ** 0.5
    return following.alpha * clean + kept * implied + fresh * noise  # type: ignore[operator]


def ddim_inversion_step(noisy: Array, noise: Array, level: NoiseLevel, noisier: NoiseLevel) -> Array:
    """Go one deterministic step towards noise: ``noise`` is what the network sees in ``noisy``, which has ``level``."""
    clean = (noisy - level.sigma * noise) / level.alpha  # type: ignore[operator]
    return noisier.alpha * clean + noisier.sigma * noise  # type: ignore[operator]


def posterior(noisy: Array, clean: Array, level: NoiseLevel, following: NoiseLevel) -> tuple[Array, float]:
    """Return mean and variance of the state at ``following``, given ``noisy`` and ``clean`` (Ho et al. 2020, eq. 7).

    Holds where alpha^2 + sigma^2 = 1.
    """
    kept = (level.alpha / following.alpha) ** 2
    beta, noise_variance, left = 1.0 - kept, level.sigma**2, following.sigma**2
    mean = (beta * following.alpha / noise_variance) * clean + (left * kept**0.5 / noise_variance) * noisy  # type: ignore[operator]
    return mean, beta * left / noise_variance


def ancestral_step(
    noisy: Array,
    clean: Array,
    level: NoiseLevel,
    following: NoiseLevel,
    noise: Array | None = None,
    *,
    variance: Literal["posterior", "beta"] = "posterior",
) -> Array:
    """Draw the next state (Ho et al. 2020, algorithm 2); nothing is drawn where ``following`` holds no noise.

    ``variance``: the posterior's ("fixed small") or the step's own beta ("fixed large"). Raises ``ValueError`` where
    noise is needed and there is none.
    """
    mean, spread = posterior(noisy, clean, level, following)
    if following.sigma == 0.0:
        return mean
    if noise is None:
        raise ValueError("an ancestral step needs noise")
    if variance == "beta":
        spread = 1.0 - (level.alpha / following.alpha) ** 2
    return mean + spread**0.5 * noise  # type: ignore[operator]


class TwoStep:
    """Adams and Bashforth's second order along the straight path of rectified flow; one object a sampling.

    The slope that the last step saw tells how the path bends, so that 8 steps end nearer to where 200 end than 12 of
    Euler's do, for the same price a step. The first step is Euler's.
    """

    def __init__(self) -> None:
        self._last: tuple[Any, float] | None = None

    def __call__(
        self, noisy: Any, clean: Any, level: NoiseLevel, following: NoiseLevel, noise: Any | None = None
    ) -> Any:
        """Raises ``ValueError`` where the level is not on the straight path (alpha + sigma = 1)."""
        if abs(level.alpha + level.sigma - 1.0) > 1e-6:
            raise ValueError("this solver follows rectified flow only; take ddim_step")
        slope, stride = (noisy - clean) / level.sigma, following.sigma - level.sigma
        if self._last is None:
            bent = slope
        else:
            before, last_stride = self._last
            bent = slope + stride / (2.0 * last_stride) * (slope - before)
        self._last = (slope, stride)
        return noisy + stride * bent
