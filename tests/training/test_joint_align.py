"""The projection from an encoder's texts to style vectors: it learns, it is measured on what it never saw, it goes on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.joint_files import write_imagebind
from torch.nn.functional import layer_norm, normalize

from motifmix.errors import DataError, FileError, WeightsError
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.pretrained.cards import read_card, read_weights
from motifmix.style.aligned import Aligned, aligned_folders
from motifmix.training import alignment
from motifmix.training.alignment import align, balanced
from motifmix.training.loop import train
from motifmix.training.motion_styles import MotionStyles, motion_styles, styled_sets
from motifmix.training.objectives.joint_align import JointAlignObjective
from motifmix.training.recipe import Recipe

DEFAULT = PACKAGE_WEIGHTS / "default"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(alignment, "PHRASES_A_STYLE", 5)
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def made_up(seed: int = 0) -> tuple[MotionStyles, dict, dict]:
    """Three styles of a few motions each, and phrases whose vectors tell them: a rotation away from the motions'."""
    draw = torch.Generator().manual_seed(seed)
    styles = ("old", "happy", "proud")
    motions = layer_norm(torch.randn(3, 1, 16, generator=draw) + 0.1 * torch.randn(3, 5, 16, generator=draw), (16,))
    owners = torch.arange(3).repeat_interleave(5)
    card = read_card(DEFAULT / "style_encoder.yaml")
    middle = torch.randn(3, 1, 12, generator=draw)

    def phrases(count: int) -> dict:
        own = normalize(middle + 0.2 * torch.randn(3, count, 12, generator=draw), dim=-1)
        return dict(zip(styles, own, strict=True))

    return MotionStyles(motions.flatten(0, 1), owners, styles, {}, card), phrases(6), {"new": phrases(4)}


def learned(tmp_path: Path, steps: int) -> dict:
    motions, spoken, held_out = made_up()
    about = {"licence": "as you like", "extra": {"encoder": "x", "encoder_weights": "/x", "encoder_identity": "x"}}
    objective = JointAlignObjective(motions, spoken, held_out, about, {"batch": 32}, seed=0)
    recipe = Recipe(name="x", objective="joint_align", data=["x"], steps=steps, learning_rate=1e-2, warm_up=1, ema=0)
    train(recipe, objective, tmp_path / "run", tmp_path / "out")
    return read_card(tmp_path / "out" / "projection.yaml").numbers["new"]


def test_the_projection_takes_unseen_phrases_to_the_motions_of_their_style(tmp_path):
    before = learned(tmp_path / "a", 1)
    after = learned(tmp_path / "b", 150)
    assert after["retrieval"] == after["projection"] == 1.0 and after["phrases"] == 12
    assert after["likeness_projection"] > max(0.8, before["likeness_projection"] + 0.3)
    assert after["likeness_retrieval"] > 0.9


def test_both_directions_of_the_loss_count_pairs_of_one_style(monkeypatch):
    motions, spoken, held_out = made_up()
    options = {"batch": 8, "noise": 0.0, "agreement": 0.0, "temperature": 0.5}
    objective = JointAlignObjective(motions, spoken, held_out, {}, options, seed=0)
    loss, _ = objective.loss(torch.Generator().manual_seed(0), np.random.default_rng(5))
    rng = np.random.default_rng(5)
    drawn = rng.integers(3, size=8)
    text = torch.stack([spoken[motions.styles[n]][int(rng.integers(6))] for n in drawn])
    motion = torch.stack([motions.vectors[5 * n + int(rng.integers(5))] for n in drawn])
    made = objective.modules["projection"](text)
    t, s = normalize(made - made.mean(-1, keepdim=True), dim=-1), normalize(motion, dim=-1)
    expected = 0.0
    for i in range(8):
        alike = [j for j in range(8) if drawn[j] == drawn[i]]
        by_text, by_motion = (t[i] @ s.T / 0.5).softmax(0), (t @ s[i] / 0.5).softmax(0)
        expected -= sum(0.5 * (by_text[j].log() + by_motion[j].log()) for j in alike) / len(alike) / 8
    torch.testing.assert_close(loss, torch.as_tensor(expected), atol=1e-5, rtol=1e-5)


def test_without_prepared_data_the_bank_is_what_ships(tmp_path, home):
    assert styled_sets(DEFAULT) == []
    shipped = motion_styles(DEFAULT, [])
    report = align("imagebind", write_imagebind(tmp_path), steps=2)
    assert report.motions == len(shipped.styles) == len(report.styles) and report.sets == ()
    assert set(report.figures) == {"everyday", "hard"}
    assert aligned_folders() == [report.folder]
    found = Aligned(report.folder)
    torch.testing.assert_close(found.vectors, shipped.vectors, atol=2e-3, rtol=1e-3)
    assert "CC BY-NC-SA 4.0" in found.licence
    with pytest.raises(DataError, match="not prepared"):
        align("imagebind", tmp_path, sets=["bandai"], steps=2)


def test_a_killed_run_goes_on_to_the_same_projection_and_encodes_nothing_twice(tmp_path, monkeypatch):
    file = write_imagebind(tmp_path)
    own_recipe = alignment.recipe_of
    often = {"save_every": 10, "log_every": 5}
    monkeypatch.setattr(alignment, "recipe_of", lambda *about: own_recipe(*about).model_copy(update=often))

    def stop(what: str, done: int, total: int) -> None:
        if what == "encoding texts" and done >= 96:
            raise KeyboardInterrupt

    def kill(step: int, steps: int, figures: dict) -> None:
        if step >= 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        align("imagebind", file, steps=24, progress=stop)
    kept = sorted((tmp_path / "home" / "cache").glob("joint-*/*.npy"))
    times = {path: path.stat().st_mtime_ns for path in kept}
    assert len(kept) == 3
    with pytest.raises(KeyboardInterrupt):
        align("imagebind", file, steps=24, log=kill)
    assert not aligned_folders()
    seen = []
    report = align("imagebind", file, steps=24, log=lambda step, steps, figures: seen.append(step))
    assert seen[0] == 15  # from the checkpoint of step 10
    assert {path: path.stat().st_mtime_ns for path in kept} == times
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path / "another"))
    whole = align("imagebind", file, steps=24)
    one, other = (read_weights(folder, "projection")[1] for folder in (report.folder, whole.folder))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_folder_that_exists_is_kept_unless_forced(tmp_path):
    file, out = write_imagebind(tmp_path), tmp_path / "out"
    out.mkdir()
    assert align("imagebind", file, steps=2, out=out).folder == out
    with pytest.raises(FileError, match="exists and is kept"):
        align("imagebind", file, steps=2, out=out)
    align("imagebind", file, steps=3, out=out, force=True)
    assert not aligned_folders()
    with pytest.raises(WeightsError, match="fetch imagebind_huge"):
        align("imagebind", steps=2)


def test_weights_that_are_none_are_said_before_any_motion_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(alignment, "motion_styles", lambda *_: pytest.fail("motions were read"))
    (tmp_path / "weights.pth").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    with pytest.raises(WeightsError, match=r"weights\.pth is no checkpoint .*; what is needed is imagebind_huge"):
        align("imagebind", tmp_path / "weights.pth", steps=2)
    assert not list((tmp_path / "home").glob("**/*.npy"))


def test_phrases_are_thinned_evenly():
    assert balanced([str(n) for n in range(10)], 4) == ["0", "2", "5", "7"]
    assert balanced(["a", "b"], 4) == ["a", "b"]
