"""What masks of valid positions share."""

from torch import Tensor


def hiding(valid_mask: Tensor | None) -> Tensor | None:
    """Return a mask of valid positions, or None where it hides nobody: without a mask attention takes its faster road."""
    return None if valid_mask is None or bool(valid_mask.all()) else valid_mask
