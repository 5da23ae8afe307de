"""What several drafts of a duet give and cost, of which the one is kept that is told best by its sentences.

    python benchmarks/drafts.py           # writes docs/drafts.json and docs/drafts.md
    python benchmarks/drafts.py --page    # writes the page again from the JSON
    python benchmarks/drafts.py --choose  # prints how many drafts to begin, when to read them and how many to finish: validation pairs

The prompts, guidance and noise of `motifmix evaluate composition`, each method with its own drafts: the first has the noise of that
table, the others have their own. Two evaluators with the role select choose (`pipelines/drafts.py`), the two that score, and
geometry, say what came of it. Needs the prepared pairs and trained models; scenes of which all were finished, and rows that are
done, are kept below MOTIFMIX_HOME, so that it goes on where it was stopped.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import page_of
import torch
from mixing_headroom import DRAWS, SEED, interval, overall, resampled
from torch import Tensor

from motifmix.atomic import replacing
from motifmix.errors import WeightsError
from motifmix.evaluation.duet_bench import MIXER, STEPS, DuetBench, read_guidance
from motifmix.evaluation.duet_judges import DuetJudges
from motifmix.evaluation.duet_metrics import skating
from motifmix.evaluation.duet_questions import questions
from motifmix.evaluation.duet_staging import done, staged
from motifmix.evaluation.measuring import digest
from motifmix.home import home
from motifmix.pipelines.baselines.compositions import COMPOSITIONS, ONE_BY_ONE, Composer, Composition, shipped
from motifmix.pipelines.drafts import DRAFTS, FINISHED, NEAREST, READ_AT, Reader, crowded
from motifmix.pipelines.duet import WINDOW
from motifmix.pretrained.cards import weights_version
from motifmix.pretrained.duet_evaluators import evaluator_folder

QUESTIONS = 280
CHOSEN_ON = 128  # validation pairs
ALL_FINISHED = 4  # drafts that are finished, all of them, to compare with
OTHERS = ("interaction", "blending", "paths", "placed-blending", "placed-average")
BOTH = ((0, 1),)
Ways = Sequence[tuple[int, bool]]  # how many drafts, and whether most are left where they are read early


def rows() -> dict[str, tuple[Composition, Ways]]:
    """Return by its title each method, and the drafts that are looked at. The Mixer that ships stands first."""
    seeds = shipped(home())
    one, whole, few, default, more = (
        (1, False),
        (ALL_FINISHED, False),
        (ALL_FINISHED, True),
        (DRAFTS, True),
        (2 * DRAFTS, True),
    )
    found: dict[str, tuple[Composition, Ways]] = {seeds[0].title: (seeds[0], (one, whole, few, default, more))}
    found |= {f"{own.title}, seed {number}": (own, (one, default)) for number, own in enumerate(seeds[1:], start=1)}
    return found | {COMPOSITIONS[key].title: (COMPOSITIONS[key], (one, default)) for key in OTHERS}


def name_of(title: str, drafts: int, culled: bool) -> str:
    """Return what a row is called."""
    return f"{title} {drafts}" + (", read early" if culled else "")


def kept_scenes(
    bench: DuetBench, method: Composition, drafts: int, culled: bool, reader: Reader, told: list[Tensor]
) -> list[np.ndarray]:
    """Return the scene that is kept of each question's drafts."""
    if not culled:
        every = [replace(bench, seed=seed).made(method) for seed in range(drafts)]  # the first has the table's noise
        kept = []
        for number, vectors in enumerate(told):
            people = np.stack([own[number].people for own in every])
            scores = reader.of_pairs(torch.from_numpy(people)[:, None], BOTH, vectors[0], vectors[1:])
            kept.append(people[int(scores.argmax())])
        return kept
    composer, kept = Composer(method, bench.home, bench.judges.encoder), []
    for number, (question, vectors) in enumerate(zip(bench.asked, told, strict=True)):
        seeds = [bench.seed_of(question, draft) for draft in range(drafts)]
        made = composer.drafted(
            question.wanted, seeds, lambda clean, own=vectors: reader.of_pairs(clean[:, None], BOTH, own[0], own[1:]),
            steps=STEPS, strength=bench.strength(method),
        )  # fmt: skip
        kept.append(made.people)
        if number % 40 == 0:
            print(f"{method.title}: {number} of {len(told)}", flush=True)
    return kept


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
    told = [bench.judges.encoder.encode([q.wanted.text, *q.wanted.individual_texts]) for q in asked]
    draws = np.random.default_rng(SEED).integers(0, len(asked), (DRAWS, len(asked)))
    hits: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    figures: dict[str, dict] = {}
    read_by = [weights_version(evaluator_folder("select", people, folder, shipped_first=True)) for people in (2, 1)]
    for title, (method, ways) in rows().items():
        for drafts, culled in ways:
            name = name_of(title, drafts, culled)
            asked_so = digest(
                drafts,
                culled,
                FINISHED,
                READ_AT,
                STEPS,
                QUESTIONS,
                bench.strength(method),
                method.version(folder),
                read_by,
            )
            done_before = folder / "cache" / "drafts" / f"{method.key}-{asked_so}.npz"
            if done_before.is_file():
                with np.load(done_before) as kept:
                    people = [kept[f"arr_{number}"] for number in range(len(asked))]
            else:
                people = kept_scenes(bench, method, drafts, culled, reader, told)
                done_before.parent.mkdir(parents=True, exist_ok=True)
                with replacing(done_before) as place, place.open("wb") as file:
                    np.savez(file, *people)
            hits[name] = bench.alignment(people)
            bodies = {
                "staged": np.array([staged(q.interaction, one) for q, one in zip(asked, people, strict=True)], np.float64),
                "done": np.array([done(q.contents, one) for q, one in zip(asked, people, strict=True)]),
                "skating": np.array([np.mean(skating(one)) for one in people]),
                "crowded": np.array([float(crowded(torch.from_numpy(one)) > 0) for one in people]),
            }  # fmt: skip
            figures[name] = {"title": title, "drafts": drafts, "culled": culled}
            figures[name]["read_early"] = culled and method.way not in ONE_BY_ONE
            figures[name] |= {key: within(values, draws) for key, values in bodies.items()}
            print(name, f"{100 * overall(*hits[name]):.1f}", figures[name], flush=True)
    mixer = next(iter(rows()))
    for name, own in hits.items():
        row = figures[name]
        one, same = (
            hits[which] for which in (name_of(row["title"], 1, False), name_of(mixer, row["drafts"], row["culled"]))
        )
        all_of = resampled(own, draws)
        figures[name] |= {
            "interaction": within(own[0], draws), "individual": within(own[1], draws), "overall": overall(*own),
            "ahead": interval(all_of - resampled(one, draws)), "behind": interval(resampled(same, draws) - all_of),
        }  # fmt: skip
    return {"questions": len(asked), "steps": STEPS, "mixer": mixer, "rows": figures}


