"""Style-content cross normalisation (StyleMotif, section 3): the style feature, normalised by the content's statistics.

F = F_c + gamma * (F_s - mean(F_c)) / sqrt(var(F_c) + eta), mean and variance over the channels of each token. It has no
parameters, is applied once, after block m, and reduces to the content where gamma is 0.
"""

from torch import Tensor

ETA = 1e-5  # the paper leaves its value open


def cross_normalize(content: Tensor, style: Tensor, strength: Tensor | float, eta: float = ETA) -> Tensor:
    """``content`` [B, L, D], ``style`` [B, 1, D], ``strength`` (gamma) a number or [B, 1, 1]; returns [B, L, D]."""
    mean = content.mean(dim=-1, keepdim=True)
    variance = content.var(dim=-1, keepdim=True, correction=0)
    return content + strength * (style - mean) / (variance + eta).sqrt()
