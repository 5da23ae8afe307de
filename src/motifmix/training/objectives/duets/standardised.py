"""A first layer that standardises what it reads while it is trained, and is a plain layer when it is written."""

from torch import Tensor, nn
from torch.nn import functional

from motifmix.mix.ingredients import Scaling


class StandardisedLinear(nn.Linear):
    """A first layer that standardises what comes in, by ``mean`` and ``std`` [in]."""

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, layer: nn.Linear, scaling: Scaling) -> "StandardisedLinear":
        """Return a layer with the same parameters; features of several people side by side share the ``scaling``."""
        made = cls(layer.in_features, layer.out_features)
        made.load_state_dict(layer.state_dict())
        people = layer.in_features // len(scaling.mean)
        made.register_buffer("mean", scaling.mean.repeat(people))
        made.register_buffer("std", scaling.std.repeat(people))
        return made

    def forward(self, input: Tensor) -> Tensor:
        """``input`` [..., in], not normalised."""
        return functional.linear((input - self.mean) / self.std, self.weight, self.bias)

    def folded(self) -> dict[str, Tensor]:
        """Return ``weight`` and ``bias`` of the plain layer that does the same."""
        weight = self.weight / self.std
        return {"weight": weight, "bias": self.bias - weight @ self.mean}
