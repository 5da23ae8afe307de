"""Write the section of docs/performance.md on training the papers' models at full size: seconds a step and peak memory.

``python scripts/measure_papers.py`` takes each recipe of recipes/papers at the paper's size with batch 1 for a few steps, each in
a process of its own, on made-up motions of the longest length in the published layouts. The text encoder is left out: its
features are cached in training anyway. Where torch sees a CUDA device, that is measured, in bf16. With ``--only`` single
recipes are measured anew; the others keep their figures.
"""

import argparse
import contextlib
import itertools
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parents[1]
FIGURES, PAGE = HOUSE / "docs" / "performance_training.json", HOUSE / "docs" / "performance.md"
BEGIN, END = "<!-- training: written by scripts/measure_papers.py -->", "<!-- end of training -->"
TITLE = "# Performance\n\nEvery figure here belongs to the machine that it was measured on, and stands beside its command.\n"
STEPS = 3
# In this order: the later ones read what the earlier ones wrote.
RECIPES = {
    "mld_vae": "humanml3d", "mld": "humanml3d", "smoodi_style_network": "100style", "smoodi": "100style",
    "stylemotif_style_vae": "100style", "stylemotif": "100style", "intergen": "interhuman",
    "in2in_individual": "262", "in2in_interaction": "interhuman", "mixermdm": "interhuman",
}  # fmt: skip
TEXTED = {"mld", "smoodi", "stylemotif", "intergen", "in2in_individual", "in2in_interaction", "mixermdm"}
FITTED = {"intergen", "in2in_individual", "in2in_interaction"}


class MeasuredError(Exception):
    """Ends a run without a checkpoint."""


def make_data(folder: Path) -> None:
    """Write tiny sets in the published layouts, with clips of the longest length."""
    sys.path.insert(0, str(HOUSE))
    from tests import published_layouts

    lengths = {"000000": 199, "000002": 199, "000004": 199}
    published_layouts.humanml3d(folder / "humanml3d", lengths, damaged="")
    clips = {name: (style, content, 199) for name, (style, content, _) in published_layouts.STYLE100_CLIPS.items()}
    published_layouts.STYLE100_CLIPS.update(clips)
    published_layouts.HUMANML3D_LENGTHS.update(dict.fromkeys(published_layouts.HUMANML3D_LENGTHS, 199))
    published_layouts.style100_humanml3d(folder / "100style")
    published_layouts.humanml3d_262(folder / "262", lengths=(299, 299))
    published_layouts.interhuman(folder / "interhuman", {"1": 300, "2": 300, "3": 300})


def measure(name: str, work: Path, threads: int) -> dict[str, Any]:
    """Run a recipe's first steps in this process."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from motifmix.home import home
    from motifmix.training.loop import Alternating, train
    from motifmix.training.recipe import read_recipe
    from motifmix.training.runs import build_objective

    torch.set_num_threads(threads)
    cuda = torch.cuda.is_available()
    changes: dict[str, Any] = {
        "options.batch": 1, "steps": STEPS, "accumulate": 1, "log_every": 1, "warm_up": 0,
        "data_folder": str(work / RECIPES[name]), "mixed_precision": "bf16" if cuda else "no",
    }  # fmt: skip
    if name in TEXTED:
        changes["options.text_encoder"] = "tiny"
    if name in FITTED:
        changes["options.statistics"] = "fitted"
    if name == "stylemotif_style_vae":
        changes["options.start_from"] = str(home() / "mld")
    recipe = read_recipe(HOUSE / "recipes" / "papers" / f"{name}.yaml", changes)
    objective = build_objective(recipe)
    objective.save(objective.modules, home() / recipe.weights, {"recipe": name, "commit": "none"})
    ends: list[tuple[float, float]] = []

    def log(step: int, steps: int, figures: dict[str, float]) -> None:
        if cuda:
            torch.cuda.synchronize()
        ends.append((time.perf_counter(), time.process_time()))
        if step == STEPS:
            raise MeasuredError

    with contextlib.suppress(MeasuredError):
        train(recipe, objective, work / "runs" / name, work / "out", log)
    if cuda:
        memory = torch.cuda.max_memory_allocated() / 1e9
    else:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    import numpy as np

    halves = 2 if isinstance(objective, Alternating) else 1
    rng = np.random.default_rng(0)
    trained: set[torch.nn.Parameter] = set()
    with FlopCounterMode(display=False) as counter, torch.autocast("cuda", torch.bfloat16, enabled=cuda):
        for half in range(halves):
            if isinstance(objective, Alternating):
                objective.begin_step(half)
            loss, _ = objective.loss(torch.Generator().manual_seed(0), rng)
            loss.backward()
            trained |= {p for p in objective.modules.parameters() if p.requires_grad}
    steps, work_done = ([b[k] - a[k] for a, b in itertools.pairwise(ends)] for k in range(2))
    whole = sum if halves == 2 else min
    return {
        "trained": sum(p.numel() for p in trained), "seconds": whole(steps), "slowest": max(steps),
        "processor_seconds": whole(work_done), "gigabytes": memory, "operations": counter.get_total_flops(),
        "peak": peak(cuda), "load": os.getloadavg()[0],
    }  # fmt: skip


def peak(cuda: bool) -> float:
    """Operations a second of a matrix product, now; a second of processor time, so that others' work does not count."""
    import torch

    size = 8192 if cuda else 1024
    device, kind = ("cuda", torch.bfloat16) if cuda else ("cpu", torch.float32)
    a, b = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
    best, clock = float("inf"), time.perf_counter if cuda else time.process_time
    for _ in range(6):
        start = clock()
        c = a @ b
        if cuda:
            torch.cuda.synchronize()
        best = min(best, clock() - start)
        del c
    return 2 * size**3 / best


