import os
import pickle
import shutil

import numpy as np
import pytest
from tests.published_layouts import humanml3d, kit_ml

from motifmix.data.humanml3d import KITML, WINDOWED_CAPTIONS_TWICE, HumanML3D
from motifmix.data.registry import open_dataset
from motifmix.errors import DataError
from motifmix.features.humanml3d import HumanML3DSpace
from motifmix.features.kit import KITSpace


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return humanml3d(tmp_path_factory.mktemp("data") / "HumanML3D")


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "HumanML3D")


def test_clips_come_with_captions_and_parts_as_clips_of_their_own(folder):
    data = open_dataset("humanml3d", folder)
    samples = {sample.id: sample for sample in data.samples("val")}
    assert set(samples) == {"000001", "000001.1", "M000001", "M000001.1"}
    whole, part = samples["000001"], samples["000001.1"]
    assert whole.features.dtype == np.float32 and whole.features.shape == (120, 263) and whole.fps == 20.0
    assert [caption.text for caption in whole.captions] == ["a person walks forward."]
    assert whole.captions[0].tokens == ("a/DET", "person/NOUN", "walk/VERB", "forward/ADV")
    assert part.frames == 50 and part.captions[0].text.startswith("a man lifts")
    np.testing.assert_array_equal(part.features, whole.features[20:70])
    assert samples["M000001"].mirror_of == "000001" and whole.mirror_of is None
    np.testing.assert_allclose(HumanML3DSpace().to_joints(whole.features), data.joints("000001"), atol=1e-4)


def test_short_long_and_broken_clips_are_passed_over_and_told(folder):
    data = HumanML3D(folder)
    train = [sample.id for sample in data.samples("train")]
    assert "000003" in train and not {"000002", "000005"} & set(train)
    assert [s.id for s in data.samples("test")] == ["000004", "M000004"]  # their windows are too short
    assert data.left_out["000002"] == "has 39 frames" and data.left_out["000005"] == "has 200 frames"
    assert "NaN" in data.left_out["007975"]


def test_a_clip_without_a_caption_that_fits_is_told(copy):
    (copy / "texts" / "000001.txt").write_text("\n")
    (copy / "texts" / "M000001.txt").write_text(
        "a man lifts his arm.#a/DET man/NOUN lift/VERB his/PRON arm/NOUN#1.0#1.5\n"
    )
    data = HumanML3D(copy)
    assert list(data.samples("val")) == []
    assert data.left_out["000001"] == "has no caption"
    assert data.left_out["M000001"] == "has captions of parts only, none long enough"


def test_the_published_test_reader_can_be_followed_in_its_mistake(folder):
    whole = next(HumanML3D(folder, quirks=[WINDOWED_CAPTIONS_TWICE]).samples("val"))
    assert [caption.text[:8] for caption in whole.captions] == ["a person", "a person", "a man li"]


def test_statistics_restore_what_they_normalise(folder):
    data = HumanML3D(folder)
    normaliser, rows = data.normaliser(), data.features("000003")
    np.testing.assert_allclose(normaliser.restore(normaliser.normalise(rows)), rows, atol=1e-4)


def test_kit_ml_is_the_same_form_in_millimetres(tmp_path):
    data = open_dataset("kit-ml", kit_ml(tmp_path / "KIT-ML"))
    assert isinstance(data, KITML)
    samples = list(data.samples("train"))
    assert [(s.id, s.frames, s.space, s.fps) for s in samples] == [
        ("00001", 24, "kit_251", 12.5),
        ("00002", 30, "kit_251", 12.5),
    ]
    joints = KITSpace().to_joints(samples[1].features)
    assert joints.shape == (30, 21, 3) and 300 < np.ptp(joints[0, :, 1]) < 3000
    np.testing.assert_allclose(joints, data.joints("00002"), atol=0.5)


