"""NumPy archives: what is written is read again, and what could harm is refused."""

import io
import pickle
import re
import tracemalloc
import zipfile

import numpy as np
import pytest
from tests.files.bvh_texts import bvh_text, walk

from motifmix.errors import FileError, ParseError
from motifmix.files import read, write
from motifmix.motion import rotations as rot
from motifmix.motion.motion import Motion, Scene
from motifmix.motion.skeleton import JOINT_NAMES, MOTIFMIX


def arrays(**changes) -> dict[str, np.ndarray]:
    motion = walk()
    content = {"joints": motion.joints, "rotations": motion.rotations, "root": motion.root, "fps": np.array(30.0)}
    content |= changes
    return {name: value for name, value in content.items() if value is not None}


def test_a_motion_comes_back_with_its_labels(tmp_path):
    motion = walk().with_labels(text="a person walks", style="old", seed=7, credit="Somebody", unknown=object())
    assert write(tmp_path / "walk.npz", motion) == (tmp_path / "walk.npz",)
    again = read(tmp_path / "walk.npz").people[0]
    assert np.abs(again.joints - motion.joints).max() < 1e-5
    assert rot.angle_between(again.rotations, motion.rotations).max() < 1e-5
    wanted = {"text": "a person walks", "style": "old", "seed": 7, "credit": "Somebody"}
    assert {name: again.labels[name] for name in wanted} == wanted
    assert again.fps == 30.0


def test_other_programs_find_what_the_readme_promises(tmp_path):
    write(tmp_path / "walk.npz", walk().with_labels(text="a person walks", seed=7))
    with np.load(tmp_path / "walk.npz", allow_pickle=False) as archive:
        joints, rotations = archive["joints"], archive["rotations"]
        assert joints.dtype == np.float32 and joints.shape == (45, 22, 3)
        assert np.allclose(np.linalg.norm(rotations, axis=-1), 1.0, atol=1e-6)
        assert archive["root"].shape == (45, 3)
        assert (float(archive["fps"]), str(archive["text"]), int(archive["seed"])) == (30.0, "a person walks", 7)
    assert joints[:, JOINT_NAMES.index("head"), 1].min() > joints[:, JOINT_NAMES.index("left_ankle"), 1].max()


def test_the_same_motion_gives_the_same_bytes(tmp_path):
    write(tmp_path / "a.npz", walk())
    write(tmp_path / "b.npz", walk())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_another_skeleton_is_retargeted_first(tmp_path):
    (tmp_path / "walk.bvh").write_text(bvh_text(walk()))
    foreign = read(tmp_path / "walk.bvh")
    assert not foreign.people[0].skeleton.same_as(MOTIFMIX)
    write(tmp_path / "walk.npz", foreign)
    assert np.abs(read(tmp_path / "walk.npz").people[0].joints - walk().joints).max() < 0.01


def test_people_share_an_archive_and_come_back_with_what_is_theirs(tmp_path):
    one, other = walk().with_labels(text="one bows", interaction="two greet", seed=3), walk().moved(np.ones(3))
    assert write(tmp_path / "duet.npz", Scene((one, other))) == (tmp_path / "duet.npz",)
    with np.load(tmp_path / "duet.npz", allow_pickle=False) as archive:
        assert archive["joints"].shape == (2, 45, 22, 3) and archive["text"].tolist() == ["one bows", ""]
    first, second = read(tmp_path / "duet.npz")
    assert np.abs(second.joints - first.joints - 1.0).max() < 1e-5 and first.fps == second.fps == 30.0
    assert (first.labels["text"], first.labels["interaction"]) == ("one bows", "two greet")
    assert "text" not in second.labels


def test_people_of_unlike_length_do_not_fit_into_one_archive(tmp_path):
    with pytest.raises(FileError, match="differ in length"):
        write(tmp_path / "duet.npz", Scene((walk(), walk().cropped(0, 30))))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("changes", [{"root": walk().root}, {"root": np.zeros((3, 45, 3))}, {"joints": None}])
