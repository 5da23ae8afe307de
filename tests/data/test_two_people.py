import shutil

import numpy as np
import pytest
from tests.published_layouts import (
    INTER_X_IDS,
    humanml3d_262,
    inter_x,
    inter_x_processed,
    inter_x_recording,
    interhuman,
    interhuman_person,
)

from motifmix.data.registry import open_dataset
from motifmix.errors import DataError
from motifmix.features.inter_x import network_rows, stored_rows
from motifmix.features.interhuman import InterHumanSpace


@pytest.fixture
def pairs(tmp_path):
    return interhuman(tmp_path / "InterHuman", without=("301",))


@pytest.fixture
def raw(tmp_path):
    return inter_x(tmp_path / "Inter-X_Dataset")


def test_pairs_come_in_the_first_ones_frame(pairs):
    data = open_dataset("interhuman", pairs)
    samples = {sample.id: sample for sample in data.samples("train")}
    assert list(samples) == ["15", "80", "301"] and data.left_out == {"14": "has 14 frames"}
    assert [s.features.shape for s in samples.values()] == [(2, 14, 262), (2, 79, 262), (2, 299, 262)]
    joints = InterHumanSpace().to_joints(samples["80"].features)
    np.testing.assert_allclose(joints[0, 0, 0, [0, 2]], 0.0, atol=1e-6)
    assert np.linalg.norm(joints[1, 0, 0, [0, 2]]) == pytest.approx(np.hypot(0.3, 1.5), abs=1e-3)
    assert [c.text for c in samples["80"].captions] == [
        "two people walk to the left.",
        "two people meet.",
        "they greet.",
    ]


def test_mirrored_and_exchanged_people_keep_their_own_words(pairs):
    data = open_dataset("interhuman", pairs, individual_captions=True)
    plain = data.sample("80", first=10, frames=31)
    twin = data.sample("80", first=10, frames=31, mirrored=True, exchanged=True)
    assert plain.frames == 30 and twin.mirror_of == "80" and twin.id == "80:mirrored"
    assert plain.individual_captions[0][0].text == "the first one lifts the left hand."
    assert twin.individual_captions[0][0].text == "the second one lifts the right hand."
    assert twin.individual_captions[1][1].text == "one walks counterclockwise."
    assert twin.captions[0].text == "two people walk to the right."
    exchanged = data.sample("80", first=10, frames=31, exchanged=True)
    np.testing.assert_allclose(InterHumanSpace().to_joints(exchanged.features)[0, 0, 0, [0, 2]], 0.0, atol=1e-6)
    with pytest.raises(DataError, match=r"annots_individual.person1.301\.txt is missing"):
        data.sample("301")


def test_lists_may_lie_beside_the_motions_and_name_what_to_ignore(pairs):
    for path in (pairs / "split").iterdir():
        shutil.move(path, pairs / path.name)
    (pairs / "ignore_list.txt").write_text("80\n")
    assert open_dataset("interhuman", pairs).ids("train") == ("14", "15", "301")


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda f: shutil.rmtree(f / "motions_processed" / "person2"), "missing: motions_processed/person2/"),
        (
            lambda f: (f / "motions_processed" / "person2" / "80.npy").unlink(),
            "person2 motions are missing, 1 of the 4",
        ),
        (lambda f: shutil.rmtree(f / "split"), r"missing: split/train\.txt"),
        (lambda f: (f / "annots" / "15.txt").unlink(), "caption files are missing"),
        (
            lambda f: np.save(f / "motions_processed" / "person2" / "80.npy", interhuman_person(79)),
            "79 frames, person1 has 80",
        ),
        (
            lambda f: np.save(f / "motions_processed" / "person1" / "80.npy", np.zeros((80, 262))),
            r"\[80, 262\] instead",
        ),
    ],
)
def test_what_is_wrong_with_pairs_is_one_sentence(pairs, spoil, words):
    spoil(pairs)
    with pytest.raises(DataError, match=words):
        list(open_dataset("interhuman", pairs).samples("train"))


def test_a_clip_without_numbers_or_words_is_passed_over_and_named(pairs):
    broken = interhuman_person(80)
    broken[7, 3] = np.nan
    np.save(pairs / "motions_processed" / "person2" / "80.npy", broken)
    (pairs / "annots" / "15.txt").write_text("\n  \n")
    data = open_dataset("interhuman", pairs)
    assert [sample.id for sample in data.samples("train")] == ["301"]
    reasons = {"14": "has 14 frames", "15": "holds no sentence", "80": "holds values that are no numbers"}
    assert data.left_out == reasons
    # Whoever asks for the clip itself, in the middle of training or measuring, is told which file and what to do.
    with pytest.raises(DataError, match=r"person2.80\.npy: holds .* fetch it again, or name 80 in ignore_list\.txt"):
        data.sample("80")
    with pytest.raises(DataError, match=r"annots.15\.txt: holds no sentence; fetch it again, or name 15 in"):
        data.sample("15")
    (pairs / "ignore_list.txt").write_text("80\n15\n")
    assert open_dataset("interhuman", pairs).ids("train") == ("14", "301")
    told = open_dataset("interhuman", pairs, individual_captions=True)
    (pairs / "annots_individual" / "person2" / "14.txt").write_text("")
    with pytest.raises(DataError, match=r"annots_individual.person2.14\.txt: holds no sentence"):
        told.captions("14")


