"""StyleMotif against SMooDi in one run: seconds and peak memory of one clip, at the default size and at the paper's.

    taskset -c 0 python benchmarks/stylemotif_and_smoodi.py --out docs/speed_of_style

Weights are random, which changes no duration. Both methods have the same base, autoencoder, style network, steps, scales and
iterations of guidance; both are as fast as we can make them (what does not change is computed once, and only the branch
of the guidance that has a style goes through SMooDi's adapter). ``published`` is SMooDi as its code runs it: the reference and
two motions of zeros are encoded anew in each step, all three branches go through the adapter, and each iteration of the
guidance reads the reference again. Sentences are not encoded: that is the same for all.

Each row is a process of its own with one thread; seconds are those of the processor, so that other work on the machine
counts for nothing, the median over ``--repeats``. Writes OUT.json and OUT.md; ``--page`` writes the page again from OUT.json.

The targets are those of the project: against SMooDi as its code runs it at most half the seconds with the paper's guidance, and
at most a tenth with fewer steps or without the gradient, *at the same recognised style and FID within their intervals*. Random
weights cannot tell that condition; where stylization.json lies beside OUT, what it says of the gradient is written down.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

FRAMES, STEPS, FEW_STEPS = 196, 50, 8
PAPER_RATIO = 0.775  # 3.1 s against 4.0 s on an A100, of the whole procedure of both
TARGET_GUIDED, TARGET_FAST = 0.5, 0.1
FEWER_STEPS, NO_GRADIENT = "fewer steps", "no gradient"  # what a row leaves out, which may cost style
SIZES = {"default": "the default size", "paper": "the paper's size"}


@dataclass(frozen=True)
class Case:
    """One row: a method, how many steps it takes, and whether the style network's gradient guides."""

    method: str
    title: str
    steps: int = STEPS
    gradient: bool = True


CASES = {
    "published": Case("published", "SMooDi as its code runs it"),
    "smoodi": Case("smoodi", "SMooDi"),
    "stylemotif": Case("stylemotif", "StyleMotif"),
    "smoodi-short": Case("smoodi", f"SMooDi, {FEW_STEPS} steps", FEW_STEPS),
    "stylemotif-short": Case("stylemotif", f"StyleMotif, {FEW_STEPS} steps", FEW_STEPS),
    "smoodi-plain": Case("smoodi", "SMooDi, no gradient", gradient=False),
    "stylemotif-plain": Case("stylemotif", "StyleMotif, no gradient", gradient=False),
    "smoodi-few": Case("smoodi", f"SMooDi, no gradient, {FEW_STEPS} steps", FEW_STEPS, False),
    "stylemotif-few": Case("stylemotif", f"StyleMotif, no gradient, {FEW_STEPS} steps", FEW_STEPS, False),
}