def test_arrays_of_other_people_are_refused(tmp_path, changes):
    pair = {name: value if name == "fps" else np.stack([value] * 2) for name, value in arrays().items()}
    pair |= (
        changes if "joints" not in changes else {"joints": np.zeros((65, 45, 22, 3)), "rotations": pair["rotations"]}
    )
    np.savez(tmp_path / "duet.npz", **pair)
    with pytest.raises(ParseError, match="do not hold the same people"):
        read(tmp_path / "duet.npz")


def test_an_archive_without_root_takes_it_from_the_joints(tmp_path):
    np.savez(tmp_path / "walk.npz", **arrays(root=None))
    assert np.allclose(read(tmp_path / "walk.npz").people[0].root, walk().root)


def test_joint_positions_alone_are_fitted_and_said_so(tmp_path):
    np.savez(tmp_path / "walk.npz", **arrays(rotations=None, root=None))
    motion = read(tmp_path / "walk.npz").people[0]
    assert np.abs(motion.joints - walk().joints).max() < 1e-3
    assert "fitted" in motion.labels["source"]["warnings"][0]


@pytest.mark.parametrize(
    ("joints", "words"),
    [
        (0.6 * walk().joints, ""),
        (walk().joints[:, ::-1], r"They lie \d\d cm from the fitted joints in the mean"),
        (np.random.default_rng(0).normal(size=(20, 22, 3)) * 3.0, r"They lie \d\d\d cm from the fitted joints"),
    ],
    ids=["a child", "another order", "at random"],
)
def test_joints_that_are_hardly_a_persons_are_said_with_the_figure(tmp_path, joints, words):
    np.savez(tmp_path / "walk.npz", joints=joints, fps=30.0)
    said = read(tmp_path / "walk.npz").people[0].labels["source"]["warnings"][0]
    assert re.search(words, said) if words else "They lie" not in said


def test_a_leap_that_no_body_does_is_said(tmp_path):
    root = walk().root + np.where(np.arange(45) == 7, 300.0, 0.0)[:, None] * [1.0, 0.0, 0.0]
    np.savez(tmp_path / "walk.npz", **arrays(root=root, joints=None))
    (said,) = read(tmp_path / "walk.npz").people[0].labels["source"]["warnings"]
    assert re.search(r"From frame [67] to frame [78] the person moves at [89],\d{3} m/s, the worst of 2", said)


def test_quaternions_of_no_length_are_refused_before_anything_is_computed_from_them(tmp_path):
    np.savez_compressed(
        tmp_path / "walk.npz", rotations=np.zeros((100_000, 22, 4)), root=np.zeros((100_000, 3)), fps=30.0
    )
    tracemalloc.start()
    try:
        with pytest.raises(ParseError, match=r"no unit quaternions .* in frame 0"):
            read(tmp_path / "walk.npz")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1.5 * 100_000 * 22 * 4 * 8


