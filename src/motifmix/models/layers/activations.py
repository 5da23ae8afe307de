"""Activations that write over what they are given where no gradient is wanted: fresh memory costs more than the function.

For tensors that nobody else holds, as what a linear layer has just returned.
"""

import torch
from torch import Tensor
from torch.nn import functional


def gelu(x: Tensor) -> Tensor:
    """Exact GELU."""
    return functional.gelu(x) if torch.is_grad_enabled() else torch.ops.aten.gelu_(x)


def relu(x: Tensor) -> Tensor:
    """What is above zero."""
    return functional.relu(x, inplace=not torch.is_grad_enabled())
