"""Files appear whole or not at all."""

import os

import pytest

from motifmix.atomic import replacing, replacing_all
from motifmix.errors import FileError


def names(folder) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_appears_only_at_the_end(tmp_path):
    with replacing(tmp_path / "walk.mp4") as temporary:
        assert temporary.parent == tmp_path and temporary.suffix == ".mp4"
        temporary.write_text("half")
        assert not (tmp_path / "walk.mp4").exists()
        temporary.write_text("whole")
    assert names(tmp_path) == ["walk.mp4"]
    assert (tmp_path / "walk.mp4").read_text() == "whole"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, ValueError])
def test_an_interruption_leaves_nothing_and_keeps_what_was_there(tmp_path, interruption):
    (tmp_path / "walk.bvh").write_text("old")
    with pytest.raises(interruption), replacing(tmp_path / "walk.bvh", force=True) as temporary:
        temporary.write_text("half")
        raise interruption
    assert names(tmp_path) == ["walk.bvh"]
    assert (tmp_path / "walk.bvh").read_text() == "old"


def test_a_full_disk_is_named(tmp_path):
    with pytest.raises(FileError, match=r"No space left.*nothing of it was left"), replacing(tmp_path / "a.npz"):
        raise OSError(28, "No space left on device")
    assert names(tmp_path) == []


def test_an_existing_file_is_kept_unless_forced(tmp_path):
    (tmp_path / "walk.bvh").write_text("old")
    with pytest.raises(FileError, match="--force"), replacing(tmp_path / "walk.bvh"):
        pytest.fail("the body must not run")
    with replacing(tmp_path / "walk.bvh", force=True) as temporary:
        temporary.write_text("new")
    assert (tmp_path / "walk.bvh").read_text() == "new"


def test_a_file_that_appears_meanwhile_is_kept(tmp_path):
    with pytest.raises(FileError, match="exists"), replacing(tmp_path / "walk.bvh") as temporary:
        temporary.write_text("mine")
        (tmp_path / "walk.bvh").write_text("somebody else's")
    assert (tmp_path / "walk.bvh").read_text() == "somebody else's"
    assert names(tmp_path) == ["walk.bvh"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.bvh").mkdir()
    for target in (tmp_path / "missing" / "walk.bvh", tmp_path / "file" / "walk.bvh", tmp_path / "folder.bvh"):
        with pytest.raises(FileError), replacing(target, force=True):
            pytest.fail("the body must not run")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_locked_folder_is_named(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(FileError, match="cannot be written"), replacing(locked / "walk.bvh"):
        pytest.fail("the body must not run")


def test_several_files_appear_together(tmp_path):
    paths = [tmp_path / "a.bvh", tmp_path / "b.bvh"]
    with pytest.raises(KeyboardInterrupt), replacing_all(paths) as temporaries:
        temporaries[0].write_text("first")
        raise KeyboardInterrupt
    assert names(tmp_path) == []
    with replacing_all(paths) as temporaries:
        for temporary in temporaries:
            temporary.write_text("x")
    assert names(tmp_path) == ["a.bvh", "b.bvh"]


def test_long_names_and_foreign_scripts_fit(tmp_path):
    target = tmp_path / ("歩" * 80 + ".bvh")
    with replacing(target) as temporary:
        temporary.write_text("x")
    assert target.read_text() == "x"