def choose(pairs: int = CHOSEN_ON) -> None:
    """Print what plans cost and give on validation pairs, as those who choose find it, and geometry. Nobody who scores is asked."""
    folder, reader = home(), Reader.load(WINDOW)
    assert reader is not None  # they come with the package
    asked, method = questions(folder / "data", "val", pairs), shipped(home())[0]
    composer = Composer(method, folder)
    strength = read_guidance(page_of.DOCS / "composition_scores")[MIXER].strength
    scores, stands = [], []
    for number, question in enumerate(asked):
        told = composer.encoder.encode([question.wanted.text, *question.wanted.individual_texts])
        seeds = [1000 * number + draft for draft in range(DRAFTS)]
        walk, levels = composer.begun(question.wanted, seeds, steps=STEPS, strength=strength)
        read, clean = [], walk.states[0]
        for step in walk.taken(levels):
            clean = step.clean
            read.append(reader.of_pairs(clean[:, None], BOTH, told[0], told[1:]).numpy())
        scores.append(read)
        stands.append([staged(question.interaction, own.numpy()) for own in clean])
        if number % 10 == 0:
            print(f"{number} of {len(asked)}", flush=True)
    seen, stood = np.array(scores), np.array(stands)  # [N, steps, drafts], [N, drafts]
    print("begun, finished, read after | work of one draft | score | stand and go as asked")
    for begun, left, after in product((1, 4, 8, DRAFTS), (1, 2, 3, 4, 8, DRAFTS), (3, 4, 5, 6)):
        if left > begun or (left == begun and after > 3):
            continue
        early = np.argsort(-seen[:, after - 1, :begun], axis=1)[:, :left]
        best = early[np.arange(len(seen)), np.take_along_axis(seen[:, -1], early, axis=1).argmax(axis=1)]
        work = left + (begun - left) * after / STEPS
        kept = [float(own[np.arange(len(seen)), best].mean()) for own in (seen[:, -1], stood)]
        print(f"{begun}, {left}, {after} | {work:.1f} | {kept[0]:.3f} | {100 * kept[1]:.1f} %")


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
        f"readily one in which people are nearer than {NEAREST:g} m to each other, as pairs hardly ever are (`pipelines/drafts.py`). "
        f"{DRAFTS} are begun unless told otherwise; *read early* means that the evaluators read them when the noise is down to step "
        f"{READ_AT:.0f} of 1000 or just below, and only the best {FINISHED} go on to the end, of which one is kept. Where "
        "a method finishes two motions and then averages them, nothing is there to read early: all its drafts are finished, for "
        "twice the work. Here the evaluators that score say what came of it, and "
        f"geometry, which no evaluator has a part in. {found['questions']} test pairs, {found['steps']} steps, guidance and the first "
        "draft's noise as in [compositions](composition.md), whose tables are of one draft; the Mixer that ships, and those of its other "
        "seeds. Scenes are as sampled: people are not kept apart and feet not cleaned, as `motifmix duet` does. Who chooses and who "
        "scores learned apart, but from the same pairs and sentences, and may err alike: where geometry gains less than alignment, "
        "believe geometry. *Ahead of one draft*, and *behind the Mixer* with as many drafts: overall, with the 95 % interval of a paired "
        "bootstrap over prompts. When drafts are read, and how many go on, was chosen on 128 validation pairs by the scores of those who "
        "choose. What drafts cost is in [duets: speed and size](duet_speed.md).",
        "",
        "| | drafts | interaction | individual | overall | ahead of one draft | behind the Mixer | stand and go as asked | do as asked "
        f"| nearer than {NEAREST:g} m in some frame | foot skating |",
        "|" + "---|" * 11,
    ]
    for row in rows.values():
        shares = [*(_share(row[key]) for key in ("interaction", "individual")), f"{100 * row['overall']:.1f} %"]
        one = rows[name_of(row["title"], 1, False)]
        mixer = rows[name_of(found["mixer"], row["drafts"], row["culled"])]
        ahead = "" if row is one else _between(row["overall"] - one["overall"], row["ahead"])
        behind = "" if row is mixer else _between(mixer["overall"] - row["overall"], row["behind"])
        number = (
            f"{row['drafts']}{', read early' if row['read_early'] else ', all finished' if row['drafts'] > 1 else ''}"
        )
        bodies = [_share(row[key]) for key in ("staged", "done", "crowded", "skating")]
        lines.append(f"| {' | '.join([row['title'], number, *shares, ahead, behind, *bodies])} |")
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
    if sys.argv[1:] == ["--choose"]:
        choose()
    else:
        page_of.run("drafts", __doc__, measured, page)
