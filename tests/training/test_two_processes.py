"""Two processes under torchrun train one model, each on batches of its own, and a killed run goes on to the same losses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).with_name("two_processes.py")
pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no distributed package")


def torchrun(folder: Path, dies_at: int = 0) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--rdzv-backend", "c10d"]
    command += ["--rdzv-endpoint", "localhost:0", str(SCRIPT), str(folder), str(dies_at)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def curve(folder: Path) -> list[tuple[int, float, float]]:
    lines = [json.loads(line) for line in (folder / "run" / "curve.jsonl").read_text().splitlines()]
    return [(line["step"], line["loss"], line["gradient"]) for line in lines]


def test_two_processes_share_the_work_and_a_killed_run_goes_on(tmp_path):
    whole = torchrun(tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr[-2000:]
    first, second = (json.loads((tmp_path / "whole" / f"process{rank}.json").read_text()) for rank in (0, 1))
    assert first["processes"] == second["processes"] == 2
    assert first["batches"] != second["batches"]  # each draws its own
    assert first["weights"] == second["weights"]  # and both learn from both
    assert [step for step, _, _ in curve(tmp_path / "whole")] == list(range(1, 9))

    killed = torchrun(tmp_path / "killed", dies_at=6)
    assert killed.returncode != 0 and not (tmp_path / "killed" / "out").exists()
    again = torchrun(tmp_path / "killed")
    assert again.returncode == 0, again.stderr[-2000:]
    resumed = json.loads((tmp_path / "killed" / "process1.json").read_text())
    assert resumed["calls"] == 4  # from the checkpoint at step 4 on
    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")
    assert resumed["weights"] == first["weights"]
