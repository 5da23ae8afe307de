"""What a key map is, and strict loading by one: every tensor finds its place and every place its tensor, or it is said."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from motifmix.errors import WeightsError

Step = Callable[[dict[str, Tensor]], dict[str, Tensor]]
SHOWN = 5  # of each kind of complaint


@dataclass(frozen=True)
class KeyMap:
    """Renames, and what else must happen between a published state dict and ours.

    ``renames``: pairs of a regular expression over a whole published name and its replacement; the first that matches
    counts, and a name that none matches is an error. ``dropped``: expression over published names -> why they are not
    needed; looked at first. ``steps``: named functions on the renamed tensors where one is split or merged.
    ``computed``: expressions over *our* names of fixed tables, which a checkpoint may leave out.
    """

    renames: Sequence[tuple[str, str]]
    dropped: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    computed: Sequence[str] = ()

    def knows(self, name: str) -> bool:
        """Whether a published name has a place here, or is dropped."""
        return any(re.fullmatch(e, name) for e in self.dropped) or any(
            re.fullmatch(old, name) for old, _ in self.renames
        )

    def apply(self, published: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str], list[str]]:
        """Return our tensors by name, the dropped names with the reason, and the names that nothing matches.

        Raises ``WeightsError`` where two published tensors claim one name.
        """
        ours: dict[str, Tensor] = {}
        origin: dict[str, str] = {}
        dropped: dict[str, str] = {}
        unmatched: list[str] = []
        for name, tensor in published.items():
            reason = next((why for expression, why in self.dropped.items() if re.fullmatch(expression, name)), None)
            if reason is not None:
                dropped[name] = reason
                continue
            found = next(((m, new) for old, new in self.renames if (m := re.fullmatch(old, name)) is not None), None)
            if found is None:
                unmatched.append(name)
                continue
            target = found[0].expand(found[1])
            if target in ours:
                raise WeightsError(f"the tensors {origin[target]!r} and {name!r} both claim the place {target!r}")
            ours[target], origin[target] = tensor, name
        for step in self.steps:
            ours = step(ours)
        return ours, dropped, unmatched


@dataclass(frozen=True)
class LoadReport:
    """What happened to a checkpoint's tensors: how many were loaded, which were dropped (with why) or computed."""

    loaded: int
    dropped: dict[str, str]
    computed: tuple[str, ...]


@dataclass(frozen=True)
class Fit:
    """How published tensors fit a network: ``tensors`` by our names, and every complaint by kind."""

    tensors: dict[str, Tensor]
    dropped: dict[str, str]
    computed: tuple[str, ...]
    complaints: dict[str, list[str]]

    def __str__(self) -> str:
        return "; ".join(_listed(kind, names) for kind, names in self.complaints.items() if names)


def fit(module: nn.Module, published: Mapping[str, Tensor], key_map: KeyMap) -> Fit:
    """Compare published tensors with a network, which may stand on the meta device; nothing is loaded.

    Raises ``WeightsError`` where two tensors claim one place.
    """
    ours, dropped, unmatched = key_map.apply(published)
    own = module.state_dict()
    computed = tuple(name for name in own if name not in ours and any(re.fullmatch(e, name) for e in key_map.computed))
    complaints = {
        "unknown": unmatched + [name for name in ours if name not in own],
        "missing": [name for name in own if name not in ours and name not in computed],
        "of another shape": [
            f"{name} ({list(ours[name].shape)}, expected {list(own[name].shape)})"
            for name in own
            if name in ours and ours[name].shape != own[name].shape
        ],
        "of another kind of number": [
            f"{name} ({_kind(ours[name])}, expected {_kind(own[name])})"
            for name in own
            if name in ours and _kind(ours[name]) != _kind(own[name])
        ],
        "not finite": [n for n, t in ours.items() if t.is_floating_point() and not t.is_meta and not _finite(t)],
    }
    return Fit(ours, dropped, computed, {kind: names for kind, names in complaints.items() if names})


def load_published(module: nn.Module, published: Mapping[str, Tensor], key_map: KeyMap) -> LoadReport:
    """Load published tensors into a network, strictly in both directions.

    Raises ``WeightsError`` that counts and names unknown, missing, misshapen and non-finite tensors; the network is
    untouched then.
    """
    found = fit(module, published, key_map)
    if found.complaints:
        raise WeightsError(f"the weights do not fit {type(module).__name__}: {found}")
    own = module.state_dict()
    module.load_state_dict({**{name: own[name] for name in found.computed}, **found.tensors})
    return LoadReport(len(found.tensors), found.dropped, found.computed)


def _kind(tensor: Tensor) -> str:
    """What numbers a tensor holds, whatever their precision: a weight saved as integers or bits has lost its values."""
    if tensor.is_floating_point():
        return "floating"
    return "complex" if tensor.is_complex() else "bool" if tensor.dtype == torch.bool else "integer"


def _finite(tensor: Tensor) -> bool:
    known = tensor.float() if tensor.itemsize == 1 else tensor  # floats of one byte cannot be asked
    return bool(known.isfinite().all())


def _listed(what: str, names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{len(names)} {what}: {', '.join(names[:SHOWN])}{more}"
