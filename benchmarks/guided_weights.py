"""Whose weights guidance takes: each branch its own, or all those of the branch that is told everything.

    python benchmarks/guided_weights.py           # writes docs/guided_weights.json and docs/guided_weights.md
    python benchmarks/guided_weights.py --page    # writes the page again from the JSON

Guidance asks a mixture twice a step, told nothing and told everything, and goes on from the difference. MixerMDM asks its Mixer
in both. Where it weighs them unlike, the difference of two models is taken for one of sentences and made 3.5 times as large.
Validation pairs and the judges that select: nothing here scores. Needs the prepared pairs and trained Mixers.
"""

from dataclasses import replace

import numpy as np
import page_of
from mixing_headroom import DRAWS, QUESTIONS, SEED, interval, overall, resampled

from motifmix.evaluation.duet_bench import STEPS, DuetBench
from motifmix.evaluation.duet_judges import DuetJudges
from motifmix.evaluation.duet_questions import questions
from motifmix.home import home
from motifmix.pipelines.baselines.compositions import Composer, Composition, mixers
from motifmix.pipelines.duet import SPARING

ROWS = ("mixer", "mixer-clips", "mixer-familiar", "mixer-led")


def measured() -> dict:
    """Make the scenes of every Mixer that is there in both ways and count hits."""
    folder = home()
    asked = questions(folder / "data", "val", QUESTIONS)
    bench = DuetBench(folder, asked, DuetJudges("select", folder))
    draws = np.random.default_rng(SEED).integers(0, len(asked), (DRAWS, len(asked)))
    rows = {}
    for name, (method, *_) in mixers(folder).items():
        if name not in ROWS:
            continue
        each, told = (_hits(method, bench, one_branch) for one_branch in (False, True))
        rows[method.title] = {
            "each": _figures(each), "told": _figures(told),
            "ahead": interval(resampled(told, draws) - resampled(each, draws)),
        }  # fmt: skip
        print(method.title, rows[method.title], flush=True)
    return {"questions": len(asked), "steps": STEPS, "rows": rows}


def _hits(method: Composition, bench: DuetBench, one_branch: bool) -> tuple[np.ndarray, np.ndarray]:
    composer = Composer(method, home(), bench.judges.encoder)
    composer.sparing = replace(SPARING, one_branch=one_branch)
    return bench.alignment(bench.made_by(composer))


def _figures(hits: tuple[np.ndarray, np.ndarray]) -> dict:
    return {"interaction": float(hits[0].mean()), "individual": float(hits[1].mean()), "overall": overall(*hits)}


def page(found: dict) -> str:
    """Return the page."""
    lines = [
        "# Whose weights guidance takes",
        "",
        "`python benchmarks/guided_weights.py` wrote this page; all figures are in [guided_weights.json](guided_weights.json).",
        "",
        "Guidance asks a mixture twice at each step, told nothing and told everything, and exaggerates the difference. MixerMDM asks "
        "its Mixer in both branches; where it weighs them unlike, a difference between two models passes for one that the "
        f"sentences made. {found['questions']} validation pairs, {found['steps']} steps, guidance as published, the judges that select. "
        "*Ahead*: both branches with the weights of the told one, against each with its own, overall, with the 95 % interval of a "
        "paired bootstrap over prompts.",
        "",
        "| | each its own: interaction | individual | overall | the told one's: interaction | individual | overall | ahead |",
        "|" + "---|" * 8,
    ]
    for title, row in found["rows"].items():
        shown = [
            f"{100 * row[way][key]:.1f} %"
            for way in ("each", "told")
            for key in ("interaction", "individual", "overall")
        ]
        low, _, high = (100 * value for value in row["ahead"])
        ahead = 100 * (row["told"]["overall"] - row["each"]["overall"])
        lines.append(f"| {' | '.join([title, *shown, f'{ahead:+.1f} ({low:+.1f} to {high:+.1f})'])} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    page_of.run("guided_weights", __doc__, measured, page)
