"""What the papers' objectives share: frozen networks beside the trained ones, held-out losses, folders of weights."""

import importlib
import json
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from motifmix.errors import RequestError, WeightsError
from motifmix.features.space import Normaliser
from motifmix.home import home
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import write_weights
from motifmix.pretrained.converted import MODEL_CARD, STATISTICS, ModelCard, read_model_card
from motifmix.pretrained.published import Licence, published, published_names
from motifmix.quirks import Quirk
from motifmix.training.published_sets import HELD_OUT, Clips, opened
from motifmix.training.recipe import Recipe

Drawn = tuple[Tensor, dict[str, float]]
_TERMS = {
    "humanml3d": "HumanML3D (AMASS, non-commercial research)",
    "100style-humanml3d": "100STYLE (CC BY 4.0) and HumanML3D (AMASS, non-commercial research)",
    "humanml3d-262": "HumanML3D (AMASS, non-commercial research)",
    "interhuman": "InterHuman (CC BY-NC-SA 4.0, no redistribution)",
}


@dataclass(frozen=True)
class KeptPart:
    """A network as it is written: class (``mld_vae:MotionVAE``) and sizes, so that it can be built again."""

    architecture: str
    sizes: Mapping[str, Any]
    quirks: Collection[Quirk] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


class PaperObjective:
    """An objective whose ``losses`` can be asked of any set of networks: the trained ones, or their averages.

    ``modules`` learn and stand in checkpoints, ``frozen`` do neither. Subclasses fill both, ``kept`` (what is written)
    and ``statistics``, and say what a step's ``losses`` are.
    """

    model: str  # the published model that this is, by its name in ``models list``

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.modules = nn.ModuleDict()
        self.frozen = nn.ModuleDict().eval()
        self.kept: dict[str, KeptPart] = {}
        self.statistics: dict[str, Normaliser] = {}
        torch.manual_seed(recipe.seed)

    def losses(
        self, modules: nn.ModuleDict, generator: torch.Generator, rng: np.random.Generator, held_out: bool = False
    ) -> Drawn:
        """Draw a batch and return the loss of ``modules`` on it, and figures."""
        raise NotImplementedError

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> Drawn:
        """One training batch."""
        self.frozen.to(self.device)
        return self.losses(self.modules, generator, rng)

    @property
    def device(self) -> torch.device:
        """Where the trained networks are."""
        return next(self.modules.parameters()).device

    @torch.no_grad()
    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Add the averaged networks' losses on held-out clips to ``held_out.jsonl``."""
        self.frozen.to(self.device)
        rows = []
        for number in range(4):
            generator = torch.Generator().manual_seed(number)
            loss, figures = self.losses(modules, generator, np.random.default_rng(number), held_out=True)
            rows.append({"loss": float(loss), **figures})
        names = dict.fromkeys(name for row in rows for name in row)  # some figures are of what a batch need not hold
        means = {name: round(float(np.mean([row[name] for row in rows if name in row])), 6) for name in names}
        with (folder / "held_out.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **means}) + "\n")

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the kept parts with their cards, and ``model.yaml`` so that the folder loads like a converted one."""
        self._write({name: modules[name] for name in self.kept}, folder, facts)

    def _write(self, networks: Mapping[str, nn.Module], folder: Path, facts: dict[str, Any]) -> None:
        terms = "; ".join(_TERMS.get(name, name) for name in self.recipe.data)
        common = {
            "space": self.space, "licence": f"yours, under the terms of the training data: {terms}", "credit": [terms],
            "data": self.recipe.data, "recipe": facts["recipe"], "commit": facts["commit"],
        }  # fmt: skip
        for name, part in self.kept.items():
            write_weights(
                folder, name, networks[name].state_dict(), exact=True, name=name, role="generate",
                architecture=part.architecture, sizes=dict(part.sizes), quirks=[quirk.name for quirk in part.quirks],
                extra=dict(part.extra), **common,
            )  # fmt: skip
        before = read_model_card(folder) if (folder / MODEL_CARD).exists() else None
        if self.statistics:
            tensors = {f"{name}.{kind}": torch.from_numpy(np.asarray(getattr(values, kind), np.float32))
                       for name, values in self.statistics.items() for kind in ("mean", "std")}  # fmt: skip
            write_weights(
                folder, STATISTICS, tensors, exact=True, name=STATISTICS, role="generate", architecture="none", sizes={},
                **common,
            )  # fmt: skip
        known = published(self.model) if self.model in published_names() else None
        card = ModelCard(
            published=self.model,
            title=f"{known.title if known else self.model}, trained by the recipe {facts['recipe']}",
            converted_by=f"recipe {facts['recipe']}, commit {facts['commit']}",
            files={},
            licence=Licence(code="Apache-2.0", weights="yours", data=terms, consequence="The terms of the data hold."),
            citation=known.citation if known else "",
            parts=sorted(path.stem for path in folder.glob("*.safetensors") if path.stem != STATISTICS),
            statistics=list(self.statistics) or (before.statistics if before else []),
            space=self.space,
            schedule=known.schedule if known else None,
            quirks=[quirk.name for quirk in getattr(self, "quirks", ())],
            text_encoder=getattr(self, "text_encoder", None),
        )
        import yaml

        text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120)
        (folder / MODEL_CARD).write_text(text, "utf-8")

    space = "humanml3d_263"


class ClipObjective(PaperObjective):
    """An objective over one dataset's clips of one person; ``options.batch`` of them are drawn."""

    def read(self, recipe: Recipe, longest: int, **reading: Any) -> None:
        """Open the recipe's dataset; nothing of its test list is read before it is asked for."""
        self.reader = opened(recipe, **reading)
        self.longest = longest
        self.normaliser: Normaliser = self.reader.normaliser()
        self.statistics["motion"] = self.normaliser
        self.clips = Clips(self.reader.samples("train"), self.normaliser, longest)

    @cached_property
    def held_out(self) -> Clips:
        """The first clips of the test list."""
        return Clips(islice(self.reader.samples("test"), HELD_OUT), self.normaliser, self.longest)

    def chosen(self, batch: int, held_out: bool) -> tuple[Clips, int]:
        """Return what to draw from and how much of it."""
        return (self.held_out, min(batch, 32)) if held_out else (self.clips, batch)


def begun(folder: str | None, default: str, part: str, remedy: str) -> tuple[Path, nn.Module, KeptPart]:
    """Load a network that an earlier stage wrote, from a folder or from one below MOTIFMIX_HOME.

    Raises ``WeightsError`` with the ``remedy`` where it is not there yet.
    """
    place = Path(folder) if folder else home() / default
    if not (place / f"{part}.yaml").is_file():
        raise WeightsError(f"{place}: holds no {part}; {remedy}")
    card, network, _ = load_part(place, part)
    return place, network, KeptPart(card.architecture, card.sizes, _quirks_of(network), card.extra)


def copied(part: str, source: Path, out: Path) -> None:
    """Copy a part that this stage did not change, so that the folder is whole."""
    if source.resolve() == out.resolve():
        return
    out.mkdir(parents=True, exist_ok=True)
    for suffix in (".safetensors", ".yaml"):
        shutil.copyfile(source / f"{part}{suffix}", out / f"{part}{suffix}")


def quirks_named(names: Collection[str], *modules: str) -> tuple[Quirk, ...]:
    """Find quirks by name in the modules (below ``motifmix``) of a model. Raises ``RequestError`` for an unknown one."""
    known: dict[str, Quirk] = {}
    for module in modules:
        values = vars(importlib.import_module(f"motifmix.{module}")).values()
        known |= {value.name: value for value in values if isinstance(value, Quirk)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise RequestError(f"options.quirks: {unknown[0]!r} is not known; known: {', '.join(sorted(known))}")
    return tuple(known[name] for name in names)


def _quirks_of(network: nn.Module) -> tuple[Quirk, ...]:
    return tuple(getattr(network, "quirks", ()))
