"""Seconds and memory of every stage of the main job on this machine: what ``motifmix bench`` measures.

The pipeline itself is run; its stages are timed where they happen, by watching the calls of the text encoder, the
denoiser and the decoder. A figure is the median over repeats after one warm-up. Memory is the process's peak of
resident memory during the stage where the system can reset it (Linux), else the peak so far. Shares of the peak are
floating point operations counted by torch over those that this machine does in a large matrix product, in this run.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

TEXT, STYLE, SECONDS = "a person walks forward", "old", 4.0
STEPS = (50, 20, 10, 5)
LENGTHS = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0)
BATCHES = (1, 4, 16, 32)
FORMATS = (".bvh", ".npz", ".glb", ".mp4", ".gif")
TRAINING_BATCH = 32


@dataclass(frozen=True)
class Figure:
    """One measured stage; ``facts`` say under which conditions."""

    stage: str
    seconds: float
    megabytes: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Report:
    """All figures of a run, and the machine that they belong to."""

    machine: dict[str, Any]
    figures: list[Figure] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"machine": self.machine, "figures": [asdict(figure) for figure in self.figures]}

    def as_markdown(self) -> str:
        """Return one table; seconds with three significant digits."""
        facts = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        lines = [f"Machine: {facts}", "", "| stage | conditions | seconds | peak MB |", "|---|---|---|---|"]
        for figure in self.figures:
            conditions = ", ".join(f"{name} {_shown(value)}" for name, value in figure.facts.items())
            memory = "" if figure.megabytes is None else f"{figure.megabytes:.0f}"
            lines.append(f"| {figure.stage} | {conditions} | {figure.seconds:.3g} | {memory} |")
        return "\n".join(lines)


def measure(
    repeats: int = 5, threads: int | None = None, progress: Callable[[int, int], None] = lambda done, total: None
) -> Report:
    """Measure everything; takes about two minutes. ``threads`` is torch's own choice unless given."""
    jobs: list[Callable[[], list[Figure]]] = [_start, _imports, _whole_command]
    figures: list[Figure] = []
    total = len(jobs) + 5
    for done, job in enumerate(jobs):
        progress(done, total)
        figures += job()
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    report = Report(_machine(), figures)
    pipeline, loading = _loaded()
    progress(4, total)
    report.figures += [loading, *_stages(pipeline, repeats)]
    progress(5, total)
    report.figures += _against_length_and_batch(pipeline, repeats)
    progress(6, total)
    report.figures += _writing(pipeline, repeats)
    progress(7, total)
    report.figures += _training(pipeline, repeats)
    progress(total, total)
    return report


class Watch:
    """Remembers when watched methods began and ended, in seconds of the process's clock."""

    def __init__(self) -> None:
        self.spans: dict[str, list[tuple[float, float]]] = {}

    def span(self, name: str) -> float:
        """From the first begin to the last end of a method; 0 when it was never called."""
        spans = self.spans.get(name, [])
        return spans[-1][1] - spans[0][0] if spans else 0.0

    def total(self, name: str) -> float:
        """The sum of a method's calls."""
        return sum(end - begin for begin, end in self.spans.get(name, []))


@contextmanager
def watching(**methods: tuple[type, str]) -> Iterator[Watch]:
    """Time the calls of methods, each given as (class, name of the method)."""
    watch = Watch()
    originals = {name: (owner, method, getattr(owner, method)) for name, (owner, method) in methods.items()}

    def timed(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            begin = time.perf_counter()
            try:
                return original(*arguments, **options)
            finally:
                watch.spans.setdefault(name, []).append((begin, time.perf_counter()))

        return call

    try:
        for name, (owner, method, original) in originals.items():
            setattr(owner, method, timed(name, original))
        yield watch
    finally:
        for owner, method, original in originals.values():
            setattr(owner, method, original)


def matrix_peak(size: int = 1024, seconds: float = 0.5) -> float:
    """Floating point operations a second in products of square float32 matrices: the best of half a second."""
    import torch

    a, b = torch.randn(size, size), torch.randn(size, size)
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - begin)
    return 2.0 * size**3 / best


def _machine() -> dict[str, Any]:
    import platform

    import torch

    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _start() -> list[Figure]:
    return [_child("start", ["-m", "motifmix", "--help"])]


def _imports() -> list[Figure]:
    return [_child("import", ["-c", "import motifmix.pipelines.text_to_motion"], repeats=2)]


def _whole_command() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        words = ["-m", "motifmix", "generate", TEXT, "--style", STYLE, "--seconds", f"{SECONDS:g}", "--force", "--out"]
        figure = _child("whole command", [*words, str(Path(folder, "walk.bvh"))], repeats=2)
    return [Figure(figure.stage, figure.seconds, figure.megabytes, {"clip s": SECONDS, "out": ".bvh"})]


def _child(stage: str, arguments: Sequence[str], repeats: int = 3) -> Figure:
    """Run Python anew; the first of the runs warms the disk and does not count."""
    seconds, memory = [], None
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = process.stderr.read() if process.stderr else b""
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            memory = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
        else:
            process.wait()
        seconds.append(time.perf_counter() - begin)
        if process.returncode:
            raise RuntimeError(
                f"{' '.join(arguments)} ended with {process.returncode}: {said.decode(errors='replace')}"
            )
    return Figure(stage, median(seconds[1:]), memory)


def _loaded() -> tuple[Any, Figure]:
    import motifmix

    _reset_peak()
    begin = time.perf_counter()
    pipeline = motifmix.load()
    pipeline.generate([TEXT], seconds=1.0, seeds=[0])  # what is read at the first use belongs to loading
    return pipeline, Figure("load and first use", time.perf_counter() - begin, _peak())


