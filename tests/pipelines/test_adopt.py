"""`motifmix adopt`: names, clips that are none, what is kept, and that the style works wherever a style is named."""

import hashlib
import os

import numpy as np
import pytest
import yaml
from safetensors.torch import load_file, save_file

import motifmix
from motifmix.errors import WeightsError
from motifmix.files import read, write
from motifmix.motion import MOTIFMIX, Motion, Skeleton
from motifmix.motion import rotations as rot
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.style import adopted

WALK = "a person walks forward"


def moving(seconds: float, seed: int = 0) -> Motion:
    frames = round(seconds * 30)
    turns = 0.1 * np.random.default_rng(seed).normal(size=(1, 22, 3)) * np.sin(np.arange(frames) / 5)[:, None, None]
    return Motion(MOTIFMIX, rot.from_rotvec(turns), np.tile([0.0, 0.93, 0.0], (frames, 1)), 30.0)


def dog() -> Motion:
    """A four-legged rig with a tail whose legs have a person's names; see tests/style/test_references.py."""
    names = ("Hips", "Tail", "Spine", "Head", "LeftArm", "LeftForeArm", "LeftHand", "RightArm", "RightForeArm", "RightHand",
             "LeftUpLeg", "LeftLeg", "LeftFoot", "RightUpLeg", "RightLeg", "RightFoot")  # fmt: skip
    parents = (-1, 0, 0, 2, 2, 4, 5, 2, 7, 8, 0, 10, 11, 0, 13, 14)
    offsets = np.zeros((16, 3))
    offsets[1], offsets[2], offsets[3] = (0, 0.1, -0.3), (0, 0, 0.6), (0, 0.2, 0.2)
    for side, first, second in ((1, 4, 10), (-1, 7, 13)):
        for leg in (first, second):
            offsets[leg : leg + 3] = [(0.1 * side, 0, 0), (0, -0.3, 0), (0, -0.3, 0)]
    skeleton = Skeleton(names, parents, offsets)
    return Motion(skeleton, np.tile(rot.IDENTITY, (60, 16, 1)), np.tile([0.0, 0.6, 0.0], (60, 1)), 30.0)


@pytest.fixture
def tiny_model(weights) -> TextToMotion:
    return TextToMotion(weights)


@pytest.fixture
def own(tmp_path, monkeypatch, tiny_model):
    """A folder of one's own with a clip, and a small model instead of the default one."""
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(motifmix.__dict__, "load", lambda weights=None: tiny_model)
    monkeypatch.chdir(tmp_path)
    write("limp.bvh", moving(3.0, 1))
    write("wave.npz", moving(2.0, 2))
    return tmp_path


def test_a_style_is_learned_from_a_clip_and_works_by_its_name(run, own, tiny_model):
    assert "limping" not in run("styles").out
    done = run("adopt", "limp.bvh", "wave.npz", "--name", "Limping", "--text", WALK, "--steps", 3)
    assert done.code == 0, done.err
    assert done.out.strip() == str(adopted.styles_folder() / "limping") and "--style limping" in done.err
    assert sorted(os.listdir(adopted.styles_folder())) == ["limping"]
    assert sum(file.stat().st_size for file in (adopted.styles_folder() / "limping").iterdir()) < 200_000
    assert "limping: adopted from 2 clips (5.0 s)" in run("styles").out
    done = run("generate", WALK, "--style", "limping", "--seed", 1, "--out", "a.npz")
    assert done.code == 0 and "not known" not in done.err, done.err
    assert str(np.load("a.npz")["style"]) == "limping"
    assert (
        run("generate", WALK, "--style", "limping:0.5", "--style", "old:0.5", "--seed", 1, "--out", "b.npz").code == 0
    )
    with open("t.csv", "w") as table:
        table.write("text,style\na person waves,limping\n")
    assert run("batch", "t.csv", "--out", "out").code == 0 and len(os.listdir("out")) == 2
    assert run("transfer", "limp.bvh", "--style", "limping", "--out", "c.bvh").code == 0
    sweep = run("sweep", WALK, "--style", "limping", "--style", "old", "--steps", 2, "--each", "s.npz", "--seconds", 1)
    assert sweep.code == 0, sweep.err
    again, plain = (tiny_model.generate([WALK], [style], 1.0, [1], steps=2)[0] for style in ("limping", "old"))
    assert np.abs(again.joints - plain.joints).max() > 1e-4
    assert read("c.bvh").people[0].frames > 1


def test_a_style_in_another_folder_is_found_by_its_folder(run, own, tiny_model):
    assert run("adopt", "limp.bvh", "--name", "limping", "--steps", 2, "--out", "mine").code == 0
    assert not adopted.styles_folder().exists()
    (by_folder,) = tiny_model.generate([WALK], ["mine/limping/"], 1.0, [1], steps=2)
    assert by_folder.labels["style"] and tiny_model.describe(WALK, "mine/limping/") == tiny_model.describe(WALK)
    assert run("generate", WALK, "--style", "mine/limping/", "--seed", 1, "--out", "a.npz").code == 0


