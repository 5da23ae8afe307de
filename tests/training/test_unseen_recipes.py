"""A style is left out of every stage of a model, or of none."""

from pathlib import Path

import pytest

from motifmix.data.labels import SET_2_STYLES
from motifmix.training.objectives.align import AlignOptions
from motifmix.training.objectives.denoiser import DenoiserOptions
from motifmix.training.objectives.vae import VAEOptions
from motifmix.training.pool import weights_folder
from motifmix.training.recipe import read_recipe

RECIPES = Path(__file__).parents[2] / "recipes" / "stylemotif"
STAGES = {"vae": VAEOptions, "denoiser": DenoiserOptions, "align": AlignOptions}


@pytest.mark.parametrize("style", ["full", *(style for style in SET_2_STYLES if style != "normal")])
def test_all_stages_of_a_model_leave_out_the_same_style(style):
    found = {stage: read_recipe(RECIPES / f"unseen_{stage}.yaml", {"size": style}) for stage in STAGES}
    options = {stage: STAGES[stage].model_validate(recipe.options) for stage, recipe in found.items()}
    assert all(own.without_styles == ([] if style == "full" else [style]) for own in options.values())
    folder = "weights-seen" if style == "full" else f"weights-unseen-{style}"
    assert all(recipe.weights == folder for recipe in found.values())
    assert options["denoiser"].weights == options["align"].weights == folder
    assert options["denoiser"].style_from is None, "an encoder from the other weights would have seen the style"
    assert len({recipe.name for recipe in found.values()}) == len(STAGES)


def test_weights_are_named_below_home_or_by_a_path(tmp_path, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path))
    assert weights_folder(None) == tmp_path / "weights"
    assert weights_folder("weights-seen") == tmp_path / "weights-seen"
    assert weights_folder("/elsewhere/w") == Path("/elsewhere/w")