def test_kit_ml_may_lack_a_few_files_and_no_more(tmp_path):
    folder = kit_ml(tmp_path / "KIT-ML")
    (folder / "train.txt").write_text("\n".join(["00001", "00002", "00003"] * 40 + ["00004"]) + "\n")
    (folder / "new_joint_vecs" / "00004.npy").unlink()
    with pytest.raises(DataError, match="motions are missing, 1 of the 4"):
        KITML(folder).ids("train")
    (folder / "train.txt").write_text("00001\n09999\n")
    with pytest.raises(DataError, match="09999"):
        KITML(folder).ids("train")


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda f: (f / "Mean.npy").unlink(), r"not complete, missing: Mean\.npy"),
        (lambda f: shutil.rmtree(f / "texts"), r"missing: texts/"),
        (lambda f: (f / "new_joint_vecs" / "M000001.npy").unlink(), "motions are missing, 1 of the 2 .*: M000001;"),
        (lambda f: (f / "texts" / "000001.txt").unlink(), "caption files are missing, 1 of the 2"),
        (lambda f: (f / "val.txt").write_text("000001\n../../etc/passwd\n"), r"val\.txt, line 2: .* is no id"),
        (lambda f: (f / "val.txt").write_text("\n"), "is empty"),
        (lambda f: (f / "val.txt").write_bytes(b"\xff\xfe\x00a"), "cannot be read as text"),
        (lambda f: (f / "texts" / "000001.txt").write_text("a man#a/DET\n"), r"000001\.txt, line 1"),
        (lambda f: (f / "texts" / "000001.txt").write_text("a#a/DET#inf#2\n"), "no part of a clip"),
        (lambda f: np.save(f / "new_joint_vecs" / "000001.npy", np.zeros((50, 251))), r"\[50, 251\] instead"),
        (lambda f: np.save(f / "new_joint_vecs" / "000001.npy", np.array(["x"] * 263)[None]), "instead of numbers"),
        (lambda f: (f / "new_joint_vecs" / "000001.npy").write_bytes(b"<html>quota</html>"), "cannot be read|objects"),
        (lambda f: os.truncate(f / "new_joint_vecs" / "000001.npy", 5000), "cannot be read"),
        (lambda f: np.save(f / "Std.npy", np.zeros(263)), "above 0"),
        (lambda f: np.save(f / "Mean.npy", np.zeros(251)), r"instead of numbers \[263\]"),
    ],
)
def test_what_is_wrong_is_one_sentence(copy, spoil, words):
    spoil(copy)
    with pytest.raises(DataError, match=words) as caught:
        data = HumanML3D(copy)
        data.normaliser()
        list(data.samples("val"))
    assert "\n" not in str(caught.value)


class Touches:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("bare", [True, False])
def test_pickles_are_never_run(copy, tmp_path, bare):
    victim, trap = copy / "new_joint_vecs" / "000001.npy", Touches(tmp_path / "touched")
    if bare:
        victim.write_bytes(pickle.dumps(trap))
    else:
        np.save(victim, np.array([trap], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="Python objects"):
        HumanML3D(copy).features("000001")
    assert not (tmp_path / "touched").exists()


def test_a_header_that_claims_terabytes_allocates_nothing(copy):
    path = copy / "new_joint_vecs" / "000001.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 263)})
        file.write(b"\0" * 64)
    with pytest.raises(DataError, match="cannot be read"):
        HumanML3D(copy).features("000001")


def test_a_folder_one_level_off_is_told_where_the_data_lie(folder, tmp_path):
    with pytest.raises(DataError, match=f"seems to lie in {folder}; give that folder"):
        HumanML3D(folder.parent)
    with pytest.raises(DataError, match=f"seems to lie in {folder}; give that folder"):
        HumanML3D(folder / "texts")
    with pytest.raises(DataError, match="no such folder"):
        HumanML3D(tmp_path / "none")
    with pytest.raises(DataError, match="unpack it"):
        HumanML3D(folder / "Mean.npy")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="this is not HumanML3D"):
        HumanML3D(tmp_path / "empty")
