"""Seconds, memory and bytes of duets: every composition side by side, where the time goes, and what a spared Mixer changes.

    python benchmarks/duets.py                                       # two threads, the clock on the wall: a quiet machine
    python benchmarks/duets.py --clock process --threads 1           # other programs have the cores: the processor's time

Methods are those of ``motifmix evaluate composition``; those whose weights are missing are left out and named. Where no
Mixer is trained, one of the recipe's size with random weights stands in, which changes no duration. Every method, and
every table, is a process of its own. Writes docs/duet_speed.json and docs/duet_speed.md, under four minutes.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import duets_page
import yaml

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "duet_speed"
STEPS = (50, 10, 5)
SECONDS, LENGTHS, MODELS, PEOPLE = 4.0, (1.0, 2.0, 3.0, 4.0), (1, 2, 3, 4), (2, 3, 4)
DRAFTED = (1, 2, 4, 12, 24)
TEXTS = (
    ("two people greet each other", ("a person bows", "a person waves with the right hand")),
    ("one person punches and the other steps back", ("a person punches", "a person walks backward")),
)
STAND_IN = "mixer-random"
GRANULARITIES = ("mixer", "mixer-led", "mixer-global", "mixer-temporal", "mixer-spatial")
SPARED = {
    "every step": {}, "every step, one branch": {"one_branch": True}, "each 2nd step": {"every": 2},
    "each 2nd step, one branch": {"every": 2, "one_branch": True}, "each 3rd step": {"every": 3},
}  # fmt: skip
SPARED_STEPS = (10, 50)
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "process": time.process_time}
Clock = Callable[[], float]


def timed(work: Callable[[], Any], clock: Clock, repeats: int, *, warm: bool = False) -> float:
    """Return the median seconds of some calls, after one to warm up where nothing like it was called before."""
    if not warm:
        work()
    found = []
    for _ in range(repeats):
        begun = clock()
        work()
        found.append(clock() - begun)
    return median(found)


@contextmanager
def watched(clock: Clock, **watch: tuple[Any, str]) -> Iterator[dict[str, float]]:
    """Sum the seconds of functions, each given as where it is found and its name there."""
    total, originals = dict.fromkeys(watch, 0.0), {key: getattr(*place) for key, place in watch.items()}

    def wrapped(key: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            begun = clock()
            try:
                return originals[key](*given, **named)
            finally:
                total[key] += clock() - begun

        return call

    for key, (owner, name) in watch.items():
        setattr(owner, name, wrapped(key))
    try:
        yield total
    finally:
        for key, (owner, name) in watch.items():
            setattr(owner, name, originals[key])


def methods() -> tuple[dict[str, str], list[str]]:
    """Return the titles of what can be measured here, by key, and what is left out and why."""
    from motifmix.home import home
    from motifmix.pipelines.baselines.compositions import COMPOSITIONS, mixers

    trained = {key: runs[0] for key, runs in mixers(home()).items() if key in GRANULARITIES}
    every = {**COMPOSITIONS, **trained}
    absent = {key: method.missing(home()) for key, method in every.items()}
    found = {key: method.title for key, method in every.items() if not absent[key]}
    if not any(key in found for key in trained) and "placed-blending" in found:
        found[STAND_IN] = "Mixer [ST], random weights"
    return found, [f"{every[key].title} ({why})" for key, why in absent.items() if why]


def random_mixer() -> Any:
    """Return a Mixer of the size that ships, which has learned nothing."""
    import torch

    from motifmix.mix.weights import LearnedWeights
    from motifmix.models.mixer import Mixer

    torch.manual_seed(0)
    sizes = yaml.safe_load((ROOT / "recipes" / "duets" / "mixer.yaml").read_text("utf-8"))["options"]["mixer"]
    return LearnedWeights(Mixer(text=384, **sizes).eval().requires_grad_(False))


def composer(key: str) -> Any:
    """Load a method."""
    from dataclasses import replace

    from motifmix.home import home
    from motifmix.pipelines.baselines.compositions import COMPOSITIONS, Composer, mixers

    if key != STAND_IN:
        known = {**COMPOSITIONS, **{name: runs[0] for name, runs in mixers(home()).items()}}
        return Composer(known[key], home())
    found = Composer(replace(COMPOSITIONS["placed-blending"], share=None), home())
    found.weigh = random_mixer()
    return found


def duet() -> tuple[Any, bool]:
    """Load what ``motifmix duet`` asks, and whether its Mixer is trained."""
    import motifmix

    found = motifmix.load_duet()
    trained = found.weigh is not None
    if not trained:
        found.weigh, found.override = random_mixer(), None
    return found, trained


def one_method(key: str, clock: Clock, repeats: int) -> dict[str, Any]:
    """Time one method from sentences to two motions, at every number of steps."""
    from motifmix.features.interhuman import InterHumanSpace
    from motifmix.pipelines.baselines.compositions import Wanted

    asked, space = composer(key), InterHumanSpace()
    wanted = [Wanted(*TEXTS[0], round(SECONDS * space.fps))]

    def make(steps: int) -> None:
        (made,) = asked.make(wanted, [0], steps=steps)
        for person in made.people.astype("float64"):
            space.decode(person)

    make(2)
    taken = {
        str(steps): timed(lambda own=steps: make(own), clock, repeats if steps < 50 else 1, warm=True)
        for steps in STEPS
    }
    return {"key": key, "seconds": taken, "peak_mb": peak()}


def growth(clock: Clock, repeats: int) -> dict[str, Any]:
    """Time the mixture against frames, models (the model of one person again and again), people and drafts."""
    import torch

    from motifmix.diffusion.chains import GuidedChains, sample_chains
    from motifmix.diffusion.denoiser import Difference
    from motifmix.errors import RequestError
    from motifmix.pipelines.duet import MIXED_SCALE, mixture_of
    from motifmix.pipelines.duet import STEPS as DEFAULT

    found, _ = duet()
    text, own = TEXTS[0]
    plain = partial(found.compose, text, clean_feet=False, drafts=1)
    frames = {length: timed(lambda length=length: plain(own, seconds=length), clock, repeats) for length in LENGTHS}
    condition, levels = found._condition(found._vectors(text, own)), found.schedule.early(DEFAULT).levels()
    noise, valid = torch.randn(1, 2, round(SECONDS * 30), 262), torch.ones(1, round(SECONDS * 30), dtype=torch.bool)
    pair, person = found.interaction, found.individual

    def mixed(count: int) -> None:
        others = {f"{number}": person for number in range(count - 1)}
        whole = mixture_of(pair, others, found.weigh, None, found.sparing)
        guided = GuidedChains(whole, [Difference(MIXED_SCALE, ("text", "individual_text"))])
        list(sample_chains(guided, whole.chains, levels, [noise] * count, condition, valid))

    models = {1: timed(lambda: plain(own, using="interaction"), clock, repeats)}
    models |= {count: timed(lambda count=count: mixed(count), clock, repeats) for count in MODELS[1:]}
    people: dict[int, float] = {}
    for count in PEOPLE:
        everybody = [own[k % 2] for k in range(count)]
        try:
            people[count] = timed(lambda everybody=everybody: plain(everybody), clock, repeats)
        except RequestError:
            break  # who makes scenes here takes no more
    drafts = {count: timed(lambda count=count: plain(own, drafts=count), clock, repeats) for count in DRAFTED}
    return {"frames": frames, "models": models, "people": people, "drafts": drafts}


def stages(clock: Clock) -> dict[str, Any]:
    """Say where a duet's time goes, from nothing imported to files written."""
    taken, begun = {}, clock()

    def done(name: str) -> None:
        nonlocal begun
        taken[name] = clock() - begun
        begun = clock()

    import torch

    done("importing torch")
    from motifmix.apps import outputs
    from motifmix.mix import ingredients, mixed
    from motifmix.mix.collision_guidance import CollisionGuidance
    from motifmix.mix.weights import LearnedWeights
    from motifmix.pipelines import duet as pipeline

    done("importing motifmix")
    torch.set_num_threads(options_threads())
    found, trained = duet()
    done("loading the models")
    found._vectors(*TEXTS[0])
    done("loading the text encoder, first sentences")
    scene = found.compose(*TEXTS[1], seconds=1.0, steps=2).scene  # what only the first call costs
    done("first call, besides")
    places = {
        "interaction model": (type(found.interaction.network), "denoise"),
        "individual model": (type(found.individual.network), "denoise"),
        "Mixer": (LearnedWeights, "__call__"), "aligning": (mixed, "align"),
        "orthonormal rotations": (mixed, "orthonormal"), "centring": (ingredients, "center"),
        "keeping people apart": (CollisionGuidance, "__call__"),
        "sentences": (pipeline.Duet, "_vectors"), "choosing from drafts": (pipeline.Duet, "_told"),
        "decoding": (pipeline.InterHumanSpace, "decode"),
        "the floor": (pipeline, "on_floor"), "feet": (pipeline, "all_held"),
    }  # fmt: skip
    runs: list[dict[str, float]] = []
    for _ in range(3):
        with watched(clock, **places) as spent:
            begun = clock()
            scene = found.compose(*TEXTS[0]).scene
            whole = clock() - begun
        runs.append({"whole": whole, **spent, "all else": whole - sum(spent.values())})
    middle = sorted(runs, key=lambda run: run["whole"])[1]
    with tempfile.TemporaryDirectory() as folder:
        begun = clock()
        for suffix in (".glb", ".npz", ".bvh", ".mp4"):
            outputs.save(Path(folder, f"duet{suffix}"), scene, units="m", force=True)
            done(f"writing {suffix}")
    return {"once": taken, "clip": middle, "trained": trained, "share": middle["Mixer"] / middle["whole"]}


