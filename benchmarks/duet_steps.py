"""How well duets come out at 5, 10 and 50 denoising steps.

    python benchmarks/duet_steps.py           # writes docs/duet_steps.json and docs/duet_steps.md
    python benchmarks/duet_steps.py --page    # writes the page again from the JSON

One draft each, the prompts and the guidance of `motifmix evaluate composition` (tuned at its 10 steps), the judges that score. What
steps cost is in docs/duet_speed.md. Needs the prepared pairs and trained models.
"""

from dataclasses import replace

import numpy as np
import page_of
from mixing_headroom import DRAWS, SEED, interval, overall, resampled

from motifmix.evaluation.body_overlap import overlap_volume
from motifmix.evaluation.duet_bench import DuetBench, read_guidance
from motifmix.evaluation.duet_judges import DuetJudges
from motifmix.evaluation.duet_metrics import skating
from motifmix.evaluation.duet_questions import questions
from motifmix.evaluation.duet_staging import done, staged
from motifmix.features.interhuman import InterHumanSpace
from motifmix.home import home
from motifmix.pipelines.baselines.compositions import COMPOSITIONS, Composer, Composition, shipped
from motifmix.pipelines.duet import STEPS as DEFAULT

QUESTIONS = 120
STEPS = (5, 10, 50)


def methods() -> list[Composition]:
    """Return what is looked at."""
    return [COMPOSITIONS["interaction"], COMPOSITIONS["blending"], shipped(home())[0]]


def measured() -> dict:
    """Make the scenes of every method at every number of steps."""
    folder = home()
    asked = questions(folder / "data", "test", QUESTIONS)
    guidance = read_guidance(page_of.DOCS / "composition_scores")
    bench = DuetBench(folder, asked, DuetJudges("score", folder), guidance=guidance)
    draws = np.random.default_rng(SEED).integers(0, len(asked), (DRAWS, len(asked)))
    rows = []
    for method in methods():
        composer, found = Composer(method, folder, bench.judges.encoder), {}
        for steps in STEPS:
            people = replace(bench, steps=steps).made_by(composer, bench.strength(method))
            found[steps] = bench.alignment(people)
            bodies = [[InterHumanSpace().decode(own) for own in one.astype(np.float64)] for one in people]
            rows.append(
                {
                    "title": method.title, "steps": steps,
                    "interaction": float(found[steps][0].mean()), "individual": float(found[steps][1].mean()),
                    "overall": overall(*found[steps]),
                    "staged": float(np.mean([staged(q.interaction, one) for q, one in zip(asked, people, strict=True)])),
                    "done": float(np.nanmean([done(q.contents, one) for q, one in zip(asked, people, strict=True)])),
                    "skating": float(np.mean([skating(one) for one in people])),
                    "overlap": float(np.mean([overlap_volume(*both).mean() for both in bodies])),
                }
            )  # fmt: skip
            print(rows[-1], flush=True)
        for row in rows[-len(STEPS) :]:
            row["ahead"] = interval(resampled(found[row["steps"]], draws) - resampled(found[DEFAULT], draws))
    return {"questions": len(asked), "default": DEFAULT, "rows": rows}


def page(found: dict) -> str:
    """Return the page."""
    lines = [
        "# Duets at fewer steps and more",
        "",
        "`python benchmarks/duet_steps.py` wrote this page; all figures are in [duet_steps.json](duet_steps.json).",
        "",
        f"{found['questions']} test pairs, one draft each, guidance as tuned at {found['default']} steps, judges that score; columns as in "
        f"[compositions](composition.md). *Ahead*: of {found['default']} steps, overall, with the 95 % interval of a paired bootstrap "
        "over prompts. What steps cost is in [duets: speed and size](duet_speed.md).",
        "",
        "| | steps | interaction | individual | overall | ahead | stand and go as asked | do as asked | foot skating "
        "| bodies in one place, litres |",
        "|" + "---|" * 10,
    ]
    default = {row["title"]: row["overall"] for row in found["rows"] if row["steps"] == found["default"]}
    for row in found["rows"]:
        low, _, high = (100 * end for end in row["ahead"])
        ahead = f"{100 * (row['overall'] - default[row['title']]):+.1f} ({low:+.1f} to {high:+.1f})"
        shares = [f"{100 * row[key]:.1f} %" for key in ("interaction", "individual", "overall")]
        rest = [f"{100 * row[key]:.1f} %" for key in ("staged", "done", "skating")]
        cells = [row["title"], str(row["steps"]), *shares, "" if row["steps"] == found["default"] else ahead, *rest]
        lines.append(f"| {' | '.join(cells)} | {row['overlap']:.2f} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    page_of.run("duet_steps", __doc__, measured, page)
