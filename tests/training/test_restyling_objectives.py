"""Training the restyling networks on a few made-up clips: who learns when, what is drawn, and what is kept."""

import json

import numpy as np
import pytest
import torch
import yaml

from motifmix.data.sample import Clip
from motifmix.errors import DataError
from motifmix.motion import rotations as rot
from motifmix.pipelines.baselines.restyled import AbermanRestyler, PuzzleRestyler, load_restyler
from motifmix.training.loop import train
from motifmix.training.recipe import Recipe
from motifmix.training.runs import build_objective
from motifmix.training.styled_clips import UNLABELLED, StyledClips

ABERMAN = {
    "batch": 4, "window": 24,
    "generator": {"content_encoder_channels": [8], "style_encoder_channels": [6, 8], "mlp_hidden": [6],
                  "decoder_bottleneck_channels": 4},
    "discriminator": {"channels": [6]},
}  # fmt: skip
PUZZLE = {"batch": 2, "window": 16, "network": {"base_channels": 2, "style_latent_dim": 3}}


def write_set(folder, clips):
    """Write clips of (id, split, style, content), 45 frames each, that sway about a standing pose."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(len(clips))
    lines, count = [], 45 * len(clips)
    for place, (name, split, style, content) in enumerate(clips):
        clip = Clip(id=name, source="bandai-2" if style else "cmu", role="style" if style else "content", split=split,
                    split_group=name, subject="1", frames=45, start=45 * place, style=style, content=content)  # fmt: skip
        lines.append(json.dumps(clip.as_line()) + "\n")
    time = np.arange(count)[:, None, None] / 30
    rotations = rot.from_rotvec(0.4 * np.sin(6 * time + rng.uniform(0, 6, (1, 22, 3))) * rng.uniform(-1, 1, (1, 22, 3)))
    root = np.array([0.0, 0.93, 0.0]) + np.array([0.01, 0.0, 0.03]) * (np.arange(count)[:, None] % 45)
    np.save(folder / "rotations.npy", rotations.astype(np.float32))
    np.save(folder / "root.npy", root.astype(np.float32))
    (folder / "clips.jsonl").write_text("".join(lines))
    (folder / "card.yaml").write_text(yaml.safe_dump({"credit": "Nobody", "version": 1, "name": folder.name}))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    write_set(
        home / "data" / "styled",
        [
            ("a", "train", "elderly", "walk"), ("b", "train", "elderly", "run"), ("c", "train", "proud", "walk"),
            ("d", "test", "normal", "walk"), ("e", "test", "proud", "walk"),
        ],
    )  # fmt: skip
    write_set(home / "data" / "plain", [("x", "train", None, None), ("y", "test", None, None)])
    return home


@pytest.fixture
def at_home(home, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(home))
    return home


def recipe(objective, options, steps=4):
    return Recipe(name="tiny", objective=objective, data=["styled", "plain"], steps=steps, learning_rate=1e-3,
                  ema=0.5, options=options)  # fmt: skip


def test_clips_are_drawn_by_label_and_those_without_one_are_a_class(at_home):
    clips = StyledClips(["styled", "plain"], 24, lambda motion: motion)
    assert clips.labels == ("elderly", "proud", UNLABELLED)
    named = [clips.pool.list[n][1].clip.id for n in range(len(clips.label))]
    assert sorted(named) == ["a", "b", "c", "x"]  # nothing held out
    rng = np.random.default_rng(0)
    assert {named[n] for n in clips.drawn(rng, 60, 1.0)} == {"x"}
    styled = clips.drawn(rng, 60, 0.0)
    assert {named[n] for n in styled} == {"a", "b", "c"}
    assert (clips.label[clips.alike(rng, styled)] == clips.label[styled]).all()
    assert (clips.label[clips.unlike(rng, styled)] != clips.label[styled]).all()


def test_a_set_without_styles_cannot_teach_restyling(at_home):
    with pytest.raises(DataError, match="no clip has a style"):
        build_objective(recipe("aberman", ABERMAN).model_copy(update={"data": ["plain"]}))


def test_discriminator_and_generator_learn_in_turns(at_home):
    objective = build_objective(recipe("aberman", ABERMAN))
    for step, learning in enumerate(("discriminator", "generator", "discriminator")):
        objective.begin_step(step)
        loss, _ = objective.loss(torch.Generator().manual_seed(step), np.random.default_rng(step))
        loss.backward()
        for name, module in objective.modules.items():
            graded = any(p.grad is not None and bool(p.grad.any()) for p in module.parameters())
            assert graded == (name == learning)
            module.zero_grad(set_to_none=True)


def test_the_same_seed_draws_the_same_batch_from_the_origin(at_home):
    objective = build_objective(recipe("aberman", ABERMAN))
    (content, style), (again, _) = (objective.batches(np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(content.content, again.content) and torch.equal(content.same.style2d, again.same.style2d)
    assert content.content.shape == (4, 92, 24) and style.clips.style2d.shape == (4, 44, 24)
    for raw in (content.raw3d, style.raw3d):
        assert torch.allclose(raw[:, [-4, -2, -1], 0], torch.zeros(4, 3), atol=1e-5)
    restored = content.content * objective.statistics["content_std"][:, None]
    restored = restored + objective.statistics["content_mean"][:, None]
    assert torch.allclose(restored, content.content_raw, atol=1e-4)


def test_aberman_begins_at_the_mean_pose(at_home):
    objective = build_objective(recipe("aberman", ABERMAN))
    generator = objective.modules["generator"]
    content, style = objective.batches(np.random.default_rng(0))
    with torch.no_grad():
        for name, parameter in generator.decoder.named_parameters():
            if name.endswith("weight"):
                parameter.zero_()
        made = generator(content.content, style.clips.style3d)
    assert torch.allclose(made, objective.statistics["content_mean"][:88, None].expand_as(made))


@pytest.mark.parametrize(
    ("objective", "options", "kind"), [("aberman", ABERMAN, AbermanRestyler), ("motion_puzzle", PUZZLE, PuzzleRestyler)]
)
def test_what_is_trained_is_kept_and_restyles(at_home, tmp_path, objective, options, kind):
    wanted = recipe(objective, options)
    built = build_objective(wanted)
    before = {name: value.clone() for name, value in built.modules["generator"].state_dict().items()}
    figures = train(wanted, built, tmp_path / "run", tmp_path / "weights")
    assert np.isfinite(list(figures.values())).all()
    assert (tmp_path / "run" / "restyled-000004.png").exists()
    restyler = load_restyler(tmp_path / "weights")
    assert isinstance(restyler, kind)
    kept = restyler.network.state_dict()
    assert any(not torch.equal(kept[name], value) for name, value in before.items() if value.is_floating_point())
    card = yaml.safe_load((tmp_path / "weights" / "restyler.yaml").read_text())
    assert card["data"] == ["styled", "plain"] and card["credit"] == ["Nobody", "Nobody"]
