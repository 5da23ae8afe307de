"""Several files become one model: what overrides what, which names are doubles, and what is left out is said."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from motifmix.errors import FileError, RequestError
from motifmix.pretrained.gathering import assigned, fits, gather, read_all, shared_out
from motifmix.pretrained.published import PublishedModel, published
from motifmix.pretrained.safe_reading import SafeFile


def model(**changes: Any) -> PublishedModel:
    """A combination like SMooDi's: its own file, overwritten in part by MLD's, and a bare state dict."""
    card = published("mld").model_dump()
    card |= {
        "files": {short: {"name": f"{short}.ckpt", "where": "https://example.org"} for short in ("own", "mld", "bare")},
        "order": [
            {"file": "own", "within": ["state_dict"]},
            {"file": "mld", "within": ["state_dict"], "take": r"denoiser\.(.*)", "name": r"denoiser.frozen.\1"},
            {"file": "mld", "within": ["state_dict"], "take": r"vae\.(.*)", "name": r"vae.\1"},
            {"file": "bare", "name": r"style.\1"},
        ],
        "dropped": {r"clip\..*": "CLIP comes from elsewhere"},
    }
    return PublishedModel.model_validate({**card, **changes})


def files(own: dict[str, Tensor]) -> dict[str, SafeFile]:
    contents = {
        "own": {"state_dict": own},
        "mld": {"state_dict": {"denoiser.a": torch.ones(2), "denoiser.b": torch.ones(1), "vae.x": torch.ones(1)}},
        "bare": {"w": torch.full((1,), 5.0)},
    }
    return {short: SafeFile(Path(f"{short}.ckpt"), content) for short, content in contents.items()}


def test_later_files_override_earlier_ones_and_it_is_said():
    own = {
        "denoiser.frozen.a": torch.zeros(2),
        "denoiser.frozen.b": torch.ones(1),
        "style.w": torch.zeros(3),
        "vae.x": torch.zeros(1),
    }
    gathered = gather(model(), files({**own, "clip.token": torch.ones(1)}))
    assert {name: tensor.tolist() for name, tensor in gathered.tensors.items()} == {
        "denoiser.frozen.a": [1.0, 1.0], "denoiser.frozen.b": [1.0], "style.w": [5.0], "vae.x": [1.0],
    }  # fmt: skip
    assert gathered.remarks == [
        "mld.ckpt: 2 tensors override earlier ones, 1 with other values",
        "mld.ckpt: 1 tensors override earlier ones, 1 with other values",
        "bare.ckpt: 1 tensors override earlier ones, 1 with other values",
    ]
    assert gathered.left_out == {"clip.token": "CLIP comes from elsewhere"}


def test_doubles_are_compared_and_unlike_ones_are_named():
    doubled = {r"(?:mixing\.)?copy\.(.*)": r"vae.\1"}
    own = {"vae.x": torch.ones(1), "copy.x": torch.ones(1), "mixing.copy.x": torch.zeros(1), "copy.only": torch.ones(2)}
    gathered = gather(model(doubled=doubled), files(own))
    assert {"vae.x", "vae.only"} <= gathered.tensors.keys()
    assert not any("copy" in name for name in gathered.tensors)
    assert gathered.tensors["vae.x"].tolist() == [1.0]
    assert "mixing.copy.x differs from vae.x, which is used" in gathered.remarks
    assert any(remark.startswith("1 tensors stand in the file twice and are equal") for remark in gathered.remarks)


def test_a_name_that_no_step_takes_is_unknown_unless_it_is_dropped():
    spoilt = files({"vae.x": torch.ones(1)})
    spoilt["mld"].content["state_dict"] |= {"unheard": torch.ones(1), "clip.token": torch.ones(1)}
    gathered = gather(model(), spoilt)
    assert gathered.nowhere == ["mld.ckpt: unheard"]
    assert "clip.token" in gathered.left_out
    assert "unknown: mld.ckpt: unheard" in fits(model(), gathered, {})[1]


def test_a_file_without_its_state_dict_is_refused():
    spoilt = files({"vae.x": torch.ones(1)})
    spoilt["own"] = SafeFile(Path("own.ckpt"), {"epoch": 3})
    with pytest.raises(FileError, match=r"own.ckpt holds no 'state_dict'; it holds 1 entries \(epoch\)"):
        gather(model(), spoilt)
    flat = files({})
    flat["own"] = SafeFile(Path("own.ckpt"), {"vae.x": torch.ones(1)})  # saved again without its wrapping
    assert "vae.x" in gather(model(), flat).tensors


def test_files_are_told_by_their_names_else_by_their_order():
    named = [Path("a/bare.ckpt"), Path("b/mld.ckpt"), Path("own.ckpt")]
    assert assigned(model(), named) == {"own": named[2], "mld": named[1], "bare": named[0]}
    other = [Path("1"), Path("2"), Path("3")]
    assert list(assigned(model(), other).values()) == other
    with pytest.raises(RequestError, match=r"put together from 3 files, 1 was given; name own.ckpt \(https://"):
        assigned(model(), [Path("own.ckpt")])
    with pytest.raises(RequestError, match="publish no weights"):
        assigned(model(files={}, order=()), [])


def test_the_longest_prefix_takes_a_name_and_an_expression_comes_first():
    parts = published("mld").model_dump()["parts"]
    parts = {
        "whole": {**parts["vae"], "prefix": ""},
        "inner": {**parts["vae"], "prefix": "vae.inner."},
        "head": {**parts["vae"], "takes": r"(?:ln|transformer)\..*"},
    }
    shares, nobody = shared_out(model(parts=parts), ["vae.inner.x", "vae.x", "ln.weight"])
    assert shares == {"whole": {"vae.x": "vae.x"}, "inner": {"x": "vae.inner.x"}, "head": {"ln.weight": "ln.weight"}}
    assert nobody == []
    assert shared_out(published("mld"), ["unheard"])[1] == ["unheard"]


def test_files_of_one_name_are_told_apart_in_what_is_kept_of_them(tmp_path):
    paths = [tmp_path / "a" / "model.ckpt", tmp_path / "b" / "model.ckpt", tmp_path / "b" / "bare.ckpt"]
    for number, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        torch.save({"w": torch.full((1,), float(number))}, path)
    _, facts = read_all(model(), paths, lambda line: None)
    assert list(facts) == ["model.ckpt (own)", "model.ckpt (mld)", "bare.ckpt"]
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert [fact["sha256"] for fact in facts.values()] == sums and len(set(sums)) == 3