def paper_size(case: Case) -> tuple[Callable[[], None], int]:
    """Return what makes one clip at the paper's size (MLD: one latent token, 263 features), and the trained parameters."""
    import torch

    from motifmix.diffusion.condition import Condition, Part
    from motifmix.diffusion.denoiser import Guided, sample_along
    from motifmix.models.mld_denoiser import MLDDenoiser
    from motifmix.models.mld_vae import MotionVAE
    from motifmix.models.motion_style_encoder import MotionStyleEncoder
    from motifmix.models.smoodi import (
        EMPTY_STYLE_IS_ENCODED,
        STYLE_ADDED_IN_PLACE,
        SMooDiDenoiser,
        SMooDiEstimator,
        endless_permutations,
    )
    from motifmix.models.style_network import STATISTICS_OVER_EVERYTHING, LayerStatistics, StyleNetwork
    from motifmix.pipelines.mld import mld_schedule, precise
    from motifmix.pipelines.smoodi import Scales, SMooDi, guidance_terms
    from motifmix.pipelines.stylemotif import StyleMotif
    from motifmix.style.classifier_guidance import GRADIENT_CHANNEL_ZEROED, GuidanceOptions, StyleGuidance
    from motifmix.style.stylemotif import StyleMotifDenoiser

    class Recomputing(SMooDiEstimator):
        """Encodes two motions of zeros and the reference in each step."""

        def _styles(self) -> torch.Tensor:
            zeros = torch.zeros_like(self.references)
            assert self.permutations is not None
            found = self.denoiser.embed_style(torch.cat([zeros, zeros, self.references]), next(self.permutations))
            self._kept["none"] = found[:1]
            return found[2:]

    class Rereading(StyleGuidance):
        """Reads the reference in each iteration."""

        def _targets(self) -> list[LayerStatistics]:
            return self._statistics(self.references, self.reference_mask)

    torch.manual_seed(0)
    quirks = (EMPTY_STYLE_IS_ENCODED, STYLE_ADDED_IN_PLACE, STATISTICS_OVER_EVERYTHING)
    published = case.method == "published"
    vae = MotionVAE().eval().requires_grad_(False)
    guide = StyleNetwork(classes=47, quirks=quirks if published else ()).eval().requires_grad_(False)
    text, null = torch.randn(1, 1, 768), torch.zeros(1, 1, 768)
    reference, noise = torch.randn(1, FRAMES, 263), torch.randn(1, 1, 256)
    frames = torch.ones(1, FRAMES, dtype=torch.bool)
    schedule = mld_schedule(case.steps)
    pull = StyleGuidance(vae, guide, reference, frames, options=GuidanceOptions()) if case.gradient else None
    if case.method == "stylemotif":
        denoiser = StyleMotifDenoiser(MLDDenoiser()).eval().requires_grad_(False)
        encoder = MotionStyleEncoder().eval().requires_grad_(False)
        whole = StyleMotif(vae, denoiser, encoder, null)

        def stylemotif() -> None:
            style = whole.style_of(reference)
            steps = whole.sample(text, style, noise, correction=fresh(pull), schedule=schedule)
            whole.decode(last(steps), frames)

        return stylemotif, parameters(encoder)
    denoiser = SMooDiDenoiser(quirks=quirks if published else ()).eval().requires_grad_(False)
    trained = parameters(denoiser) - parameters(denoiser.base)
    if not published:
        smoodi = SMooDi(vae, denoiser, null, guide)

        def optimised() -> None:
            options = GuidanceOptions() if case.gradient else None
            steps = smoodi.sample(text, reference, frames, noise, guidance=options, schedule=schedule)
            smoodi.decode(last(steps), frames)

        return optimised, trained

    def as_published() -> None:
        orders = endless_permutations(FRAMES, torch.Generator().manual_seed(0))
        everyone = torch.ones(1, dtype=torch.bool)
        condition = Condition({"text": Part(text, everyone), "style": Part(torch.zeros(1, dtype=torch.long), everyone)})
        between = Rereading(vae, guide, reference, frames, quirks=(GRADIENT_CHANNEL_ZEROED,))
        guided = Guided(Recomputing(denoiser, null, reference, orders), guidance_terms("v4", Scales(), between, quirks))
        steps = sample_along(guided, schedule.levels(), precise(noise), condition, everyone[:, None])
        with torch.no_grad():
            vae.decode(last(steps).float(), frames)

    return as_published, trained


