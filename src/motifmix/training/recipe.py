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
    data: list[str] = Field(default=["bandai", "cmu"], min_length=1)
    steps: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    final_learning_rate: float = Field(default=1e-5, ge=0)
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = Field(default=0.01, ge=0)
    warm_up: int = Field(default=100, ge=0)
    gradient_clip: float = Field(default=1.0, gt=0)
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
    for name, value in (changes or {}).items():
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
