"""SMooDi on the default latents, from recipe to weights, on a few made-up clips."""

import json

import numpy as np
import pytest
import torch
import yaml

from motifmix.data.sample import Clip
from motifmix.errors import DataError, WeightsError
from motifmix.motion import rotations as rot
from motifmix.pretrained.build import load_part
from motifmix.training.loop import train
from motifmix.training.recipe import Recipe
from motifmix.training.runs import build_objective

SIZE = {"width": 16, "blocks": 3, "heads": 2}
STEPS = {
    "vae": {"batch": 3, "window": 16, "width": 16, "latent": 4, "statistics": ["styled"]},
    "denoiser": {"batch": 4, "style": 8, "style_width": 16, "style_from": None, "content_share": 1.0, **SIZE},
    "style_reader": {"batch": 4, "width": 8},
    "dual_branch": {"batch": 8, "style": 8, "style_width": 16, "style_from": None, "blocks": 2},
}
FOLDERS = {"denoiser": "weights-base", "style_reader": "weights-style-network", "dual_branch": "weights-smoodi"}


def write_set(folder, clips, seed):
    """Write a prepared set; ``clips`` are pairs of a name and its labels, 40 frames each, the last one held out."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    frames = 40 * len(clips)
    rotations = rot.from_rotvec(0.3 * rng.normal(size=(1, 22, 3)) + 0.02 * rng.normal(size=(frames, 22, 3)).cumsum(0))
    root = np.array([0.0, 0.9, 0.0]) + 0.02 * rng.normal(size=(frames, 3)).cumsum(0) * np.array([1.0, 0.1, 1.0])
    lines = [
        Clip(id=name, split="test" if number == len(clips) - 1 else "train", frames=40, start=40 * number,
             split_group="g", subject="1", **labels)
        for number, (name, labels) in enumerate(clips)
    ]  # fmt: skip
    np.save(folder / "rotations.npy", rotations.astype(np.float32))
    np.save(folder / "root.npy", root.astype(np.float32))
    (folder / "clips.jsonl").write_text("".join(json.dumps(clip.as_line()) + "\n" for clip in lines))
    (folder / "card.yaml").write_text(yaml.safe_dump({"credit": "Nobody", "version": 1}))


def recipe(objective, **changes):
    options = {**STEPS[objective], **changes.pop("options", {})}
    data = ["styled"] if objective in ("vae", "style_reader") else ["styled", "plain"]
    values = {"name": objective, "objective": objective, "data": data, "steps": 2, "learning_rate": 1e-3, "options": options,
              **changes}  # fmt: skip
    return Recipe.model_validate(values)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    styled = [(f"{style}-{k}", {"source": "bandai-2", "role": "style", "content": "walk", "style": style})
              for k in range(2) for style in ("elderly", "active")]  # fmt: skip
    write_set(home / "data" / "styled", styled, 0)
    said = {"source": "cmu", "role": "content", "captions": ("a person walks",), "text_rule": "whole"}
    write_set(home / "data" / "plain", [(f"c{k}", said) for k in range(4)], 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTIFMIX_HOME", str(home))
        for objective in STEPS:
            own = recipe(objective)
            train(own, build_objective(own), home / "runs" / objective, home / FOLDERS.get(objective, "weights"))
    return home


@pytest.fixture
def at_home(home, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(home))
    return home


def test_the_base_is_written_again_to_the_bit_and_only_branch_and_encoder_are_trained(at_home):
    for part in ("denoiser", "length", "vae"):
        name = f"{part}.safetensors"
        source = at_home / ("weights" if part == "vae" else "weights-base") / name
        assert (at_home / "weights-smoodi" / name).read_bytes() == source.read_bytes()
    objective = build_objective(recipe("dual_branch"))
    trained = {name.split(".")[0] + "." + name.split(".")[1] for name, p in objective.modules.named_parameters()
               if p.requires_grad}  # fmt: skip
    assert {name for name in trained if name.startswith("denoiser")} == {"denoiser.branch"}
    assert any(name.startswith("style_encoder") for name in trained)


def test_before_the_first_step_a_style_changes_nothing_and_after_it_does(at_home):
    fresh = build_objective(recipe("dual_branch"))
    steered = fresh.modules["denoiser"].eval()
    noisy, time = torch.randn(2, 5, 4), torch.rand(2)
    told = (torch.randn(2, 384), torch.ones(2, dtype=torch.bool), torch.ones(2, 5, dtype=torch.bool))
    style = torch.randn(2, 8)
    assert all(torch.equal(part, torch.zeros_like(part)) for part in steered.branch(noisy, time, *told, style))
    _, trained, _ = load_part(at_home / "weights-smoodi", "branch")
    assert all(float(part.abs().max()) > 0 for part in trained(noisy, time, *told, style))


def test_every_trained_number_but_one_dropped_text_gets_a_gradient(at_home):
    objective = build_objective(recipe("dual_branch", options={"text_drop": 0.5, "style_drop": 0.0}))
    for parameter in objective.modules["denoiser"].branch.zero_linears.parameters():
        torch.nn.init.normal_(parameter)  # zeros let nothing through
    seen = set()
    for seed in range(4):
        loss, figures = objective.loss(torch.Generator().manual_seed(seed), np.random.default_rng(seed))
        assert float(loss.detach()) == pytest.approx(figures["style"] + figures["prior"])
        loss.backward()
        seen |= {name for name, p in objective.modules.named_parameters() if p.grad is not None and p.grad.any()}
    missing = {name for name, p in objective.modules.named_parameters() if p.requires_grad} - seen
    # The fresh encoder's residual blocks begin at zero, which holds back what lies before.
    assert not {name for name in missing if name.startswith("denoiser")}, missing


def test_the_reader_is_a_guide_that_names_the_styles_of_the_set(at_home):
    card, reader, _ = load_part(at_home / "weights-smoodi", "style_network")
    assert card.role == "guide" and card.extra["styles"] == ["active", "elderly"]
    assert 0.0 <= card.numbers["held_out_right"] <= 1.0
    valid = torch.ones(2, 16, dtype=torch.bool)
    assert reader(torch.randn(2, 16, 269), valid).shape == (2, 2)


def test_one_set_alone_or_no_guide_is_an_error_that_says_what_is_missing(at_home):
    with pytest.raises(DataError, match="style set and a content set"):
        build_objective(recipe("dual_branch", data=["styled"]))
    with pytest.raises(WeightsError, match="weights-nowhere"):
        build_objective(recipe("dual_branch", options={"guide": "weights-nowhere"}))


def test_a_base_that_was_never_trained_is_told_with_its_recipe(home):
    with pytest.raises(DataError, match=r"nowhere has no denoiser to begin with; train recipes/stylemotif/base\.yaml"):
        build_objective(recipe("dual_branch", options={"base": "nowhere"}))