def spared(clock: Clock) -> dict[str, Any]:
    """Measure what a Mixer that is asked less often saves, and what it changes against every step on the same seeds."""
    import numpy as np

    from motifmix.mix.sparing import Sparing
    from motifmix.mix.weights import LearnedWeights
    from motifmix.pipelines import duet as pipeline

    found, trained = duet()
    found.compose(*TEXTS[0], steps=2)
    rows: list[dict[str, Any]] = []
    for steps in SPARED_STEPS:
        reference: list[tuple[Any, Any]] = []
        for name, settings in SPARED.items():
            found.sparing = Sparing(**settings)
            made, begun = [], clock()
            with watched(clock, mixer=(LearnedWeights, "__call__")) as spent:
                for seed, asked in enumerate(TEXTS):
                    one = found.compose(*asked, seed=seed, steps=steps, clean_feet=False, drafts=1)
                    made.append((np.stack([person.joints for person in one.scene]), one.weights))
            whole = clock() - begun
            reference = reference or made
            moved = [np.linalg.norm(a - b, axis=-1).mean() for (a, _), (b, _) in zip(made, reference, strict=True)]
            shifted = [np.abs(a - b).mean() for (_, a), (_, b) in zip(made, reference, strict=True)]
            rows.append(
                {
                    "steps": steps, "name": name, "seconds": whole / len(TEXTS), "share": spent["mixer"] / whole,
                    "joints_cm": 100 * float(np.mean(moved)), "weights": float(np.mean(shifted)),
                    "default": found.sparing == pipeline.SPARING,
                }
            )  # fmt: skip
    return {"trained": trained, "rows": rows}


