"""`motifmix models`: published files become folders that load, and what does not fit is said in full.

No published file is at hand; these are made under the published names, small, and wrapped as the authors wrap theirs.
"""

import argparse
import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from tests.pretrained.published_files import files_of

import motifmix
from motifmix.errors import WeightsError
from motifmix.pretrained.published import published

SIZES = {
    "vae": {"features": 263, "width": 16, "feed_forward": 24, "layers": 3, "heads": 2, "positions": 40},
    "denoiser": {"width": 16, "text_dim": 12, "feed_forward": 24, "layers": 3, "heads": 2, "positions": 40},
}
SET = [
    word
    for part, sizes in SIZES.items()
    for size, value in sizes.items()
    for word in ("--set", f"{part}.{size}={value}")
]


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return files_of(published("mld"), SIZES)["mld"]


@pytest.fixture
def checkpoint(here: Path, content: dict[str, Any]) -> Path:
    state = {**content["state_dict"], "t2m_textencoder.pos_emb.weight": torch.ones(2), "metric.count": torch.tensor(3)}
    torch.save({"state_dict": state, "epoch": 1, "args": argparse.Namespace(name="mld")}, "mld.ckpt")
    return Path("mld.ckpt")


@pytest.fixture
def stats(here: Path) -> Path:
    Path("HumanML3D").mkdir()
    np.save("HumanML3D/Mean.npy", np.linspace(-1, 1, 263, dtype=np.float32))
    np.save("HumanML3D/Std.npy", np.full(263, 0.5, np.float32))
    return Path("HumanML3D")


def spoilt(checkpoint: Path, **changes: Any) -> Path:
    """The same checkpoint with tensors changed, or taken out where the change is None."""
    content = torch.load(checkpoint, weights_only=False)
    for name, value in changes.items():
        name = name.replace("__", ".")
        if value is None:
            del content["state_dict"][name]
        else:
            content["state_dict"][name] = value
    torch.save(content, "spoilt.ckpt")
    return Path("spoilt.ckpt")


