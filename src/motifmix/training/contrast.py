"""The symmetric contrastive loss of StyleMotif's alignment, its printed sign mended: both directions inside the bracket."""

from torch import Tensor
from torch.nn.functional import cross_entropy


def both_ways(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the loss of likenesses ``logits`` [N, N] over the temperature; all of one label [N] are each other's match."""
    same = (labels[:, None] == labels[None]).float()
    share = same / same.sum(dim=1, keepdim=True)
    return 0.5 * (cross_entropy(logits, share) + cross_entropy(logits.T, share))
