"""Names made from words, and targets that are checked before any work."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifmix.apps import outputs
from motifmix.apps.requests import checked
from motifmix.errors import FileError

SUFFIXES = (".bvh", ".npz")


def check(*paths, force=False):
    outputs.check_targets([Path(path) for path in paths], force=force, suffixes=SUFFIXES)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("a person walks forward", "a-person-walks-forward"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\Windows\\System32", "C-Windows-System32"),
        ("...", "motion"),
        ("", "motion"),
        ("con", "motion-con"),
        ("NUL.txt", "motion-NUL.txt"),
        ('what? "now": <go>|*', "what-now-go"),
        ("歩く人", "歩く人"),
        (".hidden", "hidden"),
        ("take_2.v3", "take_2.v3"),
    ],
)
def test_names_are_safe_on_every_system(words, name):
    assert outputs.slug(words) == name


@given(st.text(max_size=300))
def test_no_words_leave_the_folder_or_make_a_name_that_is_too_long(words):
    name = outputs.slug(words)
    assert name and len(name.encode()) <= 110
    assert not set(name) & set('/\\:*?"<>|\0\n\t') and not name.startswith(".") and not name.endswith(".")
    assert Path(name).name == name and ".." not in name


def test_a_result_is_named_after_text_and_style(tmp_path):
    (tmp_path / "Proud Queen.bvh").write_text("x")
    request = checked(["old:0.7", str(tmp_path / "Proud Queen.bvh")], text="A person walks!")
    assert outputs.default_name(request) == "a-person-walks_old-proud-queen"
    assert outputs.default_name(checked(text="jump")) == "jump"
    assert len(outputs.default_name(checked(["very " * 100] * 3, text="walk " * 200))) < 200


def test_takes_are_numbered_only_when_there_are_several():
    assert outputs.takes(Path("a/walk.bvh"), 1) == [Path("a/walk.bvh")]
    assert outputs.takes(Path("a/walk.bvh"), 2) == [Path("a/walk_1.bvh"), Path("a/walk_2.bvh")]


def test_an_existing_file_is_kept_unless_forced(tmp_path):
    target = tmp_path / "walk.bvh"
    target.write_text("mine")
    with pytest.raises(FileError, match=r"exists already.*--force"):
        check(tmp_path / "new.npz", target)
    check(target, force=True)
    assert target.read_text() == "mine" and os.listdir(tmp_path) == ["walk.bvh"]


def test_targets_that_cannot_be_are_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.bvh").mkdir()
    (tmp_path / "broken.bvh").symlink_to(tmp_path / "nowhere" / "x")
    for path, words in [
        (tmp_path / "walk.fbx", r"suffix '.fbx' is unknown; use one of .bvh, .npz"),
        (tmp_path / "walk", "no suffix"),
        (tmp_path / "none" / "walk.bvh", "does not exist"),
        (tmp_path / "file" / "walk.bvh", "is a file, not a folder"),
        (tmp_path / "folder.bvh", "is a folder"),
        (tmp_path / "broken.bvh", "exists already"),
        (tmp_path / ("x" * 300 + ".bvh"), "cannot be written"),
    ]:
        with pytest.raises(FileError, match=words):
            check(path)


def test_a_folder_without_permission_is_refused(tmp_path):
    if os.geteuid() == 0:  # permissions do not bind root: let the folder refuse in another way
        locked = Path("/proc/self")
    else:
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
    with pytest.raises(FileError, match="choose another"):
        check(locked / "walk.bvh")


def test_one_file_cannot_be_two_targets(tmp_path):
    with pytest.raises(FileError, match="named twice"):
        check(tmp_path / "walk.bvh", tmp_path / "a" / ".." / "walk.bvh")


def test_a_folder_for_many_is_made_with_its_parents(tmp_path):
    outputs.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir() and not os.listdir(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="cannot be made"):
        outputs.make_folder(tmp_path / "file" / "b")
