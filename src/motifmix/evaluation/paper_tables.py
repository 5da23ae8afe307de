"""What the papers' evaluations share: their plan, repeats with intervals, and the table that comes out."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from motifmix.encoders.text_features import TextFeatures
from motifmix.encoders.tiny import Kind, published_or_tiny
from motifmix.errors import DataError
from motifmix.evaluation.metrics import Interval, over_repeats

Figures = dict[str, float]


class Plan(BaseModel):
    """How much is generated. ``limit``: test clips, all by default; ``prompts`` and ``takes``: for multimodality, which
    is left out at 0 prompts; ``batch``, ``pool`` and ``pairs`` are the protocol's own where they are not said.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    repeats: int = Field(default=1, gt=0)
    limit: int | None = Field(default=None, gt=0)
    batch: int | None = Field(default=None, gt=0)
    pool: int | None = Field(default=None, gt=1)
    pairs: int | None = Field(default=None, gt=0)
    prompts: int = Field(default=0, ge=0)
    takes: int = Field(default=30, gt=1)
    seed: int = 0


@dataclass(frozen=True)
class PaperResults:
    """Rows of figures by name, and what the paper says."""

    protocol: str
    rows: Mapping[str, Mapping[str, Interval]]
    published: Mapping[str, str]

    def as_markdown(self) -> str:
        """Return the table."""
        names = list(dict.fromkeys(name for row in self.rows.values() for name in row))
        lines = [f"| {self.protocol} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for title, row in self.rows.items():
            lines.append(f"| {title} | " + " | ".join(_cell(row.get(name)) for name in names) + " |")
        return "\n".join([*lines, "", *(f"published, {what}: {said}" for what, said in self.published.items())])

    def as_json(self) -> str:
        """Return the same with the value of each repeat."""
        rows = {title: {name: {"mean": i.mean, "half_width": None if np.isnan(i.half_width) else i.half_width,
                               "values": list(i.values)} for name, i in row.items()}
                for title, row in self.rows.items()}  # fmt: skip
        return json.dumps({"protocol": self.protocol, "rows": rows, "published": dict(self.published)}, indent=2)


def repeated(plan: Plan, once: Callable[[int], Mapping[str, Figures]]) -> dict[str, dict[str, Interval]]:
    """Run ``once(repeat)``, which returns figures by row, as often as planned; intervals as the papers print them."""
    found = [once(number) for number in range(plan.repeats)]
    return {
        title: {
            name: over_repeats([one[title][name] for one in found], published=len(found) > 1)
            for name in found[0][title]
        }
        for title in found[0]
    }


def batches(count: int, size: int) -> Iterator[slice]:
    """Cut ``0 .. count`` into slices."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def pool_size(clips: int, size: int) -> int:
    """Return ``size``. Raises ``DataError`` where there are not enough clips for one pool."""
    if clips < size:
        raise DataError(f"{clips} test clips are fewer than the {size} among which a text must find its motion")
    return size


def encode_with(
    name: str | None, kind: Kind, width: int, folder: str | None
) -> Callable[[Sequence[str]], TextFeatures]:
    """Return a function that encodes texts as the model was told them."""
    encoder = published_or_tiny(name or "clip-vit-large-patch14", kind, width, folder)
    tower = getattr(encoder, "tower", None)
    if isinstance(tower, torch.nn.Module):
        tower.to(device())
    return encoder.encode


def device() -> torch.device:
    """The accelerator, where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def array(tensor: Tensor) -> np.ndarray:
    """A tensor's numbers."""
    return tensor.detach().cpu().numpy()


def _cell(figure: Any) -> str:
    if figure is None:
        return "–"
    return f"{figure.mean:.4g}" + ("" if np.isnan(figure.half_width) else f" ± {figure.half_width:.2g}")
