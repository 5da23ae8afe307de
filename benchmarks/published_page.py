"""The section of docs/performance.md that ``published_models.py`` writes."""

from typing import Any

COMMAND = "python benchmarks/published_models.py"
BEGIN, END = "<!-- published models: written by benchmarks/published_models.py -->", "<!-- end of published models -->"
TITLE = "# Performance\n\nEvery figure here belongs to the machine that it was measured on, and stands beside its command.\n"
ORDER = ("mld", "smoodi", "intergen", "in2in-individual", "in2in-interaction", "mdm", "mixer")
WHY = {
    "mld": (
        "The sequence has three tokens, so a pass reads 33 MB of weights to do little with them: both branches of guidance "
        "in one batch read them once. In the VAE's decoder everybody attends to one latent token, so its cross-attention "
        "is one vector a layer, added to all frames: no query, key or score is computed."
    ),
    "smoodi": (
        "A step encodes the reference once, and what stands for no style (a motion of zeros, which no shuffle changes) "
        "once a clip; the plain reading runs the style encoder three times a step. An iteration of classifier guidance "
        "decodes, reads the style and goes back through both; the reference's statistics are kept over all iterations."
    ),
    "intergen": (
        "Nearly all of it is matrix products of the published size, which nobody can leave out; both people, and all "
        "branches of guidance, share one batch, so each weight is read once a call."
    ),
    "in2in-individual": "As InterGen; one person leaves only the branches of guidance to share a batch.",
    "in2in-interaction": "As InterGen, with four branches of guidance in one batch.",
    "mdm": "Both branches in one batch; the plain reading is PyTorch's own encoder with its fused path.",
    "mixer": "Both people and both branches are one batch of four.",
}


def with_section(page: str, report: dict[str, Any]) -> str:
    """Put the section in place of the old one, or at the end."""
    return between(page, BEGIN, section(report), END)


def between(page: str, begin: str, text: str, end: str) -> str:
    """Put ``text`` between two marks of docs/performance.md; marks and text go to its end where it has none yet."""
    own = f"{begin}\n{text}{end}\n"
    if begin in page and end in page:
        before, _, rest = page.partition(begin)
        return before + own + rest.partition(end)[2].lstrip("\n")
    return (page or TITLE) + "\n" + own


def section(report: dict[str, Any]) -> str:
    families = {name: report["families"][name] for name in ORDER if name in report["families"]}
    machine = ", ".join(f"{name} {value}" for name, value in report["machine"].items())
    peaks = [row["peak"] for family in families.values() for row in family["rows"]]
    low = [row["bf16 peak"] for family in families.values() for row in family["rows"] if "bf16 peak" in row]
    loads = [load for family in families.values() for load in family["load"]]
    clock = (
        ""
        if report["clock"] == "wall"
        else (
            " Seconds are those of the process itself on one thread, without the time in which other programs had the core "
            f"(`{COMMAND} --clock process --threads 1`): the machine was too busy for the seconds of a clock on the wall, which "
            "the command gives by default."
        )
    )
    lines = [
        "## Published models at full size",
        "",
        f"`{COMMAND}` measured this; all figures are in [performance_models.json](performance_models.json).",
        "",
        f"Machine: {machine}. Random weights, batch 1. *Plain* is a plain reading of the published structure "
        "(`benchmarks/plain/`: PyTorch's layers, branches of guidance and people one after the other, nothing kept over "
        "steps); it holds the same weights as ours and gives the same numbers "
        f"(largest difference {_largest(families):.0e} of the greatest value). Both were timed in alternation, each figure "
        "is the fastest round. *Share* is what the arithmetic of ours takes of the machine's matrix product measured "
        f"between the rounds ({min(peaks) / 1e9:.0f} to {max(peaks) / 1e9:.0f} GFLOP/s in fp32, "
        f"{min(low) / 1e9:.0f} to {max(low) / 1e9:.0f} in bf16). The load of the machine was {min(loads):.1f} to "
        f"{max(loads):.1f}: where it is above 2, other programs took part of both cores, and the ratio says more than the "
        f"seconds.{clock} Memory is the peak of a process that holds one side only, weights included. Text encoders are left out.",
        "",
        "| model | computation | frames | plain, s | ours, s | ratio | ours, bf16, s | plain, GFLOP | ours, GFLOP | share "
        "| share in bf16 | plain, MB | ours, MB |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for family in families.values():
        lines += [_line(row) for row in family["rows"]]
    clips = [_clip(row) for family in families.values() for row in family["rows"] if row["steps"]]
    lines += ["", *([f"A clip is so many guided steps: {'; '.join(clips)}.", ""] if clips else [])]
    lines += ["### Where the time goes", ""]
    for name, family in families.items():
        for row in family["rows"]:
            if "profile" in row:
                lines += [f"**{row['family']}**, {row['name']}: {_profile(row['profile'])}. {WHY[name]}", ""]
    return "\n".join(lines)


def _largest(families: dict[str, Any]) -> float:
    return max(row["difference"] for family in families.values() for row in family["rows"])


def _line(row: dict[str, Any]) -> str:
    plain, ours, low = row["plain seconds"], row["ours seconds"], "bf16 seconds" in row
    cells = [
        row["family"], row["name"], row["frames"], f"{plain:.3g}", f"{ours:.3g}", f"**{plain / ours:.2f}**",
        f"{row['bf16 seconds']:.3g}" if low else "", f"{row['plain operations'] / 1e9:.3g}", f"{row['ours operations'] / 1e9:.3g}",
        f"{100 * row['ours operations'] / ours / row['peak']:.0f} %",
        f"{100 * row['ours operations'] / row['bf16 seconds'] / row['bf16 peak']:.0f} %" if low else "",
        *(f"{row[f'{side} megabytes']:.0f}" if row[f"{side} megabytes"] else "" for side in ("plain", "ours")),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _clip(row: dict[str, Any]) -> str:
    plain, ours = (row["steps"] * row[f"{side} seconds"] for side in ("plain", "ours"))
    return f"{row['family']} {row['steps']} steps of {row['frames']} frames, {plain:.3g} s plain, {ours:.3g} s ours"


def _profile(found: dict[str, Any]) -> str:
    shares = ", ".join(f"{kind} {100 * share:.0f} %" for kind, share in found["kinds"].items() if share >= 0.02)
    return f"{shares} of the time in {found['operators']} operators"