def commands(threads: int) -> list[dict[str, Any]]:
    """Run ``motifmix duet`` anew: seconds on the wall and of the processor, and its peak memory."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, more in (
            ("warm", ()),
            (".glb", ()),
            (".glb", ("--drafts", "1")),
            (".glb", ("--steps", "50")),
            (".mp4", ()),
        ):
            out = Path(folder, "duet.glb" if name == "warm" else f"duet{name}")
            words = ["-m", "motifmix", "duet", TEXTS[0][0], "--person", TEXTS[0][1][0], "--person", TEXTS[0][1][1]]
            words += ["--seed", "0", "--force", "--out", str(out), *more]
            before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            # Compiled modules as an installed package has them, whatever this environment says: the first run leaves them.
            compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(folder, "compiled"))}
            surroundings = {**os.environ, **compiled, "OMP_NUM_THREADS": str(threads)}
            subprocess.run([sys.executable, *words], check=True, capture_output=True, env=surroundings)
            after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
            process = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            if name != "warm":
                rows.append({"out": name, "more": " ".join(more), "wall": wall, "process": process})
    return rows


def sizes() -> list[dict[str, Any]]:
    """Return the bytes of all weights of duets; of a Mixer that nobody has trained, those that it will have."""
    from motifmix.home import PACKAGE_WEIGHTS, home

    rows = []
    for role in duets_page.ROLES:
        places = [PACKAGE_WEIGHTS / "duet" / role.replace("-", "_"), home() / f"weights-duets-{role}"]
        files = next((files for place in places if (files := sorted(place.glob("*.safetensors")))), [])
        row: dict[str, Any] = {"role": role, "bytes": sum(file.stat().st_size for file in files), "there": bool(files)}
        if role == "mixer" and not files:
            row["bytes"] = 2 * sum(own.numel() for own in random_mixer().mixer.parameters())
        rows.append(row)
    return rows


def peak() -> float:
    """Return this process's peak of resident memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def options_threads() -> int:
    return int(os.environ["OMP_NUM_THREADS"])


