"""How one motion goes over into another."""

import numpy as np


def eased(share: np.ndarray) -> np.ndarray:
    """Return shares, 0 to 1 and cut off beyond, that begin and end without a jerk: 3 s² - 2 s³."""
    share = np.clip(share, 0.0, 1.0)
    return share**2 * (3.0 - 2.0 * share)
