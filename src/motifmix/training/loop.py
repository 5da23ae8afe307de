"""One loop for every model.

A step's batch, noise and dropout depend on the recipe's seed, the step's number and the process's rank alone, so a run
that was killed goes on from its last checkpoint with the same bits as if it had never stopped. Checkpoints are written
beside their target and renamed; the curves are drawn while it runs.

Under ``torchrun`` every process draws a batch of its own and gradients are averaged, so N processes train on N times the
recipe's batch; the first one alone writes. Gradients are reduced by hand, in one message: objectives call their networks
as they need, which a wrapper around one network's ``forward`` would not see.
"""

import json
import math
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from motifmix.atomic import replacing
from motifmix.errors import RequestError
from motifmix.training.recipe import Recipe

Log = Callable[[int, int, dict[str, float]], None]
Preparation = Callable[[int, int], None]
"""Called with what is prepared and what there is to prepare."""


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


@runtime_checkable
class Alternating(Protocol):
    """An objective whose steps differ, such as an adversarial one: it is told which step begins.

    In a step that leaves parameters without gradient the optimiser passes them over.
    """

    def begin_step(self, step: int) -> None:
        """Step ``step`` (from 0) begins."""
        ...


@runtime_checkable
class Preparing(Protocol):
    """An objective that makes something before its first step that takes minutes, and is kept."""

    def prepare(self, progress: Preparation) -> None:
        """Make it, or go on where it was left."""
        ...


def train(
    recipe: Recipe,
    objective: Objective,
    run: Path,
    out: Path,
    log: Log | None = None,
    data: dict[str, str] | None = None,
    preparation: Preparation | None = None,
) -> dict[str, float]:
    """Run or resume a recipe in the folder ``run`` and write the weights to ``out``; returns the last figures.

    ``data`` maps the sets to fingerprints: a run goes on only with the data that it began with. ``preparation`` is told how
    far an objective is that prepares something.
    """
    from accelerate import Accelerator

    torch.manual_seed(recipe.seed)
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision=recipe.mixed_precision)
    modules = objective.modules.to(accelerator.device)
    trained = [p for p in modules.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, lr=recipe.learning_rate, betas=recipe.betas, weight_decay=recipe.weight_decay, fused=True
    )
    average = {name: value.detach() for name, value in modules.state_dict().items()}
    if recipe.ema > 0:
        average = {name: value.clone() for name, value in average.items()}
    group = _Group(accelerator.process_index, accelerator.num_processes, accelerator.device)
    run.mkdir(parents=True, exist_ok=True)
    first = _resume(run, recipe, data or {}, modules, optimizer, average)
    if isinstance(objective, Preparing) and first < recipe.steps:
        objective.prepare(preparation or (lambda done, total: None))
    figures: dict[str, float] = {}
    curve = _Curve(run, first) if group.leads else None
    modules.train()
    started, counted = time.monotonic(), time.process_time()
    for step in range(first, recipe.steps):
        torch.manual_seed(_step_seed(recipe.seed, step, 0, *group.stream))  # dropout
        generator = torch.Generator().manual_seed(_step_seed(recipe.seed, step, 1, *group.stream))
        rng = np.random.default_rng([recipe.seed, step, 2, *group.stream])
        for parameters in optimizer.param_groups:
            parameters["lr"] = _learning_rate(recipe, step)
        if isinstance(objective, Alternating):
            objective.begin_step(step)
        parts: list[dict[str, float]] = []
        for _ in range(recipe.accumulate):
            with accelerator.autocast():
                loss, figures = objective.loss(generator, rng)
            accelerator.backward(loss / recipe.accumulate)
            parts.append({"loss": float(loss.detach()), **figures})
        group.average_gradients(trained)
        norm = torch.nn.utils.clip_grad_norm_(trained, recipe.gradient_clip or math.inf)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        _update_average(average, modules, min(recipe.ema, (1 + step) / (10 + step)))
        done = step + 1
        figures = group.mean({"gradient": float(norm), **_mean(parts)})
        if curve is None:
            continue
        curve.add(done, figures)
        if done % recipe.log_every == 0 or done == recipe.steps:
            latest = curve.flush(time.monotonic() - started, time.process_time() - counted)
            if log is not None:
                log(done, recipe.steps, latest)
        if done % recipe.save_every == 0 or done == recipe.steps:
            _save_checkpoint(run, recipe, data or {}, done, modules, optimizer, average)
            curve.draw(recipe.name)
        if done % recipe.preview_every == 0 and done < recipe.steps:
            objective.preview(_averaged(objective, average), run, done)
            modules.train()
    if curve is not None:
        final = _averaged(objective, average)
        objective.preview(final, run, recipe.steps)
        objective.save(final, out, {"recipe": recipe.name, "commit": commit()})
    group.wait()
    return figures


