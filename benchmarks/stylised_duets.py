"""How well each person of a duet has a style of his own, and what is left of the scene.

    python benchmarks/stylised_duets.py --judge select --settings 0.76:2.25:1 0.76:1.25,3.5,5:2  # to choose one way, on validation pairs
    MOTIFMIX_HOME=SECOND python benchmarks/stylised_duets.py --judge select --told 0 0.25 0.5 1  # to choose how ways are chosen
    python benchmarks/stylised_duets.py                                         # the figures: the judge that scores, once
    python benchmarks/stylised_duets.py --of mixed                              # scenes that the models make, from the same captions

Scenes are real pairs of the test list, two of every type of interaction (choreographed out of held-out clips, all in the
style *normal*); the two people of each are given two of set 2's six other styles by their words, every style as often.
The judge names the style (15 to choose from) before and after; per person, by the set that the clip is of. Beside it
what of the scene stays: paths, facing, the least air between the two (capsules), and, where the evaluators of pairs are
trained, how often the sentence of the scene, and those of its people, find it among 20. Each run replaces its rows in
docs/stylised_duets.json and writes docs/stylised_duets.md; runs with the select judge only print. Needs the prepared sets
duets and duets-styled.

With --told the readers that come with the package choose, and others that learned from another seed measure: train in a
MOTIFMIX_HOME of their own, with the prepared data, recipes/duets/evaluator_interaction.yaml and evaluator_individual.yaml with
`size=select seed=3`, and recipes/default/judge.yaml with `options.only=select options.judges.select.seed=55`.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import motifmix
from motifmix.data.interhuman import InterHuman
from motifmix.errors import WeightsError
from motifmix.evaluation.duet_judges import DuetJudges
from motifmix.evaluation.duet_metrics import pooled_hits
from motifmix.evaluation.metrics import bootstrap, foot_skate_ratio, share_bounds
from motifmix.evaluation.tables import percent_within
from motifmix.features.interhuman import InterHumanSpace
from motifmix.features.own import heading
from motifmix.home import home
from motifmix.motion import Motion, Scene
from motifmix.motion.capsules import clearance
from motifmix.pipelines import styled_drafts
from motifmix.pipelines.duet import WINDOW, Composed
from motifmix.pipelines.style_transfer import StyleTransfer
from motifmix.pipelines.styled_drafts import StyledReader
from motifmix.pipelines.styled_scene import DEPTH, STYLE_SCALE, TEXT_SCALE, styled_draft
from motifmix.pretrained.judges import Judge, Role, load_judge

DOCS = Path(__file__).parents[1] / "docs"
PAIRS_A_TYPE = 2
STYLES = ("active", "elderly", "exhausted", "feminine", "masculine", "youthful")
TARGET, MOST_LOST = 0.85, 0.10  # of the issue: style recognised per person, interaction alignment lost
SOURCES = {"bandai-2": "set 2", "bandai-1": "set 1", "cmu": "CMU"}
Setting = tuple[float, tuple[float, ...], float]  # depth, scales of the style (mildest first), scale of the text
CHOSEN: Setting = (DEPTH, (STYLE_SCALE,), TEXT_SCALE)
NEXT_TO_NONE = 1e-9  # of a style: at 0 nobody is restyled at all
PLAIN, ONE_WAY = "no style", "in one way"
STYLED = "duets-styled"


@dataclass(frozen=True, eq=False)
class Asked:
    """A pair and what is asked of it: ``styles``, ``sources`` (the set of the clip) and ``contents`` one a person."""

    scene: Scene
    interaction: str
    text: str
    person_texts: tuple[str, ...]
    styles: tuple[str, ...]
    sources: tuple[str, ...]
    contents: tuple[str, ...]


def questions(split: str, prepared: str = "duets", of_each: int = PAIRS_A_TYPE) -> list[Asked]:
    """Return the first pairs of every type of a list, with styles in turn, each told in any of its wordings."""
    folder = home() / "data" / prepared
    reader = InterHuman(folder, individual_captions=True)
    lines = [json.loads(line) for line in (folder / "duets.jsonl").read_text("utf-8").splitlines()]
    first: dict[str, list[dict[str, Any]]] = {}
    for line in sorted((line for line in lines if line["kind"] == "choreographed"), key=lambda line: line["id"]):
        if line["split"] == split:
            first.setdefault(line["interaction"], []).append(line)
    asked = []
    chosen = [
        (name, line) for place in range(of_each) for name, own in first.items() for line in own[place : place + 1]
    ]
    for number, (name, line) in enumerate(chosen):
        sample = reader.sample(line["id"], split)
        rng = np.random.default_rng([17, *line["id"].encode()])
        told = [own[int(rng.integers(len(own)))].text for own in (sample.captions, *sample.individual_captions)]
        scene = InterHumanSpace().decode_pair(*sample.features.astype(np.float64))
        # Neighbours in the list get other pairs of styles, and nobody has the style of his partner.
        places = (number % 6, (number + 1 + number // 6 % 5) % 6)
        asked.append(
            Asked(
                scene,
                name,
                told[0],
                tuple(told[1:]),
                tuple(STYLES[place] for place in places),
                tuple(clip.split("/")[0] for clip in line["clips"]),
                tuple(line["contents"]),
            )
        )
    return asked


def made(asked: Sequence[Asked], using: Any) -> list[Composed]:
    """Return the scenes that the models make from the captions of real ones, as long as those."""
    model = motifmix.load_duet()
    return [
        model.compose(
            one.text, one.person_texts, using=using, seed=number, alternatives=True,
            seconds=min(4.0, max(1.0, one.scene.people[0].seconds)),
        )
        for number, one in enumerate(asked)
    ]  # fmt: skip


def read(
    asked: Sequence[Asked],
    scenes: Sequence[Scene],
    before: Sequence[Scene],
    judge: Judge,
    evaluators: DuetJudges | None,
) -> dict[str, Any]:
    """Return what is seen on scenes, beside those ``before`` they were restyled."""
    people = [person for scene in scenes for person in scene]
    olds = [person for scene in before for person in scene]
    wanted = [style for one in asked for style in one.styles]
    sources = [source for one in asked for source in one.sources]
    reading = judge.read(people)
    hits = [a == b for a, b in zip(judge.style_names(reading), wanted, strict=True)]
    contents = judge.content_names(judge.read(olds)), judge.content_names(reading)
    frames = [min(a.frames, b.frames) for a, b in zip(people, olds, strict=True)]
    paths = [
        np.linalg.norm((a.root[:n] - b.root[:n])[:, [0, 2]], axis=-1).max()
        for a, b, n in zip(people, olds, frames, strict=True)
    ]
    turns = [
        np.degrees(np.abs(np.angle(np.exp(1j * (heading(a.joints[:n]) - heading(b.joints[:n]))))).mean())
        for a, b, n in zip(people, olds, frames, strict=True)
    ]
    found: dict[str, Any] = {
        "people": len(people),
        "style": [int(hit) for hit in hits],
        "content": [int(a == b) for a, b in zip(*contents, strict=True)],
        "by_source": {
            name: [int(hit) for hit, own in zip(hits, sources, strict=True) if own == key]
            for key, name in SOURCES.items()
        },
        "by_style": {
            style: [int(hit) for hit, own in zip(hits, wanted, strict=True) if own == style] for style in STYLES
        },
        "path_cm": 100 * float(np.mean(paths)),
        "facing_degrees": float(np.mean(turns)),
        "inside": sum(bool(clearance(*scene).min() < 0) for scene in scenes),
        "skating": float(np.mean([foot_skate_ratio(person.resampled(20.0).joints, 20.0) for person in people])),
    }
    if evaluators is not None:
        found |= alignment(asked, scenes, evaluators)
    return found


def alignment(asked: Sequence[Asked], scenes: Sequence[Scene], evaluators: DuetJudges) -> dict[str, list[float]]:
    """Return how often texts find their scenes, and their people, in pools of 20: one number a scene, 0 to 1."""
    motions = evaluators.scenes([np.stack(InterHumanSpace().encode_pair(scene)) for scene in scenes])
    texts = evaluators.texts([one.text for one in asked], [one.person_texts for one in asked])
    names = [one.interaction for one in asked]
    pairs = pooled_hits(texts.pairs, motions.pairs, names, np.random.default_rng(0))
    flat, people = (each.people.reshape(-1, each.people.shape[-1]) for each in (texts, motions))
    contents = [content for one in asked for content in one.contents]
    own = pooled_hits(flat, people, contents, np.random.default_rng(1)).reshape(-1, 2)
    return {"interaction": pairs.tolist(), "individual": own.mean(axis=1).tolist()}


def measured(
    asked: Sequence[Asked], of: str, role: Role, settings: Sequence[Setting], told: Sequence[float]
) -> dict[str, Any]:
    """Return the rows: the scenes as they are, in one way, and as readers choose; real ones also with no style.

    ``told``: how much what is told counts beside styles, a row for each; none where ``settings`` of one way are compared.
    """
    judge = load_judge(role) if role == "score" or not told else load_judge(role, third_folder())
    try:  # those that score come with the package
        evaluators = DuetJudges(role, home())
    except WeightsError:
        evaluators = None
    composed = [Composed(one.scene) for one in asked] if of == "real" else made(asked, of)
    before = [own.scene for own in composed]
    rows = {"as they are": read(asked, before, before, judge, evaluators)}
    transfer = Remembered(motifmix.load())
    for name, (setting, strength, weight) in ways(settings, told, compared=of == "real").items():
        depth, scales, text_scale = setting
        reader = StyledReader.load(WINDOW) if weight is not None else None
        styled_drafts.TOLD = styled_drafts.TOLD if weight is None else weight
        begun = time.process_time()
        styled = [
            styled_draft(
                transfer, own.drafts if reader is not None else own.drafts[:1], one.styles, strength, one.person_texts,
                text=one.text, reader=reader, depth=depth, style_scale=scales, text_scale=text_scale,
            )
            for own, one in zip(composed, asked, strict=True)
        ]  # fmt: skip
        took = (time.process_time() - begun) / len(styled)
        scenes = [scene for scene, _ in styled]
        # A draft that takes the styles better is compared with itself where it is told what stays of a scene.
        olds = [(own, *own.others)[number].scene for own, (_, number) in zip(composed, styled, strict=True)]
        rows[name] = {**read(asked, scenes, olds, judge, evaluators), "seconds": took}
        print(name, share(rows[name]["style"]), flush=True)
    return {"scenes": len(asked), "judge": judge.card.sha256[:12], "rows": rows}


class Remembered(StyleTransfer):
    """Makes each person's ways once, however many rows choose from them."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.ways: dict[tuple[Motion, str], list[Motion]] = {}

    def variants(self, motion: Motion, style: Any, text: str | None = None, **how: Any) -> list[Motion]:
        """As it is; who asks again for this very motion in this style asks for the same."""
        key = (motion, str(style))
        if key not in self.ways:
            self.ways[key] = super().variants(motion, style, text, **how)
        return self.ways[key]


