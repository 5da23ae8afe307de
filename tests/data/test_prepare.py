import json
from pathlib import Path

import numpy as np
import pytest
from tests.data.leaks import leaks
from tests.data.published import bandai_files, cmu_entry, cmu_files, write_archive, write_folder

from motifmix.data.describe import describe
from motifmix.data.prepare import prepare
from motifmix.data.prepared import Prepared
from motifmix.data.reserved import is_reserved, text_hash
from motifmix.errors import DataError
from motifmix.motion import MOTIFMIX
from motifmix.motion.contacts import RESTING_TOE_HEIGHT

TOES, HEAD = [10, 11], 15


def heading_of(motion):
    across = motion.joints[0, [1, 16]] - motion.joints[0, [2, 17]]
    left = across.sum(0)
    return np.degrees(np.arctan2(-left[2], left[0]))


def bandai_clips():
    clips = {
        f"dataset-2_walk_active_{n:03d}": {"heading": 180 * (n % 2), "start": (20, -400), "speed": 1.2}
        for n in range(1, 13)
    }
    clips |= {f"dataset-2_run_feminine_{n:03d}": {"lift": 0.9, "heading": 40, "speed": 2.5} for n in range(1, 8)}
    clips |= {"dataset-2_walk-turn-left_masculine_006": {}, "dataset-2_walk-turn-left_normal_031": {}}
    clips |= {
        "dataset-1_bye_old_001": {},
        "dataset-1_dance-long_normal_001": None,
        "dataset-2_run_active_001": {"frames": 19},
    }
    return clips


