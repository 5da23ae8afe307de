"""What scenes of three people and four cost, and what is left of each pair in them.

    python benchmarks/groups.py                 # the mixture, as `motifmix duet` makes it
    python benchmarks/groups.py --using interaction
    python benchmarks/groups.py --strips FOLDER # pictures of some of the scenes, nothing measured

One prompt of the test list for every type of interaction that there is place for, each asked of two people, of three (the
first with both others, or everybody with everybody) and of four (the first with the three others); the second person's
sentence is everybody's but the first one's. The judge that scores looks at every pair that interacts as if it were a scene
of two: how often the sentence finds it among the same pairs of 20 types. Each run replaces its rows in docs/groups.json and
writes docs/groups.md. Needs the prepared sets duets and duets-foreign, and the models and evaluators of recipes/duets.
"""

import argparse
import json
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

import motifmix
from motifmix.drawing.strips import strip
from motifmix.evaluation import duet_metrics
from motifmix.evaluation.body_overlap import overlap_volume
from motifmix.evaluation.duet_judges import DuetJudges
from motifmix.evaluation.duet_questions import Question, questions
from motifmix.evaluation.metrics import bootstrap, foot_skate_ratio
from motifmix.features.interhuman import InterHumanSpace
from motifmix.home import home
from motifmix.motion import Scene
from motifmix.pipelines.duet import STEPS
from motifmix.pipelines.group_scene import star

DOCS = Path(__file__).parents[1] / "docs"
PROMPTS = 24
STRIDE = 6  # frames between looks at meshes
INSIDE = 0.01  # litres, mean over a scene, from which two people count as inside each other
Pairs = tuple[tuple[int, int], ...]
CASES: dict[str, tuple[int, Pairs]] = {
    "two people": (2, star(2)),
    "three, the first with both": (3, star(3)),
    "three, all with all": (3, tuple(combinations(range(3), 2))),
    "four, the first with all": (4, star(4)),
}
_GREET = ["a person waves with the right hand", "a person bows", "a person bows"]
_EVERYBODY = CASES["three, all with all"][1]
SHOWN = (
    ("three people greet each other", _GREET, star(3), "interaction"),
    ("three people greet each other", _GREET, _EVERYBODY, "mixed"),
    ("three people walk side by side", ["a person walks forward"] * 3, star(3), "interaction"),
    ("three people walk side by side", ["a person walks forward"] * 3, star(3), "mixed"),
    ("one person chases the others", ["a person runs"] * 3, star(3), "interaction"),
    ("three people dance together", ["a person dances"] * 3, star(3), "mixed"),
)


def told(question: Question, people: int) -> list[str]:
    """Return a sentence for each of so many people."""
    first, second = question.wanted.individual_texts
    return [first, *[second] * (people - 1)]


def measured(using: str, asked: list[Question]) -> dict[str, Any]:
    """Return a row for every case and one for the real pairs of two."""
    duet, judges = motifmix.load_duet(), DuetJudges("score", home())
    texts = judges.texts([q.wanted.text for q in asked], [q.wanted.individual_texts for q in asked]).pairs
    kinds = [q.interaction for q in asked]
    duet.generate(asked[0].wanted.text, told(asked[0], 2), using=using)  # the first call loads  # pyright: ignore

    def hits(people: list[np.ndarray]) -> np.ndarray:
        # The same draws for every case.
        return duet_metrics.pooled_hits(texts, judges.scenes(people).pairs, kinds, np.random.default_rng(23))

    rows: dict[str, Any] = {"real pairs": {"hits": [hits([q.real for q in asked]).tolist()]}}
    for name, (people, pairs) in CASES.items():
        scenes, seconds = [], []
        for number, question in enumerate(asked):
            start = time.process_time()
            frames = question.wanted.frames / 30.0
            scenes.append(
                duet.generate(
                    question.wanted.text, told(question, people), seconds=frames, seed=number,
                    using=using, pairs=pairs,  # pyright: ignore[reportArgumentType]
                )
            )  # fmt: skip
            seconds.append(time.process_time() - start)
        by_pair = [[as_pair(scene, pair) for scene in scenes] for pair in pairs]
        rows[name] = {
            "people": people, "pairs": len(pairs), "seconds": seconds,
            "hits": [hits(own).tolist() for own in by_pair],
            "distance": [[duet_metrics.pelvis_distance(one) for one in own] for own in by_pair],
            "past": [[float(duet_metrics.turned_away(one).mean()) for one in own] for own in by_pair],
            "skate": [float(np.mean([foot_skate_ratio(person.joints, scene.fps) for person in scene])) for scene in scenes],
            **overlaps(scenes, pairs),
        }  # fmt: skip
        print(name, f"{np.mean(seconds):.2f} s, {100 * np.mean(rows[name]['hits']):.0f} %", flush=True)
    return rows


