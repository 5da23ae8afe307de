import shutil

import numpy as np
import pytest
from tests.published_layouts import guo_features, style100_humanml3d

from motifmix.data.registry import open_dataset
from motifmix.data.style100_humanml3d import read_demo_reference
from motifmix.errors import DataError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return style100_humanml3d(tmp_path_factory.mktemp("data") / "datasets")


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "datasets")


def test_clips_carry_style_number_and_content(folder):
    data = open_dataset("100style-humanml3d", folder)
    samples = {sample.id: sample for sample in data.samples("train")}
    assert len(samples) == 8 and data.left_out == {n: "has 230 frames" for n in ("030004", "M030004")}
    clip = samples["M030005"]
    assert (clip.style, clip.style_number, clip.content, clip.mirror_of) == ("Zombie", 99, "BR", "030005")
    assert [caption.text for caption in clip.captions] == ["someone walks angrily", "a man dances"]
    assert len(list(open_dataset("100style-humanml3d", folder, below=None).samples("train"))) == 10


def test_filter_lists_have_numbers_of_their_own_and_may_take_the_full_ones(folder):
    own = open_dataset("100style-humanml3d", folder, lists="filter")
    assert {s.style: s.style_number for s in own.samples("train")} == {"Angry": 1, "Zombie": 46}
    assert [s.id for s in own.samples("test")] == ["030001", "M030006"]
    full = open_dataset("100style-humanml3d", folder, lists="filter", dictionary="full")
    assert {s.style: s.style_number for s in full.samples("test")} == {"Angry": 2, "Zombie": 99}


def test_what_is_wrong_with_the_lists_is_said(folder):
    full = " ".join(open_dataset("100style-humanml3d", folder).warnings)
    assert "2 of 2 test clips have their mirror image among the training clips" in full
    assert "Zombie_BR_05.b030005vh" in full and "LimpLeft, LimpRight" in full and "twice" not in full
    kept = " ".join(open_dataset("100style-humanml3d", folder, lists="filter").warnings)
    assert "test_100STYLE_Filter.txt names clips twice: M030006" in kept
    assert "1 clips of the dictionary are in neither list: M030002" in kept and "damaged" not in kept
    mixed = open_dataset("100style-humanml3d", folder, lists="filter", dictionary="full").warnings
    assert not any("neither list" in sentence for sentence in mixed)


def test_contents_lie_in_the_same_folder(folder):
    contents = open_dataset("100style-humanml3d", folder).contents()
    assert {sample.id for sample in contents.samples("test")} == {"000004", "M000004"}


def test_references_of_the_demo(tmp_path):
    np.save(tmp_path / "Zombie_FW_03_feat.npy", guo_features(210).astype(np.float64))
    sample = read_demo_reference(tmp_path / "Zombie_FW_03_feat.npy")
    assert (sample.style, sample.content, sample.frames) == ("Zombie", "FW", 210)
    assert sample.features.dtype == np.float32


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda f: (f / "test_100STYLE_Full.txt").unlink(), r"not complete, missing: test_100STYLE_Full\.txt"),
        (lambda f: (f / "100STYLE_name_dict.txt").unlink(), r"missing: 100STYLE_name_dict\.txt"),
        (
            lambda f: (f / "100STYLE_name_dict.txt").write_text("030001 Angry_FW_00.bvh 2\n"),
            "10 ids of train_100STYLE_Full.txt",
        ),
        (lambda f: (f / "100STYLE_name_dict.txt").write_text("030001 Angry_FW_00.bvh 100\n"), "line 1: is not"),
        (lambda f: (f / "100STYLE_name_dict.txt").write_text("../1 Angry_FW_00.bvh 1\n"), "is no id"),
        (lambda f: (f / "new_joint_vecs" / "M030003.npy").unlink(), "motions are missing, 1 of the 10 .*: M030003;"),
        (lambda f: (f / "texts" / "M030003.txt").unlink(), "caption files are missing"),
        (lambda f: shutil.rmtree(f / "new_joint_vecs"), "missing: new_joint_vecs/"),
    ],
)
def test_what_is_missing_is_one_sentence(copy, spoil, words):
    spoil(copy)
    with pytest.raises(DataError, match=words):
        list(open_dataset("100style-humanml3d", copy).samples("train"))


def test_lists_and_folders_that_do_not_exist(folder):
    with pytest.raises(DataError, match="full and filter"):
        open_dataset("100style-humanml3d", folder, lists="Full")
    with pytest.raises(DataError, match="seems to lie in"):
        open_dataset("100style-humanml3d", folder.parent)
    with pytest.raises(DataError, match="no dataset with a reader"):
        open_dataset("100styles", folder)
