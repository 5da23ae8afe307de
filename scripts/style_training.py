"""Write docs/style_training.md: how long everything that is compared was trained, with its curves.

    python scripts/style_training.py [FOLDER]      # docs by default; curves are read from MOTIFMIX_HOME/runs,
                                                   rows whose runs are gone from the page's JSON

Nothing is measured here: steps and seconds are what the runs wrote while they were trained.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from motifmix.evaluation.styled_curves import Timing, draw_curves, timing
from motifmix.home import home
from motifmix.pipelines.baselines.registry import ABLATIONS, METHODS, Method

DOCS = Path(__file__).parents[1] / "docs"
HEAD = """\
# How long the methods were trained

Written by `python scripts/style_training.py` from what the runs left below `MOTIFMIX_HOME/runs` (rows whose runs are not there any
more stand as they were); the figures are also in
[style_training.json](style_training.json).

*Minutes on the clock* are not minutes of a core: most of these runs shared their core with others, some for a while only, so
that rows of equal work differ. A run that went on after an interruption counts its parts. *At its fastest* is the run's
fastest stretch of steps, as if all had gone so: the nearest to undisturbed minutes that can be said of a run that did not
count them. *Of a processor* was counted where there is a figure; earlier runs did not write it down. So *the same
core-minutes* is what the recipes were laid out for, and was not measured: {range}. What several rows read, and the network
that guides SMooDi alone, are trained beside that and have lines of their own.
"""
SHARED = {
    "vae": ("the autoencoder that all rows read", "recipes/default/vae.yaml"),
    "vae_decoder": ("its decoder, trained on", "recipes/default/vae_decoder.yaml"),
    "style_content": ("the style encoder before a row's training, on contents", "recipes/default/style_content.yaml"),
    "style": ("the style encoder before a row's training, on styles after contents", "recipes/default/style.yaml"),
    "style_only": ("the style encoder before a row's training, on styles alone", "recipes/stylemotif/style_only.yaml"),
}


def trained() -> dict[str, tuple[list[str], tuple[str, ...]]]:
    """Rows of the tables by run, and the recipes that make them."""
    rows: dict[str, tuple[list[str], tuple[str, ...]]] = {
        run: ([title], (recipe,)) for run, (title, recipe) in SHARED.items()
    }
    for method in (*METHODS.values(), *(row for rows in ABLATIONS.values() for row in rows)):
        for run in method.runs:
            titles, _ = rows.setdefault(run, ([], _recipes(method, run)))
            if method.title not in titles:
                titles.append(method.title)
    return rows


def _recipes(method: Method, run: str) -> tuple[str, ...]:
    named = tuple(recipe for recipe in method.recipes if run.replace("-", "_").removesuffix("_latent") in recipe)
    return named or (f"recipes/stylemotif/{run}.yaml" if len(method.runs) > 1 else method.recipes[-1],)


def range_of(found: dict[str, Timing]) -> str:
    """How far apart the methods lie that stand in one table."""
    minutes = [own.fastest / 60 for run, own in found.items() if run in COMPARED]
    return (
        f"the methods on the frozen base lie between {min(minutes):.0f} and {max(minutes):.0f} minutes at their fastest"
    )


COMPARED = (
    "aberman", "motion-puzzle", "smoodi_latent", "smoodi-own-reference", "stylemotif", "stylemotif-own-reference",
)  # fmt: skip


def main() -> None:
    """Write the page, its figures and its pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    rows, store = trained(), folder / "style_training.json"
    # What is no longer below MOTIFMIX_HOME stands as it was written when it was there.
    before = json.loads(store.read_text("utf-8")) if store.exists() else {}
    found = {run: Timing(**before[run]) for run in rows if run in before}
    found |= {run: own for run in rows if (own := timing(home() / "runs" / run)) is not None}
    found = {run: found[run] for run in rows if run in found}
    lines = [
        HEAD.format(range=range_of(found)),
        "| run | rows that it made | steps | minutes on the clock | at its fastest | of a processor | recipe |",
        "|---|---|---|---|---|---|---|",
    ]
    for run, own in found.items():
        titles, recipes = rows[run]
        processor = f"{own.processor / 60:.1f}" if own.processor is not None else "–"
        lines.append(
            f"| {run} | {'; '.join(titles)} | {own.steps:,} | {own.clock / 60:.1f} | {own.fastest / 60:.1f} | "
            f"{processor} | {'; '.join(f'`{recipe}`' for recipe in recipes)} |"
        )
    absent = [run for run in rows if run not in found]
    lines += ["", f"No curve is there of: {', '.join(absent)}." if absent else "Every row has its curve.", ""]
    drawn = draw_curves(home(), found, folder, "style_training", earlier=folder)
    lines += [line for words, path in drawn.items() for line in (f"![{words}]({path.name})", "")]
    store.write_text(json.dumps({run: asdict(own) for run, own in found.items()}, indent=1) + "\n", "utf-8")
    (folder / "style_training.md").write_text("\n".join(lines).rstrip() + "\n", "utf-8")


if __name__ == "__main__":
    main()