def leave_group() -> None:
    """Leave the processes that train together; who just ends may take the others down with a broken connection."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


class _Group:
    """The processes that train together; one alone needs no messages, and draws as it always did."""

    def __init__(self, rank: int, count: int, device: torch.device) -> None:
        self.count, self.device = count, device
        self.leads = rank == 0
        self.stream = () if rank == 0 else (rank,)

    def average_gradients(self, trained: list[nn.Parameter]) -> None:
        """Replace each gradient by its mean over the processes; a parameter that one of them did not use counts as 0.

        One that nobody used stays without gradient.
        """
        if self.count == 1:
            return
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in trained]
        used = torch.tensor([float(p.grad is not None) for p in trained], device=self.device)
        flat = torch.cat([used, *(gradient.flatten() for gradient in gradients)])
        torch.distributed.all_reduce(flat)
        used, *means = flat.div_(self.count).split([len(trained), *(p.numel() for p in trained)])
        for parameter, mean, share in zip(trained, means, used.tolist(), strict=True):
            parameter.grad = mean.view_as(parameter).clone() if share > 0 else None

    def mean(self, figures: dict[str, float]) -> dict[str, float]:
        """Average figures that all processes have."""
        if self.count == 1:
            return figures
        everyone: list[Any] = [None] * self.count
        torch.distributed.all_gather_object(everyone, figures)
        return _mean(everyone)

    def wait(self) -> None:
        """Return when all have come here: nobody leaves while the first one still writes."""
        if self.count > 1:
            torch.distributed.barrier()


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    """Average the figures that all rows have."""
    if len(rows) == 1:
        return rows[0]
    shared = [name for name in rows[0] if all(name in row for row in rows)]
    return {name: float(np.mean([row[name] for row in rows])) for name in shared}


def _averaged(objective: Objective, average: dict[str, Tensor]) -> nn.ModuleDict:
    import copy

    modules = copy.deepcopy(objective.modules)
    modules.load_state_dict(average)
    return modules.eval()


def _step_seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _learning_rate(recipe: Recipe, step: int) -> float:
    if step < recipe.warm_up:
        return recipe.learning_rate * (step + 1) / recipe.warm_up
    share = (step - recipe.warm_up) / max(1, recipe.steps - recipe.warm_up)
    low = min(recipe.final_learning_rate, recipe.learning_rate)
    return low + 0.5 * (recipe.learning_rate - low) * (1 + math.cos(math.pi * share))


@torch.no_grad()
def _update_average(average: dict[str, Tensor], modules: nn.Module, decay: float) -> None:
    if decay == 0:  # the average is the networks' own storage
        return
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
    if not _same_recipe(state["recipe"], recipe):
        raise RequestError(f"{run} holds a run of another recipe; choose another folder with --run, or delete it")
    if state.get("data", data) != data:
        changed = ", ".join(sorted(name for name in data if state["data"].get(name) != data[name]))
        raise RequestError(f"{run} was begun with other data ({changed} was prepared anew); delete it to begin again")
    modules.load_state_dict(state["modules"])
    optimizer.load_state_dict(state["optimizer"])
    for name, value in state["average"].items():
        average[name].copy_(value)
    return int(state["step"])


def _same_recipe(stored: str, recipe: Recipe) -> bool:
    """Compare by value, so that a run outlives fields that recipes learn later; where the data lie is no matter."""
    try:
        before = Recipe.model_validate_json(stored)
    except ValueError:
        return False
    return before.model_copy(update={"data_folder": recipe.data_folder}) == recipe


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

    def flush(self, seconds: float, processor: float) -> dict[str, float]:
        """Write the means with the seconds since the run began or went on, by the clock and of the processor."""
        names = {name for row in self.rows for name in row}
        means = {n: float(np.mean([row[n] for row in self.rows if n in row])) for n in sorted(names)}
        with self.path.open("a", encoding="utf-8") as file:
            spent = {"seconds": round(seconds, 1), "processor": round(processor, 1)}
            file.write(json.dumps({"step": self.step, **spent, **means}) + "\n")
        self.rows.clear()
        return means

    def draw(self, title: str) -> None:
        from motifmix.drawing.charts import line_chart

        lines = [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]
        names = [n for n in (lines[-1] if lines else {}) if n not in ("step", "seconds", "processor", "gradient")]
        curves = {n: ([r["step"] for r in lines if n in r], [r[n] for r in lines if n in r]) for n in names[:6]}
        positive = all(value > 0 for _, values in curves.values() for value in values)  # an adversary's need not be
        if curves and len(lines) > 1:
            line_chart(curves, self.path.with_suffix(".png"), title=title, logarithmic=positive)


def commit() -> str:
    """Return the commit of this code, "unknown" where it is installed without its history."""
    here = Path(__file__).parent
    try:
        answer = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return answer.stdout.strip()
