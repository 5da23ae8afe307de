import zipfile

import numpy as np
import pytest
from tests.data.leaks import leaks
from tests.data.published import write_archive
from tests.data.test_prepare import TOES, heading_of
from tests.published_layouts import style100, xsens_bvh

from motifmix.data import captions as words
from motifmix.data.describe import describe
from motifmix.data.labels import CONTENTS, MORE_CONTENTS, STYLES, mirrored_style, more_styles, plain, style_names
from motifmix.data.prepare import prepare
from motifmix.data.prepared import Prepared
from motifmix.data.style100 import style_label
from motifmix.errors import DataError
from motifmix.motion.contacts import RESTING_TOE_HEIGHT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return style100(tmp_path_factory.mktemp("data") / "100STYLE")


@pytest.fixture(scope="module")
def data(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared") / "out"
    assert "| train | 30 |" in prepare("100style", folder, out)
    return Prepared(out)


def test_recordings_become_pieces_at_thirty_frames_on_our_skeleton(data):
    pieces = [clip for clip in data.clips if clip.id.startswith("100style/Angry_FW") and not clip.mirror_of]
    assert [clip.split for clip in pieces] == ["train"] * 5 + ["dropped"] + ["test"] * 2
    assert sum(clip.frames for clip in pieces) == pytest.approx(3860 / 2, abs=8)  # the T-poses at both ends are cut
    assert leaks(list(data.clips)) == []
    for clip in pieces[:3]:
        motion = data.motion(clip)
        assert abs(heading_of(motion)) < 3.0 and np.abs(motion.root[0, [0, 2]]).max() < 1e-6
        lowest = motion.joints[:, TOES, 1].min(axis=1)
        assert abs(np.median(lowest) - RESTING_TOE_HEIGHT) < 0.02
        travel = motion.root[-1] - motion.root[0]
        assert travel[2] == pytest.approx(motion.frames / 30, rel=0.15)
        arms = motion.joints[:, [18, 19]] - motion.joints[:, [16, 17]]
        assert (arms[..., 1] < -0.1).all()  # they hang: no frame of the T-pose is left


def test_labels_captions_and_mirror_images(data):
    assert {clip.content for clip in data.clips} == {"forward-walk", "idle"}
    assert data.by_id["100style/Angry_FW_00"].style == "angry"
    limp = data.by_id["100style/LimpLeft_ID_00"]
    assert limp.style == "limp-left" and data.by_id[limp.id + ":mirrored"].style == "limp-right"
    assert data.by_id["100style/Zombie_FW_03:mirrored"].style == "zombie"
    assert "a person walks about" in words.captions("forward-walk")
    assert "CC BY 4.0" in data.card["credit"] and data.card["dataset"] == "100style"
    assert "zombie" in describe(data.folder) or (data.folder / "table.png").exists()


def test_flat_folders_archives_and_other_files_do(folder, tmp_path, data):
    flat = style100(tmp_path / "flat" / "bvh", flat=True)
    (flat / "._Angry_FW.bvh").write_bytes(b"junk of a file manager")
    prepare("100style", flat.parent, tmp_path / "a")
    files = {f"100STYLE/{p.relative_to(folder)}": p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    prepare("100style", write_archive(files, tmp_path / "100style.tar.xz"), tmp_path / "b")
    with zipfile.ZipFile(tmp_path / "100style.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    prepare("100style", tmp_path / "100style.zip", tmp_path / "c")
    for name in ("clips.jsonl", "root.npy", "rotations.npy"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "c" / name).read_bytes()
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert (tmp_path / "a" / name).read_bytes() == (data.folder / name).read_bytes()


@pytest.mark.parametrize(
    "table, message",
    [
        ("STYLE_NAME,FW_START,FW_STOP\nAngry,10,200\nProud,10,200\n", r"1 of the 2 recordings .*: Proud_FW\.bvh"),
        ("STYLE_NAME,FW_START,FW_STOP\nAngry,200,10\n", "line 2: FW is cut from 200 to 10"),
        ("STYLE_NAME,FW_START,FW_STOP\nAngry,N/A,10\n", "line 2: FW is cut from 'N/A' to '10'"),
        ("STYLE_NAME,FW_START,FW_STOP\nAngry,1e400,10\n", "line 2: FW is cut"),
        ("STYLE_NAME,FW_START,FW_STOP\n../../Angry,10,200\n", "is no style of the 100STYLE"),
        ("STYLE_NAME,FW_START,FW_STOP\nAngry,10\n", "line 2 has 2 fields instead of 3"),
        ("STYLE_NAME,FW_START,FW_STOP\nAngry,N/A,N/A\n", "names no recording"),
        ("<html>quota exceeded</html>", "its first line names no STYLE_NAME"),
        ("", "its first line"),
        ("STYLE_NAME,FW_START,FW_STOP\nAngry,10,9000\n", r"Angry_FW\.bvh cannot be used: it has 200 frames"),
    ],
)
def test_what_is_wrong_with_the_table_is_one_sentence(tmp_path, table, message):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Angry_FW.bvh").write_bytes(xsens_bvh(200))
    (tmp_path / "in" / "Frame_Cuts.csv").write_text(table)
    with pytest.raises(DataError, match=message) as caught:
        prepare("100style", tmp_path / "in", tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_a_damaged_zip_is_one_sentence(tmp_path):
    path = tmp_path / "100style.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Frame_Cuts.csv", "STYLE_NAME,FW_START,FW_STOP\nAngry,10,200\n")
        archive.writestr("Angry_FW.bvh", xsens_bvh(200))
    data = bytearray(path.read_bytes())
    data[data.index(b"HIERARCHY") + 30] ^= 255
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"Angry_FW\.bvh cannot be unpacked"):
        prepare("100style", path, tmp_path / "out")


def test_a_folder_without_the_table_is_not_the_dataset(tmp_path):
    (tmp_path / "Angry_FW.bvh").write_bytes(xsens_bvh(100))
    with pytest.raises(DataError, match=r"no Frame_Cuts\.csv inside"):
        prepare("100style", tmp_path, tmp_path / "out")


def test_every_style_and_content_has_words_that_nothing_keeps_back():
    assert len({*more_styles(), "angry", "normal", "elderly", "proud"}) == 100 and not set(more_styles()) & set(STYLES)
    kept_back = {plain(p) for s in STYLES for p in (*words.held_out_style_phrases(s), *words.hard_style_phrases(s))}
    for style in more_styles():
        phrases = words.style_phrases(style)
        assert len(phrases) >= 2 and not kept_back & {plain(p) for p in phrases if p != style}, style
        assert mirrored_style(mirrored_style(style)) == style
    held_out = {words.surface_free(c) for n in CONTENTS for c in (*words.held_out_captions(n), *words.hard_captions(n))}
    for content in MORE_CONTENTS:
        assert len(words.captions(content)) >= 4
        assert not held_out & {words.surface_free(caption) for caption in words.captions(content)}
    assert mirrored_style("spin-clock") == "spin-anti-clock" and mirrored_style("elderly") == "elderly"


def test_names_of_the_hundred_become_labels():
    assert style_label("ArmsAboveHead") == "arms-above-head" and style_label("Old") == "elderly"
    with pytest.raises(DataError, match="no style"):
        style_label("Ninja")
    assert style_names(["zombie", "cat", "proud", "angry", None, "cat"]) == ("angry", "proud", "cat", "zombie")
    assert style_names(reversed(STYLES)) == STYLES
