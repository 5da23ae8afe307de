"""What networks predict, turned into the clean sample once and for all.

``sample``: the clean sample itself. ``epsilon``: the noise. ``v``: alpha * noise - sigma * clean (Salimans & Ho 2022).
``flow``: noise - clean (rectified flow).
"""

from typing import Literal, TypeVar

PredictionType = Literal["sample", "epsilon", "v", "flow"]
Array = TypeVar("Array")


def to_clean(
    prediction: Array, noisy: Array, alpha: Array | float, sigma: Array | float, kind: PredictionType
) -> Array:
    """Return the clean sample; ``alpha`` and ``sigma`` broadcast. Raises ``ValueError`` for an unknown kind."""
    if kind == "sample":
        return prediction
    if kind == "epsilon":
        return (noisy - sigma * prediction) / alpha  # type: ignore[operator]
    if kind == "v":  # holds where alpha^2 + sigma^2 = 1
        return alpha * noisy - sigma * prediction  # type: ignore[operator]
    if kind == "flow":
        return (noisy - sigma * prediction) / (alpha + sigma)  # type: ignore[operator]
    raise ValueError(f"unknown prediction type {kind!r}")


def noised(clean: Array, noise: Array, alpha: Array | float, sigma: Array | float) -> Array:
    """Return the noisy sample; ``alpha`` and ``sigma`` broadcast."""
    return alpha * clean + sigma * noise  # type: ignore[operator]


def target(clean: Array, noise: Array, alpha: Array | float, sigma: Array | float, kind: PredictionType) -> Array:
    """Return what a network of this kind should predict."""
    if kind == "sample":
        return clean
    if kind == "epsilon":
        return noise
    if kind == "v":
        return alpha * noise - sigma * clean  # type: ignore[operator]
    if kind == "flow":
        return noise - clean  # type: ignore[operator]
    raise ValueError(f"unknown prediction type {kind!r}")
