"""Xia and BFA in small folders in their published layout, made from scratch."""

from pathlib import Path

import numpy as np
import pytest
from tests.data.published import bvh

from motifmix.data import bfa, styled_takes, xia
from motifmix.data.registry import open_dataset
from motifmix.errors import DataError
from motifmix.features import aberman
from motifmix.features import cmu_skeleton as cmu
from motifmix.features.aberman import KNEES_AND_ELBOWS_FACE

JOINTS = [(n, p, o) for n, p, o in zip(cmu.NAMES, cmu.PARENTS, cmu.OFFSETS, strict=True)]
ANGLES = ["Zrotation", "Yrotation", "Xrotation"]


def take(frames: int, seed: int = 0, frame_time: str = "0.008333") -> bytes:
    """Someone who stands, sways and walks along +Z."""
    time = np.arange(frames)[:, None] / 120.0
    phases = np.random.default_rng(seed).uniform(0.0, 6.0, 93)
    rows = np.concatenate([3.0 + 0.0 * time, 17.0 + 0.0 * time, 8.0 * time, 10.0 * np.sin(3.0 * time + phases)], axis=1)
    positions = ["Xposition", "Yposition", "Zposition"]
    return bvh(JOINTS, lambda joint: positions + ANGLES if joint == 0 else ANGLES, rows, frame_time)


@pytest.fixture(scope="module")
def xia_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "mocap_xia"
    folder.mkdir()
    (folder / "rest.bvh").write_bytes(take(4))
    for style in xia.STYLES:
        for index, takes in ((1, 3), (2, 2), (13, 1), (16, 1), (18, 1), (22, 1), (24, 1)):
            for number in range(takes):
                (folder / f"{style}_{index:02d}_{number:03d}.bvh").write_bytes(take(16))
    (folder / "neutral_01_000.bvh").write_bytes(take(500))
    (folder / "neutral_02_001.bvh").write_bytes(take(400))
    return folder


@pytest.fixture(scope="module")
def bfa_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "mocap_bfa"
    folder.mkdir()
    for style in bfa.STYLES:
        (folder / f"{style}_01.bvh").write_bytes(take(132))
    (folder / "Zombie_02.bvh").write_bytes(take(4 * 700))
    return folder


def test_the_first_takes_of_a_content_and_style_are_the_test_side(xia_folder):
    data = open_dataset("xia", xia_folder)
    test, train = data.ids("test"), data.ids("train")
    assert len(test) == 56 and len(test) + len(train) == 8 * 10
    angry = [name.removeprefix("angry_") for name in test if name.startswith("angry")]
    assert angry == ["01_000", "01_001", "01_002", "13_000", "16_000", "18_000", "22_000"]
    assert {"angry_02_000", "angry_02_001", "angry_24_000"} <= set(train)
    assert set(data.ids("trainfull")) == set(train)


def test_training_samples_are_windows_and_the_others_whole_clips(xia_folder):
    data = xia.Xia(xia_folder)
    windows = [sample for sample in data.samples("train") if sample.id.startswith("neutral_02_001")]
    content = styled_takes.read_content(data.files["neutral_02_001"], ())
    assert len(content) == 100
    # From 8 frames before the start, every 8, while 24 remain: -8, 0, ..., 72.
    assert [sample.features.shape for sample in windows] == [(32, 128)] * 11
    np.testing.assert_array_equal(windows[1].features, content[:32])
    np.testing.assert_array_equal(windows[0].features[4:28], content[:24])
    assert windows[0].style == "neutral" and windows[0].style_number == 3 and windows[0].content == "walk"
    assert windows[0].space == "aberman_128" and windows[0].fps == 30.0
    whole = next(sample for sample in data.samples("test") if sample.id == "neutral_01_000")
    assert whole.features.shape == (128, 128)  # 124 frames, and four more although 124 divides by four


def test_published_labels_need_the_published_facing(xia_folder):
    path = xia.Xia(xia_folder).files["neutral_01_000"]
    plain, published = (styled_takes.read_content(path, quirks) for quirks in ((), (KNEES_AND_ELBOWS_FACE,)))
    assert np.abs(plain[:, -1] - published[:, -1]).max() > 1e-3


def test_statistics_divide_by_no_zero(xia_folder):
    contents = [sample.features for sample in xia.Xia(xia_folder).samples("test") if sample.frames > 12]
    fitted = styled_takes.normalisers(contents, np.random.default_rng(0))
    assert {name: len(one.mean) for name, one in fitted.items()} == {"content": 128, "style3d": 64, "style2d": 42}
    assert all((one.std > 0).all() for one in fitted.values())
    clip = aberman.clip_from_content(contents[0], aberman.layout())
    assert np.isfinite(fitted["style3d"].normalise(clip.style3d)).all()


def test_the_last_double_window_of_each_whole_group_is_the_test_side(bfa_folder):
    data = open_dataset("bfa", bfa_folder)
    test = list(data.samples("test"))
    assert [sample.id for sample in test] == ["Zombie_02.1"] and test[0].style_number == 15
    assert test[0].features.shape == (68, 128)
    content = styled_takes.read_content(data.files["Zombie_02"], ())
    np.testing.assert_array_equal(test[0].features[2:66], content[576:640])
    train = [sample for sample in data.samples("train") if sample.id.startswith("Zombie_02")]
    assert len(train) == (576 - 32) // 8 + 1 + (60 - 32) // 8 + 1
    assert all(sample.features.shape == (32, 128) for sample in train)


def test_what_is_missing_is_listed(xia_folder, bfa_folder, tmp_path):
    half = tmp_path / "mocap_xia"
    half.mkdir()
    for path in xia_folder.glob("[a-n]*_0[12]_*.bvh"):
        (half / path.name).write_bytes(path.read_bytes())
    with pytest.raises(DataError, match="no take of the styles old, proud, sexy, strutting; fetch the rest"):
        xia.Xia(half)
    for path in xia_folder.glob("[o-z]*_0[12]_*.bvh"):
        (half / path.name).write_bytes(path.read_bytes())
    with pytest.raises(DataError, match="no take of the contents run, jump, kick, punch, trans"):
        xia.Xia(half)
    with pytest.raises(DataError, match=r"seems to lie in .*mocap_bfa; give that folder"):
        bfa.BFA(bfa_folder.parent)
    with pytest.raises(DataError, match="there is no such folder"):
        bfa.BFA(tmp_path / "nowhere")
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "xia.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"xia\.npz holds Python objects, which are not loaded"):
        xia.Xia(tmp_path / "packed")


@pytest.mark.parametrize("name", ["angry_29_000", "cross_01_000", "angry_01", "angry_x_000"])
def test_another_name_is_refused(name):
    with pytest.raises(DataError, match="is not named <style>_<index>_<take>"):
        xia.take_labels(name, name)


@pytest.mark.parametrize("name", ["angry_01", "Angry", "Angry_01_02"])
def test_another_name_of_a_long_take_is_refused(name):
    with pytest.raises(DataError, match="is not named <Style>_<number>"):
        bfa.take_style(name, name)


def test_a_damaged_take_is_named(tmp_path):
    path = tmp_path / "angry_01_000.bvh"
    for data, message in (
        (take(40)[:-3000], "angry_01_000.bvh line .*fetch the file again"),
        (take(40, frame_time="0.033333"), "30 frames a second instead of 120"),
        (take(3).replace(b"LThumb", b"Thumb"), "not the 31 of the CMU skeleton"),
        (take(3), "fewer than four at 30 fps"),
    ):
        path.write_bytes(data)
        with pytest.raises(DataError, match=message):
            styled_takes.read_content(path, ())
