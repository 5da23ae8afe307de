"""What `make methods` and its like train and measure is all that the tables compare."""

import re
from pathlib import Path

import yaml

from motifmix.apps.cli.evaluate_styled import STUDIES
from motifmix.pipelines.baselines.registry import ABLATIONS, METHODS

HOUSE = Path(__file__).parents[1]
RECIPES = HOUSE / "recipes" / "stylemotif"


def listed(name: str) -> list[str]:
    found = re.search(rf"^{name} := (.*)$", (HOUSE / "Makefile").read_text("utf-8"), re.M)
    assert found
    return found[1].split()


def trained() -> list[str]:
    return [
        *(f"recipes/stylemotif/{stage}.yaml" for stage in listed("METHODS")),
        *(f"recipes/stylemotif/{stage}.yaml --set size=own_reference" for stage in listed("AS_PUBLISHED")),
        *(f"recipes/stylemotif/stylemotif.yaml --set size={size}" for size in listed("ABLATION")),
    ]


def test_one_command_trains_every_row_of_the_tables():
    rows = [*METHODS.values(), *(row for rows in ABLATIONS.values() for row in rows)]
    needed = {recipe for row in rows for recipe in row.recipes if recipe.startswith("recipes/stylemotif/")}
    assert needed <= set(trained())


def test_every_recipe_and_size_is_there_and_stands_after_what_it_reads():
    stages = listed("METHODS")
    for stage, *before in (("smoodi", "base", "style_network"), ("stylemotif", "base")):
        assert all(stages.index(stage) > stages.index(own) for own in before)
    for recipe in trained():
        path, _, size = recipe.partition(" --set size=")
        values = yaml.safe_load((HOUSE / path).read_text("utf-8"))
        assert not size or size in values["sizes"], recipe
    for size in listed("UNSEEN"):
        for stage in ("denoiser", "align"):
            sizes = yaml.safe_load((RECIPES / f"unseen_{stage}.yaml").read_text("utf-8"))["sizes"]
            assert size == "full" or size in sizes


def test_every_recipe_is_in_a_list_and_every_table_is_made():
    unseen = ["unseen_denoiser", "unseen_align"]
    made = {*listed("METHODS"), *listed("FURTHER"), *unseen}
    assert {path.stem for path in RECIPES.glob("*.yaml")} == made
    assert listed("TABLES") == list(STUDIES)


def test_every_model_of_two_people_and_every_size_of_it_is_trained():
    folder = HOUSE / "recipes" / "duets"
    stages = [*listed("DUETS"), *listed("DUET_JUDGES")]
    assert {path.stem for path in folder.glob("*.yaml")} == {*stages, "mixer", "finetuned"}
    for name, variable in (("mixer", "MIXERS"), ("finetuned", "FINETUNED")):
        sizes = yaml.safe_load((folder / f"{name}.yaml").read_text("utf-8"))["sizes"]
        assert set(listed(variable)) == {"full", *sizes} - {"tiny"}
