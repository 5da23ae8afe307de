"""Recipes: mistakes are told by file and field, and changes from the command line arrive."""

from pathlib import Path

import pytest
import yaml

from motifmix.errors import RequestError
from motifmix.training.recipe import read_recipe
from motifmix.training.runs import build_objective

RECIPES = Path(__file__).parents[2] / "recipes" / "default"
STYLEMOTIF = RECIPES.parent / "stylemotif" / "stylemotif.yaml"
GOOD = "name: try\nobjective: vae\nsteps: 10\nlearning_rate: 0.001\n"


def options_of(objective: str):
    from motifmix.training.objectives.align import AlignOptions
    from motifmix.training.objectives.denoiser import DenoiserOptions
    from motifmix.training.objectives.film_style import FilmStyleOptions
    from motifmix.training.objectives.judge import JudgesOptions
    from motifmix.training.objectives.vae import VAEOptions

    known = {"align": AlignOptions, "denoiser": DenoiserOptions, "film_style": FilmStyleOptions, "judge": JudgesOptions}
    return {**known, "vae": VAEOptions}[objective]


@pytest.fixture
def recipe(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "try.yaml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_can_be_read_whole(path):
    read = read_recipe(path)
    assert read.name == path.stem
    options_of(read.objective).model_validate(read.options)


@pytest.mark.parametrize("size", ["full", *yaml.safe_load(STYLEMOTIF.read_text())["sizes"]])
def test_every_row_of_the_ablation_writes_to_a_folder_of_its_own(size):
    read = read_recipe(STYLEMOTIF, {"size": size})
    options = options_of(read.objective).model_validate(read.options)
    assert options.frozen and options.base == "weights-base"
    assert read.weights == f"weights-{read.name}" and ("-" in read.name) == (size != "full")


def test_changes_arrive_by_dotted_name(recipe):
    read = read_recipe(recipe(GOOD + "options: {batch: 4}\n"), {"options.batch": 8, "options.kl": 0.1, "steps": 3})
    assert (read.options, read.steps, read.learning_rate) == ({"batch": 8, "kl": 0.1}, 3, 0.001)
    deep = read_recipe(recipe(GOOD), {"options.judges.score.seed": 3})
    assert deep.options == {"judges": {"score": {"seed": 3}}}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (GOOD.replace("10", "-1"), "steps"),
        (GOOD.replace("10", "many"), "steps"),
        (GOOD.replace("name: try", "name: A Name"), "name"),
        (GOOD + "surprise: 1\n", "surprise"),
        (GOOD + "data: []\n", "data"),
        (GOOD + "betas: [0.9]\n", "betas"),
        (GOOD + "ema: 1.0\n", "ema"),
        ("name: try\n", "objective"),
    ],
)
def test_a_mistake_is_told_by_file_and_field(recipe, text, field):
    with pytest.raises(RequestError, match=rf"try\.yaml: field '{field}"):
        read_recipe(recipe(text))


@pytest.mark.parametrize(("text", "words"), [("[", "no YAML"), ("", "named values"), ("- a", "named values")])
def test_what_is_no_recipe_is_named(recipe, text, words):
    with pytest.raises(RequestError, match=rf"try\.yaml: .*{words}"):
        read_recipe(recipe(text))


def test_a_missing_recipe_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(RequestError, match=path.name):
            read_recipe(path)


def test_a_change_below_a_single_value_is_refused(recipe):
    with pytest.raises(RequestError, match=r"--set steps\.more: 'steps' is a single value"):
        read_recipe(recipe(GOOD), {"steps.more": 1})


def test_a_changed_value_is_checked_like_a_written_one(recipe):
    with pytest.raises(RequestError, match="'steps'"):
        read_recipe(recipe(GOOD), {"steps": 0})


def test_an_unknown_objective_lists_the_known_ones(recipe):
    with pytest.raises(RequestError, match=r"'gan' is not known; known: aberman, align, .*, vae; of papers: in2in"):
        build_objective(read_recipe(recipe(GOOD), {"objective": "gan"}))


@pytest.mark.parametrize("objective", ["align", "denoiser", "judge", "vae"])
def test_an_unfit_option_is_told_by_field(recipe, objective):
    with pytest.raises(RequestError, match=r"'try': field 'options\.(surprise|judges)'"):
        build_objective(read_recipe(recipe(GOOD), {"objective": objective, "options.surprise": 1}))


def test_what_the_cells_build_on_leaves_out_the_same_cells():
    left_out = read_recipe(RECIPES / "cells.yaml").options["without_cells"]
    for size in ("full", "style_content"):
        assert read_recipe(RECIPES / "cells_vae.yaml", {"size": size}).options["without_cells"] == left_out
