"""A paper's recipe under torchrun, for test_two_papers.py: dies by a signal at a call of its loss where told to."""

import json
import os
import signal
import sys
from pathlib import Path

import torch

from motifmix.training import runs
from motifmix.training.loop import train


def main(recipe: Path, folder: Path, data: str, dies_at: int) -> None:
    calls = 0

    def watched_train(recipe, objective, *rest):
        loss = objective.loss

        def counted(generator, rng):
            nonlocal calls
            calls += 1
            if calls == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return loss(generator, rng)

        objective.loss = counted
        result = train(recipe, objective, *rest)
        rank, count = torch.distributed.get_rank(), torch.distributed.get_world_size()
        weights = {name: float(value.double().sum()) for name, value in objective.modules.state_dict().items()}
        facts = {"processes": count, "calls": calls, "weights": weights}
        (folder / f"process{rank}.json").write_text(json.dumps(facts))
        return result

    runs.train = watched_train
    runs.train_recipe(recipe, {"size": "tiny", "data_folder": data}, run=folder / "run", out=folder / "out")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
