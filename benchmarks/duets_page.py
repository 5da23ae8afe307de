"""docs/duet_speed.md, which ``duets.py`` writes."""

from typing import Any

TARGET, MOST_OF_MIXER, MOST_BYTES = 3.0, 0.15, 25e6
DEFAULT_STEPS = "10"
ROLES = {
    "interaction": "interaction model", "individual": "individual model", "mixer": "Mixer",
    "evaluator-interaction": "evaluator of pairs", "evaluator-individual": "evaluator of people",
    "evaluator-interaction-select": "evaluator of pairs that chooses settings",
    "evaluator-individual-select": "evaluator of people that chooses settings",
}  # fmt: skip


def page(report: dict[str, Any]) -> str:
    """Lay everything out."""
    parts = (_head, _methods, _growth, _stages, _spared, _commands, _sizes)
    return "\n".join(line for write in parts for line in [*write(report), ""]).rstrip() + "\n"


def _head(report: dict[str, Any]) -> list[str]:
    machine = ", ".join(f"{name} {value}" for name, value in report["machine"].items())
    wall = report["clock"] == "wall"
    command = "python benchmarks/duets.py" + (
        "" if wall else f" --clock process --threads {report['machine']['threads']}"
    )
    command += f" --methods {report['only']}" if report["only"] else ""
    seconds = "Seconds are those of the clock on the wall" if wall else (
        "Seconds are those of the processor in the process itself, because other programs had the cores"
    )  # fmt: skip
    busy = " It was busy: the ratios say more than the seconds." if wall and _busy(report) else ""
    from motifmix.pipelines.drafts import DRAFTS, FINISHED  # not before torch's import is timed

    lines = [
        "# Duets: speed and size",
        "",
        f"`{command}` wrote this page and [duet_speed.json](duet_speed.json) in {report['took']:.0f} s. Machine: {machine}.{busy} "
        f"{seconds}; a figure is the median of some calls after one to warm up. A duet has 4 s of motion (2 people, 120 "
        "frames) where nothing else is said, by the small models of `recipes/duets`. Methods, growth and sparing are of one draft; "
        f"the command begins {DRAFTS} and finishes {FINISHED} (`docs/drafts.md`). What weights have learned changes no duration.",
    ]
    if not report["stages"]["trained"]:
        lines += ["", "**No Mixer is trained here: one of the size that ships (`recipes/duets/mixer.yaml`) with random weights "
                  "stands in.** That changes no duration, but what a spared Mixer changes must be read again with a trained "
                  "one."]  # fmt: skip
    if report["left_out"]:
        lines += ["", f"Left out, because their weights are not here: {'; '.join(report['left_out'])}."]
    return lines


def _busy(report: dict[str, Any]) -> bool:
    return report["machine"]["load before"] > report["machine"]["cores"] / 2


def _methods(report: dict[str, Any]) -> list[str]:
    rows = report["methods"]
    first = next(row for row in rows if row["key"] == "interaction")
    steps = list(first["seconds"])
    lines = [
        "## Methods",
        "",
        "From three sentences to two motions, models loaded; in brackets the ratio to the interaction model alone at as many "
        f"steps. {DEFAULT_STEPS} steps are the default of `motifmix duet`, and what `motifmix evaluate composition` measures "
        "all methods at. All branches of guidance go through each network in one batch. Peak memory is the whole process's, "
        "Python and torch included.",
        "",
        "| method | " + " | ".join(f"{own} steps, s" for own in steps) + " | peak MB |",
        "|---" * (len(steps) + 2) + "|",
    ]
    for row in rows:
        cells = [f"{row['seconds'][own]:.3g} ({row['seconds'][own] / first['seconds'][own]:.2f})" for own in steps]
        lines.append(f"| {row['title']} | {' | '.join(cells)} | {row['peak_mb']:.0f} |")
    return lines


def _growth(report: dict[str, Any]) -> list[str]:
    grown, lines = report["growth"], ["## How it grows", ""]
    lines += [
        "The mixture at its default, without the clean-up of the feet; one draft where nothing is said of drafts.",
        "",
    ]
    lines += ["| | | seconds | ratio |", "|---|---|---|---|"]
    names = {
        "frames": "seconds of motion",
        "models": "models in the mixture",
        "people": "people in the scene",
        "drafts": "drafts, of which one is kept",
    }
    for kind, name in names.items():
        values = grown[kind]
        against = next(iter(values.values()), None)
        for value, seconds in values.items():
            lines.append(f"| {name} | {value} | {seconds:.3g} | {seconds / against:.2f} |")
    further = "" if len(grown["people"]) > 1 else " Scenes of more people than two are not made here yet."
    lines += ["", "One model is the interaction model alone; each further one is the model of one person once more, with "
              "weights from the Mixer for each. Three and more people are the first one with each other one, all pairs in "
              f"one batch, put into one world.{further}"]  # fmt: skip
    return lines


