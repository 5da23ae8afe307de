"""The papers' recipes: whole at full size, run a few steps at size tiny, and say what they miss."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from motifmix.errors import DataError, RequestError, WeightsError
from motifmix.pretrained.converted import load_model, verify
from motifmix.training.objectives.papers import PAPERS
from motifmix.training.published_sets import listing
from motifmix.training.recipe import Recipe, read_recipe
from motifmix.training.runs import build_objective, train_recipe

RECIPES = sorted((Path(__file__).parents[3] / "recipes" / "papers").glob("*.yaml"))
NAMES = [path.stem for path in RECIPES]
# name: what it trains, by part
TRAINED = {
    "mld_vae": ["vae"],
    "mld": ["denoiser", "vae"],
    "smoodi_style_network": ["style_network"],
    "smoodi": ["denoiser", "style_network", "vae"],
    "stylemotif_style_vae": ["vae"],
    "stylemotif": ["denoiser", "style_encoder", "vae"],
    "intergen": ["denoiser", "text_head"],
    "in2in_individual": ["denoiser", "text_head"],
    "in2in_interaction": ["denoiser", "text_head"],
    "mixermdm": ["individual", "individual_discriminator", "individual_text_head", "interaction",
                 "interaction_discriminator", "interaction_text_head", "mixer", "text_head"],
}  # fmt: skip


def recipe(name: str, **changes) -> Recipe:
    return read_recipe(RECIPES[NAMES.index(name)], {"size": "tiny", **changes})


@pytest.mark.parametrize("path", RECIPES, ids=NAMES)
def test_a_recipe_is_whole_and_says_what_it_is(path):
    full, tiny = read_recipe(path), read_recipe(path, {"size": "tiny"})
    assert full.name == path.stem and full.objective in PAPERS and full.ema == 0
    assert full.steps > 1000 > tiny.steps and (tiny.size, full.size) == ("tiny", "full")
    assert not {"vae", "denoiser", "network", "adapter", "mixer", "text_head"} & set(
        full.options
    )  # the models' defaults
    head = [line[2:] for line in path.read_text().splitlines() if line.startswith("#")]
    for what in ("what:", "data:", "command:", "time:", "expected:"):
        assert any(line.startswith(what) for line in head), what
    assert f"motifmix train recipes/papers/{path.name}" in "\n".join(head)


@pytest.mark.parametrize("name", TRAINED)
def test_a_recipe_runs_and_writes_a_model_that_loads(workshop, name):
    folder = workshop.train(name)
    run = workshop.home / "runs" / name
    lines = [json.loads(line) for line in (run / "curve.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, recipe(name).steps + 1))
    assert all(np.isfinite(line["loss"]) and np.isfinite(line["gradient"]) for line in lines)
    assert all(np.isfinite(json.loads(line)["loss"]) for line in (run / "held_out.jsonl").read_text().splitlines())
    model = load_model(folder)
    assert set(TRAINED[name]) <= set(model.parts) and model.statistics
    said: list[str] = []
    verify(folder, said.append)  # checksums, shapes, finite numbers, and a forward pass of each part
    assert len(said) == len(model.parts) + len(model.statistics)


def test_only_what_a_paper_trains_has_changed(workshop):
    mld = load_model(workshop.train("mld"))
    for name in ("smoodi", "stylemotif"):
        model = load_model(workshop.train(name))
        denoiser: Any = model.parts["denoiser"]
        base = denoiser.base if name == "smoodi" else denoiser
        for key, value in mld.parts["denoiser"].state_dict().items():
            assert torch.equal(base.state_dict()[key], value), key
        for key, value in mld.parts["vae"].state_dict().items():
            assert torch.equal(model.parts["vae"].state_dict()[key], value), key
    mixed = load_model(workshop.train("mixermdm"))
    for role, name in (("individual", "in2in_individual"), ("interaction", "in2in_interaction")):
        base = load_model(workshop.train(name)).parts["denoiser"].state_dict()
        assert all(torch.equal(value, base[key]) for key, value in mixed.parts[role].state_dict().items())


def test_captions_are_encoded_once_and_kept(workshop):
    workshop.train("mld")
    kept = sorted((workshop.home / "cache").glob("tiny-*"))
    assert kept and all((folder / "values.npy").is_file() for folder in kept)
    before = [(folder / "values.npy").stat().st_mtime_ns for folder in kept]
    build_objective(recipe("mld", data_folder=str(workshop.data["humanml3d"])))
    assert [(folder / "values.npy").stat().st_mtime_ns for folder in kept] == before
    assert sorted((workshop.home / "cache").glob("tiny-*")) == kept


def test_no_data_folder_and_a_wrong_one_are_told(tmp_path):
    with pytest.raises(
        RequestError, match=r"'mld_vae' reads humanml3d in its published layout.*--set data_folder=FOLDER"
    ):
        build_objective(recipe("mld_vae"))
    with pytest.raises(DataError, match="HumanML3D"):
        build_objective(recipe("mld_vae", data_folder=str(tmp_path)))


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("mld", r"holds no vae; train it first \(motifmix train recipes/papers/mld_vae\.yaml\)"),
        ("smoodi", r"holds no style_network; train it first .*smoodi_style_network\.yaml"),
        ("stylemotif", r"holds no vae; train it first .*stylemotif_style_vae\.yaml"),
        ("mixermdm", r"holds no denoiser; train it first .*in2in_individual\.yaml.*options\.individual"),
    ],
)
def test_a_stage_that_was_left_out_is_named(published_data, workshop, tmp_path, monkeypatch, name, missing):
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=missing):
        build_objective(recipe(name, data_folder=str(workshop.folder_of(name))))


def test_an_absent_text_encoder_is_named_with_its_file(workshop, tmp_path):
    workshop.train("mld_vae")
    changes = {"options.text_encoder": "clip-vit-large-patch14", "options.text_folder": str(tmp_path)}
    with pytest.raises(WeightsError, match=r"clip-vit-large-patch14 needs model\.safetensors.*fetch it from"):
        build_objective(recipe("mld", data_folder=str(workshop.data["humanml3d"]), **changes))


def test_absent_statistics_are_named_with_their_source(published_data):
    changes = {"options.statistics": None, "data_folder": str(published_data["interhuman"])}
    with pytest.raises(DataError, match=r"holds no global_mean\.npy.*InterGen.*options\.statistics=fitted"):
        build_objective(recipe("intergen", **changes))


def test_an_unknown_quirk_and_an_unknown_size_are_told(published_data):
    data = str(published_data["humanml3d"])
    with pytest.raises(RequestError, match=r"'no_such' is not known; known: losses_without_masks"):
        build_objective(recipe("mld_vae", data_folder=data, **{"options.quirks": ["no_such"]}))
    with pytest.raises(RequestError, match=r"mld_vae\.yaml: has no size 'huge'; known: full, tiny"):
        recipe("mld_vae", size="huge")


def test_a_run_refuses_other_data_and_follows_its_data_to_another_place(workshop, published_data, tmp_path):
    import shutil

    moved = tmp_path / "moved"
    shutil.copytree(published_data["262"], moved)
    assert listing(moved) == listing(published_data["262"])
    places = {"run": tmp_path / "run", "out": tmp_path / "out"}
    path = RECIPES[NAMES.index("in2in_individual")]
    train_recipe(path, {"size": "tiny", "steps": 2, "data_folder": str(published_data["262"])}, **places)
    train_recipe(path, {"size": "tiny", "steps": 2, "data_folder": str(moved)}, **places)
    (moved / "train.txt").write_text("000000\n")
    with pytest.raises(RequestError, match="begun with other data"):
        train_recipe(path, {"size": "tiny", "steps": 2, "data_folder": str(moved)}, **places)


def test_published_quirks_can_be_asked_for(workshop, tmp_path):
    workshop.train("smoodi")
    for name, quirks in (
        ("mld_vae", ["losses_without_masks"]),
        ("smoodi", ["style_added_in_place", "empty_style_is_encoded", "style_kept_instead_of_dropped"]),
        ("mixermdm", ["loss_mask_inverted", "dropout_in_frozen_models", "contacts_lost_in_placement"]),
    ):
        if name == "mixermdm":
            workshop.train("mixermdm")
        changes = {"steps": 1, "options.quirks": quirks, "data_folder": str(workshop.folder_of(name))}
        out = tmp_path / name / "out"
        train_recipe(RECIPES[NAMES.index(name)], {"size": "tiny", **changes}, run=tmp_path / name, out=out)
        assert yaml.safe_load((out / "model.yaml").read_text())["published"]