def part(name: str, clock: Clock, repeats: int) -> Any:
    """Do one process's part."""
    if name == "stages":
        return stages(clock)
    import torch

    torch.set_num_threads(options_threads())
    kinds = {
        "methods": methods,
        "sizes": sizes,
        "growth": lambda: growth(clock, repeats),
        "spared": lambda: spared(clock),
    }
    return kinds[name]() if name in kinds else one_method(name, clock, repeats)


def main() -> None:
    """Run every part in a process of its own and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--jobs", type=int, default=1, help="parts at once: for the process's clock only")
    parser.add_argument("--methods", metavar="A,B,...", help="only these methods")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(part(options.part, CLOCKS[options.clock], options.repeats)))
        return
    begun = time.perf_counter()

    def asked(name: str) -> Any:
        words = ["--part", name, "--clock", options.clock, "--repeats", str(options.repeats)]
        surroundings = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
        answer = subprocess.run(
            [sys.executable, __file__, *words], check=True, stdout=subprocess.PIPE, text=True, env=surroundings
        )
        print(f"{name}: {time.perf_counter() - begun:.0f} s so far", flush=True)
        return json.loads(answer.stdout)

    import torch

    load = os.getloadavg()[0]
    titles, left_out = asked("methods")
    if "interaction" not in titles:
        parser.error(f"there is no model of two people to measure: {'; '.join(left_out)}")
    only = set(options.methods.split(",")) if options.methods else set(titles)
    chosen = {key: title for key, title in titles.items() if key in only | {"interaction"}}
    with ThreadPoolExecutor(1 if options.clock == "wall" else options.jobs) as pool:
        parts = ("stages", "growth", "spared", *chosen)
        found = dict(zip(parts, pool.map(asked, parts), strict=True))
    report = {
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "threads": options.threads,
                    "torch": torch.__version__, "load before": round(load, 1)},
        "clock": options.clock, "only": options.methods or "", "left_out": left_out,
        "methods": [{**found[key], "title": title} for key, title in chosen.items()], "stages": found["stages"],
        "growth": found["growth"], "spared": found["spared"], "commands": commands(options.threads), "sizes": asked("sizes"),
    }  # fmt: skip
    report["took"] = time.perf_counter() - begun
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    options.out.with_suffix(".md").write_text(duets_page.page(report), "utf-8")
    print(options.out.with_suffix(".md").read_text("utf-8"))


if __name__ == "__main__":
    main()