def test_a_folder_one_level_off_and_absent_statistics_are_told(pairs):
    with pytest.raises(DataError, match="InterHuman seems to lie in"):
        open_dataset("interhuman", pairs.parent)
    with pytest.raises(DataError, match=r"global_mean\.npy is missing"):
        open_dataset("interhuman", pairs).normaliser()


@pytest.mark.parametrize("vectors", ["interhuman", "joints_vec"])
def test_single_people_in_the_same_numbers(tmp_path, vectors):
    data = open_dataset("humanml3d-262", humanml3d_262(tmp_path / "HumanML3D", vectors))
    samples = list(data.samples("train"))
    assert [(s.id, s.features.shape) for s in samples] == [("000000", (20, 262)), ("000001", (100, 262))]
    assert samples[0].captions[0].text == "a person walks forward." and "000002" in data.left_out


def test_inter_x_as_downloaded_and_as_processed_are_the_same(raw, tmp_path):
    pytest.importorskip("h5py")
    processed = open_dataset("inter-x", inter_x_processed(tmp_path / "processed", raw))
    data = open_dataset("inter-x", raw)
    assert processed.is_processed and not data.is_processed
    for split in ("train", "test"):
        for a, b in zip(data.samples(split), processed.samples(split), strict=True):
            assert a.id == b.id and a.space == "inter_x_672" and a.fps == 30
            np.testing.assert_allclose(a.features, b.features, atol=1e-5)
            assert len(a.captions) == len(b.captions) == 3 and b.captions[0].tokens[0] == "two/NUM"
    assert [s.frames for s in data.samples("train")] == [50, 30]
    last = next(data.samples("test"))
    assert last.frames == 150 and last.content == "Fly kiss"


def test_inter_x_rows_hold_both_people_and_the_path(raw):
    data = open_dataset("inter-x", raw)
    stored = data.stored(INTER_X_IDS[0], "train")
    one, two = inter_x_recording(200, 1), inter_x_recording(200, 2)
    np.testing.assert_allclose(stored[3, 1:22, :3], one["pose_body"][12], atol=1e-6)
    np.testing.assert_allclose(stored[3, 40:55, 3:], two["pose_rhand"][12], atol=1e-6)
    np.testing.assert_allclose(stored[0, 55], np.r_[0, 0, 0, two["trans"][0] - one["trans"][0]], atol=1e-6)
    assert not stored[:, 22:25].any()
    rows = network_rows(stored).reshape(-1, 56, 12)
    np.testing.assert_allclose(rows[5, 55], np.r_[stored[5, 55, :3], 0, 0, 0, stored[5, 55, 3:], 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(rows[5, 22], [1, 0, 0, 0, 1, 0] * 2, atol=1e-6)
    np.testing.assert_allclose(stored_rows(network_rows(stored)), stored, atol=1e-5)


def test_what_is_wrong_with_inter_x_is_one_sentence(raw, tmp_path):
    h5py = pytest.importorskip("h5py")
    processed = inter_x_processed(tmp_path / "processed", raw)
    with h5py.File(processed / "motions" / "train.h5", "a") as file:
        del file[INTER_X_IDS[0]]
    with pytest.raises(DataError, match=f"1 of the 2 that its lists name: {INTER_X_IDS[0]}"):
        open_dataset("inter-x", processed).ids("train")
    with h5py.File(processed / "motions" / "val.h5", "w") as file:
        file.create_dataset(INTER_X_IDS[0], (10**9, 56, 6), "f4", chunks=(1, 56, 6))
    with pytest.raises(DataError, match="T up to 999"):
        list(open_dataset("inter-x", processed).samples("val"))
    with h5py.File(processed / "motions" / "val.h5", "w") as file:
        file[INTER_X_IDS[0]] = h5py.ExternalLink("train.h5", INTER_X_IDS[1])
    with pytest.raises(DataError, match="is no array in this file"):
        list(open_dataset("inter-x", processed).samples("val"))
    (processed / "motions" / "test.h5").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"test\.h5: cannot be read"):
        open_dataset("inter-x", processed).ids("test")
    (raw / "texts" / f"{INTER_X_IDS[0]}.txt").write_text("")
    data = open_dataset("inter-x", raw)
    assert [s.id for s in data.samples("train")] == [INTER_X_IDS[1]]
    assert data.left_out == {INTER_X_IDS[0]: "has no caption"}
    path = raw / "motions" / INTER_X_IDS[0] / "P1.npz"
    np.savez_compressed(path, **{**inter_x_recording(8, 0), "betas": np.zeros((1, 1 << 26))})
    with pytest.raises(DataError, match="it holds more than 256 MB"):
        list(open_dataset("inter-x", raw).samples("train"))
    np.savez(path, trans=np.zeros((9, 3)))
    with pytest.raises(DataError, match="is no recording with"):
        list(open_dataset("inter-x", raw).samples("train"))
    np.savez(path, **{**inter_x_recording(8, 0), "trans": np.array([{}] * 8, dtype=object)}, allow_pickle=True)
    with pytest.raises(DataError, match="Object arrays cannot be loaded"):
        list(open_dataset("inter-x", raw).samples("train"))
    path.unlink()
    with pytest.raises(DataError, match="P1 motions are missing, 1 of the 2"):
        open_dataset("inter-x", raw).ids("train")
    with pytest.raises(DataError, match="Inter-X seems to lie in"):
        open_dataset("inter-x", raw.parent)
