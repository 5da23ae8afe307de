from dataclasses import replace

import numpy as np
import pytest
import torch

from motifmix.errors import DataError
from motifmix.features.humanml3d import HumanML3DSpace
from motifmix.features.interhuman import InterHumanSpace
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import read_weights
from motifmix.training.objectives.duets.individual import DuetIndividualObjective
from motifmix.training.objectives.duets.interaction import DuetInteractionObjective
from motifmix.training.objectives.duets.people import HumanML3DRows
from motifmix.training.recipe import read_recipe
from motifmix.training.runs import train_recipe

SMALL = {"width": 16, "feed_forward": 16, "heads": 2}


@pytest.fixture(autouse=True)
def home(duets_home, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(duets_home))


def losses(objective, seed=0, **options):
    return objective.losses(
        objective.modules, torch.Generator().manual_seed(seed), np.random.default_rng(seed), **options
    )


def assert_learns(objective):
    """A few steps on one batch bring its loss down by a tenth."""
    first = losses(objective)[0]
    optimizer = torch.optim.Adam(objective.modules.parameters(), 1e-2)
    for _ in range(25):
        optimizer.zero_grad()
        losses(objective)[0].backward()
        optimizer.step()
    assert losses(objective)[0] < 0.9 * first


@pytest.mark.parametrize(("network", "sizes"), [("in2in", {"blocks": 1}), ("mdm", {"layers": 1})])
def test_a_model_of_one_person_learns_a_batch(network, sizes):
    options = {"network": network, "batch": 2, "denoiser": {**SMALL, **sizes}, "text_dropout": 0.0}
    objective = DuetIndividualObjective(["bandai"], options, 0)
    first, figures = losses(objective)
    assert torch.isfinite(first) and {"simple", "velocity", "foot_contact", "bone_length"} <= figures.keys()
    assert_learns(objective)
    assert torch.isfinite(losses(objective, held_out=True)[0])


def test_a_model_of_one_person_learns_humanml3d_at_20_frames_a_second():
    options = {"network": "mdm", "features": "humanml3d", "geometric": False, "batch": 2, "text_dropout": 0.0}
    objective = DuetIndividualObjective(["bandai"], {**options, "denoiser": {**SMALL, "layers": 1}}, 0)
    assert objective.space == "humanml3d_263" and objective.mean.shape == (263,)
    assert len(np.unique(objective.normaliser.std)) == len(HumanML3DSpace.blocks)
    walk = objective.clips.clips[0]
    twin = replace(walk, id="twin", mirror_of=walk.id)
    rows = HumanML3DRows(objective.sets, [(0, walk), (0, twin)])
    for clip in (walk, twin):
        whole = rows.window(clip, 0, clip.frames)
        assert abs(len(whole) - (clip.frames - 1) / 1.5) <= 1 and np.isfinite(whole).all()
        # What is kept is what the published extraction says of the clip, of its twin too.
        prepared = objective.sets[0]
        motion = prepared.motion(prepared.by_id[clip.mirror_of or clip.id])
        again = HumanML3DSpace().encode(motion.mirrored() if clip.mirror_of else motion)
        np.testing.assert_allclose(whole[: len(again)], again[: len(whole)], atol=1e-5)
        part = rows.window(clip, 15, 31)
        np.testing.assert_array_equal(part, whole[10:30])
    assert_learns(objective)
    for wrong, said in (({"network": "in2in"}, "no form"), ({"geometric": True}, "geometric: false")):
        with pytest.raises(ValueError, match=said):
            DuetIndividualObjective(["bandai"], {**options, **wrong}, 0)


def test_styles_are_named_and_test_clips_are_not_drawn():
    objective = DuetIndividualObjective(["bandai"], {"batch": 2, "denoiser": {**SMALL, "blocks": 1}}, 0)
    rng = np.random.default_rng(0)
    drawn = [clip for clip, _ in objective.clips.draw(rng, 200)]
    assert {clip.split for clip in drawn} == {"train"} and {clip.style for clip in drawn} == {"normal", "elderly"}
    old = next(clip for clip in drawn if clip.style == "elderly" and clip.content == "walk")
    styled = {text for key, texts in objective.sentences.styled.items() if key[2] == "elderly" for text in texts}
    said = {objective.sentences.draw(old, rng) for _ in range(60)}
    assert said & styled and said - styled
    assert {clip.split for clip, _ in objective.held_out.draw(rng, 20)} == {"test"}


@pytest.mark.parametrize("network", ["in2in", "intergen"])
def test_a_model_of_two_people_learns_a_batch_and_hears_its_texts(network):
    options = {"network": network, "batch": 2, "denoiser": {**SMALL, "blocks": 1, "dropout": 0.0}, "frames": 41}
    objective = DuetInteractionObjective(["duets"], {**options, "text_dropout": 0.0, "part_dropout": 0.0}, 0)
    batch = objective.clips.draw(np.random.default_rng(0), 2)
    assert batch.people.shape == (2, 40, 2, 262)
    texts = objective._told(batch, torch.Generator().manual_seed(0))
    assert [tuple(t.shape) for t in texts] == ([(2, 384)] if network == "intergen" else [(2, 384), (2, 2, 384)])
    assert all(t.std() == pytest.approx(1.0, abs=0.1) for t in texts)
    silent = DuetInteractionObjective(["duets"], {**options, "text_dropout": 1.0}, 0)
    assert all((t == 0).all() for t in silent._told(batch, torch.Generator().manual_seed(0)))
    assert_learns(objective)


def test_each_recipe_trains_and_leaves_weights_that_load(tmp_path):
    for name in ("individual", "individual_mdm", "individual_humanml3d", "interaction", "interaction_intergen"):
        recipe = f"recipes/duets/{name}.yaml"
        changes = {"size": "tiny"}
        if name.startswith("individual"):
            changes["data"] = ["bandai"]
        out = train_recipe(tmp_path.cwd() / recipe, changes, run=tmp_path / name, out=tmp_path / f"{name}-weights")
        card, network, _ = load_part(out, "denoiser")
        space = HumanML3DSpace() if name.endswith("humanml3d") else InterHumanSpace()
        assert card.space == space.name and card.extra["text_encoder"] == "minilm"
        assert network.features == space.dim and network.text.in_features == 384
        statistics = read_weights(out, "statistics")[1]
        assert statistics["motion.mean"].shape == statistics["motion.std"].shape == (space.dim,)
        assert (tmp_path / name / "held_out.jsonl").exists()
        assert read_recipe(tmp_path.cwd() / recipe).weights.startswith("weights-duets-")


def test_pairs_that_are_not_there_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path))
    with pytest.raises(DataError, match="motifmix data prepare duets"):
        DuetInteractionObjective(["duets"], {}, 0)
