"""What keeping people apart gives and costs: the same prompts and seeds with the guidance and without it.

    python benchmarks/collisions.py --choose --prompts 48  # tries settings on validation prompts; asks no judge
    python benchmarks/collisions.py                   # writes docs/collisions.json and docs/collisions.md
    python benchmarks/collisions.py --page            # writes the page again from the JSON
    python benchmarks/collisions.py --strip scene.png # draws the worst of the first prompts, before and after

Volume is what both mannequins' meshes enclose (`evaluation/body_overlap.py`); the guidance sees capsules. The judge that
scores says whether texts still find their scenes; it chooses nothing. Needs the prepared pairs and the weights that
recipes/duets trains. A Mixer is measured where there is one; each method is guided as strongly as tuning chose. Seconds are
processor time on one thread.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from motifmix.encoders.text import MiniLM
from motifmix.errors import MotifmixError
from motifmix.evaluation import duet_metrics
from motifmix.evaluation.body_overlap import overlap_volume
from motifmix.evaluation.duet_bench import guidance_key, read_guidance
from motifmix.evaluation.duet_judges import DuetJudges
from motifmix.evaluation.duet_questions import Question, questions
from motifmix.evaluation.metrics import mean_jerk
from motifmix.features.interhuman import InterHumanSpace
from motifmix.home import home
from motifmix.mix.collision_guidance import CollisionGuidance
from motifmix.pipelines.baselines.compositions import COMPOSITIONS, Composer, Composition, batches, shipped

DOCS = Path(__file__).parents[1] / "docs"
METHODS = ("interaction", "placed-dual-exp")
STEPS, BATCH, DRAWS = 10, 16, 2000
INSIDE = 1e-3  # litres, mean over a scene: less is a brush
CHOICES = {
    "once, at the end": CollisionGuidance(rounds=1, air=0.0),
    "once, 2 cm let in": CollisionGuidance(rounds=1, air=-0.02),
    "once, 4 cm let in": CollisionGuidance(rounds=1, air=-0.04),
    "twice from time 0.6, 2 cm let in": CollisionGuidance(rounds=2, begin=0.6, air=-0.02),
    "three times from time 0.7, 2 cm let in": CollisionGuidance(rounds=3, begin=0.7, air=-0.02),
}
FIGURES = {
    "volume": ("bodies in one place, litres", 3, 1.0),
    "interaction": ("interaction found, %", 1, 100.0),
    "individual": ("individual found, %", 1, 100.0),
    "contact_error": ("contact error, m", 3, 1.0),
    "distance": ("distance, m", 3, 1.0),
    "distance_error": ("distance error, m", 3, 1.0),
    "skating": ("foot skating, %", 1, 100.0),
    "jerk": ("jerk, m/s³", 1, 1.0),
}


@dataclass(frozen=True, eq=False)
class Bodies:
    """Figures of N scenes that no judge gives, by name, [N] each."""

    figures: dict[str, np.ndarray]

    @classmethod
    def of(cls, people: Sequence[np.ndarray]) -> "Bodies":
        """Measure scenes [P, T, 262] as they are decoded."""
        rows = []
        for one in people:
            first, second = (InterHumanSpace().decode(own) for own in one.astype(np.float64))
            apart = np.linalg.norm((first.root - second.root)[:, [0, 2]], axis=-1).mean()
            jerk = np.mean([mean_jerk(person.joints, person.fps) for person in (first, second)])
            rows.append(
                (
                    overlap_volume(first, second).mean(), duet_metrics.closest_approach(first, second), apart,
                    duet_metrics.skating(one), jerk,
                )
            )  # fmt: skip
        columns = np.array(rows).T
        return cls(dict(zip(("volume", "approach", "distance", "skating", "jerk"), columns, strict=True)))

    def beside(self, real: "Bodies") -> dict[str, np.ndarray]:
        """Return the figures, with errors beside the ``real`` scenes of the same captions."""
        own = dict(self.figures)
        own["contact_error"] = np.abs(own.pop("approach") - real.figures["approach"])
        return own | {"distance_error": np.abs(own["distance"] - real.figures["distance"])}


def composer_of(method: Composition, encoder: MiniLM | None = None) -> tuple[Composer, float]:
    """Load a method; returns it and how strongly tuning chose to guide it."""
    tuned = read_guidance(DOCS / "composition_scores").get(guidance_key(method))
    composer = Composer(method, home(), encoder)
    return composer, tuned.strength if tuned else 1.0


def made(
    composer: Composer, asked: Sequence[Question], guidance: CollisionGuidance | None, strength: float
) -> tuple[list, float]:
    """Return scenes [P, T, 262] and seconds a scene; scenes of like length are made together."""
    scenes: list = [None] * len(asked)
    order = np.argsort([question.wanted.frames for question in asked], kind="stable")
    begun = time.process_time()
    for part in batches(len(asked), BATCH):
        own = [int(number) for number in order[part]]
        wanted, seeds = [asked[number].wanted for number in own], own
        made_now = composer.make(wanted, seeds, steps=STEPS, strength=strength, apart=guidance)
        for number, one in zip(own, made_now, strict=True):
            scenes[number] = one.people
    return scenes, (time.process_time() - begun) / len(asked)


def alignment(asked: Sequence[Question], scenes: Sequence[np.ndarray], judges: DuetJudges) -> dict[str, np.ndarray]:
    """Return how often the text of each scene, and of its people, finds it among 20 kinds, [N] each."""
    texts = judges.texts([q.wanted.text for q in asked], [q.wanted.individual_texts for q in asked])
    seen, rng = judges.scenes(scenes), np.random.default_rng(23)
    pairs = duet_metrics.pooled_hits(texts.pairs, seen.pairs, [q.interaction for q in asked], rng)
    flat, own = (each.people.reshape(-1, each.people.shape[-1]) for each in (texts, seen))
    people = duet_metrics.pooled_hits(flat, own, [name for q in asked for name in q.contents], rng)
    return {"interaction": pairs, "individual": people.reshape(-1, 2).mean(axis=1)}


def compared(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> dict[str, dict]:
    """Return means without and with, of all scenes and of those inside each other without, and what changed.

    ``change``: mean difference with its 95 % interval, paired over prompts; ``ratio`` the same of volumes.
    """
    rng = np.random.default_rng(31)
    inside = before["volume"] > INSIDE
    found = {}
    for name, chosen in (("all", np.ones_like(inside)), ("inside", inside)):
        count = int(chosen.sum())
        rows: dict = {"scenes": count, "still_inside": int((after["volume"][chosen] > INSIDE).sum())}
        if count:
            draws = rng.integers(0, count, (DRAWS, count))
            for key in before:
                own, new = before[key][chosen], after[key][chosen]
                low, high = np.percentile((new - own)[draws].mean(axis=1), [2.5, 97.5])
                rows[key] = [float(own.mean()), float(new.mean()), float((new - own).mean()), float(low), float(high)]
            old, new = (side["volume"][chosen][draws].sum(axis=1) for side in (before, after))
            shares = np.percentile(new[old > 0] / old[old > 0], [2.5, 97.5])
            rows["ratio"] = [rows["volume"][1] / rows["volume"][0], *map(float, shares)]
        found[name] = rows
    return found


def measured(prompts: int) -> dict:
    """Measure every method on test prompts."""
    asked = questions(home() / "data", "test", prompts)
    judges, real = DuetJudges("score", home()), Bodies.of([question.real for question in asked])
    guidance = CollisionGuidance()
    rows = {}
    for method in [*(COMPOSITIONS[key] for key in METHODS), shipped(home())[0]]:
        (composer, strength), sides, seconds = composer_of(method, judges.encoder), [], []
        composer.make([asked[0].wanted], [0], steps=2)
        for chosen in (None, guidance):
            scenes, took = made(composer, asked, chosen, strength)
            seconds.append(took)
            sides.append({**Bodies.of(scenes).beside(real), **alignment(asked, scenes, judges)})
        about = {"title": _title(method), "weights": method.version(home())}
        rows[method.key] = {**about, "seconds": seconds, **compared(*sides)}
        print(_title(method), json.dumps(rows[method.key]["inside"]), flush=True)
    settings = {"rounds": guidance.rounds, "begin": guidance.begin, "air": guidance.air}
    return {"prompts": len(asked), "steps": STEPS, "judge": judges.version, **settings, "methods": rows}


def choose(prompts: int) -> dict:
    """Return what each setting gives on validation prompts, of scenes that are inside each other without it."""
    asked = questions(home() / "data", "val", prompts)
    real = Bodies.of([question.real for question in asked])
    rows = []
    for key in METHODS[:1]:  # whose people are inside each other most often
        composer, strength = composer_of(COMPOSITIONS[key])
        composer.make([asked[0].wanted], [0], steps=2)
        scenes, took = made(composer, asked, None, strength)
        before = Bodies.of(scenes).beside(real)
        for name, guidance in CHOICES.items():
            scenes, took_then = made(composer, asked, guidance, strength)
            found = compared(before, Bodies.of(scenes).beside(real))["inside"]
            rows.append({"method": _title(COMPOSITIONS[key]), "setting": name, "seconds": [took, took_then], **found})
            print(json.dumps(rows[-1]), flush=True)
    return {"prompts": len(asked), "rows": rows}


def strip(target: Path, prompts: int) -> None:
    """Draw the scene of the first prompts in which most is inside, before and after."""
    from motifmix.drawing.strips import sheet

    asked = questions(home() / "data", "test", prompts)
    composer, strength = composer_of(COMPOSITIONS[METHODS[0]])
    sides = [made(composer, asked, chosen, strength)[0] for chosen in (None, CollisionGuidance())]
    volumes = Bodies.of(sides[0]).figures["volume"]
    worst = int(np.argsort(volumes)[-2])
    rows = [
        (f"{name}: {asked[worst].wanted.text}", InterHumanSpace().decode_pair(*scenes[worst]))
        for name, scenes in zip(("without", "with"), sides, strict=True)
    ]
    sheet(rows, target)


def page(found: dict) -> str:
    """Return the page of all that was measured."""
    parts = [
        "# People who stay out of each other",
        "`python benchmarks/collisions.py` wrote this page; all figures are in [collisions.json](collisions.json).",
        f"{found['prompts']} prompts of the test list, {found['steps']} steps, one draft each, the same seeds with the guidance and "
        f"without. {_when(found)} the clean people are decoded, capsules as thick as the mannequin's mesh are brought apart (bodies "
        "step aside, limbs bend, hands that touch stay), and the sampler goes on from there. Setting chosen on validation prompts "
        "by volume, contact and distance, no judge asked. "
        "*Change* is the mean difference with its 95 % interval (bootstrap, paired over prompts). Contact and distance errors "
        "are against the real scene with the same captions; *found* is how often a text finds its scene, or its person, among "
        "20 kinds (the judge that scores). Skating and jerk are the models' own; the guidance shall not add to them. Seconds "
        "are processor time, scenes made in batches.",
    ]
    for row in found["methods"].values():
        parts += [f"## {row['title']}", _verdict(row)]
        for name, words in (("inside", "Scenes that are inside each other without it"), ("all", "All scenes")):
            own = row[name]
            if own["scenes"]:
                parts.append("\n".join([f"{words} ({own['scenes']}):", "", *_table(own)]))
    if "chosen_by" in found:
        parts += ["## How the setting was chosen", _choices(found["chosen_by"])]
    return "\n\n".join(parts) + "\n"


def _when(found: dict) -> str:
    air = 100 * found["air"]
    wanted = (
        f"until {air:g} cm are between them"
        if air > 0
        else f"but for the last {-air:g} cm"
        if air
        else "until they touch"
    )
    steps = (
        "At the last step"
        if found["rounds"] == 1
        else f"At {found['rounds']} steps from time {found['begin']:g} to the last"
    )
    return f"{steps} ({wanted})"


def _choices(found: dict) -> str:
    lines = [
        f"`python benchmarks/collisions.py --choose`: {found['prompts']} validation prompts, of which the scenes that are inside "
        "each other without it.",
        "",
        "| | | scenes | volume left | contact error, m | distance, m | jerk, m/s³ | s a scene |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        if row["scenes"]:
            pairs = {key: row[key][:2] for key in ("contact_error", "distance", "jerk")} | {"seconds": row["seconds"]}
            cells = [
                f"{before:.{digits}f} to {after:.{digits}f}"
                for (before, after), digits in zip(pairs.values(), (3, 3, 0, 2), strict=True)
            ]
            left = f"{100 * row['ratio'][0]:.1f} %"
            lines.append("| " + " | ".join([row["method"], row["setting"], str(row["scenes"]), left, *cells]) + " |")
    closing = (
        "Letting capsules in costs volume and spares distance; acting before the end too lets the model go on from people who are "
        "apart, which takes more time and leaves less volume at the same distance."
    )
    return "\n".join([*lines, "", closing])


def _table(own: dict) -> list[str]:
    lines = ["| | without | with | change |", "|---|---|---|---|"]
    for key, (words, digits, factor) in FIGURES.items():
        without, there, change, low, high = (factor * value for value in own[key])
        lines.append(
            f"| {words} | {without:.{digits}f} | {there:.{digits}f} | "
            f"{change:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f}) |"
        )
    return lines


def _verdict(row: dict) -> str:
    own = row["inside"]
    if not own["scenes"]:
        return "Nobody is inside anybody without it."
    ratio, low, high = (100 * value for value in row["all"]["ratio"])
    error, moved = row["inside"]["contact_error"], row["inside"]["distance"]
    return (
        f"The volume falls to {ratio:.1f} % ({low:.1f} to {high:.1f}) of what it is without; {own['still_inside']} of "
        f"{own['scenes']} scenes still share more than {1000 * INSIDE:g} ml. People who were inside each other stand "
        f"{100 * moved[2]:.1f} cm of {moved[0]:.2f} m further apart, and their contact error changes by {error[2]:+.3f} m. A "
        f"scene takes {row['seconds'][0]:.2f} s without and {row['seconds'][1]:.2f} s with it."
    )


def _title(method: Composition) -> str:
    return method.title[:1].upper() + method.title[1:]


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=140)
    parser.add_argument("--choose", action="store_true", help="try settings on validation prompts")
    parser.add_argument("--strip", type=Path, metavar="PNG", help="draw one scene before and after")
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    store = DOCS / "collisions.json"
    if options.strip is not None:
        return strip(options.strip, options.prompts)
    if not options.page:
        found = {"chosen_by": choose(options.prompts)} if options.choose else measured(options.prompts)
        known = json.loads(store.read_text("utf-8")) if store.exists() else {}
        store.write_text(json.dumps({**known, **found}, indent=1) + "\n", "utf-8")
    found = json.loads(store.read_text("utf-8")) if store.exists() else {}
    if "methods" not in found:
        raise MotifmixError(f"{store} has no figures of test prompts; run this without --choose and --page first")
    (DOCS / "collisions.md").write_text(page(found), "utf-8")
    return None


if __name__ == "__main__":
    main()
