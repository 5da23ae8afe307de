"""A style is left out of every stage of a model, or of none."""

from pathlib import Path

import pytest
import yaml

from motifmix.training.objectives.align import AlignOptions
from motifmix.training.objectives.denoiser import DenoiserOptions
from motifmix.training.objectives.vae import VAEOptions
from motifmix.training.pool import weights_folder
from motifmix.training.recipe import read_recipe

RECIPES = Path(__file__).parents[2] / "recipes" / "stylemotif"
OPTIONS = {"vae": VAEOptions, "start": DenoiserOptions, "denoiser": DenoiserOptions, "align": AlignOptions}
SHARED, OWN = ("vae", "start"), ("denoiser", "align")
LEFT_OUT = sorted(yaml.safe_load((RECIPES / "unseen_denoiser.yaml").read_text("utf-8"))["sizes"])
START = "weights-unseen-start"


def stages(names, size="full"):
    found = {name: read_recipe(RECIPES / f"unseen_{name}.yaml", {"size": size}) for name in names}
    return found, {name: OPTIONS[name].model_validate(recipe.options) for name, recipe in found.items()}


def test_what_the_models_share_has_seen_none_of_the_styles():
    found, options = stages(SHARED)
    assert len(LEFT_OUT) >= 5
    assert all(sorted(own.without_styles) == LEFT_OUT for own in options.values())
    assert all(recipe.weights == START for recipe in found.values()) and options["start"].weights == START


@pytest.mark.parametrize("style", ["full", *LEFT_OUT])
def test_all_stages_of_a_model_leave_out_the_same_style(style):
    found, options = stages(OWN, style)
    assert all(own.without_styles == ([] if style == "full" else [style]) for own in options.values())
    folder = "weights-seen" if style == "full" else f"weights-unseen-{style}"
    assert all(recipe.weights == folder for recipe in found.values()) and options["align"].weights == folder
    assert options["denoiser"].weights == options["denoiser"].start == START
    assert options["denoiser"].style_from is None, "an encoder from the other weights would have seen the style"
    assert len({recipe.name for recipe in found.values()}) == len(OWN)


def test_weights_are_named_below_home_or_by_a_path(tmp_path, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path))
    assert weights_folder(None) == tmp_path / "weights"
    assert weights_folder("weights-seen") == tmp_path / "weights-seen"
    assert weights_folder("/elsewhere/w") == Path("/elsewhere/w")