def default_size(case: Case) -> tuple[Callable[[], None], int]:
    """Return what makes one clip at the default size (a latent token for four frames), and the trained parameters."""
    import torch
    from torch import Tensor, nn

    from motifmix.diffusion.condition import Condition, Part
    from motifmix.diffusion.denoiser import Difference, GuidanceTerm, Guided, sample_along
    from motifmix.diffusion.schedule import FlowSchedule, NoiseLevel
    from motifmix.diffusion.solvers import TwoStep, ddim_step
    from motifmix.models.latent_denoiser import LatentDenoiser
    from motifmix.models.style_branch import StyleBranch
    from motifmix.models.style_encoder import StyleEncoder
    from motifmix.models.style_reader import StyleReader
    from motifmix.models.temporal_vae import STRIDE, TemporalVAE
    from motifmix.pipelines.sampling import SHIFT, STYLE_SCALE, TEXT_SCALE
    from motifmix.style.dual_branch import DualBranchDenoiser
    from motifmix.style.statistics_guidance import StatisticsGuidance
    from motifmix.style.styled_denoiser import StyledDenoiser

    torch.manual_seed(0)
    tokens, everyone = FRAMES // STRIDE, torch.ones(1, dtype=torch.bool)
    valid, frames = torch.ones(1, tokens, dtype=torch.bool), torch.ones(1, FRAMES, dtype=torch.bool)
    vae, encoder, reader = TemporalVAE(), StyleEncoder(), StyleReader()
    base = LatentDenoiser(width=160, blocks=5, heads=5)
    if case.method == "stylemotif":
        denoiser: nn.Module = StyledDenoiser(base)
        trained = parameters(encoder, denoiser.project)
    else:
        denoiser = DualBranchDenoiser(base, StyleBranch())
        trained = parameters(encoder, denoiser.branch)
    for network in (vae, encoder, reader, denoiser):
        network.eval().requires_grad_(False)
    text, noise = torch.randn(1, 384), torch.randn(1, tokens, vae.latent)
    reference = torch.randn(1, FRAMES, 269)

    class Recomputing:
        """Encodes two motions of zeros and the reference in each step, and sends all branches through the adapter."""

        def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
            zeros = torch.zeros_like(reference)
            styles = encoder(torch.cat([zeros, zeros, reference]), frames.expand(3, -1))
            told = condition.parts["style"].present
            style = torch.where(told[:, None], styles[2:], styles[:1])
            all_told = Part(style, torch.ones_like(told))
            return denoiser(noisy, level, Condition({"text": condition.parts["text"], "style": all_told}), valid)

    class Rereading(StatisticsGuidance):
        """Reads the reference in each iteration."""

        def distance(self, clean: Tensor) -> Tensor:
            self.targets.copy_(reader.statistics(reference, frames))
            return super().distance(clean)

    def one_clip() -> None:
        with torch.no_grad():
            kind = Rereading if case.method == "published" else StatisticsGuidance
            style = torch.zeros(1, 128) if case.method == "published" else encoder(reference, frames)
            terms: list[GuidanceTerm] = [Difference(STYLE_SCALE, ("style",))]
            if case.gradient:
                wanted = reader.statistics(reference, frames)
                terms.append(kind(lambda latents: vae.decode(latents, valid), reader, wanted, everyone, frames))
            terms.append(Difference(TEXT_SCALE, ("text",)))
            condition = Condition({"text": Part(text, everyone), "style": Part(style, everyone)})
            guided = Guided(Recomputing() if case.method == "published" else denoiser, terms)
            levels = FlowSchedule().levels(case.steps, SHIFT)
            solver = TwoStep() if case.steps == FEW_STEPS else ddim_step
            vae.decode(last(sample_along(guided, levels, noise, condition, valid, solver=solver)), valid)

    return one_clip, trained


def parameters(*networks: Any) -> int:
    return sum(p.numel() for network in networks for p in network.parameters())


def fresh(pull: Any) -> Any:
    """Forget what a guidance kept of an earlier clip."""
    if pull is not None:
        pull._wanted.clear()
    return pull


def last(steps: Iterator[Any]) -> Any:
    return list(steps)[-1].noisy


def measure(size: str, key: str) -> dict[str, Any]:
    """Time one clip of a row in this process."""
    import torch

    torch.set_num_threads(1)
    make, trained = (paper_size if size == "paper" else default_size)(CASES[key])
    if CASES[key].steps == FEW_STEPS or not CASES[key].gradient:
        make()  # short ones feel the first call
    begun = time.process_time()
    make()
    seconds = [time.process_time() - begun]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    return {
        "size": size,
        "case": key,
        "trained": trained,
        "seconds": seconds,
        "peak_mb": peak,
        "torch": torch.__version__,
    }


