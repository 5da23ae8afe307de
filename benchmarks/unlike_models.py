"""Models of other features and another frame rate in one mixture.

    python benchmarks/unlike_models.py           # writes docs/unlike_models.json and docs/unlike_models.md
    python benchmarks/unlike_models.py --page    # writes the page again from the JSON

The model of two people has InterHuman's 262 numbers at 30 frames a second; the model of one person is once in2IN's, with the same,
and once MDM's with HumanML3D's 263 at 20 (recipes/duets/individual_humanml3d.yaml), with a chain in its own space
(mix/other_space.py). The Mixer never saw the latter. Test pairs and the judges that score. Needs the prepared pairs and the trained
model of HumanML3D's features below MOTIFMIX_HOME.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import page_of
from mixing_headroom import DRAWS, SEED, interval, overall, resampled

from motifmix.evaluation.duet_bench import BATCH, STEPS, DuetBench, read_guidance
from motifmix.evaluation.duet_judges import DuetJudges
from motifmix.evaluation.duet_questions import questions
from motifmix.evaluation.duet_staging import staged
from motifmix.home import home
from motifmix.pipelines.baselines.compositions import COMPOSITIONS, Composer, Composition, shipped
from motifmix.pipelines.duet import DuetModel

QUESTIONS = 40
HUMANML3D = "weights-duets-individual-humanml3d"
FIRST = "262 at 30 for both, the Mixer"


def rows() -> dict[str, tuple[Composition, Mapping[str, DuetModel]]]:
    """Return each row's composition, and the models that are mixed in beside its two."""
    mixer = shipped(home())[0]
    on_paths, equal = COMPOSITIONS["placed-individual"], COMPOSITIONS["placed-blending"]

    def unlike(method: Composition) -> Composition:
        return replace(method, individual=HUMANML3D)

    third = {"humanml3d": DuetModel.load(home() / HUMANML3D)}
    return {
        "model of two people alone": (COMPOSITIONS["interaction"], {}),
        "262 at 30 for both, equal shares": (equal, {}),
        FIRST: (mixer, {}),
        "263 at 20 for one person, on the paths of two": (unlike(on_paths), {}),
        "263 at 20 for one person, equal shares": (unlike(equal), {}),
        "263 at 20 for one person, the Mixer": (unlike(mixer), {}),
        "all three, the Mixer": (mixer, third),
    }


def measured() -> dict:
    """Make the scenes of every row and count hits."""
    folder = home()
    asked = questions(folder / "data", "test", QUESTIONS)
    judges = DuetJudges("score", folder)
    bench = DuetBench(folder, asked, judges, guidance=read_guidance(page_of.DOCS / "composition_scores"))
    hits: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    figures = {}
    for name, (method, further) in rows().items():
        composer = Composer(method, folder, judges.encoder)
        composer.further = further
        began = time.perf_counter()
        people = bench.made_by(composer, bench.strength(method))
        seconds = time.perf_counter() - began
        hits[name] = bench.alignment(people)
        figures[name] = {
            "seconds": seconds / len(asked),
            "staged": float(np.mean([staged(q.interaction, one) for q, one in zip(asked, people, strict=True)])),
        }
        print(name, f"{100 * overall(*hits[name]):.1f}", f"{seconds:.0f} s", flush=True)
    draws = np.random.default_rng(SEED).integers(0, len(asked), (DRAWS, len(asked)))
    first = resampled(hits[FIRST], draws)
    for name, own in hits.items():
        figures[name] |= {
            "interaction": _mean(own, lambda h: h[0].mean(), draws), "individual": _mean(own, lambda h: h[1].mean(), draws),
            "overall": _mean(own, lambda h: overall(*h), draws), "ahead": interval(resampled(own, draws) - first),
        }  # fmt: skip
    return {"questions": len(asked), "steps": STEPS, "rows": figures}


def _mean(
    hits: tuple[np.ndarray, np.ndarray], of: Callable[[tuple[np.ndarray, np.ndarray]], float], draws: np.ndarray
) -> list[float]:
    low, _, high = interval(np.array([of((hits[0][draw], hits[1][draw])) for draw in draws]))
    return [float(of(hits)), (high - low) / 2]


def page(found: dict) -> str:
    """Return the page."""
    lines = [
        "# Unlike models in one mixture",
        "",
        "`python benchmarks/unlike_models.py` wrote this page; all figures are in [unlike_models.json](unlike_models.json).",
        "",
        "The model of two people has InterHuman's 262 numbers at 30 frames a second. The model of one person is in2IN's, with the "
        "same, or MDM's with HumanML3D's 263 at 20 frames a second (`recipes/duets/individual_humanml3d.yaml`), which keeps a chain "
        "in its own space: noise is never converted, clean motions are, at every step (`mix/other_space.py`). The Mixer is that of the "
        "first pair in all rows and never saw the other model; beside unlike features its weights are those of whole people, as whose "
        "joints follow several models is no body that could be converted. `motifmix duet --with FOLDER` mixes such a model in.",
        "",
        f"{found['questions']} test pairs, {found['steps']} steps, guidance as tuned for the same way of composing in "
        "[compositions](composition.md), the judges that score; means with half the width of the 95 % interval of a bootstrap over "
        f"prompts. *Ahead*: of *{FIRST}*, overall, paired. Seconds a scene, in batches of {BATCH}, on the machine as it was.",
        "",
        "| | interaction | individual | overall | ahead | stand and go as asked | seconds |",
        "|" + "---|" * 7,
    ]
    for name, row in found["rows"].items():
        shown = [
            f"{100 * row[key][0]:.1f} % ± {100 * row[key][1]:.1f} %" for key in ("interaction", "individual", "overall")
        ]
        low, _, high = (100 * value for value in row["ahead"])
        ahead = f"{low:+.1f} to {high:+.1f}" if name != FIRST else "–"
        staying, seconds = f"{100 * row['staged']:.0f} %", f"{row['seconds']:.2f}"
        lines.append(f"| {' | '.join([name, *shown, ahead, staying, seconds])} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    page_of.run("unlike_models", __doc__, measured, page)