@pytest.fixture(scope="module")
def bandai(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bandai")
    archive = write_archive(bandai_files(bandai_clips()), folder / "bandai.tar.xz")
    prepare("bandai", archive, folder / "out")
    return Prepared(folder / "out")


def cmu_entries():
    return [
        cmu_entry("35_01"),
        cmu_entry("35_02", "A person walks to the left.", source="kit"),
        cmu_entry("20_06", "a person marches like a soldier", description="soldiers march", partner="21_06"),
        cmu_entry("21_06", "a person marches like a soldier", description="soldiers march", partner="20_06"),
        cmu_entry("13_01", "a person climbs a ladder", flags=["floor_not_flat"]),
        cmu_entry("18_06", "a person waves", seconds=4.0, flags=["rotation_flip"]),
        cmu_entry("35_03", "Someone walks in a right bend.", source="kit", kit_id="00523_0"),
        cmu_entry("35_04", "some other words", source="kit", kit_id="00523_0"),
        cmu_entry("35_05", "SOMEONE walks in a right bend", source="kit"),
        cmu_entry("141_01", "Someone walks in a right bend.", source="kit", kit_id="00523_0"),
        cmu_entry("35_06", seconds=0.8),
    ]


@pytest.fixture(scope="module")
def cmu(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cmu")
    motions = {"18_06": {"flip_at": 50}, "35_02": {"heading": 77}}
    archive = write_archive(cmu_files(cmu_entries(), motions), folder / "cmu.tar.xz")
    prepare("cmu", archive, folder / "out")
    return Prepared(folder / "out")


@pytest.mark.parametrize("name", ["bandai", "cmu"])
def test_every_clip_is_a_person_who_stands_at_the_origin_and_looks_ahead(name, request):
    data = request.getfixturevalue(name)
    for clip in data.clips:
        motion = data.motion(clip)
        assert motion.skeleton is MOTIFMIX and motion.fps == 30 and motion.frames == clip.frames
        assert np.abs(motion.root[0, [0, 2]]).max() < 1e-6
        assert abs(heading_of(motion)) < 0.1
        assert abs(np.median(motion.joints[:, TOES, 1]) - RESTING_TOE_HEIGHT) < 0.005
        assert 1.4 < motion.joints[0, HEAD, 1] < 1.7
        bones = np.linalg.norm(motion.joints[:, 1:] - motion.joints[:, list(MOTIFMIX.parents[1:])], axis=-1)
        assert np.abs(bones - np.linalg.norm(MOTIFMIX.offsets[1:], axis=-1)).max() < 1e-5


@pytest.mark.parametrize("name, clip", [("bandai", "bandai-1/bye_old_001"), ("cmu", "cmu/35_01")])
def test_a_t_pose_arrives_as_our_rest_pose(name, clip, request):
    """The tiny datasets show a T-pose: a joint whose axes were taken wrongly would come in twisted."""
    data = request.getfixturevalue(name)
    rotations, _ = data.arrays(data.by_id[clip])
    angle = np.degrees(2 * np.arccos(np.clip(np.abs(rotations[0, :, 3]), 0, 1)))
    assert angle.max() < 25.0, angle.round(1)  # lopsided rests are some degrees off; wrong axes are 45 or 90


@pytest.mark.parametrize("name, clip, speed", [("bandai", "bandai-2/walk_active_003", 1.2), ("cmu", "cmu/35_02", 1.0)])
def test_walks_go_ahead_whatever_their_heading_was(name, clip, speed, request):
    data = request.getfixturevalue(name)
    motion = data.motion(data.by_id[clip])
    travel = motion.root[-1] - motion.root[0]
    assert travel[2] == pytest.approx(speed * (motion.frames - 1) / 30, rel=0.05)
    assert np.abs(travel[[0, 1]]).max() < 1e-3


@pytest.mark.parametrize("name", ["bandai", "cmu"])
def test_nothing_straddles_the_split(name, request):
    data = request.getfixturevalue(name)
    assert leaks(list(data.clips)) == []
    assert {clip.split for clip in data.clips} == {"train", "test", "dropped"}


def test_labels_are_merged_mended_and_excluded(bandai):
    assert bandai.by_id["bandai-1/bye_old_001"].style == "elderly"
    mended = bandai.by_id["bandai-2/walk-turn-left_masculine_006"]
    assert mended.content == "walk-turn-right" and "label_mended" in mended.flags
    assert bandai.by_id["bandai-2/walk-turn-left_normal_031"].split == "dropped"
    assert bandai.by_id["bandai-2/run_active_001"].split == "dropped"
    report = (bandai.folder / "report.md").read_text("utf-8")
    for words in ("several turns", "dance-long_normal_001", "shorter than 1 s", "between the blocks"):
        assert words in report


def test_a_lifted_session_comes_down_to_the_floor(bandai):
    heights = {
        style: np.median([bandai.motion(c).joints[:, TOES, 1].min() for c in bandai.select(split=None, style=style)])
        for style in ("active", "feminine")
    }
    assert abs(heights["active"] - heights["feminine"]) < 1e-4


def test_mirrored_clips_swap_sides_labels_and_words(bandai, cmu):
    turned = bandai.by_id["bandai-2/walk-turn-left_masculine_006:mirrored"]
    assert turned.content == "walk-turn-left" and turned.style == "masculine"
    waved = bandai.by_id["bandai-1/bye_old_001:mirrored"]
    assert waved.content == "bye" and waved.content_mirrored
    left = cmu.by_id["cmu/35_02"]
    right = cmu.by_id["cmu/35_02:mirrored"]
    assert right.captions == ("A person walks to the right.",) and right.split == left.split
    a, b = cmu.motion(left).joints, cmu.motion(right).joints
    np.testing.assert_allclose(b[:, 1], a[:, 2] * [-1, 1, 1], atol=1e-5)


def test_public_prompts_train_nothing(cmu):
    for clip in ("35_03", "35_04", "35_05"):
        assert cmu.by_id[f"cmu/{clip}"].split == "dropped"
    assert cmu.by_id["cmu/141_01"].split == "test"
    for clip in cmu.select(split="train"):
        assert not any(is_reserved(None, caption) for caption in clip.captions)


def test_the_reserved_prompts_are_known_by_id_and_by_words():
    assert is_reserved("00523_0", "anything")
    assert is_reserved(None, "someone walks, in a right  bend")
    assert not is_reserved("00523_1", "a person walks forward")
    assert text_hash("A b.") == text_hash("a  B") != text_hash("ab")


def test_all_public_prompts_are_reserved():
    prompts = json.loads((Path(__file__).parent / "public_prompts.json").read_text("utf-8"))["prompts"]
    assert len(prompts) == 150
    assert all(is_reserved(None, prompt) for prompt in prompts)


def test_a_flip_cuts_the_take_and_its_caption(cmu):
    pieces = [clip for clip in cmu.clips if clip.id.startswith("cmu/18_06.") and not clip.mirror_of]
    assert [clip.frames for clip in pieces] == [50, 70]
    assert all(not clip.whole_take and clip.captions == () and clip.text_rule == "none" for clip in pieces)


def test_two_people_know_each_other_and_ladders_have_no_floor(cmu):
    assert cmu.by_id["cmu/20_06"].partner == "cmu/21_06"
    assert cmu.by_id["cmu/20_06"].split == cmu.by_id["cmu/21_06"].split == "test"
    assert not cmu.by_id["cmu/13_01"].contacts and cmu.by_id["cmu/35_01"].contacts
    assert cmu.by_id["cmu/35_06"].split == "dropped"


def test_an_archive_and_its_folder_give_the_same(tmp_path, bandai):
    folder = write_folder(bandai_files(bandai_clips()), tmp_path / "unpacked")
    prepare("bandai", folder, tmp_path / "a")
    prepare("bandai", folder / "Bandai-Namco-Research-Motiondataset", tmp_path / "b")
    for name in ("clips.jsonl", "root.npy", "rotations.npy"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert (tmp_path / "a" / name).read_bytes() == (bandai.folder / name).read_bytes()


def test_an_interrupted_preparation_goes_on_where_it_was(tmp_path, monkeypatch):
    from motifmix.data import prepare as module

    monkeypatch.setattr(module, "SHARD_CLIPS", 3)
    source = write_archive(cmu_files(cmu_entries()), tmp_path / "cmu.tar.xz")
    prepare("cmu", source, tmp_path / "whole")
    read, original = [], module.read_bvh

    def counted(data, **options):
        read.append(options["name"])
        if len(read) == 8:
            raise KeyboardInterrupt
        return original(data, **options)

    monkeypatch.setattr(module, "read_bvh", counted)
    with pytest.raises(KeyboardInterrupt):
        prepare("cmu", source, tmp_path / "out")
    assert not (tmp_path / "out" / "card.yaml").exists()
    first = read[:6]
    read.clear()
    monkeypatch.setattr(
        module, "read_bvh", lambda data, **options: (read.append(options["name"]), original(data, **options))[1]
    )
    prepare("cmu", source, tmp_path / "out")
    assert read and not set(read) & set(first)
    for name in ("clips.jsonl", "root.npy", "rotations.npy", "report.md", "card.yaml"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    read.clear()
    prepare("cmu", source, tmp_path / "out")
    assert read == []


def test_wrong_sources_are_one_sentence(tmp_path):
    (tmp_path / "holiday.txt").write_text("x")
    for source, words in (
        (tmp_path / "nowhere", "no such file"),
        (tmp_path / "holiday.txt", "not a readable tar or zip"),
        (tmp_path, "this is not the Bandai"),
    ):
        with pytest.raises(DataError, match=words) as caught:
            prepare("bandai", source, tmp_path / "out")
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_missing_motion_a_wrong_label_and_a_broken_index_are_refused(tmp_path):
    files = cmu_files([cmu_entry("35_01")])
    del files["cmu-mocap-30fps/bvh/35/35_01.bvh"]
    with pytest.raises(DataError, match=r"35_01\.bvh is missing"):
        prepare("cmu", write_folder(files, tmp_path / "a"), tmp_path / "out")
    files["cmu-mocap-30fps/captions.json"] = b"{"
    with pytest.raises(DataError, match=r"captions.json is damaged"):
        prepare("cmu", write_folder(files, tmp_path / "b"), tmp_path / "out")
    files = bandai_files({"dataset-2_walk_active_001": {}})
    name = next(name for name in files if name.endswith("001.json"))
    files[name] = json.dumps({"content": 3, "style": 0}).encode()
    with pytest.raises(DataError, match="is labelled run active inside"):
        prepare("bandai", write_folder(files, tmp_path / "c"), tmp_path / "out")


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.docx").write_text("x")
    with pytest.raises(DataError, match="holds other files"):
        prepare("cmu", write_folder(cmu_files([cmu_entry("35_01")]), tmp_path / "a"), tmp_path / "out")
    assert (tmp_path / "out" / "thesis.docx").read_text() == "x"


def test_selecting(bandai):
    assert all(clip.split == "train" for clip in bandai.select())
    assert {clip.content for clip in bandai.select(content="run", split=None)} == {"run"}
    assert not any(clip.split == "dropped" for clip in bandai.select(split=None))
    left = bandai.select(split=None, without_cells=[("walk-turn-left", "masculine")])
    assert not [clip for clip in left if clip.style == "masculine"]
    assert len(bandai.select(mirrored=True)) == len(bandai.select(mirrored=False)) == len(bandai.select()) / 2
    assert bandai.content_counts("train")["walk"] == len(bandai.select(content="walk", mirrored=False))


def test_a_window_is_the_rows_of_its_clip(bandai):
    clip = bandai.select(content="walk")[0]
    whole, _ = bandai.arrays(clip)
    part, _ = bandai.arrays(clip, first=5, frames=12)
    np.testing.assert_array_equal(part, whole[5:17])
    with pytest.raises(ValueError, match="do not lie in"):
        bandai.arrays(clip, first=5, frames=clip.frames)


def test_a_folder_that_is_no_prepared_data(tmp_path):
    with pytest.raises(DataError, match="motifmix data prepare"):
        Prepared(tmp_path)


@pytest.mark.parametrize("name", ["bandai", "cmu"])
def test_describe_draws_and_tells(name, request, tmp_path):
    data = request.getfixturevalue(name)
    text = describe(data.folder, tmp_path)
    assert "train" in text and "walk" in text
    for picture in ("table.png", "lengths.png", "words.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


def test_the_card_names_source_and_credit(bandai, cmu):
    assert "Bandai Namco" in bandai.card["credit"] and len(bandai.card["source"]["sha256"]) == 64
    assert "mocap.cs.cmu.edu" in cmu.card["credit"] and "KIT" in cmu.card["credit"]