def test_convert_verify_load_and_a_forward_pass(run, checkpoint, stats, content):
    done = run("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 0 and done.out == "mld\n", done.err
    assert "mld.ckpt: 1 x argparse.Namespace is no data and was passed over" in done.lines
    assert "1 tensors left out: the evaluators are loaded as the model t2m-evaluator" in done.lines
    assert done.lines[-1].startswith("licence: The code is free; treat the weights as research only")
    assert sorted(path.name for path in Path("mld").iterdir()) == [
        "denoiser.safetensors", "denoiser.yaml", "model.yaml", "statistics.safetensors", "statistics.yaml",
        "vae.safetensors", "vae.yaml",
    ]  # fmt: skip
    assert sorted(os.listdir()) == ["HumanML3D", "mld", "mld.ckpt"]

    done = run("models", "verify", "mld")
    assert done.code == 0
    assert done.out.splitlines()[0].startswith("vae: checksum, ")
    assert "forward pass [1, 8, 263]: good" in done.out
    assert "statistics motion: 263 numbers, finite, no deviation below 0: good" in done.out
    assert "compare the published figures" in done.err
    command = "motifmix evaluate mld --weights mld --data DATASET --evaluator T2M_EVALUATOR"
    assert done.lines[-1] == f"to measure them: {command}"

    model = motifmix.load("mld")
    assert torch.equal(model.parts["vae"].tokens, content["state_dict"]["vae.global_motion_token"])
    assert model.statistics["motion"].std.tolist() == [0.5] * 263
    assert "research only" in model.licence
    noise = model.parts["denoiser"](torch.ones(2, 1, 16), torch.tensor(5), torch.ones(2, 1, 12))
    assert noise.shape == (2, 1, 16) and bool(noise.isfinite().all())


def test_a_converted_folder_inherits_licence_citation_and_checksums(run, checkpoint, stats):
    import hashlib

    run("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    card = yaml.safe_load(Path("mld/model.yaml").read_text())
    model = published("mld")
    assert card["licence"] == model.licence.model_dump()
    assert card["citation"] == model.citation
    assert card["files"]["mld.ckpt"]["sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    part = yaml.safe_load(Path("mld/vae.yaml").read_text())
    assert model.licence.consequence in part["licence"]


def test_every_misfit_is_reported_and_nothing_is_left(run, checkpoint, stats):
    wrong = spoilt(
        checkpoint,
        vae__skel_embedding__weight=torch.ones(5, 3),
        vae__global_motion_token=None,
        denoiser__query_pos__pe=None,
        denoiser__extra=torch.ones(1),
        unheard=torch.ones(7),
    )
    done = run("models", "convert", wrong, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 2
    for line in (
        "unknown: unheard [7]",
        "vae: missing: tokens",
        "vae: of another shape: embed.weight ([5, 3], expected [16, 263])",
        "denoiser: unknown: extra",
        "denoiser: missing: positions.table",
    ):
        assert line in done.lines, done.err
    assert done.lines[-1].startswith("motifmix: mld: 5 things do not fit, the first: ")
    assert sorted(os.listdir()) == ["HumanML3D", "mld.ckpt", "spoilt.ckpt"]


def test_another_size_than_the_published_is_said(run, checkpoint, stats):
    done = run("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld")
    assert done.code == 2
    assert "vae: of another shape: tokens ([2, 16], expected [2, 256])" in done.lines


@pytest.mark.parametrize("layers", ["900000000", "1001"])
def test_more_layers_than_a_network_has_are_not_built(run, checkpoint, stats, layers):
    given = [word if word != "denoiser.layers=3" else f"denoiser.layers={layers}" for word in SET]
    done = run("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld", *given)
    assert done.code == 2 and not Path("mld").exists()
    assert f"denoiser: {int(layers):,} layers are more than a network has" in done.lines, done.lines


def test_not_a_number_in_the_weights(run, checkpoint, stats):
    wrong = spoilt(checkpoint, vae__global_motion_token=torch.full((2, 16), float("nan")))
    done = run("models", "convert", wrong, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 2
    assert "vae: not finite: tokens" in done.lines


def test_an_object_in_place_of_a_weight_is_refused(run, checkpoint, stats):
    wrong = spoilt(checkpoint, vae__global_motion_token=argparse.Namespace())
    done = run("models", "convert", wrong, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 2
    assert (
        "vae: vae.global_motion_token: an object of the class argparse.Namespace stands in place of a weight"
        in done.lines
    )


class Touches:
    def __reduce__(self) -> Any:
        return os.system, ("touch trace",)


def test_a_hostile_file_is_read_and_not_obeyed(run, here, stats, content):
    torch.save({"state_dict": content["state_dict"], "callbacks": Touches()}, "hostile.ckpt")
    done = run("models", "convert", "hostile.ckpt", "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 0
    assert "hostile.ckpt: 1 x posix.system is no data and was passed over" in done.lines
    assert not Path("trace").exists()


def test_missing_statistics_say_which_and_where_from(run, checkpoint, stats):
    done = run("models", "convert", checkpoint, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 2
    assert "needs the mean and std of its motion" in done.err
    assert "Mean.npy and Std.npy (263 numbers each) with --stats" in done.err
    Path("empty").mkdir()
    done = run("models", "convert", checkpoint, "--stats", "empty", "--as", "mld", "--out", "mld", *SET)
    assert done.code == 2 and "empty holds no Mean.npy or mean.npy" in done.err
    np.save("HumanML3D/Mean.npy", np.ones(251, np.float32))
    done = run("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 2 and "has the shape [251], expected [263]" in done.err
    np.save("HumanML3D/Mean.npy", np.full(263, np.nan, np.float32))
    done = run("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 2 and "mean or standard deviation is not finite" in done.err
    assert not Path("mld").exists()


def test_a_folder_of_statistics_that_does_not_exist(run, checkpoint):
    done = run("models", "convert", checkpoint, "--stats", "nodir", "--as", "mld", "--out", "mld", *SET)
    assert done.code == 2 and done.lines == ["motifmix: nodir does not exist; --stats names the folder of mean and std"]
    done = run("models", "convert", checkpoint, "--stats", checkpoint, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 2 and "mld.ckpt is not a folder; --stats names" in done.err


@pytest.mark.parametrize("what", ["pipe", "/dev/zero"])
def test_pipes_and_devices_are_not_opened(run, here, what):
    if what == "pipe":
        os.mkfifo(what)
    done = run("models", "convert", what, "--as", "mld", "--out", "mld")
    assert done.code == 2 and done.lines == [
        f"motifmix: {what} is a device or a pipe; save what comes out of it as a file"
    ]


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64, torch.uint8])
def test_weights_of_another_kind_of_number(run, checkpoint, stats, dtype):
    wrong = spoilt(checkpoint, vae__global_motion_token=torch.ones(2, 16).to(dtype))
    done = run("models", "convert", wrong, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    kind = {torch.bool: "bool", torch.complex64: "complex"}.get(dtype, "integer")
    assert done.code == 2 and not Path("mld").exists()
    assert f"vae: of another kind of number: tokens ({kind}, expected floating)" in done.lines


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_weights_of_another_precision_are_taken(run, checkpoint, stats, dtype):
    half = spoilt(checkpoint, vae__global_motion_token=torch.ones(2, 16).to(dtype))
    done = run("models", "convert", half, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 0, done.err
    assert torch.equal(motifmix.load("mld").parts["vae"].tokens, torch.ones(2, 16))


def test_names_in_a_file_do_not_steer_the_terminal(run, checkpoint, stats):
    name = "\x1b[2J\x9b1m\u202e\x00evil\r\nlicence: free \N{GREEK SMALL LETTER BETA}"
    wrong = spoilt(checkpoint, **{name: torch.ones(1)})
    done = run("models", "convert", wrong, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 2
    assert not any(letter in done.err for letter in "\x1b\x9b\u202e\x00\r")
    shown = r"unknown: spoilt.ckpt: \x1b[2J\x9b1m\u202e\x00evil\r\nlicence: free "
    assert f"{shown}\N{GREEK SMALL LETTER BETA}" in done.lines, done.lines
    assert not any(line.startswith("licence: free") for line in done.lines)


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_prefix_of_many_devices_is_named(run, here, stats, content, wrapped):
    state = {f"module.{name}": tensor for name, tensor in content["state_dict"].items()}
    torch.save({"state_dict": state, "epoch": 3} if wrapped else state, "mld.ckpt")
    done = run("models", "convert", "mld.ckpt", "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 2
    hint = ". All names in mld.ckpt begin with 'module.', as torch's DataParallel saves them: save it again"
    assert hint in done.lines[-1], done.lines[-1]


EVALUATOR = {
    "word_dim": 8, "tag_dim": 3, "text_hidden": 6, "movement_hidden": 6, "movement_latent": 5, "motion_hidden": 6,
    "embedding": 4,
}  # fmt: skip


@pytest.mark.parametrize(("features", "space"), [(263, "humanml3d_263"), (251, "kit_251"), (71, None)])
def test_the_evaluators_of_another_data_set_take_its_statistics(run, here, features, space):
    content = files_of(published("t2m-evaluator"), {"evaluator": {"features": features, **EVALUATOR}})["evaluator"]
    torch.save(content, "finest.tar")
    Path("meta").mkdir()
    given = [word for size, value in EVALUATOR.items() for word in ("--set", f"evaluator.{size}={value}")]
    command = ("models", "convert", "finest.tar", "--as", "t2m-evaluator", "--stats", "meta", "--out", "out", *given)
    for length, code in ((263 if features != 263 else 251, 2), (features, 0)):
        np.save("meta/mean.npy", np.zeros(length, np.float32))
        np.save("meta/std.npy", np.ones(length, np.float32))
        done = run(*command)
        assert done.code == code, done.err
        assert code == 0 or f"has the shape [{length}], expected [{features}]" in done.err
    assert run("models", "verify", "out").code == 0
    model = motifmix.load("out")
    assert model.card.space == space and len(model.statistics["motion"].mean) == features
    assert yaml.safe_load(Path("out/evaluator.yaml").read_text())["space"] == (space or "none")


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "is empty"), (b"<html>", "web page"), (b"no weights", "is no checkpoint"), (None, "cannot be read")],
)
def test_files_that_are_no_checkpoints(run, here, data, message):
    if data is not None:
        Path("model.ckpt").write_bytes(data)
    done = run("models", "convert", "model.ckpt", "--as", "mld", "--out", "mld")
    assert done.code == 2 and len(done.lines) == 1
    assert message in done.err


def test_a_truncated_file(run, checkpoint, stats):
    checkpoint.write_bytes(checkpoint.read_bytes()[:-5000])
    done = run("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert done.code == 2 and "is cut off or damaged" in done.err


def test_the_wrong_number_of_files_names_the_right_ones(run, checkpoint):
    done = run("models", "convert", checkpoint, checkpoint, "--as", "mld", "--out", "mld")
    assert done.code == 2
    assert "put together from 1 file, 2 were given; name 1222_mld_humanml3d_FID041.ckpt (https://" in done.err


def test_a_file_of_another_model_names_that_model(run, checkpoint, stats):
    done = run("models", "convert", checkpoint, "--as", "aberman", "--out", "out", "--stats", stats)
    assert done.code == 2
    assert "This looks like mld" in done.lines[-1] and done.lines[-1].endswith(": try --as mld"), done.lines[-1]


def test_an_existing_folder_is_kept_unless_forced_and_converted(run, checkpoint, stats):
    command = ("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert run(*command).code == 0
    Path("mld/mine.txt").write_text("mine")
    done = run(*command)
    assert done.code == 2 and "mld exists and is kept" in done.err and Path("mld/mine.txt").exists()
    done = run(*command, "--force")
    assert done.code == 0 and not Path("mld/mine.txt").exists() and Path("mld/model.yaml").exists()
    assert sorted(os.listdir()) == ["HumanML3D", "mld", "mld.ckpt"]


@pytest.mark.parametrize("card", [None, "nc: 80\nbackbone: []\n"])
def test_force_replaces_no_other_folder(run, checkpoint, stats, card):
    Path("mine").mkdir()
    Path("mine/model.txt" if card is None else "mine/model.yaml").write_text(card or "mine")
    done = run("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mine", *SET, "--force")
    assert done.code == 2 and len(done.lines) == 1
    assert "mine is not a folder that 'motifmix models convert' wrote" in done.err
    assert len(os.listdir("mine")) == 1 and not Path("mine/vae.yaml").exists()


@pytest.mark.parametrize("way", ["folder", "file", "above", "link", "stats", "stats file"])
def test_what_is_read_is_never_replaced(run, checkpoint, stats, way):
    assert run("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "in", *SET).code == 0
    given, folder, out = Path("in/deep/mld.ckpt"), stats, "in"
    given.parent.mkdir()
    checkpoint.rename(given)
    if way == "folder":
        given, out = given.rename("in/mld.ckpt"), "deep/../in"
        Path("deep").mkdir()
    elif way == "file":
        out = given
    elif way == "link":
        Path("elsewhere.ckpt").symlink_to(given)
        given = Path("elsewhere.ckpt")
    elif way.startswith("stats"):
        given = given.rename("mld.ckpt")
        stats.rename("in/deep/HumanML3D")
        folder = Path("in/deep/HumanML3D")
        if way == "stats file":
            stats.mkdir()
            for name in ("Mean.npy", "Std.npy"):
                (stats / name).symlink_to(folder.absolute() / name)
            folder = stats
    before = sorted(Path().rglob("*"))
    done = run("models", "convert", given, "--stats", folder, "--as", "mld", "--out", out, *SET, "--force")
    assert done.code == 2 and len(done.lines) == 1 and "which would be replaced" in done.err, done.err
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("leads_to", ["converted", "nowhere"])
def test_a_link_is_not_replaced(run, checkpoint, stats, leads_to):
    command = ("models", "convert", checkpoint, "--stats", stats, "--as", "mld", *SET)
    assert run(*command, "--out", "converted").code == 0
    Path("link").symlink_to(leads_to)
    before = sorted(os.listdir())
    done = run(*command, "--out", "link", "--force")
    assert done.code == 2 and len(done.lines) == 1 and "link is a link and is kept" in done.err
    assert sorted(os.listdir()) == before and Path("link").is_symlink()


def test_a_folder_that_cannot_be_replaced_comes_back(run, checkpoint, stats, monkeypatch):
    command = ("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    assert run(*command).code == 0
    Path("mld/mine.txt").write_text("mine")
    rename = Path.rename

    def fails(path: Path, target: Path) -> Path:
        if target == Path("mld") and not path.name.endswith(".old"):
            raise PermissionError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    done = run(*command, "--force")
    assert done.code == 2 and "could not be written: Permission denied" in done.err
    assert Path("mld/mine.txt").exists() and sorted(os.listdir()) == ["HumanML3D", "mld", "mld.ckpt"]


def test_verify_notices_what_was_altered(run, checkpoint, stats):
    run("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    path = Path("mld/vae.safetensors")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    done = run("models", "verify", "mld")
    assert done.code == 2
    assert "was altered or is damaged (its checksum differs); convert, train or download it again" in done.err
    path.unlink()
    assert "the weights are missing" in run("models", "verify", "mld").err
    assert "is no folder" in run("models", "verify", "nowhere").err
    Path("empty").mkdir()
    assert "empty holds no weights" in run("models", "verify", "empty").err


def test_verify_finds_numbers_that_are_not_finite_and_other_shapes(run, checkpoint, stats):
    from safetensors.torch import load_file, save_file

    run("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld", *SET)

    def replaced(**tensors: torch.Tensor) -> str:
        import hashlib

        path, card = Path("mld/vae.safetensors"), Path("mld/vae.yaml")
        save_file({**load_file(path), **tensors}, path)
        text = yaml.safe_load(card.read_text())
        text["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        card.write_text(yaml.safe_dump(text))
        done = run("models", "verify", "mld")
        assert done.code == 2
        return done.err

    assert "tokens holds numbers that are not finite" in replaced(tokens=torch.full((2, 16), torch.inf))
    assert "does not fit its card at 'tokens'" in replaced(tokens=torch.ones(2, 17))
    assert "holds the unknown tensor 'more'" in replaced(tokens=torch.ones(2, 16), more=torch.ones(1))


@pytest.mark.parametrize(
    ("change", "message", "loads"),
    [
        ({"parts": ["denoiser"]}, "the part vae of mld is missing", False),
        ({"parts": ["vae", "denoiser", "more"]}, "mld has no part more", False),
        ({"statistics": []}, "the statistics motion of mld are missing", False),
        ({"published": "mdl"}, "no published model is called 'mdl'", False),
        ({"parts": ["vae", "../mld/denoiser"]}, "is no card of a converted model", False),
        ({"parts": ["vae", ".."]}, "is no card of a converted model", False),
        ({"citation": "@misc{me, title={Mine}}"}, "citation: it differs from that of mld", True),
        ({"licence": {"consequence": "Do as you like."}}, "consequence: it says 'Do as you like.'", True),
        ({"licence": {"weights": "MIT"}}, "licence, weights: it says 'MIT'", True),
    ],
)
def test_verify_does_not_take_the_folder_at_its_word(run, checkpoint, stats, change, message, loads):
    run("models", "convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld", *SET)
    path = Path("mld/model.yaml")
    card = yaml.safe_load(path.read_text())
    if "licence" in change:
        change = {"licence": {**card["licence"], **change["licence"]}}
    path.write_text(yaml.safe_dump({**card, **change}))
    done = run("models", "verify", "mld")
    assert done.code == 2 and message in done.err
    if loads:  # a card here may be worded anew; the networks are the same
        motifmix.load("mld")
        return
    with pytest.raises(WeightsError, match=r"model\.yaml"):
        motifmix.load("mld")


def test_our_own_weights_verify_and_load_the_same_way(run):
    from motifmix.home import PACKAGE_WEIGHTS

    done = run("models", "verify", PACKAGE_WEIGHTS / "default")
    assert done.code == 0, done.err
    assert any(line.startswith("vae: checksum") and "shapes" in line for line in done.out.splitlines())


def test_the_protocols_that_verify_names_are_those_of_evaluate():
    from motifmix.apps.cli.evaluate import PAPERS
    from motifmix.apps.cli.models import PROTOCOLS

    assert {protocol for protocol, _, _ in PROTOCOLS.values()} <= set(PAPERS)
    assert all(published(name).figures for name in PROTOCOLS)


def test_list_info_and_cite(run):
    done = run("models", "list")
    assert done.code == 0 and any(line.startswith("mld ") for line in done.out.splitlines())
    done = run("models", "info", "mld")
    for words in (
        "https://github.com/ChenFengYe/motion-latent-diffusion",
        "1222_mld_humanml3d_FID041.ckpt",
        "checkpoints/mld_humanml3d_checkpoint/",
        "code: MIT",
        "so: The code is free",
        "26,381,319 parameters",
        "@inproceedings{chen2023executing",
    ):
        assert words in done.out
    assert any(
        line.startswith("stylemotif ") and "  nothing  " in line for line in run("models", "list").out.splitlines()
    )
    assert "proven   nothing: no code and no weights are published" in run("models", "info", "stylemotif").out
    done = run("models", "info", "mld", "--cite")
    assert done.out.startswith("@inproceedings{chen2023executing") and done.out.count("\n") == 1
    done = run("models", "info", "mdl")
    assert done.code == 2 and "did you mean" in done.err and "mld" in done.err


def test_no_hub_is_asked(run, checkpoint, stats, monkeypatch):
    def refuse(*arguments: Any, **options: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for command in (
        ("list",),
        ("info", "mld"),
        ("convert", checkpoint, "--stats", stats, "--as", "mld", "--out", "mld", *SET),
        ("verify", "mld"),
    ):
        assert run("models", *command, "--offline").code == 0
