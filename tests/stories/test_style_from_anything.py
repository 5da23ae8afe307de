"""Pictures, sounds and what a video shows as styles, from the weights' file to the motion, with a tiny ImageBind."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.joint_files import write_film, write_imagebind, write_picture, write_sound

import motifmix
from motifmix.apps.cli.main import main
from motifmix.errors import RequestError
from motifmix.style.references import Media
from motifmix.training import alignment


@pytest.fixture(scope="module")
def aligned(tmp_path_factory) -> Path:
    """A home in which ``motifmix align`` has run once."""
    folder = tmp_path_factory.mktemp("aligned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTIFMIX_HOME", str(folder / "home"))
        patch.setattr(alignment, "PHRASES_A_STYLE", 5)
        assert (
            main(["align", "--encoder", "imagebind", "--weights", str(write_imagebind(folder)), "--steps", "40"]) == 0
        )
    return folder / "home"


@pytest.fixture
def home(aligned, monkeypatch) -> Path:
    monkeypatch.setenv("MOTIFMIX_HOME", str(aligned))
    return aligned


@pytest.fixture
def files(here) -> Path:
    """One file of every kind in the folder to stand in."""
    for number, suffix in enumerate(("png", "jpg", "webp")):
        write_picture(here / f"photo.{suffix}", number)
    for suffix in ("wav", "flac", "mp3"):
        write_sound(here / f"sound.{suffix}")
    write_film(here / "clip.mp4")
    return here


def test_align_prints_both_ways_of_use_measured_on_phrases_that_nothing_learned(
    motifmix_command, tmp_path, monkeypatch
):
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(alignment, "PHRASES_A_STYLE", 5)
    done = motifmix_command("align", "--weights", write_imagebind(tmp_path), "--steps", 3)
    assert done.code == 0
    rows = [line.split() for line in done.out.splitlines()]
    assert [row[0] for row in rows if row[0] in ("retrieval", "projection")] == ["retrieval", "projection"]
    assert "nobody has measured" in done.out and "no set with styles is prepared" in done.err
    assert Path(done.out.splitlines()[-1]).is_relative_to(tmp_path / "home" / "aligned")


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg", "photo.webp", "sound.wav", "sound.flac", "sound.mp3"])
def test_a_file_of_any_kind_is_a_style(motifmix_command, home, files, name):
    made = motifmix_command(
        "generate", "a person walks", "--style", name, "--seconds", 1, "--seed", 1, "--out", "a.npz"
    )
    assert made.code == 0
    assert f"{name}: read as the nearest motion's style" in made.err and "has not been measured" in made.err
    with np.load(files / "a.npz") as file:
        assert str(file["style"]) in (name, Path(name).stem)
        assert np.isfinite(file["joints"]).all()


def test_what_a_video_shows_folders_and_blends_of_unlike_kinds(motifmix_command, home, files):
    walk = ("generate", "a person walks", "--seconds", 1, "--seed", 1)
    shown = motifmix_command(*walk, "--style", "clip.mp4", "--style-from", "content", "--out", "clip.npz")
    assert shown.code == 0 and "clip.mp4: read as" in shown.err
    blend = ("--style", "old:0.5", "--style", "photo.jpg:0.3", "--style", "sound.mp3:0.2")
    assert motifmix_command(*walk, *blend, "--out", "blend.npz").code == 0
    folder = files / "mixed"
    folder.mkdir()
    for name in ("photo.jpg", "photo.png", "sound.wav"):
        shutil.copy(files / name, folder)
    mean = motifmix_command(*walk, "--style", "mixed/", "--out", "mean.npz")
    assert mean.code == 0 and "mixed: the style is the mean of 3 files" in mean.err
    plain = motifmix_command(*walk, "--style", "old", "--out", "old.npz")
    assert plain.code == 0
    joints = {name: np.load(files / f"{name}.npz")["joints"] for name in ("clip", "blend", "mean", "old")}
    assert all(np.abs(joints[name] - joints["old"]).max() > 1e-3 for name in ("clip", "blend", "mean"))


def test_both_ways_of_use_are_an_option_and_give_other_motions(motifmix_command, home, files):
    walk = ("generate", "a person walks", "--seconds", 1, "--seed", 1, "--style", "photo.jpg")
    assert motifmix_command(*walk, "--out", "near.npz").code == 0
    projected = motifmix_command(*walk, "--style-by", "projection", "--out", "own.npz")
    assert projected.code == 0 and "photo.jpg: projected" in projected.err
    near, own = (np.load(files / f"{name}.npz")["joints"] for name in ("near", "own"))
    assert np.abs(near - own).max() > 1e-4
    wrong = motifmix_command(*walk, "--style-by", "luck", "--out", "x.npz")
    assert wrong.code == 2 and "--style-by takes retrieval" in wrong.err


def test_a_table_takes_them_as_well(motifmix_command, home, files):
    with (files / "table.csv").open("w", newline="") as file:
        rows = [["text", "style", "seconds"], ["a person walks", "photo.jpg:0.4|old:0.6", 1]]
        rows += [["a person walks", "sound.flac", 1], ["a person walks", "broken.png", 1]]
        csv.writer(file).writerows(rows)
    (files / "broken.png").write_bytes(b"no picture")
    made = motifmix_command("batch", "table.csv", "--out", "made")
    assert made.code == 2 and "2 made" in made.out and "1 failed" in made.out
    assert "broken.png: this picture cannot be read" in (files / "made" / "errors.csv").read_text()
    assert "2 kept" in motifmix_command("batch", "table.csv", "--out", "made").out
    assert "2 made" in motifmix_command("batch", "table.csv", "--out", "made", "--style-by", "projection").out


def test_transfer_and_sweep_take_a_picture(motifmix_command, home, files):
    walk = ("generate", "a person walks", "--seconds", 1, "--seed", 1, "--out", "walk.bvh")
    assert motifmix_command(*walk).code == 0
    done = motifmix_command("transfer", "walk.bvh", "--style", "photo.jpg", "--out", "styled.npz")
    assert done.code == 0 and "photo.jpg: read as" in done.err
    with np.load(files / "styled.npz") as file:
        assert "CC BY-NC-SA 4.0 (ImageBind)" in str(file["licence"])
    styles = ("--style", "old", "--style", "sound.wav", "--steps", 2, "--plain", "--seconds", 1)
    assert motifmix_command("sweep", "a person walks", *styles, "--each", "step.npz").code == 0
    assert (files / "step_2.npz").exists()


def test_from_python(home, files):
    model = motifmix.load()
    blend = [(files / "photo.jpg", 0.5), ("old", 0.5)]
    video, own = Media(files / "clip.mp4", "content"), Media(files / "photo.jpg", content_by="projection")
    styles = [files / "photo.jpg", str(files / "sound.wav"), video, own, blend, "old"]
    made = model.generate(["a person walks"] * 6, styles, 1.0, [1] * 6)
    again = model.generate(["a person walks"], [files / "photo.jpg"], 1.0, [1])[0]
    assert np.abs(made[0].joints - again.joints).max() < 1e-4
    assert made[2].labels["style"] == "clip.mp4" and made[4].labels["style"] == "photo.jpg:0.5 + old:0.5"
    assert "CC BY-NC-SA 4.0 (ImageBind)" in made[0].labels["licence"]
    assert "ImageBind" not in made[5].labels["licence"]


@pytest.mark.parametrize("name", ["photo.jpg", "sound.mp3"])
def test_before_align_one_sentence_says_what_to_fetch(motifmix_command, files, tmp_path, monkeypatch, name):
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path / "empty"))
    asked = motifmix_command("generate", "a person walks", "--style", name, "--out", "a.npz")
    assert asked.code == 2 and len(asked.err.splitlines()) == 1
    for fact in (name, "ImageBind", "imagebind_huge.pth", "4.8 GB", "https://", "CC BY-NC-SA 4.0", "motifmix align"):
        assert fact in asked.err
    assert not (files / "a.npz").exists()
    with pytest.raises(RequestError, match="ImageBind"):
        motifmix.load().generate(["a person walks"], [files / name])


def test_bad_files_are_said_in_one_line_and_leave_nothing(motifmix_command, home, files):
    (files / "bad.jpg").write_bytes(b"no picture")
    write_sound(files / "silent.wav", np.zeros(16000))
    write_sound(files / "one.wav", np.ones(1) * 0.5)
    write_film(files / "none.mp4", 0)
    write_picture(files / "thread.png", size=(1, 500))
    for name, words in (
        ("bad.jpg", "cannot be read"), ("silent.wav", "silent"), ("one.wav", "1 sample"), ("none.mp4", "none.mp4"),
        ("thread.png", "is a thread"),
    ):  # fmt: skip
        shown = ("--style-from", "content") if name.endswith(".mp4") else ()
        asked = motifmix_command("generate", "a person walks", "--style", name, *shown, "--out", "x.npz")
        assert asked.code == 2 and len(asked.err.splitlines()) == 1, asked.err
        assert name in asked.err and words in asked.err
    assert not (files / "x.npz").exists()


def test_the_published_table_is_shown_beside_ours_and_other_weights_are_told(motifmix_command, files, tmp_path):
    weights = write_imagebind(tmp_path)
    lacking = motifmix_command("align", "--check", "--weights", weights, "--examples", files)
    assert lacking.code == 2 and "dog_image.jpg" in lacking.err and "folder .assets" in lacking.err
    unnamed = motifmix_command("align", "--check", "--weights", weights)
    assert unnamed.code == 2 and "--examples" in unnamed.err
    for number, name in enumerate(("dog", "car", "bird")):
        write_picture(files / f"{name}_image.jpg", number)
        write_sound(files / f"{name}_audio.wav", 0.3 * np.sin(np.arange(32000) * (0.1 + 0.1 * number)))
    tiny = motifmix_command("align", "--check", "--weights", weights, "--examples", files)
    assert tiny.code == 2 and "not the published weights" in tiny.err
    table = [line.split() for line in tiny.out.splitlines() if line.startswith("dog")]
    assert [row[1] for row in table] == ["0.99761", "1.00000", "0.80700"]
    assert all(abs(sum(map(float, row[4:])) - 1) < 1e-4 for row in table)


def test_the_right_weights_are_called_right(motifmix_command, files, tmp_path, monkeypatch):
    from motifmix.encoders.joint import imagebind

    for name in imagebind.OFFER.examples:
        (files / name).write_bytes(b"x")
    logs = np.log(np.maximum(imagebind.IMAGES_TO_TEXTS, 1e-30))
    monkeypatch.setattr(
        imagebind.ImageBindEncoder, "scaled_texts", lambda self, texts: imagebind.torch.eye(3), raising=True
    )
    pictures = {f"{name}_image.jpg": row for name, row in zip(imagebind.EXAMPLES, logs, strict=True)}
    monkeypatch.setattr(
        imagebind.ImageBindEncoder, "image", lambda self, path: imagebind.torch.tensor(pictures[path.name]).float()
    )
    monkeypatch.setattr(imagebind, "SOUNDS_TO_TEXTS", ((1 / 3,) * 3,) * 3)
    monkeypatch.setattr(imagebind, "IMAGES_TO_SOUNDS", ((1 / 3,) * 3,) * 3)
    monkeypatch.setattr(imagebind.ImageBindEncoder, "scaled_sound", lambda self, path: imagebind.torch.zeros(3))
    right = motifmix_command("align", "--check", "--weights", write_imagebind(tmp_path), "--examples", files)
    assert right.code == 0 and "the weights are right" in right.out
