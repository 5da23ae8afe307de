"""Statistics that others packed: numbers come out as they went in, and nothing is unpacked before it is judged."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy

from motifmix.errors import WeightsError
from motifmix.pretrained.archived_arrays import archived_array


def packed(path: Path, shape: tuple[int, ...], data: bytes, descr: str = "<f4") -> Path:
    header = io.BytesIO()
    npy.write_array_header_1_0(header, {"descr": descr, "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mean.npy", header.getvalue() + data)
    return path


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_numbers_come_out_as_they_went_in(tmp_path: Path, write):
    mean = np.asfortranarray(np.arange(12, dtype=np.float64).reshape(3, 4))
    write(tmp_path / "stats.npz", mean=mean, std=np.arange(5))
    assert np.array_equal(archived_array(tmp_path / "stats.npz", "mean"), mean)
    assert np.array_equal(archived_array(tmp_path / "stats.npz", "std"), np.arange(5))
    with pytest.raises(WeightsError, match="no array 'weight' can be read"):
        archived_array(tmp_path / "stats.npz", "weight")


@pytest.mark.parametrize("shape", [(2**42,), (2**62, 2**62), (900_000_000,), (0, 2**70), (-4,)])
def test_what_is_larger_than_statistics_is_refused_before_it_is_unpacked(tmp_path: Path, shape):
    with pytest.raises(WeightsError, match="no array 'mean' can be read"):
        archived_array(packed(tmp_path / "stats.npz", shape, bytes(3_000_000)), "mean")


@pytest.mark.parametrize(
    ("descr", "data"), [("|O", b"\x80\x04N."), ("<U9", bytes(144)), ("<f4", bytes(8)), ("|V99999999", b"")]
)
def test_what_is_no_row_of_numbers_is_refused(tmp_path: Path, descr: str, data: bytes):
    with pytest.raises(WeightsError, match="no array 'mean' can be read"):
        archived_array(packed(tmp_path / "stats.npz", (4,), data, descr), "mean")


def test_every_spoilt_byte_is_a_value_or_an_error(tmp_path: Path):
    path = tmp_path / "stats.npz"
    np.savez_compressed(path, mean=np.random.default_rng(0).normal(size=20))
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            archived_array(path, "mean")
        except WeightsError:
            continue
