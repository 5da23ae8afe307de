"""The default recipes with 100STYLE in the style set's place: one step of every part, and what the weights then know."""

from pathlib import Path

import pytest
import yaml
from tests.published_layouts import style100

from motifmix.apps.cli.main import main
from motifmix.training.publishing import LICENCE, licence_of

DEFAULT = Path(__file__).resolve().parents[2] / "recipes" / "default"
RECIPES = (
    ("vae", "options.statistics=[100style]"),
    ("style", "options.statistics=[100style]", "options.start_from=null"),
    ("denoiser",),
    ("places",),
    ("align",),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    source = style100(folder / "100STYLE", styles=("Proud", "Zombie"), codes=("FW", "ID"), frames=1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTIFMIX_HOME", str(folder))
        assert (
            main(["data", "prepare", "100style", "--source", str(source), "--out", str(folder / "data/100style")]) == 0
        )
        for name, *changes in RECIPES:
            sets = [
                word
                for change in ("data=[100style]", "steps=1", "options.batch=4", *changes)
                for word in ("--set", change)
            ]
            assert main(["train", str(DEFAULT / f"{name}.yaml"), *sets]) == 0
    return folder


def test_the_bank_knows_the_styles_of_the_set_and_no_others(home):
    bank = yaml.safe_load((home / "weights" / "bank.yaml").read_text("utf-8"))["extra"]
    assert [style["name"] for style in bank["styles"]] == ["proud", "zombie"]
    assert [content["name"] for content in bank["contents"]] == ["forward-walk", "idle"]


def test_the_weights_carry_the_credit_and_the_licence_of_the_set(home):
    for part in ("vae", "denoiser", "style_encoder", "text_to_style", "bank"):
        card = yaml.safe_load((home / "weights" / f"{part}.yaml").read_text("utf-8"))
        assert card["licence"] == "that of the training data: 100STYLE: CC BY 4.0" and "Mason" in card["credit"][0]


def test_the_default_sets_keep_their_line():
    assert licence_of([{"dataset": "bandai", "licence": "x"}, {"dataset": "cmu"}]) == LICENCE
    both = licence_of(
        [{"dataset": "bandai", "name": "B", "licence": "NC"}, {"dataset": "100style", "name": "C", "licence": "BY"}]
    )
    assert both == "that of the training data: B: NC; C: BY"
