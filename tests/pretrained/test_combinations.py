"""SMooDi as its authors evaluate it: three files, the second and third written over parts of the first."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import motifmix
from motifmix.errors import MotifmixError, RequestError
from motifmix.pretrained.conversion import convert
from motifmix.pretrained.converted import verify
from motifmix.pretrained.published import published

from .published_files import files_of

NETWORK = {"width": 8, "feed_forward": 12, "layers": 3, "heads": 2, "positions": 60}
SIZES: dict[str, dict[str, Any]] = {
    "vae": {"features": 263, **NETWORK},
    "denoiser": {
        "features": 263, "text_dim": 6, **NETWORK,
        "style_classes": 3, "style_feed_forward": 12, "style_layers": 2, "style_heads": 2,
    },
    "style_network": {"features": 263, "classes": 3, **NETWORK},
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = files_of(published("smoodi"), SIZES)
    # The Lightning file holds copies of what is written over it, of other values and even of another shape.
    own = made["smoodi"]["state_dict"]
    own |= {f"vae.{n[4:]}": torch.zeros_like(t) for n, t in made["mld"]["state_dict"].items() if n.startswith("vae.")}
    own |= {f"style_function.{name}": torch.zeros(100, 2) for name in made["style_classifier"]}
    own |= {"text_encoder.token": torch.ones(1), "t2m_moveencoder.weight": torch.ones(1)}
    paths = []
    for short, file in published("smoodi").files.items():
        paths.append(tmp_path / file.name)
        torch.save(made[short], paths[-1], _use_new_zipfile_serialization=short != "mld")
    (tmp_path / "stats").mkdir()
    np.save(tmp_path / "stats" / "Mean.npy", np.zeros(263))
    np.save(tmp_path / "stats" / "Std.npy", np.ones(263))
    return paths


def test_three_files_become_one_model(files: list[Path], tmp_path: Path):
    said: list[str] = []
    convert(published("smoodi"), files[::-1], tmp_path / "out", stats=tmp_path / "stats", sizes=SIZES, say=said.append)
    assert any("1222_mld_humanml3d_FID041.ckpt" in line and "override earlier ones" in line for line in said)
    assert any("style_classifier.pt" in line and "override earlier ones" in line for line in said)
    verify(tmp_path / "out", said.append)
    assert [line.split(":")[0] for line in said if line.endswith("good") and "forward pass" in line] == [
        "vae", "denoiser", "style_network",
    ]  # fmt: skip
    model = motifmix.load(tmp_path / "out")
    mld = torch.load(files[1], weights_only=True)["state_dict"]
    assert torch.equal(model.parts["vae"].tokens, mld["vae.global_motion_token"])
    assert torch.equal(model.parts["denoiser"].base.positions.table, mld["denoiser.query_pos.pe"].squeeze(1))
    assert [quirk.name for quirk in model.parts["denoiser"].quirks] == [
        "style_added_in_place",
        "empty_style_is_encoded",
    ]
    assert model.card.quirks == list(published("smoodi").quirks)


def test_renamed_files_in_another_order_are_told_the_order_that_fits(files: list[Path], tmp_path: Path):
    renamed = [file.rename(tmp_path / f"{place}.pt") for place, file in zip("abc", files, strict=True)]
    own, mld, classifier = renamed

    def tried(*order: Path) -> Path:
        return convert(published("smoodi"), order, tmp_path / "out", stats=tmp_path / "stats", sizes=SIZES)

    for wrong in ((mld, own, classifier), (classifier, own, mld)):
        with pytest.raises(MotifmixError) as caught:
            tried(*wrong)
        assert str(caught.value).endswith(f". In another order they fit: name {own}, {mld}, {classifier}")
        assert not (tmp_path / "out").exists()
    assert tried(own, mld, classifier) == tmp_path / "out"


def test_a_missing_file_is_named(files: list[Path], tmp_path: Path):
    with pytest.raises(RequestError, match=r"from 3 files, 1 was given; name SMooDi\.ckpt .*style_classifier\.pt"):
        convert(published("smoodi"), files[:1], tmp_path / "out", stats=tmp_path / "stats")
