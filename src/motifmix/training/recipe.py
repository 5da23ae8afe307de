"""Recipes: YAML files that say what is trained, on what, for how long."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from motifmix.errors import RequestError


class Recipe(BaseModel):
    """One training run. ``options`` belong to the objective and are checked by it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9_-]+$")
    objective: str
    size: str = "full"
    """The paper's, or one of those under ``sizes`` in the file, whose values replace the others."""
    data: list[str] = Field(default=["bandai", "cmu"], min_length=1)
    data_folder: str | None = None
    """Where a set in its published layout lies; prepared sets lie below MOTIFMIX_HOME."""
    steps: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    final_learning_rate: float = Field(default=1e-5, ge=0)
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = Field(default=0.01, ge=0)
    warm_up: int = Field(default=100, ge=0)
    gradient_clip: float | None = Field(default=1.0, gt=0)
    accumulate: int = Field(default=1, gt=0)
    """Batches whose gradients are averaged in one step."""
    ema: float = Field(default=0.999, ge=0, lt=1)
    seed: int = 0
    mixed_precision: str = Field(default="no", pattern="^(no|bf16)$")
    log_every: int = Field(default=50, gt=0)
    save_every: int = Field(default=500, gt=0)
    preview_every: int = Field(default=2000, gt=0)
    weights: str = Field(default="weights", pattern=r"^[a-z0-9_-]+$")
    """Folder below MOTIFMIX_HOME for the parts that the run writes."""
    options: dict[str, Any] = {}


def read_recipe(path: Path, changes: dict[str, Any] | None = None) -> Recipe:
    """Read a recipe; ``changes`` maps dotted names to values. Raises ``RequestError`` naming file and field."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise RequestError(f"{path}: the recipe cannot be read ({error.strerror or error})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RequestError(f"{path}: this is no YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(content, dict):
        raise RequestError(f"{path}: a recipe is a list of named values; see recipes/default")
    changes = dict(changes or {})
    content = _sized(path, content, changes.get("size", content.get("size", "full")))
    for name, value in changes.items():
        place = content
        *parents, last = name.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise RequestError(f"--set {name}: {parent!r} is a single value in {path}")
        place[last] = value
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise RequestError(f"{path}: field {field!r}: {first['msg']}") from error


def _sized(path: Path, content: dict[str, Any], size: Any) -> dict[str, Any]:
    """Put the values of a size in place of the recipe's own, mapping by mapping."""
    sizes = content.pop("sizes", None) or {}
    if size == "full":
        return content
    if not isinstance(sizes, dict) or not isinstance(sizes.get(size), dict):
        known = ", ".join(["full", *sizes]) if isinstance(sizes, dict) else "full"
        raise RequestError(f"{path}: has no size {size!r}; known: {known}")
    return _merged(content, sizes[size])


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {name: _merged(below[name], value) for name, value in above.items()
            if isinstance(value, dict) and isinstance(below.get(name), dict)}  # fmt: skip
    return {**below, **above, **both}