@pytest.mark.parametrize(
    ("changes", "centimetres"),
    [
        ({"joints": np.add(walk().joints, [0.0, 0.5, 0.0])}, 50),
        ({"joints": np.where(np.arange(22)[:, None] == 20, np.add(walk().joints, [0.0, 0.0, 0.07]), walk().joints)}, 7),
        ({"joints": np.add(walk().joints, [0.0, 0.0, 0.01])}, None),
        ({}, None),
    ],
)
def test_joints_that_contradict_the_rotations_are_said(tmp_path, changes, centimetres):
    np.savez(tmp_path / "walk.npz", **arrays(**changes))
    motion = read(tmp_path / "walk.npz").people[0]
    said = motion.labels["source"]["warnings"]
    assert np.allclose(motion.joints, walk().joints, atol=1e-5)
    assert said == [] if centimetres is None else f"up to {centimetres} cm" in said[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rotations": None, "joints": None}, "no 'rotations' and no 'joints'"),
        ({"root": None, "joints": None}, "no 'root'"),
        ({"rotations": None, "joints": walk().joints[:, :21]}, r"shape \(45, 21, 3\)"),
        ({"rotations": None, "joints": np.full((45, 22, 3), np.inf)}, "in frame 0"),
        ({"rotations": None, "joints": np.zeros((45, 22, 3))}, "all 'joints' lie in one place in 45 of 45 frames"),
        (
            {"rotations": None, "joints": walk().joints * (np.arange(22) < 12)[:, None]},
            "no person can be fitted to 'joints' .*the left arm and the right arm have no length",
        ),
        ({"fps": None}, "needs 'fps'"),
        ({"fps": np.array(0.0)}, "needs 'fps'"),
        ({"fps": np.array("fast")}, "needs 'fps'"),
        ({"rotations": walk().rotations[:, :20]}, r"shape \(45, 20, 4\)"),
        ({"rotations": walk().rotations[:0]}, "shape"),
        ({"rotations": 2.0 * walk().rotations}, "unit quaternions"),
        ({"rotations": np.where(np.arange(45)[:, None, None] == 7, np.nan, walk().rotations)}, "in frame 7"),
        ({"root": walk().root[:-1]}, "45 frames and 'root' 44"),
        ({"joints": walk().joints[:-1]}, "45 frames and 'joints' 44"),
        ({"root": np.full((45, 3), 1e9)}, "1,000 km"),
        ({"root": np.full((45, 3), "a")}, "not numbers"),
    ],
)
def test_an_archive_that_does_not_fit_is_refused(tmp_path, changes, words):
    np.savez(tmp_path / "walk.npz", **arrays(**changes))
    with pytest.raises(FileError, match=words):
        read(tmp_path / "walk.npz")


class Harm:
    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle ran')",)


def _archive(path, name: str, content: bytes) -> None:
    np.savez(path, **arrays(**{name: None}))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.npy", content)


def _header(shape: tuple[int, ...], dtype: str) -> bytes:
    whole = io.BytesIO()
    np.lib.format.write_array_header_1_0(whole, {"descr": dtype, "fortran_order": False, "shape": shape})
    return whole.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    {
        "a pickle": (_header((1,), "|O") + pickle.dumps(Harm()), "never objects"),
        "a bare pickle": (pickle.dumps(Harm()), "no NumPy array"),
        "a huge shape": (_header((10**15, 22, 4), "<f8"), "cannot be a motion's"),
        "an overflowing shape": (_header((2**40, 2**40, 4), "<f8"), "cannot be a motion's"),
        "a bomb": (_header((2_000_000, 22, 4), "<f8") + bytes(4_000_000), "cannot be a motion's"),
        "a shape beyond its bytes": (_header((45, 22, 4), "<f8") + bytes(100), "cannot be a motion's"),
        "a long header": (b"\x93NUMPY\x02\x00" + (50_000).to_bytes(4, "little") + b" " * 50_000, "no NumPy array"),
        "nothing": (b"", "no NumPy array"),
    }.values(),
)
def test_a_hostile_array_is_refused(tmp_path, content, words):
    _archive(tmp_path / "walk.npz", "rotations", content)
    with pytest.raises(ParseError, match=words):
        read(tmp_path / "walk.npz")


def test_damaged_archives_are_refused(tmp_path):
    path = tmp_path / "walk.npz"
    write(path, walk())
    whole = path.read_bytes()
    for damaged in (b"", b"PK", whole[: len(whole) // 2], whole[:400] + bytes(200) + whole[600:]):
        path.write_bytes(damaged)
        with pytest.raises(ParseError):
            read(path)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1000):
            archive.writestr(f"{number}.npy", b"")
    with pytest.raises(ParseError, match="1000 arrays"):
        read(path)


def test_an_existing_archive_is_kept_unless_forced(tmp_path):
    write(tmp_path / "walk.npz", walk())
    with pytest.raises(FileError, match="--force"):
        write(tmp_path / "walk.npz", walk(10))
    write(tmp_path / "walk.npz", walk(10), force=True)
    assert read(tmp_path / "walk.npz").people[0].frames == 10


def test_an_own_frame_rate_can_be_asked_for(tmp_path):
    motion = Motion(MOTIFMIX, walk().rotations, walk().root, 20.0)
    write(tmp_path / "walk.npz", motion, fps=40.0)
    assert read(tmp_path / "walk.npz").people[0].frames == 89