def _stages(report: dict[str, Any]) -> list[str]:
    stages = report["stages"]
    whole, share = stages["clip"]["whole"], stages["share"]
    met = "met" if share <= MOST_OF_MIXER else "missed"
    from motifmix.pipelines.drafts import DRAFTS, FINISHED

    lines = [
        "## Where the time goes",
        "",
        f"Of one duet at the default, {DRAFTS} drafts of which {FINISHED} are finished, once all is loaded ({whole:.3g} s). "
        f"The Mixer's own share is {100 * share:.1f} % "
        f"(target: under {100 * MOST_OF_MIXER:.0f} %: {met}).",
        "",
        "| | seconds | share |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name} | {seconds:.3g} | {100 * seconds / whole:.1f} % |"
        for name, seconds in stages["clip"].items()
        if name != "whole"
    ]
    lines += ["", "What happens once in a process, or once a file:", "", "| | seconds |", "|---|---|"]
    lines += [f"| {name} | {seconds:.3g} |" for name, seconds in stages["once"].items()]
    return lines


def _spared(report: dict[str, Any]) -> list[str]:
    spared = report["spared"]
    kind = "the trained Mixer" if spared["trained"] else "random weights, see above"
    lines = [
        "## Asking the Mixer less often",
        "",
        f"`Sparing` (`mix/sparing.py`), measured on the same sentences and seeds ({kind}): its weights hold until it is asked "
        "again, and *one branch* asks it in the guided branch only. Published Mixers are asked at every step in every branch, and "
        "ours too with `Duet(..., sparing=EVERYTHING)`. *Changed* is against every step: of the weights their mean "
        "difference, of the motions the mean distance of joints. The default is bold.",
        "",
        "| steps | the Mixer is asked | seconds | its share | weights changed | joints moved, cm |",
        "|---|---|---|---|---|---|",
    ]
    for row in spared["rows"]:
        name = f"**{row['name']}**" if row["default"] else row["name"]
        lines.append(
            f"| {row['steps']} | {name} | {row['seconds']:.3g} | {100 * row['share']:.1f} % | {row['weights']:.4f} "
            f"| {row['joints_cm']:.2f} |"
        )
    return lines


def _commands(report: dict[str, Any]) -> list[str]:
    default = report["commands"][0]
    clock = "wall" if report["clock"] == "wall" else "process"
    taken = default[clock]
    met = "met" if taken <= TARGET else "missed"
    lines = [
        "## The whole command",
        "",
        "`motifmix duet`, begun anew: Python, torch and everything else loaded from disk, and the file written. At its "
        f"default {taken:.3g} s (target {TARGET:g} s: {met}).",
        "",
        "| out | options | seconds on the wall | seconds of the processor |",
        "|---|---|---|---|",
    ]
    for row in report["commands"]:
        more = f"`{row['more']}`" if row["more"] else ""
        lines.append(f"| `{row['out']}` | {more} | {row['wall']:.3g} | {row['process']:.3g} |")
    if not report["stages"]["trained"]:
        lines += ["", "Without a trained Mixer the command mixes by DualMDM's schedule, and asks none."]
    return lines


def _sizes(report: dict[str, Any]) -> list[str]:
    rows = report["sizes"]
    total = sum(row["bytes"] for row in rows)
    absent = [ROLES[row["role"]] for row in rows if not row["bytes"]]
    met = "met" if total <= MOST_BYTES and not absent else "not known" if absent else "missed"
    lines = ["## Weights", "", "| | MB (fp16) |", "|---|---|"]
    for row in rows:
        note = "" if row["there"] else " (not trained here: by its parameters)" if row["bytes"] else " (not here)"
        lines.append(f"| {ROLES[row['role']]}{note} | {row['bytes'] / 1e6:.2f} |")
    lines += [f"| **all** | **{total / 1e6:.2f}** |", "", f"Limit {MOST_BYTES / 1e6:g} MB: {met}."]
    return lines
