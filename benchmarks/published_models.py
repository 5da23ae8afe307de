"""The published models at full size: seconds, memory and arithmetic of ours beside a plain reading of each structure.

    python benchmarks/published_models.py                     # writes docs/performance.md's section and its JSON
    python benchmarks/published_models.py --only mld smoodi   # measures two families anew and keeps the others' figures

Random weights, the same in both (``plain/`` has the published names, ours load them through the key maps), batch 1. Both
must give the same numbers within 1e-4 of the greatest, or nothing is written. They are timed in alternation, with a large
matrix product in every round; a figure is the fastest round, which is the one that other processes disturbed least.
Memory is the peak of a process of its own that holds only one of the two.
"""

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import torch
from published_page import with_section
from published_rows import FAMILIES, Row
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

DOCS = Path(__file__).parents[1] / "docs"
TOLERANCE = 1e-4
SIDES = ("plain", "ours")
# The process's own seconds leave out the time in which other programs had the cores; they only make sense with one thread.
CLOCKS = {"wall": time.perf_counter, "process": time.process_time}
PEAK_SIZE = 1024
KINDS = {  # of operators, by what their names begin with
    "matrix products": ("aten::addmm", "aten::mm", "aten::bmm", "aten::linear", "mkldnn::", "aten::mkldnn"),
    "attention": ("aten::_scaled_dot_product", "aten::_native_multi_head", "aten::scaled_dot"),
    "layer norms": ("aten::native_layer_norm", "aten::layer_norm"),
    "GELU and SiLU": ("aten::gelu", "aten::silu"),
    "copies": ("aten::copy_", "aten::cat", "aten::constant_pad", "aten::clone", "aten::fill_", "aten::index"),
    "sums and products of elements": ("aten::add", "aten::mul", "aten::sub", "aten::div", "aten::where"),
}


class Timer:
    """Seconds of calls, by a clock of :data:`CLOCKS`, and the machine's rate in a large matrix product."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.factors = {d: torch.randn(2, PEAK_SIZE, PEAK_SIZE).to(d) for d in (torch.float32, torch.bfloat16)}

    def __call__(self, call: Callable[[], Any]) -> float:
        begin = self.clock()
        call()
        return self.clock() - begin

    def peak(self, dtype: torch.dtype) -> float:
        """Return operations a second."""
        a, b = self.factors[dtype]
        return 2.0 * PEAK_SIZE**3 / min(self(lambda: a @ b) for _ in range(3))


def counted(call: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, int]:
    """Return a result and its floating point operations; attention is taken apart, the counter knows no fused one here."""
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            result = call()
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    return result, counter.get_total_flops()


def alternated(row: Row, timer: Timer, seconds: float, at_least: int) -> dict[str, Any]:
    """Time both, round by round, each time with the machine's peak; who begins changes."""
    rounds = {side: [] for side in ("peak", *SIDES)}
    begin, number = time.perf_counter(), 0
    while number < (1 if row.long else at_least) or time.perf_counter() - begin < seconds:
        rounds["peak"].append(timer.peak(torch.float32))
        for side in SIDES if number % 2 else reversed(SIDES):
            rounds[side].append(timer(getattr(row, side)))
        number += 1
    return {
        "rounds": number,
        "peak": max(rounds["peak"]),
        **{f"{side} seconds": min(rounds[side]) for side in SIDES},
        **{f"{side} median": median(rounds[side]) for side in SIDES},
        "median ratio": median(a / b for a, b in zip(rounds["plain"], rounds["ours"], strict=True)),
    }


def profiled(call: Callable[[], Any], repeats: int) -> dict[str, Any]:
    """Return the share of time of each kind of operator, the greatest first, and how many operators a call starts."""
    with profile(activities=[ProfilerActivity.CPU]) as watch:
        for _ in range(repeats):
            call()
    events = [e for e in watch.key_averages() if e.key.startswith(("aten::", "mkldnn::"))]
    total = sum(event.self_cpu_time_total for event in events)
    shares: dict[str, float] = {}
    for event in events:
        kind = next((kind for kind, names in KINDS.items() if event.key.startswith(names)), "other")
        shares[kind] = shares.get(kind, 0.0) + event.self_cpu_time_total / total
    top = sorted(events, key=lambda event: -event.self_cpu_time_total)[:8]
    return {
        "kinds": dict(sorted(shares.items(), key=lambda item: -item[1])),
        "operators": sum(event.count for event in events) // repeats,
        "top": {event.key: event.self_cpu_time_total / total for event in top},
    }


