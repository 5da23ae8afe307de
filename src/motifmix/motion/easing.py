"""How one motion goes over into another."""

import numpy as np


def eased(share: np.ndarray) -> np.ndarray:
    """Return shares, 0 to 1 and cut off beyond, that begin and end without a jerk: 3 s² - 2 s³."""
    share = np.clip(share, 0.0, 1.0)
    return share**2 * (3.0 - 2.0 * share)


def softened(values: np.ndarray, deviation: float) -> np.ndarray:
    """Return ``values`` [T, ...] averaged with their neighbours by a bell of ``deviation`` frames; ends go on as they are."""
    reach = int(np.ceil(3.0 * deviation))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    longer = np.concatenate([values[:1].repeat(reach, axis=0), values, values[-1:].repeat(reach, axis=0)])
    parts = [weight * longer[n : n + len(values)] for n, weight in enumerate(bell / bell.sum())]
    return np.sum(parts, axis=0)
