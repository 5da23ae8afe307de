import json
from dataclasses import replace

import pytest
from tests.data.leaks import leaks

from motifmix.data.bandai_namco import SHARED_ROWS
from motifmix.data.sample import Clip, Take
from motifmix.data.split import PARTNERS, TEST_SUBJECTS, block_sides, cmu_side, split_bandai, subject_group


def take(source: str, content: str, style: str, number: int) -> Take:
    identity = f"{source}/{content}_{style}_{number:03d}"
    clip = Clip(identity, source, "style", "train", "", style, 60, content=content, style=style)
    return Take(identity + ".bvh", clip)


@pytest.mark.parametrize("count", range(6, 120))
def test_a_cell_is_two_blocks_with_one_dropped_clip_between(count):
    sides = block_sides(count)
    test = sides.count("test")
    assert sides == ["train"] * (count - test - 1) + ["dropped"] + ["test"] * test
    assert test >= 2 and 0.1 <= test / count <= 0.34
    assert block_sides(count, test_at_start=True) == sides[::-1]


def test_a_cell_too_small_for_two_blocks_trains():
    assert block_sides(5) == ["train"] * 5


def test_numbers_with_gaps_are_cut_in_their_order():
    numbers = [1, 2, 3, 7, 8, 9, 20, 21, 22, 23]
    done = split_bandai([take("bandai-2", "run", "active", n) for n in reversed(numbers)])
    by_number = {int(t.clip.id[-3:]): t.clip for t in done}
    assert [by_number[n].split for n in numbers] == ["train"] * 7 + ["dropped"] + ["test"] * 2
    assert by_number[21].reason and not by_number[22].reason


@pytest.mark.parametrize("share", [range(1, 36), [n for n in range(1, 36) if n % 7 not in (3, 4)]])
def test_clips_cut_from_the_same_rows_never_stand_on_two_sides(share):
    takes = [take("bandai-2", f"walk-turn-{side}", "normal", n) for side in ("left", "right") for n in share]
    sides = {t.clip.id.removeprefix("bandai-2/"): t.clip.split for t in split_bandai(takes)}
    for a, b in SHARED_ROWS:
        assert {sides.get(a), sides.get(b)} != {"train", "test"}, (a, b)
    assert "test" in sides.values()


def test_set_1_holds_out_the_second_walk_of_each_style():
    takes = [take("bandai-1", "walk", style, n) for style in ("proud", "sad", "normal") for n in (1, 2)]
    takes.append(take("bandai-1", "bow", "proud", 1))
    sides = {t.clip.id: t.clip.split for t in split_bandai(takes)}
    assert {i for i, side in sides.items() if side == "test"} == {"bandai-1/walk_proud_002", "bandai-1/walk_sad_002"}


def test_a_mended_label_stays_in_the_block_of_its_file_name():
    takes = [take("bandai-2", "walk-turn-left", "masculine", n) for n in range(1, 29)]
    mended = [
        replace(t, clip=replace(t.clip, content="walk-turn-right")) if t.clip.id.endswith("006") else t for t in takes
    ]
    assert [t.clip.split for t in split_bandai(mended)] == [t.clip.split for t in split_bandai(takes)]


@pytest.mark.parametrize("pair", PARTNERS)
def test_partners_stand_on_one_side_in_one_group(pair):
    assert len({cmu_side(subject) for subject in pair}) == 1
    assert len({subject_group(subject) for subject in pair}) == 1


def test_both_sides_have_subjects():
    assert cmu_side("141") == "test" and cmu_side("143") == "train"
    assert subject_group("141") == "cmu/141"
    assert 10 <= len(TEST_SUBJECTS) <= 40


def test_the_leak_check_sees_a_leak():
    clip = Clip("cmu/01_01", "cmu", "content", "train", "cmu/01", "01", 60)
    assert leaks([clip, replace(clip, id="cmu/01_02", split="test")]) == ["group cmu/01", "subject 01"]
    assert leaks([clip, replace(clip, id="cmu/01_01:mirrored", mirror_of="cmu/01_01", split="test")])


def test_a_clip_survives_its_line():
    clip = replace(take("bandai-2", "run", "active", 1).clip, flags=("curved",), captions=("a", "b"), mirror_of="x")
    assert Clip.from_line(json.loads(json.dumps(clip.as_line()))) == clip