def in_bf16(name: str, tiny: bool, timer: Timer, seconds: float) -> dict[tuple[str, str], dict[str, float]]:
    """Time ours in bfloat16, row by row."""
    found = {}
    for row in FAMILIES[name](tiny, torch.bfloat16):
        if row.long:
            continue
        row.ours()
        rounds, peaks, begin = [], [], time.perf_counter()
        while len(rounds) < 2 or time.perf_counter() - begin < seconds:
            peaks.append(timer.peak(torch.bfloat16))
            rounds.append(timer(row.ours))
        found[row.name, row.frames] = {"bf16 seconds": min(rounds), "bf16 peak": max(peaks)}
    return found


def memory(name: str, tiny: bool) -> dict[str, list[float | None]]:
    """Ask a process a side for its peaks of resident memory."""
    found = {}
    for side in SIDES:
        command = [sys.executable, __file__, "--memory", name, side, *(["--size", "tiny"] if tiny else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[side] = json.loads(done.stdout.splitlines()[-1])
    return found


def peaks_of(name: str, side: str, tiny: bool) -> list[float | None]:
    """Run every row's one side alone, and return the peak of resident memory in MB of each."""
    calls = [None if row.long else getattr(row, side) for row in FAMILIES[name](tiny, torch.float32)]
    gc.collect()  # the other side's weights
    found: list[float | None] = []
    for call in calls:
        if call is None:
            found.append(None)
            continue
        try:
            Path("/proc/self/clear_refs").write_text("5")
            call()
            status = Path("/proc/self/status").read_text()
            found.append(next(float(line.split()[1]) / 1e3 for line in status.splitlines() if line.startswith("VmHWM")))
        except (OSError, StopIteration):
            found.append(None)
    return found


def measured(name: str, tiny: bool, timer: Timer, seconds: float, at_least: int) -> dict[str, Any]:
    """Measure a family. Raises ``AssertionError`` where the plain reading and ours differ."""
    torch.manual_seed(0)
    load, rows = os.getloadavg()[0], []
    for row in FAMILIES[name](tiny, torch.float32):
        (expected, plain_operations), (given, our_operations) = counted(row.plain), counted(row.ours)
        if not row.long:  # the roads that are timed
            expected, given = row.plain(), row.ours()
        difference = float((expected - given).abs().max() / expected.abs().max())
        assert given.shape == expected.shape and difference < TOLERANCE, f"{row.family}, {row.name}: {difference:.1e}"
        facts = {"family": row.family, "name": row.name, "frames": row.frames, "steps": row.steps}
        facts |= {"difference": difference, "plain operations": plain_operations, "ours operations": our_operations}
        facts |= alternated(row, timer, seconds, at_least)
        if row.profiled:
            facts["profile"] = profiled(row.ours, repeats=2 if facts["ours seconds"] > 0.1 else 20)
        print(f"{row.family}, {row.name}, {row.frames}: {facts['plain seconds']:.4g} s, {facts['ours seconds']:.4g} s, "
              f"{facts['plain seconds'] / facts['ours seconds']:.2f} x, off by {difference:.0e}", flush=True)  # fmt: skip
        rows.append(facts)
        del row, expected, given
    gc.collect()
    low = in_bf16(name, tiny, timer, seconds / 3)
    gc.collect()
    peaks = memory(name, tiny)
    for number, facts in enumerate(rows):
        facts |= low.get((facts["name"], facts["frames"]), {})
        facts |= {f"{side} megabytes": peaks[side][number] for side in SIDES}
    return {"rows": rows, "load": [load, os.getloadavg()[0]], "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}


def machine() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=list(FAMILIES), help="families to measure anew")
    parser.add_argument("--size", choices=("full", "tiny"), default="full", help="tiny tries the script out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="process: on a busy machine, with --threads 1")
    parser.add_argument("--seconds", type=float, default=12.0, help="of rounds a row, at least")
    parser.add_argument("--rounds", type=int, default=3, help="a row, at least")
    parser.add_argument("--out", type=Path, default=DOCS, help="where performance.md and its JSON stand")
    parser.add_argument("--memory", nargs=2, metavar=("FAMILY", "SIDE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.clock == "process" and arguments.threads != 1:
        parser.error("the process's own seconds add up over threads: give --threads 1 with --clock process")
    torch.set_num_threads(arguments.threads)
    torch.set_grad_enabled(False)
    tiny = arguments.size == "tiny"
    if arguments.memory:
        family, side = arguments.memory
        print(json.dumps(peaks_of(family, side, tiny)))
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    figures, page = arguments.out / "performance_models.json", arguments.out / "performance.md"
    report = json.loads(figures.read_text("utf-8")) if figures.exists() else {"families": {}}
    report |= {"machine": machine(), "clock": arguments.clock}
    timer = Timer(CLOCKS[arguments.clock])
    for name in arguments.only:
        report["families"][name] = measured(name, tiny, timer, arguments.seconds, arguments.rounds)
        figures.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        page.write_text(with_section(page.read_text("utf-8") if page.exists() else "", report), encoding="utf-8")


if __name__ == "__main__":
    main()
