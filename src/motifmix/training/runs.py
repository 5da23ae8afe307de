"""From a recipe file to a run: the objectives by name, and where a run lives."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from motifmix.data.prepared import Prepared
from motifmix.errors import RequestError
from motifmix.home import home
from motifmix.training.loop import Log, Objective, Preparation, leave_group, train
from motifmix.training.recipe import Recipe, read_recipe


def build_objective(recipe: Recipe) -> Objective:
    """Return the objective that a recipe names. Raises ``RequestError`` for an unknown one or unfit options."""
    from motifmix.training.objectives.aberman import AbermanTraining
    from motifmix.training.objectives.align import AlignObjective
    from motifmix.training.objectives.denoiser import DenoiserObjective
    from motifmix.training.objectives.dual_branch import DualBranchObjective
    from motifmix.training.objectives.duets.evaluator import DuetEvaluatorObjective
    from motifmix.training.objectives.duets.finetuned import DuetFinetunedObjective
    from motifmix.training.objectives.duets.individual import DuetIndividualObjective
    from motifmix.training.objectives.duets.interaction import DuetInteractionObjective
    from motifmix.training.objectives.duets.mixer import DuetMixerObjective
    from motifmix.training.objectives.film_style import FilmStyleObjective
    from motifmix.training.objectives.judge import JudgesObjective
    from motifmix.training.objectives.motion_puzzle import PuzzleTraining
    from motifmix.training.objectives.papers import PAPERS, paper_objective
    from motifmix.training.objectives.strength import StrengthObjective
    from motifmix.training.objectives.style_reader import StyleReaderObjective
    from motifmix.training.objectives.vae import VAEObjective

    known: dict[str, Any] = {
        "aberman": AbermanTraining,
        "align": AlignObjective,
        "denoiser": DenoiserObjective,
        "dual_branch": DualBranchObjective,
        "duet_evaluator": DuetEvaluatorObjective,
        "duet_finetuned": DuetFinetunedObjective,
        "duet_individual": DuetIndividualObjective,
        "duet_interaction": DuetInteractionObjective,
        "duet_mixer": DuetMixerObjective,
        "film_style": FilmStyleObjective,
        "judge": JudgesObjective,
        "motion_puzzle": PuzzleTraining,
        "style_reader": StyleReaderObjective,
        "strength": StrengthObjective,
        "vae": VAEObjective,
    }
    if recipe.objective not in known and recipe.objective not in PAPERS:
        raise RequestError(
            f"objective {recipe.objective!r} is not known; known: {', '.join(sorted(known))}; of papers: "
            f"{', '.join(sorted(PAPERS))}"
        )
    try:
        if recipe.objective in PAPERS:
            return paper_objective(recipe)
        return known[recipe.objective](recipe.data, recipe.options, recipe.seed)
    except ValidationError as error:
        first = error.errors()[0]
        raise RequestError(
            f"recipe {recipe.name!r}: field 'options.{'.'.join(map(str, first['loc']))}': {first['msg']}"
        ) from error


def train_recipe(
    path: Path,
    changes: dict[str, Any] | None = None,
    *,
    run: Path | None = None,
    out: Path | None = None,
    threads: int = 1,
    log: Log | None = None,
    preparation: Preparation | None = None,
) -> Path:
    """Train a recipe, or go on with it; returns the folder that the weights were written to.

    ``log`` is told each step that is logged, ``preparation`` how far what comes before the first step is.

    ``threads`` is one by default: networks this small gain nothing from a second, and two recipes can run side by side.
    """
    import torch

    from motifmix.training.objectives.papers import PAPERS
    from motifmix.training.published_sets import listing

    torch.set_num_threads(threads)
    recipe = read_recipe(path, changes)
    out = out or home() / recipe.weights
    objective = build_objective(recipe)  # says which set is missing
    if recipe.objective in PAPERS:
        data = {name: listing(Path(recipe.data_folder or ".")) for name in recipe.data}
    else:
        data = {name: _fingerprint(home() / "data" / name) for name in recipe.data}
    train(recipe, objective, run or home() / "runs" / recipe.name, out, log, data, preparation)
    leave_group()
    return out


def _fingerprint(folder: Path) -> str:
    """Return what tells a prepared set, or a folder of prepared pairs, from one that was prepared otherwise."""
    from motifmix.training.published_sets import listing

    pairs = (folder / "duets.jsonl").exists()
    return listing(folder) if pairs else Prepared(folder).fingerprint