def as_pair(scene: Scene, pair: tuple[int, int]) -> np.ndarray:
    """Return two people of a scene as the judge reads them, [2, T, 262] in metres."""
    return np.stack(InterHumanSpace().encode_pair(Scene((scene.people[pair[0]], scene.people[pair[1]]))))


def overlaps(scenes: list[Scene], pairs: Pairs) -> dict[str, list[list[float]]]:
    """Return litres inside each other, scene by scene, of pairs that interact and of those that do not."""
    met = {frozenset(pair) for pair in pairs}
    found: dict[str, list[list[float]]] = {"overlap": [], "strangers_overlap": []}
    for scene in scenes:
        inside: dict[bool, list[float]] = {True: [], False: []}
        for one, other in combinations(range(len(scene)), 2):
            volume = overlap_volume(scene.people[one], scene.people[other], stride=STRIDE)
            inside[frozenset((one, other)) in met].append(float(volume.mean()))
        found["overlap"].append(inside[True])
        found["strangers_overlap"].append(inside[False])
    return found


def table(rows: dict[str, Any]) -> list[str]:
    """Return the rows in Markdown."""
    head = ["", "pairs", "s a scene", "against two", "interaction alignment of a pair", "less than two people's",
            "between partners", "looking past", "inside partners", "inside others", "scenes with anybody inside",
            "foot skating"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    two = rows["two people"]
    for name, row in rows.items():
        hits = np.mean(row["hits"], axis=0)
        cells = [name, str(row.get("pairs", 1)), "", "", _interval(hits)]
        lost = "" if name in ("real pairs", "two people") else _interval(np.mean(two["hits"], axis=0) - hits)
        cells.append(lost)
        if "people" not in row:
            lines.append("| " + " | ".join([*cells, *[""] * (len(head) - len(cells))]) + " |")
            continue
        cells[2] = f"{np.mean(row['seconds']):.2f}"
        cells[3] = f"{np.mean(row['seconds']) / np.mean(two['seconds']):.1f} times"
        own, others = (
            [volume for scene in row[key] for volume in scene] for key in ("overlap", "strangers_overlap")
        )  # fmt: skip
        inside = sum(
            max([*scene, *strangers]) > INSIDE
            for scene, strangers in zip(row["overlap"], row["strangers_overlap"], strict=True)
        )
        cells += [
            f"{np.mean(row['distance']):.2f} m", f"{np.mean(row['past']):.0f}°", f"{np.mean(own):.2f} l",
            f"{np.mean(others):.2f} l" if others else "", f"{inside} of {len(row['overlap'])}",
            f"{100 * np.mean(row['skate']):.1f} %",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def by_pair(rows: dict[str, Any]) -> str:
    """Say how each pair of the cases is found."""
    words = []
    for name, (_, pairs) in CASES.items():
        own = [f"{one + 1}-{other + 1} {100 * np.mean(hits):.0f} %"
               for (one, other), hits in zip(pairs, rows[name]["hits"], strict=True)]  # fmt: skip
        words.append(f"{name}: {', '.join(own)}")
    return "Pair by pair: " + "; ".join(words) + "."


def _interval(values: np.ndarray) -> str:
    interval = bootstrap(values, np.random.default_rng(0))
    return f"{100 * interval.mean:.0f} % ± {100 * interval.half_width:.0f} %"


HEAD = """# Three people and more in one scene

Written by `python benchmarks/groups.py`; do not edit. `motifmix duet "three people greet each other" --person ... --person
... --person ...`: the model of two people is asked for every pair that interacts, all in one batch, and people agree on what
they do ([decision 0009](adr/0009-people-in-pairs.md)).

The same prompts of the test list for all rows, one for every type; the second person's sentence is the third's and the
fourth's too. Seconds are of one core, for a scene as long as the real one, of as many drafts as the command makes, with its feet cleaned.
*Alignment*: how often the sentence finds a pair among the same pairs of 20 types, by the judge that scores (chance: 5 %);
half widths, and those of the differences, from a bootstrap over prompts. *Looking past*: by how much partners do not face
each other. Litres are of the mannequin's mesh, mean over frames and pairs.
"""
TITLES = {"mixed": "Both models mixed", "interaction": "The interaction model alone"}
CLOSING = """![strips of three people](groups.png)

The strips (`--strips docs`) are of prompts of no list, seed 0, as they came. Who should wave waves; of two who should bow
one does. People walk abreast and run after each other. Where all greet all there is no neat triangle: pairs
stand at distances of their own, so that two may be close and the third metres off. Dancers stand close, with hands in reach
of each other, and do not hold them.
"""


def page(found: dict[str, Any]) -> str:
    """Return the page of all that was measured."""
    parts = [HEAD.rstrip()]
    for using, title in TITLES.items():
        if using in found:
            own = found[using]
            count = len(own["rows"]["two people"]["seconds"])
            told_by = "a trained Mixer" if own["mixer"] else "DualMDM's schedule"
            how = f", weighed by {told_by}" if using == "mixed" else ""
            parts += [f"## {title}", f"{count} prompts, {own['steps']} steps{how}.", "\n".join(table(own["rows"]))]
            parts.append(by_pair(own["rows"]))
    return "\n\n".join([*parts, CLOSING.rstrip()]) + "\n"


def draw(folder: Path) -> None:
    """Draw some scenes as strips, one below the other, to ``groups.png``."""
    from PIL import Image

    duet, pictures = motifmix.load_duet(), []
    for number, (text, own, pairs, using) in enumerate(SHOWN):
        path = folder / f"groups_{number}.png"
        who = ", ".join(f"{one + 1}-{other + 1}" for one, other in pairs)
        strip(duet.generate(text, own, seed=0, pairs=pairs, using=using), path, title=f"{text} ({who}; {using})")
        pictures.append(Image.open(path).copy())
        path.unlink()
    sheet = Image.new("RGB", (max(p.width for p in pictures), sum(p.height for p in pictures)))
    top = 0
    for picture in pictures:
        sheet.paste(picture, (0, top))
        top += picture.height
    sheet.quantize(256).save(folder / "groups.png", optimize=True)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--using", choices=list(TITLES), default="mixed")
    parser.add_argument("--strips", type=Path, metavar="FOLDER")
    parser.add_argument("--prompts", type=int, default=PROMPTS, help="fewer only print")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.strips is not None:
        draw(options.strips)
        return
    asked = questions(home() / "data", "test", options.prompts)
    rows = measured(options.using, asked)
    print("\n".join([*table(rows), by_pair(rows)]))
    if options.prompts != PROMPTS:
        return
    store = DOCS / "groups.json"
    known = json.loads(store.read_text("utf-8")) if store.exists() else {}
    mixer = options.using == "mixed" and motifmix.load_duet().weigh is not None
    found = {**known, options.using: {"steps": STEPS, "mixer": mixer, "rows": rows}}
    store.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (DOCS / "groups.md").write_text(page(found), "utf-8")


if __name__ == "__main__":
    main()
