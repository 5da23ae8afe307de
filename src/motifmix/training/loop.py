"""One loop for every model.

A step's batch, noise and dropout depend on the recipe's seed and the step's number alone, so a run that was killed goes
on from its last checkpoint with the same bits as if it had never stopped. Checkpoints are written beside their
target and renamed; the curves are drawn while it runs.
"""

import json
import math
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from motifmix.atomic import replacing
from motifmix.errors import RequestError
from motifmix.training.recipe import Recipe

Log = Callable[[int, int, dict[str, float]], None]


class Objective(Protocol):
    """What a recipe trains: networks, a loss on a freshly drawn batch, and how to keep the result."""

    modules: nn.ModuleDict

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """Draw a batch and return its loss and the figures to log."""
        ...

    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Write pictures or figures of what the averaged networks do now."""
        ...

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the averaged networks as weights with cards."""
        ...


def train(
    recipe: Recipe,
    objective: Objective,
    run: Path,
    out: Path,
    log: Log | None = None,
    data: dict[str, str] | None = None,
) -> dict[str, float]:
    """Run or resume a recipe in the folder ``run`` and write the weights to ``out``; returns the last figures.

    ``data`` maps the sets to fingerprints: a run goes on only with the data that it began with.
    """
    from accelerate import Accelerator

    torch.manual_seed(recipe.seed)
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision=recipe.mixed_precision)
    modules = objective.modules.to(accelerator.device)
    trained = [p for p in modules.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, lr=recipe.learning_rate, betas=recipe.betas, weight_decay=recipe.weight_decay, fused=True
    )
    average = {name: value.detach().clone() for name, value in modules.state_dict().items()}
    run.mkdir(parents=True, exist_ok=True)
    first = _resume(run, recipe, data or {}, modules, optimizer, average)
    figures: dict[str, float] = {}
    curve = _Curve(run, first)
    modules.train()
    started = time.monotonic()
    for step in range(first, recipe.steps):
        torch.manual_seed(_step_seed(recipe.seed, step, 0))  # dropout
        generator = torch.Generator().manual_seed(_step_seed(recipe.seed, step, 1))
        rng = np.random.default_rng([recipe.seed, step, 2])
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(recipe, step)
        with accelerator.autocast():
            loss, figures = objective.loss(generator, rng)
        accelerator.backward(loss)
        norm = torch.nn.utils.clip_grad_norm_(trained, recipe.gradient_clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        _update_average(average, modules, min(recipe.ema, (1 + step) / (10 + step)))
        done = step + 1
        curve.add(done, {"loss": float(loss.detach()), "gradient": float(norm), **figures})
        if done % recipe.log_every == 0 or done == recipe.steps:
            latest = curve.flush(seconds=time.monotonic() - started)
            if log is not None:
                log(done, recipe.steps, latest)
        if done % recipe.save_every == 0 or done == recipe.steps:
            _save_checkpoint(run, recipe, data or {}, done, modules, optimizer, average)
            curve.draw(recipe.name)
        if done % recipe.preview_every == 0 and done < recipe.steps:
            objective.preview(_averaged(objective, average), run, done)
            modules.train()
    final = _averaged(objective, average)
    objective.preview(final, run, recipe.steps)
    objective.save(final, out, {"recipe": recipe.name, "commit": _commit()})
    return figures


def _averaged(objective: Objective, average: dict[str, Tensor]) -> nn.ModuleDict:
    import copy

    modules = copy.deepcopy(objective.modules)
    modules.load_state_dict(average)
    return modules.eval()


def _step_seed(seed: int, step: int, stream: int) -> int:
    return int(np.random.SeedSequence([seed, step, stream]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _learning_rate(recipe: Recipe, step: int) -> float:
    if step < recipe.warm_up:
        return recipe.learning_rate * (step + 1) / recipe.warm_up
    share = (step - recipe.warm_up) / max(1, recipe.steps - recipe.warm_up)
    low = min(recipe.final_learning_rate, recipe.learning_rate)
    return low + 0.5 * (recipe.learning_rate - low) * (1 + math.cos(math.pi * share))


@torch.no_grad()
def _update_average(average: dict[str, Tensor], modules: nn.Module, decay: float) -> None:
    now = modules.state_dict()
    floating = [name for name, value in average.items() if value.is_floating_point()]
    for name in floating:
        average[name].lerp_(now[name], 1.0 - decay)
    for name, value in now.items():
        if not value.is_floating_point():
            average[name].copy_(value)


def _save_checkpoint(
    run: Path,
    recipe: Recipe,
    data: dict[str, str],
    step: int,
    modules: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: dict[str, Tensor],
) -> None:
    state = {"step": step, "recipe": recipe.model_dump_json(), "data": data, "modules": modules.state_dict()}
    with replacing(run / "checkpoint.pt", force=True) as beside:
        torch.save({**state, "average": average, "optimizer": optimizer.state_dict()}, beside)


def _resume(
    run: Path,
    recipe: Recipe,
    data: dict[str, str],
    modules: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: dict[str, Tensor],
) -> int:
    path = run / "checkpoint.pt"
    if not path.exists():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["recipe"] != recipe.model_dump_json():
        raise RequestError(f"{run} holds a run of another recipe; choose another folder with --run, or delete it")
    if state.get("data", data) != data:
        changed = ", ".join(sorted(name for name in data if state["data"].get(name) != data[name]))
        raise RequestError(f"{run} was begun with other data ({changed} was prepared anew); delete it to begin again")
    modules.load_state_dict(state["modules"])
    optimizer.load_state_dict(state["optimizer"])
    for name, value in state["average"].items():
        average[name].copy_(value)
    return int(state["step"])


class _Curve:
    """Means of the figures since the last line, as JSON lines and as a picture."""

    def __init__(self, run: Path, first: int) -> None:
        self.path = run / "curve.jsonl"
        kept = []
        if self.path.exists():  # lines after the checkpoint belong to steps that are made again
            whole = [line for line in self.path.read_text("utf-8").splitlines(keepends=True) if line.endswith("}\n")]
            kept = [line.rstrip("\n") for line in whole if json.loads(line)["step"] <= first]
        self.path.write_text("".join(line + "\n" for line in kept), "utf-8")
        self.rows: list[dict[str, float]] = []
        self.step = first

    def add(self, step: int, figures: dict[str, float]) -> None:
        self.step = step
        self.rows.append(figures)

    def flush(self, seconds: float) -> dict[str, float]:
        names = {name for row in self.rows for name in row}
        means = {n: float(np.mean([row[n] for row in self.rows if n in row])) for n in sorted(names)}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": self.step, "seconds": round(seconds, 1), **means}) + "\n")
        self.rows.clear()
        return means

    def draw(self, title: str) -> None:
        from motifmix.drawing.charts import line_chart

        lines = [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]
        names = [n for n in (lines[-1] if lines else {}) if n not in ("step", "seconds", "gradient")]
        curves = {n: ([r["step"] for r in lines if n in r], [r[n] for r in lines if n in r]) for n in names[:6]}
        if curves and len(lines) > 1:
            line_chart(curves, self.path.with_suffix(".png"), title=title, logarithmic=True)


def _commit() -> str:
    here = Path(__file__).parent
    try:
        answer = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return answer.stdout.strip()