def _run(pipeline: Any, repeats: int, *, seconds: float = SECONDS, batch: int = 1, **options: Any) -> dict[str, float]:
    """Medians of the stages of one call with a style in words, and the peak of memory."""
    from motifmix.encoders.text import MiniLM
    from motifmix.models.latent_denoiser import LatentDenoiser
    from motifmix.models.temporal_vae import TemporalVAE

    taken: list[dict[str, float]] = []
    peak = None
    for number in range(repeats + 1):
        _reset_peak()
        with watching(
            text=(MiniLM, "encode"), denoising=(LatentDenoiser, "forward"), decoding=(TemporalVAE, "decode")
        ) as watch:
            begin = time.perf_counter()
            # Another style a run, so that nothing is answered from a cache.
            style = STYLE if number == 0 else f"{STYLE} number {number}"
            pipeline.generate([f"{TEXT} {number}"] * batch, [style] * batch, seconds, list(range(batch)), **options)
            whole = time.perf_counter() - begin
        decoded = watch.spans["decoding"][-1][1] - begin
        peak = _peak()
        if number:
            stages = {"text": watch.total("text"), "denoising": watch.span("denoising")}
            stages |= {"decoding": watch.total("decoding"), "prompt to features": decoded, "prompt to motion": whole}
            taken.append(stages)
    result = {stage: median(run[stage] for run in taken) for stage in taken[0]}
    return result | ({"peak": peak} if peak is not None else {})


def _stages(pipeline: Any, repeats: int) -> list[Figure]:
    figures = []
    default = _run(pipeline, repeats)
    facts = {"clip s": SECONDS, "batch": 1, "steps": "default"}
    for stage in ("text", "denoising", "decoding", "prompt to features", "prompt to motion"):
        figures.append(Figure(stage, default[stage], default.get("peak"), facts))
    for steps in STEPS:
        run = _run(pipeline, repeats, steps=steps)
        figures.append(Figure("denoising", run["denoising"], run.get("peak"), {**facts, "steps": steps}))
    return figures


def _against_length_and_batch(pipeline: Any, repeats: int) -> list[Figure]:
    figures = []
    for seconds in LENGTHS:
        run = _run(pipeline, repeats, seconds=seconds)
        figures.append(
            Figure("prompt to motion", run["prompt to motion"], run.get("peak"), {"clip s": seconds, "batch": 1})
        )
    for batch in BATCHES:
        run = _run(pipeline, max(repeats // 2, 1), batch=batch)
        facts = {"clip s": SECONDS, "batch": batch, "each": run["prompt to motion"] / batch}
        figures.append(Figure("prompt to motion", run["prompt to motion"], run.get("peak"), facts))
    return figures


def _writing(pipeline: Any, repeats: int) -> list[Figure]:
    from motifmix.apps.outputs import save

    motion = pipeline.generate([TEXT], None, SECONDS, [0])[0].resampled(30.0)
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix in FORMATS:
            path, seconds = Path(folder, f"walk{suffix}"), []
            _reset_peak()
            for _ in range(1 if suffix in (".mp4", ".gif") else repeats + 1):
                begin = time.perf_counter()
                save(path, motion, force=True)
                seconds.append(time.perf_counter() - begin)
            facts = {"clip s": SECONDS, "kB": round(path.stat().st_size / 1e3)}
            figures.append(Figure(f"write {suffix}", median(seconds[1:] or seconds), _peak(), facts))
    return figures


def _training(pipeline: Any, repeats: int) -> list[Figure]:
    """One optimiser step of the VAE and of the denoiser on clips of the usual length, and what share of the peak it is."""
    import copy

    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from motifmix.models.latent_denoiser import LatentDenoiser
    from motifmix.models.temporal_vae import TemporalVAE

    networks = {type(network): network for network in _networks(pipeline)}
    vae, denoiser = (copy.deepcopy(networks[kind]).requires_grad_(True) for kind in (TemporalVAE, LatentDenoiser))
    frames, tokens, count = 64, 16, TRAINING_BATCH
    features, noise = torch.randn(count, frames, vae.features), torch.randn(count, tokens, vae.latent)
    text, time_, valid = torch.randn(count, 384), torch.rand(count), torch.ones(count, tokens, dtype=torch.bool)
    peak = matrix_peak()

    def vae_loss() -> Any:
        return (vae(features, noise)[0] - features).square().mean()

    def denoiser_loss() -> Any:
        return (denoiser(noise, time_, text, valid[:, 0], valid) - noise).square().mean()

    figures = [Figure("matrix product", 2.0 * 1024**3 / peak, None, {"size": 1024, "GFLOP/s": peak / 1e9})]
    for name, network, loss in (("VAE", vae, vae_loss), ("denoiser", denoiser, denoiser_loss)):
        optimizer = torch.optim.AdamW(network.parameters())

        def step(loss: Any = loss, optimizer: Any = optimizer) -> None:
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()

        with FlopCounterMode(display=False) as counter:
            step()
        _reset_peak()
        seconds = []
        for _ in range(3 * repeats):
            begin = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - begin)
        share = counter.get_total_flops() / median(seconds) / peak
        facts = {"batch": count, "frames": frames, "share of peak": share}
        figures.append(Figure(f"training step, {name}", median(seconds), _peak(), facts))
    return figures


def _networks(pipeline: Any) -> Iterator[Any]:
    """All networks that an object holds, however deep."""
    import torch

    for value in vars(pipeline).values():
        for part in value.values() if isinstance(value, dict) else [value]:
            if isinstance(part, torch.nn.Module):
                yield from part.modules()


def _reset_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak() -> float | None:
    """Peak of resident memory in MB since the last reset, or of the whole run where it cannot be reset."""
    try:
        status = Path("/proc/self/status").read_text()
        return next(float(line.split()[1]) / 1e3 for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