def third_folder() -> Path:
    """Where the judge lies that measures what both that ship choose."""
    return home() / "weights" / "judges"


def ways(
    settings: Sequence[Setting], told: Sequence[float], *, compared: bool
) -> dict[str, tuple[Setting, float, float | None]]:
    """Return each row's setting, strength, and how much what is told counts where readers choose, or None where none do."""
    found: dict[str, tuple[Setting, float, float | None]] = {PLAIN: (CHOSEN, NEXT_TO_NONE, None)} if compared else {}
    if not told:
        return {**found, **{f"restyled at {written(*own)}": (own, 1.0, None) for own in settings}}
    names = ["restyled"] if len(told) == 1 else [f"restyled, told {weight:g}" for weight in told]
    chosen = {name: (CHOSEN, 1.0, weight) for name, weight in zip(names, told, strict=True)}
    return {**found, ONE_WAY: (CHOSEN, 1.0, None), **chosen}


def in_styles(role: Role) -> dict[str, Any]:
    """Return how the evaluators find real pairs of people in styles, and the same interactions of people in none."""
    evaluators = DuetJudges(role, home())
    styled = questions("test", STYLED, 6)
    kinds = {one.interaction for one in styled}
    plain = [one for one in questions("test", of_each=6) if one.interaction in kinds]
    return {
        "scenes": [len(styled), len(plain)], "types": len(kinds),
        "styled": alignment(styled, [one.scene for one in styled], evaluators),
        "plain": alignment(plain, [one.scene for one in plain], evaluators),
    }  # fmt: skip