def ratios(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the quotients that are asked for, with their targets and with what must stay the same for them to count."""
    few = f"{FEW_STEPS} steps"
    published = "SMooDi as its code runs it"
    wanted: list[tuple[str, str, str, float | None, tuple[str, ...]]] = [
        ("StyleMotif / SMooDi, same guidance", "stylemotif", "smoodi", None, ()),
        (f"StyleMotif / SMooDi, same guidance, {few}", "stylemotif-short", "smoodi-short", None, ()),
        ("StyleMotif / SMooDi, no gradient", "stylemotif-plain", "smoodi-plain", None, ()),
        (f"StyleMotif / SMooDi, no gradient, {few}", "stylemotif-few", "smoodi-few", None, ()),
        (f"StyleMotif, the paper's guidance / {published}", "stylemotif", "published", TARGET_GUIDED, ()),
        (
            f"StyleMotif, the paper's guidance, {few} / {published}",
            "stylemotif-short", "published", TARGET_FAST, (FEWER_STEPS,),
        ),
        (f"StyleMotif, no gradient / {published}", "stylemotif-plain", "published", TARGET_FAST, (NO_GRADIENT,)),
        (
            f"StyleMotif, no gradient, {few} / {published}",
            "stylemotif-few", "published", TARGET_FAST, (NO_GRADIENT, FEWER_STEPS),
        ),
    ]  # fmt: skip
    found = []
    for size in dict.fromkeys(row["size"] for row in rows):
        known = {row["case"]: row for row in rows if row["size"] == size}
        for name, above, below, target, left_out in wanted:
            a, b = known[above], known[below]
            found.append(
                {
                    "size": size, "name": name, "target": target, "left_out": list(left_out),
                    "seconds": median(a["seconds"]) / median(b["seconds"]), "memory": a["peak_mb"] / b["peak_mb"],
                }
            )  # fmt: skip
    return found


def gradient_changes(folder: Path) -> str | None:
    """Say from stylization.json, where it is, whether style and FID are the same without the gradient."""
    path = folder / "stylization.json"
    if not path.exists():
        return None
    for table in json.loads(path.read_text("utf-8"))["tables"]:
        rows = {row["key"]: row["figures"] for row in table["rows"]}
        if {"stylemotif", "stylemotif-hybrid"} <= set(rows) and "sra" in rows["stylemotif"]:
            without, own = rows["stylemotif"], rows["stylemotif-hybrid"]
            apart = [
                words
                for key, words in (("sra", "recognised style"), ("fid", "FID"))
                if abs(without[key]["mean"] - own[key]["mean"]) > without[key]["half_width"] + own[key]["half_width"]
            ]
            return f"{' and '.join(apart)} not the same" if apart else "within the intervals"
    return None


def condition(one: dict[str, Any], gradient: str | None) -> str:
    """Say what is known of the style of a row that leaves something out."""
    if not one["left_out"]:
        return "none"
    trained = one["size"] == "default"  # there are no trained weights of the paper's size
    known = gradient if trained and NO_GRADIENT in one["left_out"] else None
    if known is not None and known.endswith("not the same"):
        return f"not met: [{known}](stylization.md)"
    said = [f"{NO_GRADIENT}: [{known}](stylization.md)"] if known else []
    open_questions = [each for each in one["left_out"] if each == FEWER_STEPS or not known]
    return "; ".join([*said, *([f"not measured ({', '.join(open_questions)})"] if open_questions else [])])


def marked(one: dict[str, Any], gradient: str | None) -> str:
    """Return a row's target and its mark: met only where its condition is known to be met too."""
    if one["target"] is None:
        return f"| {'the paper: ' + format(PAPER_RATIO, 'g') if one['name'].endswith('same guidance') else ''} | "
    state = condition(one, gradient)
    if one["seconds"] > one["target"]:
        mark = "missed"
    elif state.startswith("not met"):
        mark = "not met: seconds only"
    else:
        mark = "met" if "not measured" not in state else "open: seconds only"
    return f"| at most {one['target']:g}: {mark} | {state}"


def page(rows: list[dict[str, Any]], found: list[dict[str, Any]], machine: str, gradient: str | None) -> str:
    """Lay both tables out."""
    lines = [
        "# How long a style takes",
        "",
        f"Written by `benchmarks/stylemotif_and_smoodi.py` ({machine}); random weights, one clip of {FRAMES} frames, a "
        f"reference of {FRAMES} frames, {STEPS} steps where nothing else is said, one thread, seconds of the processor "
        "(median). The gradient is SMooDi's: five iterations in each step where little noise is left. What the first "
        "lines of the script say of both sides holds here.",
        "",
        "A target of a tenth holds *at the same recognised style and FID within their intervals*. What these rows leave out, "
        "steps or the gradient, may cost style, and random weights cannot tell: the last column says what is known from "
        "trained ones. *Seconds only* means that the seconds are few enough and the condition is broken, or not measured.",
    ]
    for size in dict.fromkeys(row["size"] for row in rows):
        lines += ["", f"## At {SIZES[size]}", "", "| | seconds | peak MB | trained parameters |", "|---|---|---|---|"]
        for row in (row for row in rows if row["size"] == size):
            lines.append(
                f"| {CASES[row['case']].title} | {median(row['seconds']):.3g} | {row['peak_mb']:.0f} "
                f"| {row['trained']:,} |"
            )
        lines += ["", "| ratio | seconds | peak memory | target | its condition |", "|---|---|---|---|---|"]
        own = [one for one in found if one["size"] == size]
        for one in own:
            lines.append(f"| {one['name']} | {one['seconds']:.3f} | {one['memory']:.2f} {marked(one, gradient)} |")
        slower = [one["name"] for one in own if one["seconds"] > 1]
        if slower:
            lines += ["", f"**StyleMotif is the slower one** in: {'; '.join(slower)}."]
    lines += [
        "",
        f"The paper's own ratio of StyleMotif to SMooDi is {PAPER_RATIO} (3.1 s and 4.0 s on an A100). Peak memory is the "
        "whole process's, the interpreter and torch included. What is known of the gradient is from the "
        "[tables of stylisation](stylization.md): ours at a step scale of its own, in few steps; whether fewer steps keep the "
        "style is measured nowhere, nor anything at the paper's size, of which no weights were trained.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run every row in a process of its own and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/speed_of_style"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--page", action="store_true", help="write the page again from OUT.json")
    parser.add_argument("--row", nargs=2, metavar=("SIZE", "CASE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        print(json.dumps(measure(*options.row)))
        return
    stored = options.out.with_suffix(".json")
    rows = json.loads(stored.read_text("utf-8"))["rows"] if options.page else measured(options.repeats, options.sizes)
    machine = f"{platform.machine()}, torch {rows[0]['torch']}"
    if options.page:
        machine = json.loads(stored.read_text("utf-8"))["machine"]
    found = ratios(rows)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    written = {"machine": machine, "frames": FRAMES, "rows": rows, "ratios": found}
    stored.write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    said = page(rows, found, machine, gradient_changes(options.out.parent))
    options.out.with_suffix(".md").write_text(said, "utf-8")
    print(said)


def measured(repeats: int, sizes: list[str]) -> list[dict[str, Any]]:
    """Run every row in a process of its own, all rows in turn, so that a busy quarter of an hour meets all alike."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for _ in range(repeats):
        for size in sizes:
            for key in CASES:
                command = [sys.executable, __file__, "--row", size, key]
                answer = subprocess.run(command, check=True, capture_output=True, text=True)
                row = json.loads(answer.stdout)
                known = found.setdefault((size, key), row)
                if known is not row:
                    known["seconds"] += row["seconds"]
                    known["peak_mb"] = max(known["peak_mb"], row["peak_mb"])
                print(f"{size} {key}: {row['seconds'][0]:.3g} s, {row['peak_mb']:.0f} MB", flush=True)
    return list(found.values())


if __name__ == "__main__":
    main()