def test_a_style_is_kept_unless_forced(run, own):
    assert run("adopt", "limp.bvh", "--name", "limping", "--steps", 2).code == 0
    before = (adopted.styles_folder() / "limping" / "adopted_style.safetensors").read_bytes()
    done = run("adopt", "wave.npz", "--name", "limping", "--steps", 2)
    assert done.code == 2 and "--force" in done.err and len(done.lines) == 1
    assert (adopted.styles_folder() / "limping" / "adopted_style.safetensors").read_bytes() == before
    assert run("adopt", "wave.npz", "--name", "limping", "--steps", 2, "--force").code == 0
    assert (adopted.styles_folder() / "limping" / "adopted_style.safetensors").read_bytes() != before
    assert os.listdir(adopted.styles_folder()) == ["limping"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["limp.bvh", "--name", "old"], "is a name of the style 'elderly'"),
        (["limp.bvh", "--name", "../evil"], "cannot be the name"),
        (["limp.bvh", "--name", ""], "cannot be the name"),
        (["gone.bvh", "--name", "limping"], "gone.bvh does not exist"),
        (["short.bvh", "--name", "limping"], "3 frames"),
        (["brief.npz", "--name", "limping"], "too short to learn"),
        (["notes.txt", "--name", "limping"], "notes.txt"),
        (["limp.bvh", "--name", "limping", "--steps", "0"], "--steps goes from 1"),
        (["limp.bvh", "--name", "limping", "--text", "a", "--text", "b"], "2 texts were given for 1 clips"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(run, own, arguments, says):
    write("short.bvh", moving(0.1, 1))
    write("brief.npz", moving(0.5, 1))
    (own / "notes.txt").write_text("no motion")
    done = run("adopt", *arguments)
    assert done.code == 2 and says in done.err and len(done.lines) == 1, done.err
    assert not adopted.styles_folder().exists()


def test_a_killed_run_leaves_nothing(run, own, monkeypatch):
    from motifmix.training import adoption

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(adoption._Taught, "loss", killed)
    assert run("adopt", "limp.bvh", "--name", "limping").code == 130
    assert not adopted.styles_folder().exists()


def test_a_style_for_other_weights_is_refused(run, own, tiny_model, monkeypatch):
    assert run("adopt", "limp.bvh", "--name", "limping", "--steps", 2).code == 0
    monkeypatch.setattr(tiny_model, "denoiser_checksum", "0" * 64)
    tiny_model._adopted.clear()
    done = run("generate", WALK, "--style", "limping", "--out", "a.npz")
    assert done.code == 2 and "for other weights" in done.err
    assert "for other weights" in run("styles").out


def rewritten(folder, tensors):
    """Put other numbers into an adopted style, with the checksum that they have."""
    save_file(tensors, folder / "adopted_style.safetensors")
    card = yaml.safe_load((folder / "adopted_style.yaml").read_text())
    card["sha256"] = hashlib.sha256((folder / "adopted_style.safetensors").read_bytes()).hexdigest()
    (folder / "adopted_style.yaml").write_text(yaml.safe_dump(card))


def test_a_style_of_monstrous_numbers_is_refused_and_what_is_let_through_makes_motions(run, own):
    assert run("adopt", "limp.bvh", "--name", "limping", "--steps", 2).code == 0
    folder = adopted.styles_folder() / "limping"
    tensors = load_file(folder / "adopted_style.safetensors")
    rewritten(folder, {name: tensor.clamp(-1e-6, 1e-6) * 1e36 for name, tensor in tensors.items()})
    for command in (["generate", WALK], ["transfer", "limp.bvh"]):
        done = run(*command, "--style", "limping", "--out", "a.bvh")
        assert (
            done.code == 2
            and "'limping' is spoilt" in done.err
            and len(done.lines) == 1
            and not os.path.exists("a.bvh")
        )
    rewritten(folder, {name: 99.0 * tensor.sign() for name, tensor in tensors.items()})
    assert run("generate", WALK, "--style", "limping", "--strength", 2, "--out", "a.bvh").code == 0
    assert "damaged" not in run("styles").out
    (folder / "adopted_style.safetensors").write_bytes(b"x")
    listed = run("styles")
    assert listed.code == 0 and f"limping: adopted from 1 clip (3.0 s), {folder}; damaged, adopt it again" in listed.out


def test_numbers_that_ran_away_are_no_motion(tiny_model, monkeypatch):
    monkeypatch.setattr(tiny_model, "latent_std", tiny_model.latent_std * float("inf"))
    with pytest.raises(WeightsError, match="the weights or the style are damaged"):
        tiny_model.generate([WALK], ["old"], 1.0, [1], steps=2)


def test_an_animal_is_no_style(run, own):
    write("dog.bvh", dog(), fps=None)
    done = run("adopt", "dog.bvh", "--name", "limping")
    assert done.code == 2 and len(done.lines) == 1 and "a person" in done.err and not adopted.styles_folder().exists()