def written(depth: float, scales: tuple[float, ...], text_scale: float) -> str:
    """Write a setting as ``--settings`` reads it."""
    return f"{depth:g}:{','.join(f'{own:g}' for own in scales)}:{text_scale:g}"


def setting_of(words: str) -> Setting:
    """Read ``DEPTH:SCALE[,SCALE...]:TEXT``; raises ``ValueError`` for other words."""
    depth, scales, text_scale = words.split(":")
    return float(depth), tuple(float(own) for own in scales.split(",")), float(text_scale)


def share(hits: Sequence[int]) -> str:
    """A share with its bounds; empty where nobody was asked."""
    return percent_within(sum(hits) / len(hits), *share_bounds(sum(hits), len(hits))) if hits else ""


def table(found: dict[str, Any]) -> list[str]:
    """Return the lines of one table."""
    rows = found["rows"]
    aligned = "interaction" in rows["as they are"]
    head = [
        "",
        "style recognised",
        *SOURCES.values(),
        "same content",
        "path off",
        "facing off",
        "pairs inside each other",
    ]
    head += ["foot skating"]
    head += ["interaction alignment", "individual alignment"] if aligned else []
    head += ["s a scene"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, row in rows.items():
        cells = [name, share(row["style"]), *(share(row["by_source"][own]) for own in SOURCES.values())]
        cells += [share(row["content"])]
        cells += [f"{row['path_cm']:.1f} cm", f"{row['facing_degrees']:.1f}°", f"{row['inside']} of {found['scenes']}"]
        cells += [f"{100 * row['skating']:.1f} %"]
        if aligned:
            for kind in ("interaction", "individual"):
                interval = bootstrap(np.array(row[kind]), np.random.default_rng(0))
                cells.append(f"{100 * interval.mean:.0f} % ± {100 * interval.half_width:.0f} %")
        cells.append(f"{row['seconds']:.1f}" if "seconds" in row else "")
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def verdict(found: dict[str, Any]) -> str:
    """Say whether the targets are met."""
    rows = found["rows"]
    hits = rows["restyled"]["style"]
    reached = sum(hits) / len(hits)
    words = [
        f"Target: {100 * TARGET:.0f} % recognised; {100 * reached:.0f} % {'meets' if reached >= TARGET else 'misses'} it."
    ]
    if "interaction" in rows["restyled"]:
        was, now = (float(np.mean(rows[name]["interaction"])) for name in ("as they are", "restyled"))
        lost = (was - now) / was if was else 0.0
        kept = lost < MOST_LOST
        words.append(
            f"The interaction's alignment falls by {100 * lost:.0f} % of its value "
            f"({'less' if kept else 'not less'} than the {100 * MOST_LOST:.0f} % that are allowed)."
        )
    else:
        words.append(
            "How much of the interaction's alignment is lost is not measured yet: its evaluator is not trained."
        )
    if ONE_WAY in rows:
        words.append(differences(rows["restyled"], rows[ONE_WAY]))
    worst = {name: sum(own) / len(own) for name, own in rows["restyled"]["by_style"].items()}
    words.append("By style: " + ", ".join(f"{name} {100 * own:.0f} %" for name, own in sorted(worst.items())) + ".")
    return " ".join(words)


def differences(one: dict[str, Any], other: dict[str, Any]) -> str:
    """Say what is gained and lost against another way, paired over scenes."""
    said = []
    for name, key in (
        ("style", "style"),
        ("content", "content"),
        ("interaction", "interaction"),
        ("individual", "individual"),
    ):
        if key in one:
            gain = np.array(one[key], dtype=np.float64) - np.array(other[key], dtype=np.float64)
            # Two people of a scene are no two draws.
            gain = gain.reshape(-1, 2).mean(axis=1) if key in ("style", "content") else gain
            interval = bootstrap(gain, np.random.default_rng(0))
            said.append(f"{name} {100 * interval.mean:+.0f} ± {100 * interval.half_width:.0f}")
    return f"Against one way, in points: {', '.join(said)}."


HEAD = """# Duets in which each person has a style

Written by `python benchmarks/stylised_duets.py`; do not edit. `motifmix duet ... --style 1:active --style 2:exhausted`:
each person is restyled alone by the default model (inversion and re-denoising, `pipelines/style_transfer.py`) and put
back where he was, with his way over the floor, its timing, where he faces, when his feet rest and how high
they swing at least (`pipelines/styled_scene.py`). The transfer is told what each person does, and holds on to it
more than telling alone would.

The judge that scores says which of its 15 styles it sees, before (the floor) and after; 95 % bounds (Wilson) over people.
*Same content*: the judge calls what a person does by the same name as before. *Path off* and *facing off* say how far
people are from where they were: the largest distance in a clip, and the mean angle. *Pairs inside each other* are scenes
in which capsules meet in any frame. Alignment: how often a sentence finds its scene among 20 types, or its person among 20
contents; half widths from a bootstrap over scenes. Two scenes of every type, told in any wording, also such as no training
ever saw; every person is asked for one style, by its word. *Restyled*: each person is restyled in up to 60 ways (three depths, four
strengths; all limbs in the style, or as before while they do something, as an arm that waves, or arms as before, or all but the
arms, or half of everything: `motion/limbs_kept.py`), of which readers that score nothing keep those that show the style and
still tell the scene (`pipelines/styled_drafts.py`). Of a scene that models make the two drafts that were finished are restyled, each person
in half as many ways. *In one way*: a single depth and strength for everybody. Both were chosen on
validation pairs.
*No style* goes that one way at a strength next to 0: what the transfer itself costs, before any style.
"""
CLOSING = """## What it costs

A kept path carries none of the style, so that more depth and a larger scale than for one person are needed: kicks,
punches, bows and dances hardly take a milder one, and a rare action may turn into one that the default model knows
better. The stride that a style wants does not fit the old path, so feet slide, though none is dragged where it swung
before. People through the transfer without a style keep their interaction whole, so the loss is the style's.

On validation pairs, by the judges that select, these were tried and dropped: legs that keep their old steps for everybody (no
sliding and more of the interaction, but far fewer people read in the style: the legs are where the two goals meet), half of such
legs, a gradient towards the style, less and more depth, the style at some levels of noise only. Every one moves along
the same line: what is won for the interaction is lost for the style. That readers choose among ways leaves that line, and that they
choose among drafts leaves it further. Deeper ways beside these, and twice as many judges of styles and evaluators of scenes to
choose with, were judged by a third judge of styles and by evaluators of another seed (`--told`), and hardly do.

What limbs do as before costs the style far more than it gains for the interaction where everybody has to; offered beside limbs in
the style it costs the style nothing, since who shows it by the arms alone may keep his steps, and who shows it by how he walks his
arms. What is lost still is danced for the most part, punched and kicked: a dance is in the whole body all the time, as a style is.
"""
TITLES = {
    "real": "Real pairs of the test list",
    "interaction": "Scenes of the interaction model",
    "mixed": "Scenes of both models mixed",
}


def judged(found: dict[str, Any]) -> str:
    """Say how the evaluators take real people in styles."""
    cells = []
    for kind in ("interaction", "individual"):
        for name in ("styled", "plain"):
            interval = bootstrap(np.array(found[name][kind]), np.random.default_rng(0))
            cells.append(f"{100 * interval.mean:.0f} % ± {100 * interval.half_width:.0f} %")
    return (
        f"The evaluators know people in styles from pairs of the training side (`motifmix data prepare {STYLED}`). Of real test pairs "
        f"in which both move in a style ({found['scenes'][0]} scenes of {found['types']} types) they find the interaction in "
        f"{cells[0]}, of the same types in none ({found['scenes'][1]} scenes) in {cells[1]}; the people's own sentences in {cells[2]} "
        f"and {cells[3]}. So what falls below is lost by the transfer, and is not the evaluators' surprise at a style."
    )


def page(found: dict[str, Any]) -> str:
    """Return the page of all that was measured."""
    parts = [HEAD.rstrip(), judged(found["in styles"])]
    for of, title in TITLES.items():
        if of in found:
            parts += [f"## {title}", "\n".join(table(found[of])), verdict(found[of])]
    return "\n\n".join([*parts, CLOSING.rstrip()]) + "\n"


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", choices=["select", "score"], default="score")
    parser.add_argument("--of", choices=list(TITLES), default="real", help="whose scenes are restyled")
    parser.add_argument(
        "--settings",
        nargs="+",
        type=setting_of,
        metavar="DEPTH:SCALE,...:TEXT",
        help="how strongly; as chosen by default",
    )
    parser.add_argument(
        "--told", nargs="+", type=float, help="how much what is told counts beside styles; as chosen by default"
    )
    parser.add_argument("--types", type=int, help="how many types of interaction, of all alike; all by default")
    options = parser.parse_args()
    torch.set_num_threads(1)
    scoring = options.judge == "score"
    if scoring and (options.settings or options.types or options.told):
        parser.error("the judge that scores sees one setting, on all types; choose with --judge select")
    asked = questions("test" if scoring else "val")
    asked = asked[:: max(1, len(asked) // options.types)] if options.types else asked
    told = [] if options.settings else options.told or [styled_drafts.TOLD]
    found = {options.of: measured(asked, options.of, options.judge, options.settings or [CHOSEN], told)}
    if not scoring:
        print("\n".join(table(found[options.of])))
        return
    found["in styles"] = in_styles("score")
    store = DOCS / "stylised_duets.json"
    found = {**(json.loads(store.read_text("utf-8")) if store.exists() else {}), **found}
    print(page(found))
    store.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (DOCS / "stylised_duets.md").write_text(page(found), "utf-8")


if __name__ == "__main__":
    main()
