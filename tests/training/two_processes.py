"""A run that test_two_processes.py starts under torchrun: fits a line, and dies at a step where told to."""

import json
import sys
from pathlib import Path

import torch
from torch import nn

from motifmix.training.loop import leave_group, train
from motifmix.training.recipe import Recipe


class Line:
    def __init__(self, dies_at: int):
        torch.manual_seed(0)
        self.modules = nn.ModuleDict({"line": nn.Linear(3, 1), "idle": nn.Linear(1, 1)})
        self.dies_at, self.calls, self.first_batches = dies_at, 0, []

    def loss(self, generator, rng):
        self.calls += 1
        if self.calls == self.dies_at:
            sys.exit("killed")
        x = torch.randn(16, 3, generator=generator) + float(rng.normal())
        if len(self.first_batches) < 2:
            self.first_batches.append(float(x.sum()))
        loss = (self.modules["line"](x) - x.sum(dim=1, keepdim=True)).square().mean()
        return loss, {"batch": float(x.sum())}

    def preview(self, modules, folder, step):
        pass

    def save(self, modules, folder, facts):
        folder.mkdir(parents=True)
        torch.save(modules.state_dict(), folder / "line.pt")


def main(folder: Path, dies_at: int) -> None:
    objective = Line(dies_at)
    recipe = Recipe(name="line", objective="line", steps=8, learning_rate=0.05, save_every=2, log_every=1, warm_up=2)
    train(recipe, objective, folder / "run", folder / "out")
    distributed = torch.distributed.is_initialized()
    rank = torch.distributed.get_rank() if distributed else 0
    count = torch.distributed.get_world_size() if distributed else 1
    weights = {name: value.tolist() for name, value in objective.modules.state_dict().items()}
    facts = {"processes": count, "batches": objective.first_batches, "calls": objective.calls, "weights": weights}
    (folder / f"process{rank}.json").write_text(json.dumps(facts))
    leave_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
