"""What Aberman et al. publish beside their weights: statistics as ``.npz`` of mean and std."""

import numpy as np
import pytest
import torch
from tests.pretrained.published_files import files_of

from motifmix.errors import WeightsError
from motifmix.pretrained.conversion import convert
from motifmix.pretrained.converted import load_model
from motifmix.pretrained.published import published

ARRAYS = {"content": 128, "style3d": 64, "style2d": 42}
SMALL = {
    "generator": {
        "content_encoder_channels": [8], "style_encoder_channels": [6, 6], "mlp_hidden": [5, 5],
        "decoder_bottleneck_channels": 4,
    }
}  # fmt: skip


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "gen_00100000.pt"
    state = files_of(published("aberman"), SMALL)["gen"]
    state["gen"] |= {"dec.model.0.running_mean": torch.zeros(8), "dec.model.0.running_var": torch.ones(8)}
    torch.save(state, path)
    return path


def test_the_statistics_come_from_the_published_archives(checkpoint, tmp_path):
    stats = tmp_path / "xia_norms"
    stats.mkdir()
    for name, size in ARRAYS.items():
        np.savez(stats / f"train_{name}.npz", mean=np.full(size, 3.0), std=np.arange(1.0, size + 1.0))
    convert(published("aberman"), [checkpoint], tmp_path / "out", stats=stats, sizes=SMALL)
    model = load_model(tmp_path / "out")
    assert {name: len(one.std) for name, one in model.statistics.items()} == ARRAYS
    assert model.statistics["style3d"].std[2] == 3.0 and model.statistics["style2d"].mean[0] == 3.0
    rotations = model.parts["generator"](torch.zeros(1, 128, 16), torch.ones(1, 42, 16))
    positions = model.parts["generator"].positions(rotations)
    assert positions.abs().max() > 1.0  # the skeleton, which no file holds, is there


def test_an_archive_without_them_is_named(checkpoint, tmp_path):
    stats = tmp_path / "xia_norms"
    stats.mkdir()
    np.savez(stats / "train_content.npz", average=np.zeros(128))
    with pytest.raises(WeightsError, match=r"train_content\.npz: no array 'mean' can be read"):
        convert(published("aberman"), [checkpoint], tmp_path / "out", stats=stats, sizes=SMALL)
