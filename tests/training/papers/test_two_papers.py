"""MixerMDM's recipe, whose steps take turns, on two processes: killed, resumed, the same losses as uninterrupted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).with_name("two_papers.py")
RECIPE = Path(__file__).parents[3] / "recipes" / "papers" / "mixermdm.yaml"
pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no distributed package")


def torchrun(folder: Path, data: Path, dies_at: int = 0) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--rdzv-backend", "c10d"]
    command += ["--rdzv-endpoint", "localhost:0", str(SCRIPT), str(RECIPE), str(folder), str(data), str(dies_at)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def curve(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "run" / "curve.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in ("seconds", "processor")} for line in lines]


def test_two_processes_train_a_mixer_and_a_killed_run_goes_on_with_the_same_losses(workshop, tmp_path):
    for base in ("in2in_individual", "in2in_interaction"):
        workshop.train(base)
    data = workshop.data["interhuman"]
    whole = torchrun(tmp_path / "whole", data)
    assert whole.returncode == 0, whole.stderr[-2000:]
    first, second = (json.loads((tmp_path / "whole" / f"process{rank}.json").read_text()) for rank in (0, 1))
    assert first["processes"] == second["processes"] == 2
    assert first["weights"] == second["weights"]
    lines = curve(tmp_path / "whole")
    assert ["generator" in line for line in lines] == [True, False] * 3

    # Two batches a step; the checkpoint before the ninth batch is that of step 4.
    killed = torchrun(tmp_path / "killed", data, dies_at=10)
    assert killed.returncode != 0 and not (tmp_path / "killed" / "out").exists()
    again = torchrun(tmp_path / "killed", data)
    assert again.returncode == 0, again.stderr[-2000:]
    resumed = json.loads((tmp_path / "killed" / "process1.json").read_text())
    assert resumed["calls"] == 4
    assert curve(tmp_path / "killed") == lines
    assert resumed["weights"] == first["weights"]
