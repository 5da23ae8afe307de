"""Training the autoencoder on a few made-up clips: what is read, what the loss sees, and what is kept."""

import json

import numpy as np
import pytest
import torch
import yaml

from motifmix.data.feature_cache import FeatureCache
from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.errors import DataError
from motifmix.features.own import MotifmixSpace, rested
from motifmix.motion import rotations as rot
from motifmix.pretrained.build import load_part
from motifmix.training.loop import train
from motifmix.training.objectives.vae import VAEObjective, _path
from motifmix.training.recipe import Recipe

SPACE = MotifmixSpace()
OPTIONS = {"batch": 3, "window": 16, "width": 16, "latent": 4, "statistics": ["tiny"]}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with one prepared set: two training clips, the second with a mirrored twin, and one held out."""
    home = tmp_path_factory.mktemp("home")
    folder = home / "data" / "tiny"
    folder.mkdir(parents=True)
    common = {"source": "cmu", "role": "content", "split_group": "g", "subject": "1"}
    clips = [
        Clip(id="a", split="train", frames=31, start=0, **common),
        Clip(id="b", split="train", frames=46, start=31, **common),
        Clip(id="b:mirrored", split="train", frames=46, start=31, mirror_of="b", **common),
        Clip(id="c", split="test", frames=40, start=77, **common),
    ]
    rng = np.random.default_rng(0)
    rotations = rot.from_rotvec(0.3 * rng.normal(size=(1, 22, 3)) + 0.02 * rng.normal(size=(117, 22, 3)).cumsum(0))
    root = np.array([0.0, 0.9, 0.0]) + 0.02 * rng.normal(size=(117, 3)).cumsum(0) * np.array([1.0, 0.1, 1.0])
    np.save(folder / "rotations.npy", rotations.astype(np.float32))
    np.save(folder / "root.npy", root.astype(np.float32))
    (folder / "clips.jsonl").write_text("".join(json.dumps(clip.as_line()) + "\n" for clip in clips))
    (folder / "card.yaml").write_text(yaml.safe_dump({"credit": "Nobody", "version": 1}))
    return home


@pytest.fixture
def at_home(home, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(home))
    return home


def test_features_are_those_of_the_clips_and_mirrored_for_a_twin(at_home):
    prepared = Prepared(at_home / "data" / "tiny")
    for cache in (FeatureCache(prepared), FeatureCache(prepared)):  # computed, then read
        for entry in cache.entries(prepared.select()):
            expected = SPACE.encode(prepared.motion(entry.clip))
            assert entry.frames == len(expected)
            np.testing.assert_allclose(cache.window(entry), expected, atol=2e-5)
            np.testing.assert_allclose(cache.window(entry, 5, 7), expected[5:12], atol=2e-5)


def test_windows_come_from_training_clips_alone_and_rest_at_the_end(at_home):
    objective = VAEObjective(["tiny"], {**OPTIONS, "window": 64}, seed=0)
    assert {entry.clip.id for _, entry in objective.pool.list} == {"a", "b", "b:mirrored"}
    windows = objective.draw(np.random.default_rng(0)).numpy()
    assert windows.shape == (3, 64, 269) and windows.dtype == np.float32
    whole = [objective.normaliser.normalise(rested(objective.pool.window(n), 64)) for n in range(3)]
    assert all(any(np.allclose(window, clip, atol=1e-4) for clip in whole) for window in windows)


def test_the_loss_of_a_perfect_reconstruction_is_its_divergence_alone(at_home):
    objective = VAEObjective(["tiny"], OPTIONS, seed=0)
    features = objective.draw(np.random.default_rng(0))
    zero = torch.zeros(3, 4, 4)
    loss, figures = objective.reconstruction(features, features.clone(), zero, zero)
    assert float(loss) == pytest.approx(0.0, abs=1e-6) and figures["joint_mm"] == pytest.approx(0.0, abs=1e-4)
    lifted = features.clone()
    lifted[..., SPACE.blocks["root_height"]] += 0.01 / objective.std[SPACE.blocks["root_height"]]
    assert objective.reconstruction(features, lifted, zero, zero)[1]["joint_mm"] == pytest.approx(10.0, rel=1e-3)
    away, _ = objective.reconstruction(features, features.clone(), zero + 3.0, zero)
    assert float(away) == pytest.approx(2e-4 * 4 * 4.5, rel=1e-3)


def test_the_path_of_the_loss_is_the_path_of_the_decoded_motion(at_home):
    objective = VAEObjective(["tiny"], OPTIONS, seed=0)
    features = objective.pool.window(1)
    decoded = SPACE.decode(features)
    path = _path(torch.from_numpy(features)[None])[0].numpy()
    np.testing.assert_allclose(path[:, 1:], decoded.root[:, [0, 2]], atol=1e-4)


def test_a_trained_network_is_kept_with_its_statistics_and_a_frozen_encoder_stays(at_home, tmp_path):
    def run(name, **options):
        recipe = Recipe(name=name, objective="vae", steps=2, learning_rate=1e-2, options={**OPTIONS, **options})
        train(recipe, VAEObjective(["tiny"], recipe.options, 0), tmp_path / name, at_home / "weights")
        return load_part(at_home / "weights", options.get("part", "vae"))

    card, first, rest = run("vae")
    assert card.credit == ["Nobody"] and card.sizes["width"] == 16 and card.recipe == "vae"
    assert set(rest) == {"mean", "std"} and (rest["std"] > 0).all()
    assert json.loads((tmp_path / "vae" / "held_out.jsonl").read_text())["joint_mm"]["tiny"] > 0
    _, second, _ = run("decoder", part="finer", start_from="vae", frozen_encoder=True)
    changed = {name for name, value in first.state_dict().items() if not torch.equal(value, second.state_dict()[name])}
    assert "output.weight" in changed and not {n for n in changed if n.startswith(("encoder.", "posterior."))}


def test_a_set_that_is_not_prepared_is_named(at_home):
    with pytest.raises(DataError, match="'other' is not prepared; run 'motifmix data prepare other"):
        VAEObjective(["other"], {"statistics": ["other"]}, seed=0)


def test_one_token_for_a_clip_of_any_length(at_home, tmp_path):
    options = {
        "batch": 2,
        "window": 12,
        "longest": 24,
        "one_token": True,
        "layers": 3,
        "width": 8,
        "part": "vae_one_token",
    }
    objective = VAEObjective(["tiny"], {**options, "statistics": ["tiny"]}, seed=0)
    lengths = {objective.draw(np.random.default_rng(seed)).shape[1] for seed in range(20)}
    assert lengths == {12, 16, 20, 24}
    loss, figures = objective.loss(torch.Generator().manual_seed(0), np.random.default_rng(0))
    loss.backward()
    assert np.isfinite(figures["joint_mm"]) and all(p.grad is not None for p in objective.modules.parameters())
    objective.preview(objective.modules, tmp_path, 1)
    assert json.loads((tmp_path / "held_out.jsonl").read_text())["joint_mm"]["tiny"] > 0
    objective.save(objective.modules, tmp_path, {"recipe": "none", "commit": "none"})
    _, read, statistics = load_part(tmp_path, "vae_one_token")
    features, valid = torch.randn(1, 16, SPACE.dim), torch.ones(1, 16, dtype=torch.bool)
    assert set(statistics) == {"mean", "std"}
    with torch.no_grad():
        told = [network.encode(features, valid).mean for network in (objective.modules["vae"].eval(), read)]
    assert told[0].shape == (1, 1, 8)
    torch.testing.assert_close(told[0], told[1], atol=2e-2, rtol=2e-2)
