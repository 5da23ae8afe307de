"""How large networks are."""

from torch import nn


def parameter_count(*networks: nn.Module | None) -> int:
    """Return the numbers that networks hold, buffers left out; None counts nothing."""
    return sum(p.numel() for network in networks if network is not None for p in network.parameters())
