"""A denoiser that goes on from a whole trained model, with other clips, on a few made-up ones."""

import shutil
from typing import Any

import pytest
import torch
from tests.training.test_dual_branch_objective import SIZE, recipe, write_set

from motifmix.errors import DataError
from motifmix.pretrained.build import load_part
from motifmix.training.loop import train
from motifmix.training.runs import build_objective

FIRST = {"without_styles": ["elderly"], "content_share": 0.4, "weights": "weights-start"}
NEXT = {"start": "weights-start", "content_share": 0.4, "weights": "weights-start"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    styled = [(f"{style}-{k}", {"source": "bandai-2", "role": "style", "content": "walk", "style": style})
              for k in range(2) for style in ("elderly", "active")]  # fmt: skip
    write_set(home / "data" / "styled", styled, 0)
    said = {"source": "cmu", "role": "content", "captions": ("a person walks",), "text_rule": "whole"}
    write_set(home / "data" / "plain", [(f"c{k}", said) for k in range(3)], 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTIFMIX_HOME", str(home))
        for name, options in (("vae", {}), ("denoiser", FIRST)):
            own = recipe(name, options=options)
            train(own, build_objective(own), home / "runs" / name, home / "weights-start")
    return home


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(home))


def test_it_goes_on_with_all_networks_and_the_statistics_they_were_trained_with(home):
    objective: Any = build_objective(recipe("denoiser", options=NEXT))
    assert objective.styles == ("active", "elderly")
    _, denoiser, rest = load_part(home / "weights-start", "denoiser")
    styled = objective.modules["denoiser"]
    pairs = [(styled.denoiser, denoiser)]
    parts = ("style_encoder", "text_to_style", "length")
    pairs += [(objective.modules[part], load_part(home / "weights-start", part)[1]) for part in parts]
    for own, before in pairs:
        for name, tensor in before.state_dict().items():
            assert torch.equal(own.state_dict()[name], tensor), name
    assert torch.equal(styled.project.weight, rest["project_weight"])
    kept = {"latent_mean": objective.store.mean, "latent_std": objective.store.std,
            "text_mean": objective.table.mean, "text_std": objective.table.std}  # fmt: skip
    assert all(torch.equal(tensor, rest[name].float()) for name, tensor in kept.items())
    afresh: Any = build_objective(recipe("denoiser", options={**NEXT, "start": None}))
    assert not torch.allclose(afresh.store.mean, objective.store.mean), "other clips have other statistics"
    raw = [own.store.latents[0] * own.store.std + own.store.mean for own in (afresh, objective)]
    assert torch.allclose(*raw, atol=1e-5)


def test_what_it_cannot_go_on_from_is_told(home):
    with pytest.raises(DataError, match=r"nowhere has no denoiser to begin with; train .*unseen_start\.yaml"):
        build_objective(recipe("denoiser", options={**NEXT, "start": "nowhere"}))
    with pytest.raises(DataError, match="other sizes than this recipe"):
        build_objective(recipe("denoiser", options={**NEXT, "width": 2 * SIZE["width"]}))
    own = recipe("vae", seed=1)
    train(own, build_objective(own), home / "runs" / "vae-other", home / "weights-other")
    with pytest.raises(DataError, match="another autoencoder"):
        build_objective(recipe("denoiser", options={**NEXT, "weights": "weights-other"}))


def test_a_denoiser_is_written_beside_the_autoencoder_that_it_read(home, tmp_path):
    own = recipe("vae", seed=2)
    train(own, build_objective(own), home / "runs" / "vae-third", home / "weights-third")
    objective: Any = build_objective(recipe("denoiser", options={**FIRST, "weights": "weights-third"}))
    shutil.copytree(home / "weights-start", tmp_path / "used")  # what a run of before left
    objective.save(objective.modules, tmp_path / "used", {"recipe": "first", "commit": "none"})
    assert load_part(tmp_path / "used", "vae")[0].sha256 == load_part(home / "weights-third", "vae")[0].sha256


def test_what_went_part_of_the_way_lies_between(home, tmp_path):
    objective: Any = build_objective(recipe("denoiser", options={**NEXT, "way": 0.25}))
    begun = {name: value.clone() for name, value in objective.modules.state_dict().items()}
    with torch.no_grad():
        for value in objective.modules.parameters():
            value += 0.4
    objective.save(objective.modules, tmp_path / "part", {"recipe": "next", "commit": "none"})
    written = load_part(tmp_path / "part", "style_encoder")[1].state_dict()
    for name, value in written.items():
        torch.testing.assert_close(value, begun[f"style_encoder.{name}"] + 0.1, atol=2e-3, rtol=2e-3)
    _, denoiser, rest = load_part(tmp_path / "part", "denoiser")
    assert torch.allclose(rest["project_bias"].float(), begun["denoiser.project.bias"] + 0.1, atol=2e-3)
    for name, value in denoiser.named_parameters():
        torch.testing.assert_close(value.float(), begun[f"denoiser.denoiser.{name}"] + 0.1, atol=2e-3, rtol=2e-3)
    with torch.no_grad():  # and what trains is left where it is
        assert all(torch.allclose(v, begun[n] + 0.4) for n, v in objective.modules.named_parameters())
