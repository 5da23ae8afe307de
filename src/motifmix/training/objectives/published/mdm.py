"""MDM's training loss (published ``GaussianDiffusion.training_losses`` with its HumanML3D settings).

The form inside MixerMDM is trained by ``interaction.simple_loss`` instead.
"""

import torch
from torch import Tensor

EPSILON = 1e-8


def mdm_loss(prediction: Tensor, target: Tensor, valid_mask: Tensor, velocity: float = 0.0) -> dict[str, Tensor]:
    """Losses of each item, [B]: mean squared error of features [B, T, F] over real frames [B, T] (``features``), of
    their steps without the last channel (``velocity``, where its weight is not 0: the published recipe has 0), and
    ``total``.
    """
    terms = {"features": _masked(prediction - target, valid_mask)}
    terms["total"] = terms["features"]
    if velocity != 0.0:
        steps, true_steps = (x[..., :-1].diff(dim=1) for x in (prediction, target))
        terms["velocity"] = _masked(steps - true_steps, valid_mask[:, 1:])
        terms["total"] = terms["total"] + velocity * terms["velocity"]
    return terms


def _masked(difference: Tensor, valid: Tensor) -> Tensor:
    squared = torch.where(valid[..., None], difference.square(), 0.0).sum(dim=(1, 2))
    return squared / (valid.sum(dim=1) * difference.shape[-1] + EPSILON)
