"""How long the model of pairs leads: mixtures that are led down to other steps of the diffusion, and not at all.

    python benchmarks/led.py           # writes docs/led.json and docs/led.md
    python benchmarks/led.py --page    # writes the page again from the JSON

Validation pairs and the judges that select: nothing here scores. Needs the prepared pairs, trained models, and the Mixers of
recipes/duets/mixer.yaml with size=familiar and size=led and their seeds.
"""

from collections.abc import Iterator

import numpy as np
import page_of
from mixing_headroom import DRAWS, QUESTIONS, SEED, interval, overall, resampled

from motifmix.evaluation.duet_bench import STEPS, DuetBench
from motifmix.evaluation.duet_judges import DuetJudges
from motifmix.evaluation.duet_metrics import skating
from motifmix.evaluation.duet_questions import questions
from motifmix.evaluation.duet_staging import staged
from motifmix.home import home
from motifmix.pipelines.baselines.compositions import COMPOSITIONS, FAMILIAR, Composer, Composition, shipped

OTHERS = (None, 300.0, 0.0)  # steps down to which the Mixer that ships is led, besides its own
BASE = "plain average, aligned"


def rows() -> Iterator[tuple[str, Composition, float | None, bool]]:
    """Yield title, composition, and the step down to which it is led, if it is another than its own."""
    yield BASE, COMPOSITIONS["placed-average"], None, False
    for key in ("placed-blending", "led-blending"):
        yield COMPOSITIONS[key].title, COMPOSITIONS[key], None, False
    ships = shipped(home())
    for group in (shipped(home(), FAMILIAR), ships):
        for number, own in enumerate(group):
            yield own.title + (f", seed {number}" if number else ""), own, None, False
    for step in OTHERS:
        words = "never led" if step is None else "led to the end" if step == 0 else f"led down to step {step:g}"
        yield f"{ships[0].title}, but {words}", ships[0], step, True


def measured() -> dict:
    """Make every row and count its hits."""
    folder = home()
    asked = questions(folder / "data", "val", QUESTIONS)
    bench = DuetBench(folder, asked, DuetJudges("select", folder))
    foreign = np.array([any(question.foreign) for question in asked])
    of_people = np.array([question.foreign for question in asked])
    draws = np.random.default_rng(SEED).integers(0, len(asked), (DRAWS, len(asked)))
    found, base = {}, None
    for title, method, step, another in rows():
        composer = Composer(method, folder, bench.judges.encoder)
        if another:
            composer.led = step
        people = bench.made_by(composer)
        hits = bench.alignment(people)
        base = hits if base is None else base
        found[title] = {
            "interaction": float(hits[0].mean()), "individual": float(hits[1].mean()), "overall": overall(*hits),
            "interaction_foreign": float(hits[0][foreign].mean()), "foreigners": float(hits[1][of_people].mean()),
            "staged": float(np.mean([staged(q.interaction, one) for q, one in zip(asked, people, strict=True)])),
            "skating": float(np.mean([skating(one) for one in people])),
            "ahead": interval(resampled(hits, draws) - resampled(base, draws)),
        }  # fmt: skip
        print(title, found[title], flush=True)
    return {"questions": len(asked), "foreign": int(foreign.sum()), "steps": STEPS, "rows": found}


def page(found: dict) -> str:
    """Return the page."""
    rows = found["rows"]
    lines = [
        "# How long the model of pairs leads",
        "",
        "`python benchmarks/led.py` wrote this page; all figures are in [led.json](led.json).",
        "",
        "Down to a step of the diffusion, of 1000, the model of pairs alone says where people are over the floor, and weights are of how "
        "bodies move there ([why](adr/0012-the-model-of-pairs-leads.md)); below it all is mixed as in the paper. "
        f"{found['questions']} validation pairs, {found['foreign']} of them with people who do what no training pair shows (*foreign*), "
        f"{found['steps']} steps of sampling, guidance as published, the judges that select: from these figures the Mixer that ships "
        f"and its step were chosen. Mixers are led as they learned unless a row says otherwise. *Ahead*: of the {BASE}, overall, with "
        "the 95 % interval of a paired bootstrap over prompts.",
        "",
        "| | interaction | individual | overall | ahead | interaction, foreign | people, foreign | stand and go as asked | foot skating |",
        "|" + "---|" * 9,
    ]
    for title, row in rows.items():
        low, _, high = (100 * value for value in row["ahead"])
        middle = 100 * (row["overall"] - rows[BASE]["overall"])
        ahead = "" if title == BASE else f"{middle:+.1f} ({low:+.1f} to {high:+.1f})"
        first = [f"{100 * row[key]:.1f} %" for key in ("interaction", "individual", "overall")]
        rest = [f"{100 * row[key]:.1f} %" for key in ("interaction_foreign", "foreigners", "staged", "skating")]
        lines.append(f"| {' | '.join([title, *first, ahead, *rest])} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    page_of.run("led", __doc__, measured, page)