def machine(threads: int) -> str:
    """Describe where this was measured."""
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, bf16, torch {torch.__version__}"
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.machine()
    return f"{model}, {threads} threads of {os.cpu_count()} cores, fp32, torch {torch.__version__}"


def section(report: dict[str, Any]) -> str:
    """Return the section's text."""
    lines = [
        "## Training the papers' models",
        "",
        "`python scripts/measure_papers.py` measured this; all figures are in "
        "[performance_training.json](performance_training.json). Each recipe of `recipes/papers` at full size, batch 1 (of "
        "SMooDi and StyleMotif one clip of each set), clips of the longest length (196 frames, two people 299): the fastest "
        f"of {STEPS - 1} steps after the first one, forwards, backwards and AdamW, and the peak memory of its process. The "
        "text encoder's features are cached. *Share* is what the step's arithmetic takes of the matrix product measured "
        "in the same run, both by processor time; where the machine is shared it would say nothing and "
        "is left out. A step of MixerMDM is both halves, the Mixer's and the critics'.",
        "",
    ]
    for place, rows in report.items():
        loads = [row["load"] for row in rows.values()]
        busy = f" The machine was shared (load {min(loads):.0f} to {max(loads):.0f}): the seconds are upper bounds."
        lines += [f"{place}.{busy if max(loads) > (os.cpu_count() or 1) else ''}", ""]
        lines += [
            "| recipe | trained parameters | s a step | of them processor time | GFLOP a step | peak, GFLOP/s | share | memory, GB |"
        ]
        lines += ["|---|---|---|---|---|---|---|---|"]
        for name in (name for name in RECIPES if name in rows):
            row = rows[name]
            own = row["seconds"] if "bf16" in place else row["processor_seconds"]
            shared = row["load"] > (os.cpu_count() or 1)
            share = "–" if shared else f"{100 * row['operations'] / own / row['peak']:.0f} %"
            lines.append(
                f"| `{name}.yaml` | {row['trained']:,} | {row['seconds']:.2g} | "
                f"{row['processor_seconds']:.2g} | {row['operations'] / 1e9:.3g} | "
                f"{row['peak'] / 1e9:.0f} | {share} | {row['gigabytes']:.1f} |"
            )
        lines.append("")
    return "\n".join(lines)


def write(report: dict[str, Any]) -> None:
    """Write figures and page."""
    FIGURES.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    page = PAGE.read_text("utf-8") if PAGE.exists() else TITLE
    own = f"{BEGIN}\n{section(report)}{END}\n"
    if BEGIN in page and END in page:
        before, _, rest = page.partition(BEGIN)
        page = before + own + rest.partition(END)[2].lstrip("\n")
    else:
        page = page.rstrip("\n") + "\n\n" + own
    PAGE.write_text(page, "utf-8")


def main() -> None:
    """Measure all recipes, or some."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=RECIPES, default=list(RECIPES), help="recipes to measure anew")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--work", type=Path, help="folder for made-up data and weights; kept, so that --only finds them"
    )
    parser.add_argument("--one", choices=RECIPES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.work, arguments.threads)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        if not (work / "interhuman").exists():
            make_data(work)
        report = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
        rows = report.setdefault(machine(arguments.threads), {})
        environment = {**os.environ, "MOTIFMIX_HOME": str(work / "home")}
        command = [sys.executable, __file__, "--work", str(work), "--threads", str(arguments.threads), "--one"]
        for name in arguments.only:
            done = subprocess.run([*command, name], env=environment, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                sys.exit(f"{name}: {done.stderr[-2000:]}")
            rows[name] = json.loads(done.stdout.splitlines()[-1])
            print(name, rows[name], flush=True)
            write(report)


if __name__ == "__main__":
    main()
