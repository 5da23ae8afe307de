"""What several drafts of a duet give and cost, of which the one is kept that is told best by its sentences.

    python benchmarks/drafts.py           # writes docs/drafts.json and docs/drafts.md
    python benchmarks/drafts.py --page    # writes the page again from the JSON

The prompts, guidance and noise of `motifmix evaluate composition`, each method with its own drafts: the first has the noise of that
table, the others have their own. Two evaluators with the role select choose (`pipelines/drafts.py`), the two that score, and
geometry, say what came of it. Needs the prepared pairs and trained models; scenes are kept below MOTIFMIX_HOME.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import page_of
import torch
from mixing_headroom import DRAWS, SEED, interval, overall, resampled

from motifmix.errors import WeightsError
from motifmix.evaluation.duet_bench import STEPS, DuetBench, read_guidance
from motifmix.evaluation.duet_judges import DuetJudges
from motifmix.evaluation.duet_metrics import skating
from motifmix.evaluation.duet_questions import questions
from motifmix.evaluation.duet_staging import done, staged
from motifmix.home import home
from motifmix.pipelines.baselines.compositions import COMPOSITIONS, Composition, shipped
from motifmix.pipelines.drafts import DRAFTS, NEAREST, Reader, crowded
from motifmix.pipelines.duet import WINDOW

QUESTIONS = 280
COUNTS = (1, 2, 4, 8)
OTHERS = ("interaction", "blending", "paths", "placed-blending", "placed-average")  # with 1 and DRAFTS drafts
BOTH = ((0, 1),)


def rows() -> dict[str, tuple[Composition, Sequence[int]]]:
    """Return by its title each method, and the numbers of drafts that are looked at. The Mixer that ships stands first."""
    seeds = shipped(home())
    found: dict[str, tuple[Composition, Sequence[int]]] = {seeds[0].title: (seeds[0], COUNTS)}
    found |= {f"{own.title}, seed {number}": (own, (1, DRAFTS)) for number, own in enumerate(seeds[1:], start=1)}
    return found | {COMPOSITIONS[key].title: (COMPOSITIONS[key], (1, DRAFTS)) for key in OTHERS}


def measured() -> dict:
    """Make all drafts, choose, and count hits."""
    folder = home()
    reader = Reader.load(WINDOW)
    if reader is None:
        raise WeightsError(
            "nobody can choose from drafts: train recipes/duets/evaluator_*.yaml --set size=select first"
        )
    asked = questions(folder / "data", "test", QUESTIONS)
    guidance = read_guidance(page_of.DOCS / "composition_scores")
    bench = DuetBench(folder, asked, DuetJudges("score", folder), guidance=guidance)
    vectors = [bench.judges.encoder.encode([q.wanted.text, *q.wanted.individual_texts]) for q in asked]
    draws = np.random.default_rng(SEED).integers(0, len(asked), (DRAWS, len(asked)))
    hits: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    figures: dict[str, dict] = {}
    for title, (method, counts) in rows().items():
        drafts = [
            replace(bench, seed=seed).made(method) for seed in range(max(counts))
        ]  # the first has the table's noise
        scores = torch.stack(
            [
                reader.of_pairs(
                    torch.from_numpy(np.stack([own[n].people for own in drafts]))[:, None], BOTH, told[0], told[1:]
                )
                for n, told in enumerate(vectors)
            ]
        )  # [N, drafts]
        for count in counts:
            best = scores[:, :count].argmax(dim=1).tolist()
            people = [drafts[number][n].people for n, number in enumerate(best)]
            name = f"{title} {count}"
            hits[name] = bench.alignment(people)
            bodies = {
                "staged": np.array([staged(q.interaction, one) for q, one in zip(asked, people, strict=True)], np.float64),
                "done": np.array([done(q.contents, one) for q, one in zip(asked, people, strict=True)]),
                "skating": np.array([np.mean(skating(one)) for one in people]),
                "crowded": np.array([float(crowded(torch.from_numpy(one)) > 0) for one in people]),
            }  # fmt: skip
            figures[name] = {"title": title, "drafts": count}
            figures[name] |= {key: within(values, draws) for key, values in bodies.items()}
            print(name, f"{100 * overall(*hits[name]):.1f}", figures[name], flush=True)
    mixer = next(iter(rows()))
    for name, own in hits.items():
        one, same = (hits[f"{title} {count}"] for title, count in (
            (figures[name]["title"], 1), (mixer, figures[name]["drafts"])))  # fmt: skip
        all_of = resampled(own, draws)
        figures[name] |= {
            "interaction": within(own[0], draws), "individual": within(own[1], draws), "overall": overall(*own),
            "ahead": interval(all_of - resampled(one, draws)), "behind": interval(resampled(same, draws) - all_of),
        }  # fmt: skip
    return {"questions": len(asked), "steps": STEPS, "mixer": mixer, "rows": figures}


def page(found: dict) -> str:
    """Return the page."""
    rows = found["rows"]
    lines = [
        "# Drafts",
        "",
        "`python benchmarks/drafts.py` wrote this page; all figures are in [drafts.json](drafts.json).",
        "",
        "A small model often makes what was asked for, and often something else. `motifmix duet` makes several scenes from one seed and "
        "keeps the one that is told best by its sentences, as two evaluators find that choose settings and score nothing, and less "
        f"readily one in which people are nearer than {NEAREST:g} m to each other, as pairs hardly ever are "
        f"(`pipelines/drafts.py`; {DRAFTS} drafts unless told otherwise). Here the evaluators that score say what came of it, and "
        f"geometry, which no evaluator has a part in. {found['questions']} test pairs, {found['steps']} steps, guidance and the first "
        "draft's noise as in [compositions](composition.md), whose tables are of one draft; the Mixer that ships, and those of its other "
        "seeds. Scenes are as sampled: people are not kept apart and feet not cleaned, as `motifmix duet` does. Who chooses and who "
        "scores learned apart, but from the same pairs and sentences, and may err alike: where geometry gains less than alignment, "
        "believe geometry. *Ahead of one draft*, and *behind the Mixer* with as many drafts: overall, with the 95 % interval of a paired "
        "bootstrap over prompts. "
        "What drafts cost is in [duets: speed and size](duet_speed.md); four are what fits into the time that a duet may take.",
        "",
        "| | drafts | interaction | individual | overall | ahead of one draft | behind the Mixer | stand and go as asked | do as asked "
        f"| nearer than {NEAREST:g} m in some frame | foot skating |",
        "|" + "---|" * 11,
    ]
    for row in rows.values():
        shares = [*(_share(row[key]) for key in ("interaction", "individual")), f"{100 * row['overall']:.1f} %"]
        one, mixer = rows[f"{row['title']} 1"], rows[f"{found['mixer']} {row['drafts']}"]
        ahead = "" if row is one else _between(row["overall"] - one["overall"], row["ahead"])
        behind = "" if row is mixer else _between(mixer["overall"] - row["overall"], row["behind"])
        bodies = [_share(row[key]) for key in ("staged", "done", "crowded", "skating")]
        lines.append(f"| {' | '.join([row['title'], str(row['drafts']), *shares, ahead, behind, *bodies])} |")
    return "\n".join([*lines, ""])


def within(values: np.ndarray, draws: np.ndarray) -> list[float]:
    """Return the mean of figures [N] or [N, P], and half the width of its 95 % interval over prompts; what is not told is left out."""
    each = values.reshape(len(values), -1)
    low, high = np.quantile(np.nanmean(each[draws], axis=(1, 2)), (0.025, 0.975))
    return [float(np.nanmean(values)), float(high - low) / 2]


def _share(value: list[float]) -> str:
    return f"{100 * value[0]:.1f} % ± {100 * value[1]:.1f}"


def _between(value: float, ends: list[float]) -> str:
    low, _, high = (100 * end for end in ends)
    return f"{100 * value:+.1f} ({low:+.1f} to {high:+.1f})"


if __name__ == "__main__":
    page_of.run("drafts", __doc__, measured, page)
